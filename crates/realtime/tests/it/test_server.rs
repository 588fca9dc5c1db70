//! A hub on a free port with the namespaces of the tests. Also used by the example server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use plinth_kernel::World;
use plinth_realtime::{Disconnect, Hub, HubConfig, NamespacePolicy, routes};
use serde::Deserialize;
use serde_json::Value;

use crate::token_auth::{TokenAuth, tenant};

/// Policies: `feed`, `room` (clients publish), `small` (two kept), `live` (none kept), `brief` (soon forgotten).
pub fn config() -> HubConfig {
    let feed = NamespacePolicy::FEED;
    let soon = Duration::from_millis(1);
    let namespaces = [
        ("", feed),
        ("feed", feed),
        ("room", NamespacePolicy { client_publish: true, ..NamespacePolicy::ROOM }),
        ("small", NamespacePolicy { history_publications: 2, client_history: true, ..feed }),
        ("live", NamespacePolicy { history_publications: 0, ..feed }),
        ("brief", NamespacePolicy { history_ttl: soon, position_ttl: soon, ..feed }),
    ];
    let namespaces = namespaces.map(|(name, policy)| (name.to_owned(), policy)).into();
    HubConfig { namespaces, ..HubConfig::default() }
}

/// For whole clients: pings come every second, so that one that does not answer them cannot pass.
#[allow(dead_code, reason = "each of the two programs that include this file uses a part of it")]
pub fn client_config() -> HubConfig {
    let second = Duration::from_secs(1);
    HubConfig { ping_interval: second, pong_timeout: second, ..config() }
}

#[derive(Deserialize)]
struct Publish {
    channel: String,
    data: Value,
}

#[derive(Deserialize)]
struct User {
    user: String,
}

async fn publish(State(hub): State<Hub>, Json(said): Json<Publish>) {
    hub.publish(&tenant(0), &said.channel, &said.data);
}

async fn reconnect(State(hub): State<Hub>, Json(who): Json<User>) {
    hub.disconnect_user(&tenant(0), &who.user, Disconnect::FORCE_RECONNECT);
}

/// Serves a hub, with a way to make it say something from outside.
pub async fn start(config: HubConfig) -> std::io::Result<(Hub, SocketAddr)> {
    let world = World::system();
    let hub = Hub::new(world.clone(), Arc::new(TokenAuth { world }), config);
    let control = Router::new()
        .route("/test/publish", post(publish))
        .route("/test/reconnect", post(reconnect))
        .with_state(hub.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, control.merge(routes(hub.clone()))).into_future());
    Ok((hub, address))
}
