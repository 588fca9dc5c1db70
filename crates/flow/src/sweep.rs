//! Removing what has been kept long enough, a bounded number of rows in a unit.

use crate::{error::Result, limits};
use plinth_kernel::{JobId, Micros, TenantId};
use plinth_store::{Tx, args, events};

/// Removes finished jobs with their attempts. Answers how many.
pub(crate) fn jobs(tx: &mut Tx<'_>, done_kept_ms: i64, dead_kept_ms: i64) -> Result<u64> {
    let now = tx.now();
    let gone: Vec<(TenantId, JobId)> = tx.all(
        "DELETE FROM flow_jobs WHERE (tenant_id, job_id) IN (SELECT tenant_id, job_id FROM flow_jobs \
         WHERE finished_at IS NOT NULL AND ((state = 'done' AND finished_at < $1) \
         OR (state IN ('dead', 'cancelled') AND finished_at < $2)) ORDER BY finished_at LIMIT $3) \
         RETURNING tenant_id, job_id",
        args![now.plus_ms(-done_kept_ms), now.plus_ms(-dead_kept_ms), limits::SWEEP_ROWS_MAX],
    )?;
    for (tenant, job) in &gone {
        tx.exec("DELETE FROM flow_attempts WHERE tenant_id = $1 AND job_id = $2", args![tenant, job])?;
    }
    Ok(gone.len() as u64)
}

/// Removes events that every consumer has passed, except those that are parked. Answers how many.
pub(crate) fn events(tx: &mut Tx<'_>, kept_ms: i64) -> Result<u64> {
    let before = tx.now().plus_ms(-kept_ms);
    let acked: Vec<(u16, i64)> =
        tx.all("SELECT partition, min(acked) FROM flow_cursors GROUP BY partition", args![])?;
    let mut acked: std::collections::HashMap<u16, i64> = acked.into_iter().collect();
    let mut removed = 0;
    for (partition, head) in (0u16..).zip(events::heads(tx)?) {
        let up_to = acked.remove(&partition).unwrap_or(head);
        let room = limits::SWEEP_ROWS_MAX - removed;
        if room <= 0 {
            break;
        }
        removed += partition_events(tx, partition, up_to, before, room)?;
    }
    Ok(removed.unsigned_abs())
}

fn partition_events(tx: &mut Tx<'_>, partition: u16, up_to: i64, before: Micros, room: i64) -> Result<i64> {
    let gone: Vec<i64> = tx.all(
        "DELETE FROM events WHERE partition = $1 AND sequence IN (SELECT e.sequence FROM events e \
         WHERE e.partition = $1 AND e.sequence <= $2 AND e.created_at < $3 \
         AND NOT EXISTS (SELECT 1 FROM flow_parked_events p WHERE p.partition = $1 AND p.sequence = e.sequence) \
         ORDER BY e.sequence LIMIT $4) RETURNING sequence",
        args![partition, up_to, before, room],
    )?;
    if let Some(last) = gone.iter().max() {
        tx.exec(
            "INSERT INTO flow_swept (partition, sequence) VALUES ($1, $2) ON CONFLICT (partition) DO UPDATE \
             SET sequence = CASE WHEN flow_swept.sequence < excluded.sequence THEN excluded.sequence \
             ELSE flow_swept.sequence END",
            args![partition, *last],
        )?;
    }
    Ok(gone.len() as i64)
}

/// Removes dedupe keys that have run out and old records of handlings. Answers how many.
pub(crate) fn rest(tx: &mut Tx<'_>, kept_ms: i64) -> Result<u64> {
    let now = tx.now();
    let keys = tx.exec(
        "DELETE FROM flow_dedupes WHERE (tenant_id, queue, dedupe_key) IN (SELECT tenant_id, queue, dedupe_key \
         FROM flow_dedupes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
        args![now, limits::SWEEP_ROWS_MAX],
    )?;
    let handlings = tx.exec(
        "DELETE FROM flow_handlings WHERE (tenant_id, event_id, consumer) IN (SELECT tenant_id, event_id, consumer \
         FROM flow_handlings WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)",
        args![now.plus_ms(-kept_ms), limits::SWEEP_ROWS_MAX],
    )?;
    Ok(keys.max(handlings))
}

/// Forgets a consumer that the product no longer has. Until then its cursors keep the log from being swept.
pub fn forget_consumer(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    tx.exec("DELETE FROM flow_cursors WHERE consumer = $1", args![name])?;
    tx.exec("DELETE FROM flow_parked_events WHERE consumer = $1", args![name])?;
    Ok(())
}
