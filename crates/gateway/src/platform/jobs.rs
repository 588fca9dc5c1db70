//! Jobs and dead letters.

use super::{NewestParams, Platform, after_newest, fetch, flow, path_id, word};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::{ApiResult, Command, Ctx, List, ListBody, NoBody, Problems, Reply};
use plinth_flow::{Attempt, Job, JobFilter, jobs};
use plinth_kernel::{AttemptId, EventId, JobId, Micros, Problem, TenantId};
use plinth_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A job: an effect that was committed before it is tried.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Job)]
pub(super) struct JobBody {
    /// Always `job`.
    #[schema(example = "job")]
    object: &'static str,
    /// Its id.
    id: JobId,
    /// Its queue.
    #[schema(example = "mail")]
    queue: String,
    /// Its kind.
    #[schema(example = "notify.send_email")]
    kind: String,
    /// `blocked`, `scheduled`, `ready`, `running`, `retrying`, `done`, `dead` or `cancelled`.
    #[schema(example = "done")]
    state: String,
    /// Attempts made.
    attempt: u32,
    /// Attempts that may fail before it is a dead letter.
    max_attempts: u32,
    /// When it is, or was last, due.
    run_at: Micros,
    /// When it was enqueued.
    created_at: Micros,
    /// When it last changed.
    updated_at: Micros,
    /// When it was finished.
    finished_at: Option<Micros>,
    /// When its effect is no longer wanted.
    expires_at: Option<Micros>,
    /// Why the last attempt failed.
    last_error: Option<String>,
    /// Where its effect goes.
    destination: Option<String>,
    /// Jobs with the same key run one after the other.
    ordering_key: Option<String>,
    /// Whether somebody asked to cancel it.
    cancel_requested: bool,
    /// Trace; see `GET /v1/traces/{trace_id}`.
    trace_id: String,
    /// The event that led to it.
    causation_id: Option<EventId>,
    /// What its handler is told.
    #[schema(value_type = Object)]
    payload: Value,
    /// What its handler answered.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Every attempt, in order; empty in lists.
    attempts: Vec<AttemptBody>,
}

/// One try of a job.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = JobAttempt)]
pub(super) struct AttemptBody {
    /// Its id.
    id: AttemptId,
    /// Which one it is, from 1.
    number: u32,
    /// When it was opened, before the effect.
    started_at: Micros,
    /// When it was closed, after the effect.
    ended_at: Option<Micros>,
    /// `done`, `retry`, `dead`, `cancelled`, `unknown`; `running` while it is open.
    #[schema(example = "done")]
    outcome: String,
    /// Why it failed.
    error: Option<String>,
    /// The process that made it.
    node: String,
}

impl From<Attempt> for AttemptBody {
    fn from(attempt: Attempt) -> Self {
        Self {
            id: attempt.id,
            number: attempt.number,
            started_at: attempt.started_at,
            ended_at: attempt.finished_at,
            outcome: attempt.outcome.map_or_else(|| "running".to_owned(), |outcome| outcome.to_string()),
            error: attempt.error,
            node: attempt.node,
        }
    }
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        Self {
            object: "job",
            id: job.id,
            queue: job.queue,
            kind: job.kind,
            state: job.state.to_string(),
            attempt: job.attempts,
            max_attempts: job.max_attempts,
            run_at: job.run_at,
            created_at: job.created_at,
            updated_at: job.updated_at,
            finished_at: job.finished_at,
            expires_at: job.expires_at,
            last_error: job.last_error,
            destination: job.destination,
            ordering_key: job.ordering_key,
            cancel_requested: job.cancel_requested,
            trace_id: job.trace_id,
            causation_id: job.causation,
            payload: job.payload,
            result: job.result,
            attempts: Vec::new(),
        }
    }
}

/// A job with its attempts.
fn read(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<JobBody, Problem> {
    let mut body = JobBody::from(jobs::get_job(tx, tenant, id).map_err(flow)?);
    body.attempts =
        jobs::attempts(tx, tenant, id).map_err(flow)?.into_iter().map(AttemptBody::from).collect();
    Ok(body)
}

/// What to look for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsFilter {
    /// Jobs in this state; `dead` gives the dead letters.
    #[serde(default)]
    #[param(pattern = "^(blocked|scheduled|ready|running|retrying|done|dead|cancelled)$", example = "dead")]
    state: Option<String>,
    /// Jobs of this queue.
    #[serde(default)]
    queue: Option<String>,
    /// Jobs of this kind.
    #[serde(default)]
    kind: Option<String>,
}

/// Which dead letters to replay.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayDead {
    /// Of this queue; of all queues if left out.
    #[serde(default)]
    #[schema(example = "mail")]
    queue: Option<String>,
    /// Behind this job: the last of the call before, when there were more than one call takes.
    #[serde(default)]
    after: Option<JobId>,
}

/// What was replayed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReplayedDead {
    /// Dead letters that wait to be tried again.
    replayed: u32,
    /// Dead letters that cannot be replayed: their effect has expired, or another job has taken their place.
    refused: u32,
    /// Whether there are more than one call takes.
    has_more: bool,
}

/// Lists jobs
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/jobs", operation_id = "list_jobs", tag = "Flow",
    params(NewestParams, JobsFilter),
    responses((status = 200, description = "A page of jobs.", body = ListBody<JobBody>), Problems),
    security(("secret_key" = ["flow:jobs:read"]), ("session" = ["flow:jobs:read"])),
)]
pub(super) async fn list_jobs(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List<JobsFilter>,
) -> ApiResult<axum::Json<ListBody<JobBody>>> {
    let after: Option<JobId> = after_newest(&list)?;
    let JobsFilter { state, queue, kind } = list.filter.clone();
    let filter = JobFilter { state: word("state", state.as_deref())?, queue, kind };
    let (tenant, limit) = (ctx.tenant().clone(), fetch(&list));
    let found = platform
        .store
        .read(move |tx| jobs::list_jobs(tx, &tenant, &filter, after.as_ref(), limit).map_err(flow))
        .await?;
    Ok(axum::Json(list.page(found.into_iter().map(JobBody::from).collect(), |job| job.id.to_string())))
}

/// Reads a job with its attempts
#[utoipa::path(
    get, path = "/v1/jobs/{id}", operation_id = "get_job", tag = "Flow",
    params(("id" = String, Path, description = "Id of the job.", example = "job_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The job.", body = JobBody), Problems),
    security(("secret_key" = ["flow:jobs:read"]), ("session" = ["flow:jobs:read"])),
)]
pub(super) async fn get_job(
    State(platform): State<Platform>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<JobBody>> {
    let id: JobId = path_id(&id, "job")?;
    let tenant = ctx.tenant().clone();
    Ok(axum::Json(platform.store.read(move |tx| read(tx, &tenant, &id)).await?))
}

/// Tries a dead or cancelled job again
#[utoipa::path(
    post, path = "/v1/jobs/{id}/replay", operation_id = "replay_job", tag = "Flow",
    params(("id" = String, Path, description = "Id of the job.", example = "job_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 202, description = "It waits to be tried.", body = JobBody), Problems),
    security(("secret_key" = ["flow:jobs:write"]), ("session" = ["flow:jobs:write"])),
)]
pub(super) async fn replay_job(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let id: JobId = path_id(&id, "job")?;
    command
        .run(&platform.store, move |tx, ctx, _| {
            jobs::replay(tx, ctx.tenant(), &id).map_err(flow)?;
            Reply::accepted(&read(tx, ctx.tenant(), &id)?)
        })
        .await
}

/// Cancels a job
///
/// A job that is running is asked to stop; one whose effect has happened cannot be cancelled.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/cancel", operation_id = "cancel_job", tag = "Flow",
    params(("id" = String, Path, description = "Id of the job.", example = "job_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 202, description = "It is cancelled, or asked to stop.", body = JobBody), Problems),
    security(("secret_key" = ["flow:jobs:write"]), ("session" = ["flow:jobs:write"])),
)]
pub(super) async fn cancel_job(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let id: JobId = path_id(&id, "job")?;
    command
        .run(&platform.store, move |tx, ctx, _| {
            jobs::cancel(tx, ctx.tenant(), &id).map_err(flow)?;
            Reply::accepted(&read(tx, ctx.tenant(), &id)?)
        })
        .await
}

/// Tries dead letters again
///
/// The oldest first, spread over time, at most so many in one call; `has_more` tells whether to call again.
#[utoipa::path(
    post, path = "/v1/jobs/replay-dead", operation_id = "replay_dead_jobs", tag = "Flow",
    request_body = ReplayDead,
    responses((status = 202, description = "What was replayed.", body = ReplayedDead), Problems),
    security(("secret_key" = ["flow:jobs:write"]), ("session" = ["flow:jobs:write"])),
    extensions(("x-plinth" = json!({"cost": 10}))),
)]
pub(super) async fn replay_dead_jobs(
    State(platform): State<Platform>,
    command: Command<ReplayDead>,
) -> ApiResult<Response> {
    command
        .run(&platform.store, |tx, ctx, input| {
            let done = jobs::replay_dead(tx, ctx.tenant(), input.queue.as_deref(), input.after.as_ref())
                .map_err(flow)?;
            Reply::accepted(&ReplayedDead {
                replayed: done.replayed,
                refused: done.refused,
                has_more: done.has_more,
            })
        })
        .await
}
