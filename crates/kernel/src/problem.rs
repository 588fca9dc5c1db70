//! The one error that a caller sees: `application/problem+json` (RFC 9457), from a registry of stable codes.

use serde_json::Value;
use std::fmt;

/// Declares the registry. A code is part of the contract: it is never renamed and never removed.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $status:literal, $title:literal, $retryable:literal;)+) => {
        /// What went wrong, as a stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $text,)+ } }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 { match self { $(Self::$name => $status,)+ } }

            /// A short title, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title,)+ } }

            /// Whether the same request may succeed later without being changed.
            #[must_use]
            pub const fn retryable(self) -> bool { match self { $(Self::$name => $retryable,)+ } }

            /// What it means and what to do, for the page that `type` points at.
            #[must_use]
            pub fn explanation(self) -> String {
                let lines: &[&str] = match self { $(Self::$name => &[$($doc),*],)+ };
                lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }
        }
    };
}

codes! {
    /// The request as a whole cannot be understood. Read `detail` for the part at fault.
    InvalidRequest = "invalid_request", 400, "Invalid request", false;
    /// The body is not well-formed JSON, is not UTF-8, repeats a key or is nested too deep.
    InvalidJson = "invalid_json", 400, "Malformed JSON", false;
    /// The body has a field that this operation does not know. Check the spelling; `errors[].pointer` names it.
    UnknownField = "unknown_field", 400, "Unknown field", false;
    /// A query parameter is unknown, repeated or out of range. `errors[].parameter` names it.
    InvalidParameter = "invalid_parameter", 400, "Invalid parameter", false;
    /// The cursor was not issued by this server for this list with these filters. Start again without it.
    InvalidCursor = "invalid_cursor", 400, "Invalid cursor", false;
    /// The `Host` header is missing, repeated or malformed.
    InvalidHost = "invalid_host", 400, "Invalid host", false;
    /// A header is malformed. `errors[].header` names it.
    InvalidHeader = "invalid_header", 400, "Invalid header", false;
    /// `Plinth-Version` names a version that this server does not support.
    VersionUnsupported = "version_unsupported", 400, "Unsupported API version", false;
    /// This operation moves something that must not move twice: send an `Idempotency-Key` header.
    IdempotencyKeyRequired = "idempotency_key_required", 400, "Idempotency key required", false;
    /// No usable credential came with the request. Send `Authorization: Bearer` with an API key, or sign in.
    Unauthenticated = "unauthenticated", 401, "Not authenticated", false;
    /// The key has expired. Use its successor or create a new one.
    KeyExpired = "key_expired", 401, "Key expired", false;
    /// The key was revoked. Create a new one in the console.
    KeyRevoked = "key_revoked", 401, "Key revoked", false;
    /// The token is malformed, expired, not yet valid or signed by a key we do not know.
    TokenInvalid = "token_invalid", 401, "Invalid token", false;
    /// E-mail address and password do not match an account.
    InvalidCredentials = "invalid_credentials", 401, "Invalid credentials", false;
    /// The credential is good but lacks the scope of this operation; `detail` names it.
    ScopeMissing = "scope_missing", 403, "Scope missing", false;
    /// The request came from another site. Send it from the console's own origin with a JSON content type.
    CsrfRejected = "csrf_rejected", 403, "Cross-site request rejected", false;
    /// The key may not be used from this address.
    IpNotAllowed = "ip_not_allowed", 403, "Address not allowed", false;
    /// The key may not be used from this origin. Add the origin in the console's settings.
    OriginNotAllowed = "origin_not_allowed", 403, "Origin not allowed", false;
    /// This kind of credential may not call this operation.
    Forbidden = "forbidden", 403, "Forbidden", false;
    /// There is no such thing, or it is not yours: the two are not told apart.
    NotFound = "not_found", 404, "Not found", false;
    /// The path exists but not with this method; the `Allow` header lists those that do.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed", false;
    /// None of the offered media types can be produced.
    NotAcceptable = "not_acceptable", 406, "Not acceptable", false;
    /// The request did not arrive in time.
    RequestTimeout = "request_timeout", 408, "Request timeout", true;
    /// The change collides with what is there; `detail` says with what.
    Conflict = "conflict", 409, "Conflict", false;
    /// The thing is in a state that does not allow this.
    StateConflict = "state_conflict", 409, "State conflict", false;
    /// The first request with this key is still under way. Retry after the time in `Retry-After`.
    IdempotencyInFlight = "idempotency_in_flight", 409, "Request in flight", true;
    /// The conversation is generating an answer already; stop it or wait for it.
    RunActive = "run_active", 409, "Run active", true;
    /// It existed and was removed for good.
    Gone = "gone", 410, "Gone", false;
    /// The thing has changed since you read it. Read it again and repeat the change with its new ETag.
    PreconditionFailed = "precondition_failed", 412, "Precondition failed", false;
    /// The body or a part of it is larger than this operation takes; `detail` names the limit.
    PayloadTooLarge = "payload_too_large", 413, "Payload too large", false;
    /// The request line is longer than the server takes.
    UriTooLong = "uri_too_long", 414, "URI too long", false;
    /// The body's content type is not the one this operation takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type", false;
    /// The input is well-formed but not valid; `errors` lists every field at fault.
    ValidationFailed = "validation_failed", 422, "Validation failed", false;
    /// The idempotency key was used with another request before. Use a new key.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Idempotency key reused", false;
    /// This change must say which state it was made for: send `If-Match` with the ETag you read.
    PreconditionRequired = "precondition_required", 428, "Precondition required", false;
    /// Too many requests. Slow down to the rate in `RateLimit-Policy`; retry after `Retry-After`.
    RateLimited = "rate_limited", 429, "Rate limited", true;
    /// The tenant's quota for the period is used up.
    QuotaExceeded = "quota_exceeded", 429, "Quota exceeded", true;
    /// Too many requests at once from this tenant. Wait for some to finish.
    ConcurrencyExceeded = "concurrency_exceeded", 429, "Too many concurrent requests", true;
    /// Too many headers, or headers too large.
    HeadersTooLarge = "headers_too_large", 431, "Headers too large", false;
    /// Something went wrong on our side and nothing was changed. The `request_id` leads to the cause.
    Internal = "internal", 500, "Internal error", true;
    /// A third party answered with an error.
    UpstreamError = "upstream_error", 502, "Upstream error", true;
    /// The server has more work than it can do well. Retry after `Retry-After`.
    Overloaded = "overloaded", 503, "Overloaded", true;
    /// The server is shutting down or in maintenance. Retry after `Retry-After`.
    Unavailable = "unavailable", 503, "Unavailable", true;
    /// The work took longer than this operation may take; nothing was changed unless `detail` says so.
    Timeout = "timeout", 504, "Timeout", true;
    /// The connection to the database was lost while committing: the change may or may not be there. Repeat the
    /// request with the same idempotency key.
    CommitUnknown = "commit_unknown", 503, "Outcome unknown", true;
    /// The disk is full. Reads go on; writes do not.
    StorageFull = "storage_full", 507, "Storage full", true;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One input at fault.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Name of the query or path parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Name of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Stable name of the fault: `required`, `too_long`, `invalid_email` …
    pub code: String,
    /// For people: what is wrong and what would be right.
    pub detail: String,
    /// The numbers behind it, for callers that write their own sentence: `{"max": 80}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Value>,
}

impl FieldError {
    /// A fault in the body.
    pub fn pointer(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), code: code.into(), detail: detail.into(), ..Self::default() }
    }

    /// A fault in a query or path parameter.
    pub fn parameter(name: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { parameter: Some(name.into()), code: code.into(), detail: detail.into(), ..Self::default() }
    }

    /// A fault in a header.
    pub fn header(name: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { header: Some(name.into()), code: code.into(), detail: detail.into(), ..Self::default() }
    }

    /// Adds the numbers behind it.
    #[must_use]
    pub fn with_meta(mut self, meta: Value) -> Self {
        self.meta = Some(meta);
        self
    }
}

/// An error for a caller. What only operators may see is in `cause` and never leaves the process.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What happened and what to do, for people.
    pub detail: String,
    /// Every input at fault.
    pub errors: Vec<FieldError>,
    /// When to try again, where that is known.
    pub retry_after_ms: Option<u64>,
    /// Further members of the document, for example `violated-policies`.
    pub extensions: serde_json::Map<String, Value>,
    /// Headers that belong to it, for example `Allow`.
    pub headers: Vec<(&'static str, String)>,
    /// For the log: the chain of causes.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_ms: None,
            extensions: serde_json::Map::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// `noun` does not exist, or is not the caller's.
    #[must_use]
    pub fn not_found(noun: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {noun}."))
    }

    /// Input that is well-formed but not valid.
    #[must_use]
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let count = errors.len();
        let detail = match errors.first() {
            Some(only) if count == 1 => only.detail.clone(),
            _ => format!("{count} fields are not valid; see errors."),
        };
        Self { errors, ..Self::new(Code::ValidationFailed, detail) }
    }

    /// A fault of ours. The caller learns nothing but the request id; `cause` goes to the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Code::Internal, "Something went wrong on our side; nothing was changed.").caused_by(cause)
    }

    /// Adds an input at fault.
    #[must_use]
    pub fn field(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    /// Adds the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code.status()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_explained() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code} is registered twice");
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!((400..600).contains(&code.status()));
            assert!(code.explanation().len() > 20, "{code} has no explanation");
        }
    }

    #[test]
    fn the_cause_is_for_the_log_only() {
        let problem = Problem::internal("secret table missing");
        assert!(!problem.detail.contains("secret"));
        assert!(problem.to_string().contains("secret"));
    }
}
