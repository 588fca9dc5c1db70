//! The wire: what hyper and the edge together accept and refuse, as bytes.

use crate::support::{Answer, App, LAB_READ, Options};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn every_broken_head_is_refused_with_a_problem() {
    let app = App::start().await;
    let long_uri = format!("GET /v1/{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(9_000));
    let huge_uri = format!("GET /v1/{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(120));
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    let larger = format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(500_000));
    for (name, bytes, status, code) in [
        ("no Host", "GET /v1/me HTTP/1.1\r\n\r\n", 400, "invalid_host"),
        ("no Host in 1.0", "GET /v1/me HTTP/1.0\r\n\r\n", 400, "invalid_host"),
        ("two Hosts", "GET /v1/me HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "invalid_host"),
        ("bad Host", "GET /v1/me HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "invalid_host"),
        ("user in Host", "GET /v1/me HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "invalid_host"),
        ("another absolute form", "GET http://b/v1/me HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_host"),
        ("obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nx: a\r\n b\r\n\r\n", 400, "invalid_request"),
        ("space before colon", "GET / HTTP/1.1\r\nHost: a\r\nx : a\r\n\r\n", 400, "invalid_request"),
        (
            "two lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
            "invalid_request",
        ),
        (
            "signed length",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
            400,
            "invalid_request",
        ),
        (
            "unknown coding",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            400,
            "invalid_request",
        ),
        (
            "chunked not last",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
            400,
            "invalid_request",
        ),
        ("not HTTP", "\x16\x03\x01\x02\r\n\r\n", 400, "invalid_request"),
        ("HTTP/3 in text", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 400, "invalid_request"),
        (
            "dot segments",
            "GET /v1/../v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            400,
            "invalid_request",
        ),
        (
            "encoded dot segments",
            "GET /v1/%2e%2e/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            400,
            "invalid_request",
        ),
        (
            "empty segment",
            "GET //v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            400,
            "invalid_request",
        ),
        (
            "encoded slash",
            "GET /v1/notes/a%2Fb HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            400,
            "invalid_request",
        ),
        (
            "null byte",
            "GET /v1/notes/a%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            400,
            "invalid_request",
        ),
        ("long URI", &long_uri, 414, "uri_too_long"),
        ("huge URI", &huge_uri, 431, "headers_too_large"),
        ("many fields", &many, 431, "headers_too_large"),
        ("large field", &large, 431, "headers_too_large"),
        ("larger field", &larger, 431, "headers_too_large"),
    ] {
        // Those that keep the connection alive are asked to close it.
        let bytes = if bytes.contains("Connection") {
            bytes.to_owned()
        } else {
            bytes.replacen("\r\n", "\r\nConnection: close\r\n", 1)
        };
        let answer = app.raw(bytes.as_bytes()).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(answer.problem(), code, "{name}");
    }
}

#[tokio::test]
async fn two_framings_never_make_two_requests() {
    let app = App::start().await;
    // Read by length, the bytes after the chunk's end would be a request of its own.
    for order in
        ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"]
    {
        let smuggled = format!(
            "POST /v1/me HTTP/1.1\r\nHost: a\r\n{order}\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let answer = app.raw(smuggled.as_bytes()).await;
        assert_eq!(answer.status, 405);
        assert!(!answer.body.contains("HTTP/1.1 200"), "the second request was answered: {answer:?}");
    }
}

#[tokio::test]
async fn a_head_that_dribbles_or_never_begins_is_cut_off() {
    let app =
        App::with(Options { serve: Box::new(|serve| serve.header_read_ms = 300), ..Options::default() })
            .await;
    for first in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM", "GET / HT"] {
        let started = Instant::now();
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        let mut byte = [0; 64];
        let closed = async {
            loop {
                tokio::select! {
                    read = stream.read(&mut byte) => match read { Ok(0) | Err(_) => break, Ok(_) => {} },
                    () = tokio::time::sleep(Duration::from_millis(50)) => { if first.starts_with("GET") { let _ = stream.write_all(b"T").await; } }
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), closed)
            .await
            .unwrap_or_else(|_| panic!("{first:?} was served for ever"));
        assert!(started.elapsed() >= Duration::from_millis(250), "{first:?} had its time");
    }
}

#[tokio::test]
async fn a_body_that_dribbles_is_cut_off() {
    let app = App::with(Options {
        gateway: Box::new(|gateway| gateway.body_deadline_ms = 200),
        ..Options::default()
    })
    .await;
    let key = app.key(&["lab:notes:write"]).await;
    let head = format!(
        "POST /v1/notes HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let answer = app.raw(head.as_bytes()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "request_timeout"));
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_sent() {
    let app = App::start().await;
    let key = app.key(&["lab:notes:write"]).await;
    let head = |framing: &str| {
        format!(
            "POST /v1/notes HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
        )
    };
    let early = app.raw(head("Content-Length: 1000000").as_bytes()).await;
    assert_eq!((early.status, early.problem().as_str()), (413, "payload_too_large"));
    let chunk =
        format!("{}{:x}\r\n{}\r\n0\r\n\r\n", head("Transfer-Encoding: chunked"), 2_000, "x".repeat(2_000));
    let late = app.raw(chunk.as_bytes()).await;
    assert_eq!((late.status, late.problem().as_str()), (413, "payload_too_large"));
}

#[tokio::test]
async fn one_address_cannot_take_every_connection() {
    let app = App::with(Options {
        serve: Box::new(|serve| serve.connections_per_ip_max = 3),
        ..Options::default()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).await.unwrap();
        held.push(stream);
    }
    let mut fourth = TcpStream::connect(app.address).await.unwrap();
    let _ = fourth.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut rest = Vec::new();
    let _ = fourth.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "the fourth is closed without an answer");
    drop(held);
    plinth_testkit::eventually("a place is free again", || async {
        let answer = app.call("GET", "/healthz", &[], "").await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn http2_is_spoken_with_the_authority_as_host() {
    use http_body_util::{BodyExt, Empty};
    let app = App::start().await;
    let key = app.key(&[LAB_READ]).await;
    let stream = TcpStream::connect(app.address).await.unwrap();
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, hyper_util::rt::TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = |host: Option<&str>| {
        let mut request = http::Request::get("http://plinth.test/v1/notes/two")
            .header("authorization", format!("Bearer {key}"));
        if let Some(host) = host {
            request = request.header("host", host);
        }
        request.body(Empty::<bytes::Bytes>::new()).unwrap()
    };
    let answer = sender.send_request(request(None)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("x-request-id"));
    let refused = sender.send_request(request(Some("evil.test"))).await.unwrap();
    assert_eq!(refused.status(), 400);
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("invalid_host"));
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let app = App::start().await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let two = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(two.as_bytes()).await.unwrap();
    let answer = Answer::read(&mut stream).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("HTTP/1.1 404"), "{answer:?}");
}
