//! Cross-site request forgery: whether a request that carries a cookie came from our own pages.
//!
//! The rule is the one Go 1.25's `net/http` adopted: the browser says where a request comes from in
//! `Sec-Fetch-Site`; older ones at least send `Origin`; a request with neither does not come from a browser and has
//! no cookie that somebody else could abuse. No token needs to be carried around. `SameSite=Lax` and the JSON
//! content type are two further locks on the same door.

use crate::model::origin;

/// The parts of a request that the rule looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestOrigin<'a> {
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Host`, as the gateway verified it.
    pub host: Option<&'a str>,
}

/// Whether a request with a session cookie may change something. `trusted` lists origins of consoles that are served
/// from elsewhere (a developer's Vite server).
pub fn is_same_site(request: RequestOrigin<'_>, trusted: &[String]) -> bool {
    if request.origin.is_some_and(|origin| trusted.iter().any(|t| t == origin)) {
        return true;
    }
    match request.fetch_site {
        // `none` is the address bar or a bookmark: the person did it.
        Some("same-origin" | "none") => true,
        Some(_) => false,
        None => request.origin.is_none() || same_host(request),
    }
}

/// Whether a page at `Origin` may open a socket with the cookie: sockets are not covered by `SameSite` in every
/// browser and always carry an `Origin`, so its absence with a cookie is no excuse here.
pub fn may_open_socket(request: RequestOrigin<'_>, trusted: &[String]) -> bool {
    request.origin.is_some_and(|origin| trusted.iter().any(|t| t == origin)) || same_host(request)
}

fn same_host(request: RequestOrigin<'_>) -> bool {
    let (Some(origin), Some(host)) = (request.origin, request.host) else { return false };
    let Some(origin) = origin::normalise(origin) else { return false };
    // The scheme behind a TLS-terminating proxy is not known for sure; the host with its port is.
    let scheme = if origin.starts_with("https:") { "https" } else { "http" };
    origin::normalise(&format!("{scheme}://{host}")).is_some_and(|own| own == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(site: Option<&'a str>, origin: Option<&'a str>) -> RequestOrigin<'a> {
        RequestOrigin { fetch_site: site, origin, host: Some("app.example.com") }
    }

    #[test]
    fn only_our_own_pages_and_non_browsers_may_change_things() {
        let own = Some("https://app.example.com");
        let foreign = Some("https://evil.test");
        for (site, origin, allowed) in [
            (Some("same-origin"), own, true),
            (Some("none"), None, true),
            (Some("cross-site"), foreign, false),
            (Some("same-site"), Some("https://blog.example.com"), false),
            (Some("cross-site"), None, false),
            (Some("nonsense"), own, false),
            (None, own, true),
            (None, foreign, false),
            (None, Some("null"), false),
            (None, Some("https://app.example.com.evil.test"), false),
            (None, Some("https://app.example.com:8443"), false),
            (None, None, true),
        ] {
            assert_eq!(is_same_site(request(site, origin), &[]), allowed, "{site:?} {origin:?}");
        }
    }

    #[test]
    fn a_trusted_origin_is_let_in_by_name_only() {
        let trusted = ["http://localhost:5173".to_owned()];
        assert!(is_same_site(request(Some("cross-site"), Some("http://localhost:5173")), &trusted));
        assert!(!is_same_site(request(Some("cross-site"), Some("http://localhost:5174")), &trusted));
    }

    #[test]
    fn a_socket_needs_an_origin() {
        assert!(may_open_socket(request(None, Some("https://app.example.com")), &[]));
        assert!(may_open_socket(request(None, Some("http://app.example.com")), &[]));
        assert!(!may_open_socket(request(Some("same-origin"), None), &[]));
        assert!(!may_open_socket(request(None, Some("https://evil.test")), &[]));
        assert!(!may_open_socket(
            RequestOrigin { origin: Some("https://evil.test"), ..Default::default() },
            &[]
        ));
    }
}
