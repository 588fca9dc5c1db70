//! What the process tells Prometheus. Labels are bounded: operation, code, class, policy; never a tenant.

use crate::quotas;
use parking_lot::RwLock;
use plinth_api::operation::Class;
use plinth_kernel::Code;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Metric, Registry},
};
use std::sync::{Arc, OnceLock};

/// Seconds, 1 ms to 10 s.
const LATENCY_BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The registry, and the edge's own metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: RwLock<Registry>,
    requests: Family<RequestLabels, Counter>,
    latency: Family<OperationLabel, Histogram, fn() -> Histogram>,
    inflight: Family<ClassLabel, Gauge>,
    shed: Family<ClassLabel, Counter>,
    limited: Family<PolicyLabel, Counter>,
    auth_failures: Family<CodeLabel, Counter>,
    panics: Counter,
    connections: Gauge,
    connections_refused: Counter,
    heads_refused: Counter,
    log_rows: Counter,
    log_dropped: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    op: String,
    code: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    op: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PolicyLabel {
    policy: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

/// Name of a class, as a label.
#[must_use]
pub fn class_name(class: Class) -> &'static str {
    match class {
        Class::Critical => "critical",
        Class::Write => "write",
        Class::Read => "read",
        Class::Bulk => "bulk",
        Class::Background => "background",
    }
}

/// What one operation counts into, looked up once instead of per request.
#[derive(Debug)]
pub struct OperationMetrics {
    op: String,
    requests: Family<RequestLabels, Counter>,
    codes: [OnceLock<Counter>; CODES.len()],
    latency: Histogram,
    inflight: Gauge,
}

/// Codes with a place of their own; rarer ones are looked up.
const CODES: [u16; 20] =
    [200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503, 504];

impl OperationMetrics {
    /// Counts a request that has begun.
    pub fn started(&self) {
        self.inflight.inc();
    }

    /// Counts a request that has ended.
    pub fn ended(&self, status: u16, elapsed_us: i64) {
        self.inflight.dec();
        self.latency.observe(elapsed_us.max(0) as f64 / 1_000_000.0);
        match CODES.iter().position(|code| *code == status) {
            Some(at) => self.codes[at].get_or_init(|| self.counter(status)).inc(),
            None => self.counter(status).inc(),
        };
    }

    fn counter(&self, status: u16) -> Counter {
        self.requests.get_or_create_owned(&RequestLabels { op: self.op.clone(), code: u32::from(status) })
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry with the edge's metrics, all under `plinth_`.
    #[must_use]
    pub fn new() -> Self {
        let latency: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let inner = Inner {
            registry: RwLock::new(Registry::with_prefix("plinth")),
            requests: Family::default(),
            latency: Family::new_with_constructor(latency),
            inflight: Family::default(),
            shed: Family::default(),
            limited: Family::default(),
            auth_failures: Family::default(),
            panics: Counter::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            heads_refused: Counter::default(),
            log_rows: Counter::default(),
            log_dropped: Counter::default(),
        };
        inner.register();
        inner.begin_at_zero();
        Self { inner: Arc::new(inner) }
    }

    /// Adds a metric of another part of the product; the prefix is put in front of its name.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.inner.registry.write().register(name, help, metric);
    }

    /// Adds gauges or counters whose values are asked for when they are scraped: each sample is its labels and value.
    pub fn register_polled<F>(&self, kind: Polled, name: &str, help: &str, read: F)
    where
        F: Fn() -> Vec<Sample> + Send + Sync + 'static,
    {
        let collector =
            PolledMetric { kind, name: name.to_owned(), help: help.to_owned(), read: Box::new(read) };
        self.inner.registry.write().register_collector(Box::new(collector));
    }

    /// The metrics of one operation.
    #[must_use]
    pub fn operation(&self, op: &str, class: Class) -> Arc<OperationMetrics> {
        Arc::new(OperationMetrics {
            op: op.to_owned(),
            requests: self.inner.requests.clone(),
            codes: std::array::from_fn(|_| OnceLock::new()),
            latency: self.inner.latency.get_or_create_owned(&OperationLabel { op: op.to_owned() }),
            inflight: self.inner.inflight.get_or_create_owned(&ClassLabel { class: class_name(class) }),
        })
    }

    /// The text that Prometheus scrapes (OpenMetrics).
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.inner.registry.read())
        {
            tracing::error!(%error, "metrics could not be written");
        }
        text
    }

    pub(crate) fn shed(&self, class: Class) {
        self.inner.shed.get_or_create(&ClassLabel { class: class_name(class) }).inc();
    }

    pub(crate) fn limited(&self, policy: &str) {
        self.inner.limited.get_or_create(&PolicyLabel { policy: policy.to_owned() }).inc();
    }

    pub(crate) fn auth_failed(&self, code: &'static str) {
        self.inner.auth_failures.get_or_create(&CodeLabel { code }).inc();
    }

    pub(crate) fn panicked(&self) {
        self.inner.panics.inc();
    }

    pub(crate) fn connection_opened(&self) {
        self.inner.connections.inc();
    }

    pub(crate) fn connection_closed(&self) {
        self.inner.connections.dec();
    }

    pub(crate) fn connection_refused(&self) {
        self.inner.connections_refused.inc();
    }

    pub(crate) fn head_refused(&self) {
        self.inner.heads_refused.inc();
    }

    pub(crate) fn log_written(&self, rows: u64) {
        self.inner.log_rows.inc_by(rows);
    }

    pub(crate) fn log_dropped(&self, rows: u64) {
        self.inner.log_dropped.inc_by(rows);
    }

    /// Requests that the log did not keep.
    #[must_use]
    pub fn log_dropped_total(&self) -> u64 {
        self.inner.log_dropped.get()
    }
}

impl Inner {
    /// A counter that appears with its first increment hides that increment from `rate` and `increase`.
    fn begin_at_zero(&self) {
        for class in [Class::Critical, Class::Write, Class::Read, Class::Bulk, Class::Background] {
            drop(self.shed.get_or_create(&ClassLabel { class: class_name(class) }));
        }
        for policy in quotas::NAMES.into_iter().chain([quotas::PAGES]) {
            drop(self.limited.get_or_create(&PolicyLabel { policy: policy.to_owned() }));
        }
        for code in Code::ALL.iter().filter(|code| code.status() == 401) {
            drop(self.auth_failures.get_or_create(&CodeLabel { code: code.as_str() }));
        }
    }

    fn register(&self) {
        let mut registry = self.registry.write();
        registry.register("http_requests", "Requests by operation and status", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from head to head, by operation",
            self.latency.clone(),
        );
        registry.register("http_inflight", "Requests under way, by class", self.inflight.clone());
        registry.register("http_shed", "Requests refused for lack of capacity, by class", self.shed.clone());
        registry.register(
            "limit_decisions",
            "Requests refused by a rate limit, by policy",
            self.limited.clone(),
        );
        registry.register("auth_failures", "Refused credentials, by code", self.auth_failures.clone());
        registry.register("http_panics", "Handlers that panicked", self.panics.clone());
        registry.register("http_connections", "Open connections", self.connections.clone());
        registry.register(
            "http_connections_refused",
            "Connections over a cap",
            self.connections_refused.clone(),
        );
        registry.register("http_heads_refused", "Heads that are not HTTP", self.heads_refused.clone());
        registry.register("request_log_rows", "Requests written to the log", self.log_rows.clone());
        registry.register("request_log_dropped", "Requests the log did not keep", self.log_dropped.clone());
    }
}

/// What a polled metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// Goes up and down.
    Gauge,
    /// Only goes up; `_total` is appended to its name.
    Counter,
}

impl Polled {
    fn write(self, encoder: MetricEncoder<'_>, value: f64) -> std::fmt::Result {
        match self {
            Self::Gauge => ConstGauge::new(value).encode(encoder),
            Self::Counter => ConstCounter::new(value).encode(encoder),
        }
    }
}

/// One value of a polled metric, with its labels.
pub type Sample = (Vec<(&'static str, String)>, f64);

struct PolledMetric {
    kind: Polled,
    name: String,
    help: String,
    read: Box<dyn Fn() -> Vec<Sample> + Send + Sync>,
}

impl std::fmt::Debug for PolledMetric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PolledMetric({})", self.name)
    }
}

impl Collector for PolledMetric {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let samples = (self.read)();
        let kind = match self.kind {
            Polled::Gauge => ConstGauge::new(0.0).metric_type(),
            Polled::Counter => ConstCounter::new(0.0).metric_type(),
        };
        let mut family = encoder.encode_descriptor(&self.name, &self.help, None, kind)?;
        if let [(labels, value)] = &samples[..]
            && labels.is_empty()
        {
            return self.kind.write(family, *value);
        }
        for (labels, value) in samples {
            self.kind.write(family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_registered_is_scraped() {
        let metrics = Metrics::new();
        let operation = metrics.operation("list_things", Class::Read);
        operation.started();
        operation.ended(200, 1_500);
        operation.started();
        operation.ended(418, 1_500);
        metrics.register_polled(Polled::Gauge, "store_queue", "Units waiting", || {
            vec![(vec![("lane", "write".to_owned())], 3.0), (vec![("lane", "read".to_owned())], 0.0)]
        });
        metrics.register_polled(Polled::Counter, "store_commits", "Commits", || vec![(vec![], 7.0)]);
        let text = metrics.encode();
        for line in [
            "plinth_http_requests_total{op=\"list_things\",code=\"200\"} 1",
            "plinth_http_requests_total{op=\"list_things\",code=\"418\"} 1",
            "plinth_http_request_duration_seconds_bucket{le=\"0.0025\",op=\"list_things\"} 2",
            "plinth_http_inflight{class=\"read\"} 0",
            "plinth_http_shed_total{class=\"read\"} 0",
            "plinth_limit_decisions_total{policy=\"pages\"} 0",
            "plinth_auth_failures_total{code=\"token_invalid\"} 0",
            "plinth_store_queue{lane=\"write\"} 3.0",
            "plinth_store_commits_total 7.0",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
