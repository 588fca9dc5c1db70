//! Every limit of the edge, named, in one place. Published at `GET /v1/limits` where a caller can meet it.

/// Fields in a request's header block (hyper's own bound, kept because a larger one would cost an allocation per
/// request).
pub const HEADER_FIELDS_MAX: usize = 100;
/// Bytes of a header block, names and values.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Bytes of path and query.
pub const URI_BYTES_MAX: usize = 8 * 1024;
/// Bytes hyper may buffer while it looks for the end of a head: the limits above plus line ends, so that ours is the
/// one that speaks.
pub const HEAD_BUFFER_BYTES: usize = 64 * 1024;
/// A head that has not arrived by then closes its connection; so does a connection without any request.
pub const HEADER_READ_MS: u64 = 10_000;
/// A TLS handshake takes no longer.
pub const TLS_HANDSHAKE_MS: u64 = 10_000;
/// A body that has not arrived by then is a 408.
pub const BODY_DEADLINE_MS: u64 = 30_000;
/// Connections altogether.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Connections of one address (IPv6: of one /64).
pub const CONNECTIONS_PER_IP_MAX: usize = 1_024;
/// Streams of one HTTP/2 connection at a time.
pub const H2_STREAMS_MAX: u32 = 100;
/// Streams a client may open and reset before the connection is closed (CVE-2023-44487).
pub const H2_RESETS_MAX: usize = 64;
/// Bytes the server buffers for one HTTP/2 stream.
pub const H2_SEND_BUFFER_BYTES: usize = 128 * 1024;
/// An HTTP/2 peer that does not answer a ping for this long is gone.
pub const H2_PING_MS: u64 = 30_000;
/// How long connections may finish what they do once the server drains.
pub const DRAIN_MS: u64 = 25_000;

/// Characters kept of the caller's own request id.
pub const CLIENT_REQUEST_ID_CHARS_MAX: usize = 128;
/// Bytes kept of a `User-Agent`.
pub const USER_AGENT_BYTES_MAX: usize = 256;
/// Bytes of a path kept in the request log.
pub const LOGGED_PATH_BYTES_MAX: usize = 512;
/// Bytes of an error's text kept in the request log.
pub const LOGGED_ERROR_BYTES_MAX: usize = 1_024;

/// How long a read may take unless its operation says otherwise.
pub const READ_TIMEOUT_MS: u64 = 5_000;
/// How long a write may take unless its operation says otherwise.
pub const WRITE_TIMEOUT_MS: u64 = 15_000;
/// Bytes of a body on routes that are not operations (forms without JavaScript).
pub const WEB_BODY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a JSON answer that is rewritten for an older version; a longer one is a fault of ours.
pub const TRANSFORMED_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Rate-limit cells kept per table before the full ones are dropped.
pub const CELLS_MAX: usize = 262_144;
/// Shards of a table of cells.
pub const CELL_SHARDS: usize = 16;

/// How long a request may wait for a slot before it is shed.
pub const ADMISSION_WAIT_MS: u64 = 20;
/// Requests of one lane that may wait at a time.
pub const ADMISSION_WAITING_MAX: usize = 512;
/// Slots a tenant always has while there is room at all.
pub const ADMISSION_TENANT_MIN: u32 = 2;

/// Requests waiting to be written to the log.
pub const LOG_QUEUE_MAX: usize = 4_096;
/// Places in that queue that only failures may take.
pub const LOG_QUEUE_RESERVED: usize = 1_024;
/// Rows a minute of requests that cost their sender nothing: of nobody known, or refused for their number.
pub const LOG_CHEAP_PER_MINUTE: u64 = 600;
/// Rows written in one unit of work.
pub const LOG_BATCH_ROWS: usize = 256;
/// Pause between batches: a bound on what the log may cost the store (2 560 rows/s).
pub const LOG_FLUSH_MS: u64 = 100;
/// How long a request is kept, in days, unless configured otherwise.
pub const LOG_KEPT_DAYS: i64 = 30;
/// Requests removed in one unit of work.
pub const LOG_SWEEP_BATCH: i64 = 1_000;

/// Redirects followed on the way to a destination that a tenant named.
pub const OUTBOUND_REDIRECTS_MAX: usize = 3;
/// Bytes of an answer from such a destination.
pub const OUTBOUND_BYTES_MAX: usize = 1024 * 1024;
/// How long such a call may take in all.
pub const OUTBOUND_DEADLINE_MS: u64 = 15_000;
/// How long connecting may take.
pub const OUTBOUND_CONNECT_MS: u64 = 3_000;
/// Characters of a destination.
pub const OUTBOUND_URL_CHARS_MAX: usize = 2_048;
