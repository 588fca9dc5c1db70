//! Schedules.

use super::{Platform, after, fetch, flow};
use axum::extract::State;
use plinth_api::{ApiResult, Ctx, List, ListBody, PageParams, Problems};
use plinth_flow::schedules::{self, ScheduleView};
use plinth_kernel::{JobId, Micros, ScheduleId};
use serde::Serialize;

/// Something that happens by the clock.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Schedule)]
pub(super) struct ScheduleBody {
    /// Always `schedule`.
    #[schema(example = "schedule")]
    object: &'static str,
    /// Its id.
    id: ScheduleId,
    /// Its name.
    #[schema(example = "notify.digest")]
    name: String,
    /// Queue of its jobs.
    queue: String,
    /// Kind of its jobs.
    kind: String,
    /// Its cron expression; none when it fires once.
    #[schema(example = "0 8 * * *")]
    cron: Option<String>,
    /// The zone of the expression.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// Whether it will fire again.
    enabled: bool,
    /// When it fires next.
    next_run_at: Option<Micros>,
    /// When it fired last.
    last_run_at: Option<Micros>,
    /// The job of the last firing.
    last_job_id: Option<JobId>,
    /// How often it has fired.
    fired: i64,
    /// When it was declared first.
    created_at: Micros,
    /// When it last changed.
    updated_at: Micros,
}

impl From<ScheduleView> for ScheduleBody {
    fn from(schedule: ScheduleView) -> Self {
        Self {
            object: "schedule",
            id: schedule.id,
            name: schedule.name,
            queue: schedule.queue,
            kind: schedule.kind,
            cron: schedule.cron,
            timezone: schedule.zone,
            enabled: schedule.next_at.is_some(),
            next_run_at: schedule.next_at,
            last_run_at: schedule.last_at,
            last_job_id: schedule.last_job,
            fired: schedule.fired,
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
        }
    }
}

/// Lists schedules
///
/// In the order in which they were declared.
#[utoipa::path(
    get, path = "/v1/schedules", operation_id = "list_schedules", tag = "Flow",
    params(PageParams),
    responses((status = 200, description = "A page of schedules.", body = ListBody<ScheduleBody>), Problems),
    security(("secret_key" = ["flow:schedules:read"]), ("session" = ["flow:schedules:read"])),
)]
pub(super) async fn list_schedules(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<ScheduleBody>>> {
    let after: Option<ScheduleId> = after(&list)?;
    let (tenant, limit) = (ctx.tenant().clone(), fetch(&list));
    let found = platform
        .store
        .read(move |tx| schedules::list_schedules(tx, &tenant, after.as_ref(), limit).map_err(flow))
        .await?;
    Ok(axum::Json(
        list.page(found.into_iter().map(ScheduleBody::from).collect(), |schedule| schedule.id.to_string()),
    ))
}
