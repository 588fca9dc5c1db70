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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MIGRATIONS, SYSTEM,
        consumers::{ParkedFilter, list_parked},
        jobs::{NewJob, enqueue},
    };
    use plinth_kernel::{Actor, Id, NewEvent, TraceContext};
    use plinth_store::{Error, Store};
    use plinth_testkit::both_engines;
    use serde_json::{Value, json};

    const DAY_MS: i64 = 86_400_000;

    fn tenant() -> TenantId {
        TenantId::from_uuid([1; 16])
    }

    async fn emit(store: &Store, count: i64) {
        store
            .write(move |tx| {
                for n in 0..count {
                    let trace = TraceContext::root(tx.world());
                    tx.emit(NewEvent {
                        tenant: tenant(),
                        kind: "test.thing.happened",
                        version: 1,
                        subject: "s".into(),
                        data: json!({ "n": n }),
                        actor: Actor::Anonymous,
                        trace,
                        causation: None,
                    });
                }
                Ok::<_, Error>(())
            })
            .await
            .unwrap();
    }

    async fn left(store: &Store) -> Vec<i64> {
        store.list("SELECT sequence FROM events ORDER BY sequence", vec![]).await.unwrap()
    }

    both_engines! {
        with (|builder| builder.manual_clock(41))
        async fn events_go_when_they_are_old_and_passed_and_not_parked(store: TestStore) {
            store.migrate(SYSTEM, MIGRATIONS).await.unwrap();
            emit(&store, 6).await;
            let sweep = || async { store.write(|tx| events(tx, 30 * DAY_MS)).await.unwrap() };
            assert_eq!(sweep().await, 0, "too young");
            store.clock().advance_ms(31 * DAY_MS);
            // A consumer that has passed five of six, and has put the second aside.
            store.write(|tx| {
                let (partition, event): (u16, plinth_kernel::EventId) =
                    tx.one("SELECT partition, event_id FROM events WHERE sequence = 2", args![])?;
                tx.exec("INSERT INTO flow_cursors (consumer, partition, acked, epoch, tries, begun, retry_at) VALUES ('c', $1, 5, 0, 0, 0, 0)", args![partition])?;
                tx.exec("INSERT INTO flow_parked_events (tenant_id, event_id, consumer, partition, sequence, kind, subject, trace_id, \
                    state, tries, parked_at, updated_at) VALUES ($1, $2, 'c', $3, 2, 'k', 's', 't', 'parked', 1, 0, 0)",
                    args![&tenant(), &event, partition])
            }).await.map_err(|e: Error| e).unwrap();
            assert_eq!((sweep().await, left(&store).await), (4, vec![2, 6]));
            let parked = store.read(|tx| list_parked(tx, &tenant(), &ParkedFilter::default(), None, 10)).await.unwrap();
            assert_eq!(parked.len(), 1);
            store.write(|tx| forget_consumer(tx, "c")).await.unwrap();
            assert_eq!((sweep().await, left(&store).await), (2, vec![]));
            // Whoever begins now begins behind what is gone.
            let swept: i64 = store.get("SELECT max(sequence) FROM flow_swept", vec![]).await.unwrap().unwrap();
            assert_eq!(swept, 6);
        }

        with (|builder| builder.manual_clock(42))
        async fn finished_jobs_and_spent_keys_go_and_live_ones_stay(store: TestStore) {
            store.migrate(SYSTEM, MIGRATIONS).await.unwrap();
            store.write(|tx| {
                for key in ["done", "dead", "live"] {
                    let mut job = NewJob::new(tenant(), "q", "k", Value::Null, TraceContext::root(tx.world()));
                    job.dedupe_key = Some(key.into());
                    let id = enqueue(tx, job)?;
                    if key != "live" {
                        let now = tx.now();
                        tx.exec("UPDATE flow_jobs SET state = $2, finished_at = $3 WHERE job_id = $1", args![&id, key, now])?;
                        tx.exec("UPDATE flow_dedupes SET expires_at = window_until WHERE job_id = $1", args![&id])?;
                        tx.exec("INSERT INTO flow_attempts (tenant_id, job_id, attempt, attempt_id, span_id, node_id, started_at) \
                            VALUES ($1, $2, 1, 'a', 's', 'n', 0)", args![&tenant(), &id])?;
                    }
                }
                Ok::<_, crate::FlowError>(())
            }).await.unwrap();
            let counts = || async {
                let row: Option<(i64, i64, i64)> = store.get("SELECT (SELECT count(*) FROM flow_jobs), \
                    (SELECT count(*) FROM flow_attempts), (SELECT count(*) FROM flow_dedupes)", vec![]).await.unwrap();
                row.unwrap()
            };
            store.clock().advance_ms(8 * DAY_MS);
            store.write(|tx| { jobs(tx, 7 * DAY_MS, 30 * DAY_MS)?; rest(tx, DAY_MS) }).await.unwrap();
            assert_eq!(counts().await, (2, 1, 1), "done is gone, dead and live are there");
            store.clock().advance_ms(30 * DAY_MS);
            store.write(|tx| jobs(tx, 7 * DAY_MS, 30 * DAY_MS)).await.unwrap();
            assert_eq!(counts().await, (1, 0, 1));
        }
    }
}
