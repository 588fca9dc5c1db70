//! Ask, follow, stop.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use plinth_api::json::{read_body, require_json};
use plinth_api::list::Query;
use plinth_api::{ApiResult, Ctx, Json, Problems, strict_json};
use plinth_kernel::{Code, FieldError, Problem, RunId};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

use super::{access, asker, object::MessageObject};
use crate::Assistant;
use crate::answering::run_id;
use crate::hub::Run;
use crate::model::request::ChatRequest;
use crate::model::ui_stream::{PROTOCOL_HEADER, PROTOCOL_VERSION};
use crate::store;

/// A question, in any of three forms: a plain text, one UI message, or the body that AI SDK's `useChat` sends.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct ChatBody {
    /// Conversation: ours (`cnv_…`) or a name of the client's own; a new one begins when absent.
    #[schema(max_length = 128, example = "chat-7f3a")]
    id: Option<String>,
    /// The question as text (at most 1,000 characters), or as a UI message with text parts.
    #[schema(value_type = Option<Value>, example = json!("Does he know Kubernetes?"))]
    message: Option<Value>,
    /// UI messages; only the last one of the user is read, the server's own transcript is the history.
    #[schema(value_type = Option<Vec<Value>>)]
    messages: Option<Vec<Value>>,
    /// `submit-message`, or `regenerate-message` to answer the last question again.
    #[schema(example = "submit-message")]
    trigger: Option<String>,
    /// Sent by AI SDK clients; not needed.
    #[schema(rename = "messageId", value_type = Option<Value>)]
    message_id: Option<Value>,
    /// Language of the page, BCP 47.
    #[schema(max_length = 35, example = "en")]
    locale: Option<String>,
    /// Path of the page being read; follow-up questions lean on it.
    #[schema(max_length = 512, example = "/systems/forms")]
    page: Option<String>,
    /// `extractive`, or the configured model's provider.
    #[schema(max_length = 64, example = "extractive")]
    provider: Option<String>,
    /// `false` answers one JSON document instead of a stream.
    stream: Option<bool>,
}

/// Asks the assistant
///
/// Answers with a stream of server-sent events (AI SDK UI message stream v1) unless `stream` is `false` or only JSON is
/// accepted. With an `Idempotency-Key` a repeated request attaches to the same run.
#[utoipa::path(
    post, path = "/v1/assistant/chat", operation_id = "chat_with_assistant", tag = "Assistant",
    request_body = ChatBody,
    responses(
        (status = 200, description = "The answer: a stream, or one message.", content(
            (Value = "text/event-stream"), (MessageObject = "application/json")
        )),
        Problems
    ),
    security(
        ("visitor" = ["assistant:chat:write"]), ("publishable_key" = ["assistant:chat:write"]),
        ("user_token" = ["assistant:chat:write"]), ("secret_key" = ["assistant:chat:write"]),
        ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "write", "body_max_bytes": 524288, "timeout_ms": null})))
)]
pub(crate) async fn chat_with_assistant(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> ApiResult<Response> {
    let request = ChatRequest::parse(&body)?;
    let stream = request.stream.unwrap_or_else(|| accepts_stream(&headers));
    let run = assistant.ask(asker(&ctx), request).await?;
    if stream { Ok(streamed(&run, 0)) } else { whole(&assistant, &run).await }
}

/// A client that names JSON and not event streams wants one document.
fn accepts_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    !accept.contains("application/json") || accept.contains("text/event-stream") || accept.contains("*/*")
}

/// The run's stream after a sequence number.
pub(super) fn streamed(run: &Arc<Run>, after: u64) -> Response {
    let mut response = Body::from_stream(run.stream(after)).into_response();
    let headers = response.headers_mut();
    for (name, value) in STREAM_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::try_from(run.id.to_string()) {
        headers.insert(HeaderName::from_static("x-run-id"), id);
    }
    response
}

/// A stream is never cached, transformed (compression buffers) or buffered by a proxy.
const STREAM_HEADERS: [(&str, &str); 4] = [
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache, no-transform"),
    ("x-accel-buffering", "no"),
    (PROTOCOL_HEADER, PROTOCOL_VERSION),
];

/// Waits for the end and answers with the message. Whoever waits counts as a reader.
async fn whole(assistant: &Assistant, run: &Arc<Run>) -> ApiResult<Response> {
    let reader = run.reader();
    run.log.closed().await;
    drop(reader);
    let (tenant, conversation, id) = (run.tenant.clone(), run.conversation.clone(), run.id.clone());
    let row = assistant.inner.store.read(move |tx| {
        let Some(row) = store::run(tx, &tenant, &conversation, &id)? else { return Ok(None) };
        store::message(tx, &tenant, &conversation, &row.answer_id)
    });
    let row = row.await.map_err(|error: plinth_store::Error| Problem::from(error))?;
    let message = MessageObject::new(row.ok_or_else(|| Problem::not_found("message"))?);
    let mut response = axum::Json(message).into_response();
    if let Ok(id) = HeaderValue::try_from(run.id.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-run-id"), id);
    }
    Ok(response)
}

/// Where to begin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamQuery {
    /// A run that has finished within the last ten minutes, or the one in progress.
    #[serde(default)]
    #[param(max_length = 40)]
    run: Option<String>,
    /// Only what follows this sequence number. The `Last-Event-ID` header does the same.
    #[serde(default)]
    after: Option<u64>,
}

/// Where a reconnecting `EventSource` begins.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub(crate) struct ResumeHeader {
    /// Sequence number of the last frame received.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: u64,
}

/// Follows an answer being written
///
/// Replays the run from its beginning, or after `after` or `Last-Event-ID`, then goes on live. Any number of readers may
/// follow. 204 when there is nothing to follow.
#[utoipa::path(
    get, path = "/v1/assistant/chat/{id}/stream", operation_id = "follow_assistant_stream", tag = "Assistant",
    params(
        ("id" = String, Path, description = "The conversation, by our id or the client's own.", example = "chat-7f3a"),
        StreamQuery,
        ResumeHeader
    ),
    responses(
        (status = 200, description = "The stream.", body = Value, content_type = "text/event-stream"),
        (status = 204, description = "Nothing to follow."),
        Problems
    ),
    security(
        ("visitor" = ["assistant:chat:write"]), ("publishable_key" = ["assistant:chat:write"]),
        ("user_token" = ["assistant:chat:write"]), ("secret_key" = ["assistant:chat:write"]),
        ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "read", "timeout_ms": null})))
)]
pub(crate) async fn follow_assistant_stream(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    Path(id): Path<String>,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let last = last_event_id(&headers)?;
    let after = query.after.unwrap_or(last);
    let run = match query.run.as_deref() {
        None => None,
        // A text that is no run id names no run.
        Some(text) => match run_id(text) {
            Some(run) => Some(run),
            None => {
                assistant.conversation(&access(&ctx), &id).await?;
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
        },
    };
    Ok(match assistant.find_run(&access(&ctx), &id, run).await? {
        Some(run) => streamed(&run, after),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn last_event_id(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(0) };
    value.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
        let detail = "Last-Event-ID is the number of the last frame received.";
        Problem::new(Code::InvalidHeader, detail).field(FieldError::header(
            "Last-Event-ID",
            "invalid_value",
            detail,
        ))
    })
}

/// Which run is meant.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopBody {
    /// Only this run; a run that has ended is left alone. The one in progress when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "run_01kb3q5n8e7x9a2c4d6f8g0h1j")]
    run_id: Option<String>,
}

/// Stops an answer being written
///
/// The model's call is cancelled at once and the partial answer is kept. Stopping what has ended does nothing.
#[utoipa::path(
    post, path = "/v1/assistant/chat/{id}/stop", operation_id = "stop_assistant", tag = "Assistant",
    params(("id" = String, Path, description = "The conversation, by our id or the client's own.", example = "chat-7f3a")),
    request_body(content = Option<StopBody>, description = "May be left out."),
    responses((status = 202, description = "It is being stopped, or has ended."), Problems),
    security(
        ("visitor" = ["assistant:chat:write"]), ("publishable_key" = ["assistant:chat:write"]),
        ("user_token" = ["assistant:chat:write"]), ("secret_key" = ["assistant:chat:write"]),
        ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "write", "body_max_bytes": 4096})))
)]
pub(crate) async fn stop_assistant(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    Path(id): Path<String>,
    request: Request,
) -> ApiResult<StatusCode> {
    let body: StopBody = optional_json(request).await?;
    let run: Option<RunId> = match body.run_id.as_deref() {
        None => None,
        Some(text) => match run_id(text) {
            Some(run) => Some(run),
            // Stale or foreign: nothing to stop.
            None => return Ok(StatusCode::ACCEPTED),
        },
    };
    assistant.stop(&access(&ctx), &id, run).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A JSON body that may be left out.
async fn optional_json<T: Default + serde::de::DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let typed = require_json(&request);
    let bytes = read_body(request).await?;
    if bytes.is_empty() || bytes.trim_ascii() == b"null" {
        return Ok(T::default());
    }
    typed?;
    strict_json::from_slice(&bytes)
}
