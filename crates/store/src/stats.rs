//! Figures of a running store, cheap to keep and to read.

use crate::Engine;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets of [`StoreStats::batch_units`].
pub const BATCH_BOUNDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Upper bounds, in seconds, of the buckets of every duration.
pub const SECONDS_BOUNDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// A histogram as Prometheus wants it: how many observations are at most each bound.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramSnapshot {
    /// Upper bounds of the buckets, ascending; one more bucket, without a bound, follows them.
    pub bounds: &'static [f64],
    /// Observations of each bucket alone (not cumulative); one longer than `bounds`.
    pub buckets: Vec<u64>,
    /// Sum of the observations.
    pub sum: f64,
    /// Number of observations.
    pub count: u64,
}

impl HistogramSnapshot {
    /// The mean, or 0 without observations.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }
}

pub(crate) struct Histogram {
    bounds: &'static [f64],
    buckets: Vec<AtomicU64>,
    /// In millionths, so that one atomic holds it.
    sum_millionths: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, buckets, sum_millionths: AtomicU64::new(0) }
    }

    pub fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_millionths.fetch_add((value * 1e6) as u64, Relaxed);
    }

    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    fn snapshot(&self) -> HistogramSnapshot {
        let buckets: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        let count = buckets.iter().sum();
        HistogramSnapshot {
            bounds: self.bounds,
            buckets,
            sum: self.sum_millionths.load(Relaxed) as f64 / 1e6,
            count,
        }
    }
}

/// The counters behind [`StoreStats`].
pub(crate) struct Stats {
    pub units_committed: AtomicU64,
    pub units_undone: AtomicU64,
    pub units_panicked: AtomicU64,
    pub units_abandoned: AtomicU64,
    pub units_refused: AtomicU64,
    pub units_replayed: AtomicU64,
    pub units_retried: AtomicU64,
    pub reads: AtomicU64,
    pub commits: AtomicU64,
    pub commits_failed: AtomicU64,
    pub events: AtomicU64,
    pub connections_opened: AtomicU64,
    pub checkpoints: AtomicU64,
    pub wal_bytes: AtomicU64,
    pub batch_units: Histogram,
    pub commit_seconds: Histogram,
    pub unit_seconds: Histogram,
    pub read_seconds: Histogram,
    pub queue_seconds: Histogram,
}

impl Stats {
    pub fn new() -> Self {
        let zero = || AtomicU64::new(0);
        let seconds = || Histogram::new(SECONDS_BOUNDS);
        Self {
            units_committed: zero(),
            units_undone: zero(),
            units_panicked: zero(),
            units_abandoned: zero(),
            units_refused: zero(),
            units_replayed: zero(),
            units_retried: zero(),
            reads: zero(),
            commits: zero(),
            commits_failed: zero(),
            events: zero(),
            connections_opened: zero(),
            checkpoints: zero(),
            wal_bytes: zero(),
            batch_units: Histogram::new(BATCH_BOUNDS),
            commit_seconds: seconds(),
            unit_seconds: seconds(),
            read_seconds: seconds(),
            queue_seconds: seconds(),
        }
    }

    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
    }

    pub fn snapshot(&self, engine: Engine, queues: Queues) -> StoreStats {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        StoreStats {
            engine,
            queues,
            units_committed: get(&self.units_committed),
            units_undone: get(&self.units_undone),
            units_panicked: get(&self.units_panicked),
            units_abandoned: get(&self.units_abandoned),
            units_refused: get(&self.units_refused),
            units_replayed: get(&self.units_replayed),
            units_retried: get(&self.units_retried),
            reads: get(&self.reads),
            commits: get(&self.commits),
            commits_failed: get(&self.commits_failed),
            events: get(&self.events),
            connections_opened: get(&self.connections_opened),
            checkpoints: get(&self.checkpoints),
            wal_bytes: get(&self.wal_bytes),
            batch_units: self.batch_units.snapshot(),
            commit_seconds: self.commit_seconds.snapshot(),
            unit_seconds: self.unit_seconds.snapshot(),
            read_seconds: self.read_seconds.snapshot(),
            queue_seconds: self.queue_seconds.snapshot(),
        }
    }
}

/// How full the queues are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queues {
    /// Units that wait for the writer.
    pub writes: usize,
    /// Reads that wait for a reader.
    pub reads: usize,
    /// How many may wait, in each.
    pub capacity: usize,
}

/// A reading of the figures. Counters count since the store was opened. The two to alert on are
/// `queues.writes` and `commit_seconds`.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreStats {
    /// Which engine.
    pub engine: Engine,
    /// How full the queues are right now.
    pub queues: Queues,
    /// Units of work made durable.
    pub units_committed: u64,
    /// Units undone: by their own error or panic, or by a failed commit.
    pub units_undone: u64,
    /// Units that panicked (counted as undone, too).
    pub units_panicked: u64,
    /// Units never started, because their caller had gone away.
    pub units_abandoned: u64,
    /// Units refused, because the queue was full or they had waited in it for too long.
    pub units_refused: u64,
    /// Units run again because a neighbour took down the transaction they shared (SQLite).
    pub units_replayed: u64,
    /// Units run again after a collision or a lost connection (PostgreSQL).
    pub units_retried: u64,
    /// Reads that were run.
    pub reads: u64,
    /// Commits. On SQLite `units_committed / commits` is the gain of group commit.
    pub commits: u64,
    /// Commits that failed.
    pub commits_failed: u64,
    /// Events appended.
    pub events: u64,
    /// Connections opened; more than the configured number means that some were lost.
    pub connections_opened: u64,
    /// Checkpoints of the write-ahead log (SQLite).
    pub checkpoints: u64,
    /// Size of the write-ahead log (SQLite).
    pub wal_bytes: u64,
    /// Units in a commit.
    pub batch_units: HistogramSnapshot,
    /// Duration of a commit, the fsync included.
    pub commit_seconds: HistogramSnapshot,
    /// Duration of a unit's closure.
    pub unit_seconds: HistogramSnapshot,
    /// Duration of a read.
    pub read_seconds: HistogramSnapshot,
    /// How long units and reads waited in the queue.
    pub queue_seconds: HistogramSnapshot,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::new(BATCH_BOUNDS);
        for value in [1.0, 2.0, 3.0, 256.0, 257.0] {
            histogram.observe(value);
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.buckets, [1, 1, 1, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((snapshot.count, snapshot.sum), (5, 519.0));
        assert!((snapshot.mean() - 103.8).abs() < 1e-9);
    }
}
