//! Stand-ins for the two systems that the site speaks to, and a reader.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt;
use plinth_kernel::{
    Code, FieldError, Problem, TenantId, TraceContext, World,
    ports::{
        AnswerGate, AnswerView, BoxFuture, CitationView, FormFieldView, FormGate, FormView,
        SubmissionReceipt, VisitorContext,
    },
};
use plinth_site::{Site, SiteContent};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tower::ServiceExt;

/// A submission as the gate received it.
pub type Received = (String, BTreeMap<String, Value>, Option<String>);

/// Remembers what was sent; refuses an e-mail address without an `@`.
#[derive(Default)]
pub struct Forms {
    pub received: Mutex<Vec<Received>>,
}

impl FormGate for Forms {
    fn published<'a>(
        &'a self,
        _: &'a TenantId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<FormView>, Problem>> {
        Box::pin(async move { Ok((key == "contact").then(contact_form)) })
    }

    fn submit<'a>(
        &'a self,
        _: VisitorContext,
        key: &'a str,
        values: BTreeMap<String, Value>,
        once: Option<String>,
    ) -> BoxFuture<'a, Result<SubmissionReceipt, Problem>> {
        Box::pin(async move {
            let email = values.get("email").and_then(Value::as_str).unwrap_or_default().to_owned();
            self.received.lock().unwrap().push((key.to_owned(), values, once));
            match email.as_str() {
                "busy@example.org" => {
                    Err(Problem::new(Code::RateLimited, "Too many messages at once.").retry_after_ms(2_500))
                }
                email if email.contains('@') => {
                    let (world, _) = World::manual(7);
                    let submission_id = world.id::<plinth_kernel::SubmissionId>().to_string();
                    Ok(SubmissionReceipt { submission_id, trace_id: String::new() })
                }
                _ => {
                    let fault =
                        FieldError::pointer("/values/email", "invalid_email", "Write an e-mail address.");
                    Err(Problem::validation(vec![fault]))
                }
            }
        })
    }
}

pub fn contact_form() -> FormView {
    let field = |key: &str, kind: &str| FormFieldView {
        key: key.into(),
        kind: kind.into(),
        label: format!("Your {key}"),
        help: String::new(),
        required: true,
        options: vec![("a".into(), "A".into()), ("b".into(), "B".into())],
        max_length: Some(500),
        min_length: None,
        pattern: None,
        autocomplete: None,
    };
    FormView {
        id: "frm_test".into(),
        title: "Write a message".into(),
        description: String::new(),
        version: 1,
        fields: vec![
            field("name", "text"),
            field("email", "email"),
            field("topic", "choice"),
            field("message", "long_text"),
            field("consent", "checkbox"),
        ],
        submit_label: "Send".into(),
        thank_you: "Thank you.".into(),
    }
}

/// Answers everything with one cited sentence.
pub struct Answers;

impl AnswerGate for Answers {
    fn answer<'a>(
        &'a self,
        _: VisitorContext,
        question: &'a str,
    ) -> BoxFuture<'a, Result<AnswerView, Problem>> {
        Box::pin(async move {
            if question == "busy" {
                return Err(Problem::new(Code::Overloaded, "The assistant is busy."));
            }
            Ok(AnswerView {
                text: "A delivery log. [1]".into(),
                citations: vec![CitationView {
                    n: 1,
                    title: "Systems".into(),
                    url: "/systems/notify#systems.notify.architecture".into(),
                    quote: "A delivery log".into(),
                }],
                grounded: true,
                suggestions: vec!["And then?".into()],
            })
        })
    }
}

/// A site on its sample content, and those it speaks to.
pub struct Desk {
    pub content: Arc<SiteContent>,
    pub forms: Arc<Forms>,
    pub app: Router,
}

/// An answer, read to its end.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

impl Desk {
    pub fn sample() -> Self {
        Self::on(SiteContent::open(None, "1.2.3").unwrap())
    }

    pub fn on(content: Arc<SiteContent>) -> Self {
        let forms = Arc::new(Forms::default());
        let app = Site::new(Arc::clone(&content), Arc::clone(&forms) as _, Arc::new(Answers)).routes();
        Self { content, forms, app }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(visited(Request::get(path)).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        let request =
            visited(Request::post(path)).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

/// A request of a visitor, as the gateway passes it on.
pub fn visited(request: axum::http::request::Builder) -> axum::http::request::Builder {
    let (world, _) = World::manual(1);
    request.header("host", "site.example").extension(VisitorContext {
        tenant: world.id(),
        request_id: "req_test".into(),
        trace: TraceContext::root(&world),
        visitor: "visitor".into(),
        client_ip: "192.0.2.1".into(),
        user_agent: "test".into(),
    })
}
