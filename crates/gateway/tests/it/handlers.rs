//! What a handler gets, and what becomes of what it answers.

use crate::support::{App, LAB_READ};
use serde_json::json;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn every_kind_of_failure_is_a_problem() {
    let app = App::start().await;
    let key = app.key(&["lab:*"]).await;
    for (method, path, status, code) in [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("PUT", "/v1/notes", 405, "method_not_allowed"),
        ("BREW", "/v1/notes", 405, "method_not_allowed"),
        ("GET", "/v1/panics", 500, "internal"),
        ("GET", "/v1/stuck", 504, "timeout"),
        ("GET", "/v1/fails/500", 500, "internal"),
        ("GET", "/v1/fails/409", 409, "conflict"),
        ("GET", "/v1/fails/422", 422, "validation_failed"),
        ("GET", "/v1/fails/418", 400, "invalid_request"),
        ("GET", "/v1/fails/503", 500, "internal"),
        ("GET", "/v1/fails/text", 404, "not_found"),
    ] {
        let answer = app.call(method, path, &[("authorization", &format!("Bearer {key}"))], "").await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, code), "{method} {path}");
    }
    let wrong = app.call("PUT", "/v1/notes", &[], "").await;
    assert_eq!(wrong.header("allow"), Some("POST, OPTIONS"));
    assert!(app.gateway.metrics().encode().contains("plinth_http_panics_total 1"));
}

#[tokio::test]
async fn a_request_has_an_id_of_ours_and_keeps_the_callers() {
    let app = App::start().await;
    let key = format!("Bearer {}", app.key(&[LAB_READ]).await);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("authorization", key.as_str()), ("x-request-id", "theirs-1"), ("traceparent", trace)];
    let answer = app.call("GET", "/v1/notes/a", &headers, "").await;
    assert!(answer.header("x-request-id").unwrap().starts_with("req_"));
    assert_eq!(answer.json()["client_request_id"], "theirs-1");
    assert_eq!(answer.json()["trace"], "4bf92f3577b34da6a3ce929d0e0e4736");
    // Who holds no secret does not get to write into other traces.
    let token = format!("Bearer {}", app.publishable(&[]).await);
    let widget =
        app.call("GET", "/v1/widget", &[("authorization", &token), ("traceparent", trace)], "").await;
    assert_eq!(widget.status, 200);
    let evil = app
        .call(
            "GET",
            "/v1/notes/a",
            &[("authorization", &key), ("x-request-id", "a\tb"), ("traceparent", "x")],
            "",
        )
        .await;
    assert_eq!((evil.status, evil.json()["client_request_id"].is_null()), (200, true));
}

#[tokio::test]
async fn answers_carry_the_headers_that_make_browsers_careful() {
    let app = App::start().await;
    let api = app.get("/v1/notes/a", &app.key(&[LAB_READ]).await).await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("plinth-version", "2026-11-01"),
    ] {
        assert_eq!(api.header(name), Some(value));
    }
    let page = app.call("GET", "/", &[], "").await;
    assert_eq!((page.status, page.header("x-frame-options")), (200, Some("DENY")));
    assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(page.header("set-cookie"), None, "reading a page leaves no trace in the browser");
    assert!(page.header("x-request-id").is_some());
}

#[tokio::test]
async fn a_head_request_has_the_headers_and_no_body() {
    let app = App::start().await;
    let key = format!("Bearer {}", app.key(&[LAB_READ]).await);
    let head = app.call("HEAD", "/v1/notes/a", &[("authorization", &key)], "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.header("content-length").is_some());
    let missing = app.call("HEAD", "/v1/nothing", &[], "").await;
    assert_eq!((missing.status, missing.body.as_str()), (404, ""));
}

#[tokio::test]
async fn an_idempotency_key_is_checked_demanded_and_replayed() {
    let app = App::start().await;
    let bearer = format!("Bearer {}", app.key(&["lab:*"]).await);
    let post = async |path: &str, key: Option<&str>, text: &str| {
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        app.call("POST", path, &headers, &json!({"text": text}).to_string()).await
    };
    assert_eq!(post("/v1/payments", None, "x").await.problem(), "idempotency_key_required");
    assert_eq!(post("/v1/payments", Some("a b"), "x").await.problem(), "invalid_header");
    assert_eq!(post("/v1/payments", Some("\"quoted\""), "x").await.json()["key"], "quoted");
    let first = post("/v1/notes", Some("k1"), "x").await;
    let second = post("/v1/notes", Some("k1"), "x").await;
    assert_eq!((first.status, first.body.as_str()), (201, second.body.as_str()));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.header("original-request"), first.header("x-request-id"));
    assert_eq!(post("/v1/notes", Some("k1"), "y").await.problem(), "idempotency_key_reused");
    // A refusal by the domain is replayed as well, under the new request's id.
    let refused = post("/v1/notes", Some("k2"), "bad").await;
    let again = post("/v1/notes", Some("k2"), "bad").await;
    assert_eq!(
        (refused.problem(), again.problem()),
        ("validation_failed".into(), "validation_failed".into())
    );
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn pages_know_their_visitor_and_fail_like_pages() {
    let app = App::start().await;
    let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let sent = app.call("POST", "/contact", &form, "name=x").await;
    assert!(sent.body.starts_with("visitor:") && sent.body.ends_with(" 6"), "{sent:?}");
    assert!(sent.header("set-cookie").unwrap().starts_with("plinth_visitor="));
    let forged = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
        ("accept", "text/html"),
    ];
    let refused = app.call("POST", "/contact", &forged, "name=x").await;
    assert_eq!((refused.status, refused.header("content-type")), (403, Some("text/html; charset=utf-8")));
    let crashed = app.call("GET", "/crash", &[("accept", "text/html")], "").await;
    assert_eq!(crashed.status, 500);
    assert!(crashed.body.contains(crashed.header("x-request-id").unwrap()), "people can name the request");
    assert_eq!(app.call("GET", "/crash", &[], "").await.problem(), "internal");
    let large =
        app.call("POST", "/contact", &[("sec-fetch-site", "same-origin")], &"x".repeat(300_000)).await;
    assert_eq!(large.problem(), "payload_too_large");
}

#[tokio::test]
async fn operators_and_developers_find_what_they_need() {
    let app = App::start().await;
    assert_eq!(app.call("GET", "/healthz", &[], "").await.body, "ok\n");
    let ready = app.call("GET", "/readyz", &[], "").await;
    assert_eq!((ready.status, ready.json()["status"].as_str()), (200, Some("ready")));
    app.ready.store(false, Ordering::SeqCst);
    let not_ready = app.call("GET", "/readyz", &[], "").await;
    assert_eq!(not_ready.status, 503);
    assert_eq!(
        not_ready.json()["checks"][0],
        json!({"name": "store", "status": "failed", "detail": "the disk is full"})
    );
    app.get("/v1/notes/a", &app.key(&[LAB_READ]).await).await;
    let metrics = app.call("GET", "/metrics", &[], "").await;
    assert!(
        metrics.body.contains("plinth_http_requests_total{op=\"get_note\",code=\"200\"} 1"),
        "{}",
        metrics.body
    );
    assert!(metrics.body.contains("plinth_admission_limit{lane=\"read\"}"));
    let contract = app.call("GET", "/openapi.json", &[], "").await;
    assert_eq!(contract.json()["openapi"], "3.1.0");
    let tag = contract.header("etag").unwrap();
    assert_eq!(app.call("GET", "/openapi.json", &[("if-none-match", tag)], "").await.status, 304);
    let docs = app.call("GET", "/docs", &[], "").await;
    assert!(docs.status == 200 && docs.body.contains("id=\"create_api_key\""));
    assert!(app.call("GET", "/docs/errors/overloaded", &[], "").await.body.contains("Overloaded"));
    assert_eq!(app.call("POST", "/docs", &[], "").await.problem(), "method_not_allowed");
}
