//! Handing in an answer: one decision, used by the API and by pages without JavaScript.

use crate::{
    limits,
    model::{answer, definition::Definition},
    store::{self, FormRow, Hold, NewSubmission, SubmissionRow, VersionRow},
};
use plinth_kernel::{Actor, Code, FormId, Id, NewEvent, Problem, SubmissionId, TenantId, TraceContext};
use plinth_store::Tx;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Kind of the event that a completed submission emits.
pub const COMPLETED: &str = "forms.submission.completed";
/// Kind of the event that a submission by a program emits.
pub const REJECTED_SPAM: &str = "forms.submission.rejected_spam";

/// Who hands in, and from where.
pub(crate) struct Origin<'a> {
    pub tenant: &'a TenantId,
    pub actor: Actor,
    /// Network address; only a hash of it is kept.
    pub client_ip: &'a str,
    pub user_agent: &'a str,
    pub trace: TraceContext,
    /// Servers with a secret key hand in on behalf of many: no limit by origin.
    pub limited: bool,
}

/// A form by its id or its `external_id`, to be read.
pub(crate) fn find_form(tx: &mut Tx<'_>, tenant: &TenantId, key: &str) -> Result<FormRow, Problem> {
    hold_form(tx, tenant, key, Hold::Read)
}

/// As [`find_form`], held so that what is decided from it is still true when it is done.
pub(crate) fn hold_form(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    key: &str,
    hold: Hold,
) -> Result<FormRow, Problem> {
    let found = match FormId::parse(key) {
        Ok(id) => store::form(tx, tenant, &id, hold)?,
        Err(_) => store::form_by_external(tx, tenant, key.strip_prefix("ext:").unwrap_or(key), hold)?,
    };
    found.ok_or_else(|| Problem::not_found("form"))
}

/// The live version of a form.
pub(crate) fn live(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    form: &FormRow,
) -> Result<(VersionRow, Definition), Problem> {
    let number = form.live_version.filter(|_| form.state == "active").ok_or_else(|| {
        Problem::new(Code::StateConflict, "The form is not open: it has not been published or is archived.")
    })?;
    let version = store::version(tx, tenant, &form.id, number)?
        .ok_or_else(|| Problem::internal("the live version of a form is missing"))?;
    let definition = version.parsed()?;
    Ok((version, definition))
}

/// Validates, stores and announces an answer, all in this unit of work.
pub(crate) fn submit(
    tx: &mut Tx<'_>,
    origin: &Origin<'_>,
    form: &FormRow,
    values: &BTreeMap<String, Value>,
) -> Result<(SubmissionRow, Definition), Problem> {
    let (version, definition) = live(tx, origin.tenant, form)?;
    let origin_hash = origin_hash(origin, form);
    if origin.limited {
        check_rate(tx, origin, form, &origin_hash)?;
    }
    // A program that fills in what people cannot see is thanked like everybody else, so that it learns nothing.
    let spam = answer::is_spam(values);
    let answers = match answer::check(&definition, values) {
        Ok(answers) => answers,
        Err(_) if spam => BTreeMap::new(),
        Err(faults) => return Err(Problem::validation(faults)),
    };
    let now = tx.now();
    let row = SubmissionRow {
        id: tx.id::<SubmissionId>(),
        form_id: form.id.clone(),
        version: version.number,
        state: if spam { "spam" } else { "completed" }.to_owned(),
        rev: 1,
        answers: serde_json::to_string(&answers).map_err(Problem::internal)?,
        actor: origin.actor.to_string(),
        user_agent: origin.user_agent.to_owned(),
        trace_id: origin.trace.trace_id.to_string(),
        created_at: now,
        updated_at: now,
    };
    store::insert_submission(tx, origin.tenant, &NewSubmission { row: &row, origin_hash: &origin_hash })?;
    tx.emit(NewEvent {
        tenant: origin.tenant.clone(),
        kind: if spam { REJECTED_SPAM } else { COMPLETED },
        version: 1,
        subject: row.id.to_string(),
        data: event_data(form, &row, &definition, &answers),
        actor: origin.actor.clone(),
        trace: origin.trace,
        causation: None,
    });
    Ok((row, definition))
}

/// Everything a consumer could ask about the submission: also how to show it to a person. Of a very large answer the event
/// carries the beginning and says so; the whole is in the submission.
fn event_data(
    form: &FormRow,
    row: &SubmissionRow,
    definition: &Definition,
    answers: &answer::Answers,
) -> Value {
    let truncated = row.answers.len() > limits::EVENT_ANSWERS_MAX_BYTES;
    let mut left = limits::EVENT_ANSWERS_MAX_BYTES;
    let mut fields = Vec::new();
    for field in definition.fields() {
        let Some(stored) = answers.get(&field.id) else { continue };
        let mut display = answer::display(definition, field, stored);
        if truncated {
            display = display.chars().take(limits::EVENT_FIELD_MAX_CHARS).collect();
        }
        let label = definition.text(&field.label, &field.key);
        match left.checked_sub(display.len() + label.len() + field.key.len()) {
            Some(rest) => left = rest,
            None => break,
        }
        fields
            .push(json!({"key": field.key, "type": field.kind.as_str(), "label": label, "display": display}));
    }
    json!({
        "submission_id": row.id,
        "form_id": form.id,
        "form_key": form.external_id,
        "form_name": form.name,
        "version": row.version,
        "values": if truncated { json!({}) } else { Value::Object(answer::by_key(definition, answers)) },
        "fields": fields,
        "truncated": truncated,
    })
}

fn origin_hash(origin: &Origin<'_>, form: &FormRow) -> String {
    // Per form, so that the hash cannot follow a person from one form to another.
    let digest = Sha256::digest(format!("{}|{}|{}", origin.tenant, form.id, origin.client_ip));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn check_rate(
    tx: &mut Tx<'_>,
    origin: &Origin<'_>,
    form: &FormRow,
    origin_hash: &str,
) -> Result<(), Problem> {
    let since = tx.now().plus_seconds(-limits::ORIGIN_WINDOW_SECONDS);
    if store::origin_count(tx, origin.tenant, &form.id, origin_hash, since)? < limits::ORIGIN_SUBMISSIONS_MAX
    {
        return Ok(());
    }
    let detail = format!(
        "At most {} submissions in {} minutes from one place. Please try again later.",
        limits::ORIGIN_SUBMISSIONS_MAX,
        limits::ORIGIN_WINDOW_SECONDS / 60
    );
    Err(Problem::new(Code::RateLimited, detail)
        .retry_after_ms(limits::ORIGIN_WINDOW_SECONDS as u64 * 1_000 / 2))
}
