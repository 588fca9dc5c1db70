//! The streaming contract, as clients rely on it.

use http::Method;
use plinth_store::owned;
use plinth_testkit::{TestStore, both_engines};
use serde_json::{Value, json};

use crate::support::{Stream, app, ask};

fn utf16(text: &str, span: &Value) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let at = |i: usize| usize::try_from(span[i].as_u64().unwrap()).unwrap();
    String::from_utf16(&units[at(0)..at(1)]).unwrap()
}

both_engines! {
    async fn an_answer_streams_as_the_contract_says(store: TestStore) {
        let app = app(&store).await;
        let answer = app.visitor.json(Method::POST, "/v1/assistant/chat", &[], &json!({"message": "What were the challenges of the notification system?"})).await;
        assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-cache, no-transform");
        assert_eq!(answer.header("x-accel-buffering"), "no");
        assert_eq!(answer.header("x-vercel-ai-ui-message-stream"), "v1");
        let stream = Stream::of(&answer);
        let kinds = stream.kinds();
        let place = |kind: &str| kinds.iter().position(|k| *k == kind).unwrap_or_else(|| panic!("{kind} in {kinds:?}"));
        let order = ["start", "data-status", "start-step", "source-url", "text-start", "text-delta", "data-citation", "text-end", "data-suggestions", "finish-step", "finish"];
        assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{kinds:?}");
        assert!(kinds.iter().rposition(|k| *k == "source-url") < kinds.iter().position(|k| *k == "text-start"));
        for (n, frame) in (1..).zip(stream.raw.split("\n\n").filter(|frame| frame.starts_with("id: "))) {
            assert!(frame.starts_with(&format!("id: {n}\ndata: {{")), "{frame}");
            assert_eq!(frame.lines().count(), 2);
        }
        assert_eq!(stream.parts[0]["messageMetadata"]["run_id"], stream.run);
        assert_eq!(stream.all("data-status")[0]["transient"], true);
        let finish = &stream.finish()["messageMetadata"];
        assert_eq!((&finish["grounded"], &finish["refused"]), (&json!(true), &json!(false)));
        assert!(stream.text().contains("At-least-once delivery"));
    }

    async fn every_citation_is_a_verbatim_quotation(store: TestStore) {
        let app = app(&store).await;
        for question in ["What was hard about file previews and how do they scale?", "Which systems use Redis?", "Is he available?", "Does he know Kubernetes?"] {
            let stream = ask(&app.visitor, json!({"message": question})).await;
            let (text, citations) = (stream.text(), stream.all("data-citation"));
            assert!(!citations.is_empty(), "{question}: {text}");
            for citation in citations {
                let data = &citation["data"];
                let passage = app.assistant.index().position(data["sourceId"].as_str().unwrap()).unwrap();
                let body = app.assistant.index().passage(passage).body.clone();
                let quoted = utf16(&text, &data["answer"]);
                if question != "Is he available?" {
                    assert_eq!(quoted, utf16(&body, &data["source"]), "{question}");
                }
                assert!(text.contains(&format!("{quoted} [{}]", data["n"])), "{text}");
                assert!(stream.all("source-url").iter().any(|source| source["sourceId"] == data["sourceId"]));
            }
        }
    }

    async fn what_the_content_does_not_hold_is_not_answered(store: TestStore) {
        let app = app(&store).await;
        let stream = ask(&app.visitor, json!({"message": "Which university did he attend?"})).await;
        let finish = &stream.finish()["messageMetadata"];
        assert_eq!((&finish["grounded"], &finish["refused"]), (&json!(false), &json!(true)));
        assert!(stream.all("source-url").is_empty() && stream.all("data-citation").is_empty());
        let state: (String, String) = store.get("SELECT state, intent FROM assistant_runs", owned![]).await.unwrap().unwrap();
        assert_eq!((state.0.as_str(), state.1.as_str()), ("refused", "known_unknown"));
    }

    async fn all_three_request_forms_and_one_json_document(store: TestStore) {
        let app = app(&store).await;
        let bodies = [
            json!({"message": "Does he know Go?"}),
            json!({"id": "abc", "message": {"role": "user", "parts": [{"type": "text", "text": "Does he know Go?"}]}}),
            json!({"id": "abc", "trigger": "submit-message", "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "Does he know Go?"}]}]}),
        ];
        for body in bodies {
            assert!(ask(&app.visitor, body).await.text().contains("Go (working)"));
        }
        let answer = app.visitor.json(Method::POST, "/v1/assistant/chat", &[("accept", "application/json")], &json!({"message": "Does he know Go?"})).await;
        let message = answer.json();
        assert_eq!((message["object"].as_str(), message["grounded"].as_bool()), (Some("message"), Some(true)));
        assert_eq!(message["parts"][0]["text"], message["text"]);
        assert_eq!(answer.header("x-run-id"), message["run_id"].as_str().unwrap());
    }

    async fn a_resumed_stream_is_byte_for_byte_the_rest(store: TestStore) {
        let app = app(&store).await;
        let whole = ask(&app.visitor, json!({"id": "tab", "message": "How does the form builder scale?"})).await;
        let url = format!("/v1/assistant/chat/tab/stream?run={}", whole.run);
        for restarted in [false, true] {
            let app = if restarted { &app.restarted(&store) } else { &app };
            assert_eq!(Stream::of(&app.visitor.get(&url).await).raw, whole.raw);
            let from = whole.raw.find("id: 4\n").unwrap();
            assert_eq!(String::from_utf8(app.visitor.get(&format!("{url}&after=3")).await.body).unwrap(), whole.raw[from..]);
            let resumed = app.visitor.json(Method::GET, &url, &[("last-event-id", "3")], &Value::Null).await;
            assert_eq!(String::from_utf8(resumed.body).unwrap(), whole.raw[from..]);
        }
        assert_eq!(app.visitor.get("/v1/assistant/chat/tab/stream").await.status, 204, "nothing is being written");
        assert_eq!(app.visitor.get("/v1/assistant/chat/tab/stream?run=run_x").await.status, 204);
        assert_eq!(app.visitor.get("/v1/assistant/chat/nope/stream").await.status, 404);
        let bad = app.visitor.json(Method::GET, &url, &[("last-event-id", "x")], &Value::Null).await;
        assert_eq!(bad.code(), "invalid_header");
        assert_eq!(app.visitor.get(&format!("{url}&after=-1")).await.code(), "invalid_parameter");
    }

    async fn fifty_requests_with_one_key_are_one_run(store: TestStore) {
        let app = app(&store).await;
        let asked = (0..50).map(|_| {
            let visitor = app.visitor.clone();
            tokio::spawn(async move {
                let body = json!({"id": "one", "message": "What are the bottlenecks of chat systems?"});
                Stream::of(&visitor.json(Method::POST, "/v1/assistant/chat", &[("idempotency-key", "k1")], &body).await).raw
            })
        });
        let mut streams = Vec::new();
        for task in asked.collect::<Vec<_>>() {
            streams.push(task.await.unwrap());
        }
        assert!(streams.iter().all(|stream| *stream == streams[0]));
        let runs: (i64,) = store.get("SELECT count(*) FROM assistant_runs", owned![]).await.unwrap().unwrap();
        assert_eq!(runs, (1,));
        let other = app.visitor.json(Method::POST, "/v1/assistant/chat", &[("idempotency-key", "k1")], &json!({"message": "Something else?"})).await;
        assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "idempotency_key_reused"));
    }

    async fn a_conversation_is_its_owners_alone(store: TestStore) {
        let app = app(&store).await;
        let body = json!({"id": "mine", "message": "Does he know Redis?"});
        let stream = ask(&app.visitor, body).await;
        let mine = app.visitor.get("/v1/assistant/chat/mine").await.json();
        let id = mine["id"].as_str().unwrap();
        assert_eq!(mine["messages"].as_array().unwrap().len(), 2);
        assert_eq!(mine["messages"][1]["text"], stream.text());
        let other = app.owner.visitor("bob");
        for url in [format!("/v1/assistant/chat/{id}"), "/v1/assistant/chat/mine".into(), format!("/v1/assistant/chat/{id}/stream?run={}", stream.run)] {
            assert_eq!(other.get(&url).await.status, 404, "{url}");
            assert_eq!(app.owner.stranger().get(&url).await.status, 404, "{url}");
        }
        let asked = other.json(Method::POST, "/v1/assistant/chat", &[], &json!({"id": id, "message": "Hi"})).await;
        assert_eq!(asked.status, 404);
        assert_eq!(app.owner.get(&format!("/v1/assistant/chat/{id}")).await.status, 200, "the tenant's own server sees it");
        assert_eq!(other.json(Method::DELETE, &format!("/v1/assistant/chat/{id}"), &[], &Value::Null).await.status, 204);
        assert_eq!(app.visitor.get("/v1/assistant/chat/mine").await.status, 200, "somebody else's erasure erases nothing");
        assert_eq!(app.visitor.json(Method::DELETE, "/v1/assistant/chat/mine", &[], &Value::Null).await.status, 204);
        assert_eq!(app.visitor.get("/v1/assistant/chat/mine").await.status, 404);
        let left: (i64, i64) = store.get("SELECT (SELECT count(*) FROM assistant_messages), (SELECT count(*) FROM assistant_runs)", owned![]).await.unwrap().unwrap();
        assert_eq!(left, (0, 0));
    }

    async fn a_follow_up_is_about_what_was_said_before(store: TestStore) {
        let app = app(&store).await;
        ask(&app.visitor, json!({"id": "f", "message": "What is the architecture of the file preview platform?"})).await;
        let stream = ask(&app.visitor, json!({"id": "f", "message": "and its challenges?"})).await;
        assert!(stream.text().contains("Large files without blocking requests"), "{}", stream.text());
        let paged = ask(&app.visitor, json!({"message": "What was hard about this?", "page": "/systems/billing"})).await;
        assert!(paged.text().contains("double charging"), "{}", paged.text());
    }

    async fn regenerating_replaces_the_last_answer(store: TestStore) {
        let app = app(&store).await;
        let first = ask(&app.visitor, json!({"id": "r", "message": "Does he know Docker?"})).await;
        let again = ask(&app.visitor, json!({"id": "r", "trigger": "regenerate-message", "messages": []})).await;
        assert_eq!(first.text(), again.text());
        assert_ne!(first.run, again.run);
        let messages = app.visitor.get("/v1/assistant/chat/r").await.json()["messages"].clone();
        assert_eq!(messages.as_array().unwrap().len(), 2);
        assert_eq!(messages[1]["run_id"], again.run);
        let nothing = app.visitor.json(Method::POST, "/v1/assistant/chat", &[], &json!({"id": "new", "trigger": "regenerate-message"})).await;
        assert_eq!(nothing.status, 404);
    }

    async fn a_person_is_asked_for_once(store: TestStore) {
        let app = app(&store).await;
        ask(&app.visitor, json!({"id": "c", "message": "Does he know Kafka?"})).await;
        let url = "/v1/assistant/chat/c/handover";
        let body = json!({"email": "ada@example.org", "message": "May I call?"});
        let at_once = (0..6).map(|_| app.visitor.json(Method::POST, url, &[], &body));
        for answer in futures_util::future::join_all(at_once).await {
            assert_eq!((answer.status.as_u16(), answer.json()["status"].as_str()), (202, Some("requested")), "{}", answer.json());
        }
        let told: Vec<(String,)> = store
            .list("SELECT data FROM events WHERE kind = 'assistant.handover.requested'", owned![])
            .await
            .unwrap();
        assert_eq!(told.len(), 1);
        assert!(told[0].0.contains("Does he know Kafka?") && told[0].0.contains("ada@example.org"), "{told:?}");
        let bad = app.visitor.json(Method::POST, url, &[], &json!({"email": "nowhere"})).await;
        assert_eq!((bad.status.as_u16(), bad.json()["errors"][0]["pointer"].as_str()), (422, Some("/email")));
        let missing = app.visitor.json(Method::POST, "/v1/assistant/chat/other/handover", &[], &json!({})).await;
        assert_eq!(missing.status, 404);
    }

    async fn an_answer_is_rated_and_the_console_sees_how_it_came_about(store: TestStore) {
        let app = app(&store).await;
        ask(&app.visitor, json!({"id": "c", "message": "Does he know Kafka?"})).await;
        let transcript = app.visitor.get("/v1/assistant/chat/c").await.json();
        let (id, message) = (transcript["id"].as_str().unwrap(), transcript["messages"][1]["id"].as_str().unwrap());
        let url = format!("/v1/assistant/chat/c/messages/{message}/feedback");
        let rated = app.visitor.json(Method::POST, &url, &[], &json!({"rating": -1, "reason": "too short"})).await;
        assert_eq!(rated.json()["rating"], -1);
        let bad = app.visitor.json(Method::POST, &url, &[], &json!({"rating": 5})).await;
        assert_eq!((bad.status.as_u16(), bad.json()["errors"][0]["pointer"].as_str()), (422, Some("/rating")));
        let question = transcript["messages"][0]["id"].as_str().unwrap();
        let own = format!("/v1/assistant/chat/c/messages/{question}/feedback");
        assert_eq!(app.visitor.json(Method::POST, &own, &[], &json!({"rating": 1})).await.status, 404, "only answers are rated");
        let list = app.owner.get("/v1/assistant/conversations").await.json();
        assert_eq!(list["data"][0]["id"], id);
        let detail = app.owner.get(&format!("/v1/assistant/conversations/{id}")).await.json();
        let run = &detail["runs"][0];
        assert_eq!((run["state"].as_str(), run["provider"].as_str()), (Some("done"), Some("extractive")));
        assert!(run["retrieval"]["passages"][0]["score"].as_f64().unwrap() > 0.0);
        assert_eq!(app.owner.stranger().get(&format!("/v1/assistant/conversations/{id}")).await.status, 404);
        let kinds: Vec<(String,)> = store.list("SELECT kind FROM events ORDER BY created_at, kind", owned![]).await.unwrap();
        let kinds: Vec<&str> = kinds.iter().map(|(kind,)| kind.as_str()).collect();
        assert_eq!(kinds, ["assistant.run.completed", "assistant.message.rated"]);
    }

    async fn changed_content_changes_answers_at_once(store: TestStore) {
        let app = app(&store).await;
        let before = ask(&app.visitor, json!({"message": "Does he know Elixir?"})).await;
        assert_eq!(before.finish()["messageMetadata"]["refused"], true);
        app.content.replace(|snapshot| {
            snapshot.version = "v2".into();
            let tools = snapshot.passages.iter_mut().find(|passage| passage.id == "skills.backend.stack").unwrap();
            tools.body.push_str(", Elixir");
        });
        let after = ask(&app.visitor, json!({"message": "Does he know Elixir?"})).await;
        assert_eq!(after.parts[0]["messageMetadata"]["content_version"], "v2");
        assert!(after.text().contains("Elixir"), "{}", after.text());
    }

    with (|builder| builder.manual_clock(7))
    async fn old_conversations_and_streams_are_swept(store: TestStore) {
        let app = app(&store).await;
        let stream = ask(&app.visitor, json!({"id": "old", "message": "Does he know Kafka?"})).await;
        let url = format!("/v1/assistant/chat/old/stream?run={}", stream.run);
        store.clock().advance_ms(9 * 60_000);
        assert_eq!(app.restarted(&store).visitor.get(&url).await.status, 200);
        store.clock().advance_ms(2 * 60_000);
        assert_eq!(app.restarted(&store).visitor.get(&url).await.status, 204, "the replay window has passed");
        let swept = app.assistant.sweep().await.unwrap();
        assert_eq!((swept.streams, swept.conversations), (1, 0));
        assert_eq!(app.visitor.get("/v1/assistant/chat/old").await.status, 200);
        store.clock().advance_ms(31 * 24 * 3_600_000);
        assert_eq!(app.assistant.sweep().await.unwrap().conversations, 1);
        assert_eq!(app.visitor.get("/v1/assistant/chat/old").await.status, 404);
    }
}

/// Needs no second engine: nothing is stored.
#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let store = TestStore::builder(plinth_testkit::Engine::Sqlite).open().await;
    let app = app(&store).await;
    for (body, status, code, pointer) in [
        (json!({}), 422, "validation_failed", "/message"),
        (json!({"message": "a", "provider": "gpt"}), 422, "validation_failed", "/provider"),
        (json!({"message": "a", "x": 1}), 400, "unknown_field", "/x"),
        (json!({"message": "a", "id": "no spaces"}), 422, "validation_failed", "/id"),
        (json!({"message": "a".repeat(1_001)}), 422, "validation_failed", "/message"),
    ] {
        let answer = app.visitor.json(Method::POST, "/v1/assistant/chat", &[], &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{body}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}");
    }
    let config = app.visitor.get("/v1/assistant/config").await;
    assert_eq!(config.json()["provider"], "extractive");
    let tag = config.header("etag").to_owned();
    let again =
        app.visitor.json(Method::GET, "/v1/assistant/config", &[("if-none-match", &tag)], &Value::Null).await;
    assert_eq!(again.status, 304);
    assert!(
        !app.visitor.get("/v1/assistant/suggestions").await.json()["data"].as_array().unwrap().is_empty()
    );
    let missing = app.visitor.json(Method::POST, "/v1/assistant/chat/none/stop", &[], &Value::Null).await;
    assert_eq!(missing.status, 404);
    let stop = app.visitor.json(Method::POST, "/v1/assistant/chat/none/stop", &[], &json!({"run": 1})).await;
    assert_eq!(stop.status, 400, "{}", stop.json());
}
