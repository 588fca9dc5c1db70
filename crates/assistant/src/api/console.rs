//! What the tenant's members see: all conversations, and how each answer came about.

use axum::extract::{Path, State};
use plinth_api::list::NoFilter;
use plinth_api::{ApiResult, Ctx, List, ListBody, PageParams, Problems};
use plinth_kernel::{ConversationId, Id, Problem};

use super::access;
use super::object::{ConversationDetail, ConversationObject, MessageObject, RunObject, TranscriptObject};
use crate::Assistant;
use crate::store::{self, Refused};

/// Lists conversations
#[utoipa::path(
    get, path = "/v1/assistant/conversations", operation_id = "list_assistant_conversations", tag = "Assistant",
    params(PageParams),
    responses((status = 200, description = "A page of conversations.", body = ListBody<ConversationObject>), Problems),
    security(("secret_key" = ["assistant:conversations:read"]), ("session" = ["assistant:conversations:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_assistant_conversations(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    list: List<NoFilter>,
) -> ApiResult<axum::Json<ListBody<ConversationObject>>> {
    let (tenant, keyset) = (ctx.tenant().clone(), list.keyset());
    let rows = assistant
        .inner
        .store
        .read(move |tx| store::conversations(tx, &tenant, (&keyset.after, keyset.descending, keyset.fetch)));
    let rows = rows.await.map_err(|error: plinth_store::Error| Problem::from(error))?;
    let objects: Vec<ConversationObject> = rows.into_iter().map(ConversationObject::new).collect();
    Ok(axum::Json(list.page(objects, |conversation| conversation.id.to_string())))
}

/// Reads a conversation with its runs
///
/// Besides the messages: what was found for each question, what answered it, tokens, cost and times.
#[utoipa::path(
    get, path = "/v1/assistant/conversations/{id}", operation_id = "get_assistant_conversation", tag = "Assistant",
    params(("id" = String, Path, description = "The conversation.", example = "cnv_01kb3q5n8e7x9a2c4d6f8g0h1j")),
    responses((status = 200, description = "The conversation.", body = ConversationDetail), Problems),
    security(("secret_key" = ["assistant:conversations:read"]), ("session" = ["assistant:conversations:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_assistant_conversation(
    State(assistant): State<Assistant>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<ConversationDetail>> {
    let access = access(&ctx);
    let missing = || Problem::not_found("conversation");
    ConversationId::parse(&id).map_err(|_| missing())?;
    let detail = assistant.inner.store.read(move |tx| {
        let row = store::find(tx, &access, &id)?.ok_or_else(missing)?;
        let messages = store::messages(tx, &access.tenant, &row.id)?;
        let runs = store::runs(tx, &access.tenant, &row.id)?;
        let transcript = TranscriptObject {
            conversation: ConversationObject::new(row),
            messages: messages.into_iter().map(MessageObject::new).collect(),
        };
        Ok::<_, Refused>(ConversationDetail {
            transcript,
            runs: runs.into_iter().map(RunObject::new).collect(),
        })
    });
    Ok(axum::Json(detail.await.map_err(Problem::from)?))
}
