//! The life of jobs in the database. Every function is one step of it, inside the caller's unit of work.

use crate::{
    consumers::runner::is_transient,
    error::{FlowError, Result, kept},
    jobs::{
        dead_letter,
        handler::{Effect, Reason},
        lane,
        new_job::{take_dedupe_key, wake_for},
    },
    limits,
    model::{
        backoff::Backoff,
        fairness::FlowKey,
        job::{self, JobClass, JobState, Progress, Settlement, Verdict},
    },
    runtime::{
        node::database_now,
        wake::{self, Wake},
    },
};
use plinth_kernel::{AttemptId, Code, JobId, Micros, Problem, SpanId, TenantId, TraceContext};
use plinth_store::{Sql, Tx, args, row, sql};
use serde_json::Value;

/// A query whose rows stay locked until the unit ends: SQLite has one writer and needs no word for it.
macro_rules! locked {
    ($text:literal) => {
        sql!(lite: $text, pg: concat!($text, " FOR UPDATE"))
    };
}

/// `UPDATE flow_jobs SET $set WHERE <key in $chosen> RETURNING $returning`, where `$chosen` selects keys and leaves
/// out, on PostgreSQL, those that another worker is about to change. The materialised CTE keeps the planner from
/// running the locking query more than once.
macro_rules! update_chosen {
    (set: $set:literal, chosen: $chosen:literal, returning: $returning:literal) => {
        sql!(
            lite: concat!("UPDATE flow_jobs SET ", $set, " WHERE (tenant_id, job_id) IN (", $chosen, ") RETURNING ", $returning),
            pg: concat!(
                "WITH chosen (chosen_tenant, chosen_job) AS MATERIALIZED (", $chosen, " FOR UPDATE SKIP LOCKED) ",
                "UPDATE flow_jobs SET ", $set, " FROM chosen WHERE tenant_id = chosen_tenant AND job_id = chosen_job ",
                "RETURNING ", $returning
            )
        )
    };
}

/// Who works on the jobs.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub node_id: String,
}

/// A job with an open attempt.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub key: FlowKey,
    pub tenant: TenantId,
    pub job_id: JobId,
    pub attempt_id: AttemptId,
    pub kind: String,
    pub payload: Value,
    pub attempt: u32,
    pub tries: u32,
    pub tries_max: u32,
    pub unknowns: u32,
    pub timeout_ms: u64,
    pub run_at: Micros,
    pub trace: TraceContext,
}

struct ClaimedRow {
    job_id: JobId,
    kind: String,
    payload: Value,
    attempt: u32,
    tries: u32,
    tries_max: u32,
    unknowns: u32,
    timeout_ms: i64,
    run_at: Micros,
    expires_at: Option<Micros>,
    trace_id: String,
}
row!(ClaimedRow {
    job_id,
    kind,
    payload,
    attempt,
    tries,
    tries_max,
    unknowns,
    timeout_ms,
    run_at,
    expires_at,
    trace_id
});

/// Flows of a queue and class that have ready jobs, in the order of their keys after `after`, at most `limit`.
pub(crate) fn ready_flows(
    tx: &mut Tx<'_>,
    queue: &str,
    class: JobClass,
    after: (String, String),
    limit: usize,
) -> Result<Vec<FlowKey>, plinth_store::Error> {
    let mut flows = Vec::new();
    let mut at = after;
    while flows.len() < limit {
        // One index probe a flow, however many jobs it has.
        let next: Option<(String, String)> = tx.opt(
            "SELECT tenant_id, destination FROM flow_jobs WHERE queue = $1 AND class = $2 AND state = 'ready' \
             AND (tenant_id, destination) > ($3, $4) ORDER BY tenant_id, destination LIMIT 1",
            args![queue, class.number(), &at.0, &at.1],
        )?;
        let Some(next) = next else { break };
        flows.push(FlowKey { class, tenant: next.0.clone(), destination: next.1.clone() });
        at = next;
    }
    Ok(flows)
}

/// Claims up to so many ready jobs of each flow: leases them to the worker and opens their attempts.
///
/// `knows` tells which kinds the worker has a handler for; a job of another kind is put off, because a newer node may
/// be on its way. A job that has expired meanwhile becomes a dead letter without an attempt.
pub(crate) fn claim(
    tx: &mut Tx<'_>,
    worker: &Worker,
    queue: &str,
    picks: &[(FlowKey, u32)],
    knows: impl Fn(&str) -> bool,
) -> Result<Vec<Claimed>> {
    let lease_from = database_now(tx)?;
    let mut claimed = Vec::new();
    for (key, count) in picks {
        let Ok(tenant) = key.tenant.parse::<TenantId>() else { continue };
        let mut rows = claim_flow(tx, worker, queue, key, *count, lease_from)?;
        rows.sort_by(|a, b| (a.run_at, &a.job_id).cmp(&(b.run_at, &b.job_id)));
        for row in rows {
            if !knows(&row.kind) {
                put_off(tx, &tenant, &row.job_id)?;
            } else if row.expires_at.is_some_and(|at| at <= tx.now()) {
                bury_unattempted(tx, &tenant, &row.job_id)?;
            } else if let Some(job) = open_attempt(tx, worker, key, &tenant, row)? {
                claimed.push(job);
            }
        }
    }
    Ok(claimed)
}

fn claim_flow(
    tx: &mut Tx<'_>,
    worker: &Worker,
    queue: &str,
    key: &FlowKey,
    count: u32,
    lease_from: Micros,
) -> Result<Vec<ClaimedRow>> {
    const CLAIM: Sql = update_chosen!(
        set: "state = 'running', attempt = attempt + 1, tries = tries + 1, node_id = $1, \
              lease_until = $2 + timeout_ms * 1000, updated_at = $3",
        chosen: "SELECT tenant_id, job_id FROM flow_jobs WHERE queue = $4 AND class = $5 AND tenant_id = $6 \
                 AND destination = $7 AND state = 'ready' ORDER BY run_at, job_id LIMIT $8",
        returning: "job_id, kind, payload, attempt, tries, tries_max, unknowns, timeout_ms, run_at, expires_at, trace_id"
    );
    let lease_from = lease_from.plus_ms(limits::JOB_LEASE_GUARD_MS);
    let now = tx.now();
    Ok(tx.all(
        CLAIM,
        args![
            &worker.node_id,
            lease_from,
            now,
            queue,
            key.class.number(),
            &key.tenant,
            &key.destination,
            count
        ],
    )?)
}

/// Writes the open attempt.
fn open_attempt(
    tx: &mut Tx<'_>,
    worker: &Worker,
    key: &FlowKey,
    tenant: &TenantId,
    row: ClaimedRow,
) -> Result<Option<Claimed>> {
    let trace_id = dead_letter::trace_id(tx, &row.trace_id);
    let trace = TraceContext { trace_id, span_id: SpanId::random(tx.world()) };
    let attempt_id: AttemptId = tx.id();
    let now = tx.now();
    tx.exec(
        "INSERT INTO flow_attempts (tenant_id, job_id, attempt, attempt_id, span_id, node_id, started_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            tenant,
            &row.job_id,
            row.attempt,
            &attempt_id,
            &trace.span_id.to_string(),
            &worker.node_id,
            now
        ],
    )?;
    Ok(Some(Claimed {
        key: key.clone(),
        tenant: tenant.clone(),
        job_id: row.job_id,
        attempt_id,
        kind: row.kind,
        payload: row.payload,
        attempt: row.attempt,
        tries: row.tries,
        tries_max: row.tries_max,
        unknowns: row.unknowns,
        timeout_ms: u64::try_from(row.timeout_ms).unwrap_or(limits::JOB_TIMEOUT_MS_DEFAULT),
        run_at: row.run_at,
        trace,
    }))
}

/// Gives a job back that was claimed a moment ago, without an attempt.
fn put_off(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<()> {
    let run_at = tx.now().plus_ms(limits::JOB_UNKNOWN_KIND_DEFER_MS);
    tx.exec(
        "UPDATE flow_jobs SET state = 'scheduled', attempt = attempt - 1, tries = tries - 1, node_id = NULL, \
         lease_until = NULL, run_at = $3 WHERE tenant_id = $1 AND job_id = $2",
        args![tenant, id, run_at],
    )?;
    wake::after_commit(tx, Wake::Timer);
    Ok(())
}

fn bury_unattempted(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<()> {
    let now = tx.now();
    let keys: Keys = tx.one(
        "UPDATE flow_jobs SET state = 'dead', attempt = attempt - 1, tries = tries - 1, node_id = NULL, \
         lease_until = NULL, last_error = 'expired: its effect is no longer wanted', updated_at = $3, finished_at = $3 \
         WHERE tenant_id = $1 AND job_id = $2 RETURNING queue, ordering_key, dedupe_key",
        args![tenant, id, now],
    )?;
    dead_letter::announce(tx, tenant, id)?;
    keys.release(tx, tenant, id, JobState::Ready)
}

/// What a job holds until it is finished.
struct Keys {
    queue: String,
    ordering_key: Option<String>,
    dedupe_key: Option<String>,
}
row!(Keys { queue, ordering_key, dedupe_key });

impl Keys {
    /// Frees them when the job has become terminal; `was` is the state it came from.
    fn release(&self, tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId, was: JobState) -> Result<()> {
        if let Some(key) = &self.dedupe_key {
            // Freed now, or at the end of its window.
            tx.exec(
                "UPDATE flow_dedupes SET expires_at = window_until WHERE tenant_id = $1 AND queue = $2 \
                 AND dedupe_key = $3 AND job_id = $4",
                args![tenant, &self.queue, key, id],
            )?;
        }
        match &self.ordering_key {
            Some(key) => lane::leave(tx, tenant, &self.queue, key, was),
            None => Ok(()),
        }
    }
}

/// Which attempt of which job; the number is the fence.
#[derive(Debug, Clone)]
pub(crate) struct AttemptKey {
    pub tenant: TenantId,
    pub job_id: JobId,
    pub attempt: u32,
    pub node_id: String,
}

/// What is to be recorded about an attempt.
pub(crate) struct Ending {
    pub verdict: Verdict,
    pub reason: Option<Reason>,
    pub result: Value,
    pub backoff: Backoff,
}

/// Why an outcome was not recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinishError {
    /// The job is no longer this worker's: its lease ran out and somebody else closed the attempt.
    #[error("the lease was lost")]
    Fenced,
    /// The handler's own part of the transaction failed.
    #[error("{0}")]
    Effect(Box<Problem>),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl FinishError {
    /// Whether the same outcome may be recorded later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fenced => false,
            // The handler's part reports the store's troubles in a caller's words.
            Self::Effect(problem) => {
                matches!(
                    problem.code,
                    Code::Overloaded | Code::Unavailable | Code::StorageFull | Code::CommitUnknown
                )
            }
            Self::Flow(FlowError::Store(error)) => is_transient(error),
            Self::Flow(_) => false,
        }
    }
}

impl From<plinth_store::Error> for FinishError {
    fn from(error: plinth_store::Error) -> Self {
        Self::Flow(error.into())
    }
}

struct ProgressRow {
    attempt: u32,
    tries: u32,
    tries_max: u32,
    unknowns: u32,
    unknowns_max: u32,
    cancel_requested: bool,
    expires_at: Option<Micros>,
}
row!(ProgressRow { attempt, tries, tries_max, unknowns, unknowns_max, cancel_requested, expires_at });

impl From<ProgressRow> for Progress {
    fn from(row: ProgressRow) -> Self {
        Self {
            attempt: row.attempt,
            tries: row.tries,
            tries_max: row.tries_max,
            unknowns: row.unknowns,
            unknowns_max: row.unknowns_max,
            cancel_requested: row.cancel_requested,
            expires_at: row.expires_at,
        }
    }
}

/// Records the outcome of an attempt, together with the handler's part, if the attempt is still this worker's.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    key: &AttemptKey,
    ending: &Ending,
    effect: Option<&mut Effect>,
) -> Result<Settlement, FinishError> {
    let progress: Option<ProgressRow> = tx.opt(
        locked!(
            "SELECT attempt, tries, tries_max, unknowns, unknowns_max, cancel_requested, expires_at FROM flow_jobs \
             WHERE tenant_id = $1 AND job_id = $2 AND state = 'running' AND attempt = $3 AND node_id = $4"
        ),
        args![&key.tenant, &key.job_id, key.attempt, &key.node_id],
    )?;
    let progress = Progress::from(progress.ok_or(FinishError::Fenced)?);
    if let Some(effect) = effect {
        effect(tx).map_err(|problem| FinishError::Effect(Box::new(problem)))?;
    }
    let settlement = job::settle(&progress, ending.verdict, tx.now(), &ending.backoff, tx.world());
    record(tx, key, ending, &settlement)?;
    Ok(settlement)
}

fn record(tx: &mut Tx<'_>, key: &AttemptKey, ending: &Ending, settlement: &Settlement) -> Result<()> {
    let now = tx.now();
    let error = ending.reason.as_ref().map(|reason| match settlement.exhausted {
        Some(why) => kept(&format!("{reason} ({why})")),
        None => kept(&reason.to_string()),
    });
    let terminal = settlement.state.is_terminal();
    let unknown = settlement.outcome == job::AttemptOutcome::Unknown;
    let keys: Keys = tx.one(
        "UPDATE flow_jobs SET state = $3, run_at = CASE WHEN $4 THEN run_at ELSE $5 END, tries = $6, \
         unknowns = unknowns + $7, node_id = NULL, lease_until = NULL, result = $8, last_error = $9, updated_at = $10, \
         finished_at = $11 WHERE tenant_id = $1 AND job_id = $2 RETURNING queue, ordering_key, dedupe_key",
        args![
            &key.tenant,
            &key.job_id,
            settlement.state.as_str(),
            terminal,
            settlement.run_at,
            settlement.tries,
            i64::from(unknown),
            result_text(&ending.result).as_deref(),
            error.as_deref(),
            now,
            terminal.then_some(now)
        ],
    )?;
    tx.exec(
        "UPDATE flow_attempts SET finished_at = $4, outcome = $5, error = $6 \
         WHERE tenant_id = $1 AND job_id = $2 AND attempt = $3",
        args![&key.tenant, &key.job_id, key.attempt, now, settlement.outcome.as_str(), error.as_deref()],
    )?;
    if settlement.state == JobState::Dead {
        dead_letter::announce(tx, &key.tenant, &key.job_id)?;
    }
    if terminal {
        return keys.release(tx, &key.tenant, &key.job_id, JobState::Running);
    }
    wake_for(tx, settlement.state, &keys.queue);
    Ok(())
}

fn result_text(result: &Value) -> Option<String> {
    if result.is_null() {
        return None;
    }
    let text = result.to_string();
    let too_large = || format!("{{\"omitted\":\"the result has {} bytes\"}}", text.len());
    Some(if text.len() > limits::JOB_RESULT_BYTES_MAX { too_large() } else { text })
}

struct LostRow {
    tenant_id: TenantId,
    job_id: JobId,
    kind: String,
    queue: String,
    node_id: String,
    attempt: u32,
    tries: u32,
    tries_max: u32,
    unknowns: u32,
    unknowns_max: u32,
    cancel_requested: bool,
    expires_at: Option<Micros>,
}
row!(LostRow {
    tenant_id,
    job_id,
    kind,
    queue,
    node_id,
    attempt,
    tries,
    tries_max,
    unknowns,
    unknowns_max,
    cancel_requested,
    expires_at,
});

/// Takes back the jobs of dead nodes and of expired leases, a bounded number of them: their open attempts are closed
/// as unknown. Answers how many.
pub(crate) fn reclaim(tx: &mut Tx<'_>, backoff: impl Fn(&str) -> Backoff) -> Result<usize> {
    let lease_now = database_now(tx)?;
    const LOST: &str = "SELECT tenant_id, job_id, kind, queue, node_id, attempt, tries, tries_max, unknowns, unknowns_max, \
        cancel_requested, expires_at FROM flow_jobs WHERE state = 'running' AND (lease_until < $1 OR node_id NOT IN \
        (SELECT node_id FROM flow_nodes WHERE lease_until >= $1)) LIMIT $2";
    const LOST_LOCKED: &str = "SELECT tenant_id, job_id, kind, queue, node_id, attempt, tries, tries_max, unknowns, unknowns_max, \
        cancel_requested, expires_at FROM flow_jobs WHERE state = 'running' AND (lease_until < $1 OR node_id NOT IN \
        (SELECT node_id FROM flow_nodes WHERE lease_until >= $1)) LIMIT $2 FOR UPDATE SKIP LOCKED";
    let rows: Vec<LostRow> =
        tx.all(sql!(lite: LOST, pg: LOST_LOCKED), args![lease_now, limits::RECLAIM_JOBS_MAX])?;
    let count = rows.len();
    for row in rows {
        let progress = Progress {
            attempt: row.attempt,
            tries: row.tries,
            tries_max: row.tries_max,
            unknowns: row.unknowns,
            unknowns_max: row.unknowns_max,
            cancel_requested: row.cancel_requested,
            expires_at: row.expires_at,
        };
        let ending = Ending {
            verdict: Verdict::Unknown,
            reason: Some(Reason::new("lease_lost", format!("{} did not record an outcome", row.node_id))),
            result: Value::Null,
            backoff: backoff(&row.kind),
        };
        let settlement = job::settle(&progress, ending.verdict, tx.now(), &ending.backoff, tx.world());
        let key = AttemptKey {
            tenant: row.tenant_id,
            job_id: row.job_id,
            attempt: row.attempt,
            node_id: row.node_id,
        };
        record(tx, &key, &ending, &settlement)?;
        tracing::warn!(job = %key.job_id, queue = row.queue, attempt = key.attempt, "an open attempt was closed as unknown");
    }
    Ok(count)
}

/// Makes delayed jobs and retries ready that are due, a bounded number of them. Answers how many.
pub(crate) fn promote(tx: &mut Tx<'_>) -> Result<usize> {
    const SCHEDULED: Sql = update_chosen!(
        set: "state = 'ready', updated_at = $1",
        chosen: "SELECT tenant_id, job_id FROM flow_jobs WHERE state = 'scheduled' AND run_at <= $1 ORDER BY run_at LIMIT $2",
        returning: "queue"
    );
    const RETRYING: Sql = update_chosen!(
        set: "state = 'ready', updated_at = $1",
        chosen: "SELECT tenant_id, job_id FROM flow_jobs WHERE state = 'retrying' AND run_at <= $1 ORDER BY run_at LIMIT $2",
        returning: "queue"
    );
    let mut queues: Vec<String> = Vec::new();
    for statement in [SCHEDULED, RETRYING] {
        let now = tx.now();
        queues.extend(tx.all::<String>(statement, args![now, limits::PROMOTE_JOBS_MAX])?);
    }
    let count = queues.len();
    queues.sort_unstable();
    queues.dedup();
    queues.into_iter().for_each(|queue| wake::after_commit(tx, Wake::Queue(queue)));
    Ok(count)
}

/// When the next delayed job or retry is due.
pub(crate) fn next_due(tx: &mut Tx<'_>) -> Result<Option<Micros>> {
    let scheduled: Option<Micros> =
        tx.one("SELECT min(run_at) FROM flow_jobs WHERE state = 'scheduled'", args![])?;
    let retrying: Option<Micros> =
        tx.one("SELECT min(run_at) FROM flow_jobs WHERE state = 'retrying'", args![])?;
    Ok([scheduled, retrying].into_iter().flatten().min())
}

/// Running jobs of this node that somebody asked to cancel.
pub(crate) fn cancel_requests(
    tx: &mut Tx<'_>,
    node_id: &str,
) -> Result<Vec<(JobId, u32)>, plinth_store::Error> {
    tx.all(
        "SELECT job_id, attempt FROM flow_jobs WHERE state = 'running' AND node_id = $1 AND cancel_requested LIMIT 1000",
        args![node_id],
    )
}

struct Held {
    state: String,
    queue: String,
    ordering_key: Option<String>,
    dedupe_key: Option<String>,
    expires_at: Option<Micros>,
    attempt: u32,
}
row!(Held { state, queue, ordering_key, dedupe_key, expires_at, attempt });

impl Held {
    fn read(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<(JobState, Self)> {
        let held: Option<Self> = tx.opt(
            locked!(
                "SELECT state, queue, ordering_key, dedupe_key, expires_at, attempt FROM flow_jobs \
                 WHERE tenant_id = $1 AND job_id = $2"
            ),
            args![tenant, id],
        )?;
        let held = held.ok_or(FlowError::NotFound("job"))?;
        let state =
            held.state.parse().map_err(|_| FlowError::State("The job is in an unknown state.".into()))?;
        Ok((state, held))
    }
}

/// Calls a job off.
///
/// One that is waiting becomes `cancelled` at once. One that is running is asked to stop: it becomes `cancelled` when
/// its handler gives up, or `done` if the effect happened first. Cancelling a cancelled job again changes nothing.
pub fn cancel(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<JobState> {
    let (state, held) = Held::read(tx, tenant, id)?;
    let now = tx.now();
    match state {
        JobState::Cancelled => Ok(state),
        JobState::Done | JobState::Dead => {
            Err(FlowError::State(format!("A job that is {state} cannot be cancelled.")))
        }
        JobState::Running => {
            tx.exec(
                "UPDATE flow_jobs SET cancel_requested = TRUE, updated_at = $3 WHERE tenant_id = $1 AND job_id = $2",
                args![tenant, id, now],
            )?;
            wake::after_commit(tx, Wake::Cancel);
            Ok(state)
        }
        JobState::Blocked | JobState::Scheduled | JobState::Ready | JobState::Retrying => {
            tx.exec(
                "UPDATE flow_jobs SET state = 'cancelled', cancel_requested = TRUE, updated_at = $3, finished_at = $3 \
                 WHERE tenant_id = $1 AND job_id = $2",
                args![tenant, id, now],
            )?;
            let keys =
                Keys { queue: held.queue, ordering_key: held.ordering_key, dedupe_key: held.dedupe_key };
            keys.release(tx, tenant, id, state)?;
            Ok(JobState::Cancelled)
        }
    }
}

/// Has a dead or cancelled job tried again, with all its tries. It keeps its id, and with it every key derived from
/// that; with an ordering key it goes to the end of its lane.
pub fn replay(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<JobState> {
    let now = tx.now();
    replay_at(tx, tenant, id, now)
}

fn replay_at(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId, run_at: Micros) -> Result<JobState> {
    let (state, held) = Held::read(tx, tenant, id)?;
    let now = tx.now();
    if !matches!(state, JobState::Dead | JobState::Cancelled) {
        return Err(FlowError::State(format!("A job that is {state} cannot be replayed.")));
    }
    if held.expires_at.is_some_and(|at| at <= run_at) {
        return Err(FlowError::State("The job's effect is no longer wanted: it has expired.".into()));
    }
    if held.attempt >= limits::JOB_ATTEMPTS_MAX {
        return Err(FlowError::State("The job has been tried too often to be replayed.".into()));
    }
    if let Some(key) = &held.dedupe_key {
        let holder = take_dedupe_key(tx, tenant, &held.queue, key, id, now)?;
        if let Some(holder) = holder.filter(|holder| holder != id) {
            return Err(FlowError::State(format!("Its dedupe key has been taken over by {holder}.")));
        }
        tx.exec(
            "UPDATE flow_dedupes SET expires_at = $5 WHERE tenant_id = $1 AND queue = $2 AND dedupe_key = $3 \
             AND job_id = $4",
            args![tenant, &held.queue, key, id, i64::MAX],
        )?;
    }
    let mut state = job::waiting_state(run_at, now);
    let mut place = None;
    if let Some(key) = &held.ordering_key {
        let entry = lane::enter(tx, tenant, &held.queue, key)?;
        place = Some(entry.place);
        if !entry.first {
            state = JobState::Blocked;
        }
    }
    tx.exec(
        "UPDATE flow_jobs SET state = $3, run_at = $4, tries = 0, unknowns = 0, cancel_requested = FALSE, \
         finished_at = NULL, lane_place = $5, updated_at = $6 WHERE tenant_id = $1 AND job_id = $2",
        args![tenant, id, state.as_str(), run_at, place, now],
    )?;
    wake_for(tx, state, &held.queue);
    Ok(state)
}

/// What a bulk replay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// Dead letters that wait to be tried again.
    pub replayed: u32,
    /// Dead letters that cannot be replayed: expired, or their dedupe key is taken.
    pub refused: u32,
    /// Whether there are more dead letters than one call takes.
    pub has_more: bool,
}

/// Replays dead letters of a queue (of all queues when `None`), the oldest first, a bounded number of them. They are
/// spread over time, so that what failed under load does not come back as one blow.
pub fn replay_dead(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    queue: Option<&str>,
    after: Option<&JobId>,
) -> Result<Replayed> {
    let ids: Vec<JobId> = tx.all(
        "SELECT job_id FROM flow_jobs WHERE tenant_id = $1 AND state = 'dead' \
         AND (CAST($2 AS TEXT) IS NULL OR queue = $2) AND (CAST($3 AS TEXT) IS NULL OR job_id > $3) \
         ORDER BY job_id LIMIT $4",
        args![tenant, queue, after, limits::REPLAY_JOBS_MAX + 1],
    )?;
    let mut done = Replayed { replayed: 0, refused: 0, has_more: ids.len() as i64 > limits::REPLAY_JOBS_MAX };
    let now = tx.now();
    for (id, place) in ids.iter().zip(0..limits::REPLAY_JOBS_MAX) {
        match replay_at(tx, tenant, id, now.plus_ms(place * limits::REPLAY_SPREAD_MS)) {
            Ok(_) => done.replayed += 1,
            Err(FlowError::State(_)) => done.refused += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
