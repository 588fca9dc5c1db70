//! Schedules: jobs that enqueue themselves when their time has come, exactly once for each time.
//!
//! A firing is one unit of work: the schedule's row is locked, moved to its next time, and the job is enqueued. A crash
//! before the commit means that nothing has happened; after it, that the job exists.

use crate::{
    error::{FlowError, Result},
    jobs::{NewJob, check_name, enqueue, word},
    limits,
    model::{
        cron::{BadTimetable, Timetable},
        job::{UnknownWord, words},
    },
    runtime::wake::{self, Wake},
};
use plinth_kernel::{JobId, Micros, ScheduleId, TenantId, TraceContext};
use plinth_store::{FromRow, Row, Sql, Tx, args, expect_columns, sql};
use serde_json::{Map, Value};
use std::{fmt, str::FromStr};

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Again and again: a cron expression of five or six fields, read on the wall clock of an IANA zone.
    Cron {
        /// The expression.
        expression: String,
        /// The zone.
        zone: String,
    },
    /// Once.
    At(Micros),
}

words! {
    /// What to do about firings that were missed while nobody was there to fire them.
    MissedFirings {
        /// One firing stands for all of them.
        Once = "once",
        /// Each is made up for, the latest hundred at most.
        All = "all",
        /// They are dropped.
        Skip = "skip",
    }
}

words! {
    /// How a schedule stands.
    ScheduleState {
        /// It will fire.
        Active = "active",
        /// It has fired for the last time.
        Finished = "finished",
    }
}

/// A schedule as it is declared. Its name is its key: declaring it again changes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Whose.
    pub tenant: TenantId,
    /// Unique in the tenant.
    pub name: String,
    /// When it fires.
    pub when: When,
    /// What to do about missed firings.
    pub missed: MissedFirings,
    /// Queue of its jobs.
    pub queue: String,
    /// Kind of its jobs.
    pub kind: String,
    /// What its jobs are told, together with `scheduled_for`, the time of the firing.
    pub payload: Map<String, Value>,
}

/// A schedule as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleView {
    /// Its id.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// Queue of its jobs.
    pub queue: String,
    /// Kind of its jobs.
    pub kind: String,
    /// What its jobs are told.
    pub payload: Value,
    /// Its cron expression; `None` when it fires once.
    pub cron: Option<String>,
    /// The zone of the expression.
    pub zone: String,
    /// What to do about missed firings.
    pub missed: MissedFirings,
    /// How it stands.
    pub state: ScheduleState,
    /// When it fires next.
    pub next_at: Option<Micros>,
    /// When it fired last.
    pub last_at: Option<Micros>,
    /// The job of the last firing.
    pub last_job: Option<JobId>,
    /// How often it has fired.
    pub fired: i64,
    /// When it was declared first.
    pub created_at: Micros,
    /// When it last changed.
    pub updated_at: Micros,
}

impl FromRow for ScheduleView {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 15)?;
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            queue: row.get(2)?,
            kind: row.get(3)?,
            payload: row.get(4)?,
            cron: row.get(5)?,
            zone: row.get(6)?,
            missed: word(row, 7)?,
            state: word(row, 8)?,
            next_at: row.get(9)?,
            last_at: row.get(10)?,
            last_job: row.get(11)?,
            fired: row.get(12)?,
            created_at: row.get(13)?,
            updated_at: row.get(14)?,
        })
    }
}

/// The columns of [`ScheduleView`], in order.
macro_rules! schedule_columns {
    () => {
        "schedule_id, name, queue, kind, payload, cron, zone, missed, state, next_at, last_at, last_job_id, fired, \
         created_at, updated_at"
    };
}

impl From<BadTimetable> for FlowError {
    fn from(error: BadTimetable) -> Self {
        let (pointer, code) = match &error {
            BadTimetable::Expression(_) => ("/cron", "invalid_cron"),
            BadTimetable::Zone(_) => ("/zone", "invalid_zone"),
            BadTimetable::Never => ("/cron", "never_fires"),
        };
        Self::invalid(pointer, code, error.to_string())
    }
}

/// Declares a schedule, or changes the one of this name. Its next firing is kept when its times did not change, so that
/// a restart neither repeats nor forgets one.
pub fn declare(tx: &mut Tx<'_>, schedule: &Schedule) -> Result<ScheduleId> {
    check_name("/queue", &schedule.queue)?;
    check_name("/kind", &schedule.kind)?;
    if schedule.name.is_empty() || schedule.name.len() > limits::SCHEDULE_NAME_LEN_MAX {
        let detail = format!("must be 1 to {} bytes long", limits::SCHEDULE_NAME_LEN_MAX);
        return Err(FlowError::invalid("/name", "invalid_length", detail));
    }
    let now = tx.now();
    let (cron, zone, next_at) = match &schedule.when {
        When::Cron { expression, zone } => {
            let next = Timetable::parse(expression, zone)?.next_after(now);
            (Some(expression.as_str()), zone.as_str(), next)
        }
        When::At(at) => (None, "UTC", Some(*at)),
    };
    let payload = Value::Object(schedule.payload.clone()).to_string();
    if payload.len() > limits::JOB_PAYLOAD_BYTES_MAX / 2 {
        return Err(FlowError::invalid("/payload", "too_large", "is too large"));
    }
    let new_id: ScheduleId = tx.id();
    let id: ScheduleId = tx.one(
        "INSERT INTO flow_schedules (tenant_id, schedule_id, name, queue, kind, payload, cron, zone, missed, state, \
         next_at, fired, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10, 0, $11, $11) \
         ON CONFLICT (tenant_id, name) DO UPDATE SET queue = excluded.queue, kind = excluded.kind, \
         payload = excluded.payload, missed = excluded.missed, updated_at = excluded.updated_at, cron = excluded.cron, \
         zone = excluded.zone, \
         next_at = CASE WHEN (flow_schedules.cron IS NULL AND flow_schedules.next_at IS NULL) \
           OR (flow_schedules.cron IS NOT DISTINCT FROM excluded.cron AND flow_schedules.cron IS NOT NULL \
           AND flow_schedules.zone = excluded.zone AND flow_schedules.next_at IS NOT NULL) \
           THEN flow_schedules.next_at ELSE excluded.next_at END, \
         state = CASE WHEN flow_schedules.cron IS NULL AND excluded.cron IS NULL THEN flow_schedules.state \
           ELSE 'active' END \
         RETURNING schedule_id",
        args![
            &schedule.tenant,
            &new_id,
            &schedule.name,
            &schedule.queue,
            &schedule.kind,
            &payload,
            cron,
            zone,
            schedule.missed.as_str(),
            next_at,
            now
        ],
    )?;
    wake::after_commit(tx, Wake::Timer);
    Ok(id)
}

/// Removes a schedule. Jobs that it has enqueued stay.
pub fn remove(tx: &mut Tx<'_>, tenant: &TenantId, name: &str) -> Result<()> {
    let rows =
        tx.exec("DELETE FROM flow_schedules WHERE tenant_id = $1 AND name = $2", args![tenant, name])?;
    if rows == 0 { Err(FlowError::NotFound("schedule")) } else { Ok(()) }
}

/// A page of a tenant's schedules, by id, after the schedule `after`.
pub fn list_schedules(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    after: Option<&ScheduleId>,
    limit: u32,
) -> Result<Vec<ScheduleView>> {
    const PAGE: &str = concat!(
        "SELECT ",
        schedule_columns!(),
        " FROM flow_schedules WHERE tenant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR schedule_id > $2) ",
        "ORDER BY schedule_id LIMIT $3"
    );
    Ok(tx.all(PAGE, args![tenant, after, i64::from(limit).min(limits::PAGE_ROWS_MAX)])?)
}

/// When the next schedule is due.
pub(crate) fn next_due(tx: &mut Tx<'_>) -> Result<Option<Micros>> {
    Ok(tx.one("SELECT min(next_at) FROM flow_schedules WHERE state = 'active'", args![])?)
}

struct Due {
    tenant: TenantId,
    view: ScheduleView,
}

impl FromRow for Due {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 11)?;
        let now = Micros::default();
        Ok(Self {
            tenant: row.get(0)?,
            view: ScheduleView {
                id: row.get(1)?,
                name: row.get(2)?,
                queue: row.get(3)?,
                kind: row.get(4)?,
                payload: row.get(5)?,
                cron: row.get(6)?,
                zone: row.get(7)?,
                missed: word(row, 8)?,
                state: ScheduleState::Active,
                next_at: row.get(9)?,
                last_at: None,
                last_job: None,
                fired: row.get(10)?,
                created_at: now,
                updated_at: now,
            },
        })
    }
}

/// Fires what is due, a bounded number of schedules. Answers how many were looked at.
pub(crate) fn fire(tx: &mut Tx<'_>) -> Result<usize> {
    const DUE: &str = "SELECT tenant_id, schedule_id, name, queue, kind, payload, cron, zone, missed, next_at, fired \
        FROM flow_schedules WHERE state = 'active' AND next_at <= $1 ORDER BY next_at LIMIT $2";
    const DUE_LOCKED: &str = "SELECT tenant_id, schedule_id, name, queue, kind, payload, cron, zone, missed, next_at, fired \
        FROM flow_schedules WHERE state = 'active' AND next_at <= $1 ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED";
    const STATEMENT: Sql = sql!(lite: DUE, pg: DUE_LOCKED);
    let now = tx.now();
    let due: Vec<Due> = tx.all(STATEMENT, args![now, limits::SCHEDULES_PER_UNIT_MAX])?;
    let count = due.len();
    for one in due {
        fire_one(tx, &one)?;
    }
    Ok(count)
}

fn fire_one(tx: &mut Tx<'_>, due: &Due) -> Result<()> {
    let view = &due.view;
    let now = tx.now();
    let next = view.next_at.unwrap_or(now);
    let (firings, after) = firings(view, next, now);
    let mut last_job = None;
    for at in &firings {
        // A lane that is full must not keep the schedule from going on.
        match tx.savepoint(|tx| enqueue(tx, job(tx, due, *at))) {
            Ok(id) => last_job = Some(id),
            Err(FlowError::LaneFull(_)) => {
                tracing::error!(schedule = view.name, at = %at, "a firing was dropped: too many of its jobs are waiting");
            }
            Err(error) => return Err(error),
        }
    }
    let state = if after.is_some() { ScheduleState::Active } else { ScheduleState::Finished };
    tx.exec(
        "UPDATE flow_schedules SET next_at = $3, state = $4, last_at = coalesce($5, last_at), \
         last_job_id = coalesce($6, last_job_id), fired = fired + $7, updated_at = $8 \
         WHERE tenant_id = $1 AND schedule_id = $2",
        args![
            &due.tenant,
            &view.id,
            after,
            state.as_str(),
            firings.last().copied(),
            &last_job,
            firings.len() as i64,
            now
        ],
    )?;
    Ok(())
}

/// Which times fire now, and when the next one comes.
fn firings(view: &ScheduleView, next: Micros, now: Micros) -> (Vec<Micros>, Option<Micros>) {
    let missed = |at: &Micros| now.since(*at) > limits::SCHEDULE_GRACE_MS * 1_000;
    let (mut due, after) = match view.cron.as_deref().map(|cron| Timetable::parse(cron, &view.zone)) {
        None => (vec![next], None),
        Some(Ok(timetable)) => {
            let max = if view.missed == MissedFirings::All { limits::MISSED_FIRINGS_MAX as usize } else { 1 };
            timetable.due(next, now, max)
        }
        Some(Err(error)) => {
            // It was accepted once: the zone has since left the database of time zones.
            tracing::error!(schedule = view.name, %error, "a schedule cannot be read any more and ends");
            (Vec::new(), None)
        }
    };
    if view.missed == MissedFirings::Skip {
        due.retain(|at| !missed(at));
    }
    (due, after)
}

fn job(tx: &Tx<'_>, due: &Due, at: Micros) -> NewJob {
    let view = &due.view;
    let mut payload = view.payload.clone();
    if let Value::Object(fields) = &mut payload {
        fields.insert("scheduled_for".to_owned(), Value::String(at.to_rfc3339()));
    }
    let trace = TraceContext::root(tx.world());
    let mut job = NewJob::new(due.tenant.clone(), view.queue.clone(), view.kind.clone(), payload, trace);
    job.run_at = Some(at);
    // One firing's job at a time, in their order: a slow one is not overtaken by the next.
    job.ordering_key = Some(format!("schedule:{}", view.id));
    job
}
