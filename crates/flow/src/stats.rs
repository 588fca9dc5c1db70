//! Figures for metrics: what the tables say about the whole installation, and what this node has counted.

use crate::{
    consumers::runner::Runner,
    error::Result,
    jobs::{BreakerReport, worker::QueueWorker},
    model::job::AttemptOutcome,
};
use plinth_kernel::Micros;
use plinth_store::{Tx, args};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

/// How far behind a consumer is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConsumerLag {
    /// Which consumer.
    pub consumer: String,
    /// Events in the log that it has not passed, up to a heartbeat's worth of unwritten progress too many.
    pub events: i64,
    /// Age of the oldest of them; 0 when there is none.
    pub oldest_ms: i64,
    /// Partitions that wait for another try, or are stalled.
    pub failing_partitions: i64,
    /// Events that were put aside.
    pub parked: i64,
}

/// Jobs of a queue in one state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct QueueDepth {
    /// Which queue.
    pub queue: String,
    /// Which state; `done` is not counted here.
    pub state: String,
    /// How many.
    pub jobs: i64,
    /// How long the oldest has been due; 0 when none is.
    pub oldest_due_ms: i64,
}

/// What the tables say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FlowStats {
    /// Consumers by name.
    pub consumers: Vec<ConsumerLag>,
    /// Queues by name and state.
    pub queues: Vec<QueueDepth>,
    /// Nodes that are alive.
    pub nodes: i64,
}

/// Reads the figures of the installation. It counts all live jobs, so ask every few seconds at most.
pub fn read_stats(tx: &mut Tx<'_>) -> Result<FlowStats> {
    let now = tx.now();
    let age_ms = |since: Option<Micros>| since.map_or(0, |since| (now.since(since) / 1_000).max(0));
    let lags: Vec<(String, i64, i64)> = tx.all(
        "SELECT c.consumer, CAST(sum(h.sequence - c.acked) AS BIGINT), count(*) FILTER (WHERE c.last_error IS NOT NULL) \
         FROM flow_cursors c JOIN event_heads h ON h.partition = c.partition GROUP BY c.consumer ORDER BY c.consumer",
        args![],
    )?;
    let oldest: Vec<(String, Option<Micros>)> = tx.all(
        "SELECT c.consumer, min(e.created_at) FROM flow_cursors c \
         JOIN events e ON e.partition = c.partition AND e.sequence = c.acked + 1 GROUP BY c.consumer",
        args![],
    )?;
    let oldest: BTreeMap<String, Option<Micros>> = oldest.into_iter().collect();
    let parked: Vec<(String, i64)> =
        tx.all("SELECT consumer, count(*) FROM flow_parked_events GROUP BY consumer", args![])?;
    let parked: BTreeMap<String, i64> = parked.into_iter().collect();
    let queues: Vec<(String, String, i64, Option<Micros>)> = tx.all(
        "SELECT queue, state, count(*), min(run_at) FROM flow_jobs WHERE state <> 'done' \
         GROUP BY queue, state ORDER BY queue, state",
        args![],
    )?;
    let lease_now = crate::runtime::node::database_now(tx)?;
    let nodes = tx.one("SELECT count(*) FROM flow_nodes WHERE lease_until >= $1", args![lease_now])?;
    let lag = |(consumer, events, failing_partitions): (String, i64, i64)| ConsumerLag {
        events,
        oldest_ms: age_ms(oldest.get(&consumer).copied().flatten()),
        failing_partitions,
        parked: parked.get(&consumer).copied().unwrap_or(0),
        consumer,
    };
    let depth = |(queue, state, jobs, run_at): (String, String, i64, Option<Micros>)| QueueDepth {
        queue,
        oldest_due_ms: if state == "ready" { age_ms(run_at) } else { 0 },
        state,
        jobs,
    };
    Ok(FlowStats {
        consumers: lags.into_iter().map(lag).collect(),
        queues: queues.into_iter().map(depth).collect(),
        nodes,
    })
}

/// What a node has counted about one consumer since it started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConsumerReport {
    /// Which consumer.
    pub consumer: &'static str,
    /// Partitions that the node holds.
    pub partitions: usize,
    /// Events whose effect was made.
    pub handled: u64,
    /// Events that were parked or held.
    pub parked: u64,
    /// Batches that ended with a failure.
    pub failed: u64,
    /// Batches that came too late: the cursor had a new owner.
    pub fenced: u64,
    /// Gaps seen in the log. Anything but 0 is an alarm.
    pub gaps: u64,
}

/// What a node has counted about one queue since it started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct QueueReport {
    /// Which queue.
    pub queue: String,
    /// Jobs under way.
    pub running: usize,
    /// Attempts by outcome.
    pub attempts: Vec<(AttemptOutcome, u64)>,
    /// Outcomes that came too late: the lease was lost.
    pub fenced: u64,
    /// Time spent in slots.
    pub busy_ms: u64,
    /// Breakers that are not closed.
    pub breakers: Vec<BreakerReport>,
}

/// What a node has counted since it started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NodeReport {
    /// By consumer.
    pub consumers: Vec<ConsumerReport>,
    /// By queue.
    pub queues: Vec<QueueReport>,
}

impl NodeReport {
    pub(crate) fn of(runner: &Runner, workers: &[Arc<QueueWorker>]) -> Self {
        let held = runner.held();
        let consumers = runner.names().zip(&runner.counters).zip(held);
        Self {
            consumers: consumers
                .map(|((consumer, counters), partitions)| ConsumerReport {
                    consumer,
                    partitions,
                    handled: counters.handled.load(Ordering::Relaxed),
                    parked: counters.parked.load(Ordering::Relaxed),
                    failed: counters.failed.load(Ordering::Relaxed),
                    fenced: counters.fenced.load(Ordering::Relaxed),
                    gaps: counters.gaps.load(Ordering::Relaxed),
                })
                .collect(),
            queues: workers
                .iter()
                .map(|worker| QueueReport {
                    queue: worker.name.clone(),
                    running: worker.running(),
                    attempts: worker.counters.outcomes().collect(),
                    fenced: worker.counters.fenced.load(Ordering::Relaxed),
                    busy_ms: worker.counters.busy_ms.load(Ordering::Relaxed),
                    breakers: worker.breakers(),
                })
                .collect(),
        }
    }
}
