//! End users' tokens, their issuers, and the keys that prove ours.

use super::{Platform, by, page, page_request, path_id, session_of};
use axum::{
    Extension,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use plinth_api::conditional::conditional_json_at;
use plinth_api::{
    ApiResult, Command, Ctx, Json, List, ListBody, NoBody, PageParams, Problems, Reply, list::Query,
};
use plinth_identity::{
    Credential, NewIssuer, NewUserToken, TENANT_CHANNEL, TokenIssuer, UserToken, inbox_channel,
};
use plinth_kernel::{FieldError, IssuerId, Micros, Problem, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// A token for the console's realtime connection.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RealtimeToken {
    /// Always `realtime_token`.
    #[schema(example = "realtime_token")]
    object: &'static str,
    /// The token.
    token: String,
    /// When it ends.
    expires_at: Micros,
    /// Channels that the connection hears.
    channels: Vec<String>,
}

/// Whose keys.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct JwksQuery {
    /// The tenant; the host's if left out.
    #[serde(default)]
    #[param(example = "tnt_01kb3h5f8xe7ksq2v9w6m4t0rd")]
    tenant: Option<String>,
}

/// Mints a token for an end user
///
/// For the tenant's server: the user's browser then calls with the token instead of a key.
#[utoipa::path(
    post, path = "/v1/user-tokens", operation_id = "create_user_token", tag = "User tokens",
    request_body(content = NewUserToken, example = json!({"user_id": "customer-42", "expires_in_seconds": 900})),
    responses((status = 201, description = "The token.", body = UserToken), Problems),
    security(("secret_key" = ["identity:user_tokens:create"]), ("session" = ["identity:user_tokens:create"])),
    extensions(("x-plinth" = json!({"idempotency": "none"}))),
)]
pub(super) async fn create_user_token(
    State(platform): State<Platform>,
    ctx: Ctx,
    Json(new): Json<NewUserToken>,
) -> ApiResult<Response> {
    let token = platform.identity.mint_user_token(&by(&ctx), &new).await?;
    Ok((StatusCode::CREATED, axum::Json(token)).into_response())
}

/// Mints a token for the console's live connection
#[utoipa::path(
    post, path = "/v1/realtime/token", operation_id = "create_realtime_token", tag = "Realtime",
    responses((status = 201, description = "The token.", body = RealtimeToken), Problems),
    security(("session" = [])),
    extensions(("x-plinth" = json!({"idempotency": "none"}))),
)]
pub(super) async fn create_realtime_token(
    State(platform): State<Platform>,
    Extension(credential): Extension<Arc<Credential>>,
) -> ApiResult<Response> {
    let (member, session) = session_of(&credential)?;
    let token = platform.identity.mint_member_token(&credential.principal.tenant, &member, &session).await?;
    let channels = vec![TENANT_CHANNEL.to_owned(), inbox_channel(&member)];
    let body = RealtimeToken {
        object: "realtime_token",
        token: token.token,
        expires_at: token.expires_at,
        channels,
    };
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

/// Reads the public keys of the tokens minted here
///
/// A JSON Web Key Set (RFC 7517). During a rotation it holds both keys.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", operation_id = "get_jwks", tag = "User tokens",
    params(JwksQuery),
    responses((status = 200, description = "The keys.", body = Object, example = json!({"keys": []})), Problems),
    security(()),
)]
pub(super) async fn get_jwks(
    State(platform): State<Platform>,
    ctx: Ctx,
    query: Query<JwksQuery>,
) -> ApiResult<Response> {
    let tenant: TenantId = match &query.0.tenant {
        Some(text) => path_id(text, "tenant")?,
        None => ctx.tenant().clone(),
    };
    let keys: Value = platform.identity.jwks(&tenant).await?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(keys)).into_response())
}

/// Lists token issuers
#[utoipa::path(
    get, path = "/v1/token-issuers", operation_id = "list_token_issuers", tag = "User tokens",
    params(PageParams),
    responses((status = 200, description = "A page of issuers.", body = ListBody<TokenIssuer>), Problems),
    security(("secret_key" = ["identity:issuers:read"]), ("session" = ["identity:issuers:read"])),
)]
pub(super) async fn list_token_issuers(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<TokenIssuer>>> {
    let (identity, tenant, request) = (platform.identity.clone(), ctx.tenant().clone(), page_request(&list));
    let found = platform.store.read(move |tx| identity.list_issuers(tx, &tenant, &request)).await?;
    Ok(axum::Json(page(&list, found, |issuer| issuer.id.to_string())))
}

/// Adds a token issuer
///
/// The tenant's own login: tokens that it signs are accepted for its end users.
#[utoipa::path(
    post, path = "/v1/token-issuers", operation_id = "create_token_issuer", tag = "User tokens",
    request_body(content = NewIssuer, example = json!({
        "name": "Our login", "issuer": "https://login.example.com/", "jwks_url": "https://login.example.com/.well-known/jwks.json",
    })),
    responses((status = 201, description = "The issuer.", body = TokenIssuer), Problems),
    security(("secret_key" = ["identity:issuers:write"]), ("session" = ["identity:issuers:write"])),
)]
pub(super) async fn create_token_issuer(
    State(platform): State<Platform>,
    command: Command<NewIssuer>,
) -> ApiResult<Response> {
    let state = platform.clone();
    command
        .run(&platform.store, move |tx, ctx, new| {
            // The fetch checks again: a name may lead elsewhere by then.
            state.guard.check_url(&new.jwks_url).map_err(|error| {
                let detail = Problem::from(error).detail;
                Problem::validation(vec![FieldError::pointer("/jwks_url", "destination_not_allowed", detail)])
            })?;
            let issuer = state.identity.create_issuer(tx, &by(ctx), new)?;
            Ok(Reply::created(&format!("/v1/token-issuers/{}", issuer.id), &issuer)?
                .with_etag(ctx, issuer.rev))
        })
        .await
}

/// Reads a token issuer
#[utoipa::path(
    get, path = "/v1/token-issuers/{id}", operation_id = "get_token_issuer", tag = "User tokens",
    params(("id" = String, Path, description = "Id of the issuer.", example = "iss_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The issuer.", body = TokenIssuer), Problems),
    security(("secret_key" = ["identity:issuers:read"]), ("session" = ["identity:issuers:read"])),
)]
pub(super) async fn get_token_issuer(
    State(platform): State<Platform>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let id: IssuerId = path_id(&id, "token issuer")?;
    let (identity, tenant) = (platform.identity.clone(), ctx.tenant().clone());
    let issuer = platform.store.read(move |tx| identity.get_issuer(tx, &tenant, &id)).await?;
    conditional_json_at(&ctx, issuer.rev, &issuer)
}

/// Removes a token issuer
///
/// Its tokens are no longer accepted.
#[utoipa::path(
    delete, path = "/v1/token-issuers/{id}", operation_id = "delete_token_issuer", tag = "User tokens",
    params(("id" = String, Path, description = "Id of the issuer.", example = "iss_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 204, description = "It is gone."), Problems),
    security(("secret_key" = ["identity:issuers:write"]), ("session" = ["identity:issuers:write"])),
)]
pub(super) async fn delete_token_issuer(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let id: IssuerId = path_id(&id, "token issuer")?;
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, _| {
            ctx.check_match(identity.get_issuer(tx, ctx.tenant(), &id)?.rev)?;
            identity.delete_issuer(tx, &by(ctx), &id)?;
            Ok(Reply::no_content())
        })
        .await
}
