//! Closing runs whose process is gone: what was written is kept, the reservation is settled, and the stored stream gets the
//! explicit end that every stream has.

use plinth_kernel::{Actor, SpanId, TenantId, TraceContext, TraceId};
use plinth_store::{Error, Tx};
use serde_json::{Value, json};

use crate::model::budget::estimate;
use crate::model::run::RunState;
use crate::model::ui_stream::{Failure, Part, TEXT_ID};
use crate::store::{self, Ending, RunKeys, RunRow};

/// Ends a run whose lease has run out.
pub(crate) fn close_lost(tx: &mut Tx<'_>, tenant: &TenantId, run: &RunRow) -> Result<(), Error> {
    let body = store::body_of(tx, tenant, &run.answer_id)?;
    let total_ms = tx.now().since(run.created_at) / 1_000;
    // What the upstream was paid is unknown; what was written is the best estimate, and the caps hold anyway.
    let usage = estimate(0, body.len());
    let ending = Ending {
        state: RunState::Failed,
        detail: json!({"failure": Failure::UpstreamInterrupted.code(), "grounded": false}),
        frames: closed_frames(&run.frames, !body.is_empty()),
        body,
        usage,
        // The call was made: commit all that was reserved, so that crashes cannot be used to spend beyond a cap.
        cost_micros: u64::MAX,
        card: None,
        ttft_ms: run.ttft_ms,
        total_ms,
        failure: Some(Failure::UpstreamInterrupted.code()),
    };
    let keys = RunKeys {
        tenant: tenant.clone(),
        run: run.id.clone(),
        answer: run.answer_id.clone(),
        conversation: run.conversation_id.clone(),
        actor: Actor::System("assistant".to_owned()),
        trace: TraceContext {
            trace_id: TraceId::parse(&run.trace_id).unwrap_or_else(|_| TraceId::random(tx.world())),
            span_id: SpanId::random(tx.world()),
        },
    };
    store::finish(tx, &keys, &ending)?;
    Ok(())
}

/// The stored parts with an end that says that it broke off.
pub(crate) fn closed_frames(frames: &str, partial: bool) -> String {
    let has = |kind: &str| {
        frames.lines().any(|line| {
            serde_json::from_str::<Value>(line)
                .is_ok_and(|part| part.get("type").and_then(Value::as_str) == Some(kind))
        })
    };
    let mut out = frames.to_owned();
    let mut push = |part: &Part| {
        out.push_str(&part.json());
        out.push('\n');
    };
    for part in Part::failure(Failure::UpstreamInterrupted, partial) {
        push(&part);
    }
    if has("text-start") && !has("text-end") {
        push(&Part::TextEnd { id: TEXT_ID });
    }
    push(&Part::Finish { finish_reason: "error", message_metadata: json!({}) });
    out
}

/// Closes every lost run, a batch at a time; answers with how many.
pub(crate) fn close_all_lost(tx: &mut Tx<'_>, limit: i64) -> Result<usize, Error> {
    let lost = store::lost_runs(tx, limit)?;
    for (tenant, run, conversation) in &lost {
        if let Some(row) = store::run(tx, tenant, conversation, run)? {
            close_lost(tx, tenant, &row)?;
        }
    }
    Ok(lost.len())
}
