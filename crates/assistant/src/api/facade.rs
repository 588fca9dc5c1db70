//! The assistant as an OpenAI-compatible server, for the many clients that speak that protocol.
//!
//! Only the last message of the user is read: a system message would be somebody else's rules. Unlike our own operations this
//! one accepts unknown fields, since clients of that protocol send dozens that do not concern us.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderValue, header};
use plinth_api::{ApiResult, Ctx, Json, Problems};
use plinth_kernel::{Code, FieldError, Problem};
use serde::Serialize;
use serde_json::{Value, json};

use super::asker;
use crate::answering::EXTRACTIVE;
use crate::hub::Run;
use crate::model::request::{ChatRequest, user_text};
use crate::model::sse::SseParser;
use crate::{Assistant, limits};

/// The model that answers with whatever is configured.
const MODEL: &str = "site-assistant";

/// The part of OpenAI's request that is read.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)]
pub(crate) struct CompletionBody {
    /// `site-assistant`, or with a provider: `site-assistant/extractive`.
    #[schema(example = "site-assistant")]
    model: String,
    /// Messages; the last one of the user is the question.
    #[schema(value_type = Vec<Object>, example = json!([{"role": "user", "content": "Does he know Kubernetes?"}]))]
    messages: Vec<Value>,
    /// Whether to stream.
    stream: Option<bool>,
    /// `include_usage` adds a last chunk with usage.
    #[schema(value_type = Option<Object>)]
    stream_options: Option<Value>,
}

/// A model, as OpenAI lists it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ModelObject {
    /// Its id.
    #[schema(example = "site-assistant")]
    id: String,
    /// Always `model`.
    #[schema(example = "model")]
    object: &'static str,
    /// Always 0: models here have no date of birth.
    created: u64,
    /// Always `plinth`.
    #[schema(example = "plinth")]
    owned_by: &'static str,
}

/// The models, as OpenAI lists them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ModelList {
    /// Always `list`.
    #[schema(example = "list")]
    object: &'static str,
    /// The models.
    data: Vec<ModelObject>,
}

/// Lists models in OpenAI's shape
#[utoipa::path(
    get, path = "/v1/models", operation_id = "list_models", tag = "Assistant",
    responses((status = 200, description = "The models.", body = ModelList), Problems),
    security(("secret_key" = ["assistant:chat:write"]), ("session" = ["assistant:chat:write"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_models(State(assistant): State<Assistant>) -> ApiResult<axum::Json<ModelList>> {
    let named = assistant.inner.provider.as_ref().map(|provider| format!("{MODEL}/{}", provider.id()));
    let ids = [MODEL.to_owned(), format!("{MODEL}/{EXTRACTIVE}")].into_iter().chain(named);
    let data = ids.map(|id| ModelObject { id, object: "model", created: 0, owned_by: "plinth" }).collect();
    Ok(axum::Json(ModelList { object: "list", data }))
}

/// Answers in OpenAI's chat completions shape
#[utoipa::path(
    post, path = "/v1/chat/completions", operation_id = "create_chat_completion", tag = "Assistant",
    request_body = CompletionBody,
    responses(
        (status = 200, description = "The completion, or its stream.", content(
            (Object = "application/json"), (Value = "text/event-stream")
        )),
        Problems
    ),
    security(("secret_key" = ["assistant:chat:write"]), ("session" = ["assistant:chat:write"])),
    extensions(("x-plinth" = json!({"class": "write", "body_max_bytes": 524288, "timeout_ms": null})))
)]
pub(crate) async fn create_chat_completion(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    Json(body): Json<Value>,
) -> ApiResult<Response> {
    let asked = Asked::parse(&body)?;
    let request = ChatRequest { text: asked.question, provider: asked.provider, ..ChatRequest::default() };
    let created = ctx.received_at.as_seconds();
    let run = assistant.ask(asker(&ctx), request).await?;
    let shape = Shape { id: format!("chatcmpl-{}", run.id), created, model: asked.model };
    if asked.stream { Ok(streamed(&run, shape, asked.include_usage)) } else { whole(&run, &shape).await }
}

/// A request of the facade.
struct Asked {
    question: String,
    model: String,
    provider: Option<String>,
    stream: bool,
    include_usage: bool,
}

impl Asked {
    fn parse(body: &Value) -> Result<Self, Problem> {
        let fault = |pointer: &str, code: &str, detail: &str| {
            Problem::validation(vec![FieldError::pointer(pointer, code, detail)])
        };
        let model = body["model"]
            .as_str()
            .ok_or_else(|| fault("/model", "required", "Name a model; see GET /v1/models."))?;
        let provider = match model.strip_prefix(MODEL) {
            Some("") => None,
            Some(rest) if rest.starts_with('/') => Some(rest[1..].to_owned()),
            _ => return Err(fault("/model", "not_a_choice", "There is no such model; see GET /v1/models.")),
        };
        let messages =
            body["messages"].as_array().filter(|messages| messages.len() <= limits::HISTORY_MESSAGES_MAX);
        let messages = messages
            .ok_or_else(|| fault("/messages", "invalid_type", "Must be a list of up to 1000 messages."))?;
        let last = messages.iter().rposition(|message| message["role"] == "user");
        let text = last.and_then(|at| user_text(&messages[at]));
        let text =
            text.ok_or_else(|| fault("/messages", "required", "A message of the user with text is needed."))?;
        let stream = match &body["stream"] {
            Value::Null => false,
            Value::Bool(stream) => *stream,
            _ => return Err(fault("/stream", "invalid_type", "Must be true or false.")),
        };
        // The same limits and the same normalisation as for our own operation.
        let question = ChatRequest::parse(&json!({"message": text})).map_err(|mut problem| {
            for error in &mut problem.errors {
                error.pointer = Some(format!("/messages/{}/content", last.unwrap_or_default()));
            }
            problem
        })?;
        let options = &body["stream_options"];
        if !options.is_null() && !options.is_object() {
            return Err(fault("/stream_options", "invalid_type", "Must be an object."));
        }
        let include_usage = options["include_usage"] == true;
        Ok(Self { question: question.text, model: model.to_owned(), provider, stream, include_usage })
    }
}

/// What all documents of one completion share.
#[derive(Clone)]
struct Shape {
    id: String,
    created: i64,
    model: String,
}

impl Shape {
    fn chunk(&self, delta: Value, finish_reason: Option<&str>) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        })
    }
}

/// Turns the parts of a run into chunks.
struct Translator {
    shape: Shape,
    include_usage: bool,
    parser: SseParser,
    sources: Vec<(String, String, String)>,
    failed: bool,
}

impl Translator {
    fn new(shape: Shape, include_usage: bool) -> Self {
        Self { shape, include_usage, parser: SseParser::default(), sources: Vec::new(), failed: false }
    }

    /// The chunks for a piece of the run's stream, as server-sent events.
    fn translate(&mut self, bytes: &[u8]) -> Bytes {
        let mut events = Vec::new();
        let mut out = String::new();
        // Our own frames are well below the parser's limits.
        let _ = self.parser.push(bytes, &mut events);
        if events.is_empty() {
            return Bytes::copy_from_slice(bytes);
        }
        for event in events {
            if event.data == "[DONE]" {
                // Clients take an end without [DONE] for a failure, which it then is.
                if !self.failed {
                    out.push_str("data: [DONE]\n\n");
                }
                continue;
            }
            let part: Value = serde_json::from_str(&event.data).unwrap_or(Value::Null);
            for chunk in self.part(&part) {
                out.push_str(&format!("data: {chunk}\n\n"));
            }
        }
        Bytes::from(out)
    }

    fn part(&mut self, part: &Value) -> Vec<Value> {
        match part["type"].as_str().unwrap_or("") {
            "start" => vec![self.shape.chunk(json!({"role": "assistant", "content": ""}), None)],
            "source-url" => {
                let text = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
                self.sources.push((text("sourceId"), text("url"), text("title")));
                Vec::new()
            }
            "text-delta" => vec![self.shape.chunk(json!({"content": part["delta"]}), None)],
            "data-citation" => {
                vec![self.shape.chunk(json!({"annotations": [self.annotation(&part["data"])]}), None)]
            }
            "error" => {
                self.failed = true;
                let text = part["errorText"].as_str().unwrap_or_default();
                let code = text.split(':').next().unwrap_or_default();
                vec![json!({"error": {"message": text, "type": "server_error", "code": code}})]
            }
            "finish" if !self.failed => self.finish(part),
            _ => Vec::new(),
        }
    }

    fn annotation(&self, data: &Value) -> Value {
        let source = self.sources.iter().find(|(id, _, _)| data["sourceId"] == id.as_str());
        let (url, title) = source.map_or(("", ""), |(_, url, title)| (url.as_str(), title.as_str()));
        json!({
            "type": "url_citation",
            "url_citation": {"start_index": data["answer"][0], "end_index": data["answer"][1], "url": url, "title": title},
        })
    }

    fn finish(&self, part: &Value) -> Vec<Value> {
        let mut chunks = vec![self.shape.chunk(json!({}), Some(finish_reason(part)))];
        if self.include_usage {
            let mut usage = self.shape.chunk(json!({}), None);
            usage["choices"] = json!([]);
            usage["usage"] = openai_usage(part);
            chunks.push(usage);
        }
        chunks
    }
}

fn finish_reason(finish: &Value) -> &'static str {
    match finish["finishReason"].as_str() {
        Some("length") => "length",
        Some("content-filter") => "content_filter",
        _ => "stop",
    }
}

fn openai_usage(finish: &Value) -> Value {
    let usage = &finish["messageMetadata"]["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    json!({
        "prompt_tokens": count("input"),
        "completion_tokens": count("output"),
        "total_tokens": count("input") + count("output"),
    })
}

fn streamed(run: &Arc<Run>, shape: Shape, include_usage: bool) -> Response {
    let mut translator = Translator::new(shape, include_usage);
    let stream = run.stream(0).map(move |chunk| chunk.map(|bytes| translator.translate(&bytes)));
    let mut response = Body::from_stream(without_empty(stream)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn without_empty(
    stream: impl Stream<Item = Result<Bytes, Infallible>> + Send,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream.filter(|chunk| std::future::ready(chunk.as_ref().is_ok_and(|bytes| !bytes.is_empty())))
}

/// The whole completion.
async fn whole(run: &Arc<Run>, shape: &Shape) -> ApiResult<Response> {
    let mut translator = Translator::new(shape.clone(), false);
    let (mut text, mut annotations, mut end) = (String::new(), Vec::new(), Value::Null);
    let mut parser = SseParser::default();
    let mut stream = Box::pin(run.stream(0));
    while let Some(Ok(bytes)) = stream.next().await {
        let mut events = Vec::new();
        let _ = parser.push(&bytes, &mut events);
        for event in events {
            let part: Value = serde_json::from_str(&event.data).unwrap_or(Value::Null);
            match part["type"].as_str().unwrap_or("") {
                "text-delta" => text.push_str(part["delta"].as_str().unwrap_or_default()),
                "data-citation" => annotations.push(translator.annotation(&part["data"])),
                "source-url" => drop(translator.part(&part)),
                "error" => {
                    let detail = part["errorText"].as_str().unwrap_or("The answer broke off.").to_owned();
                    return Err(Problem::new(Code::UpstreamError, detail).into());
                }
                "finish" => end = part,
                _ => {}
            }
        }
    }
    let body = json!({
        "id": shape.id,
        "object": "chat.completion",
        "created": shape.created,
        "model": shape.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": null, "annotations": annotations},
            "finish_reason": finish_reason(&end),
        }],
        "usage": openai_usage(&end),
    });
    Ok(axum::Json(body).into_response())
}
