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
use plinth_store::{Arg, FromRow, Row, Store, Tx, args, expect_columns};
use serde_json::{Map, Value, json};
use std::marker::PhantomData;

/// The columns that each [`Step`] is read from; the timeline of one trace and the steps that ended of all share them.
macro_rules! columns {
    (handling) => {
        "h.span_id, h.event_id, h.consumer, h.tries, h.started_at, h.finished_at"
    };
    (parked) => {
        "p.event_id, p.consumer, p.state, p.tries, p.last_error, p.parked_at"
    };
    (job) => {
        "j.job_id, j.span_id, j.parent_span_id, j.queue, j.kind, j.state, j.attempt, j.last_error, j.run_at, \
         j.created_at, j.finished_at"
    };
    (attempt) => {
        "a.span_id, j.span_id, j.kind, a.attempt_id, a.attempt, a.node_id, a.started_at, a.finished_at, a.outcome, \
         a.error"
    };
}

/// The steps of a trace that flow knows of: events, their handling, jobs and attempts. Request and command steps are
/// the gateway's to add; [`Timeline::assemble`] merges them.
pub fn spans(tx: &mut Tx<'_>, tenant: &TenantId, trace: &TraceId) -> Result<Vec<TraceSpan>> {
    let limit = limits::TRACE_SPANS_MAX;
    let text = trace.to_string();
    let mut spans: Vec<TraceSpan> =
        plinth_store::events::by_trace(tx, tenant, trace, limit as u32)?.into_iter().map(of_event).collect();
    let mut add = |steps: Vec<TraceSpan>| spans.extend(steps);
    add(steps::<Handling>(
        tx,
        concat!(
            "SELECT ",
            columns!(handling),
            " FROM events e JOIN flow_handlings h ON h.tenant_id = e.tenant_id AND h.event_id = e.event_id \
             WHERE e.tenant_id = $1 AND e.trace_id = $2 ORDER BY h.started_at LIMIT $3"
        ),
        args![tenant, &text, limit],
    )?);
    add(steps::<Parked>(
        tx,
        concat!(
            "SELECT ",
            columns!(parked),
            " FROM events e JOIN flow_parked_events p ON p.tenant_id = e.tenant_id AND p.event_id = e.event_id \
             WHERE e.tenant_id = $1 AND e.trace_id = $2 ORDER BY p.parked_at LIMIT $3"
        ),
        args![tenant, &text, limit],
    )?);
    add(steps::<JobLife>(
        tx,
        concat!(
            "SELECT ",
            columns!(job),
            " FROM flow_jobs j WHERE j.tenant_id = $1 AND j.trace_id = $2 ORDER BY j.created_at LIMIT $3"
        ),
        args![tenant, &text, limit],
    )?);
    add(steps::<JobAttempt>(
        tx,
        concat!(
            "SELECT ",
            columns!(attempt),
            " FROM flow_jobs j JOIN flow_attempts a ON a.tenant_id = j.tenant_id AND a.job_id = j.job_id \
             WHERE j.tenant_id = $1 AND j.trace_id = $2 ORDER BY a.started_at LIMIT $3"
        ),
        args![tenant, &text, limit],
    )?);
    Ok(spans)
}

/// The timeline of a trace as far as flow knows it; `None` when it knows nothing.
pub async fn trace(store: &Store, tenant: &TenantId, trace: TraceId) -> Result<Option<Timeline>> {
    let tenant = tenant.clone();
    let spans = store.read(move |tx| spans(tx, &tenant, &trace)).await?;
    Ok(Timeline::assemble(trace, spans))
}

/// A step that has ended, of whatever tenant and trace: what an exporter sends.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedStep {
    /// Whose it is.
    pub tenant: TenantId,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// The step.
    pub span: TraceSpan,
    /// Its place in the order of its kind.
    pub at: Micros,
    /// Tells apart what has the same place.
    pub key: String,
}

/// A part of the steps of one kind, in the order of (`at`, `key`).
#[derive(Debug, Clone)]
pub struct EndedPart<'a> {
    /// Begins behind this place.
    pub after: (Micros, &'a str),
    /// Ends before this time.
    pub until: Micros,
    /// At most so many.
    pub limit: i64,
}

/// Which steps [`ended`] reads. Events are not among them: the log has an order of its own
/// ([`plinth_store::events::after`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedKind {
    /// Events that a consumer has handled, by when it had.
    Handlings,
    /// Events that a consumer could not handle, by when they were put aside.
    Parked,
    /// Jobs, by when they ended.
    Jobs,
    /// Attempts, by when their *job* ended: there is no index on their own end, which would cost every attempt a write.
    Attempts,
}

/// Steps that have ended, across tenants: for the operator. A transaction commits after the time that it writes, so
/// what is read up to a moment is complete once that moment lies further back than a transaction takes.
pub fn ended(tx: &mut Tx<'_>, kind: EndedKind, part: &EndedPart<'_>) -> Result<Vec<EndedStep>> {
    const HANDLINGS: &str = concat!(
        "SELECT ",
        columns!(handling),
        ", e.tenant_id, e.trace_id, h.finished_at, h.span_id FROM flow_handlings h \
         JOIN events e ON e.tenant_id = h.tenant_id AND e.event_id = h.event_id \
         WHERE h.finished_at >= $1 AND h.finished_at < $3 AND (h.finished_at > $1 OR h.span_id > $2) \
         ORDER BY h.finished_at, h.span_id LIMIT $4"
    );
    const PARKED: &str = concat!(
        "SELECT ",
        columns!(parked),
        ", p.tenant_id, p.trace_id, p.parked_at, p.event_id || '.' || p.consumer AS place FROM flow_parked_events p \
         WHERE p.state = 'parked' AND p.parked_at >= $1 AND p.parked_at < $3 \
         AND (p.parked_at > $1 OR p.event_id || '.' || p.consumer > $2) ORDER BY p.parked_at, place LIMIT $4"
    );
    const JOBS: &str = concat!(
        "SELECT ",
        columns!(job),
        ", j.tenant_id, j.trace_id, j.finished_at, j.job_id FROM flow_jobs j \
         WHERE j.finished_at >= $1 AND j.finished_at < $3 AND (j.finished_at > $1 OR j.job_id > $2) \
         ORDER BY j.finished_at, j.job_id LIMIT $4"
    );
    const ATTEMPTS: &str = concat!(
        "SELECT ",
        columns!(attempt),
        ", j.tenant_id, j.trace_id, j.finished_at, a.attempt_id FROM flow_jobs j \
         JOIN flow_attempts a ON a.tenant_id = j.tenant_id AND a.job_id = j.job_id \
         WHERE j.finished_at >= $1 AND j.finished_at < $3 AND (j.finished_at > $1 OR a.attempt_id > $2) \
         AND a.finished_at IS NOT NULL ORDER BY j.finished_at, a.attempt_id LIMIT $4"
    );
    let (after, key) = part.after;
    let arguments = args![after, key, part.until, part.limit];
    Ok(match kind {
        EndedKind::Handlings => ended_steps::<Handling>(tx, HANDLINGS, arguments)?,
        EndedKind::Parked => ended_steps::<Parked>(tx, PARKED, arguments)?,
        EndedKind::Jobs => ended_steps::<JobLife>(tx, JOBS, arguments)?,
        EndedKind::Attempts => ended_steps::<JobAttempt>(tx, ATTEMPTS, arguments)?,
    })
}

fn steps<S: Step>(tx: &mut Tx<'_>, sql: &'static str, arguments: &[Arg<'_>]) -> Result<Vec<TraceSpan>> {
    let rows: Vec<OfTrace<S>> = tx.all(sql, arguments)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

fn ended_steps<S: Step>(tx: &mut Tx<'_>, sql: &'static str, arguments: &[Arg<'_>]) -> Result<Vec<EndedStep>> {
    let rows: Vec<OfAnyTrace<S>> = tx.all(sql, arguments)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A step of an event.
#[must_use]
pub fn of_event(event: Event) -> TraceSpan {
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

/// How a row's first columns become a step.
trait Step {
    /// How many they are.
    const COLUMNS: usize;
    fn step(row: &Row<'_>) -> plinth_store::Result<TraceSpan>;
}

struct OfTrace<S>(TraceSpan, PhantomData<S>);

impl<S: Step> FromRow for OfTrace<S> {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, S::COLUMNS)?;
        Ok(Self(S::step(row)?, PhantomData))
    }
}

/// Behind the step's own columns: tenant, trace, place and key.
struct OfAnyTrace<S>(EndedStep, PhantomData<S>);

impl<S: Step> FromRow for OfAnyTrace<S> {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        let next = S::COLUMNS;
        expect_columns(row, next + 4)?;
        let trace: String = row.get(next + 1)?;
        let expected = "a trace id";
        let trace_id = TraceId::parse(&trace).map_err(|_| plinth_store::Error::Column {
            index: next + 1,
            expected,
            found: trace,
        })?;
        let step = EndedStep {
            tenant: row.get(next)?,
            trace_id,
            span: S::step(row)?,
            at: row.get(next + 2)?,
            key: row.get(next + 3)?,
        };
        Ok(Self(step, PhantomData))
    }
}

struct Handling;

impl Step for Handling {
    const COLUMNS: usize = 6;

    fn step(row: &Row<'_>) -> plinth_store::Result<TraceSpan> {
        Ok(TraceSpan {
            id: row.get(0)?,
            parent_id: Some(row.get(1)?),
            kind: SpanKind::Consumer,
            name: row.get(2)?,
            status: SpanStatus::Ok,
            started_at: row.get(4)?,
            ended_at: Some(row.get(5)?),
            attributes: attributes([("tries", json!(row.get::<u32>(3)?))]),
        })
    }
}

struct Parked;

impl Step for Parked {
    const COLUMNS: usize = 6;

    fn step(row: &Row<'_>) -> plinth_store::Result<TraceSpan> {
        let event: String = row.get(0)?;
        let consumer: String = row.get(1)?;
        let state: ParkedState = word(row, 2)?;
        let parked_at: Micros = row.get(5)?;
        let failed = state == ParkedState::Parked;
        Ok(TraceSpan {
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
        })
    }
}

struct JobLife;

impl Step for JobLife {
    const COLUMNS: usize = 11;

    fn step(row: &Row<'_>) -> plinth_store::Result<TraceSpan> {
        let state: JobState = word(row, 5)?;
        Ok(TraceSpan {
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
        })
    }
}

struct JobAttempt;

impl Step for JobAttempt {
    const COLUMNS: usize = 10;

    fn step(row: &Row<'_>) -> plinth_store::Result<TraceSpan> {
        let outcome: Option<String> = row.get(8)?;
        let outcome: Option<AttemptOutcome> = outcome.map(|_| word(row, 8)).transpose()?;
        Ok(TraceSpan {
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
        })
    }
}
