//! The event log, and events that a consumer could not handle.

use super::{NewestParams, Platform, after_newest, fetch, flow, newest_only, path_id};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::{ApiResult, Command, Ctx, List, ListBody, NoBody, Problems, Reply};
use plinth_flow::{
    ParkedEvent,
    consumers::{ParkedFilter, list_parked, replay_parked},
    events,
};
use plinth_kernel::{Code, Event, EventId, Micros, Problem, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event: a fact that was committed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
pub(super) struct EventBody {
    /// Always `event`.
    #[schema(example = "event")]
    object: &'static str,
    /// Its id.
    id: EventId,
    /// `system.noun.verb_past`.
    #[schema(example = "forms.submission.completed")]
    r#type: String,
    /// Version of the shape of `data`.
    version: u32,
    /// When it was appended.
    created_at: Micros,
    /// Whose it is.
    tenant_id: TenantId,
    /// The key that orders: events of one subject are seen in order.
    #[schema(example = "sub_01kb3h5f8xe7ksq2v9w6m4t0rd")]
    subject: String,
    /// Its partition of the log.
    partition: u16,
    /// Its place in the partition.
    sequence: i64,
    /// Who caused it.
    #[schema(example = "visitor:3J9x")]
    actor: String,
    /// Trace; see `GET /v1/traces/{trace_id}`.
    trace_id: String,
    /// The event that led to it.
    causation_id: Option<EventId>,
    /// What happened.
    #[schema(value_type = Object)]
    data: Value,
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self {
            object: "event",
            id: event.id,
            r#type: event.kind,
            version: event.version,
            created_at: event.created_at,
            tenant_id: event.tenant,
            subject: event.subject,
            partition: event.partition,
            sequence: event.sequence,
            actor: event.actor.to_string(),
            trace_id: event.trace.trace_id.to_string(),
            causation_id: event.causation,
            data: event.data,
        }
    }
}

/// An event that a consumer has put aside.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ParkedEvent)]
pub(super) struct ParkedBody {
    /// Always `parked_event`.
    #[schema(example = "parked_event")]
    object: &'static str,
    /// Its id: the event's and the consumer's.
    #[schema(example = "evt_01kb3h5f8xe7ksq2v9w6m4t0rd.notify.workflows")]
    id: String,
    /// The event.
    event_id: EventId,
    /// Its type.
    event_type: String,
    /// Its subject.
    subject: String,
    /// The consumer.
    consumer: String,
    /// `parked`, `held` (waits behind an earlier one of its subject) or `due` (is about to be tried again).
    #[schema(example = "parked")]
    state: String,
    /// Tries so far.
    attempts: u32,
    /// Why the last one failed.
    error: Option<String>,
    /// When it was put aside.
    parked_at: Micros,
    /// Trace.
    trace_id: String,
}

impl From<ParkedEvent> for ParkedBody {
    fn from(parked: ParkedEvent) -> Self {
        Self {
            object: "parked_event",
            id: parked.id(),
            event_id: parked.event_id,
            event_type: parked.kind,
            subject: parked.subject,
            consumer: parked.consumer,
            state: parked.state.to_string(),
            attempts: parked.tries,
            error: parked.last_error,
            parked_at: parked.parked_at,
            trace_id: parked.trace_id,
        }
    }
}

/// What to look for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventFilter {
    /// Events of this type.
    #[serde(default)]
    #[param(example = "forms.submission.completed")]
    r#type: Option<String>,
    /// Events with this subject.
    #[serde(default)]
    subject: Option<String>,
}

/// Lists events
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "list_events", tag = "Flow",
    params(NewestParams, EventFilter),
    responses((status = 200, description = "A page of events.", body = ListBody<EventBody>), Problems),
    security(("secret_key" = ["flow:events:read"]), ("session" = ["flow:events:read"])),
)]
pub(super) async fn list_events(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List<EventFilter>,
) -> ApiResult<axum::Json<ListBody<EventBody>>> {
    let after: Option<EventId> = after_newest(&list)?;
    let filter =
        events::EventFilter { kind: list.filter.r#type.clone(), subject: list.filter.subject.clone() };
    let (tenant, limit) = (ctx.tenant().clone(), fetch(&list));
    let found = platform
        .store
        .read(move |tx| events::list_events(tx, &tenant, &filter, after.as_ref(), limit).map_err(flow))
        .await?;
    Ok(axum::Json(list.page(found.into_iter().map(EventBody::from).collect(), |event| event.id.to_string())))
}

/// Reads an event
#[utoipa::path(
    get, path = "/v1/events/{id}", operation_id = "get_event", tag = "Flow",
    params(("id" = String, Path, description = "Id of the event.", example = "evt_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The event.", body = EventBody), Problems),
    security(("secret_key" = ["flow:events:read"]), ("session" = ["flow:events:read"])),
)]
pub(super) async fn get_event(
    State(platform): State<Platform>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<EventBody>> {
    let id: EventId = path_id(&id, "event")?;
    let tenant = ctx.tenant().clone();
    let event = platform.store.read(move |tx| events::get_event(tx, &tenant, &id).map_err(flow)).await?;
    Ok(axum::Json(event.into()))
}

/// Lists parked events
///
/// Events that a consumer failed to handle again and again, newest first.
#[utoipa::path(
    get, path = "/v1/parked-events", operation_id = "list_parked_events", tag = "Flow",
    params(NewestParams),
    responses((status = 200, description = "A page of parked events.", body = ListBody<ParkedBody>), Problems),
    security(("secret_key" = ["flow:events:read"]), ("session" = ["flow:events:read"])),
)]
pub(super) async fn list_parked_events(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<ParkedBody>>> {
    newest_only(&list)?;
    let bad_cursor = || Problem::new(Code::InvalidCursor, "Start again without the cursor.");
    let after = match &list.after {
        Some(id) => Some(
            ParkedEvent::parse_id(id)
                .map(|(event, consumer)| (event, consumer.to_owned()))
                .ok_or_else(bad_cursor)?,
        ),
        None => None,
    };
    let (tenant, limit) = (ctx.tenant().clone(), fetch(&list));
    let found = platform
        .store
        .read(move |tx| {
            let after = after.as_ref().map(|(event, consumer)| (event, consumer.as_str()));
            list_parked(tx, &tenant, &ParkedFilter::default(), after, limit).map_err(flow)
        })
        .await?;
    Ok(axum::Json(list.page(found.into_iter().map(ParkedBody::from).collect(), |parked| parked.id.clone())))
}

/// Tries a parked event again
///
/// Those held behind it follow in order when it succeeds.
#[utoipa::path(
    post, path = "/v1/parked-events/{id}/replay", operation_id = "replay_parked_event", tag = "Flow",
    params(("id" = String, Path, description = "Id of the parked event.", example = "evt_01kb3h5f8xe7ksq2v9w6m4t0rd.notify.workflows")),
    responses((status = 202, description = "It is about to be tried.", body = ParkedReplayed), Problems),
    security(("secret_key" = ["flow:events:write"]), ("session" = ["flow:events:write"])),
)]
pub(super) async fn replay_parked_event(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let (event, consumer) = ParkedEvent::parse_id(&id)
        .map(|(event, consumer)| (event, consumer.to_owned()))
        .ok_or_else(|| Problem::not_found("parked event"))?;
    command
        .run(&platform.store, move |tx, ctx, _| {
            replay_parked(tx, ctx.tenant(), &event, &consumer).map_err(flow)?;
            Reply::accepted(&ParkedReplayed { object: "parked_event", id: id.clone(), state: "due" })
        })
        .await
}

/// A parked event that is about to be tried again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ParkedReplayed {
    /// Always `parked_event`.
    #[schema(example = "parked_event")]
    object: &'static str,
    /// Its id.
    id: String,
    /// Always `due`.
    #[schema(example = "due")]
    state: &'static str,
}
