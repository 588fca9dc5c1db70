//! Every limit that a caller can meet.

use super::Platform;
use crate::{gcra::Rate, limits as edge};
use axum::extract::State;
use plinth_api::{Problems, limits as api};
use plinth_identity::limits as identity;
use serde::Serialize;

/// Limits of the installation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Limits {
    /// Always `limits`.
    #[schema(example = "limits")]
    object: &'static str,
    /// Rate limits; what is left of each stands in the headers of every answer.
    rates: Vec<RateLimit>,
    /// Everything else.
    limits: Vec<Limit>,
    /// Supported versions of the contract, oldest first.
    #[schema(example = json!(["2026-06-01", "2026-11-01"]))]
    versions: Vec<String>,
}

/// A rate limit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RateLimit {
    /// Its name in `RateLimit` and `RateLimit-Policy`.
    #[schema(example = "tenant")]
    policy: &'static str,
    /// Requests in a full bucket.
    quota: u32,
    /// Milliseconds from empty to full.
    window_ms: u32,
    /// Whom it counts.
    description: &'static str,
}

/// A limit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Limit {
    /// Its name.
    #[schema(example = "json_body")]
    name: &'static str,
    /// Its value.
    value: u64,
    /// Its unit.
    #[schema(example = "bytes")]
    unit: &'static str,
    /// What it limits.
    description: &'static str,
}

/// Reads the limits
///
/// Everything that this installation limits, with its value.
#[utoipa::path(
    get, path = "/v1/limits", operation_id = "get_limits", tag = "Requests",
    responses((status = 200, description = "The limits.", body = Limits), Problems),
    security(("secret_key" = []), ("publishable_key" = []), ("session" = []), ("user_token" = [])),
)]
pub(super) async fn get_limits(State(platform): State<Platform>) -> axum::Json<Limits> {
    let rates = &platform.rates;
    let rate = |policy, rate: Rate, description| RateLimit {
        policy,
        quota: rate.quota,
        window_ms: rate.window_ms,
        description,
    };
    axum::Json(Limits {
        object: "limits",
        rates: vec![
            rate("tenant", rates.tenant, "Everything of a tenant together"),
            rate("writes", rates.tenant_writes, "Changes of a tenant"),
            rate("caller", rates.caller, "One key, member or end user"),
            rate("address", rates.address, "One address without a secret: visitors and publishable keys"),
            rate("pages", rates.pages, "Pages and files for one address"),
            rate("failures", rates.failures, "Failed authentications of one address"),
        ],
        limits: limits(),
        versions: platform.versions.supported().iter().map(ToString::to_string).collect(),
    })
}

fn limits() -> Vec<Limit> {
    let limit = |name, value: u64, unit, description| Limit { name, value, unit, description };
    vec![
        limit(
            "json_body",
            api::JSON_BODY_MAX_BYTES as u64,
            "bytes",
            "A JSON body, unless the operation says less",
        ),
        limit("json_depth", api::JSON_DEPTH_MAX as u64, "levels", "Nesting of a JSON body"),
        limit("header_fields", edge::HEADER_FIELDS_MAX as u64, "fields", "Header fields of a request"),
        limit("header_block", edge::HEADER_BYTES_MAX as u64, "bytes", "Header fields of a request together"),
        limit("uri", edge::URI_BYTES_MAX as u64, "bytes", "Path and query"),
        limit("page", u64::from(api::PAGE_MAX), "entries", "Entries on a page"),
        limit("idempotency_key", api::IDEMPOTENCY_KEY_MAX_CHARS as u64, "characters", "An idempotency key"),
        limit(
            "idempotency_ttl",
            api::IDEMPOTENCY_TTL_HOURS.unsigned_abs(),
            "hours",
            "How long a stored answer is replayed",
        ),
        limit("header_time", edge::HEADER_READ_MS, "ms", "Time for a request's head to arrive"),
        limit("body_time", edge::BODY_DEADLINE_MS, "ms", "Time for a body to arrive"),
        limit(
            "read_time",
            edge::READ_TIMEOUT_MS,
            "ms",
            "Time of a read, unless the operation says otherwise",
        ),
        limit(
            "write_time",
            edge::WRITE_TIMEOUT_MS,
            "ms",
            "Time of a change, unless the operation says otherwise",
        ),
        limit(
            "connections_per_address",
            edge::CONNECTIONS_PER_IP_MAX as u64,
            "connections",
            "Connections of one address",
        ),
        limit("api_keys", identity::KEYS_MAX.unsigned_abs(), "keys", "Keys of a tenant that are not revoked"),
        limit("members", identity::MEMBERS_MAX.unsigned_abs(), "members", "Members of an organisation"),
        limit("user_token_time", identity::USER_TOKEN_SECONDS_MAX, "seconds", "Life of an end user's token"),
        limit("request_log", edge::LOG_KEPT_DAYS.unsigned_abs(), "days", "How long requests are kept"),
    ]
}
