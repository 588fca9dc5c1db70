//! The timeline of a trace: from the request through events and jobs to every attempt.

use super::{Platform, flow};
use axum::extract::{Path, State};
use plinth_api::{ApiResult, Ctx, Problems};
use plinth_flow::{Timeline, TraceSpan, trace};
use plinth_kernel::{Micros, Problem, TraceId};
use serde::Serialize;
use serde_json::{Map, Value};

/// Everything that one cause led to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Trace)]
pub(super) struct TraceBody {
    /// Always `trace`.
    #[schema(example = "trace")]
    object: &'static str,
    /// The trace.
    trace_id: TraceId,
    /// When its first step began.
    started_at: Micros,
    /// From the first beginning to the last end known.
    duration_ms: i64,
    /// The steps by the time they began.
    spans: Vec<SpanBody>,
}

/// One step of a trace.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TraceSpan)]
pub(super) struct SpanBody {
    /// Its id.
    id: String,
    /// The step that caused it.
    parent_id: Option<String>,
    /// `request`, `command`, `event`, `consumer`, `job`, `attempt` or `publication`.
    #[schema(example = "job")]
    kind: String,
    /// The operation, event type, consumer or job kind.
    #[schema(example = "notify.send_email")]
    name: String,
    /// `ok`, `error`, `running` or `waiting`.
    #[schema(example = "ok")]
    status: String,
    /// When it began.
    started_at: Micros,
    /// When it ended; none while it has not.
    ended_at: Option<Micros>,
    /// What else is known.
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
}

impl From<TraceSpan> for SpanBody {
    fn from(span: TraceSpan) -> Self {
        Self {
            id: span.id,
            parent_id: span.parent_id,
            kind: span.kind.to_string(),
            name: span.name,
            status: span.status.to_string(),
            started_at: span.started_at,
            ended_at: span.ended_at,
            attributes: span.attributes,
        }
    }
}

/// Reads a trace
///
/// What happened because of one request: events, their handling, jobs, every attempt. Requests appear about a tenth
/// of a second after they ended.
#[utoipa::path(
    get, path = "/v1/traces/{trace_id}", operation_id = "get_trace", tag = "Flow",
    params(("trace_id" = String, Path, description = "The trace: 32 hexadecimal digits.", example = "4bf92f3577b34da6a3ce929d0e0e4736")),
    responses((status = 200, description = "The timeline.", body = TraceBody), Problems),
    security(("secret_key" = ["flow:traces:read"]), ("session" = ["flow:traces:read"])),
)]
pub(super) async fn get_trace(
    State(platform): State<Platform>,
    ctx: Ctx,
    Path(trace_id): Path<String>,
) -> ApiResult<axum::Json<TraceBody>> {
    let trace_id: TraceId = trace_id.parse().map_err(|_| Problem::not_found("trace"))?;
    let tenant = ctx.tenant().clone();
    let spans = platform
        .store
        .read(move |tx| {
            let mut spans = crate::requests::spans(tx, &tenant, &trace_id)?;
            spans.extend(trace::spans(tx, &tenant, &trace_id).map_err(flow)?);
            Ok::<_, Problem>(spans)
        })
        .await?;
    let timeline = Timeline::assemble(trace_id, spans).ok_or_else(|| Problem::not_found("trace"))?;
    Ok(axum::Json(TraceBody {
        object: "trace",
        trace_id,
        started_at: timeline.started_at,
        duration_ms: timeline.duration_ms,
        spans: timeline.spans.into_iter().map(SpanBody::from).collect(),
    }))
}
