//! Cursors in the database.

use crate::{
    consumers::{Consumer, LaterEvents, StartAt, parked, wants},
    error::{FlowError, kept},
    limits,
    model::backoff::Backoff,
};
use plinth_kernel::{Event, Micros, Problem, SpanId, TraceContext};
use plinth_store::{Error, Tx, args, row, sql};
use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A cursor as the balance sees it.
#[derive(Debug, Clone)]
pub(crate) struct CursorRow {
    pub partition: u16,
    pub owner: Option<String>,
    pub epoch: i64,
}
row!(CursorRow { partition, owner, epoch });

/// A cursor that this node has just claimed.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub epoch: i64,
    pub acked: i64,
    pub tries: u32,
    pub retry_at: Micros,
}
row!(Lease { epoch, acked, tries, retry_at });

/// Which cursor, and by what right.
#[derive(Debug, Clone)]
pub(crate) struct CursorKey {
    pub consumer: &'static str,
    pub partition: u16,
    pub epoch: i64,
    pub node_id: String,
}

/// Makes sure that a consumer has all its cursors.
pub(crate) fn create(tx: &mut Tx<'_>, consumer: &dyn Consumer) -> Result<(), Error> {
    let have: i64 =
        tx.one("SELECT count(*) FROM flow_cursors WHERE consumer = $1", args![consumer.name()])?;
    if have == i64::from(limits::PARTITIONS) {
        return Ok(());
    }
    // Heads are read before the first event of this very unit: an event that commits later is seen.
    const START_OLDEST: &str = "INSERT INTO flow_cursors (consumer, partition, acked, owner, epoch, tries, begun, retry_at) \
        SELECT $1, h.partition, coalesce((SELECT s.sequence FROM flow_swept s WHERE s.partition = h.partition), 0), \
        NULL, 0, 0, 0, 0 FROM event_heads h WHERE TRUE ON CONFLICT (consumer, partition) DO NOTHING";
    const START_NEXT: &str = "INSERT INTO flow_cursors (consumer, partition, acked, owner, epoch, tries, begun, retry_at) \
        SELECT $1, h.partition, h.sequence, NULL, 0, 0, 0, 0 FROM event_heads h WHERE TRUE \
        ON CONFLICT (consumer, partition) DO NOTHING";
    let statement = match consumer.start() {
        StartAt::Oldest => START_OLDEST,
        StartAt::Next => START_NEXT,
    };
    tx.exec(statement, args![consumer.name()])?;
    Ok(())
}

/// Every cursor of a consumer, by partition.
pub(crate) fn cursors(tx: &mut Tx<'_>, consumer: &str) -> Result<Vec<CursorRow>, Error> {
    tx.all(
        "SELECT partition, owner, epoch FROM flow_cursors WHERE consumer = $1 ORDER BY partition",
        args![consumer],
    )
}

/// Takes a cursor over, if nobody else has done so since it was read.
pub(crate) fn claim(
    tx: &mut Tx<'_>,
    node_id: &str,
    consumer: &str,
    partition: u16,
    seen_epoch: i64,
) -> Result<Option<Lease>, Error> {
    tx.opt(
        "UPDATE flow_cursors SET owner = $1, epoch = epoch + 1 WHERE consumer = $2 AND partition = $3 AND epoch = $4 \
         RETURNING epoch, acked, tries, retry_at",
        args![node_id, consumer, partition, seen_epoch],
    )
}

/// Gives a cursor up, at the position reached.
pub(crate) fn release(tx: &mut Tx<'_>, key: &CursorKey, position: i64) -> Result<(), Error> {
    tx.exec(
        "UPDATE flow_cursors SET owner = NULL, acked = CASE WHEN acked < $5 THEN $5 ELSE acked END \
         WHERE consumer = $1 AND partition = $2 AND epoch = $3 AND owner = $4",
        args![key.consumer, key.partition, key.epoch, &key.node_id, position],
    )?;
    Ok(())
}

/// Writes down that events were passed over.
pub(crate) fn skip_to(tx: &mut Tx<'_>, key: &CursorKey, position: i64) -> Result<bool, Error> {
    let rows = tx.exec(
        "UPDATE flow_cursors SET acked = $5, begun = 0 WHERE consumer = $1 AND partition = $2 AND epoch = $3 AND owner = $4 \
         AND acked <= $5",
        args![key.consumer, key.partition, key.epoch, &key.node_id, position],
    )?;
    Ok(rows == 1)
}

/// Why a batch came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BatchError {
    /// The cursor is no longer this node's.
    #[error("the cursor was taken over")]
    Fenced,
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<FlowError> for BatchError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Store(error) => Self::Store(error),
            other => Self::Store(Error::Backend(Box::new(other))),
        }
    }
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchEnd {
    /// The last event that is done with.
    pub acked: i64,
    /// Events whose effect was made.
    pub handled: u32,
    /// Events that were parked or held.
    pub parked: u32,
    /// When to go on, after a failure.
    pub retry_at: Option<Micros>,
    /// Whether it was cut short because it took long: the rest waits for the next one.
    pub cut: bool,
}

/// Handles events in order and moves the cursor, in this one transaction.
///
/// An event that fails ends the batch: what came before it is kept, the failure is counted, and with the last try the
/// event is parked and the batch goes on.
pub(crate) fn handle_batch(
    tx: &mut Tx<'_>,
    key: &CursorKey,
    consumer: &dyn Consumer,
    events: &[Event],
    up_to: i64,
) -> Result<BatchEnd, BatchError> {
    let (mut tries, acked) = lock(tx, key)?;
    let poison = consumer.poison();
    let mut held = match poison.later {
        LaterEvents::Hold => parked::held_keys(tx, key.consumer, key.partition)?,
        LaterEvents::Pass => HashSet::new(),
    };
    let mut end = BatchEnd { acked, handled: 0, parked: 0, retry_at: None, cut: false };
    for event in events.iter().filter(|event| event.sequence > acked) {
        if !wants(consumer.kinds(), &event.kind) {
            continue;
        }
        let subject = (event.tenant.clone(), event.subject.clone());
        if held.contains(&subject) {
            if !parked::has_room(tx, key)? {
                return stall(tx, key, end, event, "no room to hold more events");
            }
            parked::hold(tx, key.consumer, event)?;
            end.parked += 1;
        } else {
            match handle_one(tx, consumer, event, tries + 1)? {
                Ok(()) => end.handled += 1,
                Err(problem) if tries + 1 >= poison.max_tries.max(1) => {
                    if !parked::has_room(tx, key)? {
                        return stall(tx, key, end, event, "no room to park another event");
                    }
                    parked::park(tx, key.consumer, event, tries + 1, &problem.to_string())?;
                    held.extend((poison.later == LaterEvents::Hold).then_some(subject));
                    end.parked += 1;
                }
                Err(problem) => return count_failure(tx, key, end, event, tries + 1, &problem),
            }
        }
        end.acked = event.sequence;
        tries = 0;
        // Others wait for the one writer of SQLite: what a tenant's own templates cost is theirs alone, batch by batch.
        if event.sequence < up_to && tx.world().now().since(tx.now()) > limits::BATCH_TIME_US {
            end.cut = true;
            break;
        }
    }
    if !end.cut {
        end.acked = end.acked.max(up_to);
    }
    ack(tx, key, end.acked, 0, Micros(0), None)?;
    Ok(end)
}

/// Writes down that the handling of the next event begins, in a commit of its own. Answers in how many handlings before
/// this one the process died.
pub(crate) fn begin(tx: &mut Tx<'_>, key: &CursorKey) -> Result<i64, BatchError> {
    let begun: Option<i64> = tx.opt(
        "UPDATE flow_cursors SET begun = begun + 1 WHERE consumer = $1 AND partition = $2 AND epoch = $3 AND owner = $4 \
         RETURNING begun",
        args![key.consumer, key.partition, key.epoch, &key.node_id],
    )?;
    begun.map(|begun| begun - 1).ok_or(BatchError::Fenced)
}

/// Parks an event without handling it: too many processes have died of it.
pub(crate) fn park_deadly(tx: &mut Tx<'_>, key: &CursorKey, event: &Event) -> Result<BatchEnd, BatchError> {
    let (tries, acked) = lock(tx, key)?;
    let end = BatchEnd { acked, handled: 0, parked: 0, retry_at: None, cut: false };
    if !parked::has_room(tx, key)? {
        return stall(tx, key, end, event, "no room to park another event");
    }
    parked::park(tx, key.consumer, event, tries, "the process died each time it was handled")?;
    ack(tx, key, event.sequence, 0, Micros(0), None)?;
    Ok(BatchEnd { acked: event.sequence, parked: 1, ..end })
}

/// Counts a failure of the unit as a whole (a panic of the engine's, a statement that took too long) against the one
/// event that was in it.
pub(crate) fn blame_single(
    tx: &mut Tx<'_>,
    key: &CursorKey,
    consumer: &dyn Consumer,
    event: &Event,
    problem: &Problem,
) -> Result<BatchEnd, BatchError> {
    let (tries, acked) = lock(tx, key)?;
    let end = BatchEnd { acked, handled: 0, parked: 0, retry_at: None, cut: false };
    if tries + 1 < consumer.poison().max_tries.max(1) {
        return count_failure(tx, key, end, event, tries + 1, problem);
    }
    if !parked::has_room(tx, key)? {
        return stall(tx, key, end, event, "no room to park another event");
    }
    parked::park(tx, key.consumer, event, tries + 1, &problem.to_string())?;
    ack(tx, key, event.sequence, 0, Micros(0), None)?;
    Ok(BatchEnd { acked: event.sequence, parked: 1, ..end })
}

/// The fence: the row is this node's and stays so until the commit.
fn lock(tx: &mut Tx<'_>, key: &CursorKey) -> Result<(u32, i64), BatchError> {
    let row: Option<(u32, i64)> = tx.opt(
        sql!(
            lite: "SELECT tries, acked FROM flow_cursors WHERE consumer = $1 AND partition = $2 AND epoch = $3 AND owner = $4",
            pg: "SELECT tries, acked FROM flow_cursors WHERE consumer = $1 AND partition = $2 AND epoch = $3 AND owner = $4 FOR UPDATE"
        ),
        args![key.consumer, key.partition, key.epoch, &key.node_id],
    )?;
    row.ok_or(BatchError::Fenced)
}

fn ack(
    tx: &mut Tx<'_>,
    key: &CursorKey,
    acked: i64,
    tries: u32,
    retry_at: Micros,
    error: Option<&str>,
) -> Result<(), BatchError> {
    let rows = tx.exec(
        "UPDATE flow_cursors SET acked = $5, tries = $6, begun = 0, retry_at = $7, last_error = $8 \
         WHERE consumer = $1 AND partition = $2 AND epoch = $3 AND owner = $4",
        args![key.consumer, key.partition, key.epoch, &key.node_id, acked, tries, retry_at, error],
    )?;
    if rows == 1 { Ok(()) } else { Err(BatchError::Fenced) }
}

fn count_failure(
    tx: &mut Tx<'_>,
    key: &CursorKey,
    end: BatchEnd,
    event: &Event,
    tries: u32,
    problem: &Problem,
) -> Result<BatchEnd, BatchError> {
    let backoff =
        Backoff::FullJitter { base_ms: limits::EVENT_BACKOFF_BASE_MS, cap_ms: limits::EVENT_BACKOFF_CAP_MS };
    let delay_ms = i64::try_from(backoff.delay_ms(tries, tx.world())).unwrap_or(i64::MAX);
    let retry_at = tx.now().plus_ms(delay_ms);
    tracing::warn!(consumer = key.consumer, event = %event.id, tries, %problem, "an event could not be handled");
    ack(tx, key, end.acked, tries, retry_at, Some(&kept(&problem.to_string())))?;
    Ok(BatchEnd { retry_at: Some(retry_at), ..end })
}

/// The partition cannot go on; it says so and waits, and loses nothing.
fn stall(
    tx: &mut Tx<'_>,
    key: &CursorKey,
    end: BatchEnd,
    event: &Event,
    why: &str,
) -> Result<BatchEnd, BatchError> {
    tracing::error!(consumer = key.consumer, partition = key.partition, event = %event.id, why, "a partition is stalled");
    let retry_at = tx.now().plus_ms(limits::PARTITION_STALLED_MS);
    ack(tx, key, end.acked, 0, retry_at, Some(why))?;
    Ok(BatchEnd { retry_at: Some(retry_at), ..end })
}

/// Makes one event's effect inside a savepoint. The inner result is the consumer's; the outer one is the store's.
pub(crate) fn handle_one(
    tx: &mut Tx<'_>,
    consumer: &dyn Consumer,
    event: &Event,
    tries: u32,
) -> Result<Result<(), Problem>, Error> {
    let started_at = tx.world().now();
    let step = TraceContext { trace_id: event.trace.trace_id, span_id: SpanId::random(tx.world()) };
    let seen = Event { trace: step, ..event.clone() };
    // Unwind safety: whatever the consumer left half-done in the transaction is undone with the savepoint.
    let result = tx.savepoint(|tx| {
        catch_unwind(AssertUnwindSafe(|| consumer.handle(tx, &seen)))
            .unwrap_or_else(|payload| Err(Problem::internal(format!("panicked: {}", panic_text(&*payload)))))
    });
    if result.is_ok() {
        let finished_at = tx.world().now();
        tx.exec(
            "INSERT INTO flow_handlings (tenant_id, event_id, consumer, span_id, tries, started_at, finished_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, event_id, consumer) DO UPDATE SET \
             span_id = excluded.span_id, tries = excluded.tries, started_at = excluded.started_at, \
             finished_at = excluded.finished_at",
            args![
                &event.tenant,
                &event.id,
                consumer.name(),
                &step.span_id.to_string(),
                tries,
                started_at,
                finished_at
            ],
        )?;
    }
    Ok(result)
}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)").to_owned()
}
