//! Protocol sanity: what must hold before anything else looks at a request.
//!
//! hyper is liberal where RFC 9112 lets it be, and where proxies differ in how they read the same bytes there is room
//! for smuggling. So one reading is enforced here: exactly one host, one framing, one spelling of a path.

use crate::limits;
use http::{HeaderMap, Method, Uri, Version, header, request::Parts};
use plinth_kernel::{Code, FieldError, Problem};

/// Checks a request's head and returns its host, as the client wrote it.
pub fn check(parts: &Parts) -> Result<&str, Problem> {
    check_size(&parts.uri, &parts.headers)?;
    let host = check_host(parts)?;
    check_framing(&parts.headers)?;
    check_path(parts.uri.path())?;
    Ok(host)
}

fn check_size(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let uri_bytes = uri.path_and_query().map_or(0, |pq| pq.as_str().len());
    if uri_bytes > limits::URI_BYTES_MAX {
        let detail = format!("Path and query may have {} bytes together.", limits::URI_BYTES_MAX);
        return Err(Problem::new(Code::UriTooLong, detail));
    }
    let header_bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers.len() > limits::HEADER_FIELDS_MAX || header_bytes > limits::HEADER_BYTES_MAX {
        let detail = format!(
            "A request may have {} header fields and {} bytes of them.",
            limits::HEADER_FIELDS_MAX,
            limits::HEADER_BYTES_MAX
        );
        return Err(Problem::new(Code::HeadersTooLarge, detail));
    }
    Ok(())
}

fn bad_host(code: &str, detail: &str) -> Problem {
    Problem::new(Code::InvalidHost, detail).field(FieldError::header("host", code, detail))
}

/// RFC 9112 §3.2: exactly one valid `Host`, and one that agrees with the target where that names a host too.
/// RFC 9113 §8.3.1: `:authority` stands for it in HTTP/2.
fn check_host(parts: &Parts) -> Result<&str, Problem> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return Err(bad_host("repeated", "There is more than one Host header.")),
        (Some(value), None) => {
            Some(value.to_str().map_err(|_| bad_host("invalid", "The Host header is not ASCII."))?)
        }
        (None, None) => None,
    };
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = match (named, authority) {
        (Some(named), Some(authority)) if !named.eq_ignore_ascii_case(authority) => {
            return Err(bad_host("mismatch", "The Host header and the request target name different hosts."));
        }
        (Some(host), _) => host,
        (None, Some(authority)) if parts.version >= Version::HTTP_2 => authority,
        (None, _) => return Err(bad_host("required", "The Host header is missing.")),
    };
    if host_is_valid(host) { Ok(host) } else { Err(bad_host("invalid", "The Host header is not a host.")) }
}

/// `host[:port]`, where host is a name, an IPv4 address or an IPv6 address in brackets.
#[must_use]
pub fn host_is_valid(host: &str) -> bool {
    if host.len() > 261 {
        return false;
    }
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((address, tail)) = rest.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("v6", if tail.is_empty() { None } else { Some(tail.strip_prefix(':').unwrap_or("?")) })
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let port_ok = port.is_none_or(|p| {
        !p.is_empty() && p.len() <= 5 && p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok()
    });
    port_ok
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// Either a length or chunks. Both at once is how one request is passed off as two (RFC 9112 §6.1). hyper itself drops
/// the length, reads the chunks and closes the connection, which is as safe; this holds for any other server in front.
fn check_framing(headers: &HeaderMap) -> Result<(), Problem> {
    if !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(());
    }
    if headers.contains_key(header::CONTENT_LENGTH) {
        let detail = "Content-Length and Transfer-Encoding exclude each other.";
        return Err(Problem::new(Code::InvalidRequest, detail)
            .field(FieldError::header("transfer-encoding", "conflict", detail))
            .header("connection", "close"));
    }
    Ok(())
}

/// One spelling of a path: no dot segments, no empty segments, no encoded separators, no control characters.
pub fn check_path(path: &str) -> Result<(), Problem> {
    let bad = |detail: &str| Err(Problem::new(Code::InvalidRequest, detail));
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        // `*` of OPTIONS and the empty path of CONNECT name nothing that is served here.
        return bad("The path does not begin with a slash.");
    }
    let mut segment = 1;
    let mut at = 1;
    while at <= bytes.len() {
        match bytes.get(at) {
            None | Some(b'/') => {
                let name = &bytes[segment..at];
                if name == b"." || name == b".." {
                    return bad("The path has a dot segment.");
                }
                // A slash at the end is a path of its own; one after another is not.
                if name.is_empty() && at < bytes.len() {
                    return bad("The path has an empty segment.");
                }
                segment = at + 1;
            }
            Some(b'\\') => return bad("The path has a backslash."),
            Some(b'%') => {
                let Some(byte) = bytes.get(at + 1..at + 3).and_then(decode) else {
                    return bad("The path has an incomplete percent-encoding.");
                };
                if byte < 0x20 || byte == 0x7f || matches!(byte, b'/' | b'\\' | b'.') {
                    return bad("The path encodes a separator, a dot or a control character.");
                }
                at += 2;
            }
            Some(_) => {}
        }
        at += 1;
    }
    Ok(())
}

fn decode(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    // `from_str_radix` would take a sign.
    text.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(text, 16).ok())?
}

/// Whether the product knows this method at all.
#[must_use]
pub fn method_is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(uri: &str, version: Version, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn exactly_one_valid_host_is_demanded() {
        let v1 = Version::HTTP_11;
        for (uri, version, hosts, expected) in [
            ("/", v1, vec!["a.test"], Ok("a.test")),
            ("/", v1, vec!["127.0.0.1:8080"], Ok("127.0.0.1:8080")),
            ("/", v1, vec!["[::1]:8080"], Ok("[::1]:8080")),
            ("/", v1, vec![], Err("required")),
            ("/", v1, vec!["a.test", "a.test"], Err("repeated")),
            ("/", v1, vec!["a.test", "b.test"], Err("repeated")),
            ("/", v1, vec![""], Err("invalid")),
            ("/", v1, vec!["a test"], Err("invalid")),
            ("/", v1, vec!["user@a.test"], Err("invalid")),
            ("/", v1, vec!["a.test:"], Err("invalid")),
            ("/", v1, vec!["a.test:99999"], Err("invalid")),
            ("/", v1, vec!["a.test/x"], Err("invalid")),
            ("/", v1, vec!["[::1"], Err("invalid")),
            ("http://a.test/", v1, vec!["a.test"], Ok("a.test")),
            ("http://a.test/", v1, vec!["b.test"], Err("mismatch")),
            ("http://a.test/", v1, vec![], Err("required")),
            ("http://a.test/", Version::HTTP_2, vec![], Ok("a.test")),
            ("http://a.test/", Version::HTTP_2, vec!["b.test"], Err("mismatch")),
        ] {
            let headers: Vec<_> = hosts.iter().map(|h| ("host", *h)).collect();
            let parts = parts(uri, version, &headers);
            let got = check(&parts).map_err(|p| {
                assert_eq!(p.code, Code::InvalidHost);
                p.errors[0].code.clone()
            });
            assert_eq!(got, expected.map_err(str::to_owned), "{uri} {hosts:?}");
        }
    }

    #[test]
    fn a_path_has_one_spelling() {
        for good in [
            "/",
            "/v1/forms",
            "/v1/forms/",
            "/v1/a.b",
            "/...",
            "/v1/ext:a%20b",
            "/%C3%A4",
            "/.well-known/jwks.json",
        ] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "v1",
            "//",
            "/v1//forms",
            "/v1/../x",
            "/v1/..",
            "/./v1",
            "/v1/.",
            "/v1/%2e%2e/x",
            "/a%00",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%+1",
            "/a%0d%0aSet-Cookie:",
            "/a%7f",
        ] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn two_framings_are_none() {
        let both = parts(
            "/",
            Version::HTTP_11,
            &[("host", "a"), ("content-length", "3"), ("transfer-encoding", "chunked")],
        );
        assert_eq!(check(&both).unwrap_err().code, Code::InvalidRequest);
    }

    #[test]
    fn what_is_too_large_is_said_so() {
        let long = format!("/{}", "a".repeat(limits::URI_BYTES_MAX));
        assert_eq!(
            check(&parts(&long, Version::HTTP_11, &[("host", "a")])).unwrap_err().code,
            Code::UriTooLong
        );
        let value = "a".repeat(limits::HEADER_BYTES_MAX);
        let large = parts("/", Version::HTTP_11, &[("host", "a"), ("x", &value)]);
        assert_eq!(check(&large).unwrap_err().code, Code::HeadersTooLarge);
    }

    proptest! {
        #[test]
        fn an_accepted_path_means_the_same_to_everybody(path in "/[a-z./%\\\\0-9]{0,30}") {
            if check_path(&path).is_ok() {
                prop_assert!(!path.contains("//") && !path.contains('\\'));
                prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
            }
        }

        #[test]
        fn nothing_panics(path in "\\PC{0,60}", host in "\\PC{0,60}") {
            let _ = check_path(&path);
            let _ = host_is_valid(&host);
        }
    }
}
