//! API keys.

use super::{Platform, by, page, page_request, path_id};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::conditional::conditional_json_at;
use plinth_api::{ApiResult, Command, Ctx, List, ListBody, NoBody, PageParams, Problems, Reply};
use plinth_identity::{ApiKey, IssuedKey, NewKey};
use plinth_kernel::{KeyId, Problem};
use serde::{Deserialize, Serialize};

/// A key that was just made. `secret` is shown this once and kept nowhere.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NewApiKey {
    #[serde(flatten)]
    key: ApiKey,
    /// The key itself, for `Authorization: Bearer`.
    #[schema(example = "plk_test_3kTMd0a1b2C3_…")]
    secret: String,
}

impl From<IssuedKey> for NewApiKey {
    fn from(issued: IssuedKey) -> Self {
        Self { key: issued.key, secret: issued.text.into_revealed() }
    }
}

/// How a key is replaced.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateKey {
    /// How long the old key goes on working: at most 30 days, 24 hours if left out.
    #[serde(default)]
    #[schema(example = 86400, minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<u64>,
}

fn created(issued: IssuedKey) -> Result<Reply, Problem> {
    let location = format!("/v1/api-keys/{}", issued.key.id);
    // The key stands nowhere in clear: a retry with the same idempotency key gets it from a sealed answer.
    Ok(Reply::created(&location, &NewApiKey::from(issued))?.sealed())
}

/// Lists API keys
///
/// The keys themselves are not in the list: each is shown once, when it is made.
#[utoipa::path(
    get, path = "/v1/api-keys", operation_id = "list_api_keys", tag = "API keys",
    params(PageParams),
    responses((status = 200, description = "A page of keys.", body = ListBody<ApiKey>), Problems),
    security(("secret_key" = ["identity:keys:read"]), ("session" = ["identity:keys:read"])),
)]
pub(super) async fn list_api_keys(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<ApiKey>>> {
    let (identity, tenant, request) = (platform.identity.clone(), ctx.tenant().clone(), page_request(&list));
    let found = platform.store.read(move |tx| identity.list_keys(tx, &tenant, &request)).await?;
    Ok(axum::Json(page(&list, found, |key| key.id.to_string())))
}

/// Creates an API key
///
/// The answer holds the key itself, once. Nobody can give a key more than they may do themselves.
#[utoipa::path(
    post, path = "/v1/api-keys", operation_id = "create_api_key", tag = "API keys",
    request_body(content = NewKey, example = json!({"kind": "secret", "name": "Order service", "scopes": ["forms:*"]})),
    responses((status = 201, description = "The new key.", body = NewApiKey), Problems),
    security(("secret_key" = ["identity:keys:write"]), ("session" = ["identity:keys:write"])),
)]
pub(super) async fn create_api_key(
    State(platform): State<Platform>,
    command: Command<NewKey>,
) -> ApiResult<Response> {
    let identity = platform.identity.clone();
    command.run(&platform.store, move |tx, ctx, new| created(identity.create_key(tx, &by(ctx), new)?)).await
}

/// Reads an API key
#[utoipa::path(
    get, path = "/v1/api-keys/{id}", operation_id = "get_api_key", tag = "API keys",
    params(("id" = String, Path, description = "Id of the key.", example = "key_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The key.", body = ApiKey), Problems),
    security(("secret_key" = ["identity:keys:read"]), ("session" = ["identity:keys:read"])),
)]
pub(super) async fn get_api_key(
    State(platform): State<Platform>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let id: KeyId = path_id(&id, "API key")?;
    let (identity, tenant) = (platform.identity.clone(), ctx.tenant().clone());
    let key = platform.store.read(move |tx| identity.get_key(tx, &tenant, &id)).await?;
    conditional_json_at(&ctx, key.rev, &key)
}

/// Revokes an API key
///
/// It stops working at once, everywhere within two seconds.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", operation_id = "revoke_api_key", tag = "API keys",
    params(("id" = String, Path, description = "Id of the key.", example = "key_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 204, description = "It no longer works."), Problems),
    security(("secret_key" = ["identity:keys:write"]), ("session" = ["identity:keys:write"])),
)]
pub(super) async fn revoke_api_key(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let id: KeyId = path_id(&id, "API key")?;
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, _| {
            ctx.check_match(identity.get_key(tx, ctx.tenant(), &id)?.rev)?;
            identity.revoke_key(tx, &by(ctx), &id)?;
            Ok(Reply::no_content())
        })
        .await
}

/// Replaces an API key
///
/// Makes a successor with the same name and scopes; the old key works for the overlap. The answer holds the new key
/// itself, once.
#[utoipa::path(
    post, path = "/v1/api-keys/{id}/rotate", operation_id = "rotate_api_key", tag = "API keys",
    params(("id" = String, Path, description = "Id of the key.", example = "key_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    request_body = RotateKey,
    responses((status = 201, description = "The successor.", body = NewApiKey), Problems),
    security(("secret_key" = ["identity:keys:write"]), ("session" = ["identity:keys:write"])),
)]
pub(super) async fn rotate_api_key(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<RotateKey>,
) -> ApiResult<Response> {
    let id: KeyId = path_id(&id, "API key")?;
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, body| {
            created(identity.rotate_key(tx, &by(ctx), &id, body.overlap_seconds)?)
        })
        .await
}
