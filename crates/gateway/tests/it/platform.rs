//! The endpoints of identity and flow, through the whole edge.

use crate::support::{App, PASSWORD};
use plinth_kernel::{Actor, NewEvent, Problem, SpanId, TraceContext, TraceId};
use serde_json::{Value, json};

#[tokio::test]
async fn a_person_logs_in_looks_around_and_logs_out() {
    let app = App::start().await;
    assert_eq!(app.call("GET", "/v1/setup", &[], "").await.json(), json!({"needed": false}));
    let login = async |password: &str| {
        let body = json!({"email": "ada@example.com", "password": password}).to_string();
        app.call(
            "POST",
            "/v1/session",
            &[("content-type", "application/json"), ("sec-fetch-site", "same-origin")],
            &body,
        )
        .await
    };
    assert_eq!(login("wrong password").await.problem(), "invalid_credentials");
    let opened = login(PASSWORD).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    assert_eq!(opened.json()["member"]["email"], "ada@example.com");
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let with = async |method: &str, path: &str, body: &str| {
        app.call(
            method,
            path,
            &[("cookie", &cookie), ("sec-fetch-site", "same-origin"), ("content-type", "application/json")],
            body,
        )
        .await
    };
    assert_eq!(with("GET", "/v1/session", "").await.json()["role"], "owner");
    assert_eq!(with("GET", "/v1/me", "").await.json()["credential"], "session");
    let token = with("POST", "/v1/realtime/token", "").await;
    assert_eq!(token.status, 201);
    assert!(token.json()["channels"][1].as_str().unwrap().starts_with("inbox:#mbr_"));
    let switched =
        with("POST", "/v1/session/tenant", &json!({"tenant_id": app.test_tenant}).to_string()).await;
    assert_eq!((switched.status, switched.json()["tenant"]["mode"].as_str()), (201, Some("test")));
    assert_eq!(with("GET", "/v1/session", "").await.status, 401, "the old cookie is worthless now");
    let fresh = switched.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let gone =
        app.call("DELETE", "/v1/session", &[("cookie", &fresh), ("sec-fetch-site", "same-origin")], "").await;
    assert_eq!(gone.status, 204);
    assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(app.call("GET", "/v1/session", &[("cookie", &fresh)], "").await.status, 401);
}

#[tokio::test]
async fn keys_live_and_die_through_the_api() {
    let app = App::start().await;
    let created = app
        .console("POST", "/v1/api-keys", Some(json!({"kind": "secret", "name": "Shop", "scopes": ["lab:*"]})))
        .await;
    assert_eq!(created.status, 201, "{created:?}");
    let (id, secret) = (
        created.json()["id"].as_str().unwrap().to_owned(),
        created.json()["secret"].as_str().unwrap().to_owned(),
    );
    assert_eq!(created.header("location"), Some(format!("/v1/api-keys/{id}").as_str()));
    assert_eq!(app.get("/v1/me", &secret).await.json()["actor"], format!("key:{id}"));
    let list = app.console("GET", "/v1/api-keys", None).await;
    assert_eq!(list.json()["data"][0]["id"], id);
    assert!(!list.body.contains(&secret), "the key is shown once");
    let read = app.console("GET", &format!("/v1/api-keys/{id}"), None).await;
    assert!(read.header("etag").is_some());
    let rotated = app.console("POST", &format!("/v1/api-keys/{id}/rotate"), Some(json!({}))).await;
    assert_eq!((rotated.status, rotated.json()["predecessor_id"].as_str()), (201, Some(id.as_str())));
    assert_eq!(app.console("DELETE", &format!("/v1/api-keys/{id}"), None).await.status, 204);
    assert_eq!(app.get("/v1/me", &secret).await.problem(), "key_revoked");
    for unknown in ["key_01kb3h5f8xe7ksq2v9w6m4t0rd", "nonsense", "frm_01kb3h5f8xe7ksq2v9w6m4t0rd"] {
        assert_eq!(app.console("GET", &format!("/v1/api-keys/{unknown}"), None).await.problem(), "not_found");
    }
    let stored: Vec<(Vec<u8>,)> =
        app.store.list("SELECT body FROM api_idempotency WHERE body IS NOT NULL", vec![]).await.unwrap();
    assert!(stored.iter().all(|(body,)| !String::from_utf8_lossy(body).contains("plk_live_")));
}

#[tokio::test]
async fn a_colleague_is_invited_and_joins() {
    let app = App::start().await;
    let invite = app
        .console("POST", "/v1/members", Some(json!({"email": "grace@example.com", "role": "developer"})))
        .await;
    assert_eq!(invite.status, 201, "{invite:?}");
    let url = invite.json()["url"].as_str().unwrap().to_owned();
    let token = url.strip_prefix("https://plinth.test/console/#invite=").unwrap();
    assert_eq!(app.console("GET", "/v1/invites", None).await.json()["data"][0]["status"], "open");
    let body = json!({"token": token, "password": "another long password", "name": "Grace"}).to_string();
    let joined = app
        .call(
            "POST",
            "/v1/invites/accept",
            &[("content-type", "application/json"), ("sec-fetch-site", "same-origin")],
            &body,
        )
        .await;
    assert_eq!((joined.status, joined.json()["role"].as_str()), (201, Some("developer")), "{joined:?}");
    let id = joined.json()["member"]["id"].as_str().unwrap().to_owned();
    let changed = app.console("PATCH", &format!("/v1/members/{id}"), Some(json!({"role": "viewer"}))).await;
    assert_eq!((changed.status, changed.json()["role"].as_str()), (200, Some("viewer")));
    let cookie = joined.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let headers =
        [("content-type", "application/json"), ("sec-fetch-site", "same-origin"), ("cookie", &*cookie)];
    let said = app.call("POST", "/v1/notes", &headers, &json!({"text": "x"}).to_string()).await;
    assert_eq!(
        said.status, 201,
        "who may only look in the console may do on the site what anybody may: {said:?}"
    );
    assert!(said.json()["actor"].as_str().unwrap().starts_with("visitor:"), "{said:?}");
    assert_eq!(app.console("GET", "/v1/members", None).await.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(app.console("DELETE", &format!("/v1/members/{id}"), None).await.status, 204);
    let trail = app.console("GET", "/v1/audit-entries?action=identity.member", None).await.json();
    assert!(!trail["data"].as_array().unwrap().is_empty(), "{trail}");
    assert!(
        trail["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["action"].as_str().unwrap().starts_with("identity.member"))
    );
}

#[tokio::test]
async fn tenants_issuers_and_tokens_are_managed() {
    let app = App::start().await;
    let tenant = app.console("GET", "/v1/tenant", None).await;
    let stale = app
        .call(
            "PATCH",
            "/v1/tenant",
            &[
                ("cookie", &format!("plinth_session={}", app.session)),
                ("content-type", "application/json"),
                ("if-match", "\"99-2026-11-01\""),
            ],
            &json!({"name": "New"}).to_string(),
        )
        .await;
    assert_eq!(stale.problem(), "precondition_failed");
    assert_eq!(app.console("PATCH", "/v1/tenant", Some(json!({"name": "New"}))).await.json()["name"], "New");
    assert_eq!(tenant.json()["mode"], "live");
    assert_eq!(app.console("POST", "/v1/tenants", Some(json!({"name": "Second"}))).await.status, 201);
    assert!(app.console("GET", "/v1/tenants?limit=2", None).await.json()["has_more"].as_bool().unwrap());
    let inside =
        json!({"name": "x", "issuer": "https://login.test/", "jwks_url": "https://169.254.169.254/keys"});
    let refused = app.console("POST", "/v1/token-issuers", Some(inside)).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].as_str()), (422, Some("/jwks_url")));
    let issuer = json!({"name": "Login", "issuer": "https://login.example.com/", "jwks_url": "https://login.example.com/jwks"});
    let added = app.console("POST", "/v1/token-issuers", Some(issuer)).await;
    assert_eq!(added.status, 201, "{added:?}");
    let path = format!("/v1/token-issuers/{}", added.json()["id"].as_str().unwrap());
    assert_eq!(app.console("GET", &path, None).await.status, 200);
    assert_eq!(app.console("DELETE", &path, None).await.status, 204);
    let token = app.console("POST", "/v1/user-tokens", Some(json!({"user_id": "u1"}))).await.json();
    assert_eq!(app.get("/v1/me", token["token"].as_str().unwrap()).await.json()["actor"], "user:u1");
    let keys = app.call("GET", "/.well-known/jwks.json", &[], "").await;
    assert_eq!((keys.status, keys.json()["keys"][0]["kty"].as_str()), (200, Some("OKP")));
    let limits = app.console("GET", "/v1/limits", None).await.json();
    assert!(limits["limits"].as_array().unwrap().len() > 10 && limits["rates"][0]["policy"] == "tenant");
}

#[tokio::test]
async fn events_jobs_and_schedules_are_shown_to_their_tenant_only() {
    let app = App::start().await;
    // A trace of its own: the helpers use another.
    let cause = TraceContext { trace_id: TraceId([9; 16]), span_id: SpanId([9; 8]) };
    let tenant = app.tenant.clone();
    let job = app
        .store
        .write(move |tx| {
            tx.emit(NewEvent {
                tenant: tenant.clone(),
                kind: "lab.note.made",
                version: 1,
                subject: "note_1".into(),
                data: json!({"text": "x"}),
                actor: Actor::System("test".into()),
                trace: cause,
                causation: None,
            });
            let job = plinth_flow::NewJob::new(tenant.clone(), "mail", "lab.send", json!({"to": "x"}), cause);
            plinth_flow::enqueue(tx, job).map_err(Problem::from)
        })
        .await
        .unwrap();
    let events = app.console("GET", "/v1/events?type=lab.note.made", None).await.json();
    let id = events["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        app.console("GET", &format!("/v1/events/{id}"), None).await.json()["data"],
        json!({"text": "x"})
    );
    assert_eq!(app.console("GET", "/v1/events?order=asc", None).await.problem(), "invalid_parameter");
    assert_eq!(
        app.console("GET", "/v1/jobs?queue=mail", None).await.json()["data"][0]["id"],
        job.to_string()
    );
    assert_eq!(app.console("GET", "/v1/jobs?state=lost", None).await.problem(), "invalid_parameter");
    let cancelled = app.console("POST", &format!("/v1/jobs/{job}/cancel"), None).await;
    assert_eq!(
        (cancelled.status, cancelled.json()["state"].as_str()),
        (202, Some("cancelled")),
        "{cancelled:?}"
    );
    assert_eq!(app.console("POST", &format!("/v1/jobs/{job}/replay"), None).await.status, 202);
    assert_eq!(app.console("POST", "/v1/jobs/replay-dead", Some(json!({}))).await.json()["replayed"], 0);
    for path in ["/v1/parked-events", "/v1/schedules"] {
        assert_eq!(app.console("GET", path, None).await.json()["data"], json!([]), "{path}");
    }
    assert_eq!(
        app.console("POST", &format!("/v1/parked-events/{id}.x/replay"), None).await.problem(),
        "not_found"
    );
    let timeline = app.console("GET", &format!("/v1/traces/{}", "09".repeat(16)), None).await.json();
    let kinds: Vec<&str> =
        timeline["spans"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"event") && kinds.contains(&"job"), "{timeline}");
    let other = app
        .issue_in(
            &app.test_tenant,
            crate::support::new_key(plinth_identity::KeyKind::Secret, &["flow:*"], &[]),
        )
        .await;
    let other = other.text.into_revealed();
    for path in
        [format!("/v1/events/{id}"), format!("/v1/jobs/{job}"), format!("/v1/traces/{}", "09".repeat(16))]
    {
        assert_eq!(app.get(&path, &other).await.problem(), "not_found", "{path}");
    }
}

#[tokio::test]
async fn every_operation_is_described_completely() {
    let app = App::start().await;
    let document: Value = serde_json::to_value(&app.document).unwrap();
    for operation in app.gateway.operations() {
        let declared = &document["paths"][&operation.path][operation.method.to_lowercase()];
        assert!(
            declared["responses"].get("default").is_some(),
            "{} does not declare its problems",
            operation.id
        );
        assert!(declared["tags"][0].is_string(), "{} has no tag", operation.id);
        for parameter in declared["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "path")
        {
            assert!(
                operation.path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap())),
                "{}",
                operation.id
            );
        }
    }
}
