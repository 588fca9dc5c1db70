//! Readers of request headers: small, total functions from bytes to a value or a problem.

use crate::limits;
use http::{HeaderMap, HeaderName, header};
use plinth_api::limits::IDEMPOTENCY_KEY_MAX_CHARS;
use plinth_identity::model::net::Cidr;
use plinth_kernel::{Code, FieldError, Problem};
use std::net::IpAddr;

/// `Idempotency-Key`.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// `X-Request-Id`.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `traceparent`.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `Plinth-Version`.
pub const PLINTH_VERSION: HeaderName = HeaderName::from_static("plinth-version");
/// `RateLimit`.
pub const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// `RateLimit-Policy`.
pub const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// `Sec-Fetch-Site`.
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The only value of a header, as text; `None` when it is absent or not ASCII.
#[must_use]
pub fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The credential of `Authorization: Bearer …`. `Some(Err)` when there is an `Authorization` that is something else.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<Result<&str, Problem>> {
    let value = headers.get(header::AUTHORIZATION)?;
    let unusable = || {
        Problem::new(
            Code::Unauthenticated,
            "Send the credential as Authorization: Bearer followed by the key or token.",
        )
    };
    let credential = value.to_str().ok().and_then(|text| {
        let (scheme, credential) = text.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer")).then(|| credential.trim())
    });
    Some(
        credential
            .filter(|c| !c.is_empty() && headers.get_all(header::AUTHORIZATION).iter().count() == 1)
            .ok_or_else(unusable),
    )
}

/// `Idempotency-Key`: a bare token or the draft's quoted string, 1 to 255 visible ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let bad = || {
        let detail =
            format!("An Idempotency-Key has 1 to {IDEMPOTENCY_KEY_MAX_CHARS} visible ASCII characters.");
        Problem::new(Code::InvalidHeader, detail.clone()).field(FieldError::header(
            "idempotency-key",
            "invalid",
            detail,
        ))
    };
    if headers.get_all(IDEMPOTENCY_KEY).iter().count() > 1 {
        return Err(bad());
    }
    let text = value.to_str().map_err(|_| bad())?.trim();
    let key = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\'])).ok_or_else(bad)?,
        None => text,
    };
    let visible = key.bytes().all(|b| (0x21..=0x7e).contains(&b));
    if visible && (1..=IDEMPOTENCY_KEY_MAX_CHARS).contains(&key.len()) {
        Ok(Some(key.to_owned()))
    } else {
        Err(bad())
    }
}

/// The caller's own request id, if it can be shown to people without harm.
#[must_use]
pub fn client_request_id(headers: &HeaderMap) -> Option<String> {
    let id = text(headers, &X_REQUEST_ID)?;
    let fits = (1..=limits::CLIENT_REQUEST_ID_CHARS_MAX).contains(&id.len())
        && id.bytes().all(|b| (0x21..=0x7e).contains(&b));
    fits.then(|| id.to_owned())
}

/// What the client calls itself, cut and cleaned.
#[must_use]
pub fn user_agent(headers: &HeaderMap) -> String {
    let bytes = headers.get(header::USER_AGENT).map_or(&[][..], http::HeaderValue::as_bytes);
    let cut = &bytes[..bytes.len().min(limits::USER_AGENT_BYTES_MAX)];
    String::from_utf8_lossy(cut).into_owned()
}

/// Declared length of the body.
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &header::CONTENT_LENGTH)?.parse().ok()
}

/// Where the request really came from: the peer, or what trusted proxies say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Address of the client.
    pub ip: IpAddr,
    /// Whether the client speaks TLS.
    pub secure: bool,
    /// Whether the peer is one of our own proxies.
    pub trusted: bool,
}

/// Reads `X-Forwarded-*`, but only from peers that operators trust, and from the right: what stands left of the first
/// untrusted address was written by whoever sits there.
#[must_use]
pub fn origin(headers: &HeaderMap, peer: IpAddr, secure: bool, proxies: &[Cidr]) -> Origin {
    let is_proxy = |ip: IpAddr| proxies.iter().any(|range| range.contains(ip));
    let peer = peer.to_canonical();
    if proxies.is_empty() || !is_proxy(peer) {
        return Origin { ip: peer, secure, trusted: false };
    }
    let mut ip = peer;
    for hop in headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .rev()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.rsplit(','))
    {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        ip = address.to_canonical();
        if !is_proxy(ip) {
            break;
        }
    }
    let secure =
        text(headers, &X_FORWARDED_PROTO).map_or(secure, |proto| proto.trim().eq_ignore_ascii_case("https"));
    Origin { ip, secure, trusted: true }
}

/// Whether the body, if there is one, has a content type that a page of another site can send without asking first.
#[must_use]
pub fn is_simple_content_type(headers: &HeaderMap) -> bool {
    let essence = text(headers, &header::CONTENT_TYPE).unwrap_or("").split(';').next().unwrap_or("").trim();
    ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
        .iter()
        .any(|simple| essence.eq_ignore_ascii_case(simple))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        map
    }

    #[test]
    fn idempotency_keys_are_bare_or_quoted() {
        for (sent, key) in [
            ("abc-1", Some("abc-1")),
            ("\"abc-1\"", Some("abc-1")),
            ("", None),
            ("\"\"", None),
            ("\"a", None),
            ("a b", None),
            ("\"a\\\"b\"", None),
            ("ä", None),
        ] {
            let read = idempotency_key(&headers(&[("idempotency-key", sent)]));
            assert_eq!(read.ok().flatten().as_deref(), key, "{sent}");
        }
        assert_eq!(idempotency_key(&HeaderMap::new()), Ok(None));
        assert!(idempotency_key(&headers(&[("idempotency-key", &"k".repeat(256))])).is_err());
        assert!(idempotency_key(&headers(&[("idempotency-key", &"k".repeat(255))])).is_ok());
        assert!(idempotency_key(&headers(&[("idempotency-key", "a"), ("idempotency-key", "a")])).is_err());
    }

    #[test]
    fn only_one_bearer_credential_is_taken() {
        assert_eq!(bearer(&headers(&[("authorization", "Bearer x")])).unwrap().unwrap(), "x");
        assert_eq!(bearer(&headers(&[("authorization", "bearer  x")])).unwrap().unwrap(), "x");
        for bad in ["Basic eDp5", "Bearer", "Bearer ", "x"] {
            assert!(bearer(&headers(&[("authorization", bad)])).unwrap().is_err(), "{bad}");
        }
        assert!(
            bearer(&headers(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]))
                .unwrap()
                .is_err()
        );
        assert!(bearer(&HeaderMap::new()).is_none());
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let proxies = [Cidr::parse("10.0.0.0/8").unwrap()];
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let ip = |chain: &str, peer: IpAddr| {
            origin(
                &headers(&[("x-forwarded-for", chain), ("x-forwarded-proto", "https")]),
                peer,
                false,
                &proxies,
            )
        };
        let forged = ip("6.6.6.6, 203.0.113.7, 10.0.0.9", peer);
        assert_eq!((forged.ip.to_string(), forged.secure), ("203.0.113.7".to_owned(), true));
        assert_eq!(ip("garbage", peer).ip, peer);
        let stranger: IpAddr = "198.51.100.1".parse().unwrap();
        let direct = ip("1.2.3.4", stranger);
        assert_eq!((direct.ip, direct.secure, direct.trusted), (stranger, false, false));
    }

    proptest! {
        #[test]
        fn no_header_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let mut map = HeaderMap::new();
            for name in [header::AUTHORIZATION, IDEMPOTENCY_KEY, X_REQUEST_ID, header::USER_AGENT, header::CONTENT_LENGTH,
                header::CONTENT_TYPE, X_FORWARDED_FOR] {
                map.insert(name, value.clone());
            }
            let _ = (bearer(&map), idempotency_key(&map), client_request_id(&map), content_length(&map));
            let _ = is_simple_content_type(&map);
            prop_assert!(user_agent(&map).chars().count() <= limits::USER_AGENT_BYTES_MAX);
            let _ = origin(&map, IpAddr::from([10, 0, 0, 1]), false, &[Cidr::parse("10.0.0.0/8").unwrap()]);
        }
    }
}
