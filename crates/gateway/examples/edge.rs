//! The edge around one operation that does nothing, for profiling: prints its address and a key, and serves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use plinth_api::Problems;
use plinth_gateway::{
    Gateway, GatewayConfig, GatewayParts, Metrics, ServeConfig, Sites,
    gcra::Rate,
    requests::request_log,
    serve,
    version::{CURRENT, Versions},
};
use plinth_identity::{By, Config, Identity, KeyKind, NewKey, NoJwks, ScopeCatalogue, vault::MasterKey};
use plinth_kernel::{Problem, SpanId, TraceContext, TraceId, World};
use plinth_testkit::{Engine, TestStore};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Says hello
#[utoipa::path(
    get, path = "/v1/hello", operation_id = "hello", tag = "Lab",
    responses((status = 200), Problems), security(("secret_key" = ["lab:hello:read"])),
)]
async fn hello() -> axum::Json<Value> {
    axum::Json(json!({"object": "hello", "id": "hello_01kb3h5f8xe7ksq2v9w6m4t0rd", "text": "Hello, world."}))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let store = TestStore::builder(Engine::Sqlite).open().await;
    store.migrate(plinth_identity::SYSTEM, plinth_identity::MIGRATIONS).await.unwrap();
    store.migrate("gateway", plinth_gateway::requests::MIGRATIONS).await.unwrap();
    let (api, document) = OpenApiRouter::new().routes(routes!(hello)).split_for_parts();
    let identity = Identity::open(
        store.store(),
        Config {
            scopes: ScopeCatalogue::new(plinth_gateway::catalog::scopes(&document).unwrap()).unwrap(),
            master_key: MasterKey::generate(&World::system()),
            issuer: "http://localhost".into(),
            newest_version: CURRENT,
            trusted_origins: vec![],
            jwks: Arc::new(NoJwks),
            allow_plain_jwks: false,
        },
    )
    .await
    .unwrap();
    let trace = TraceContext { trace_id: TraceId([1; 16]), span_id: SpanId([1; 8]) };
    let shared = identity.clone();
    let text = store
        .write(move |tx| {
            let organisation = shared.create_organisation(tx, "Lab", trace)?;
            let new = NewKey {
                kind: KeyKind::Secret,
                name: "lab".into(),
                scopes: vec!["lab:hello:read".into()],
                allowed_ips: vec![],
                allowed_origins: vec![],
                expires_at: None,
            };
            Ok::<_, Problem>(
                shared
                    .create_key(tx, &By::system(organisation.live.id, "lab", trace), &new)?
                    .text
                    .into_revealed(),
            )
        })
        .await
        .unwrap();
    let metrics = Metrics::new();
    let (log, writer) = request_log(metrics.clone(), 14);
    let mut config = GatewayConfig::default();
    let plenty = Rate::per_seconds(1_000_000_000, 60);
    (config.rates.tenant, config.rates.caller) = (plenty, plenty);
    let gateway = Gateway::new(GatewayParts {
        config,
        world: World::system(),
        identity,
        document,
        api,
        web: axum::Router::new(),
        sites: Sites::default(),
        metrics,
        log,
        versions: Versions::default(),
        checks: vec![],
        cross_site_prefixes: vec![],
    })
    .unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    if std::env::args().nth(1).as_deref() != Some("nolog") {
        tokio::spawn(writer.run(store.store(), stop.clone()));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{} {text}", listener.local_addr().unwrap());
    serve(listener, gateway, ServeConfig::default(), stop).await.unwrap();
}
