//! One pass from the wire to the handler and back (ADR 0011).
//!
//! The order is the design: what is cheap and refuses most comes first; nothing is read, allocated or looked up for a
//! request that an earlier step turns away.
//!
//! 1. protocol sanity ([`crate::sanity`]) · 2. id, trace, clock · 3. route, and preflight · 4. authentication, with a
//!    limit on failures by address · 5. scope · 6. rate limits ([`crate::quotas`]) · 7. syntax of the headers that steer
//!    (`Idempotency-Key`, `Plinth-Version`, declared length) · 8. admission ([`crate::admission`]) · 9. body guard,
//!    request transform, deadline, handler · 10. answer: transform, problem document, headers, log, metrics.

mod api;
mod finish;
mod operations;
mod web;

use crate::{
    admission::{Lane, LaneReport},
    catalog::{Catalog, CatalogError, Endpoint},
    gradient::LaneConfig,
    head, limits,
    metrics::{Metrics, OperationMetrics, Polled},
    quotas::{Quotas, Rates, Receipt},
    requests::RequestLog,
    sanity,
    sites::Sites,
    version::Versions,
    wire::HeadFault,
};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use plinth_api::operation::{Class, Idempotency, Operation};
use plinth_identity::{Identity, model::net::Cidr};
use plinth_kernel::{
    Actor, ApiVersion, Code, Id, Micros, Problem, RequestId, SpanId, TenantId, TraceContext, TraceId, World,
};
use std::{
    hash::RandomState,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

pub use operations::Check;

/// What operators decide about the edge.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Proxies in front of us: their `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Rate limits.
    pub rates: Rates,
    /// Concurrency of reads.
    pub read_lane: LaneConfig,
    /// Concurrency of writes.
    pub write_lane: LaneConfig,
    /// How long a body may take to arrive.
    pub body_deadline_ms: u64,
    /// Who may read `/metrics`.
    pub metrics_readers: Vec<Cidr>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        let private = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"];
        Self {
            trusted_proxies: Vec::new(),
            rates: Rates::default(),
            read_lane: LaneConfig::default(),
            // One commit carries many writes, so a write lane that is deep is fast, not overloaded; the store's own
            // queue is the bound that matters.
            write_lane: LaneConfig { initial: 512, min: 128, max: 2_048 },
            body_deadline_ms: limits::BODY_DEADLINE_MS,
            metrics_readers: private.iter().filter_map(|range| Cidr::parse(range).ok()).collect(),
        }
    }
}

/// What the composition root hands to the edge.
pub struct GatewayParts {
    /// Configuration.
    pub config: GatewayConfig,
    /// Time and randomness.
    pub world: World,
    /// Who is who.
    pub identity: Identity,
    /// The contract: every system's operations.
    pub document: utoipa::openapi::OpenApi,
    /// The handlers of those operations.
    pub api: axum::Router,
    /// Everything else: site, console, realtime sockets.
    pub web: axum::Router,
    /// Which tenant a host shows.
    pub sites: Sites,
    /// Where metrics are registered.
    pub metrics: Metrics,
    /// Where requests are logged.
    pub log: RequestLog,
    /// Supported versions of the contract.
    pub versions: Versions,
    /// What must work for `/readyz` to say yes.
    pub checks: Vec<Check>,
    /// First parts of paths whose handlers check origins themselves (realtime transports).
    pub cross_site_prefixes: Vec<&'static str>,
}

/// The edge. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    config: GatewayConfig,
    world: World,
    identity: Identity,
    catalog: Catalog<Arc<OperationMetrics>>,
    api: axum::Router,
    web: axum::Router,
    web_operation: Arc<Operation>,
    web_metrics: Arc<OperationMetrics>,
    sites: Sites,
    quotas: Quotas,
    read_lane: Arc<Lane>,
    write_lane: Arc<Lane>,
    metrics: Metrics,
    log: RequestLog,
    versions: Versions,
    current_version: HeaderValue,
    checks: Vec<Check>,
    cross_site_prefixes: Vec<&'static str>,
    openapi: Bytes,
    docs: crate::docs::Docs,
    cursor_key: [u8; 32],
    sealer: plinth_api::Sealer,
    tenant_hasher: RandomState,
    fault: HeadFault,
}

/// How the request came, for handlers that set cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// Whether the client speaks TLS, to us or to a trusted proxy.
    pub secure: bool,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
}

/// What is known about a request from its first moment, and what is learnt on its way to the log.
struct Journey {
    request_id: RequestId,
    trace: TraceContext,
    /// The caller's own step, when it is in our place to continue its trace.
    parent_span: Option<SpanId>,
    received_at: Micros,
    method: Method,
    path: String,
    client_ip: IpAddr,
    secure: bool,
    operation: Option<Arc<Operation>>,
    receipt: Receipt,
    version: Option<ApiVersion>,
    /// Who asked, for the log.
    who: Option<(TenantId, Actor)>,
    user_agent: String,
    client_request_id: Option<String>,
    idempotency_key: Option<String>,
    /// The origin that may read the answer.
    grant: Option<HeaderValue>,
    set_cookie: Option<HeaderValue>,
    measured: Option<Measured>,
}

/// Counts a request as under way, and as ended whatever happens to it.
struct Measured {
    metrics: Arc<OperationMetrics>,
    world: World,
    started_at: Micros,
    ended: bool,
}

/// Status that is counted when the client goes away before its answer.
const CLIENT_GONE: u16 = 499;

impl Measured {
    fn start(metrics: &Arc<OperationMetrics>, world: &World, started_at: Micros) -> Self {
        metrics.started();
        Self { metrics: metrics.clone(), world: world.clone(), started_at, ended: false }
    }

    fn end(&mut self, status: u16, elapsed_us: i64) {
        if !std::mem::replace(&mut self.ended, true) {
            self.metrics.ended(status, elapsed_us);
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let elapsed = self.world.now().since(self.started_at);
        self.end(CLIENT_GONE, elapsed);
    }
}

impl Gateway {
    /// Builds the edge.
    ///
    /// # Errors
    /// When the document has an operation that does not say what the edge must know.
    pub fn new(parts: GatewayParts) -> Result<Self, CatalogError> {
        let GatewayParts { config, world, metrics, .. } = parts;
        let catalog =
            Catalog::read(&parts.document, |operation| metrics.operation(&operation.id, operation.class))?;
        let versions = parts.versions;
        let current = versions.current();
        let inner = Inner {
            catalog,
            openapi: Bytes::from(serde_json::to_vec(&parts.document)?),
            docs: crate::docs::Docs::new(&parts.document, &versions)?,
            web_operation: Arc::new(web_operation()),
            web_metrics: metrics.operation("page", Class::Read),
            cursor_key: parts.identity.derive_key("cursor").into_revealed(),
            sealer: plinth_api::Sealer::new(parts.identity.clone()),
            quotas: Quotas::new(config.rates),
            read_lane: Lane::new(config.read_lane),
            write_lane: Lane::new(config.write_lane),
            current_version: HeaderValue::try_from(current.to_string())
                .unwrap_or(HeaderValue::from_static("")),
            fault: head_fault(world.clone(), metrics.clone()),
            identity: parts.identity,
            api: parts.api,
            web: parts.web,
            sites: parts.sites,
            log: parts.log,
            checks: parts.checks,
            cross_site_prefixes: parts.cross_site_prefixes,
            tenant_hasher: RandomState::new(),
            config,
            world,
            metrics,
            versions,
        };
        let gateway = Self { inner: Arc::new(inner) };
        gateway.register_lanes();
        Ok(gateway)
    }

    fn register_lanes(&self) {
        let report = |what: fn(LaneReport) -> f64| {
            let lanes = [("read", self.inner.read_lane.clone()), ("write", self.inner.write_lane.clone())];
            move || {
                lanes
                    .iter()
                    .map(|(name, lane)| (vec![("lane", (*name).to_owned())], what(lane.report())))
                    .collect()
            }
        };
        let metrics = &self.inner.metrics;
        metrics.register_polled(
            Polled::Gauge,
            "admission_limit",
            "Concurrency limit",
            report(|r| f64::from(r.limit)),
        );
        metrics.register_polled(
            Polled::Gauge,
            "admission_inflight",
            "Slots in use",
            report(|r| f64::from(r.inflight)),
        );
        metrics.register_polled(
            Polled::Gauge,
            "admission_waiting",
            "Requests waiting for a slot",
            report(|r| r.waiting as f64),
        );
    }

    /// The metrics it counts into.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Every operation, as read from the document.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        self.inner.catalog.operations()
    }

    /// Whether an address is a proxy of ours.
    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        self.inner.config.trusted_proxies.iter().any(|range| range.contains(ip))
    }

    pub(crate) fn head_fault(&self) -> HeadFault {
        self.inner.fault.clone()
    }

    /// Serves one request. Never fails: what goes wrong is an answer.
    pub async fn handle<B>(&self, request: Request<B>, peer: Peer) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let inner = &*self.inner;
        let (mut parts, body) = request.into_parts();
        let mut journey = inner.begin(&parts, peer);
        let host = match sanity::check(&parts) {
            Ok(host) => host.to_owned(),
            Err(problem) => return inner.finish_problem(journey, problem),
        };
        // A copy of the path's reference count, not of its text: the parts go into the handler.
        let uri = parts.uri.clone();
        let path = uri.path();
        if let Some(resource) = inner.catalog.find(path) {
            let result = inner.api(resource, &host, &mut parts, body, &mut journey).await;
            return inner.finish_api(journey, result).await;
        }
        if let Some(response) = inner.operations(&parts, &journey).await {
            return inner.finish_page(journey, response).await;
        }
        if path == "/v1" || path.starts_with("/v1/") {
            let problem = Problem::new(Code::NotFound, "There is no operation at this path; see /docs.");
            return inner.finish_problem(journey, problem);
        }
        let accepts_html = accepts_html(&parts);
        match inner.page(&host, parts, body, &mut journey).await {
            Ok(response) => inner.finish_page(journey, response).await,
            Err(problem) if accepts_html => inner.finish_html_problem(journey, problem),
            Err(problem) => inner.finish_problem(journey, problem),
        }
    }
}

impl Inner {
    fn begin(&self, parts: &http::request::Parts, peer: Peer) -> Journey {
        let now = self.world.now();
        // One call for all random bytes: each is a system call.
        let seed: [u8; 40] = self.world.bytes();
        let origin =
            head::origin(&parts.headers, peer.address.ip(), peer.secure, &self.config.trusted_proxies);
        Journey {
            request_id: request_id(now, &seed),
            trace: trace(&seed),
            parent_span: None,
            received_at: now,
            method: parts.method.clone(),
            path: String::new(),
            client_ip: origin.ip,
            secure: origin.secure,
            operation: None,
            receipt: Receipt::default(),
            version: None,
            who: None,
            user_agent: String::new(),
            client_request_id: None,
            idempotency_key: None,
            grant: None,
            set_cookie: None,
            measured: None,
        }
        .with_path(parts.uri.path())
    }

    fn lane(&self, class: Class) -> &Arc<Lane> {
        if class == Class::Write { &self.write_lane } else { &self.read_lane }
    }

    fn measure(&self, endpoint: &Endpoint<Arc<OperationMetrics>>, journey: &mut Journey) {
        journey.operation = Some(endpoint.operation.clone());
        journey.measured = Some(Measured::start(&endpoint.attached, &self.world, journey.received_at));
    }
}

impl Journey {
    fn with_path(mut self, path: &str) -> Self {
        let mut end = path.len().min(limits::LOGGED_PATH_BYTES_MAX);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        self.path = path[..end].to_owned();
        self
    }
}

/// An id for the request: a UUIDv7 of the present, with the first bytes of `seed`.
fn request_id(now: Micros, seed: &[u8; 40]) -> RequestId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&seed[..16]);
    let ms = u64::try_from(now.as_millis()).unwrap_or(0);
    bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    RequestId::from_uuid(bytes)
}

/// A trace of our own, from the rest of `seed`.
fn trace(seed: &[u8; 40]) -> TraceContext {
    let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
    trace_id.copy_from_slice(&seed[16..32]);
    span_id.copy_from_slice(&seed[32..]);
    // Never the forbidden all-zeros.
    trace_id[15] |= 1;
    span_id[7] |= 1;
    TraceContext { trace_id: TraceId(trace_id), span_id: SpanId(span_id) }
}

fn accepts_html(parts: &http::request::Parts) -> bool {
    head::text(&parts.headers, &http::header::ACCEPT).is_some_and(|accept| accept.contains("text/html"))
}

/// What pages are, to code that asks about the operation.
fn web_operation() -> Operation {
    Operation {
        id: "page".to_owned(),
        method: "GET".to_owned(),
        path: "/".to_owned(),
        callers: Vec::new(),
        anonymous: true,
        class: Class::Read,
        cost: 1,
        body_max_bytes: limits::WEB_BODY_BYTES_MAX,
        timeout_ms: Some(limits::WRITE_TIMEOUT_MS),
        idempotency: Idempotency::Accepted,
    }
}

/// Answers a head that could not be parsed as every other refusal is answered.
fn head_fault(world: World, metrics: Metrics) -> HeadFault {
    Arc::new(move |status| {
        metrics.head_refused();
        let (code, detail) = match status {
            414 => (Code::UriTooLong, "The request line is too long."),
            431 => (Code::HeadersTooLarge, "There are too many header fields, or they are too large."),
            _ => (Code::InvalidRequest, "This is not a well-formed HTTP request."),
        };
        let id: RequestId = world.id();
        let body = plinth_api::ProblemBody::new(&Problem::new(code, detail), &id);
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let reason =
            http::StatusCode::from_u16(code.status()).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
        let mut answer = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nx-content-type-options: nosniff\r\nx-request-id: {id}\r\nconnection: close\r\n\r\n",
            code.status(),
            body.len(),
        )
        .into_bytes();
        answer.extend_from_slice(&body);
        answer
    })
}
