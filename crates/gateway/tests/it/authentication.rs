//! Who is let in, from where, and with what.

use crate::support::{App, LAB_READ, new_key};
use plinth_identity::KeyKind;
use serde_json::json;

#[tokio::test]
async fn only_a_good_credential_of_the_right_kind_and_scope_is_let_in() {
    let app = App::start().await;
    let (reader, writer) = (app.key(&[LAB_READ]).await, app.key(&["lab:notes:write"]).await);
    assert_eq!(app.get("/v1/notes/a", &reader).await.status, 200);
    let wrong_scope = app.get("/v1/notes/a", &writer).await;
    assert_eq!((wrong_scope.status, wrong_scope.problem().as_str()), (403, "scope_missing"));
    assert_eq!(wrong_scope.json()["required_scope"], LAB_READ);
    let publishable = app.publishable(&[]).await;
    assert_eq!(app.get("/v1/notes/a", &publishable).await.problem(), "forbidden");
    assert_eq!(app.get("/v1/notes/a", &app.user_token().await).await.status, 200);
    assert_eq!(app.console("GET", "/v1/notes/a", None).await.status, 200);
    for bad in ["", "plk_live_nonsense", "nonsense", "eyJhbGciOiJub25lIn0.e30."] {
        let answer = app.get("/v1/notes/a", bad).await;
        assert_eq!(answer.status, 401, "{bad}");
        assert!(["unauthenticated", "token_invalid"].contains(&answer.problem().as_str()), "{bad}");
    }
    assert_eq!(
        app.call("GET", "/v1/notes/a", &[("authorization", "Basic eDp5")], "").await.problem(),
        "unauthenticated"
    );
    let nobody = app.call("GET", "/v1/notes/a", &[], "").await;
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, Some("Bearer")));
    let old = app.call("GET", "/v1/notes/a", &[("cookie", "plinth_session=x")], "").await;
    assert_eq!(old.problem(), "unauthenticated");
}

#[tokio::test]
async fn a_revoked_key_is_told_so() {
    let app = App::start().await;
    let issued = app.issue(new_key(KeyKind::Secret, &[LAB_READ], &[])).await;
    let (text, id) = (issued.text.into_revealed(), issued.key.id);
    assert_eq!(app.get("/v1/notes/a", &text).await.status, 200);
    assert_eq!(app.console("DELETE", &format!("/v1/api-keys/{id}"), None).await.status, 204);
    assert_eq!(app.get("/v1/notes/a", &text).await.problem(), "key_revoked");
}

#[tokio::test]
async fn a_cookie_changes_things_from_our_own_pages_only() {
    let app = App::start().await;
    let cookie = format!("plinth_session={}", app.session);
    let body = json!({"text": "x"}).to_string();
    for (name, headers, status) in [
        ("own page", vec![("sec-fetch-site", "same-origin"), ("origin", "http://plinth.test")], 201),
        ("address bar", vec![("sec-fetch-site", "none")], 201),
        ("old browser, own page", vec![("origin", "http://plinth.test")], 201),
        ("no browser", vec![], 201),
        (
            "developer's server",
            vec![("sec-fetch-site", "cross-site"), ("origin", "http://localhost:5173")],
            201,
        ),
        ("other site", vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")], 403),
        ("subdomain", vec![("sec-fetch-site", "same-site"), ("origin", "http://blog.plinth.test")], 403),
        ("old browser, other site", vec![("origin", "https://evil.test")], 403),
        ("sandboxed frame", vec![("origin", "null")], 403),
        ("other port", vec![("origin", "http://plinth.test:8443")], 403),
    ] {
        let mut all = vec![("cookie", cookie.as_str()), ("content-type", "application/json")];
        all.extend(headers);
        let answer = app.call("POST", "/v1/notes", &all, &body).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        if status == 403 {
            assert_eq!(answer.problem(), "csrf_rejected", "{name}");
        }
    }
    // A form of another site can only send what is not JSON.
    for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer =
            app.call("POST", "/v1/notes", &[("cookie", &cookie), ("content-type", simple)], &body).await;
        assert_eq!(answer.status, 415, "{simple}");
    }
    // Reading from another page is the browser's business: no CORS header, no answer for the page.
    let read =
        app.call("GET", "/v1/notes/a", &[("cookie", &cookie), ("origin", "https://evil.test")], "").await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None));
    // A key is sent by the caller's own code, whatever page it is on.
    let key = app.key(&["lab:notes:write"]).await;
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("content-type", "application/json"),
    ];
    assert_eq!(app.call("POST", "/v1/notes", &headers, &body).await.status, 201);
}

#[tokio::test]
async fn a_visitor_is_remembered_by_a_signed_cookie() {
    let app = App::start().await;
    let post = async |cookie: Option<&str>| {
        let mut headers = vec![("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
        headers.extend(cookie.map(|cookie| ("cookie", cookie)));
        app.call("POST", "/v1/notes", &headers, &json!({"text": "x"}).to_string()).await
    };
    let first = post(None).await;
    let set = first.header("set-cookie").expect("a cookie is issued").to_owned();
    for part in ["plinth_visitor=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = set.split(';').next().unwrap();
    let again = post(Some(cookie)).await;
    assert_eq!(again.json()["actor"], first.json()["actor"]);
    assert_eq!(again.header("set-cookie"), None);
    let forged = post(Some(&cookie.replace("plinth_visitor=", "plinth_visitor=a"))).await;
    assert_ne!(forged.json()["actor"], first.json()["actor"]);
    assert!(forged.header("set-cookie").is_some());
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_by_operation_key_and_tenant() {
    let app = App::start().await;
    let (own, other) = ("https://shop.example.com", "https://evil.test");
    let preflight = async |path: &str, method: &str, origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", "authorization"),
        ];
        app.call("OPTIONS", path, &headers, "").await
    };
    let open = preflight("/v1/widget", "GET", own).await;
    assert_eq!((open.status, open.header("access-control-allow-origin")), (204, Some(own)));
    assert!(open.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(open.header("access-control-allow-credentials"), None);
    assert!(open.header("vary").unwrap().contains("origin"));
    let closed = preflight("/v1/payments", "POST", own).await;
    assert_eq!((closed.status, closed.problem().as_str()), (403, "origin_not_allowed"));
    assert_eq!(preflight("/v1/widget", "DELETE", own).await.status, 403);

    let bound = app.publishable(&[own]).await;
    let ask = async |key: &str, origin: &str| {
        app.call("GET", "/v1/widget", &[("authorization", &format!("Bearer {key}")), ("origin", origin)], "")
            .await
    };
    let granted = ask(&bound, own).await;
    assert_eq!((granted.status, granted.header("access-control-allow-origin")), (200, Some(own)));
    assert!(granted.header("access-control-expose-headers").unwrap().contains("ratelimit"));
    let refused = ask(&bound, other).await;
    assert_eq!((refused.status, refused.problem().as_str()), (403, "origin_not_allowed"));
    // End users follow their tenant's list, once it has one.
    let token = app.user_token().await;
    assert_eq!(ask(&token, other).await.status, 200);
    let patched = app.console("PATCH", "/v1/tenant", Some(json!({"allowed_origins": [own]}))).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    assert_eq!(ask(&token, other).await.problem(), "origin_not_allowed");
    assert_eq!(ask(&token, own).await.header("access-control-allow-origin"), Some(own));
    // A secret key has no business in a page.
    let secret = app.key(&[LAB_READ]).await;
    let read = app
        .call("GET", "/v1/notes/a", &[("authorization", &format!("Bearer {secret}")), ("origin", own)], "")
        .await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None));
    // Without preflight headers OPTIONS just tells the methods.
    let options = app.call("OPTIONS", "/v1/notes", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (204, Some("POST, OPTIONS")));
}
