//! The clients that people use, unmodified, against a running hub.

use std::path::Path;
use std::process::Stdio;

use axum::Json;
use axum::extract::State;
use axum::routing::post;
use plinth_realtime::{Disconnect, Hub};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Server, config};
use crate::token_auth::{TokenAuth, tenant};

#[derive(Deserialize)]
struct Publish {
    channel: String,
    data: Value,
}

#[derive(Deserialize)]
struct User {
    user: String,
}

async fn server() -> Server {
    let world = plinth_kernel::World::system();
    let hub = Hub::new(world.clone(), std::sync::Arc::new(TokenAuth { world }), config());
    let control = axum::Router::new()
        .route(
            "/test/publish",
            post(|State(hub): State<Hub>, Json(say): Json<Publish>| async move {
                hub.publish(&tenant(0), &say.channel, &say.data);
            }),
        )
        .route(
            "/test/reconnect",
            post(|State(hub): State<Hub>, Json(who): Json<User>| async move {
                hub.disconnect_user(&tenant(0), &who.user, Disconnect::FORCE_RECONNECT);
            }),
        )
        .with_state(hub.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, control.merge(plinth_realtime::routes(hub.clone()))).into_future());
    Server { hub, address }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_people_use_work_unmodified() {
    if std::env::var("PLINTH_CLIENT_TESTS").as_deref() != Ok("1") {
        eprintln!("skipped: set PLINTH_CLIENT_TESTS=1 to run the npm and PyPI clients");
        return;
    }
    let server = server().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/run.sh");
    let output = tokio::process::Command::new(script)
        .env("PLINTH_REALTIME_ADDRESS", server.address.to_string())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    println!("{told}");
    assert!(output.status.success());
}
