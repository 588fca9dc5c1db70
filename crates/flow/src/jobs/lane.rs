//! Lanes: the jobs of one ordering key, one at a time.
//!
//! The lane's row is updated by everybody who enters or leaves, and is thereby the lock that makes "am I the first?"
//! and "who is next?" one question each, on PostgreSQL too.

use crate::{
    error::{FlowError, Result},
    jobs::new_job::wake_for,
    limits,
    model::job::{JobState, waiting_state},
};
use plinth_kernel::{JobId, Micros, TenantId};
use plinth_store::{Tx, args};

/// A place in a lane.
pub(crate) struct Entry {
    /// Whether nobody is before it.
    pub first: bool,
    /// Its place; later ones are larger.
    pub place: i64,
}

/// Takes a place at the end of the lane.
pub(crate) fn enter(tx: &mut Tx<'_>, tenant: &TenantId, queue: &str, key: &str) -> Result<Entry> {
    let (live, tail): (i64, i64) = tx.one(
        "INSERT INTO flow_lanes (tenant_id, queue, ordering_key, live, tail) VALUES ($1, $2, $3, 1, 1) \
         ON CONFLICT (tenant_id, queue, ordering_key) DO UPDATE SET live = flow_lanes.live + 1, \
         tail = flow_lanes.tail + 1 RETURNING live, tail",
        args![tenant, queue, key],
    )?;
    if live > limits::LANE_JOBS_MAX {
        return Err(FlowError::LaneFull(key.to_owned()));
    }
    Ok(Entry { first: live == 1, place: tail })
}

/// Leaves the lane for good. If the leaver was its head (`was` is any state but blocked), the next one becomes it.
pub(crate) fn leave(tx: &mut Tx<'_>, tenant: &TenantId, queue: &str, key: &str, was: JobState) -> Result<()> {
    let live: Option<i64> = tx.opt(
        "UPDATE flow_lanes SET live = live - 1 WHERE tenant_id = $1 AND queue = $2 AND ordering_key = $3 RETURNING live",
        args![tenant, queue, key],
    )?;
    if live.is_none_or(|live| live <= 0) {
        tx.exec(
            "DELETE FROM flow_lanes WHERE tenant_id = $1 AND queue = $2 AND ordering_key = $3",
            args![tenant, queue, key],
        )?;
        return Ok(());
    }
    if was == JobState::Blocked {
        return Ok(());
    }
    let next: Option<(JobId, Micros)> = tx.opt(
        "SELECT job_id, run_at FROM flow_jobs WHERE tenant_id = $1 AND queue = $2 AND ordering_key = $3 \
         AND state = 'blocked' ORDER BY lane_place LIMIT 1",
        args![tenant, queue, key],
    )?;
    let Some((id, run_at)) = next else { return Ok(()) };
    let now = tx.now();
    let state = waiting_state(run_at, now);
    tx.exec(
        "UPDATE flow_jobs SET state = $3, updated_at = $4 WHERE tenant_id = $1 AND job_id = $2",
        args![tenant, &id, state.as_str(), now],
    )?;
    wake_for(tx, state, queue);
    Ok(())
}
