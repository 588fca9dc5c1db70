//! Asking for a person.

use axum::extract::{Path, State};
use axum::response::Response;
use plinth_api::{ApiResult, Command, Problems, Reply};
use plinth_kernel::{ConversationId, FieldError, NewEvent, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access;
use crate::store;
use crate::{Assistant, limits};

/// Kind of the event that asks the members for a person.
const REQUESTED: &str = "assistant.handover.requested";

/// How to reach the visitor, and what for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandoverBody {
    /// Where to answer.
    #[serde(default)]
    #[schema(max_length = 254, example = "ada@example.org")]
    email: Option<String>,
    /// What a person should know.
    #[serde(default)]
    #[schema(max_length = 1000)]
    message: Option<String>,
}

/// What became of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct HandoverObject {
    /// Always `handover`.
    #[schema(example = "handover")]
    object: &'static str,
    /// The conversation.
    conversation_id: ConversationId,
    /// `requested`: the members have been told, now or by an earlier request.
    #[schema(example = "requested")]
    status: &'static str,
}

/// Asks for a person
///
/// Tells the members, once for each conversation, with the last question and a link to the transcript.
#[utoipa::path(
    post, path = "/v1/assistant/chat/{id}/handover", operation_id = "request_assistant_handover", tag = "Assistant",
    params(("id" = String, Path, description = "The conversation, by our id or the client's own.", example = "chat-7f3a")),
    request_body = HandoverBody,
    responses((status = 202, description = "The members are told.", body = HandoverObject), Problems),
    security(
        ("visitor" = ["assistant:chat:write"]), ("publishable_key" = ["assistant:chat:write"]),
        ("user_token" = ["assistant:chat:write"]), ("secret_key" = ["assistant:chat:write"]),
        ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "write", "cost": 5, "body_max_bytes": 16384})))
)]
pub(crate) async fn request_assistant_handover(
    State(assistant): State<Assistant>,
    Path(id): Path<String>,
    command: Command<HandoverBody>,
) -> ApiResult<Response> {
    command
        .run(&assistant.inner.store, move |tx, ctx, body| {
            check(body)?;
            let access = access(ctx);
            let row = store::find(tx, &access, &id)?.ok_or_else(|| Problem::not_found("conversation"))?;
            if store::hand_over(tx, &access.tenant, &row.id)? {
                let question = store::last_question(tx, &access.tenant, &row.id)?;
                tx.emit(NewEvent {
                    tenant: access.tenant.clone(),
                    kind: REQUESTED,
                    version: 1,
                    subject: row.id.to_string(),
                    data: json!({
                        "conversation_id": row.id, "question": question, "email": body.email, "message": body.message,
                    }),
                    actor: ctx.principal.actor.clone(),
                    trace: ctx.trace,
                    causation: None,
                });
            }
            Reply::accepted(&HandoverObject { object: "handover", conversation_id: row.id, status: "requested" })
        })
        .await
}

fn check(body: &HandoverBody) -> Result<(), Problem> {
    let mut errors = Vec::new();
    let reachable =
        |email: &String| email.len() <= 254 && email.contains('@') && !email.contains(char::is_whitespace);
    if body.email.as_ref().is_some_and(|email| !reachable(email)) {
        errors.push(FieldError::pointer("/email", "invalid_email", "Not an e-mail address."));
    }
    if body.message.as_ref().is_some_and(|message| message.chars().count() > limits::FEEDBACK_CHARS_MAX) {
        let detail = format!("At most {} characters.", limits::FEEDBACK_CHARS_MAX);
        errors.push(FieldError::pointer("/message", "too_long", detail));
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::validation(errors)) }
}
