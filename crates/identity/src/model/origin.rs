//! Web origins (RFC 6454): which pages may use a publishable key or a tenant's API from a browser.

use serde::{Deserialize, Serialize};

use crate::limits::ORIGIN_BYTES_MAX;

/// An allowed origin: exact (`https://app.example.com`) or all direct subdomains (`https://*.example.com`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AllowedOrigin(String);

/// The text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write an origin such as https://app.example.com or https://*.example.com: scheme, host and port only"
)]
pub struct OriginError;

impl AllowedOrigin {
    /// Reads and normalises an origin: lower case, default port dropped.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (wildcard, plain) = match text.split_once("://*.") {
            Some((scheme, rest)) => (true, format!("{scheme}://{rest}")),
            None => (false, text.to_owned()),
        };
        let normal = normalise(&plain).ok_or(OriginError)?;
        if !wildcard {
            return Ok(Self(normal));
        }
        let (scheme, rest) = normal.split_once("://").ok_or(OriginError)?;
        // `*.com` or `*.[::1]` would allow strangers or nobody.
        let host = rest.split(':').next().unwrap_or_default();
        if rest.starts_with('[') || !host.contains('.') || host.parse::<std::net::Ipv4Addr>().is_ok() {
            return Err(OriginError);
        }
        Ok(Self(format!("{scheme}://*.{rest}")))
    }

    /// Whether a browser's `Origin` header is this origin.
    pub fn matches(&self, header: &str) -> bool {
        let Some(origin) = normalise(header) else { return false };
        match self.0.split_once("*.") {
            None => self.0 == origin,
            Some((scheme, suffix)) => origin
                .strip_prefix(scheme)
                .and_then(|rest| rest.strip_suffix(suffix))
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Normalises `scheme://host[:port]`; nothing else (path, user, `null`) is an origin.
pub fn normalise(text: &str) -> Option<String> {
    if text.len() > ORIGIN_BYTES_MAX {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let default_port = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return None,
    };
    let (host, port) = split_port(rest)?;
    if !host_is_valid(host) {
        return None;
    }
    match port {
        Some(port) if port != default_port => Some(format!("{scheme}://{host}:{port}")),
        _ => Some(format!("{scheme}://{host}")),
    }
}

fn split_port(rest: &str) -> Option<(&str, Option<&str>)> {
    let after_host =
        if rest.starts_with('[') { rest.find(']')? + 1 } else { rest.find(':').unwrap_or(rest.len()) };
    let (host, tail) = rest.split_at(after_host);
    if tail.is_empty() {
        return Some((host, None));
    }
    let port = tail.strip_prefix(':')?;
    let canonical = port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port);
    canonical.then_some((host, Some(port)))
}

fn host_is_valid(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok());
    }
    host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

impl From<AllowedOrigin> for String {
    fn from(origin: AllowedOrigin) -> Self {
        origin.0
    }
}

impl TryFrom<String> for AllowedOrigin {
    type Error = OriginError;
    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_exact_origin_matches_itself_only() {
        let origin = AllowedOrigin::parse("https://App.Example.com:443").unwrap();
        assert_eq!(origin.as_str(), "https://app.example.com");
        assert!(origin.matches("https://app.example.com") && origin.matches("https://APP.example.com:443"));
        for other in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.test",
            "https://evil-app.example.com",
            "https://app.example.com/",
            "https://user@app.example.com",
            "null",
            "",
        ] {
            assert!(!origin.matches(other), "{other}");
        }
    }

    #[test]
    fn a_wildcard_is_one_label_deep() {
        let origin = AllowedOrigin::parse("https://*.example.com").unwrap();
        assert!(origin.matches("https://a.example.com"));
        for other in [
            "https://example.com",
            "https://a.b.example.com",
            "https://.example.com",
            "https://aexample.com",
            "http://a.example.com",
        ] {
            assert!(!origin.matches(other), "{other}");
        }
        let with_port = AllowedOrigin::parse("http://*.example.com:8080").unwrap();
        assert!(with_port.matches("http://a.example.com:8080") && !with_port.matches("http://a.example.com"));
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for text in [
            "",
            "*",
            "https://*",
            "https://*.com",
            "https://*.10.0.0.1",
            "ftp://a.test",
            "https://",
            "https://a..b",
            "https://a.test/x",
            "https://a.test:0",
            "https://a.test:99999",
            "https://a.test:+1",
            "https://[::1",
            "https://-a.test",
            "https://ä.test",
            "null",
            "https://*.*.example.com",
            "file:///x",
        ] {
            assert!(AllowedOrigin::parse(text).is_err(), "{text}");
        }
        assert_eq!(AllowedOrigin::parse("http://[::1]:8080").unwrap().as_str(), "http://[::1]:8080");
        assert_eq!(AllowedOrigin::parse("http://localhost:80").unwrap().as_str(), "http://localhost");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_normal_form_is_stable(text in "\\PC{0,80}") {
            if let Ok(origin) = AllowedOrigin::parse(&text) {
                prop_assert_eq!(AllowedOrigin::parse(origin.as_str()), Ok(origin));
            }
        }
    }
}
