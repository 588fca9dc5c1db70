//! Enqueuing.

use crate::{
    error::{FlowError, Result},
    jobs::lane,
    limits,
    model::job::{JobClass, JobState, waiting_state},
    runtime::wake::{self, Wake},
};
use plinth_kernel::{EventId, JobId, Micros, TenantId, TraceContext};
use plinth_store::{Tx, args};
use serde_json::Value;
use std::borrow::Cow;

/// A job about to be enqueued by the unit of work that wants its effect.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Whose it is.
    pub tenant: TenantId,
    /// The queue whose slots it uses: `email`, `webhook`, `default`.
    pub queue: Cow<'static, str>,
    /// Which handler runs it: `notify.send_email`.
    pub kind: Cow<'static, str>,
    /// What the handler is told.
    pub payload: Value,
    /// How urgent it is.
    pub class: JobClass,
    /// Where its effect goes: a host, a provider's account. Jobs of one tenant and destination share a rate limit, a
    /// circuit breaker and a concurrency limit; a destination that hangs delays no other.
    pub destination: Option<String>,
    /// Jobs of one tenant and queue with the same key run one at a time, in the order in which they were enqueued.
    pub ordering_key: Option<String>,
    /// While a job with this key is not finished, enqueuing another one in the same tenant and queue answers the
    /// first one's id instead.
    pub dedupe_key: Option<String>,
    /// Keeps the dedupe key taken at least so long after the enqueuing, finished or not.
    pub dedupe_window_ms: u64,
    /// When it is due; at once when `None`.
    pub run_at: Option<Micros>,
    /// When its effect is no longer wanted: it is then a dead letter instead.
    pub expires_at: Option<Micros>,
    /// How long one attempt may take.
    pub timeout_ms: u64,
    /// Attempts after which it is a dead letter. Throttled ones are not counted.
    pub max_attempts: u32,
    /// How often an attempt with an unknown outcome is followed by another one. 0 prefers no effect to two.
    pub max_unknown_retries: u32,
    /// The step that enqueues it.
    pub trace: TraceContext,
    /// The event that led to it.
    pub causation: Option<EventId>,
}

impl NewJob {
    /// A job with the usual limits, due at once.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        queue: impl Into<Cow<'static, str>>,
        kind: impl Into<Cow<'static, str>>,
        payload: Value,
        trace: TraceContext,
    ) -> Self {
        Self {
            tenant,
            queue: queue.into(),
            kind: kind.into(),
            payload,
            class: JobClass::Normal,
            destination: None,
            ordering_key: None,
            dedupe_key: None,
            dedupe_window_ms: 0,
            run_at: None,
            expires_at: None,
            timeout_ms: limits::JOB_TIMEOUT_MS_DEFAULT,
            max_attempts: limits::JOB_TRIES_DEFAULT,
            max_unknown_retries: limits::JOB_TRIES_MAX,
            trace,
            causation: None,
        }
    }

    fn check(&self, now: Micros) -> Result<()> {
        check_name("/queue", &self.queue)?;
        check_name("/kind", &self.kind)?;
        check_key("/destination", self.destination.as_deref())?;
        check_key("/ordering_key", self.ordering_key.as_deref())?;
        check_key("/dedupe_key", self.dedupe_key.as_deref())?;
        if !(1..=limits::JOB_TRIES_MAX).contains(&self.max_attempts) {
            let detail = format!("must be from 1 to {}", limits::JOB_TRIES_MAX);
            return Err(FlowError::invalid("/max_attempts", "out_of_range", detail));
        }
        if !(1..=limits::JOB_TIMEOUT_MS_MAX).contains(&self.timeout_ms) {
            let detail = format!("must be from 1 to {}", limits::JOB_TIMEOUT_MS_MAX);
            return Err(FlowError::invalid("/timeout_ms", "out_of_range", detail));
        }
        if self.dedupe_window_ms > limits::JOB_DEDUPE_WINDOW_MS_MAX {
            let detail = format!("must be at most {}", limits::JOB_DEDUPE_WINDOW_MS_MAX);
            return Err(FlowError::invalid("/dedupe_window_ms", "out_of_range", detail));
        }
        if self.run_at.is_some_and(|at| at > now.plus_ms(limits::JOB_DELAY_MS_MAX)) {
            return Err(FlowError::invalid(
                "/run_at",
                "out_of_range",
                "is too far in the future; use a schedule",
            ));
        }
        Ok(())
    }
}

pub(crate) fn check_name(pointer: &'static str, name: &str) -> Result<()> {
    let fits = (1..=limits::JOB_NAME_LEN_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    let detail = || format!("must be 1 to {} of a-z, 0-9, '.', '_' and '-'", limits::JOB_NAME_LEN_MAX);
    if fits { Ok(()) } else { Err(FlowError::invalid(pointer, "invalid_name", detail())) }
}

fn check_key(pointer: &'static str, key: Option<&str>) -> Result<()> {
    match key {
        Some(key) if key.is_empty() || key.len() > limits::JOB_KEY_LEN_MAX => {
            let detail = format!("must be 1 to {} bytes long", limits::JOB_KEY_LEN_MAX);
            Err(FlowError::invalid(pointer, "invalid_length", detail))
        }
        _ => Ok(()),
    }
}

/// Writes a job into the caller's unit of work and answers its id, or the id of the job that holds its dedupe key.
///
/// The workers of this process are woken when the unit is durable; nothing is woken, and nothing was enqueued, when
/// it is undone.
pub fn enqueue(tx: &mut Tx<'_>, job: NewJob) -> Result<JobId> {
    let now = tx.now();
    job.check(now)?;
    let payload = job.payload.to_string();
    if payload.len() > limits::JOB_PAYLOAD_BYTES_MAX {
        let detail = format!("has {} bytes; the limit is {}", payload.len(), limits::JOB_PAYLOAD_BYTES_MAX);
        return Err(FlowError::invalid("/payload", "too_large", detail));
    }
    let id: JobId = tx.id();
    if let Some(key) = &job.dedupe_key {
        let window_until = now.plus_ms(i64::try_from(job.dedupe_window_ms).unwrap_or(i64::MAX));
        if let Some(existing) = take_dedupe_key(tx, &job.tenant, &job.queue, key, &id, window_until)? {
            return Ok(existing);
        }
    }
    let run_at = job.run_at.unwrap_or(now);
    let mut state = waiting_state(run_at, now);
    let mut place = None;
    if let Some(key) = &job.ordering_key {
        let entry = lane::enter(tx, &job.tenant, &job.queue, key)?;
        place = Some(entry.place);
        if !entry.first {
            state = JobState::Blocked;
        }
    }
    insert(tx, &id, &job, &payload, run_at, state, place)?;
    wake_for(tx, state, &job.queue);
    Ok(id)
}

/// Arranges that the workers look once the unit is durable.
pub(crate) fn wake_for(tx: &mut Tx<'_>, state: JobState, queue: &str) {
    match state {
        JobState::Ready => wake::after_commit(tx, Wake::Queue(queue.to_owned())),
        JobState::Scheduled | JobState::Retrying => wake::after_commit(tx, Wake::Timer),
        _ => {}
    }
}

fn insert(
    tx: &mut Tx<'_>,
    id: &JobId,
    job: &NewJob,
    payload: &str,
    run_at: Micros,
    state: JobState,
    place: Option<i64>,
) -> Result<()> {
    let now = tx.now();
    let step = job.trace.child(tx.world());
    tx.exec(
        "INSERT INTO flow_jobs (tenant_id, job_id, queue, kind, class, state, payload, destination, ordering_key, \
         lane_place, dedupe_key, run_at, expires_at, timeout_ms, attempt, tries, tries_max, unknowns, unknowns_max, \
         cancel_requested, trace_id, span_id, parent_span_id, causation_id, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, $15, 0, $16, FALSE, $17, $18, \
         $19, $20, $21, $21)",
        args![
            &job.tenant,
            id,
            &job.queue,
            &job.kind,
            job.class.number(),
            state.as_str(),
            payload,
            job.destination.as_deref().unwrap_or(""),
            &job.ordering_key,
            place,
            &job.dedupe_key,
            run_at,
            job.expires_at,
            i64::try_from(job.timeout_ms).unwrap_or(i64::MAX),
            job.max_attempts,
            job.max_unknown_retries,
            &step.trace_id.to_string(),
            &step.span_id.to_string(),
            &job.trace.span_id.to_string(),
            &job.causation,
            now
        ],
    )?;
    Ok(())
}

/// Takes a dedupe key for `id`, or answers which job has it. A concurrent taker waits here for the first one's commit.
pub(crate) fn take_dedupe_key(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    queue: &str,
    key: &str,
    id: &JobId,
    window_until: Micros,
) -> Result<Option<JobId>> {
    let taken: Option<JobId> = tx.opt(
        "INSERT INTO flow_dedupes (tenant_id, queue, dedupe_key, job_id, window_until, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (tenant_id, queue, dedupe_key) DO UPDATE SET job_id = excluded.job_id, \
         window_until = excluded.window_until, expires_at = excluded.expires_at \
         WHERE flow_dedupes.expires_at <= $7 RETURNING job_id",
        args![tenant, queue, key, id, window_until, i64::MAX, tx.now()],
    )?;
    if taken.is_some() {
        return Ok(None);
    }
    let holder: JobId = tx.one(
        "SELECT job_id FROM flow_dedupes WHERE tenant_id = $1 AND queue = $2 AND dedupe_key = $3",
        args![tenant, queue, key],
    )?;
    Ok(Some(holder))
}
