//! The request log.

use super::Platform;
use crate::requests::{self, RequestFilter, RequestRecord};
use axum::extract::{Path, State};
use plinth_api::{ApiResult, Ctx, List, ListBody, PageParams, Problems};

/// Lists requests
///
/// What was asked and how it ended, newest first. A request appears about a tenth of a second after it ended; under
/// overload successes may be missing, failures last of all.
#[utoipa::path(
    get, path = "/v1/requests", operation_id = "list_requests", tag = "Requests",
    params(PageParams, RequestFilter),
    responses((status = 200, description = "A page of requests.", body = ListBody<RequestRecord>), Problems),
    security(("secret_key" = ["gateway:requests:read"]), ("session" = ["gateway:requests:read"])),
)]
pub(super) async fn list_requests(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List<RequestFilter>,
) -> ApiResult<axum::Json<ListBody<RequestRecord>>> {
    let (tenant, filter, keyset) = (ctx.tenant().clone(), list.filter.clone(), list.keyset());
    let rows = platform.store.read(move |tx| requests::list(tx, &tenant, &filter, &keyset)).await?;
    Ok(axum::Json(list.page(rows, |request| request.id.to_string())))
}

/// Reads a request
#[utoipa::path(
    get, path = "/v1/requests/{id}", operation_id = "get_request", tag = "Requests",
    params(("id" = String, Path, description = "Id of the request, as in `X-Request-Id`.", example = "req_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The request.", body = RequestRecord), Problems),
    security(("secret_key" = ["gateway:requests:read"]), ("session" = ["gateway:requests:read"])),
)]
pub(super) async fn get_request(
    State(platform): State<Platform>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<RequestRecord>> {
    let tenant = ctx.tenant().clone();
    Ok(axum::Json(platform.store.read(move |tx| requests::get(tx, &tenant, &id)).await?))
}
