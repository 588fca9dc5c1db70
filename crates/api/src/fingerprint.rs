//! The fingerprint of a request: what an idempotency key is bound to.

use http::{Method, Uri};
use plinth_kernel::ApiVersion;
use sha2::{Digest, Sha256};

/// SHA-256 of method, path, sorted query, version and body. Two requests with the same fingerprint ask the same.
#[must_use]
pub fn of(method: &Method, uri: &Uri, version: ApiVersion, body: &[u8]) -> [u8; 32] {
    let mut query: Vec<&str> = uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let mut hash = Sha256::new();
    // Lengths between the parts, so that no part can pass for two.
    for part in [method.as_str(), uri.path(), &query.join("&"), &version.to_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_the_query_does_not_matter_but_everything_else_does() {
        let v = ApiVersion::new(2026, 11, 1);
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        let base = of(&Method::POST, &uri("/v1/forms?a=1&b=2"), v, b"{}");
        assert_eq!(base, of(&Method::POST, &uri("/v1/forms?b=2&a=1"), v, b"{}"));
        for other in [
            of(&Method::PUT, &uri("/v1/forms?a=1&b=2"), v, b"{}"),
            of(&Method::POST, &uri("/v1/form?a=1&b=2"), v, b"{}"),
            of(&Method::POST, &uri("/v1/forms?a=1"), v, b"{}"),
            of(&Method::POST, &uri("/v1/forms?a=1&b=2"), ApiVersion::new(2026, 1, 1), b"{}"),
            of(&Method::POST, &uri("/v1/forms?a=1&b=2"), v, b"{ }"),
        ] {
            assert_ne!(base, other);
        }
    }
}
