//! Forms without JavaScript, questions without JavaScript, caches and wrong turns.

use crate::gates::{Desk, visited};
use axum::{body::Body, http::Request};

#[tokio::test]
async fn a_message_is_sent_once_and_leads_to_a_reference() {
    let desk = Desk::sample();
    let body = "name=Ann&email=ann%40example.org&topic=a&message=Hello%0D%0Athere&_website=";
    for _ in 0..2 {
        let reply = desk.post("/contact", body).await;
        assert_eq!(reply.status, 303);
        let location = reply.header("location").to_owned();
        let thanks = desk.get(&location).await;
        let reference = location.split_once("sent=").unwrap().1;
        assert!(thanks.text().contains(reference) && thanks.text().contains("Thank you."), "{location}");
        assert_eq!(thanks.header("cache-control"), "no-store");
    }
    let received = desk.forms.received.lock().unwrap();
    let (key, values, once) = &received[0];
    assert_eq!(key, "contact");
    assert_eq!(
        serde_json::json!(values),
        serde_json::json!({"name": "Ann", "email": "ann@example.org", "topic": "a", "message": "Hello\nthere", "consent": false})
    );
    assert!(once.is_some() && *once == received[1].2, "a reload must not become a second message");
}

#[tokio::test]
async fn a_refused_message_comes_back_with_what_was_typed_and_what_is_wrong() {
    let desk = Desk::sample();
    let reply = desk.post("/contact", "name=%3Cb%3EAnn&email=nonsense&topic=b&message=Hello").await;
    assert_eq!(reply.status, 422);
    let page = reply.text();
    assert!(page.contains("value=\"&lt;b&gt;Ann\""), "what was typed is kept, as text");
    assert!(page.contains("Write an e-mail address.") && page.contains("aria-invalid=\"true\""));
    assert!(page.contains("value=\"b\" checked"));
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_filled_trap_is_thanked_and_dropped() {
    let desk = Desk::sample();
    let reply = desk.post("/contact", "name=Bot&email=bot%40example.org&_website=http%3A%2F%2Fspam").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/contact?sent=1"));
    assert!(desk.forms.received.lock().unwrap().is_empty());
    assert!(
        !desk.get("/contact?sent=%3Cscript%3E").await.text().contains("script&gt;"),
        "only references are repeated"
    );
}

#[tokio::test]
async fn another_site_cannot_send_in_a_visitors_name() {
    let desk = Desk::sample();
    let request = visited(Request::post("/contact"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site");
    let reply = desk.send(request.body(Body::from("name=Ann&email=ann%40example.org")).unwrap()).await;
    assert_eq!(reply.status, 403);
    assert!(reply.text().contains("value=\"Ann\""), "a reader who meant it presses once more");
    assert!(desk.forms.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_limit_says_when_to_come_back() {
    let reply = Desk::sample().post("/contact", "name=Ann&email=busy%40example.org").await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "3"));
    assert!(reply.text().contains("Too many messages at once."));
}

#[tokio::test]
async fn an_oversized_or_mistyped_body_is_refused() {
    let desk = Desk::sample();
    assert_eq!(desk.post("/contact", &"a".repeat(200_000)).await.status, 413);
    let request = visited(Request::post("/contact")).header("content-type", "application/json");
    assert_eq!(desk.send(request.body(Body::from("{}")).unwrap()).await.status, 415);
    assert_eq!(desk.post("/systems", "a=b").await.status, 405);
}

#[tokio::test]
async fn without_a_visitor_pages_are_shown_and_sending_says_that_it_cannot() {
    let desk = Desk::sample();
    let bare = |request: axum::http::request::Builder| request.body(Body::empty()).unwrap();
    assert_eq!(desk.send(bare(Request::get("/"))).await.status, 200);
    assert_eq!(desk.send(bare(Request::get("/ask?q=x"))).await.status, 503);
    let request = Request::post("/contact").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(desk.send(request.body(Body::from("name=Ann")).unwrap()).await.status, 503);
}

#[tokio::test]
async fn a_question_is_answered_with_links_to_its_sources() {
    let desk = Desk::sample();
    let reply = desk.get("/ask?q=How%3F").await;
    let page = reply.text();
    assert!(page.contains("<a class=\"cite\" href=\"/systems/notify#systems.notify.architecture\""));
    assert!(page.contains("And then?") && page.contains(">How?</h3>"));
    assert_eq!((reply.header("x-robots-tag"), reply.header("cache-control")), ("noindex", "no-store"));
    assert_eq!(desk.get("/ask?q=busy").await.status, 503);
    assert_eq!(desk.get(&format!("/ask?q={}", "a".repeat(1_001))).await.status, 400);
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let desk = Desk::sample();
    let first = desk.get("/systems").await;
    let again = |tag: &str, coding: &str| {
        let request =
            visited(Request::get("/systems")).header("if-none-match", tag).header("accept-encoding", coding);
        request.body(Body::empty()).unwrap()
    };
    let unchanged = desk.send(again(first.header("etag"), "identity")).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
    let other_coding = desk.send(again(first.header("etag"), "br")).await;
    assert_eq!(other_coding.status, 200, "an entity tag belongs to one coding");
    assert!(other_coding.header("vary").contains("accept-encoding"));
}

#[tokio::test]
async fn the_policy_allows_no_inline_code() {
    let reply = Desk::sample().get("/").await;
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn wrong_turns_are_met_with_a_page() {
    let desk = Desk::sample();
    for path in [
        "/nothing",
        "/systems/nothing",
        "/notes/../site.toml",
        "/assets/site/nothing.css",
        "/systems/forms/x",
    ] {
        let reply = desk.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("Nothing here"), "{path}");
    }
    let reply = desk.get("/systems/").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (308, "/systems"));
    assert_eq!(desk.get("//elsewhere.example/").await.status, 404, "no redirect to another host");
}

#[tokio::test]
async fn a_strange_host_header_does_not_reach_the_page() {
    let desk = Desk::sample();
    let request = Request::get("/").header("host", "evil\"><script>").body(Body::empty()).unwrap();
    assert!(!desk.send(request).await.text().contains("evil"));
}
