//! The request log: what was asked, by whom, and how it ended, searchable in the console.
//!
//! It must never slow a request down or push work out of the store. So a request leaves a row in a bounded queue, or
//! nothing when the queue is full (counted), and one task writes batches at a bounded pace. The last places of the
//! queue are kept for failures: those are the rows that people look for.

pub mod figures;
mod store;

pub use store::{
    LogPart, LoggedRequest, MIGRATIONS, RequestFilter, RequestProblem, RequestRecord, get, list, logged,
    spans, sweep,
};

use crate::{limits, metrics::Metrics};
use plinth_kernel::{Micros, RequestId};
use plinth_store::{Error, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A request that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// The tenant; empty when it never became known.
    pub tenant: String,
    /// Id.
    pub id: RequestId,
    /// Operation, or empty for pages.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path, without the query: a query may hold what must not be kept.
    pub path: String,
    /// HTTP status; 499 when the client went away first.
    pub status: u16,
    /// Code of the problem, or empty.
    pub code: String,
    /// How long it took.
    pub duration_us: i64,
    /// Trace.
    pub trace_id: String,
    /// Span of the request.
    pub span_id: String,
    /// The caller's span that the request belongs to, or empty.
    pub parent_span_id: String,
    /// Who asked.
    pub actor: String,
    /// Address of the client.
    pub client_ip: String,
    /// What the client called itself.
    pub user_agent: String,
    /// The caller's own id of the request, or empty.
    pub client_request_id: String,
    /// The caller's idempotency key, or empty.
    pub idempotency_key: String,
    /// Version of the contract.
    pub version: String,
    /// What went wrong, for operators and the tenant's developers; or empty.
    pub error: String,
    /// When it came.
    pub created_at: Micros,
}

/// Where requests are handed to.
#[derive(Debug, Clone)]
pub struct RequestLog {
    sender: mpsc::Sender<LogEntry>,
    metrics: Metrics,
    /// A minute since 1970 in the upper half, the cheap refusals kept in it in the lower.
    cheap: Arc<AtomicU64>,
}

/// Writes what was handed to a [`RequestLog`].
#[derive(Debug)]
pub struct LogWriter {
    receiver: mpsc::Receiver<LogEntry>,
    metrics: Metrics,
    kept_days: i64,
}

/// A log and its writer.
#[must_use]
pub fn request_log(metrics: Metrics, kept_days: i64) -> (RequestLog, LogWriter) {
    let (sender, receiver) = mpsc::channel(limits::LOG_QUEUE_MAX);
    let log = RequestLog { sender, metrics: metrics.clone(), cheap: Arc::default() };
    (log, LogWriter { receiver, metrics, kept_days })
}

impl RequestLog {
    /// Whether another request of nobody known, or another refusal of a flood, is kept in this minute: there is no end
    /// to those, and the first of them tell the story.
    pub fn has_room_for_cheap(&self, now: Micros) -> bool {
        let minute = (now.as_seconds() / 60) as u64 & u64::from(u32::MAX);
        let kept = self.cheap.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |cheap| {
            let count = if cheap >> 32 == minute { cheap & u64::from(u32::MAX) } else { 0 };
            (count < limits::LOG_CHEAP_PER_MINUTE).then_some(minute << 32 | (count + 1))
        });
        if kept.is_err() {
            self.metrics.log_dropped(1);
        }
        kept.is_ok()
    }

    /// Hands a request in. `entry` is only made when there is room for it.
    pub fn record(&self, is_failure: bool, entry: impl FnOnce() -> LogEntry) {
        let reserved = if is_failure { 0 } else { limits::LOG_QUEUE_RESERVED };
        let kept = self.sender.capacity() > reserved && self.sender.try_send(entry()).is_ok();
        if !kept {
            self.metrics.log_dropped(1);
        }
    }
}

impl LogWriter {
    /// Writes until `stop`, then what is left.
    pub async fn run(mut self, store: Store, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(limits::LOG_BATCH_ROWS);
        let mut sweeps = tokio::time::interval(Duration::from_secs(3_600));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweeps.tick() => self.sweep(&store).await,
                read = self.receiver.recv_many(&mut batch, limits::LOG_BATCH_ROWS) => {
                    if read == 0 {
                        return;
                    }
                    self.write(&store, &mut batch).await;
                    tokio::time::sleep(Duration::from_millis(limits::LOG_FLUSH_MS)).await;
                }
            }
        }
        self.receiver.close();
        while self.receiver.recv_many(&mut batch, limits::LOG_BATCH_ROWS).await > 0 {
            self.write(&store, &mut batch).await;
        }
    }

    async fn write(&self, store: &Store, batch: &mut Vec<LogEntry>) {
        let entries = std::mem::take(batch);
        let rows = entries.len() as u64;
        match store.write(move |tx| store::insert(tx, &entries)).await {
            Ok(()) => self.metrics.log_written(rows),
            Err(error) => {
                // The log gives way to real work: a full store is no reason to try again.
                self.metrics.log_dropped(rows);
                if !matches!(error, Error::Overloaded { .. }) {
                    tracing::warn!(%error, rows, "requests could not be logged");
                }
            }
        }
    }

    async fn sweep(&self, store: &Store) {
        let before = store.world().now().plus_seconds(-self.kept_days * 24 * 3_600);
        if let Err(problem) = sweep(store, before).await {
            tracing::warn!(%problem, "the request log could not be swept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::World;

    fn entry(world: &World) -> LogEntry {
        LogEntry {
            tenant: String::new(),
            id: world.id(),
            operation: "list_things".into(),
            method: "GET".into(),
            path: "/v1/things".into(),
            status: 200,
            code: String::new(),
            duration_us: 5,
            trace_id: String::new(),
            span_id: String::new(),
            parent_span_id: String::new(),
            actor: "anonymous".into(),
            client_ip: "127.0.0.1".into(),
            idempotency_key: String::new(),
            user_agent: String::new(),
            client_request_id: String::new(),
            version: String::new(),
            error: String::new(),
            created_at: world.now(),
        }
    }

    #[test]
    fn a_flood_of_refusals_leaves_a_few_rows_a_minute() {
        let metrics = Metrics::new();
        let (log, _writer) = request_log(metrics.clone(), 14);
        let kept =
            |second: i64| (0..2_000).filter(|_| log.has_room_for_cheap(Micros(second * 1_000_000))).count();
        assert_eq!((kept(30), kept(59), kept(60)), (600, 0, 600));
        assert_eq!(metrics.log_dropped_total(), 4_800);
    }

    #[test]
    fn a_full_queue_drops_and_counts_but_keeps_room_for_failures() {
        let (world, _) = World::manual(1);
        let metrics = Metrics::new();
        let (log, _writer) = request_log(metrics.clone(), 14);
        let ordinary = limits::LOG_QUEUE_MAX - limits::LOG_QUEUE_RESERVED;
        for _ in 0..ordinary {
            log.record(false, || entry(&world));
        }
        assert_eq!(metrics.log_dropped_total(), 0);
        log.record(false, || unreachable!("an entry that is not kept is not made"));
        assert_eq!(metrics.log_dropped_total(), 1);
        for _ in 0..limits::LOG_QUEUE_RESERVED {
            log.record(true, || entry(&world));
        }
        assert_eq!(metrics.log_dropped_total(), 1);
        log.record(true, || entry(&world));
        assert_eq!(metrics.log_dropped_total(), 2);
    }
}
