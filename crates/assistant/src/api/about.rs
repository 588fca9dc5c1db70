//! What a page needs before the first question.

use axum::extract::State;
use axum::response::Response;
use plinth_api::conditional::conditional_json_at;
use plinth_api::{ApiResult, Ctx, ListBody, Problems};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::answering::EXTRACTIVE;
use crate::{Assistant, limits};

/// How the assistant presents itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ConfigObject {
    /// Always `assistant_config`.
    #[schema(example = "assistant_config")]
    object: &'static str,
    /// Its name.
    name: String,
    /// Whom or what it speaks about.
    subject: String,
    /// Said to begin with.
    greeting: String,
    /// Where to reach a person.
    contact_url: String,
    /// Questions to begin with.
    suggestions: Vec<String>,
    /// Who answers: `extractive`, or the model's provider.
    provider: String,
    /// Providers a question may ask for.
    providers: Vec<String>,
    /// Whether questions leave this server; a page should say so.
    remote: bool,
    /// Longest question, in characters.
    question_chars_max: usize,
    /// The content answers come from.
    content_version: String,
}

/// A revision made of a hash, for entity tags.
fn revision(text: &str) -> i64 {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(7).fold(0, |revision, byte| (revision << 8) | i64::from(*byte))
}

/// Questions to begin with
#[utoipa::path(
    get, path = "/v1/assistant/suggestions", operation_id = "list_assistant_suggestions", tag = "Assistant",
    responses((status = 200, description = "The questions.", body = ListBody<String>), Problems),
    security(
        ("visitor" = ["assistant:chat:write"]), ("publishable_key" = ["assistant:chat:write"]),
        ("user_token" = ["assistant:chat:write"]), ("secret_key" = ["assistant:chat:write"]),
        ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_assistant_suggestions(
    State(assistant): State<Assistant>,
    ctx: Ctx,
) -> ApiResult<Response> {
    let index = assistant.index();
    let snapshot = index.snapshot();
    let data = snapshot.assistant.suggestions.clone();
    let body = ListBody { object: "list", data, has_more: false, next_cursor: None };
    conditional_json_at(&ctx, revision(&snapshot.version), &body)
}

/// How the assistant presents itself
#[utoipa::path(
    get, path = "/v1/assistant/config", operation_id = "get_assistant_config", tag = "Assistant",
    responses((status = 200, description = "The configuration.", body = ConfigObject), Problems),
    security(
        ("visitor" = ["assistant:chat:write"]), ("publishable_key" = ["assistant:chat:write"]),
        ("user_token" = ["assistant:chat:write"]), ("secret_key" = ["assistant:chat:write"]),
        ("session" = ["assistant:chat:write"])
    ),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_assistant_config(
    State(assistant): State<Assistant>,
    ctx: Ctx,
) -> ApiResult<Response> {
    let index = assistant.index();
    let (snapshot, provider) = (index.snapshot(), &assistant.inner.provider);
    let profile = &snapshot.assistant;
    let named = provider.as_ref().map_or(EXTRACTIVE, |provider| provider.id()).to_owned();
    let mut providers = vec![EXTRACTIVE.to_owned()];
    providers.extend(provider.as_ref().map(|provider| provider.id().to_owned()));
    let body = ConfigObject {
        object: "assistant_config",
        name: profile.name.clone(),
        subject: profile.subject.clone(),
        greeting: profile.greeting.clone(),
        contact_url: profile.contact_url.clone(),
        suggestions: profile.suggestions.clone(),
        provider: named,
        providers,
        remote: provider.as_ref().is_some_and(|provider| provider.is_remote()),
        question_chars_max: limits::QUESTION_CHARS_MAX,
        content_version: snapshot.version.clone(),
    };
    conditional_json_at(&ctx, revision(&format!("{}{}", snapshot.version, body.provider)), &body)
}
