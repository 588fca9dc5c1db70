//! The tables of forms; nothing else's.

use crate::model::{answer::Answers, definition::Definition};
use plinth_api::{Keyset, keyset_sql};
use plinth_kernel::{FormId, FormVersionId, Micros, Problem, SubmissionId, TenantId};
use plinth_store::{FromRow, Result, Row, Sql, Store, Tx, args, sql};
use std::collections::BTreeMap;

/// A form as its row holds it.
#[derive(Debug, Clone)]
pub(crate) struct FormRow {
    pub id: FormId,
    pub external_id: Option<String>,
    pub name: String,
    pub state: String,
    pub rev: i64,
    pub live_version: Option<i64>,
    pub draft_rev: i64,
    pub metadata: BTreeMap<String, String>,
    pub created_at: Micros,
    pub updated_at: Micros,
}

impl FromRow for FormRow {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            external_id: row.get(1)?,
            name: row.get(2)?,
            state: row.get(3)?,
            rev: row.get(4)?,
            live_version: row.get(5)?,
            draft_rev: row.get(6)?,
            metadata: serde_json::from_str(&row.get::<String>(7)?).unwrap_or_default(),
            created_at: row.get(8)?,
            updated_at: row.get(9)?,
        })
    }
}

/// A published version.
#[derive(Debug, Clone)]
pub(crate) struct VersionRow {
    pub number: i64,
    pub id: FormVersionId,
    pub hash: String,
    pub definition: String,
    pub note: String,
    pub published_by: String,
    pub published_at: Micros,
}

plinth_store::row!(VersionRow { number, id, hash, definition, note, published_by, published_at });

impl VersionRow {
    pub fn parsed(&self) -> Result<Definition, Problem> {
        serde_json::from_str(&self.definition).map_err(Problem::internal)
    }
}

/// A submission.
#[derive(Debug, Clone)]
pub(crate) struct SubmissionRow {
    pub id: SubmissionId,
    pub form_id: FormId,
    pub version: i64,
    pub state: String,
    pub rev: i64,
    pub answers: String,
    pub actor: String,
    pub user_agent: String,
    pub trace_id: String,
    pub created_at: Micros,
    pub updated_at: Micros,
}

plinth_store::row!(SubmissionRow {
    id,
    form_id,
    version,
    state,
    rev,
    answers,
    actor,
    user_agent,
    trace_id,
    created_at,
    updated_at
});

impl SubmissionRow {
    pub fn answers(&self) -> Result<Answers, Problem> {
        serde_json::from_str(&self.answers).map_err(Problem::internal)
    }
}

pub(crate) fn insert_form(tx: &mut Tx<'_>, tenant: &TenantId, form: &FormRow, draft: &str) -> Result<()> {
    let metadata = serde_json::to_string(&form.metadata).unwrap_or_else(|_| "{}".into());
    tx.exec(
        "INSERT INTO forms_form (tenant_id, id, external_id, name, state, rev, live_version, draft, draft_rev, metadata, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            tenant,
            &form.id,
            form.external_id.as_deref(),
            &form.name,
            &form.state,
            form.rev,
            form.live_version,
            draft,
            form.draft_rev,
            &metadata,
            form.created_at,
            form.updated_at
        ],
    )?;
    Ok(())
}

/// What a unit of work is about to do with a form, and so what it keeps others from doing to it until it has ended. On
/// SQLite there is one writer anyway.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hold {
    /// Nothing: it reads.
    Read,
    /// Answer it: it must not be deleted meanwhile.
    Answer,
    /// Change it: others must not change it meanwhile, and answers may come in.
    Change,
    /// Delete it: nothing may happen to it meanwhile.
    Delete,
}

/// The statement that reads a form and holds it.
macro_rules! select_form {
    ($where:literal, $hold:expr) => {
        match $hold {
            Hold::Read => select_form!($where, locked ""),
            Hold::Answer => select_form!($where, locked " FOR KEY SHARE"),
            Hold::Change => select_form!($where, locked " FOR NO KEY UPDATE"),
            Hold::Delete => select_form!($where, locked " FOR UPDATE"),
        }
    };
    ($where:literal, locked $lock:literal) => {
        sql!(lite: select_form!($where), pg: concat!(select_form!($where), $lock))
    };
    ($where:literal) => {
        concat!(
            "SELECT id, external_id, name, state, rev, live_version, draft_rev, metadata, created_at, updated_at
             FROM forms_form WHERE tenant_id = $1 AND ",
            $where
        )
    };
}

pub(crate) fn form(tx: &mut Tx<'_>, tenant: &TenantId, id: &FormId, hold: Hold) -> Result<Option<FormRow>> {
    let sql: Sql = select_form!("id = $2", hold);
    tx.opt(sql, args![tenant, id])
}

/// By the caller's own key.
pub(crate) fn form_by_external(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    external_id: &str,
    hold: Hold,
) -> Result<Option<FormRow>> {
    let sql: Sql = select_form!("external_id = $2", hold);
    tx.opt(sql, args![tenant, external_id])
}

pub(crate) fn forms(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    state: Option<&str>,
    keyset: &Keyset,
) -> Result<Vec<FormRow>> {
    let sql = keyset_sql!(
        keyset,
        "SELECT id, external_id, name, state, rev, live_version, draft_rev, metadata, created_at, updated_at
         FROM forms_form WHERE tenant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR state = $2)",
        "$3",
        "$4"
    );
    tx.all(sql, args![tenant, state, &keyset.after, keyset.fetch])
}

pub(crate) fn draft(tx: &mut Tx<'_>, tenant: &TenantId, id: &FormId) -> Result<Option<String>> {
    let row: Option<(String,)> =
        tx.opt("SELECT draft FROM forms_form WHERE tenant_id = $1 AND id = $2", args![tenant, id])?;
    Ok(row.map(|(draft,)| draft))
}

/// Saves name, key, state and metadata; the revision goes up by one.
pub(crate) fn update_form(tx: &mut Tx<'_>, tenant: &TenantId, form: &FormRow) -> Result<()> {
    let metadata = serde_json::to_string(&form.metadata).unwrap_or_else(|_| "{}".into());
    tx.exec(
        "UPDATE forms_form SET external_id = $3, name = $4, state = $5, rev = $6, live_version = $7, metadata = $8, updated_at = $9
         WHERE tenant_id = $1 AND id = $2",
        args![
            tenant,
            &form.id,
            form.external_id.as_deref(),
            &form.name,
            &form.state,
            form.rev,
            form.live_version,
            &metadata,
            form.updated_at
        ],
    )?;
    Ok(())
}

/// Saves the draft. Its revision is part of the form, whose own goes up with it.
pub(crate) fn save_draft(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &FormId,
    draft: &str,
    rev: i64,
) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "UPDATE forms_form SET draft = $3, draft_rev = $4, rev = rev + 1, updated_at = $5
         WHERE tenant_id = $1 AND id = $2",
        args![tenant, id, draft, rev, now],
    )?;
    Ok(())
}

/// Removes a form with its versions. Submissions stay until they are erased themselves.
pub(crate) fn delete_form(tx: &mut Tx<'_>, tenant: &TenantId, id: &FormId) -> Result<bool> {
    tx.exec("DELETE FROM forms_version WHERE tenant_id = $1 AND form_id = $2", args![tenant, id])?;
    Ok(tx.exec("DELETE FROM forms_form WHERE tenant_id = $1 AND id = $2", args![tenant, id])? == 1)
}

pub(crate) fn insert_version(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    form: &FormId,
    version: &VersionRow,
) -> Result<()> {
    tx.exec(
        "INSERT INTO forms_version (tenant_id, form_id, number, id, hash, definition, note, published_by, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            tenant,
            form,
            version.number,
            &version.id,
            &version.hash,
            &version.definition,
            &version.note,
            &version.published_by,
            version.published_at
        ],
    )?;
    Ok(())
}

pub(crate) fn version(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    form: &FormId,
    number: i64,
) -> Result<Option<VersionRow>> {
    tx.opt(
        "SELECT number, id, hash, definition, note, published_by, published_at FROM forms_version
         WHERE tenant_id = $1 AND form_id = $2 AND number = $3",
        args![tenant, form, number],
    )
}

/// Versions, by their ids: these sort by time of publication as the numbers do.
pub(crate) fn versions(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    form: &FormId,
    keyset: &Keyset,
) -> Result<Vec<VersionRow>> {
    let sql = keyset_sql!(
        keyset,
        "SELECT number, id, hash, definition, note, published_by, published_at FROM forms_version
         WHERE tenant_id = $1 AND form_id = $2",
        "$3",
        "$4"
    );
    tx.all(sql, args![tenant, form, &keyset.after, keyset.fetch])
}

/// What a new submission adds to its row.
pub(crate) struct NewSubmission<'a> {
    pub row: &'a SubmissionRow,
    /// Hash of where it came from, for the rate limit.
    pub origin_hash: &'a str,
}

pub(crate) fn insert_submission(tx: &mut Tx<'_>, tenant: &TenantId, new: &NewSubmission<'_>) -> Result<()> {
    let row = new.row;
    tx.exec(
        "INSERT INTO forms_submission (tenant_id, id, form_id, version, state, rev, answers, actor, origin_hash, user_agent, trace_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        args![
            tenant,
            &row.id,
            &row.form_id,
            row.version,
            &row.state,
            row.rev,
            &row.answers,
            &row.actor,
            new.origin_hash,
            &row.user_agent,
            &row.trace_id,
            row.created_at,
            row.updated_at
        ],
    )?;
    Ok(())
}

/// Whether the form has any submission.
pub(crate) fn has_submissions(tx: &mut Tx<'_>, tenant: &TenantId, form: &FormId) -> Result<bool> {
    let any: Option<(SubmissionId,)> = tx.opt(
        "SELECT id FROM forms_submission WHERE tenant_id = $1 AND form_id = $2 LIMIT 1",
        args![tenant, form],
    )?;
    Ok(any.is_some())
}

/// How many submissions this origin has handed in to this form since `since`.
pub(crate) fn origin_count(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    form: &FormId,
    origin_hash: &str,
    since: Micros,
) -> Result<i64> {
    let (count,): (i64,) = tx.one(
        "SELECT COUNT(*) FROM forms_submission WHERE tenant_id = $1 AND form_id = $2 AND origin_hash = $3 AND created_at >= $4",
        args![tenant, form, origin_hash, since],
    )?;
    Ok(count)
}

pub(crate) fn submission(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &SubmissionId,
) -> Result<Option<SubmissionRow>> {
    tx.opt(
        "SELECT id, form_id, version, state, rev, answers, actor, user_agent, trace_id, created_at, updated_at
         FROM forms_submission WHERE tenant_id = $1 AND id = $2",
        args![tenant, id],
    )
}

/// What a list of submissions is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct SubmissionFilter {
    pub form_id: Option<FormId>,
    pub state: Option<String>,
    /// Part of an answer, compared without regard to case (on SQLite: of ASCII letters).
    pub contains: Option<String>,
}

/// The page of a list. Two statements, so that the answers to one form are found by its index.
macro_rules! select_submissions {
    ($keyset:expr, $form:literal) => {
        keyset_sql!($keyset, select_submissions!($form), "$5", "$6")
    };
    ($form:literal) => {
        concat!(
            "SELECT id, form_id, version, state, rev, answers, actor, user_agent, trace_id, created_at, updated_at
             FROM forms_submission WHERE tenant_id = $1 AND ",
            $form,
            " AND (CAST($3 AS TEXT) IS NULL OR state = $3)
             AND (CAST($4 AS TEXT) IS NULL OR lower(answers) LIKE lower($4) ESCAPE '!')"
        )
    };
}

pub(crate) fn submissions(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    filter: &SubmissionFilter,
    keyset: &Keyset,
) -> Result<Vec<SubmissionRow>> {
    let like = filter.contains.as_ref().map(|text| format!("%{}%", escape_like(text)));
    let sql = match &filter.form_id {
        Some(_) => select_submissions!(keyset, "form_id = $2"),
        None => select_submissions!(keyset, "CAST($2 AS TEXT) IS NULL"),
    };
    tx.all(
        sql,
        args![
            tenant,
            filter.form_id.as_ref(),
            filter.state.as_deref(),
            like.as_deref(),
            &keyset.after,
            keyset.fetch
        ],
    )
}

fn escape_like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

pub(crate) fn delete_submission(tx: &mut Tx<'_>, tenant: &TenantId, id: &SubmissionId) -> Result<bool> {
    Ok(tx.exec("DELETE FROM forms_submission WHERE tenant_id = $1 AND id = $2", args![tenant, id])? == 1)
}

/// Live figures of a tenant's submissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Completed in the last 24 hours.
    pub today: i64,
    /// Completed in the 24 hours before.
    pub yesterday: i64,
    /// Hour by hour over the last 24, oldest first: when the hour began, and how many.
    pub hours: Vec<(Micros, i64)>,
}

const HOUR_US: i64 = 3_600_000_000;

/// Reads the figures of a tenant.
pub async fn figures(store: &Store, tenant: &TenantId) -> Result<Figures, Problem> {
    let tenant = tenant.clone();
    store
        .read(move |tx| {
            let first_hour = tx.now().0 / HOUR_US - 23;
            let counts: Vec<(i64, i64)> = tx.all(
                "SELECT created_at / 3600000000 AS hour, COUNT(*) FROM forms_submission
                 WHERE tenant_id = $1 AND created_at >= $2 AND state = 'completed' GROUP BY created_at / 3600000000",
                args![&tenant, (first_hour - 24) * HOUR_US],
            )?;
            let count = |hour: i64| counts.iter().find(|(at, _)| *at == hour).map_or(0, |(_, count)| *count);
            let hours: Vec<_> = (first_hour..first_hour + 24).map(|hour| (Micros(hour * HOUR_US), count(hour))).collect();
            Ok(Figures {
                today: hours.iter().map(|(_, count)| count).sum(),
                yesterday: counts.iter().filter(|(hour, _)| *hour < first_hour).map(|(_, count)| count).sum(),
                hours,
            })
        })
        .await
}
