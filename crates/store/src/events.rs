//! The event log: appended in the transaction that makes an event true, ordered within a partition, without gaps.
//!
//! A partition's head row is updated, and thereby locked, right before the commit. Whoever holds sequence *n* of a
//! partition has therefore committed before *n + 1* is given out: a reader that has seen *n + 1* has seen *n*, on
//! PostgreSQL too, where commits overtake one another. Heads are taken in ascending order, so two units cannot wait
//! for each other.
//!
//! Cost: the head is held for one insert and the commit, so a partition carries about one unit per commit time; 64
//! partitions keep unrelated subjects apart.

use crate::limits::{EVENT_BYTES_MAX, PARTITIONS};
use crate::{Engine, Error, FromRow, Migration, Result, Row, Sql, Tx, args};
use plinth_kernel::{Actor, Event, EventId, NewEvent, SpanId, TenantId, TraceContext, TraceId};
use std::collections::BTreeMap;

/// The tables of the store itself.
pub(crate) const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "event_log", sql: include_str!("../migrations/0001_event_log.sql") }];

/// Migrations of the store are recorded under this name.
pub(crate) const SYSTEM: &str = "store";

/// The columns that [`Event`] is read from, in order, for use in a statement of one's own:
/// `concat!("SELECT ", event_columns!(), " FROM events WHERE tenant_id = $1 …")`.
#[macro_export]
macro_rules! event_columns {
    () => {
        "event_id, partition, sequence, tenant_id, kind, version, subject, data, actor, trace_id, span_id, causation_id, created_at"
    };
}

/// The partition of a subject: FNV-1a over tenant, a separator and subject, folded. Part of the stored format.
#[must_use]
pub fn partition_of(tenant: &TenantId, subject: &str) -> u16 {
    let bytes = tenant.as_ref().bytes().chain([0xff]).chain(subject.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    ((hash ^ (hash >> 32)) % u64::from(PARTITIONS)) as u16
}

/// Events of a partition after `sequence`, in order, at most `limit`. The next one is always `sequence + 1`; anything
/// else would be a fault of the store.
pub fn after(tx: &mut Tx<'_>, partition: u16, sequence: i64, limit: u32) -> Result<Vec<Event>> {
    const QUERY: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events WHERE partition = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"
    );
    tx.all(QUERY, args![partition, sequence, limit])
}

/// One event of a tenant.
pub fn by_id(tx: &mut Tx<'_>, tenant: &TenantId, id: &EventId) -> Result<Option<Event>> {
    const QUERY: &str =
        concat!("SELECT ", event_columns!(), " FROM events WHERE tenant_id = $1 AND event_id = $2");
    tx.opt(QUERY, args![tenant, id])
}

/// The events of one trace of a tenant in the order of time, at most `limit`.
pub fn by_trace(tx: &mut Tx<'_>, tenant: &TenantId, trace: &TraceId, limit: u32) -> Result<Vec<Event>> {
    const QUERY: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events WHERE tenant_id = $1 AND trace_id = $2 ORDER BY created_at, event_id LIMIT $3"
    );
    tx.all(QUERY, args![tenant, &trace.to_string(), limit])
}

/// The events of one subject of a tenant, the newest first, from before `before` on, at most `limit`.
pub fn by_subject(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    subject: &str,
    before: Option<&EventId>,
    limit: u32,
) -> Result<Vec<Event>> {
    const QUERY: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events WHERE tenant_id = $1 AND subject = $2 AND (CAST($3 AS TEXT) IS NULL OR event_id < $3) ",
        "ORDER BY event_id DESC LIMIT $4"
    );
    tx.all(QUERY, args![tenant, subject, before, limit])
}

/// The last sequence given out in each partition, from partition 0 on; 0 where there is none yet.
pub fn heads(tx: &mut Tx<'_>) -> Result<Vec<i64>> {
    tx.all("SELECT sequence FROM event_heads ORDER BY partition", args![])
}

impl FromRow for Event {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        crate::expect_columns(row, 13)?;
        Ok(Event {
            id: row.get(0)?,
            partition: row.get(1)?,
            sequence: row.get(2)?,
            tenant: row.get(3)?,
            kind: row.get(4)?,
            version: row.get(5)?,
            subject: row.get(6)?,
            data: row.get(7)?,
            actor: parsed(row, 8, |text| text.parse::<Actor>().ok())?,
            trace: TraceContext {
                trace_id: parsed(row, 9, |text| TraceId::parse(text).ok())?,
                span_id: parsed(row, 10, |text| SpanId::parse(text).ok())?,
            },
            causation: row.get(11)?,
            created_at: row.get(12)?,
        })
    }
}

/// A text column that holds a value of the kernel's.
fn parsed<T>(row: &Row<'_>, index: usize, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    let text: String = row.get(index)?;
    parse(&text).ok_or(Error::Column { index, expected: std::any::type_name::<T>(), found: text })
}

/// What a unit appended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Appended {
    /// Bit `p` is set for partition `p`.
    pub partitions: u64,
    /// How many events.
    pub count: u64,
}

/// Appends events, partitions ascending and in the order of emission within each.
pub(crate) fn append(tx: &mut Tx<'_>, events: Vec<(EventId, NewEvent)>) -> Result<Appended> {
    let mut by_partition: BTreeMap<u16, Vec<(EventId, NewEvent)>> = BTreeMap::new();
    for (id, event) in events {
        by_partition.entry(partition_of(&event.tenant, &event.subject)).or_default().push((id, event));
    }
    let mut appended = Appended::default();
    for (partition, events) in by_partition {
        appended.partitions |= 1 << partition;
        appended.count += events.len() as u64;
        for (id, event) in &events {
            append_one(tx, partition, id, event)?;
        }
    }
    Ok(appended)
}

/// PostgreSQL moves the head and inserts in one round trip; SQLite, which has no writing CTE, in two calls.
fn append_one(tx: &mut Tx<'_>, partition: u16, id: &EventId, event: &NewEvent) -> Result<()> {
    const HEAD: &str =
        "UPDATE event_heads SET sequence = sequence + 1 WHERE partition = $1 RETURNING sequence";
    const INSERT: &str = concat!(
        "INSERT INTO events (partition, sequence, event_id, tenant_id, kind, version, subject, data, actor, ",
        "trace_id, span_id, causation_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
    );
    const BOTH: &str = concat!(
        "WITH head AS (UPDATE event_heads SET sequence = sequence + 1 WHERE partition = $1 RETURNING sequence) ",
        "INSERT INTO events (partition, sequence, event_id, tenant_id, kind, version, subject, data, actor, ",
        "trace_id, span_id, causation_id, created_at) ",
        "SELECT $1, head.sequence, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM head"
    );
    let data = event.data.to_string();
    if data.len() > EVENT_BYTES_MAX {
        return Err(Error::Event(format!(
            "{} has {} bytes of data; the limit is {EVENT_BYTES_MAX}",
            event.kind,
            data.len()
        )));
    }
    let (actor, trace, span) =
        (event.actor.to_string(), event.trace.trace_id.to_string(), event.trace.span_id.to_string());
    let now = tx.now();
    let causation = event.causation.as_ref();
    if tx.engine() == Engine::Postgres {
        let inserted = tx.exec(
            Sql::from(BOTH),
            args![
                partition,
                id,
                &event.tenant,
                event.kind,
                event.version,
                &event.subject,
                &data,
                &actor,
                &trace,
                &span,
                causation,
                now
            ],
        )?;
        return if inserted == 1 {
            Ok(())
        } else {
            Err(Error::Event(format!("partition {partition} has no head")))
        };
    }
    let sequence: i64 = tx.one(HEAD, args![partition])?;
    tx.exec(
        INSERT,
        args![
            partition,
            sequence,
            id,
            &event.tenant,
            event.kind,
            event.version,
            &event.subject,
            &data,
            &actor,
            &trace,
            &span,
            causation,
            now
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::Id;

    #[test]
    fn the_partition_of_a_subject_never_changes() {
        let tenant = TenantId::from_uuid([1; 16]);
        let got: Vec<u16> = ["", "frm_1", "frm_2", "ä"].iter().map(|s| partition_of(&tenant, s)).collect();
        assert_eq!(got, GOLDEN_PARTITIONS);
    }

    /// Recorded once: a change would send the events of a subject to two partitions and lose their order.
    const GOLDEN_PARTITIONS: [u16; 4] = [34, 21, 60, 5];

    #[test]
    fn subjects_spread_over_the_partitions() {
        let tenant = TenantId::from_uuid([2; 16]);
        let mut hits = [0_u32; PARTITIONS as usize];
        for n in 0..64_000 {
            hits[usize::from(partition_of(&tenant, &format!("sub_{n}")))] += 1;
        }
        assert!(hits.iter().all(|n| (700..1_300).contains(n)), "{hits:?}");
    }
}
