//! Notifications: what was sent to whom, with every attempt.

use crate::{
    Notify,
    model::render::Content,
    store::{self, NotificationRow},
};
use axum::extract::{Path, State};
use axum::response::Response;
use plinth_api::{ApiResult, Command, Ctx, List, ListBody, NoBody, PageParams, Problems, Reply};
use plinth_flow::{Attempt, Job};
use plinth_kernel::{
    AttemptId, Code, EventId, Id, JobId, Micros, NotificationId, Problem, TenantId, WorkflowId,
};
use plinth_store::Tx;
use serde::{Deserialize, Serialize};

/// A notification.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Notification)]
pub(crate) struct NotificationObject {
    /// Id.
    id: NotificationId,
    /// Always `notification`.
    #[schema(example = "notification")]
    object: &'static str,
    /// The workflow.
    workflow_id: WorkflowId,
    /// Its revision when the notification was planned.
    workflow_rev: i64,
    /// The step.
    step_id: String,
    /// The event that led to it.
    event_id: EventId,
    /// `email` or `in_app`.
    #[schema(example = "email")]
    channel: String,
    /// `member:mbr_…` or `address:…`.
    recipient: String,
    /// `pending`, `retrying`, `sent` or `failed`.
    #[schema(example = "sent")]
    state: String,
    /// Who took it: the mail server's host, `outbox` or `inbox`.
    provider: Option<String>,
    /// Why the last attempt failed.
    last_error: Option<String>,
    /// The job that delivers it, for channels that leave the process.
    job_id: Option<JobId>,
    /// The trace it belongs to.
    trace_id: String,
    /// When it was planned.
    created_at: Micros,
    /// When it last changed.
    updated_at: Micros,
    /// When it was delivered.
    sent_at: Option<Micros>,
}

/// A notification with its words and attempts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NotificationDetail {
    /// The notification.
    #[serde(flatten)]
    notification: NotificationObject,
    /// What is delivered; absent when it could not be rendered.
    content: Option<Content>,
    /// State of the job.
    job_state: Option<String>,
    /// Every attempt, in order.
    attempts: Vec<DeliveryAttempt>,
}

/// An attempt to deliver.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeliveryAttempt {
    /// Id.
    id: AttemptId,
    /// Which one, from 1.
    number: u32,
    /// When it was opened, before the call.
    started_at: Micros,
    /// When it was closed.
    finished_at: Option<Micros>,
    /// How it ended.
    outcome: Option<String>,
    /// Why it failed.
    error: Option<String>,
}

impl From<NotificationRow> for NotificationObject {
    fn from(row: NotificationRow) -> Self {
        Self {
            id: row.id,
            object: "notification",
            workflow_id: row.workflow_id,
            workflow_rev: row.workflow_rev,
            step_id: row.step_id,
            event_id: row.event_id,
            channel: row.channel,
            recipient: row.recipient,
            state: row.state,
            provider: row.provider,
            last_error: row.last_error,
            job_id: row.job_id,
            trace_id: row.trace_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
            sent_at: row.sent_at,
        }
    }
}

impl From<Attempt> for DeliveryAttempt {
    fn from(attempt: Attempt) -> Self {
        Self {
            id: attempt.id,
            number: attempt.number,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
            outcome: attempt.outcome.map(|outcome| outcome.to_string()),
            error: attempt.error,
        }
    }
}

/// Filter of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotificationFilter {
    /// Only those in this state.
    #[serde(default)]
    #[param(inline)]
    state: Option<NotificationState>,
    /// Only those of this channel.
    #[serde(default)]
    #[param(inline)]
    channel: Option<NotificationChannel>,
}

/// State of a notification.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotificationState {
    /// Not tried yet.
    Pending,
    /// Tried, to be tried again.
    Retrying,
    /// Delivered.
    Sent,
    /// Given up.
    Failed,
}

/// Channel of a notification.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotificationChannel {
    /// E-mail.
    Email,
    /// Inbox of members.
    InApp,
}

fn find(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<NotificationRow, Problem> {
    let found = match NotificationId::parse(id) {
        Ok(id) => store::notification(tx, tenant, &id)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Problem::not_found("notification"))
}

/// Lists notifications
#[utoipa::path(
    get, path = "/v1/notifications", operation_id = "list_notifications", tag = "Notifications",
    params(PageParams, NotificationFilter),
    responses((status = 200, description = "A page of notifications.", body = ListBody<NotificationObject>), Problems),
    security(("secret_key" = ["notify:notifications:read"]), ("session" = ["notify:notifications:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_notifications(
    State(notify): State<Notify>,
    ctx: Ctx,
    list: List<NotificationFilter>,
) -> ApiResult<axum::Json<ListBody<NotificationObject>>> {
    let (tenant, keyset) = (ctx.tenant().clone(), list.keyset());
    let state = list.filter.state.map(|state| match state {
        NotificationState::Pending => "pending",
        NotificationState::Retrying => "retrying",
        NotificationState::Sent => "sent",
        NotificationState::Failed => "failed",
    });
    let channel = list.filter.channel.map(|channel| match channel {
        NotificationChannel::Email => "email",
        NotificationChannel::InApp => "in_app",
    });
    let rows =
        notify.store.read(move |tx| store::notifications(tx, &tenant, state, channel, &keyset)).await?;
    Ok(axum::Json(
        list.page(rows.into_iter().map(NotificationObject::from).collect(), |row| row.id.to_string()),
    ))
}

/// Reads a notification with its words and attempts
#[utoipa::path(
    get, path = "/v1/notifications/{id}", operation_id = "get_notification", tag = "Notifications",
    params(("id" = String, Path, description = "Id of the notification.", example = "ntf_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The notification.", body = NotificationDetail), Problems),
    security(("secret_key" = ["notify:notifications:read"]), ("session" = ["notify:notifications:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_notification(
    State(notify): State<Notify>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<NotificationDetail>> {
    let tenant = ctx.tenant().clone();
    let detail = notify.store.read(move |tx| detail(tx, &tenant, &id)).await?;
    Ok(axum::Json(detail))
}

fn detail(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<NotificationDetail, Problem> {
    let row = find(tx, tenant, id)?;
    let (job, attempts): (Option<Job>, Vec<Attempt>) = match &row.job_id {
        // A job outlives its usefulness earlier than the notification: its absence is no fault.
        Some(job) => {
            (plinth_flow::jobs::get_job(tx, tenant, job).ok(), plinth_flow::jobs::attempts(tx, tenant, job)?)
        }
        None => (None, Vec::new()),
    };
    Ok(NotificationDetail {
        content: row.content().ok(),
        job_state: job.map(|job| job.state.to_string()),
        attempts: attempts.into_iter().map(DeliveryAttempt::from).collect(),
        notification: row.into(),
    })
}

/// Sends a failed notification again
///
/// The same words under the same message id, through the same queue. Only what was given up can be sent again.
#[utoipa::path(
    post, path = "/v1/notifications/{id}/replay", operation_id = "replay_notification", tag = "Notifications",
    params(("id" = String, Path, description = "Id of the notification.", example = "ntf_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 202, description = "It is queued again.", body = NotificationObject), Problems),
    security(("secret_key" = ["notify:notifications:write"]), ("session" = ["notify:notifications:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn replay_notification(
    State(notify): State<Notify>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    command
        .run(&notify.store, move |tx, ctx, _| {
            let row = find(tx, ctx.tenant(), &id)?;
            let Some(job) = row.job_id.as_ref().filter(|_| row.state != "sent") else {
                let detail = format!("A notification that is {} cannot be sent again.", row.state);
                return Err(Problem::new(Code::StateConflict, detail));
            };
            // Refuses a job that is still under way. One that was cancelled, or whose process was lost, never came to
            // write down here that it failed.
            plinth_flow::replay(tx, ctx.tenant(), job)?;
            store::set_state(tx, ctx.tenant(), &row.id, "pending", None, None)?;
            let row = find(tx, ctx.tenant(), &id)?;
            Reply::accepted(&NotificationObject::from(row))
        })
        .await
}
