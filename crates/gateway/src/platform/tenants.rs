//! Tenants.

use super::{Platform, by, page, page_request};
use axum::{extract::State, response::Response};
use plinth_api::conditional::conditional_json_at;
use plinth_api::{ApiResult, Command, Ctx, List, ListBody, PageParams, Problems, Reply};
use plinth_identity::{Tenant, TenantPatch};
use serde::Deserialize;

/// A project to be made.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTenant {
    /// Its name.
    #[schema(example = "Second shop", max_length = 120)]
    name: String,
}

/// Lists the organisation's tenants
#[utoipa::path(
    get, path = "/v1/tenants", operation_id = "list_tenants", tag = "Tenants",
    params(PageParams),
    responses((status = 200, description = "A page of tenants.", body = ListBody<Tenant>), Problems),
    security(("secret_key" = ["identity:tenants:read"]), ("session" = ["identity:tenants:read"])),
)]
pub(super) async fn list_tenants(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<Tenant>>> {
    let (identity, tenant, request) = (platform.identity.clone(), ctx.tenant().clone(), page_request(&list));
    let found = platform.store.read(move |tx| identity.list_tenants(tx, &tenant, &request)).await?;
    Ok(axum::Json(page(&list, found, |tenant| tenant.id.to_string())))
}

/// Creates a tenant
///
/// Makes a live tenant and its test twin.
#[utoipa::path(
    post, path = "/v1/tenants", operation_id = "create_tenant", tag = "Tenants",
    request_body = CreateTenant,
    responses((status = 201, description = "The live tenant.", body = Tenant), Problems),
    security(("session" = ["identity:tenants:create"])),
)]
pub(super) async fn create_tenant(
    State(platform): State<Platform>,
    command: Command<CreateTenant>,
) -> ApiResult<Response> {
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, input| {
            let tenant = identity.create_tenant(tx, &by(ctx), &input.name)?;
            Reply::created("/v1/tenant", &tenant)
        })
        .await
}

/// Reads the tenant
#[utoipa::path(
    get, path = "/v1/tenant", operation_id = "get_tenant", tag = "Tenants",
    responses((status = 200, description = "The caller's tenant.", body = Tenant), Problems),
    security(("secret_key" = ["identity:tenants:read"]), ("session" = ["identity:tenants:read"])),
)]
pub(super) async fn get_tenant(State(platform): State<Platform>, ctx: Ctx) -> ApiResult<Response> {
    let (identity, tenant) = (platform.identity.clone(), ctx.tenant().clone());
    let tenant = platform.store.read(move |tx| identity.get_tenant(tx, &tenant)).await?;
    conditional_json_at(&ctx, tenant.rev, &tenant)
}

/// Changes the tenant
///
/// `allowed_origins` are the origins whose pages may call the API with end users' tokens and publishable keys.
#[utoipa::path(
    patch, path = "/v1/tenant", operation_id = "update_tenant", tag = "Tenants",
    request_body(content = TenantPatch, example = json!({"allowed_origins": ["https://app.example.com"]})),
    responses((status = 200, description = "The tenant.", body = Tenant), Problems),
    security(("secret_key" = ["identity:tenants:write"]), ("session" = ["identity:tenants:write"])),
)]
pub(super) async fn update_tenant(
    State(platform): State<Platform>,
    command: Command<TenantPatch>,
) -> ApiResult<Response> {
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, patch| {
            ctx.check_match(identity.get_tenant(tx, ctx.tenant())?.rev)?;
            let tenant = identity.update_tenant(tx, &by(ctx), patch, None)?;
            Ok(Reply::ok(&tenant)?.with_etag(ctx, tenant.rev))
        })
        .await
}
