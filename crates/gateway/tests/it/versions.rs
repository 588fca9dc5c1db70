//! Dated versions: how one is chosen, and the golden corpus of each.

use crate::support::{App, new_key};
use plinth_identity::KeyKind;
use serde_json::{Value, json};

const SCOPES: &[&str] = &["identity:keys:read", "identity:keys:write", "lab:notes:read"];

async fn call(
    app: &App,
    method: &str,
    path: &str,
    key: &str,
    version: Option<&str>,
    body: Option<Value>,
) -> crate::support::Answer {
    let bearer = format!("Bearer {key}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(version.map(|version| ("plinth-version", version)));
    if body.is_some() {
        headers.push(("content-type", "application/json"));
    }
    app.call(method, path, &headers, &body.map_or(String::new(), |b| b.to_string())).await
}

#[tokio::test]
async fn the_version_is_the_headers_or_the_keys() {
    let app = App::start().await;
    let key = app.key(SCOPES).await;
    let newest = call(&app, "GET", "/v1/notes/a", &key, None, None).await;
    assert_eq!(
        (newest.header("plinth-version"), newest.json()["version"].as_str()),
        (Some("2026-11-01"), Some("2026-11-01"))
    );
    let old = call(&app, "GET", "/v1/notes/a", &key, Some("2026-06-01"), None).await;
    assert_eq!(old.header("plinth-version"), Some("2026-06-01"));
    let unknown = call(&app, "GET", "/v1/notes/a", &key, Some("2026-07-14"), None).await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (400, "version_unsupported"));
    assert_eq!(unknown.json()["supported"], json!(["2026-06-01", "2026-11-01"]));
}

/// Members that differ from run to run.
fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                let varies = [
                    "id",
                    "hint",
                    "last4",
                    "secret",
                    "created_at",
                    "updated_at",
                    "created_by",
                    "request_id",
                    "instance",
                    "last_used_at",
                    "predecessor_id",
                ];
                if varies.contains(&name.as_str()) && !value.is_null() {
                    *value = json!("…");
                } else {
                    settle(value);
                }
            }
        }
        _ => {}
    }
}

/// Compares with the file; `UPDATE_EXPECT=1` writes it.
fn golden(version: &str, name: &str, answer: &crate::support::Answer) {
    let mut body = answer.json();
    settle(&mut body);
    let text = format!(
        "{}\n",
        serde_json::to_string_pretty(&json!({"status": answer.status, "body": body})).unwrap()
    );
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(version)
        .join(format!("{name}.json"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(text, expected, "{version}/{name} has changed: that breaks callers who are pinned to it");
}

#[tokio::test]
async fn every_version_answers_as_it_did_when_it_was_the_newest() {
    for (version, grants) in [("2026-06-01", "permissions"), ("2026-11-01", "scopes")] {
        let app = App::start().await;
        let key = app.key(SCOPES).await;
        let go = async |method: &str, path: &str, body: Option<Value>| {
            call(&app, method, path, &key, Some(version), body).await
        };
        let created = go(
            "POST",
            "/v1/api-keys",
            Some(json!({"kind": "secret", "name": "Shop", grants: ["lab:notes:read"]})),
        )
        .await;
        golden(version, "create_api_key", &created);
        let id = created.json()["id"].as_str().unwrap().to_owned();
        golden(version, "get_api_key", &go("GET", &format!("/v1/api-keys/{id}"), None).await);
        golden(version, "list_api_keys", &go("GET", "/v1/api-keys?order=asc", None).await);
        golden(
            version,
            "rotate_api_key",
            &go("POST", &format!("/v1/api-keys/{id}/rotate"), Some(json!({"overlap_seconds": 0}))).await,
        );
        let invalid =
            go("POST", "/v1/api-keys", Some(json!({"kind": "secret", "name": "", grants: ["nonsense"]})))
                .await;
        golden(version, "create_api_key.invalid", &invalid);
        // The other version's word is as unknown as any.
        let other = if grants == "scopes" { "permissions" } else { "scopes" };
        let both = go(
            "POST",
            "/v1/api-keys",
            Some(json!({"kind": "secret", "name": "x", grants: [], other: ["lab:notes:read"]})),
        )
        .await;
        assert_eq!(both.status, 400, "{version}: {both:?}");
        let malformed = call(&app, "POST", "/v1/api-keys", &key, Some(version), Some(json!("text"))).await;
        assert!((400..500).contains(&malformed.status), "{malformed:?}");
    }
}

#[tokio::test]
async fn a_malformed_body_of_an_old_version_is_told_as_such() {
    let app = App::start().await;
    let bearer =
        format!("Bearer {}", app.issue(new_key(KeyKind::Secret, SCOPES, &[])).await.text.into_revealed());
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("plinth-version", "2026-06-01"),
    ];
    assert_eq!(app.call("POST", "/v1/api-keys", &headers, "{\"kind\":").await.problem(), "invalid_json");
    assert_eq!(app.call("POST", "/v1/api-keys", &headers, "").await.status, 400);
}
