//! Events that a consumer could not handle, and those that wait behind them.

use crate::{
    consumers::{
        Consumer, LaterEvents,
        table::{BatchError, CursorKey, handle_one},
    },
    error::{FlowError, Result, kept},
    jobs::word,
    limits,
    model::job::words,
    runtime::wake::{self, Wake},
};
use plinth_kernel::{Event, EventId, Micros, TenantId};
use plinth_store::{Error, FromRow, Row, Tx, args, event_columns, expect_columns, sql};
use std::{collections::HashSet, fmt, str::FromStr};

use crate::model::job::UnknownWord;

words! {
    /// How a parked event stands.
    ParkedState {
        /// It failed too often and waits for a person.
        Parked = "parked",
        /// An earlier event of its key is parked.
        Held = "held",
        /// It is about to be tried again.
        Due = "due",
    }
}

/// An event that a consumer has put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Which event.
    pub event_id: EventId,
    /// Which consumer.
    pub consumer: String,
    /// What kind of event.
    pub kind: String,
    /// The key that orders.
    pub subject: String,
    /// How it stands.
    pub state: ParkedState,
    /// Tries so far.
    pub tries: u32,
    /// Why the last one failed.
    pub last_error: Option<String>,
    /// The trace it belongs to.
    pub trace_id: String,
    /// When it was put aside.
    pub parked_at: Micros,
    /// When it last changed.
    pub updated_at: Micros,
}

impl ParkedEvent {
    /// Its id for the API: the event's and the consumer's in one text.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.event_id, self.consumer)
    }

    /// The parts of [`ParkedEvent::id`].
    #[must_use]
    pub fn parse_id(id: &str) -> Option<(EventId, &str)> {
        let (event, consumer) = id.split_once('.')?;
        Some((event.parse().ok()?, consumer))
    }
}

impl FromRow for ParkedEvent {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        expect_columns(row, 10)?;
        Ok(Self {
            event_id: row.get(0)?,
            consumer: row.get(1)?,
            kind: row.get(2)?,
            subject: row.get(3)?,
            state: word(row, 4)?,
            tries: row.get(5)?,
            last_error: row.get(6)?,
            trace_id: row.get(7)?,
            parked_at: row.get(8)?,
            updated_at: row.get(9)?,
        })
    }
}

/// Which parked events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedFilter {
    /// Of this consumer.
    pub consumer: Option<String>,
    /// In this state.
    pub state: Option<ParkedState>,
}

/// A page of a tenant's parked events, the newest first, after the one given by event and consumer.
pub fn list_parked(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    filter: &ParkedFilter,
    after: Option<(&EventId, &str)>,
    limit: u32,
) -> Result<Vec<ParkedEvent>> {
    let (after_event, after_consumer) = after.unzip();
    Ok(tx.all(
        "SELECT event_id, consumer, kind, subject, state, tries, last_error, trace_id, parked_at, updated_at \
         FROM flow_parked_events WHERE tenant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR consumer = $2) \
         AND (CAST($3 AS TEXT) IS NULL OR state = $3) \
         AND (CAST($4 AS TEXT) IS NULL OR (event_id, consumer) < ($4, $5)) \
         ORDER BY event_id DESC, consumer DESC LIMIT $6",
        args![
            tenant,
            &filter.consumer,
            filter.state.map(ParkedState::as_str),
            after_event,
            after_consumer,
            i64::from(limit).min(limits::PAGE_ROWS_MAX)
        ],
    )?)
}

/// Has a parked event tried again. Those held behind it follow in order when it succeeds.
pub fn replay_parked(tx: &mut Tx<'_>, tenant: &TenantId, event: &EventId, consumer: &str) -> Result<()> {
    let state: Option<String> = tx.opt(
        sql!(
            lite: "SELECT state FROM flow_parked_events WHERE tenant_id = $1 AND event_id = $2 AND consumer = $3",
            pg: "SELECT state FROM flow_parked_events WHERE tenant_id = $1 AND event_id = $2 AND consumer = $3 FOR UPDATE"
        ),
        args![tenant, event, consumer],
    )?;
    match state.as_deref().map(str::parse) {
        None => Err(FlowError::NotFound("parked event")),
        Some(Ok(ParkedState::Held)) => {
            Err(FlowError::State("It waits behind an earlier event of its key; replay that one.".into()))
        }
        Some(_) => {
            let now = tx.now();
            tx.exec(
                "UPDATE flow_parked_events SET state = 'due', updated_at = $4 \
                 WHERE tenant_id = $1 AND event_id = $2 AND consumer = $3",
                args![tenant, event, consumer, now],
            )?;
            wake::after_commit(tx, Wake::Parked);
            Ok(())
        }
    }
}

/// Keys of which a consumer has put events of this partition aside.
pub(crate) fn held_keys(
    tx: &mut Tx<'_>,
    consumer: &str,
    partition: u16,
) -> Result<HashSet<(TenantId, String)>, Error> {
    let keys: Vec<(TenantId, String)> = tx.all(
        "SELECT DISTINCT tenant_id, subject FROM flow_parked_events WHERE consumer = $1 AND partition = $2",
        args![consumer, partition],
    )?;
    Ok(keys.into_iter().collect())
}

/// Whether another event may be put aside.
pub(crate) fn has_room(tx: &mut Tx<'_>, key: &CursorKey) -> Result<bool, Error> {
    let count: i64 = tx.one(
        "SELECT count(*) FROM flow_parked_events WHERE consumer = $1 AND partition = $2",
        args![key.consumer, key.partition],
    )?;
    Ok(count < limits::PARKED_PER_PARTITION_MAX)
}

/// Puts an event aside that failed too often.
pub(crate) fn park(
    tx: &mut Tx<'_>,
    consumer: &str,
    event: &Event,
    tries: u32,
    error: &str,
) -> Result<(), Error> {
    tracing::error!(consumer, event = %event.id, kind = event.kind, error, "an event was parked");
    put_aside(tx, consumer, event, ParkedState::Parked, tries, Some(&kept(error)))
}

/// Puts an event aside whose predecessor is.
pub(crate) fn hold(tx: &mut Tx<'_>, consumer: &str, event: &Event) -> Result<(), Error> {
    put_aside(tx, consumer, event, ParkedState::Held, 0, None)
}

fn put_aside(
    tx: &mut Tx<'_>,
    consumer: &str,
    event: &Event,
    state: ParkedState,
    tries: u32,
    error: Option<&str>,
) -> Result<(), Error> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO flow_parked_events (tenant_id, event_id, consumer, partition, sequence, kind, subject, trace_id, \
         state, tries, last_error, parked_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
        args![
            &event.tenant,
            &event.id,
            consumer,
            event.partition,
            event.sequence,
            &event.kind,
            &event.subject,
            &event.trace.trace_id.to_string(),
            state.as_str(),
            tries,
            error,
            now
        ],
    )?;
    Ok(())
}

/// Where events are due again: consumers and partitions.
pub(crate) fn due_places(tx: &mut Tx<'_>) -> Result<Vec<(String, u16)>, Error> {
    tx.all(
        "SELECT DISTINCT consumer, partition FROM flow_parked_events WHERE state = 'due' LIMIT 5000",
        args![],
    )
}

/// Tries the first due event of a partition again, in the transaction of the fence. `false` when none is due.
pub(crate) fn retry_one(
    tx: &mut Tx<'_>,
    key: &CursorKey,
    consumer: &dyn Consumer,
) -> Result<bool, BatchError> {
    // The owner's row is locked by an update that changes nothing: a node that lost the cursor stops here.
    let mine = tx.exec(
        "UPDATE flow_cursors SET epoch = epoch WHERE consumer = $1 AND partition = $2 AND epoch = $3 AND owner = $4",
        args![key.consumer, key.partition, key.epoch, &key.node_id],
    )?;
    if mine == 0 {
        return Err(BatchError::Fenced);
    }
    let due: Option<(i64, u32)> = tx.opt(
        "SELECT sequence, tries FROM flow_parked_events WHERE consumer = $1 AND partition = $2 AND state = 'due' \
         ORDER BY sequence LIMIT 1",
        args![key.consumer, key.partition],
    )?;
    let Some((sequence, tries)) = due else { return Ok(false) };
    const EVENT: &str =
        concat!("SELECT ", event_columns!(), " FROM events WHERE partition = $1 AND sequence = $2");
    let event: Event = tx.one(EVENT, args![key.partition, sequence])?;
    match handle_one(tx, consumer, &event, tries + 1)? {
        Ok(()) => {
            tx.exec(
                "DELETE FROM flow_parked_events WHERE tenant_id = $1 AND event_id = $2 AND consumer = $3",
                args![&event.tenant, &event.id, key.consumer],
            )?;
            if consumer.poison().later == LaterEvents::Hold {
                release_next(tx, key, &event)?;
            }
        }
        Err(problem) => {
            let now = tx.now();
            tx.exec(
                "UPDATE flow_parked_events SET state = 'parked', tries = tries + 1, last_error = $4, updated_at = $5 \
                 WHERE tenant_id = $1 AND event_id = $2 AND consumer = $3",
                args![&event.tenant, &event.id, key.consumer, &kept(&problem.to_string()), now],
            )?;
        }
    }
    Ok(true)
}

/// The next event of the key takes its turn.
fn release_next(tx: &mut Tx<'_>, key: &CursorKey, done: &Event) -> Result<(), Error> {
    let now = tx.now();
    tx.exec(
        "UPDATE flow_parked_events SET state = 'due', updated_at = $5 WHERE consumer = $1 AND partition = $2 \
         AND state = 'held' AND sequence = (SELECT min(p.sequence) FROM flow_parked_events p WHERE p.consumer = $1 \
         AND p.partition = $2 AND p.tenant_id = $3 AND p.subject = $4)",
        args![key.consumer, key.partition, &done.tenant, &done.subject, now],
    )?;
    Ok(())
}
