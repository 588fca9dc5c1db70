//! The event that tells of a dead letter.

use crate::error::Result;
use plinth_kernel::{Actor, JobId, NewEvent, SpanId, TenantId, TraceContext, TraceId};
use plinth_store::{Tx, args, row};
use serde_json::json;

/// Kind of the event that tells of a dead letter.
pub const JOB_DIED: &str = "flow.job.died";

struct DeadRow {
    kind: String,
    queue: String,
    dedupe_key: Option<String>,
    last_error: Option<String>,
    trace_id: String,
    span_id: String,
}
row!(DeadRow { kind, queue, dedupe_key, last_error, trace_id, span_id });

/// Tells of a dead letter in the transaction that makes it one: whoever enqueued the job learns that its effect will not
/// come, also when the process died and no handler was there to say so.
pub(super) fn announce(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<()> {
    let row: DeadRow = tx.one(
        "SELECT kind, queue, dedupe_key, last_error, trace_id, span_id FROM flow_jobs \
         WHERE tenant_id = $1 AND job_id = $2",
        args![tenant, id],
    )?;
    let span_id = SpanId::parse(&row.span_id).unwrap_or_else(|_| SpanId::random(tx.world()));
    let trace = TraceContext { trace_id: trace_id(tx, &row.trace_id), span_id };
    tx.emit(NewEvent {
        tenant: tenant.clone(),
        kind: JOB_DIED,
        version: 1,
        subject: id.to_string(),
        data: json!({
            "job_id": id, "kind": row.kind, "queue": row.queue, "dedupe_key": row.dedupe_key, "error": row.last_error,
        }),
        actor: Actor::System("flow".to_owned()),
        trace,
        causation: None,
    });
    Ok(())
}

/// The trace of a row. One that cannot be read begins a new one: the work matters more than its trace.
pub(super) fn trace_id(tx: &Tx<'_>, text: &str) -> TraceId {
    TraceId::parse(text).unwrap_or_else(|_| TraceId::random(tx.world()))
}
