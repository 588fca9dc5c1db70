//! Every limit of this crate, named, in one place.

/// Characters in the name of a tenant, organisation, key, issuer or member.
pub const NAME_CHARS_MAX: usize = 120;
/// Bytes of an e-mail address (RFC 5321 §4.5.3.1.3, without the brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of a local part (RFC 5321 §4.5.3.1.1).
pub const EMAIL_LOCAL_BYTES_MAX: usize = 64;

/// Shortest password, in characters. NIST SP 800-63B asks for 8 beside a second factor; there is none yet.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Longest password, in bytes: hashing cost must not be the caller's to choose.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Argon2id memory in KiB (19 MiB: OWASP's minimum with two passes).
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id passes.
pub const ARGON2_PASSES: u32 = 2;
/// Argon2id lanes.
pub const ARGON2_LANES: u32 = 1;
/// Hashes computed at the same time; more would let a login flood starve the processor.
pub const PASSWORD_SLOTS: usize = 2;
/// Callers that may wait for a hashing slot before further ones are refused.
pub const PASSWORD_WAITING_MAX: usize = 64;

/// A session without a request for this long is over.
pub const SESSION_IDLE_MS: u64 = 12 * HOUR_MS;
/// A session is over this long after login, whatever happened in between.
pub const SESSION_ABSOLUTE_MS: u64 = 7 * DAY_MS;
/// Sessions one member may have; the least recently used one gives way.
pub const SESSIONS_PER_MEMBER_MAX: usize = 50;
/// Bytes kept of a `User-Agent` for the list of sessions.
pub const USER_AGENT_BYTES_MAX: usize = 256;

/// An invitation can be accepted for this long.
pub const INVITE_TTL_MS: u64 = 7 * DAY_MS;
/// Open invitations of one organisation.
pub const INVITES_OPEN_MAX: i64 = 200;
/// Members of one organisation.
pub const MEMBERS_MAX: i64 = 1_000;
/// Tenants (live and test counted apart) of one organisation.
pub const TENANTS_MAX: i64 = 100;
/// The first-run token works for this long.
pub const SETUP_TTL_MS: u64 = 30 * MINUTE_MS;

/// API keys of one tenant that are not revoked.
pub const KEYS_MAX: i64 = 500;
/// Scopes on one key.
pub const KEY_SCOPES_MAX: usize = 64;
/// Address ranges on one key.
pub const KEY_CIDRS_MAX: usize = 32;
/// Origins on one key.
pub const KEY_ORIGINS_MAX: usize = 32;
/// Origins of one tenant (CORS).
pub const TENANT_ORIGINS_MAX: usize = 64;
/// Bytes of a tenant's settings document.
pub const TENANT_SETTINGS_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one scope.
pub const SCOPE_BYTES_MAX: usize = 96;
/// Bytes of one origin.
pub const ORIGIN_BYTES_MAX: usize = 255;
/// Longest overlap of a rotated key with its successor, in seconds.
pub const ROTATION_OVERLAP_SECONDS_MAX: u64 = 30 * 24 * 3600;
/// Overlap when the caller names none, in seconds.
pub const ROTATION_OVERLAP_SECONDS_DEFAULT: u64 = 24 * 3600;

/// Longest life of a token we sign, in seconds.
pub const USER_TOKEN_SECONDS_MAX: u64 = 3600;
/// Life of an end-user token when the caller names none, in seconds.
pub const USER_TOKEN_SECONDS_DEFAULT: u64 = 900;
/// Life of a member's realtime token, in seconds. Short, because the console renews it by itself.
pub const MEMBER_TOKEN_SECONDS: u64 = 600;
/// Longest life accepted of a token that the tenant's own issuer signed, in seconds.
pub const FOREIGN_TOKEN_SECONDS_MAX: i64 = 24 * 3600;
/// Allowed difference between our clock and an issuer's, in seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 60;
/// Bytes of a JWT.
pub const JWT_BYTES_MAX: usize = 8 * 1024;
/// Bytes of the `sub` claim.
pub const SUBJECT_BYTES_MAX: usize = 128;
/// Channels one token may name.
pub const TOKEN_CHANNELS_MAX: usize = 32;
/// Bytes of one channel name (the realtime protocol's own limit).
pub const CHANNEL_BYTES_MAX: usize = 255;
/// Scopes one token may name.
pub const TOKEN_SCOPES_MAX: usize = 32;
/// Bytes of the public `info` object of a token.
pub const TOKEN_INFO_BYTES_MAX: usize = 1024;

/// Issuers of one tenant.
pub const ISSUERS_MAX: i64 = 10;
/// Bytes of an issuer name or JWKS address.
pub const URL_BYTES_MAX: usize = 512;
/// Bytes of a fetched JWKS document.
pub const JWKS_BYTES_MAX: usize = 64 * 1024;
/// Keys read from one JWKS document.
pub const JWKS_KEYS_MAX: usize = 64;
/// A JWKS document is never fetched more often than this, whatever key ids callers invent.
pub const JWKS_REFRESH_MS_MIN: u64 = MINUTE_MS;
/// A JWKS document older than this is fetched again.
pub const JWKS_FRESH_MS: u64 = HOUR_MS;
/// A JWKS document that can no longer be fetched is trusted until this age.
pub const JWKS_STALE_MS_MAX: u64 = DAY_MS;

/// API keys, and sets of signing keys and issuers, held in memory, each. A key takes about 1 KiB.
pub const KEYS_CACHED_MAX: usize = 16_384;
/// Console sessions held in memory. One takes about 5 KiB, most of it scopes.
pub const SESSIONS_CACHED_MAX: usize = 2_048;
/// Verified end-user tokens held in memory. One takes about 2 KiB.
pub const TOKENS_CACHED_MAX: usize = 8_192;
/// Holders of credentials whose counters are held in memory.
pub const CELLS_CACHED_MAX: usize = 32_768;
/// Unknown key ids remembered, so that repeated nonsense costs no read.
pub const NEGATIVE_ENTRIES: usize = 8_192;
/// How long an unknown key id is remembered.
pub const NEGATIVE_TTL_MS: u64 = 10 * SECOND_MS;
/// A cached record is read again after this long even if no change was announced.
pub const CACHE_TTL_MS: u64 = 5 * MINUTE_MS;
/// Credential loads from the store at the same time.
pub const LOADS_IN_FLIGHT_MAX: usize = 64;
/// How often other nodes' changes are looked for; revocation must be visible everywhere within 2 s.
pub const CHANGES_POLL_MS: u64 = SECOND_MS;
/// Changes read in one poll; more than that empties the caches instead.
pub const CHANGES_PER_POLL_MAX: i64 = 1_000;
/// How long the change log is kept.
pub const CHANGES_KEPT_MS: u64 = HOUR_MS;
/// How often `last_used_at` and session activity are written.
pub const USAGE_FLUSH_MS: u64 = 15 * SECOND_MS;
/// How often expired rows are removed.
pub const SWEEP_EVERY_MS: u64 = 10 * MINUTE_MS;
/// Rows removed by one statement of the sweep.
pub const SWEEP_BATCH: i64 = 1_000;

/// Accounts and addresses whose failed logins are remembered, each.
pub const THROTTLE_ENTRIES: usize = 65_536;

/// Rows in one page of a list, at most.
pub const PAGE_MAX: u32 = 100;
/// Audit entries read at once while a chain is verified.
pub const AUDIT_VERIFY_PAGE: i64 = 1_000;
/// Bytes of an action, target or request id in an audit entry.
pub const AUDIT_TEXT_BYTES_MAX: usize = 256;

/// Milliseconds in a second.
pub const SECOND_MS: u64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: u64 = 60 * SECOND_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Milliseconds in a day.
pub const DAY_MS: u64 = 24 * HOUR_MS;
