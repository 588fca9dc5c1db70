//! Metrics of the parts that do not know Prometheus.

use plinth_flow::stats::{FlowStats, NodeReport};
use plinth_gateway::{Metrics, Polled};
use plinth_realtime::{Hub, Transport};
use plinth_store::{Engine, HistogramSnapshot, Store};
use std::sync::{Arc, RwLock};

/// The latest figures of the flow tables; refreshed by a task, read at each scrape.
pub type FlowSnapshot = Arc<RwLock<Option<FlowStats>>>;

type Sample = (Vec<(&'static str, String)>, f64);

fn one(value: f64) -> Vec<Sample> {
    vec![(Vec::new(), value)]
}

/// Registers what runs: its version, and on which engine.
fn build(metrics: &Metrics, store: &Store) {
    let engine = match store.engine() {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgresql",
    };
    let labels = vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("engine", engine.to_owned())];
    let read = move || vec![(labels.clone(), 1.0)];
    metrics.register_polled(Polled::Gauge, "build_info", "What runs; always 1", read);
}

/// Registers the store's figures.
pub fn store(metrics: &Metrics, store: &Store) {
    build(metrics, store);
    let gauge = |name: &str, help: &str, kind: Polled, read: fn(&plinth_store::StoreStats) -> f64| {
        let store = store.clone();
        metrics.register_polled(kind, name, help, move || one(read(&store.stats())));
    };
    gauge("store_queue_writes", "Units of work that wait for the writer", Polled::Gauge, |s| {
        s.queues.writes as f64
    });
    gauge("store_queue_reads", "Reads that wait for a reader", Polled::Gauge, |s| s.queues.reads as f64);
    gauge("store_units_committed", "Units of work made durable", Polled::Counter, |s| {
        s.units_committed as f64
    });
    gauge("store_units_undone", "Units of work undone", Polled::Counter, |s| s.units_undone as f64);
    gauge("store_units_refused", "Units of work refused because the queue was full", Polled::Counter, |s| {
        s.units_refused as f64
    });
    gauge("store_units_retried", "Units of work run again after a collision", Polled::Counter, |s| {
        s.units_retried as f64
    });
    gauge("store_commits", "Commits", Polled::Counter, |s| s.commits as f64);
    gauge("store_commits_failed", "Commits that failed", Polled::Counter, |s| s.commits_failed as f64);
    gauge("store_events", "Events appended", Polled::Counter, |s| s.events as f64);
    gauge("store_wal_bytes", "Size of the write-ahead log", Polled::Gauge, |s| s.wal_bytes as f64);
    quantiles(metrics, store, "store_commit_seconds", "Duration of a commit, the fsync included", |s| {
        s.commit_seconds.clone()
    });
    quantiles(metrics, store, "store_commit_units", "Units of work in a commit", |s| s.batch_units.clone());
}

/// Quantiles of a histogram: what one alerts on.
fn quantiles(
    metrics: &Metrics,
    store: &Store,
    name: &str,
    help: &str,
    read: fn(&plinth_store::StoreStats) -> HistogramSnapshot,
) {
    let store = store.clone();
    metrics.register_polled(Polled::Gauge, name, help, move || {
        let histogram = read(&store.stats());
        let sample = |q: f64| (vec![("quantile", q.to_string())], quantile(&histogram, q));
        vec![sample(0.5), sample(0.99)]
    });
}

/// A quantile of a histogram, interpolated within its bucket; 0 of nothing.
pub fn quantile(histogram: &HistogramSnapshot, q: f64) -> f64 {
    let rank = q * histogram.count as f64;
    let (mut seen, mut lower) = (0.0, 0.0);
    for (place, count) in histogram.buckets.iter().enumerate() {
        let upper = histogram.bounds.get(place).copied().unwrap_or(lower);
        if *count > 0 && seen + *count as f64 >= rank {
            return lower + (upper - lower) * ((rank - seen) / *count as f64).clamp(0.0, 1.0);
        }
        seen += *count as f64;
        lower = upper;
    }
    0.0
}

/// Registers the hub's figures.
pub fn realtime(metrics: &Metrics, hub: &Hub) {
    let connections = hub.clone();
    metrics.register_polled(
        Polled::Gauge,
        "realtime_connections",
        "Open connections by transport",
        move || {
            let open = connections.stats().connections;
            Transport::ALL
                .iter()
                .zip(open)
                .map(|(transport, count)| (vec![("transport", transport.name().to_owned())], count as f64))
                .collect()
        },
    );
    let gauge = |name: &str, help: &str, kind: Polled, read: fn(&plinth_realtime::HubStats) -> f64| {
        let hub = hub.clone();
        metrics.register_polled(kind, name, help, move || one(read(&hub.stats())));
    };
    gauge("realtime_subscriptions", "Subscriptions", Polled::Gauge, |s| s.subscriptions as f64);
    gauge("realtime_publications", "Publications", Polled::Counter, |s| s.publications as f64);
    gauge("realtime_deliveries", "Publications handed to subscribers", Polled::Counter, |s| {
        s.deliveries as f64
    });
    gauge(
        "realtime_slow_disconnects",
        "Connections closed because they did not read",
        Polled::Counter,
        |s| s.slow_disconnects as f64,
    );
}

/// Registers what the flow tables say.
pub fn flow(metrics: &Metrics, snapshot: &FlowSnapshot) {
    let read = |snapshot: &FlowSnapshot| snapshot.read().ok().and_then(|held| held.clone());
    let lag = snapshot.clone();
    metrics.register_polled(Polled::Gauge, "event_lag", "Events that a consumer has not seen", move || {
        let stats = read(&lag);
        stats
            .iter()
            .flat_map(|s| &s.consumers)
            .map(|c| (vec![("consumer", c.consumer.clone())], c.events as f64))
            .collect()
    });
    let parked = snapshot.clone();
    metrics.register_polled(Polled::Gauge, "events_parked", "Events that were put aside", move || {
        let stats = read(&parked);
        stats
            .iter()
            .flat_map(|s| &s.consumers)
            .map(|c| (vec![("consumer", c.consumer.clone())], c.parked as f64))
            .collect()
    });
    let jobs = snapshot.clone();
    metrics.register_polled(Polled::Gauge, "jobs", "Jobs by queue and state", move || {
        let stats = read(&jobs);
        let labels =
            |q: &plinth_flow::stats::QueueDepth| vec![("queue", q.queue.clone()), ("state", q.state.clone())];
        stats.iter().flat_map(|s| &s.queues).map(|q| (labels(q), q.jobs as f64)).collect()
    });
    let age = snapshot.clone();
    metrics.register_polled(
        Polled::Gauge,
        "job_age_seconds",
        "How long the oldest job of a queue has been due",
        move || {
            let stats = read(&age);
            let due = |q: &&plinth_flow::stats::QueueDepth| q.oldest_due_ms > 0;
            let sample = |q: &plinth_flow::stats::QueueDepth| {
                (
                    vec![("queue", q.queue.clone()), ("state", q.state.clone())],
                    q.oldest_due_ms as f64 / 1_000.0,
                )
            };
            stats.iter().flat_map(|s| &s.queues).filter(due).map(sample).collect()
        },
    );
}

/// Registers what this node's workers have done.
pub fn node(metrics: &Metrics, report: impl Fn() -> NodeReport + Send + Sync + 'static) {
    let help = "Attempts of this process by queue and outcome";
    metrics.register_polled(Polled::Counter, "job_attempts", help, move || attempts(&report()));
}

fn attempts(report: &NodeReport) -> Vec<Sample> {
    let label = |queue: &str, outcome: String| vec![("queue", queue.to_owned()), ("outcome", outcome)];
    let of_queue = |queue: &plinth_flow::stats::QueueReport| {
        let samples: Vec<Sample> = queue
            .attempts
            .iter()
            .map(|(outcome, count)| (label(&queue.queue, outcome.to_string()), *count as f64))
            .collect();
        samples
    };
    report.queues.iter().flat_map(of_queue).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let histogram =
            HistogramSnapshot { bounds: &[1.0, 2.0], buckets: vec![10, 10, 0], sum: 25.0, count: 20 };
        assert_eq!((quantile(&histogram, 0.25), quantile(&histogram, 0.75)), (0.5, 1.5));
        let empty = HistogramSnapshot { bounds: &[1.0], buckets: vec![0, 0], sum: 0.0, count: 0 };
        assert_eq!(quantile(&empty, 0.99), 0.0);
    }
}
