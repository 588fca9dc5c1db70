//! The tables of notifications; nothing else's.

use crate::model::{
    render::Content,
    workflow::{Step, Trigger},
};
use plinth_api::{Keyset, keyset_sql};
use plinth_kernel::{
    EventId, InboxItemId, JobId, MailId, MemberId, Micros, NotificationId, Problem, TenantId, WorkflowId,
};
use plinth_store::{Error, FromRow, Result, Row, Store, Tx, args, owned};
use serde::{Deserialize, Serialize};

/// What a workflow's row keeps as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkflowDefinition {
    pub trigger: Trigger,
    pub steps: Vec<Step>,
}

/// A workflow.
#[derive(Debug, Clone)]
pub(crate) struct WorkflowRow {
    pub id: WorkflowId,
    pub external_id: Option<String>,
    pub name: String,
    pub enabled: bool,
    pub definition: String,
    pub rev: i64,
    pub created_at: Micros,
    pub updated_at: Micros,
}

plinth_store::row!(WorkflowRow { id, external_id, name, enabled, definition, rev, created_at, updated_at });

impl WorkflowRow {
    pub fn parsed(&self) -> Result<WorkflowDefinition, Problem> {
        serde_json::from_str(&self.definition).map_err(Problem::internal)
    }
}

pub(crate) fn insert_workflow(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    row: &WorkflowRow,
    event: &str,
) -> Result<()> {
    tx.exec(
        "INSERT INTO notify_workflow (tenant_id, id, external_id, name, enabled, event, definition, rev, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![tenant, &row.id, row.external_id.as_deref(), &row.name, row.enabled, event, &row.definition, row.rev, row.created_at, row.updated_at],
    )?;
    Ok(())
}

/// Saves the next revision; one that is not the next to what stands there is stale.
pub(crate) fn update_workflow(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    row: &WorkflowRow,
    event: &str,
) -> Result<()> {
    let updated = tx.exec(
        "UPDATE notify_workflow SET name = $3, enabled = $4, event = $5, definition = $6, rev = $7, updated_at = $8
         WHERE tenant_id = $1 AND id = $2 AND rev = $7 - 1",
        args![tenant, &row.id, &row.name, row.enabled, event, &row.definition, row.rev, row.updated_at],
    )?;
    if updated == 1 { Ok(()) } else { Err(Error::Stale) }
}

pub(crate) fn delete_workflow(tx: &mut Tx<'_>, tenant: &TenantId, id: &WorkflowId) -> Result<()> {
    tx.exec("DELETE FROM notify_workflow WHERE tenant_id = $1 AND id = $2", args![tenant, id])?;
    Ok(())
}

pub(crate) fn workflow(tx: &mut Tx<'_>, tenant: &TenantId, id: &WorkflowId) -> Result<Option<WorkflowRow>> {
    tx.opt(
        "SELECT id, external_id, name, enabled, definition, rev, created_at, updated_at FROM notify_workflow
         WHERE tenant_id = $1 AND id = $2",
        args![tenant, id],
    )
}

pub(crate) fn workflow_by_external(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    external_id: &str,
) -> Result<Option<WorkflowRow>> {
    tx.opt(
        "SELECT id, external_id, name, enabled, definition, rev, created_at, updated_at FROM notify_workflow
         WHERE tenant_id = $1 AND external_id = $2",
        args![tenant, external_id],
    )
}

pub(crate) fn workflow_count(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<i64> {
    let (count,): (i64,) =
        tx.one("SELECT COUNT(*) FROM notify_workflow WHERE tenant_id = $1", args![tenant])?;
    Ok(count)
}

pub(crate) fn workflows(tx: &mut Tx<'_>, tenant: &TenantId, keyset: &Keyset) -> Result<Vec<WorkflowRow>> {
    let sql = keyset_sql!(
        keyset,
        "SELECT id, external_id, name, enabled, definition, rev, created_at, updated_at FROM notify_workflow
         WHERE tenant_id = $1",
        "$2",
        "$3"
    );
    tx.all(sql, args![tenant, &keyset.after, keyset.fetch])
}

/// The enabled workflows that begin with this kind of event.
pub(crate) fn workflows_for(tx: &mut Tx<'_>, tenant: &TenantId, event: &str) -> Result<Vec<WorkflowRow>> {
    tx.all(
        "SELECT id, external_id, name, enabled, definition, rev, created_at, updated_at FROM notify_workflow
         WHERE tenant_id = $1 AND event = $2 AND enabled ORDER BY id",
        args![tenant, event],
    )
}

/// A notification: one event, one step, one recipient.
#[derive(Debug, Clone)]
pub(crate) struct NotificationRow {
    pub id: NotificationId,
    pub workflow_id: WorkflowId,
    pub workflow_rev: i64,
    pub step_id: String,
    pub event_id: EventId,
    pub channel: String,
    /// `member:mbr_…` or `address:…`.
    pub recipient: String,
    pub address: String,
    pub state: String,
    pub content: String,
    pub job_id: Option<JobId>,
    pub provider: Option<String>,
    pub last_error: Option<String>,
    pub trace_id: String,
    pub created_at: Micros,
    pub updated_at: Micros,
    pub sent_at: Option<Micros>,
}

impl FromRow for NotificationRow {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            workflow_id: row.get(1)?,
            workflow_rev: row.get(2)?,
            step_id: row.get(3)?,
            event_id: row.get(4)?,
            channel: row.get(5)?,
            recipient: row.get(6)?,
            address: row.get(7)?,
            state: row.get(8)?,
            content: row.get(9)?,
            job_id: row.get(10)?,
            provider: row.get(11)?,
            last_error: row.get(12)?,
            trace_id: row.get(13)?,
            created_at: row.get(14)?,
            updated_at: row.get(15)?,
            sent_at: row.get(16)?,
        })
    }
}

impl NotificationRow {
    pub fn content(&self) -> Result<Content, Problem> {
        serde_json::from_str(&self.content).map_err(Problem::internal)
    }
}

/// Writes a notification unless this event, step and recipient already has one. False when it has.
pub(crate) fn insert_notification(tx: &mut Tx<'_>, tenant: &TenantId, row: &NotificationRow) -> Result<bool> {
    let inserted = tx.exec(
        "INSERT INTO notify_notification (tenant_id, id, workflow_id, workflow_rev, step_id, event_id, channel, recipient,
         address, state, content, job_id, provider, last_error, trace_id, created_at, updated_at, sent_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (tenant_id, event_id, workflow_id, step_id, recipient) DO NOTHING",
        args![
            tenant,
            &row.id,
            &row.workflow_id,
            row.workflow_rev,
            &row.step_id,
            &row.event_id,
            &row.channel,
            &row.recipient,
            &row.address,
            &row.state,
            &row.content,
            row.job_id.as_ref(),
            row.provider.as_deref(),
            row.last_error.as_deref(),
            &row.trace_id,
            row.created_at,
            row.updated_at,
            row.sent_at
        ],
    )?;
    Ok(inserted == 1)
}

pub(crate) fn set_job(tx: &mut Tx<'_>, tenant: &TenantId, id: &NotificationId, job: &JobId) -> Result<()> {
    tx.exec(
        "UPDATE notify_notification SET job_id = $3 WHERE tenant_id = $1 AND id = $2",
        args![tenant, id, job],
    )?;
    Ok(())
}

/// Records what became of a delivery.
pub(crate) fn set_state(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &NotificationId,
    state: &str,
    provider: Option<&str>,
    error: Option<&str>,
) -> Result<()> {
    let now = tx.now();
    let sent_at = (state == "sent").then_some(now);
    tx.exec(
        "UPDATE notify_notification SET state = $3, provider = COALESCE($4, provider), last_error = $5, updated_at = $6,
         sent_at = COALESCE($7, sent_at) WHERE tenant_id = $1 AND id = $2",
        args![tenant, id, state, provider, error, now, sent_at],
    )?;
    Ok(())
}

pub(crate) fn notification(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &NotificationId,
) -> Result<Option<NotificationRow>> {
    tx.opt(
        "SELECT id, workflow_id, workflow_rev, step_id, event_id, channel, recipient, address, state, content, job_id,
         provider, last_error, trace_id, created_at, updated_at, sent_at
         FROM notify_notification WHERE tenant_id = $1 AND id = $2",
        args![tenant, id],
    )
}

pub(crate) fn notifications(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    state: Option<&str>,
    channel: Option<&str>,
    keyset: &Keyset,
) -> Result<Vec<NotificationRow>> {
    let sql = keyset_sql!(
        keyset,
        "SELECT id, workflow_id, workflow_rev, step_id, event_id, channel, recipient, address, state, content, job_id,
         provider, last_error, trace_id, created_at, updated_at, sent_at
         FROM notify_notification WHERE tenant_id = $1
         AND (CAST($2 AS TEXT) IS NULL OR state = $2) AND (CAST($3 AS TEXT) IS NULL OR channel = $3)",
        "$4",
        "$5"
    );
    tx.all(sql, args![tenant, state, channel, &keyset.after, keyset.fetch])
}

/// An item of a member's inbox.
#[derive(Debug, Clone)]
pub(crate) struct InboxRow {
    pub id: InboxItemId,
    pub notification_id: NotificationId,
    pub title: String,
    pub body: String,
    pub url: Option<String>,
    pub trace_id: String,
    pub created_at: Micros,
    pub read_at: Option<Micros>,
}

plinth_store::row!(InboxRow { id, notification_id, title, body, url, trace_id, created_at, read_at });

pub(crate) fn insert_inbox(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    member: &MemberId,
    row: &InboxRow,
) -> Result<()> {
    tx.exec(
        "INSERT INTO notify_inbox_item (tenant_id, member_id, id, notification_id, title, body, url, trace_id, created_at, read_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![tenant, member, &row.id, &row.notification_id, &row.title, &row.body, row.url.as_deref(), &row.trace_id, row.created_at, row.read_at],
    )?;
    Ok(())
}

pub(crate) fn inbox(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    member: &MemberId,
    unread: bool,
    keyset: &Keyset,
) -> Result<Vec<InboxRow>> {
    let sql = keyset_sql!(
        keyset,
        "SELECT id, notification_id, title, body, url, trace_id, created_at, read_at FROM notify_inbox_item
         WHERE tenant_id = $1 AND member_id = $2 AND (NOT CAST($3 AS BOOLEAN) OR read_at IS NULL)",
        "$4",
        "$5"
    );
    tx.all(sql, args![tenant, member, unread, &keyset.after, keyset.fetch])
}

pub(crate) fn inbox_item(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    member: &MemberId,
    id: &InboxItemId,
) -> Result<Option<InboxRow>> {
    tx.opt(
        "SELECT id, notification_id, title, body, url, trace_id, created_at, read_at FROM notify_inbox_item
         WHERE tenant_id = $1 AND member_id = $2 AND id = $3",
        args![tenant, member, id],
    )
}

pub(crate) fn unread(tx: &mut Tx<'_>, tenant: &TenantId, member: &MemberId) -> Result<i64> {
    let (count,): (i64,) = tx.one(
        "SELECT COUNT(*) FROM notify_inbox_item WHERE tenant_id = $1 AND member_id = $2 AND read_at IS NULL",
        args![tenant, member],
    )?;
    Ok(count)
}

pub(crate) fn mark_read(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    member: &MemberId,
    id: &InboxItemId,
) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "UPDATE notify_inbox_item SET read_at = $4 WHERE tenant_id = $1 AND member_id = $2 AND id = $3 AND read_at IS NULL",
        args![tenant, member, id, now],
    )?;
    Ok(())
}

/// Marks up to `max` unread items read; returns how many.
pub(crate) fn mark_all_read(tx: &mut Tx<'_>, tenant: &TenantId, member: &MemberId, max: i64) -> Result<u64> {
    let now = tx.now();
    tx.exec(
        "UPDATE notify_inbox_item SET read_at = $3 WHERE tenant_id = $1 AND member_id = $2 AND id IN (
            SELECT id FROM notify_inbox_item WHERE tenant_id = $1 AND member_id = $2 AND read_at IS NULL ORDER BY id LIMIT $4)",
        args![tenant, member, now, max],
    )
}

/// A mail in the file outbox.
#[derive(Debug, Clone)]
pub(crate) struct MailRow {
    pub id: MailId,
    pub notification_id: NotificationId,
    pub sender: String,
    pub recipient: String,
    pub subject: String,
    pub text_body: String,
    pub html_body: Option<String>,
    pub file_name: String,
    pub trace_id: String,
    pub created_at: Micros,
}

plinth_store::row!(MailRow {
    id,
    notification_id,
    sender,
    recipient,
    subject,
    text_body,
    html_body,
    file_name,
    trace_id,
    created_at
});

pub(crate) fn insert_mail(tx: &mut Tx<'_>, tenant: &TenantId, row: &MailRow) -> Result<()> {
    tx.exec(
        "INSERT INTO notify_mail (tenant_id, id, notification_id, sender, recipient, subject, text_body, html_body, file_name, trace_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant_id, id) DO NOTHING",
        args![
            tenant,
            &row.id,
            &row.notification_id,
            &row.sender,
            &row.recipient,
            &row.subject,
            &row.text_body,
            row.html_body.as_deref(),
            &row.file_name,
            &row.trace_id,
            row.created_at
        ],
    )?;
    Ok(())
}

pub(crate) fn mail(tx: &mut Tx<'_>, tenant: &TenantId, id: &MailId) -> Result<Option<MailRow>> {
    tx.opt(
        "SELECT id, notification_id, sender, recipient, subject, text_body, html_body, file_name, trace_id, created_at
         FROM notify_mail WHERE tenant_id = $1 AND id = $2",
        args![tenant, id],
    )
}

pub(crate) fn mails(tx: &mut Tx<'_>, tenant: &TenantId, keyset: &Keyset) -> Result<Vec<MailRow>> {
    let sql = keyset_sql!(
        keyset,
        "SELECT id, notification_id, sender, recipient, subject, text_body, html_body, file_name, trace_id, created_at
         FROM notify_mail WHERE tenant_id = $1",
        "$2",
        "$3"
    );
    tx.all(sql, args![tenant, &keyset.after, keyset.fetch])
}

/// Live figures of a tenant's notifications.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Sent in the last 24 hours.
    pub sent_today: i64,
    /// Given up in the last 24 hours.
    pub failed_today: i64,
    /// The 99th percentile of the time from event to delivery in the last 24 hours, in milliseconds.
    pub p99_ms: Option<i64>,
}

pub(crate) async fn figures(store: &Store, tenant: &TenantId) -> Result<Figures, Problem> {
    let since = store.world().now().plus_seconds(-86_400);
    let sent: Option<(i64,)> = store
        .get(
            "SELECT COUNT(*) FROM notify_notification WHERE tenant_id = $1 AND created_at >= $2 AND sent_at IS NOT NULL",
            owned![tenant, since],
        )
        .await?;
    let sent_today = sent.map_or(0, |(count,)| count);
    let failed: Option<(i64,)> = store
        .get(
            "SELECT COUNT(*) FROM notify_notification WHERE tenant_id = $1 AND created_at >= $2 AND state = 'failed'",
            owned![tenant, since],
        )
        .await?;
    let failed_today = failed.map_or(0, |(count,)| count);
    if sent_today == 0 {
        return Ok(Figures { failed_today, ..Figures::default() });
    }
    let slowest: Option<(i64,)> = store
        .get(
            "SELECT sent_at - created_at AS took FROM notify_notification
             WHERE tenant_id = $1 AND created_at >= $2 AND sent_at IS NOT NULL ORDER BY took DESC LIMIT 1 OFFSET $3",
            owned![tenant, since, sent_today / 100],
        )
        .await?;
    Ok(Figures { sent_today, failed_today, p99_ms: slowest.map(|(us,)| us / 1_000) })
}
