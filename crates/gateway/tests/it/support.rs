//! A whole edge for one test: store, identity, a few operations of its own, a listener, and a client that writes bytes.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use plinth_api::{ApiResult, Command, Ctx, Json, Problems, Reply, System};
use plinth_gateway::{
    Check, Gateway, GatewayConfig, GatewayParts, Metrics, Platform, PlatformConfig, ServeConfig, Sites,
    outbound::{Guard, OutboundPolicy, SystemResolver},
    requests::request_log,
    serve,
    version::{CURRENT, Versions},
};
use plinth_identity::{
    By, Config, Device, Identity, IssuedKey, KeyKind, NewKey, NewUserToken, NoJwks, ScopeCatalogue, Secret,
    SetupRequest, vault::MasterKey,
};
use plinth_kernel::{Code, Mode, Problem, SpanId, TenantId, TraceContext, TraceId, World};
use plinth_testkit::{Engine, TestStore};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub const PASSWORD: &str = "correct horse battery";

/// What the test's own operations count and wait for.
#[derive(Clone, Default)]
pub struct Lab(Arc<LabState>);

#[derive(Default)]
pub struct LabState {
    pub entered: AtomicU32,
    pub release: Notify,
    store: std::sync::OnceLock<plinth_store::Store>,
}

impl std::ops::Deref for Lab {
    type Target = LabState;
    fn deref(&self) -> &LabState {
        &self.0
    }
}

#[derive(Debug, Clone, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

const READ: &str = "lab:notes:read";

/// Echoes
#[utoipa::path(
    get, path = "/v1/notes/{id}", operation_id = "get_note", tag = "Lab", params(("id" = String, Path)),
    responses((status = 200, body = Note), Problems),
    security(("secret_key" = ["lab:notes:read"]), ("session" = ["lab:notes:read"]), ("user_token" = [])),
)]
async fn get_note(ctx: Ctx, Path(id): Path<String>) -> Response {
    let body = json!({"text": id, "trace": ctx.trace.trace_id, "actor": ctx.principal.actor.to_string(), "version": ctx.version,
        "client_request_id": ctx.client_request_id, "ip": ctx.client_ip.to_string()});
    axum::Json(body).into_response()
}

/// Makes one
#[utoipa::path(
    post, path = "/v1/notes", operation_id = "create_note", tag = "Lab", request_body = Note,
    responses((status = 201, body = Note), Problems),
    security(("secret_key" = ["lab:notes:write"]), ("session" = ["lab:notes:write"]), ("visitor" = [])),
    extensions(("x-plinth" = json!({"body_max_bytes": 1000}))),
)]
async fn create_note(State(lab): State<Lab>, command: Command<Note>) -> ApiResult<Response> {
    lab.entered.fetch_add(1, Ordering::SeqCst);
    let store = lab.store.get().expect("set at start").clone();
    command
        .run(&store, |_, ctx, note| {
            if note.text == "bad" {
                let fault = plinth_kernel::FieldError::pointer("/text", "bad", "It is bad.");
                return Err(Problem::validation(vec![fault]));
            }
            Reply::created(
                "/v1/notes/x",
                &json!({"text": note.text, "actor": ctx.principal.actor.to_string()}),
            )
        })
        .await
}

/// Sends money
#[utoipa::path(
    post, path = "/v1/payments", operation_id = "create_payment", tag = "Lab", request_body = Note,
    responses((status = 200, body = Note), Problems),
    security(("secret_key" = ["lab:notes:write"])),
    extensions(("x-plinth" = json!({"idempotency": "required"}))),
)]
async fn create_payment(ctx: Ctx, Json(note): Json<Note>) -> axum::Json<Value> {
    axum::Json(json!({"text": note.text, "key": ctx.idempotency_key}))
}

/// Waits until it is told to go on
#[utoipa::path(
    get, path = "/v1/slow", operation_id = "slow", tag = "Lab",
    responses((status = 200), Problems),
    security(("secret_key" = ["lab:notes:read"])),
    extensions(("x-plinth" = json!({"timeout_ms": 60000}))),
)]
async fn slow(State(lab): State<Lab>) -> &'static str {
    lab.entered.fetch_add(1, Ordering::SeqCst);
    lab.release.notified().await;
    "done"
}

/// Never ends
#[utoipa::path(
    get, path = "/v1/stuck", operation_id = "stuck", tag = "Lab",
    responses((status = 200), Problems),
    security(("secret_key" = ["lab:notes:read"])),
    extensions(("x-plinth" = json!({"timeout_ms": 30}))),
)]
async fn stuck() {
    std::future::pending().await
}

/// Panics
#[utoipa::path(
    get, path = "/v1/panics", operation_id = "panics", tag = "Lab",
    responses((status = 200), Problems),
    security(("secret_key" = ["lab:notes:read"])),
)]
async fn panics() -> &'static str {
    panic!("canary-in-a-panic")
}

/// Fails
#[utoipa::path(
    get, path = "/v1/fails/{code}", operation_id = "fails", tag = "Lab", params(("code" = u16, Path)),
    responses((status = 200), Problems),
    security(()),
)]
async fn fails(Path(code): Path<u16>) -> ApiResult<Response> {
    match code {
        500 => Err(Problem::internal("canary-in-a-cause").into()),
        409 => Err(Problem::new(Code::Conflict, "Taken.").into()),
        status => {
            Ok((http::StatusCode::from_u16(status).unwrap(), "plain text of a framework").into_response())
        }
    }
}

/// For pages
#[utoipa::path(
    get, path = "/v1/widget", operation_id = "widget", tag = "Lab",
    responses((status = 200), Problems),
    security(("publishable_key" = ["forms:published:read"]), ("user_token" = [])),
)]
async fn widget() -> axum::Json<Value> {
    axum::Json(json!({"ok": true}))
}

impl System for Lab {
    fn name(&self) -> &'static str {
        "lab"
    }
    fn migrations(&self) -> &'static [plinth_store::Migration] {
        &[]
    }
    fn routes(&self) -> OpenApiRouter {
        OpenApiRouter::new()
            .routes(routes!(get_note))
            .routes(routes!(create_note))
            .routes(routes!(create_payment))
            .routes(routes!(slow))
            .routes(routes!(stuck))
            .routes(routes!(panics))
            .routes(routes!(fails))
            .routes(routes!(widget))
            .with_state(self.clone())
    }
}

fn web() -> axum::Router {
    use axum::routing::get;
    async fn page() -> Response {
        ([(http::header::CONTENT_TYPE, "text/html; charset=utf-8")], "<h1>Site</h1>").into_response()
    }
    async fn contact(
        axum::Extension(visitor): axum::Extension<plinth_kernel::ports::VisitorContext>,
        body: String,
    ) -> String {
        format!("{} {}", visitor.visitor, body.len())
    }
    async fn crash() -> &'static str {
        panic!("a page panics")
    }
    axum::Router::new()
        .route("/", get(page))
        .route("/contact", get(page).post(contact))
        .route("/crash", get(crash))
}

pub struct Options {
    pub gateway: Box<dyn FnOnce(&mut GatewayConfig)>,
    pub serve: Box<dyn FnOnce(&mut ServeConfig)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { gateway: Box::new(|_| ()), serve: Box::new(|_| ()) }
    }
}

/// A running edge.
pub struct App {
    pub address: SocketAddr,
    pub store: TestStore,
    pub identity: Identity,
    pub tenant: TenantId,
    pub test_tenant: TenantId,
    pub gateway: Gateway,
    pub lab: Lab,
    pub stop: CancellationToken,
    pub session: String,
    pub served: tokio::task::JoinHandle<std::io::Result<()>>,
    pub document: OpenApi,
    pub ready: Arc<std::sync::atomic::AtomicBool>,
}

pub fn trace() -> TraceContext {
    TraceContext { trace_id: TraceId([7; 16]), span_id: SpanId([7; 8]) }
}

impl App {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        Self::on(TestStore::builder(Engine::Sqlite).open().await, options).await
    }

    pub async fn on(store: TestStore, options: Options) -> Self {
        store.migrate("api", plinth_api::migrations::MIGRATIONS).await.unwrap();
        store.migrate(plinth_flow::SYSTEM, plinth_flow::MIGRATIONS).await.unwrap();
        store.migrate(plinth_identity::SYSTEM, plinth_identity::MIGRATIONS).await.unwrap();
        store.migrate("gateway", plinth_gateway::requests::MIGRATIONS).await.unwrap();
        let mut config = GatewayConfig::default();
        (options.gateway)(&mut config);
        let lab = Lab::default();
        let _ = lab.store.set(store.store());
        // The document must be known before identity: keys are checked against its scopes.
        let sites = Sites::default();
        let guard = Guard::new(OutboundPolicy::default(), Arc::new(SystemResolver));
        let identity_config = |scopes: ScopeCatalogue| Config {
            scopes,
            master_key: MasterKey::generate(&World::manual(4711).0),
            issuer: "https://plinth.test".into(),
            newest_version: CURRENT,
            trusted_origins: vec!["http://localhost:5173".into()],
            jwks: Arc::new(NoJwks),
            allow_plain_jwks: false,
        };
        let platform = |identity: Identity| {
            Platform::new(PlatformConfig {
                store: store.store(),
                identity,
                sites: sites.clone(),
                public_url: "https://plinth.test".into(),
                rates: config.rates,
                versions: Versions::default(),
                guard: guard.clone(),
            })
        };
        let (_, mut document) = lab.routes().split_for_parts();
        document.merge(Platform::document());
        let scopes = ScopeCatalogue::new(plinth_gateway::catalog::scopes(&document).unwrap()).unwrap();
        let identity = Identity::open(store.store(), identity_config(scopes)).await.unwrap();
        let (api, document) = lab.routes().merge(platform(identity.clone()).routes()).split_for_parts();

        let metrics = Metrics::new();
        let (log, writer) = request_log(metrics.clone(), 14);
        let ready = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let readiness = ready.clone();
        let gateway = Gateway::new(GatewayParts {
            config,
            world: store.world().clone(),
            identity: identity.clone(),
            document: document.clone(),
            api,
            web: web(),
            sites: sites.clone(),
            metrics,
            log,
            versions: Versions::default(),
            checks: vec![Check::new("store", move || {
                let ready = readiness.load(Ordering::SeqCst);
                Box::pin(async move { if ready { Ok(()) } else { Err("the disk is full".to_owned()) } })
            })],
            cross_site_prefixes: vec!["/connection/"],
        })
        .unwrap();
        let token = identity.issue_setup_token().await.unwrap().unwrap().into_revealed();
        let opened = identity.complete_setup(setup_request(token), device()).await.unwrap();
        sites.set_default(opened.tenant.clone(), Mode::Live);
        let (shared, tenant) = (identity.clone(), opened.tenant.clone());
        let test_tenant = store
            .read(move |tx| shared.get_tenant(tx, &tenant).map(|t| t.twin_id))
            .await
            .map_err(|p: Problem| p)
            .unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut serve_config = ServeConfig::default();
        (options.serve)(&mut serve_config);
        let served = tokio::spawn(serve(listener, gateway.clone(), serve_config, stop.clone()));
        tokio::spawn(writer.run(store.store(), stop.clone()));
        Self {
            address,
            identity,
            tenant: opened.tenant,
            test_tenant,
            gateway,
            lab,
            stop,
            session: opened.token.into_revealed(),
            served,
            document,
            ready,
            store,
        }
    }

    pub async fn issue(&self, new: NewKey) -> IssuedKey {
        self.issue_in(&self.tenant, new).await
    }

    pub async fn issue_in(&self, tenant: &TenantId, new: NewKey) -> IssuedKey {
        let (identity, by) = (self.identity.clone(), By::system(tenant.clone(), "test", trace()));
        self.store.write(move |tx| identity.create_key(tx, &by, &new)).await.map_err(|p: Problem| p).unwrap()
    }

    /// A secret key with these scopes.
    pub async fn key(&self, scopes: &[&str]) -> String {
        self.issue(new_key(KeyKind::Secret, scopes, &[])).await.text.into_revealed()
    }

    pub async fn publishable(&self, origins: &[&str]) -> String {
        self.issue(new_key(KeyKind::Publishable, &[], origins)).await.text.into_revealed()
    }

    pub async fn user_token(&self) -> String {
        let new = NewUserToken {
            user_id: "customer-1".into(),
            expires_in_seconds: None,
            scopes: None,
            channels: vec![],
            channel_patterns: vec![],
            info: None,
        };
        self.identity
            .mint_user_token(&By::system(self.tenant.clone(), "test", trace()), &new)
            .await
            .unwrap()
            .token
    }

    pub async fn get(&self, path: &str, key: &str) -> Answer {
        self.call("GET", path, &[("authorization", &format!("Bearer {key}"))], "").await
    }

    pub async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {key}");
        self.call(
            "POST",
            path,
            &[("authorization", &bearer), ("content-type", "application/json")],
            &body.to_string(),
        )
        .await
    }

    /// A request of the console: with the session's cookie, from our own page.
    pub async fn console(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let cookie = format!("plinth_session={}", self.session);
        let mut headers = vec![("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.call(method, path, &headers, &body.map_or(String::new(), |b| b.to_string())).await
    }

    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: plinth.test\r\nconnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.raw(text.as_bytes()).await
    }

    /// Sends bytes, reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that has heard enough closes while we are still talking.
        let _ = stream.write_all(bytes).await;
        Answer::read(&mut stream).await
    }
}

pub fn new_key(kind: KeyKind, scopes: &[&str], origins: &[&str]) -> NewKey {
    NewKey {
        kind,
        name: "test".into(),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        allowed_ips: vec![],
        allowed_origins: origins.iter().map(|s| (*s).to_owned()).collect(),
        expires_at: None,
    }
}

pub fn device() -> Device {
    Device { ip: None, user_agent: None, request_id: None, trace: trace() }
}

pub fn setup_request(token: String) -> SetupRequest {
    SetupRequest {
        token,
        email: "ada@example.com".into(),
        password: Secret::new(PASSWORD.into()),
        name: "Ada".into(),
        organisation: "Acme".into(),
    }
}

/// An answer, as bytes said it.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// Reads until the connection ends, for ten seconds at most.
    pub async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), async {
            let mut chunk = [0; 16_384];
            while let Ok(n) = stream.read(&mut chunk).await {
                if n == 0 {
                    break;
                }
                bytes.extend_from_slice(&chunk[..n]);
            }
        });
        assert!(read.await.is_ok(), "the server does not close: {}", String::from_utf8_lossy(&bytes));
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.split("\r\n");
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|s| s.parse().ok()).unwrap_or(0);
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(n, v)| (n.to_lowercase(), v.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Checks everything that every refusal promises, and returns its code.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let id = self.header("x-request-id").unwrap_or_else(|| panic!("no X-Request-Id: {self:?}"));
        assert!(id.starts_with("req_") && id.len() == 30, "{id}");
        let json = self.json();
        assert_eq!(json["status"], self.status, "{self:?}");
        assert_eq!(json["request_id"], id);
        assert_eq!(json["type"], format!("/docs/errors/{}", json["code"].as_str().unwrap()));
        for member in ["title", "detail", "instance", "retryable"] {
            assert!(json.get(member).is_some(), "{member} is missing: {self:?}");
        }
        assert!(!self.body.contains("canary"), "an inner cause is shown: {self:?}");
        json["code"].as_str().unwrap().to_owned()
    }
}

/// The scope that the lab's reads need.
pub const LAB_READ: &str = READ;
