//! Limits of the contract, in one place. Published at `GET /v1/limits`.

/// Largest JSON body of an ordinary operation, in bytes. Operations may declare less.
pub const JSON_BODY_MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting of a JSON body.
pub const JSON_DEPTH_MAX: usize = 32;
/// Longest idempotency key, in visible ASCII characters.
pub const IDEMPOTENCY_KEY_MAX_CHARS: usize = 255;
/// How long a stored answer is kept, in hours, unless configured otherwise.
pub const IDEMPOTENCY_TTL_HOURS: i64 = 24;
/// Stored answers removed in one unit of work.
pub const IDEMPOTENCY_SWEEP_BATCH: i64 = 1_000;
/// Entries on a page when the caller does not say.
pub const PAGE_DEFAULT: u32 = 20;
/// Most entries on a page.
pub const PAGE_MAX: u32 = 100;
/// Longest cursor, in characters.
pub const CURSOR_MAX_CHARS: usize = 512;
/// Longest value of one query parameter, in bytes.
pub const QUERY_VALUE_MAX_BYTES: usize = 1_024;
/// Most query parameters.
pub const QUERY_PARAMETERS_MAX: usize = 32;
/// Most entity tags read from `If-Match` or `If-None-Match`.
pub const ENTITY_TAGS_MAX: usize = 20;
