//! What was recorded, read in order, and how far an exporter has come. The place is kept in the database: a restart
//! goes on where the last process ended, and of several processes one exports.

use super::wire::{self, Span};
use plinth_flow::trace::{self, EndedKind, EndedPart};
use plinth_gateway::requests::{self, LogPart};
use plinth_kernel::{Micros, Problem};
use plinth_store::{Migration, Tx, args, events};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The name under which the migrations are recorded.
pub const SYSTEM: &str = "telemetry";

/// One row an exporter. It speaks of all tenants, so it has none.
pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "export",
    sql: "
CREATE TABLE telemetry_exports (
    exporter    TEXT PRIMARY KEY,
    progress    TEXT NOT NULL,
    owner       TEXT NOT NULL,
    lease_until BIGINT NOT NULL
);
",
}];

const EXPORTER: &str = "otlp";
/// Spans of one export.
pub const BATCH_SPANS: usize = 512;
/// How long a row may take from the time it names to its commit: a transaction's statements end within five seconds,
/// and the request log writes every tenth of a second. A row that takes longer is never exported.
const SETTLE_MS: i64 = 10_000;
/// A request's row names the time when it came, but is written when it ended. The few that take longer than this are
/// read in a second pass, so that the others need not wait for them.
const SLOW_US: i64 = 2_000_000;
/// How far behind the second pass is: longer than any request but a stream's, which is logged with its head.
const SLOW_SETTLE_MS: i64 = 90_000;
/// How long another process waits for the one that exports.
pub const LEASE_MS: i64 = 20_000;

/// Path templates by operation.
pub type Routes = HashMap<String, String>;

/// A place in an order of times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Microseconds since the epoch.
    at: i64,
    key: String,
}

/// How far an exporter has come in each order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    requests: Mark,
    slow_requests: Mark,
    handlings: Mark,
    parked: Mark,
    jobs: Mark,
    attempts: Mark,
    /// Sequence by partition.
    events: Vec<i64>,
}

impl Progress {
    /// From now on.
    fn beginning(tx: &mut Tx<'_>) -> Result<Self, Problem> {
        let now = Mark { at: tx.now().0, key: String::new() };
        Ok(Self {
            requests: now.clone(),
            slow_requests: now.clone(),
            handlings: now.clone(),
            parked: now.clone(),
            jobs: now.clone(),
            attempts: now,
            events: events::heads(tx)?,
        })
    }

    /// Until when everything but slow requests has been read.
    pub fn reached(&self) -> Micros {
        let marks = [&self.requests, &self.handlings, &self.parked, &self.jobs, &self.attempts];
        Micros(marks.map(|mark| mark.at).into_iter().min().unwrap_or(0))
    }
}

/// Takes the lease for `owner`; `None` while another has it. The first one ever begins with what happens from then on:
/// what was recorded before anybody asked for it stays where it is.
pub fn take(tx: &mut Tx<'_>, owner: &str) -> Result<Option<Progress>, Problem> {
    let beginning = Progress::beginning(tx)?;
    let now = tx.now();
    let held: Option<(String,)> = tx.opt(
        "INSERT INTO telemetry_exports (exporter, progress, owner, lease_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (exporter) DO UPDATE SET owner = $3, lease_until = $4
         WHERE telemetry_exports.owner = $3 OR telemetry_exports.lease_until <= $5 RETURNING progress",
        args![EXPORTER, &json(&beginning)?, owner, now.plus_ms(LEASE_MS), now],
    )?;
    let Some((text,)) = held else { return Ok(None) };
    // A place that cannot be read was written by another version of the program: begin again rather than guess.
    let known = serde_json::from_str::<Progress>(&text).ok();
    Ok(Some(known.filter(|known| known.events.len() == beginning.events.len()).unwrap_or(beginning)))
}

/// Whether another process holds the lease: asked without a write, because it is asked all the time.
pub fn is_taken(tx: &mut Tx<'_>, owner: &str) -> Result<bool, Problem> {
    let other: Option<(i64,)> = tx.opt(
        "SELECT lease_until FROM telemetry_exports WHERE exporter = $1 AND owner <> $2 AND lease_until > $3",
        args![EXPORTER, owner, tx.now()],
    )?;
    Ok(other.is_some())
}

/// Writes the place down and renews the lease; `false` when another process has it.
pub fn keep(tx: &mut Tx<'_>, owner: &str, progress: &Progress) -> Result<bool, Problem> {
    let until = tx.now().plus_ms(LEASE_MS);
    let rows = tx.exec(
        "UPDATE telemetry_exports SET progress = $3, lease_until = $4 WHERE exporter = $1 AND owner = $2",
        args![EXPORTER, owner, &json(progress)?, until],
    )?;
    Ok(rows == 1)
}

/// Gives the lease back.
pub fn release(tx: &mut Tx<'_>, owner: &str, progress: &Progress) -> Result<(), Problem> {
    if keep(tx, owner, progress)? {
        tx.exec("UPDATE telemetry_exports SET lease_until = 0 WHERE exporter = $1", args![EXPORTER])?;
    }
    Ok(())
}

fn json(progress: &Progress) -> Result<String, Problem> {
    serde_json::to_string(progress).map_err(Problem::internal)
}

/// The next spans.
#[derive(Debug)]
pub struct Batch {
    /// Not more than [`BATCH_SPANS`].
    pub spans: Vec<Span>,
    /// The place behind them.
    pub progress: Progress,
    /// Whether there may be more.
    pub full: bool,
}

/// Reads the next spans of what happened before `until`.
pub fn read(tx: &mut Tx<'_>, progress: &Progress, until: Micros, routes: &Routes) -> Result<Batch, Problem> {
    let mut progress = progress.clone();
    let mut reader = Reader { tx, until, spans: Vec::new(), room: BATCH_SPANS };
    reader.requests(&mut progress.requests, (0, SLOW_US), SETTLE_MS, routes)?;
    reader.requests(&mut progress.slow_requests, (SLOW_US + 1, i64::MAX), SLOW_SETTLE_MS, routes)?;
    reader.events(&mut progress.events)?;
    reader.ended(&mut progress.handlings, EndedKind::Handlings)?;
    reader.ended(&mut progress.parked, EndedKind::Parked)?;
    reader.ended(&mut progress.jobs, EndedKind::Jobs)?;
    reader.ended(&mut progress.attempts, EndedKind::Attempts)?;
    let (spans, full) = (reader.spans, reader.room == 0);
    Ok(Batch { spans, progress, full })
}

struct Reader<'a, 't> {
    tx: &'a mut Tx<'t>,
    until: Micros,
    spans: Vec<Span>,
    /// Rows that may still be read.
    room: usize,
}

impl Reader<'_, '_> {
    fn requests(
        &mut self,
        mark: &mut Mark,
        durations_us: (i64, i64),
        settle_ms: i64,
        routes: &Routes,
    ) -> Result<(), Problem> {
        let (until, limit) = (self.until.plus_ms(-settle_ms), self.room);
        let part = LogPart {
            after: (Micros(mark.at), &mark.key),
            until,
            duration_us_min: durations_us.0,
            duration_us_max: durations_us.1,
            limit: limit as i64,
        };
        let rows = requests::logged(self.tx, &part)?;
        self.room -= rows.len();
        let last = rows.last().map(|row| (row.request.created_at, row.request.id.to_string()));
        mark.move_on(last, rows.len() < limit, until);
        self.spans.extend(rows.into_iter().filter_map(|row| {
            let route = row.request.operation.as_ref().and_then(|operation| routes.get(operation));
            let route = route.cloned();
            wire::of_request(row, route.as_deref())
        }));
        Ok(())
    }

    fn ended(&mut self, mark: &mut Mark, kind: EndedKind) -> Result<(), Problem> {
        let (until, limit) = (self.until.plus_ms(-SETTLE_MS), self.room);
        let part = EndedPart { after: (Micros(mark.at), &mark.key), until, limit: limit as i64 };
        let rows = trace::ended(self.tx, kind, &part)?;
        self.room -= rows.len();
        let last = rows.last().map(|row| (row.at, row.key.clone()));
        mark.move_on(last, rows.len() < limit, until);
        self.spans.extend(rows.into_iter().map(|row| wire::of_step(&row.tenant, row.trace_id, row.span)));
        Ok(())
    }

    /// The log of events has no gaps, so it needs no time to settle.
    fn events(&mut self, sequences: &mut [i64]) -> Result<(), Problem> {
        let heads = events::heads(self.tx)?;
        for (partition, (sequence, head)) in sequences.iter_mut().zip(heads).enumerate() {
            if *sequence >= head || self.room == 0 {
                continue;
            }
            let rows = events::after(self.tx, partition as u16, *sequence, self.room as u32)?;
            for event in rows.into_iter().take_while(|event| event.created_at < self.until) {
                *sequence = event.sequence;
                self.room -= 1;
                let (tenant, trace) = (event.tenant.clone(), event.trace.trace_id);
                self.spans.push(wire::of_step(&tenant, trace, trace::of_event(event)));
            }
        }
        Ok(())
    }
}

impl Mark {
    /// Behind `last`, or, when there was no more, to where the reading ended; never back.
    fn move_on(&mut self, last: Option<(Micros, String)>, exhausted: bool, until: Micros) {
        if let Some((at, key)) = last {
            *self = Self { at: at.0, key };
        }
        if exhausted && until.0 > self.at {
            *self = Self { at: until.0, key: String::new() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_never_goes_back() {
        let at = |at: i64, key: &str| Mark { at, key: key.to_owned() };
        let moved = |last: Option<(i64, &str)>, exhausted, until| {
            let mut mark = at(10, "m");
            mark.move_on(last.map(|(at, key)| (Micros(at), key.to_owned())), exhausted, Micros(until));
            mark
        };
        assert_eq!(moved(None, true, 20), at(20, ""));
        assert_eq!(moved(None, true, 5), at(10, "m"));
        assert_eq!(moved(Some((12, "x")), false, 20), at(12, "x"));
        assert_eq!(moved(Some((12, "x")), true, 20), at(20, ""));
        // Without room nothing was read, and nothing is skipped.
        assert_eq!(moved(None, false, 20), at(10, "m"));
    }
}
