//! Pings, time-outs, expiry, slow readers, limits and the end of a node.

use std::time::Duration;

use plinth_realtime::HubConfig;
use serde_json::json;

use crate::support::{Client, Server, config, eventually};

fn quick() -> HubConfig {
    HubConfig {
        ping_interval: Duration::from_millis(300),
        pong_timeout: Duration::from_millis(300),
        stale_timeout: Duration::from_millis(300),
        expiry_grace: Duration::from_millis(200),
        ..config()
    }
}

#[tokio::test]
async fn an_answered_ping_keeps_the_connection_and_an_unanswered_one_ends_it() {
    let server = Server::with(quick()).await;
    let mut client = server.user("u").await;
    for _ in 0..3 {
        assert_eq!(client.next().await, json!({}));
        client.send("{}").await;
    }
    assert_eq!(client.next().await, json!({}));
    assert_eq!(client.closed().await, (3012, "no pong".into()));
    assert_eq!(server.hub.stats().ping_timeouts, 1);
}

#[tokio::test]
async fn a_second_pong_to_one_ping_breaks_the_protocol() {
    let server = Server::with(quick()).await;
    let mut client = server.user("u").await;
    client.next().await;
    client.send("{}\n{}").await;
    assert_eq!(client.closed().await.0, 3501);
}

#[tokio::test]
async fn clients_that_want_control_frames_are_pinged_with_those() {
    let server = Server::with(quick()).await;
    let mut client = Client::open_at(&server, "/connection/websocket?cf_ws_frame_ping_pong=true").await;
    let reply = client.connect(json!({"user": "u"})).await;
    assert!(reply["connect"].get("ping").is_none() && reply["connect"].get("pong").is_none(), "{reply}");
    assert_eq!(client.control().await, 0x9);
    client.send_frame(0x8A, b"").await;
    assert_eq!(client.control().await, 0x9);
    assert_eq!(client.closed().await.0, 3012);
}

#[tokio::test]
async fn whoever_does_not_authenticate_is_sent_away() {
    let server = Server::with(quick()).await;
    let mut silent = Client::open(&server).await;
    let mut refused = Client::open(&server).await;
    refused.connect(json!({"deny": "expired"})).await;
    assert_eq!(silent.closed().await, (3502, "stale".into()));
    assert_eq!(refused.closed().await.0, 3502);
    eventually("nothing is left", || server.hub.stats().connections_pending == 0).await;
}

#[tokio::test]
async fn an_expired_connection_ends_after_its_grace() {
    let server = Server::with(HubConfig { expiry_grace: Duration::from_millis(200), ..config() }).await;
    let mut client = Client::open(&server).await;
    let reply = client.connect(json!({"user": "u", "ttl_ms": 200})).await;
    assert_eq!((&reply["connect"]["expires"], &reply["connect"]["ttl"]), (&json!(true), &json!(1)));
    assert_eq!(client.closed().await, (3005, "connection expired".into()));
}

#[tokio::test]
async fn a_refreshed_connection_outlives_its_first_token() {
    let server = Server::with(quick()).await;
    let mut client = Client::connected(&server, json!({"user": "u", "ttl_ms": 200})).await;
    let token = json!({"user": "u", "ttl_ms": 60_000}).to_string();
    let reply = client.ask(json!({"refresh": {"token": token}})).await;
    assert_eq!((&reply["refresh"]["expires"], &reply["refresh"]["ttl"]), (&json!(true), &json!(60)));
    // Three pings take longer than the first token and its grace.
    for _ in 0..3 {
        assert_eq!(client.next().await, json!({}));
        client.send("{}").await;
    }
    client.assert_silent().await;
}

#[tokio::test]
async fn a_refresh_must_be_for_the_same_user_and_tenant() {
    let server = Server::start().await;
    for (token, code) in [
        (json!({"user": "other"}), 3500),
        (json!({"user": "u", "tenant": 1}), 3500),
        (json!({"deny": "invalid"}), 3500),
        (json!({"deny": "expired"}), 3005),
    ] {
        let mut client = Client::connected(&server, json!({"user": "u", "ttl_ms": 60_000})).await;
        client.send(&json!({"id": 5, "refresh": {"token": token.to_string()}}).to_string()).await;
        assert_eq!(client.closed().await.0, code, "{token}");
    }
}

#[tokio::test]
async fn a_subscription_is_refreshed_by_asking_the_host_again() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    client.ask(json!({"subscribe": {"channel": "feed:private", "token": "feed:private"}})).await;
    let ok = client.ask(json!({"sub_refresh": {"channel": "feed:private", "token": "feed:private"}})).await;
    assert_eq!(ok["sub_refresh"], json!({}));
    let refused = client.ask(json!({"sub_refresh": {"channel": "feed:private", "token": "invalid"}})).await;
    assert_eq!(refused["error"]["code"], 103);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_disturbs_nobody() {
    let server = Server::with(HubConfig { queue_bytes: 256 * 1024, ..config() }).await;
    let mut slow = server.user("slow").await;
    let mut quick = server.user("quick").await;
    let epoch = slow.subscribe("feed:a").await["subscribe"]["epoch"].clone();
    quick.subscribe("feed:a").await;
    let text = "x".repeat(32 * 1024);
    let mut published = 0;
    while server.hub.stats().slow_disconnects == 0 {
        server.publish("feed:a", json!(text));
        published += 1;
        assert_eq!(quick.publication().await["offset"], published);
        assert!(published < 5_000, "nobody is ever too slow");
    }
    eventually("the slow one is gone", || server.hub.stats().connections[0] == 1).await;
    server.publish("feed:a", json!("after"));
    assert_eq!(quick.publication().await["data"], "after");
    let mut back = server.user("slow").await;
    let position = json!({"channel": "feed:a", "recover": true, "epoch": epoch, "offset": published});
    let reply = back.ask(json!({"subscribe": position})).await;
    assert_eq!(reply["subscribe"]["recovered"], true, "it comes back and goes on");
}

#[tokio::test]
async fn a_client_that_takes_nothing_any_more_is_given_up() {
    let server = Server::with(HubConfig { queue_bytes: 64 * 1024 * 1024, ..quick() }).await;
    let mut client = server.user("u").await;
    client.subscribe("feed:a").await;
    let text = "x".repeat(32 * 1024);
    // More than the socket's buffers take: neither the ping nor the close frame gets through.
    (0..500).for_each(|_| server.publish("feed:a", json!(text)));
    eventually("its place is free", || server.hub.stats().connections[0] == 0).await;
    assert_eq!((server.hub.stats().ping_timeouts, server.hub.stats().subscriptions), (1, 0));
    drop(client);
}

#[tokio::test]
async fn frames_that_come_close_together_leave_in_few_writes() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    client.subscribe("feed:a").await;
    let before = server.hub.stats();
    for number in 0..200 {
        server.publish("feed:a", json!(number));
    }
    for number in 0..200 {
        assert_eq!(client.publication().await["data"], number);
    }
    let after = server.hub.stats();
    assert_eq!(after.frames - before.frames, 200);
    assert!(after.writes - before.writes < 20, "{} writes", after.writes - before.writes);
    assert!(client.batches.iter().any(|replies| *replies > 10));
}

#[tokio::test]
async fn draining_sends_everyone_elsewhere_and_lets_nobody_in() {
    let server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(server.user("u").await);
    }
    clients[3].subscribe("feed:a").await;
    server.publish("feed:a", json!("last words"));
    let hub = server.hub.clone();
    let drain = tokio::spawn(async move { hub.drain(Duration::from_millis(200)).await });
    assert_eq!(clients[3].publication().await["data"], "last words", "what is queued is delivered first");
    for client in &mut clients {
        assert_eq!(client.closed().await, (3001, "shutdown".into()));
    }
    drop(clients);
    drain.await.unwrap();
    let stats = server.hub.stats();
    assert_eq!((stats.connections, stats.subscriptions), ([0; 3], 0));
    let mut refused = server.http(&handshake("")).await;
    let head = refused.head().await;
    assert!(head.starts_with("http/1.1 503") && head.contains("retry-after: "), "{head}");
}

#[tokio::test]
async fn connections_over_the_accept_rate_are_told_to_come_back() {
    let server = Server::with(HubConfig { accept_burst: 2, accepts_per_second: 0, ..config() }).await;
    let _one = server.user("u").await;
    let _two = server.user("u").await;
    let head = server.http(&handshake("")).await.head().await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(server.hub.stats().refused, 1);
}

#[tokio::test]
async fn a_connection_that_vanishes_leaves_nothing_behind() {
    let server = Server::start().await;
    let mut client = Client::connected(&server, json!({"user": "u", "channels": ["feed:mine"]})).await;
    client.subscribe("room:a").await;
    assert_eq!(server.hub.stats().subscriptions, 2);
    drop(client);
    eventually("gone", || server.hub.stats().subscriptions == 0 && server.hub.stats().connections == [0; 3])
        .await;
}

/// A handshake with more headers.
pub fn handshake(more: &str) -> String {
    format!(
        "GET /connection/websocket HTTP/1.1\r\nhost: t\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}
