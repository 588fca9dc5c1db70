//! The API reference at `/docs`: rendered once at start from the OpenAPI document, served with entity tags, without
//! anything from elsewhere. A page for every problem code stands at `/docs/errors/{code}`, where `type` of a problem
//! document points to.

mod reference;
mod sample;

use crate::version::Versions;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use plinth_kernel::{Code, Problem};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt::Write};

const STYLE: &str = include_str!("docs.css");
const SCRIPT: &str = include_str!("docs.js");

/// Every page, ready to be sent.
#[derive(Debug)]
pub struct Docs {
    pages: HashMap<String, Page>,
    contract_tag: String,
}

#[derive(Debug)]
struct Page {
    body: Bytes,
    content_type: &'static str,
    tag: String,
}

impl Page {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { tag: tag(&body), body, content_type }
    }
}

/// A strong entity tag: the beginning of a hash.
fn tag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let mut tag = String::from("\"");
    for byte in &hash[..8] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

impl Docs {
    /// Renders everything.
    ///
    /// # Errors
    /// When the document cannot be written as JSON.
    pub fn new(document: &utoipa::openapi::OpenApi, versions: &Versions) -> Result<Self, serde_json::Error> {
        let document: Value = serde_json::to_value(document)?;
        const HTML: &str = "text/html; charset=utf-8";
        let mut pages = HashMap::from([
            ("/docs".to_owned(), Page::new(HTML, reference::page(&document, versions))),
            ("/docs/errors".to_owned(), Page::new(HTML, codes_page())),
            ("/docs/assets/docs.css".to_owned(), Page::new("text/css; charset=utf-8", STYLE)),
            ("/docs/assets/docs.js".to_owned(), Page::new("text/javascript; charset=utf-8", SCRIPT)),
        ]);
        for code in Code::ALL {
            pages.insert(format!("/docs/errors/{code}"), Page::new(HTML, code_page(*code)));
        }
        Ok(Self { pages, contract_tag: tag(document.to_string().as_bytes()) })
    }

    /// The entity tag of the OpenAPI document.
    #[must_use]
    pub fn contract_tag(&self) -> &str {
        &self.contract_tag
    }

    /// The page at a path, a 304, or a page that says that there is none.
    #[must_use]
    pub fn page(&self, path: &str, if_none_match: Option<&str>) -> Response<Body> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let Some(page) = self.pages.get(path) else {
            let body = shell(
                "Not found",
                "<main class=\"narrow\"><h1>There is no such page</h1><p><a href=\"/docs\">API reference</a></p></main>",
            );
            return respond(StatusCode::NOT_FOUND, "text/html; charset=utf-8", Bytes::from(body), None);
        };
        let fresh = if_none_match.is_some_and(|sent| sent.contains(&page.tag));
        let (status, body) = if fresh {
            (StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            (StatusCode::OK, page.body.clone())
        };
        respond(status, page.content_type, body, Some(&page.tag))
    }
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes, tag: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Text for HTML, in content and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Prose as it stands in doc comments: paragraphs, and code between backticks.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
        out.push_str("<p>");
        for (at, part) in paragraph.split('`').enumerate() {
            let part = escape(part);
            let _ = if at % 2 == 1 { write!(out, "<code>{part}</code>") } else { write!(out, "{part}") };
        }
        out.push_str("</p>");
    }
    out
}

/// A page around `body`.
pub(crate) fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"stylesheet\" href=\"/docs/assets/docs.css\"></head><body>{body}\
         <script src=\"/docs/assets/docs.js\" defer></script></body></html>",
        title = escape(title),
    )
}

fn code_page(code: Code) -> String {
    let retry = if code.retryable() {
        "The same request may succeed later. When the answer has a <code>Retry-After</code> header, wait that many seconds."
    } else {
        "The same request will fail again: change it first."
    };
    let body = format!(
        "<main class=\"narrow\"><p class=\"crumbs\"><a href=\"/docs\">API reference</a> / <a href=\"/docs/errors\">Errors</a></p>\
         <h1><span class=\"status s{class}\">{status}</span> {title}</h1><p><code class=\"big\">{code}</code></p>{explanation}<p>{retry}</p>\
         <h2>What it looks like</h2><pre><code>{example}</code></pre>\
         <p>Give <code>request_id</code> to support, or look the request up in the console's request log.</p></main>",
        class = code.status() / 100,
        status = code.status(),
        title = escape(code.title()),
        explanation = prose(&code.explanation()),
        example = escape(&example_of(code)),
    );
    shell(&format!("{} · API errors", code.title()), &body)
}

fn example_of(code: Code) -> String {
    let example = serde_json::json!({
        "type": format!("/docs/errors/{code}"),
        "title": code.title(),
        "status": code.status(),
        "code": code.as_str(),
        "detail": "What happened here and what to do about it.",
        "instance": "/v1/requests/req_01kb3h5f8xe7ksq2v9w6m4t0rd",
        "request_id": "req_01kb3h5f8xe7ksq2v9w6m4t0rd",
        "retryable": code.retryable(),
    });
    serde_json::to_string_pretty(&example).unwrap_or_default()
}

fn codes_page() -> String {
    let mut rows = String::new();
    for code in Code::ALL {
        let _ = write!(
            rows,
            "<tr><td><span class=\"status s{class}\">{status}</span></td><td><a href=\"/docs/errors/{code}\"><code>{code}</code></a></td>\
             <td>{title}</td><td>{retry}</td></tr>",
            class = code.status() / 100,
            status = code.status(),
            title = escape(code.title()),
            retry = if code.retryable() { "yes" } else { "no" },
        );
    }
    let body = format!(
        "<main class=\"narrow\"><p class=\"crumbs\"><a href=\"/docs\">API reference</a></p><h1>Errors</h1>\
         <p>Every answer that is not a success is a problem document (<code>application/problem+json</code>, RFC 9457). \
         <code>code</code> is stable: branch on it. <code>detail</code> is for people.</p>\
         <table><thead><tr><th>Status</th><th>Code</th><th>Title</th><th>Retryable</th></tr></thead><tbody>{rows}</tbody></table></main>"
    );
    shell("API errors", &body)
}

/// A page for people who met a problem outside the API.
pub(crate) fn problem_page(problem: &Problem, request_id: &str) -> String {
    let body = format!(
        "<main class=\"narrow\"><h1><span class=\"status s{class}\">{status}</span> {title}</h1>{detail}\
         <p class=\"muted\">Request <code>{request}</code></p></main>",
        class = problem.status() / 100,
        status = problem.status(),
        title = escape(problem.code.title()),
        detail = prose(&problem.detail),
        request = escape(request_id),
    );
    shell(problem.code.title(), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_code_has_a_page_that_explains_it() {
        let document = utoipa::openapi::OpenApi::default();
        let docs = Docs::new(&document, &Versions::default()).unwrap();
        for code in Code::ALL {
            let response = docs.page(&format!("/docs/errors/{code}"), None);
            assert_eq!(response.status(), 200, "{code}");
        }
        assert_eq!(docs.page("/docs/errors/nonsense", None).status(), 404);
        let first = docs.page("/docs", None);
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(docs.page("/docs", Some(&tag)).status(), 304);
    }

    #[test]
    fn prose_is_escaped_and_marks_code() {
        assert_eq!(prose("a `b<c>` d\n\ne & f"), "<p>a <code>b&lt;c&gt;</code> d</p><p>e &amp; f</p>");
    }

    proptest! {
        #[test]
        fn nothing_escapes_the_escape(text in "\\PC{0,60}") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            prop_assert!(!prose(&text).contains("<script"));
        }
    }
}
