//! Read, erase, rate.

use axum::extract::{Path, State};
use http::StatusCode;
use plinth_api::{ApiResult, Ctx, Json, Problems};
use plinth_kernel::{FieldError, Id, MessageId, NewEvent, Problem};
use serde::Deserialize;
use serde_json::json;

use super::access;
use super::object::{ConversationObject, MessageObject, TranscriptObject};
use crate::store::{self, Refused};
use crate::{Assistant, limits};

/// Reads a conversation
#[utoipa::path(
    get, path = "/v1/assistant/chat/{id}", operation_id = "get_assistant_chat", tag = "Assistant",
    params(("id" = String, Path, description = "The conversation, by our id or the client's own.", example = "chat-7f3a")),
    responses((status = 200, description = "The conversation with its messages.", body = TranscriptObject), Problems),
    security(
        ("visitor" = ["assistant:chat:read"]), ("user_token" = ["assistant:chat:read"]),
        ("secret_key" = ["assistant:chat:read"]), ("session" = ["assistant:chat:read"])
    ),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_assistant_chat(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<TranscriptObject>> {
    let access = access(&ctx);
    let transcript = assistant.inner.store.read(move |tx| {
        let row = store::find(tx, &access, &id)?.ok_or_else(|| Problem::not_found("conversation"))?;
        let messages = store::messages(tx, &access.tenant, &row.id)?;
        Ok::<_, Refused>(TranscriptObject {
            conversation: ConversationObject::new(row),
            messages: messages.into_iter().map(MessageObject::new).collect(),
        })
    });
    Ok(axum::Json(transcript.await.map_err(Problem::from)?))
}

/// Erases a conversation
///
/// Messages, runs and their records are removed for good; an answer being written is stopped.
#[utoipa::path(
    delete, path = "/v1/assistant/chat/{id}", operation_id = "delete_assistant_chat", tag = "Assistant",
    params(("id" = String, Path, description = "The conversation, by our id or the client's own.", example = "chat-7f3a")),
    responses((status = 204, description = "It is gone."), Problems),
    security(
        ("visitor" = ["assistant:chat:write"]), ("user_token" = ["assistant:chat:write"]),
        ("secret_key" = ["assistant:chat:write"]), ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn delete_assistant_chat(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let access = access(&ctx);
    let tenant = access.tenant.clone();
    let erased = assistant.inner.store.write(move |tx| {
        // Erasing twice is erasing.
        let Some(row) = store::find(tx, &access, &id)? else { return Ok::<_, Refused>(None) };
        store::erase(tx, &access.tenant, &row.id)?;
        Ok(Some(row.id))
    });
    if let Some(id) = erased.await.map_err(Problem::from)? {
        assistant.inner.hub.forget(&tenant, &id);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A rating.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedbackBody {
    /// `1` for a good answer, `-1` for a bad one.
    #[schema(example = 1)]
    rating: i64,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000, example = "It names the broker.")]
    reason: Option<String>,
}

/// Rates an answer
#[utoipa::path(
    post, path = "/v1/assistant/chat/{id}/messages/{message_id}/feedback", operation_id = "rate_assistant_message",
    tag = "Assistant",
    params(
        ("id" = String, Path, description = "The conversation, by our id or the client's own.", example = "chat-7f3a"),
        ("message_id" = String, Path, description = "The answer.", example = "msg_01kb3q5n8e7x9a2c4d6f8g0h1j")
    ),
    request_body = FeedbackBody,
    responses((status = 200, description = "The rated answer.", body = MessageObject), Problems),
    security(
        ("visitor" = ["assistant:chat:write"]), ("publishable_key" = ["assistant:chat:write"]),
        ("user_token" = ["assistant:chat:write"]), ("secret_key" = ["assistant:chat:write"]),
        ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "write", "body_max_bytes": 16384})))
)]
pub(crate) async fn rate_assistant_message(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    Path((id, message)): Path<(String, String)>,
    Json(body): Json<FeedbackBody>,
) -> ApiResult<axum::Json<MessageObject>> {
    check(&body)?;
    let access = access(&ctx);
    let (actor, trace) = (ctx.principal.actor.clone(), ctx.trace);
    let rated = assistant.inner.store.write(move |tx| {
        let conversation =
            store::find(tx, &access, &id)?.ok_or_else(|| Problem::not_found("conversation"))?.id;
        let missing = || Problem::not_found("answer");
        let message = MessageId::parse(&message).map_err(|_| missing())?;
        let keys = (&access.tenant, &conversation, &message);
        if !store::rate(tx, keys, body.rating, body.reason.as_deref())? {
            return Err(missing().into());
        }
        tx.emit(NewEvent {
            tenant: access.tenant.clone(),
            kind: "assistant.message.rated",
            version: 1,
            subject: conversation.to_string(),
            data: json!({"message_id": message.to_string(), "rating": body.rating}),
            actor: actor.clone(),
            trace,
            causation: None,
        });
        let row = store::message(tx, &access.tenant, &conversation, &message)?.ok_or_else(missing)?;
        Ok::<_, Refused>(MessageObject::new(row))
    });
    Ok(axum::Json(rated.await.map_err(Problem::from)?))
}

fn check(body: &FeedbackBody) -> Result<(), Problem> {
    let mut errors = Vec::new();
    if !matches!(body.rating, 1 | -1) {
        errors.push(FieldError::pointer("/rating", "not_a_choice", "Must be 1 or -1."));
    }
    if body.reason.as_ref().is_some_and(|reason| reason.chars().count() > limits::FEEDBACK_CHARS_MAX) {
        let detail = format!("At most {} characters.", limits::FEEDBACK_CHARS_MAX);
        errors.push(FieldError::pointer("/reason", "too_long", detail));
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::validation(errors)) }
}
