//! Cross-origin resource sharing for the operations that pages of other origins may call.
//!
//! A preflight carries no credential, so it cannot know the tenant. It is answered by the operation: those that take
//! a publishable key or an end user's token may be tried from anywhere, the others from nowhere. That gives nothing
//! away: these credentials are sent by the page itself, never by the browser, and `Access-Control-Allow-Credentials`
//! is never sent. The request that follows is judged by its tenant's and its key's own list of origins.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers a page may send.
const ALLOW_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, plinth-version, prefer, \
     traceparent, x-request-id",
);
/// Headers a page may read.
const EXPOSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "deprecation, etag, idempotency-replayed, link, location, original-request, plinth-version, ratelimit, \
     ratelimit-policy, retry-after, sunset, x-request-id",
);
/// How long a browser remembers a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");
const VARY: HeaderValue = HeaderValue::from_static("origin");

/// Whether a request is a preflight.
#[must_use]
pub fn is_preflight(method: &http::Method, headers: &HeaderMap) -> bool {
    *method == http::Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The headers of a granted preflight.
pub fn grant_preflight(headers: &mut HeaderMap, origin: &HeaderValue, methods: &str) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if let Ok(methods) = HeaderValue::try_from(methods) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOW_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    headers.insert(header::VARY, VARY_PREFLIGHT);
}

/// Lets a page of `origin` read the answer.
pub fn grant(headers: &mut HeaderMap, origin: &HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSE_HEADERS);
    headers.append(header::VARY, VARY);
}

/// Headers that make a browser careful. What a handler has set itself stays.
pub fn secure(headers: &mut HeaderMap, is_api: bool, over_tls: bool) {
    fn default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    default(
        headers,
        header::REFERRER_POLICY,
        if is_api { "no-referrer" } else { "strict-origin-when-cross-origin" },
    );
    if over_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if is_api {
        default(headers, header::CACHE_CONTROL, "no-store");
        return;
    }
    let is_html =
        headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if is_html {
        default(headers, header::X_FRAME_OPTIONS, "DENY");
        default(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        default(
            headers,
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'",
        );
    }
}
