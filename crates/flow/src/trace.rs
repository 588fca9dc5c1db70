//! The timeline of a trace: what happened because of one request, read from the tables that made it happen.

use crate::{
    consumers::ParkedState,
    error::Result,
    jobs::word,
    limits,
    model::{
        job::{AttemptOutcome, JobState},
        span::{SpanKind, SpanStatus, Timeline, TraceSpan},
    },
};
use plinth_kernel::{Event, Micros, TenantId, TraceId};
use plinth_store::{FromRow, Row, Store, Tx, args, expect_columns};
use serde_json::{Map, Value, json};

/// The steps of a trace that flow knows of: events, their handling, jobs and attempts. Request and command steps are
/// the gateway's to add; [`Timeline::assemble`] merges them.
pub fn spans(tx: &mut Tx<'_>, tenant: &TenantId, trace: &TraceId) -> Result<Vec<TraceSpan>> {
    let limit = limits::TRACE_SPANS_MAX;
    let text = trace.to_string();
    let mut spans: Vec<TraceSpan> =
        plinth_store::events::by_trace(tx, tenant, trace, limit as u32)?.into_iter().map(of_event).collect();
    let handlings: Vec<Handling> = tx.all(
        "SELECT h.span_id, h.event_id, h.consumer, h.tries, h.started_at, h.finished_at FROM events e \
         JOIN flow_handlings h ON h.tenant_id = e.tenant_id AND h.event_id = e.event_id \
         WHERE e.tenant_id = $1 AND e.trace_id = $2 ORDER BY h.started_at LIMIT $3",
        args![tenant, &text, limit],
    )?;
    let parked: Vec<Parked> = tx.all(
        "SELECT p.event_id, p.consumer, p.state, p.tries, p.last_error, p.parked_at FROM events e \
         JOIN flow_parked_events p ON p.tenant_id = e.tenant_id AND p.event_id = e.event_id \
         WHERE e.tenant_id = $1 AND e.trace_id = $2 ORDER BY p.parked_at LIMIT $3",
        args![tenant, &text, limit],
    )?;
    let jobs: Vec<JobStep> = tx.all(
        "SELECT job_id, span_id, parent_span_id, queue, kind, state, attempt, last_error, run_at, created_at, finished_at \
         FROM flow_jobs WHERE tenant_id = $1 AND trace_id = $2 ORDER BY created_at LIMIT $3",
        args![tenant, &text, limit],
    )?;
    let attempts: Vec<AttemptStep> = tx.all(
        "SELECT a.span_id, j.span_id, j.kind, a.attempt_id, a.attempt, a.node_id, a.started_at, a.finished_at, a.outcome, \
         a.error FROM flow_jobs j JOIN flow_attempts a ON a.tenant_id = j.tenant_id AND a.job_id = j.job_id \
         WHERE j.tenant_id = $1 AND j.trace_id = $2 ORDER BY a.started_at LIMIT $3",
        args![tenant, &text, limit],
    )?;
    spans.extend(handlings.into_iter().map(|step| step.0));
    spans.extend(parked.into_iter().map(|step| step.0));
    spans.extend(jobs.into_iter().map(|step| step.0));
    spans.extend(attempts.into_iter().map(|step| step.0));
    Ok(spans)
}

/// The timeline of a trace as far as flow knows it; `None` when it knows nothing.
pub async fn trace(store: &Store, tenant: &TenantId, trace: TraceId) -> Result<Option<Timeline>> {
    let tenant = tenant.clone();
    let spans = store.read(move |tx| spans(tx, &tenant, &trace)).await?;
    Ok(Timeline::assemble(trace, spans))
}

fn of_event(event: Event) -> TraceSpan {
    TraceSpan {
        id: event.id.to_string(),
        parent_id: Some(event.trace.span_id.to_string()),
        kind: SpanKind::Event,
        name: event.kind,
        status: SpanStatus::Ok,
        started_at: event.created_at,
        ended_at: Some(event.created_at),
        attributes: attributes([
            ("subject", json!(event.subject)),
            ("actor", json!(event.actor.to_string())),
            ("sequence", json!(event.sequence)),
            ("causation_id", json!(event.causation)),
        ]),
    }
}

/// The attributes that have a value.
fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

struct Handling(TraceSpan);

impl FromRow for Handling {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 6)?;
        Ok(Self(TraceSpan {
            id: row.get(0)?,
            parent_id: Some(row.get(1)?),
            kind: SpanKind::Consumer,
            name: row.get(2)?,
            status: SpanStatus::Ok,
            started_at: row.get(4)?,
            ended_at: Some(row.get(5)?),
            attributes: attributes([("tries", json!(row.get::<u32>(3)?))]),
        }))
    }
}

struct Parked(TraceSpan);

impl FromRow for Parked {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 6)?;
        let event: String = row.get(0)?;
        let consumer: String = row.get(1)?;
        let state: ParkedState = word(row, 2)?;
        let parked_at: Micros = row.get(5)?;
        let failed = state == ParkedState::Parked;
        Ok(Self(TraceSpan {
            id: format!("{event}.{consumer}"),
            parent_id: Some(event),
            kind: SpanKind::Consumer,
            name: consumer,
            status: if failed { SpanStatus::Error } else { SpanStatus::Waiting },
            started_at: parked_at,
            ended_at: failed.then_some(parked_at),
            attributes: attributes([
                ("state", json!(state)),
                ("tries", json!(row.get::<u32>(3)?)),
                ("error", json!(row.get::<Option<String>>(4)?)),
            ]),
        }))
    }
}

struct JobStep(TraceSpan);

impl FromRow for JobStep {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 11)?;
        let state: JobState = word(row, 5)?;
        Ok(Self(TraceSpan {
            id: row.get(1)?,
            parent_id: Some(row.get(2)?),
            kind: SpanKind::Job,
            name: row.get(4)?,
            status: match state {
                JobState::Done | JobState::Cancelled => SpanStatus::Ok,
                JobState::Dead => SpanStatus::Error,
                JobState::Running => SpanStatus::Running,
                JobState::Blocked | JobState::Scheduled | JobState::Ready | JobState::Retrying => {
                    SpanStatus::Waiting
                }
            },
            started_at: row.get(9)?,
            ended_at: row.get(10)?,
            attributes: attributes([
                ("job_id", json!(row.get::<String>(0)?)),
                ("queue", json!(row.get::<String>(3)?)),
                ("state", json!(state)),
                ("attempts", json!(row.get::<u32>(6)?)),
                ("error", json!(row.get::<Option<String>>(7)?)),
                ("run_at", json!(row.get::<Micros>(8)?)),
            ]),
        }))
    }
}

struct AttemptStep(TraceSpan);

impl FromRow for AttemptStep {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 10)?;
        let outcome: Option<String> = row.get(8)?;
        let outcome: Option<AttemptOutcome> = outcome.map(|_| word(row, 8)).transpose()?;
        Ok(Self(TraceSpan {
            id: row.get(0)?,
            parent_id: Some(row.get(1)?),
            kind: SpanKind::Attempt,
            name: row.get(2)?,
            status: match outcome {
                None => SpanStatus::Running,
                Some(AttemptOutcome::Done | AttemptOutcome::Cancelled) => SpanStatus::Ok,
                Some(_) => SpanStatus::Error,
            },
            started_at: row.get(6)?,
            ended_at: row.get(7)?,
            attributes: attributes([
                ("attempt_id", json!(row.get::<String>(3)?)),
                ("attempt", json!(row.get::<u32>(4)?)),
                ("node", json!(row.get::<String>(5)?)),
                ("outcome", json!(outcome)),
                ("error", json!(row.get::<Option<String>>(9)?)),
            ]),
        }))
    }
}
