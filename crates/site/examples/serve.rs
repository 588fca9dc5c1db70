//! The site alone, with stand-ins for the systems it speaks to: for working on pages and islands.
//!
//! `cargo run -p plinth-site --example serve -- [content folder] [port]`

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::stream;
use parking_lot::Mutex;
use plinth_kernel::{
    FieldError, Problem, TenantId, World,
    ports::{
        AnswerGate, AnswerView, BoxFuture, CitationView, FormFieldView, FormGate, FormView,
        SubmissionReceipt, VisitorContext,
    },
};
use plinth_site::{Site, SiteContent};
use serde_json::{Value, json};
use std::{collections::BTreeMap, convert::Infallible, path::PathBuf, sync::Arc, time::Duration};
use tokio_stream::StreamExt;

struct Forms(World);

impl FormGate for Forms {
    fn published<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<FormView>, Problem>> {
        Box::pin(async { Ok(Some(contact_form())) })
    }

    fn submit<'a>(
        &'a self,
        visitor: VisitorContext,
        _: &'a str,
        values: BTreeMap<String, Value>,
        _: Option<String>,
    ) -> BoxFuture<'a, Result<SubmissionReceipt, Problem>> {
        Box::pin(async move {
            check(&values)?;
            let submission_id = self.0.id::<plinth_kernel::SubmissionId>().to_string();
            Ok(SubmissionReceipt { submission_id, trace_id: visitor.trace.trace_id.to_string() })
        })
    }
}

fn check(values: &BTreeMap<String, Value>) -> Result<(), Problem> {
    let email = values.get("email").and_then(Value::as_str).unwrap_or_default();
    if email.contains('@') && email.contains('.') {
        return Ok(());
    }
    let detail = "Write an e-mail address, such as name@example.org.";
    Err(Problem::validation(vec![FieldError::pointer("/values/email", "invalid_email", detail)]))
}

fn contact_form() -> FormView {
    let field = |key: &str, kind: &str, label: &str, required| FormFieldView {
        key: key.into(),
        kind: kind.into(),
        label: label.into(),
        help: String::new(),
        required,
        options: vec![],
        max_length: Some(4_000),
        min_length: None,
        pattern: None,
        autocomplete: Some(if key == "message" { "off" } else { key }.into()),
    };
    let mut topic = field("topic", "choice", "What is it about?", true);
    topic.options = [("role", "A role"), ("product", "A product"), ("problem", "A problem space")]
        .map(|(v, l)| (v.into(), l.into()))
        .into();
    let mut message = field("message", "long_text", "Message", true);
    message.help = "A few sentences are enough.".into();
    FormView {
        id: "frm_demo".into(),
        title: "Write a message".into(),
        description: String::new(),
        version: 1,
        fields: vec![
            field("name", "text", "Name", true),
            field("email", "email", "E-mail", true),
            topic,
            message,
        ],
        submit_label: "Send message".into(),
        thank_you: "Thank you. Your message is on its way.".into(),
    }
}

const ANSWER: [&str; 4] = [
    "On the real-time notification system: ",
    "At-least-once delivery without spamming people: the delivery log and idempotency absorb the repeats. [1] ",
    "A delivery log for idempotency and replay. [2]",
    "\n- Per-tenant rate limits and quiet hours. [1]",
];
const SOURCES: [(&str, &str); 2] = [
    ("/systems/notify#systems.notify.challenges", "Systems > Real-time notification system > Challenges"),
    ("/systems/notify#systems.notify.architecture", "Systems > Real-time notification system > Architecture"),
];

struct Answers;

impl AnswerGate for Answers {
    fn answer<'a>(&'a self, _: VisitorContext, _: &'a str) -> BoxFuture<'a, Result<AnswerView, Problem>> {
        let citation = |(i, (url, title)): (usize, &(&str, &str))| CitationView {
            n: u32::try_from(i + 1).unwrap_or(1),
            title: title.replace(" > ", " / "),
            url: (*url).to_owned(),
            quote: String::new(),
        };
        let view = AnswerView {
            text: ANSWER.concat(),
            citations: SOURCES.iter().enumerate().map(citation).collect(),
            grounded: true,
            suggestions: vec!["How does it scale?".into(), "What is it built with?".into()],
        };
        Box::pin(async move { Ok(view) })
    }
}

fn frames() -> Vec<Value> {
    let mut frames = vec![
        json!({"type": "start", "messageId": "msg_1", "messageMetadata": {"run_id": "run_1"}}),
        json!({"type": "start-step"}),
    ];
    for (i, (url, title)) in SOURCES.iter().enumerate() {
        frames.push(json!({"type": "source-url", "sourceId": url, "url": url, "title": title,
            "providerMetadata": {"plinth": {"n": i + 1}}}));
    }
    frames.push(json!({"type": "text-start", "id": "t"}));
    frames.extend(ANSWER.iter().map(|delta| json!({"type": "text-delta", "id": "t", "delta": delta})));
    frames.push(json!({"type": "text-end", "id": "t"}));
    frames
        .push(json!({"type": "data-suggestions", "data": ["How does it scale?", "What is it built with?"]}));
    frames.push(json!({"type": "finish", "finishReason": "stop", "messageMetadata": {"grounded": true}}));
    frames
}

/// The question of the one conversation that this example remembers.
type Asked = Arc<Mutex<Option<String>>>;

/// A question that contains "drop" loses its connection half-way, to see the island pick the answer up again.
async fn chat(State(asked): State<Asked>, Json(body): Json<Value>) -> Response {
    let question = body["message"].as_str().unwrap_or_default().to_owned();
    let end = if question.contains("drop") { 6 } else { usize::MAX };
    *asked.lock() = Some(question);
    answer_from(0, end)
}

async fn resume(Query(query): Query<BTreeMap<String, String>>) -> Response {
    answer_from(query.get("after").and_then(|after| after.parse().ok()).unwrap_or(0), usize::MAX)
}

async fn transcript(State(asked): State<Asked>) -> Response {
    match asked.lock().clone() {
        Some(text) => Json(json!({"object": "conversation", "messages": [{"role": "user", "text": text}]}))
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer_from(after: usize, end: usize) -> Response {
    let last = (end == usize::MAX).then(|| Event::default().data("[DONE]"));
    let events = frames()
        .into_iter()
        .enumerate()
        .take(end)
        .skip(after)
        .map(|(i, frame)| Event::default().id((i + 1).to_string()).data(frame.to_string()));
    let paced =
        stream::iter(events.chain(last).map(Ok::<_, Infallible>)).throttle(Duration::from_millis(150));
    ([("x-vercel-ai-ui-message-stream", "v1")], Sse::new(paced)).into_response()
}

async fn submit(Path(_): Path<String>, Json(body): Json<Value>) -> Response {
    let values = serde_json::from_value(body["values"].clone()).unwrap_or_default();
    match check(&values) {
        Ok(()) => {
            (StatusCode::CREATED, Json(json!({"object": "submission", "id": "sub_demo"}))).into_response()
        }
        Err(problem) => {
            let body =
                json!({"code": problem.code.as_str(), "detail": problem.detail, "errors": problem.errors});
            let kind = [(header::CONTENT_TYPE, "application/problem+json")];
            (StatusCode::UNPROCESSABLE_ENTITY, kind, body.to_string()).into_response()
        }
    }
}

async fn as_visitor(mut request: Request, next: Next) -> Response {
    let world = World::system();
    let trace = plinth_kernel::TraceContext::root(&world);
    request.extensions_mut().insert(VisitorContext {
        tenant: world.id(),
        request_id: world.token(),
        trace,
        visitor: "demo".into(),
        client_ip: "127.0.0.1".into(),
        user_agent: String::new(),
    });
    next.run(request).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().filter(|a| a != "-").map(PathBuf::from).or_else(SiteContent::discover);
    let port = arguments.next().map_or(Ok(0), |port| port.parse::<u16>())?;
    let content = SiteContent::open(folder, "0.1.0")?;
    let _watch = content.watch()?;
    for fault in content.check() {
        eprintln!("{fault}");
    }
    let site = Site::new(content, Arc::new(Forms(World::system())), Arc::new(Answers));
    let fakes = Router::new()
        .route("/v1/assistant/chat", post(chat))
        .route("/v1/assistant/chat/{id}", get(transcript))
        .route("/v1/assistant/chat/{id}/stop", post(|| async { StatusCode::ACCEPTED }))
        .route("/v1/assistant/chat/{id}/stream", get(resume))
        .route("/v1/forms/{id}/submissions", post(submit))
        .with_state(Asked::default());
    let app = fakes.fallback_service(site.routes()).layer(middleware::from_fn(as_visitor));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
