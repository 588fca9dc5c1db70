//! Jobs as people see them.

use crate::{
    error::{FlowError, Result},
    limits,
    model::job::{AttemptOutcome, JobClass, JobState},
};
use plinth_kernel::{AttemptId, EventId, JobId, Micros, TenantId};
use plinth_store::{FromRow, Row, Sql, Tx, args, expect_columns};
use serde_json::Value;

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its kind.
    pub kind: String,
    /// How urgent it is.
    pub class: JobClass,
    /// Where it is in its life.
    pub state: JobState,
    /// What its handler is told.
    pub payload: Value,
    /// Where its effect goes.
    pub destination: Option<String>,
    /// Its ordering key.
    pub ordering_key: Option<String>,
    /// Its dedupe key.
    pub dedupe_key: Option<String>,
    /// When it is, or was last, due.
    pub run_at: Micros,
    /// When its effect is no longer wanted.
    pub expires_at: Option<Micros>,
    /// How long one attempt may take.
    pub timeout_ms: u32,
    /// Attempts made.
    pub attempts: u32,
    /// Attempts that may fail before it is a dead letter.
    pub max_attempts: u32,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// What its handler answered.
    pub result: Option<Value>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The trace it belongs to.
    pub trace_id: String,
    /// Its own step of the trace.
    pub span_id: String,
    /// The step that enqueued it.
    pub parent_span_id: String,
    /// The event that led to it.
    pub causation: Option<EventId>,
    /// When it was enqueued.
    pub created_at: Micros,
    /// When it last changed.
    pub updated_at: Micros,
    /// When it was finished.
    pub finished_at: Option<Micros>,
}

/// The columns of [`Job`], in order.
macro_rules! job_columns {
    () => {
        "job_id, queue, kind, class, state, payload, destination, ordering_key, dedupe_key, run_at, expires_at, \
         timeout_ms, attempt, tries_max, cancel_requested, result, last_error, trace_id, span_id, parent_span_id, \
         causation_id, created_at, updated_at, finished_at"
    };
}

/// Reads a word of a closed set.
pub(crate) fn word<T: std::str::FromStr>(row: &Row<'_>, index: usize) -> plinth_store::Result<T> {
    let text: String = row.get(index)?;
    text.parse().map_err(|_| plinth_store::Error::Column {
        index,
        expected: std::any::type_name::<T>(),
        found: text,
    })
}

impl FromRow for Job {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 24)?;
        let class: i64 = row.get(3)?;
        let destination: String = row.get(6)?;
        Ok(Self {
            id: row.get(0)?,
            queue: row.get(1)?,
            kind: row.get(2)?,
            class: JobClass::from_number(class).map_err(|_| plinth_store::Error::Column {
                index: 3,
                expected: "a job class",
                found: class.to_string(),
            })?,
            state: word(row, 4)?,
            payload: row.get(5)?,
            destination: (!destination.is_empty()).then_some(destination),
            ordering_key: row.get(7)?,
            dedupe_key: row.get(8)?,
            run_at: row.get(9)?,
            expires_at: row.get(10)?,
            timeout_ms: row.get(11)?,
            attempts: row.get(12)?,
            max_attempts: row.get(13)?,
            cancel_requested: row.get(14)?,
            result: row.get(15)?,
            last_error: row.get(16)?,
            trace_id: row.get(17)?,
            span_id: row.get(18)?,
            parent_span_id: row.get(19)?,
            causation: row.get(20)?,
            created_at: row.get(21)?,
            updated_at: row.get(22)?,
            finished_at: row.get(23)?,
        })
    }
}

/// One try of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Which one it is, from 1.
    pub number: u32,
    /// Its step of the trace.
    pub span_id: String,
    /// Which process made it.
    pub node: String,
    /// When it was opened, before the effect.
    pub started_at: Micros,
    /// When it was closed, after the effect; `None` while it is open.
    pub finished_at: Option<Micros>,
    /// How it ended.
    pub outcome: Option<AttemptOutcome>,
    /// Why it failed.
    pub error: Option<String>,
}

impl FromRow for Attempt {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 8)?;
        let outcome: Option<String> = row.get(6)?;
        Ok(Self {
            id: row.get(0)?,
            number: row.get(1)?,
            span_id: row.get(2)?,
            node: row.get(3)?,
            started_at: row.get(4)?,
            finished_at: row.get(5)?,
            outcome: outcome.map(|_| word(row, 6)).transpose()?,
            error: row.get(7)?,
        })
    }
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In this state.
    pub state: Option<JobState>,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
}

/// A page of jobs: literal states let the planner use the partial index.
macro_rules! page {
    ($state:literal) => {
        concat!(
            "SELECT ",
            job_columns!(),
            " FROM flow_jobs WHERE tenant_id = $1 ",
            $state,
            " AND (CAST($2 AS TEXT) IS NULL OR queue = $2) AND (CAST($3 AS TEXT) IS NULL OR kind = $3) ",
            "AND (CAST($4 AS TEXT) IS NULL OR job_id < $4) ORDER BY job_id DESC LIMIT $5"
        )
    };
}

fn page(state: Option<JobState>) -> &'static str {
    match state {
        None => page!(""),
        Some(JobState::Blocked) => page!("AND state = 'blocked'"),
        Some(JobState::Scheduled) => page!("AND state = 'scheduled'"),
        Some(JobState::Ready) => page!("AND state = 'ready'"),
        Some(JobState::Running) => page!("AND state = 'running'"),
        Some(JobState::Retrying) => page!("AND state = 'retrying'"),
        Some(JobState::Done) => page!("AND state = 'done'"),
        Some(JobState::Dead) => page!("AND state = 'dead'"),
        Some(JobState::Cancelled) => page!("AND state = 'cancelled'"),
    }
}

/// A page of a tenant's jobs, the newest first, after the job `after`.
pub fn list_jobs(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    filter: &JobFilter,
    after: Option<&JobId>,
    limit: u32,
) -> Result<Vec<Job>> {
    let limit = i64::from(limit).min(limits::PAGE_ROWS_MAX);
    Ok(tx.all(Sql::from(page(filter.state)), args![tenant, &filter.queue, &filter.kind, after, limit])?)
}

/// One job of a tenant.
pub fn get_job(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<Job> {
    const ONE: &str =
        concat!("SELECT ", job_columns!(), " FROM flow_jobs WHERE tenant_id = $1 AND job_id = $2");
    tx.opt(ONE, args![tenant, id])?.ok_or(FlowError::NotFound("job"))
}

/// The attempts of a job, in order, at most the latest [`limits::PAGE_ROWS_MAX`].
pub fn attempts(tx: &mut Tx<'_>, tenant: &TenantId, id: &JobId) -> Result<Vec<Attempt>> {
    let mut attempts: Vec<Attempt> = tx.all(
        "SELECT attempt_id, attempt, span_id, node_id, started_at, finished_at, outcome, error FROM flow_attempts \
         WHERE tenant_id = $1 AND job_id = $2 ORDER BY attempt DESC LIMIT $3",
        args![tenant, id, limits::PAGE_ROWS_MAX],
    )?;
    attempts.reverse();
    Ok(attempts)
}
