//! The handshake, origins, and the transports over plain HTTP.

use std::sync::Arc;

use plinth_realtime::{HubConfig, OriginPolicy};
use serde_json::{Value, json};

use crate::lifecycle::handshake;
use crate::support::{Http, Server, config, eventually};

/// The next reply of a stream, whatever chunks it came in.
async fn next(http: &mut Http, start: &str, end: &str) -> Value {
    http.until(start).await;
    let text = http.until(end).await;
    serde_json::from_str(text.strip_suffix(end).unwrap()).unwrap()
}

/// The next reply of an HTTP stream; the lines between are lengths of chunks.
async fn stream_reply(http: &mut Http) -> Value {
    loop {
        let line = http.until("\n").await;
        if line.starts_with('{') {
            return serde_json::from_str(&line).unwrap();
        }
    }
}

async fn emulate(server: &Server, connected: &Value, frame: &str) -> String {
    let body = json!({"node": connected["connect"]["node"], "session": connected["connect"]["session"], "data": frame});
    server.post("/emulation", &body.to_string(), "").await.head().await
}

#[tokio::test]
async fn an_http_stream_carries_replies_down_and_emulation_carries_commands_up() {
    let server = Server::start().await;
    let mut stream = server.post("/connection/http_stream", r#"{"id":1,"connect":{}}"#, "").await;
    let head = stream.head().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("cache-control: no-store") && head.contains("x-accel-buffering: no"), "{head}");
    let connected = stream_reply(&mut stream).await;
    assert_eq!(connected["connect"]["session"].as_str().unwrap().len(), 22);

    let head = emulate(&server, &connected, "{\"id\":2,\"subscribe\":{\"channel\":\"feed:a\"}}").await;
    assert!(head.starts_with("http/1.1 204"), "{head}");
    assert_eq!(stream_reply(&mut stream).await["id"], 2);
    server.publish("feed:a", json!("hello"));
    assert_eq!(stream_reply(&mut stream).await["push"]["pub"]["data"], "hello");

    emulate(&server, &connected, "nonsense").await;
    let last = stream_reply(&mut stream).await;
    assert_eq!(last, json!({"push": {"disconnect": {"code": 3501, "reason": "bad request"}}}));
    stream.until("0\r\n\r\n").await;
    let late = emulate(&server, &connected, "{}").await;
    assert!(late.starts_with("http/1.1 204"), "the end of the stream says it all: {late}");
}

#[tokio::test]
async fn server_sent_events_carry_one_reply_each() {
    let server = Server::start().await;
    let frame = "%7B%22id%22%3A1%2C%22connect%22%3A%7B%7D%7D%0A%7B%22id%22%3A2%2C%22subscribe%22%3A%7B%22channel%22%3A%22feed%3Aa%22%7D%7D";
    let mut stream =
        server.http(&format!("GET /connection/sse?cf_connect={frame} HTTP/1.1\r\nhost: t\r\n\r\n")).await;
    let head = stream.head().await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(next(&mut stream, "data: ", "\n\n").await["connect"]["session"].is_string());
    assert_eq!(next(&mut stream, "data: ", "\n\n").await["id"], 2);
    server.publish("feed:a", json!("hello"));
    assert_eq!(next(&mut stream, "data: ", "\n\n").await["push"]["pub"]["data"], "hello");
    assert_eq!(server.hub.stats().connections, [0, 1, 0]);
    drop(stream);
    eventually("its connection is gone", || server.hub.stats().connections == [0; 3]).await;
}

#[tokio::test]
async fn a_cookie_reaches_the_host() {
    let server = Server::start().await;
    let frame = r#"{"id":1,"connect":{}}
{"id":2,"subscribe":{"channel":"feed:#ann"}}"#;
    let mut stream = server.post("/connection/http_stream", frame, "cookie: user=ann\r\n").await;
    assert!(stream.until("\"id\":2,\"subscribe\"").await.contains("connect"));
}

#[tokio::test]
async fn requests_that_make_no_sense_get_a_problem_that_does() {
    let server = Server::start().await;
    let large = "x".repeat(64 * 1024 + 1);
    let emulation = r#"{"node":"elsewhere","session":"s","data":"{}"}"#;
    let cases = [
        (server.post("/connection/http_stream", &large, "").await, "413", "payload_too_large"),
        (server.post("/emulation", &large, "").await, "413", "payload_too_large"),
        (server.post("/emulation", "[]", "").await, "400", "invalid_json"),
        (server.post("/emulation", emulation, "").await, "404", "not_found"),
        (server.http("GET /connection/sse HTTP/1.1\r\nhost: t\r\n\r\n").await, "400", "invalid_parameter"),
        (server.http("GET /connection/websocket HTTP/1.1\r\nhost: t\r\n\r\n").await, "400", "invalid_header"),
        (server.http(&handshake("").replace("13", "8")).await, "400", "invalid_header"),
        (server.http(&handshake("").replace("dGhl", "")).await, "400", "invalid_header"),
        (server.http(&handshake("").replace("GET", "POST")).await, "405", "method_not_allowed"),
        (
            server.http(&handshake("sec-websocket-protocol: centrifuge-protobuf\r\n")).await,
            "400",
            "invalid_header",
        ),
        (
            server.http("POST /connection/http_stream HTTP/1.1\r\nhost: t\r\ncontent-type: application/octet-stream\r\ncontent-length: 0\r\n\r\n").await,
            "415",
            "unsupported_media_type",
        ),
    ];
    for (mut answer, status, code) in cases {
        let head = answer.head().await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{code}: {head}");
        assert!(head.contains("application/problem+json"), "{head}");
        answer.until(&format!("\"code\":\"{code}\"")).await;
    }
}

#[tokio::test]
async fn the_sub_protocol_is_confirmed_when_it_is_ours() {
    let server = Server::start().await;
    let asked = handshake("sec-websocket-protocol: other, centrifuge-json\r\n");
    let head = server.http(&asked).await.head().await;
    assert!(
        head.starts_with("http/1.1 101") && head.contains("sec-websocket-protocol: centrifuge-json"),
        "{head}"
    );
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
}

#[tokio::test]
async fn pages_of_other_origins_do_not_get_in() {
    let server = Server::start().await;
    let connect = r#"{"id":1,"connect":{}}"#;
    let foreign = "origin: https://evil.test\r\n";
    let cookie = "user=ann";
    for mut answer in [
        server.http(&handshake(&format!("{foreign}cookie: {cookie}\r\n"))).await,
        server.post("/connection/http_stream", connect, foreign).await,
        server.post("/emulation", "{}", foreign).await,
        server.http(&format!("GET /connection/sse?cf_connect=x HTTP/1.1\r\nhost: t\r\n{foreign}\r\n")).await,
        server.http(&format!("OPTIONS /emulation HTTP/1.1\r\nhost: t\r\n{foreign}\r\n")).await,
    ] {
        let head = answer.head().await;
        assert!(head.starts_with("http/1.1 403") && !head.contains("access-control"), "{head}");
    }
    let own = server.http(&handshake("origin: http://t\r\n")).await.head().await;
    assert!(own.starts_with("http/1.1 101"), "{own}");
}

#[tokio::test]
async fn an_allowed_origin_is_let_in_and_told_so() {
    let allowed = |origin: &str, host: &str| origin == "https://shop.test" && host == "t";
    let origins = OriginPolicy::Custom(Arc::new(allowed));
    let server = Server::with(HubConfig { origins, ..config() }).await;
    let shop = "origin: https://shop.test\r\n";
    let preflight =
        server.http(&format!("OPTIONS /emulation HTTP/1.1\r\nhost: t\r\n{shop}\r\n")).await.head().await;
    assert!(preflight.starts_with("http/1.1 204"), "{preflight}");
    for header in
        ["access-control-allow-origin: https://shop.test", "access-control-max-age: 300", "vary: origin"]
    {
        assert!(preflight.contains(header), "{preflight}");
    }
    let mut stream = server.post("/connection/http_stream", r#"{"id":1,"connect":{}}"#, shop).await;
    let head = stream.head().await;
    assert!(head.contains("access-control-allow-origin: https://shop.test"), "{head}");
}

#[tokio::test]
async fn draining_ends_streams_with_a_reason_to_come_back() {
    let server = Server::start().await;
    let mut stream = server.post("/connection/http_stream", r#"{"id":1,"connect":{}}"#, "").await;
    stream.until("\"connect\"").await;
    server.hub.drain(std::time::Duration::ZERO).await;
    stream.until(r#"{"push":{"disconnect":{"code":3001,"reason":"shutdown"}}}"#).await;
    stream.until("0\r\n\r\n").await;
}
