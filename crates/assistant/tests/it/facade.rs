//! The assistant as an OpenAI-compatible server, read by our own reader of that protocol.

use http::Method;
use plinth_assistant::model::generation::{FinishReason, GenEvent};
use plinth_assistant::model::openai::ChatStream;
use plinth_testkit::{Engine, TestStore};
use serde_json::{Value, json};

use crate::support::{Step, Upstream, app, app_with, delta, head};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completion_comes_whole_or_as_a_stream() {
    let store = TestStore::builder(Engine::Sqlite).open().await;
    let app = app(&store).await;
    let body = json!({"model": "site-assistant", "temperature": 0.2, "messages": [
        {"role": "system", "content": "You are a pirate."}, {"role": "user", "content": "Does he know Kubernetes?"}]});
    let whole = app.owner.json(Method::POST, "/v1/chat/completions", &[], &body).await.json();
    let text = whole["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("Kubernetes (working)"), "{whole}");
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
    assert_eq!(whole["choices"][0]["message"]["annotations"][0]["type"], "url_citation");

    let mut body = body;
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let streamed = app.owner.json(Method::POST, "/v1/chat/completions", &[], &body).await;
    assert_eq!(streamed.header("content-type"), "text/event-stream; charset=utf-8");
    let (mut reader, mut events) = (ChatStream::default(), Vec::new());
    reader.push(&streamed.body, &mut events).unwrap();
    assert!(reader.is_done());
    let deltas: String = events
        .iter()
        .filter_map(|event| if let GenEvent::Delta(text) = event { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(deltas, text);
    assert!(events.contains(&GenEvent::Finished(FinishReason::Stop)));
    assert!(matches!(events.last(), Some(GenEvent::Usage(_))));
    let chunks: Vec<Value> = String::from_utf8(streamed.body)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["id"] == chunks[0]["id"] && chunk["object"] == "chat.completion.chunk")
    );
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_stream_ends_without_done() {
    let store = TestStore::builder(Engine::Sqlite).open().await;
    let first = "The notification system is an event-driven pipeline over Kafka. [1] ";
    let upstream = Upstream::start(vec![vec![Step::Send([head(), delta(first), delta("A")].concat())]]).await;
    let app = app_with(&store, plinth_assistant::Settings::default(), Some(upstream.provider())).await;
    let body = json!({"model": "site-assistant", "stream": true, "messages": [{"role": "user", "content": "How is the notification system built?"}]});
    let streamed = app.owner.json(Method::POST, "/v1/chat/completions", &[], &body).await;
    let text = String::from_utf8(streamed.body).unwrap();
    assert!(text.contains("\"error\":{\"message\":\"upstream_interrupted"), "{text}");
    assert!(!text.contains("[DONE]"));
    let mut whole = body;
    whole["stream"] = json!(false);
    assert_eq!(
        app.owner.json(Method::POST, "/v1/chat/completions", &[], &whole).await.code(),
        "upstream_error"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_and_unknown_ones_refused() {
    let store = TestStore::builder(Engine::Sqlite).open().await;
    let app = app(&store).await;
    let models = app.owner.get("/v1/models").await.json();
    assert_eq!(models["data"][0]["id"], "site-assistant");
    for (body, pointer) in [
        (json!({"model": "gpt-4", "messages": [{"role": "user", "content": "a"}]}), "/model"),
        (json!({"model": "site-assistant", "messages": []}), "/messages"),
        (
            json!({"model": "site-assistant", "messages": [{"role": "user", "content": "a".repeat(2_000)}]}),
            "/messages/0/content",
        ),
    ] {
        let answer = app.owner.json(Method::POST, "/v1/chat/completions", &[], &body).await;
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.json());
    }
}
