//! The request log, from the wire to the search.

use crate::support::{App, LAB_READ, Options, new_key};
use plinth_identity::KeyKind;
use plinth_testkit::{Engine, TestStore, eventually};
use serde_json::Value;

async fn logged(app: &App, key: &str, query: &str, at_least: usize) -> Vec<Value> {
    eventually("the log is written", || async {
        let answer = app.get(&format!("/v1/requests?limit=100{query}"), key).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let rows = answer.json()["data"].as_array().unwrap().clone();
        (rows.len() >= at_least).then_some(rows)
    })
    .await
}

async fn requests_are_searchable(engine: Engine) {
    let app = App::on(TestStore::builder(engine).open().await, Options::default()).await;
    let key = app.key(&[LAB_READ, "gateway:requests:read", "flow:traces:read"]).await;
    let bearer = format!("Bearer {key}");
    let good = app
        .call(
            "GET",
            "/v1/notes/a_b%25",
            &[("authorization", &bearer), ("user-agent", "Tests/1"), ("x-request-id", "mine")],
            "",
        )
        .await;
    let bad = app.post("/v1/notes", &key, serde_json::json!({"text": "x"})).await;
    assert_eq!((good.status, bad.status), (200, 403));

    let rows = logged(&app, &key, "&operation=get_note", 1).await;
    let row = &rows[0];
    assert_eq!(row["id"], good.header("x-request-id").unwrap());
    assert_eq!(
        (row["method"].as_str(), row["path"].as_str(), row["status"].as_u64()),
        (Some("GET"), Some("/v1/notes/a_b%25"), Some(200))
    );
    assert_eq!(
        (row["user_agent"].as_str(), row["client_request_id"].as_str(), row["client_ip"].as_str()),
        (Some("Tests/1"), Some("mine"), Some("127.0.0.1"))
    );
    assert!(row["actor"].as_str().unwrap().starts_with("key:key_") && row["problem"].is_null());

    let failures = logged(&app, &key, "&status=4xx", 1).await;
    assert_eq!(failures[0]["problem"]["code"], "scope_missing");
    assert_eq!(logged(&app, &key, "&status=error&q=SCOPE_missing", 1).await.len(), 1);
    assert_eq!(logged(&app, &key, "&q=a_b%25", 1).await.len(), 1);
    let none = app.get("/v1/requests?q=axb", &key).await;
    assert_eq!(none.json()["data"].as_array().unwrap().len(), 0, "wildcards are taken literally");
    assert_eq!(app.get("/v1/requests?status=9xx", &key).await.problem(), "invalid_parameter");

    let id = row["id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/v1/requests/{id}"), &key).await.json()["id"], id);
    let trace = app.get(&format!("/v1/traces/{}", row["trace_id"].as_str().unwrap()), &key).await;
    assert_eq!(trace.json()["spans"][0]["kind"], "request");
    assert_eq!(trace.json()["spans"][0]["name"], "get_note");

    // Another tenant sees none of it.
    let other = app
        .issue_in(&app.test_tenant, new_key(KeyKind::Secret, &["gateway:requests:read"], &[]))
        .await
        .text
        .into_revealed();
    assert_eq!(app.get(&format!("/v1/requests/{id}"), &other).await.problem(), "not_found");
    assert_eq!(
        app.get("/v1/requests?operation=get_note", &other).await.json()["data"].as_array().unwrap().len(),
        0
    );

    // Pages follow one another without gap or repetition.
    let all = logged(&app, &key, "", 5).await;
    let first = app.get("/v1/requests?limit=2&operation=get_note", &key).await.json();
    assert!(first["data"].as_array().unwrap().len() <= 2);
    let page = app.get("/v1/requests?limit=3&order=asc", &key).await.json();
    let next = app
        .get(
            &format!("/v1/requests?limit=3&order=asc&cursor={}", page["next_cursor"].as_str().unwrap()),
            &key,
        )
        .await
        .json();
    let (last, following) =
        (page["data"][2]["id"].as_str().unwrap(), next["data"][0]["id"].as_str().unwrap());
    assert!(last < following && all.len() >= 5);

    let later = app.store.world().now().plus_seconds(60);
    assert!(plinth_gateway::requests::sweep(&app.store, later).await.unwrap() >= 5);
}

#[tokio::test]
async fn requests_are_searchable_on_sqlite() {
    requests_are_searchable(Engine::Sqlite).await;
}

#[tokio::test]
async fn requests_are_searchable_on_postgres() {
    requests_are_searchable(Engine::Postgres).await;
}

#[tokio::test]
async fn no_secret_of_a_request_is_in_the_log() {
    let app = App::start().await;
    let key = app.key(&["lab:*", "gateway:requests:read"]).await;
    app.get("/v1/notes/a?token=canary-in-a-query", &key).await;
    app.call(
        "POST",
        "/v1/session",
        &[("content-type", "application/json")],
        r#"{"email":"ada@example.com","password":"canary-password"}"#,
    )
    .await;
    app.get("/v1/notes/a", "plk_live_canary-key").await;
    let rows = logged(&app, &key, "", 2).await;
    let text = serde_json::to_string(&rows).unwrap();
    assert!(!text.contains("canary") && !text.contains(&key), "{text}");
}
