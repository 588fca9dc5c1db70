//! Export of traces to an OpenTelemetry collector, over OTLP/HTTP in JSON.
//!
//! What is sent is what was committed: the request log, the events, and flow's record of handlings, jobs and attempts.
//! It is the same timeline that `GET /v1/traces/{id}` answers, with the same ids. Nothing hooks into requests, nothing
//! waits for a collector, and a crash loses no span (ADR 0013).
//!
//! Cost, while configured: a read of a few indexes every two seconds; a commit for each 512 spans, or every
//! ten seconds when there are none; memory for one batch.

mod journal;
mod wire;

pub use journal::{MIGRATIONS, SYSTEM};

use crate::config::TelemetryConfig;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use journal::{Batch, Progress, Routes};
use plinth_gateway::{Metrics, Polled, catalog::Catalog};
use plinth_kernel::{Micros, Problem};
use plinth_store::{Engine, Store};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use wire::{Export, KeyValue, Span};

/// How often there is a look at what is new.
const EVERY: Duration = Duration::from_secs(2);
/// First pause after a failure; it doubles.
const BACKOFF_BASE: Duration = Duration::from_secs(2);
/// Longest pause after a failure, unless the collector asks for a longer one.
const BACKOFF_CAP: Duration = Duration::from_secs(60);
/// Longest pause that a collector may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// How long one export may take: what is left of the lease at least, so that no other process begins meanwhile.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of a collector's answer that are looked at.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What is older than this when the collector comes back is dropped, and counted: it would come too late to help
/// anybody, and before what does.
const BACKLOG_MS: i64 = 60 * 60 * 1_000;

/// Where traces go.
#[derive(Clone)]
pub struct Target {
    url: reqwest::Url,
    headers: HeaderMap,
}

impl Target {
    /// The collector of a configuration; `None` when there is none.
    pub fn of(config: &TelemetryConfig) -> Result<Option<Self>, String> {
        let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
        let address = "`telemetry.otlp_endpoint` is an http(s) address such as http://127.0.0.1:4318";
        let url = reqwest::Url::parse(&format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none())
            .ok_or(address)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "`telemetry.otlp_endpoint` must not hold a password: use `telemetry.otlp_headers`".into()
            );
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &config.otlp_headers.0 {
            let fault = |what: &str| format!("`telemetry.otlp_headers`: {name:?} {what}");
            let field: HeaderName = name.parse().map_err(|_| fault("is no name of a header"))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| fault("has no value of a header"))?;
            value.set_sensitive(true);
            headers.insert(field, value);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Some(Self { url, headers }))
    }
}

/// What the exporter has done.
#[derive(Debug, Default)]
struct Figures {
    exported: AtomicU64,
    dropped: AtomicU64,
    failures: AtomicU64,
    /// Until when everything was exported, in microseconds; 0 while another process exports.
    reached: AtomicI64,
}

impl Figures {
    fn register(self: &Arc<Self>, metrics: &Metrics, store: &Store) {
        let counter = |name: &str, help: &str, read: fn(&Self) -> &AtomicU64| {
            let figures = self.clone();
            let value = move || vec![(Vec::new(), read(&figures).load(Ordering::Relaxed) as f64)];
            metrics.register_polled(Polled::Counter, name, help, value);
        };
        counter("otlp_spans_exported", "Spans that a collector took", |figures| &figures.exported);
        counter("otlp_spans_dropped", "Spans refused by a collector, or too old to send", |figures| {
            &figures.dropped
        });
        counter("otlp_export_failures", "Exports that failed and are tried again", |figures| {
            &figures.failures
        });
        let (figures, world) = (self.clone(), store.world().clone());
        let lag = move || match figures.reached.load(Ordering::Relaxed) {
            0 => Vec::new(),
            reached => vec![(Vec::new(), world.now().since(Micros(reached)).max(0) as f64 / 1_000_000.0)],
        };
        let help = "Age of the oldest step that may not have been exported";
        metrics.register_polled(Polled::Gauge, "otlp_lag_seconds", help, lag);
    }
}

/// Why an export did not happen; it is tried again.
#[derive(Debug)]
struct Fault {
    why: String,
    /// When the collector wants to hear from us again.
    retry_after: Option<Duration>,
}

impl Fault {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), retry_after: None }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::new(problem.cause.unwrap_or(problem.detail))
    }
}

/// The place of a process that has the lease.
struct Held {
    progress: Progress,
    lease_until: Micros,
}

/// What becomes of spans.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Sent,
    Dropped,
}

/// Follows what is recorded and sends it.
pub struct Exporter {
    store: Store,
    client: reqwest::Client,
    target: Target,
    resource: Vec<KeyValue>,
    routes: Arc<Routes>,
    figures: Arc<Figures>,
    /// Names this process to the others.
    owner: String,
    held: Option<Held>,
    /// Failures in a row.
    failures: u32,
}

impl Exporter {
    /// An exporter for this configuration, when it names a collector. It does nothing until it [runs](Self::run).
    pub fn new(
        config: &TelemetryConfig,
        store: &Store,
        document: &utoipa::openapi::OpenApi,
        metrics: &Metrics,
    ) -> Result<Option<Self>, String> {
        let Some(target) = Target::of(config)? else { return Ok(None) };
        let catalog = Catalog::read(document, |_| ()).map_err(|error| error.to_string())?;
        let routes =
            catalog.operations().iter().map(|operation| (operation.id.clone(), operation.path.clone()));
        // Another part of the process may have installed a provider already; either serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(SEND_TIMEOUT)
            // A redirect could lead anywhere, with our headers.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("the client for `telemetry.otlp_endpoint`: {error}"))?;
        let figures = Arc::new(Figures::default());
        figures.register(metrics, store);
        Ok(Some(Self {
            client,
            target,
            resource: resource(config, store.engine()),
            routes: Arc::new(routes.collect()),
            figures,
            owner: store.world().token(),
            store: store.clone(),
            held: None,
            failures: 0,
        }))
    }

    /// Exports until `stop`. What is not exported by then is exported after the next start, or by another process.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let round = async {
                let done = self.catch_up().await;
                tokio::time::sleep(self.pause(done)).await;
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = round => {}
            }
        }
        if let Some(Held { progress, .. }) = self.held.take() {
            let owner = self.owner.clone();
            let released: Result<(), Problem> =
                self.store.write(move |tx| journal::release(tx, &owner, &progress)).await;
            if let Err(problem) = released {
                tracing::debug!(%problem, "the lease of the trace export runs out by itself");
            }
        }
    }

    /// How long to wait after a round, and a word at the first failure and at the end of failures.
    fn pause(&mut self, round: Result<(), Fault>) -> Duration {
        let Err(fault) = round else {
            if std::mem::take(&mut self.failures) > 0 {
                tracing::info!("traces are exported again");
            }
            return EVERY;
        };
        self.figures.failures.fetch_add(1, Ordering::Relaxed);
        if self.failures == 0 {
            tracing::warn!(
                why = fault.why,
                "traces cannot be exported; they are kept for an hour and tried again"
            );
        }
        self.failures = self.failures.saturating_add(1);
        let asked = fault.retry_after.map(|pause| pause.min(RETRY_AFTER_MAX));
        asked.unwrap_or_default().max(backoff(self.failures, |below| self.store.world().below(below)))
    }

    /// Exports what can be exported now.
    async fn catch_up(&mut self) -> Result<(), Fault> {
        let now = self.store.world().now();
        self.follow(now.plus_ms(-BACKLOG_MS), Fate::Dropped).await?;
        self.follow(now, Fate::Sent).await
    }

    /// Reads until `until`, batch by batch.
    async fn follow(&mut self, until: Micros, fate: Fate) -> Result<(), Fault> {
        loop {
            self.hold().await?;
            let Some(held) = &mut self.held else { return Ok(()) };
            let (progress, routes) = (held.progress.clone(), self.routes.clone());
            let batch: Batch =
                self.store.read(move |tx| journal::read(tx, &progress, until, &routes)).await?;
            let full = batch.full;
            if batch.spans.is_empty() {
                // Written down with the lease: a moment in which nothing happened is worth no commit.
                held.progress = batch.progress;
            } else {
                match fate {
                    Fate::Sent => self.send(&batch.spans).await?,
                    Fate::Dropped => self.drop_spans(batch.spans.len(), "older than an hour"),
                }
                self.keep(batch.progress).await?;
            }
            if !full {
                break;
            }
        }
        if let (Fate::Sent, Some(held)) = (fate, &self.held) {
            self.figures.reached.store(held.progress.reached().0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Takes the lease, or renews it in its second half.
    async fn hold(&mut self) -> Result<(), Fault> {
        let now = self.store.world().now();
        match &self.held {
            Some(held) if held.lease_until.since(now) > journal::LEASE_MS * 1_000 / 2 => Ok(()),
            Some(held) => {
                let progress = held.progress.clone();
                self.keep(progress).await
            }
            None => self.take(now).await,
        }
    }

    async fn take(&mut self, now: Micros) -> Result<(), Fault> {
        let owner = self.owner.clone();
        let taken: bool = self.store.read(move |tx| journal::is_taken(tx, &owner)).await?;
        if taken {
            return Ok(());
        }
        let owner = self.owner.clone();
        let progress: Option<Progress> = self.store.write(move |tx| journal::take(tx, &owner)).await?;
        self.held = progress.map(|progress| Held { progress, lease_until: now.plus_ms(journal::LEASE_MS) });
        Ok(())
    }

    /// Writes the place down; the lease is gone when another process has taken it meanwhile.
    async fn keep(&mut self, progress: Progress) -> Result<(), Fault> {
        let lease_until = self.store.world().now().plus_ms(journal::LEASE_MS);
        let (owner, written) = (self.owner.clone(), progress.clone());
        let ours: bool = self.store.write(move |tx| journal::keep(tx, &owner, &written)).await?;
        self.held = ours.then_some(Held { progress, lease_until });
        if !ours {
            self.figures.reached.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sends one batch. What the collector refuses for good is dropped, as the protocol asks: sending it again would
    /// be refused again, and hold up what comes after it.
    async fn send(&self, spans: &[Span]) -> Result<(), Fault> {
        let body = serde_json::to_vec(&Export::new(&self.resource, spans))
            .map_err(|error| Fault::new(error.to_string()))?;
        let request =
            self.client.post(self.target.url.clone()).headers(self.target.headers.clone()).body(body);
        // Without the address, which the operator knows and a log need not.
        let response = request.send().await.map_err(|error| Fault::new(reason(error.without_url())))?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let answer = answer(response).await;
        match status {
            status if status.is_success() => {
                let (rejected, message) = wire::rejected(&answer).unwrap_or_default();
                let rejected = (rejected as usize).min(spans.len());
                if rejected > 0 {
                    self.drop_spans(rejected, &message);
                }
                self.figures.exported.fetch_add((spans.len() - rejected) as u64, Ordering::Relaxed);
                Ok(())
            }
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => {
                Err(Fault { why: format!("the collector answered {status}"), retry_after })
            }
            status => {
                self.drop_spans(spans.len(), &format!("the collector answered {status}"));
                Ok(())
            }
        }
    }

    fn drop_spans(&self, spans: usize, why: &str) {
        self.figures.dropped.fetch_add(spans as u64, Ordering::Relaxed);
        tracing::warn!(spans, why, "spans were dropped");
    }
}

/// Half of the doubled pause for certain, the other half by chance: processes that failed together come back apart.
fn backoff(failures: u32, below: impl FnOnce(u64) -> u64) -> Duration {
    let doubled = BACKOFF_BASE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_CAP);
    let half = doubled.as_millis() as u64 / 2;
    Duration::from_millis(half + below(half + 1))
}

/// The innermost reason of a failed request: "connection refused" says more than "error sending request".
fn reason(error: reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = &error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    source.to_string()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The beginning of an answer; a collector that does not finish it has answered all the same.
async fn answer(mut response: reqwest::Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ANSWER_BYTES_MAX - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    bytes
}

/// What all spans have in common.
fn resource(config: &TelemetryConfig, engine: Engine) -> Vec<KeyValue> {
    let mode = match engine {
        Engine::Sqlite => "embedded",
        Engine::Postgres => "cluster",
    };
    vec![
        KeyValue::text("service.name", &*config.service_name),
        KeyValue::text("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::text("plinth.deployment.mode", mode),
        KeyValue::text("telemetry.sdk.name", "plinth"),
        KeyValue::text("telemetry.sdk.language", "rust"),
        KeyValue::text("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ]
}

#[cfg(test)]
mod tests;
