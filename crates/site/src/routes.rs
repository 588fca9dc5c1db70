//! Requests in, pages out.

use crate::{
    SiteContent, State,
    cache::{Draft, Key, Rendered},
    contact::{self, FormState},
    content::tree::Tree,
    limits,
    pages::{self, Answered, Extra},
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Form, Query, State as AxumState},
    http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use parking_lot::Mutex;
use plinth_kernel::{
    Code, Id, Problem, SubmissionId, TenantId,
    ports::{AnswerGate, ContentSnapshot, ContentSource, FormGate, FormView, VisitorContext},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio::time::Instant;

/// What a page may load and do. There is no `unsafe-inline`: every script and style is a file of ours.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Kept by the reader and asked about every time: an answer without a body costs next to nothing. Not by caches on
/// the way: the gateway may set a visitor's cookie on the same answer.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// The published form of a tenant, as it was a moment ago.
type KeptForms = HashMap<TenantId, (Instant, Option<FormView>)>;

/// The site: content, and the two systems that its pages speak to.
pub struct Site {
    content: Arc<SiteContent>,
    forms: Arc<dyn FormGate>,
    answers: Arc<dyn AnswerGate>,
    kept_forms: Mutex<KeptForms>,
}

impl Site {
    /// Puts a site together.
    #[must_use]
    pub fn new(
        content: Arc<SiteContent>,
        forms: Arc<dyn FormGate>,
        answers: Arc<dyn AnswerGate>,
    ) -> Arc<Self> {
        Arc::new(Self { content, forms, answers, kept_forms: Mutex::new(HashMap::new()) })
    }

    /// Every route of the site, with a fallback that shows the 404 page. Requests may carry a
    /// [`VisitorContext`] extension; without it pages are shown, but the form and `/ask` say that they are
    /// not available.
    pub fn routes(self: &Arc<Self>) -> Router {
        let page = get(page);
        Router::new()
            .route("/", page.clone())
            .route("/systems", page.clone())
            .route("/systems/{slug}", page.clone())
            .route("/design", page.clone())
            .route("/design/{slug}", page.clone())
            .route("/experience", page.clone())
            .route("/notes", page.clone())
            .route("/notes/{slug}", page.clone())
            .route("/cv", page.clone())
            .route("/notes.xml", page.clone())
            .route("/rss.xml", page.clone())
            .route("/sitemap.xml", page.clone())
            .route("/robots.txt", page.clone())
            .route("/llms.txt", page)
            .route("/ask", get(ask))
            .route("/contact", get(contact_page).post(contact_sent))
            .route("/favicon.ico", get(icon))
            .route("/assets/site/{file}", get(asset))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(DefaultBodyLimit::max(limits::FORM_BODY_BYTES_MAX))
            .with_state(Arc::clone(self))
    }

    /// Renders every page and follows every link; empty when all is well.
    #[must_use]
    pub fn check(&self) -> Vec<crate::Fault> {
        self.content.check()
    }

    /// Checks a tree of files without serving it.
    pub fn check_tree(tree: &Tree) -> Result<(), crate::ContentErrors> {
        State::build(tree, "").map(|_| ())
    }

    fn origin(&self, state: &State, headers: &HeaderMap, uri: &Uri) -> String {
        if !state.content.site.url.is_empty() {
            return state.content.site.url.clone();
        }
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
        let host = host.or_else(|| uri.authority().map(|a| a.as_str())).filter(|h| is_host(h));
        let host = host.unwrap_or("localhost");
        // Only a machine talking to itself is expected to do so in the clear.
        let scheme = if is_loopback(host) { "http" } else { "https" };
        format!("{scheme}://{host}")
    }

    /// The published form. Its system is asked again after a moment, not for every reader of the home page.
    async fn form(&self, key: &str, visitor: Option<&VisitorContext>) -> Option<FormView> {
        let tenant = &visitor?.tenant;
        let now = Instant::now();
        if let Some((at, view)) = self.kept_forms.lock().get(tenant)
            && now.duration_since(*at) < limits::FORM_FRESH_FOR
        {
            return view.clone();
        }
        let view = match self.forms.published(tenant, key).await {
            Ok(view) => view,
            Err(problem) => {
                tracing::warn!(%problem, "the contact form cannot be shown");
                return None;
            }
        };
        let mut kept = self.kept_forms.lock();
        if kept.len() >= limits::FORMS_CACHED_MAX {
            kept.clear();
        }
        kept.insert(tenant.clone(), (now, view.clone()));
        view
    }
}

impl ContentSource for Site {
    fn snapshot(&self) -> Arc<ContentSnapshot> {
        self.content.snapshot()
    }
}

/// What every handler wants to know about a request.
struct Asked {
    visitor: Option<VisitorContext>,
    headers: HeaderMap,
    uri: Uri,
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self {
            visitor: parts.extensions.get::<VisitorContext>().cloned(),
            headers: parts.headers.clone(),
            uri: parts.uri.clone(),
        })
    }
}

async fn page(AxumState(site): AxumState<Arc<Site>>, asked: Asked) -> Response {
    let path = asked.uri.path();
    let state = Arc::clone(&site.content.state());
    let form = if path == "/" {
        site.form(&state.content.site.contact.form, asked.visitor.as_ref()).await
    } else {
        None
    };
    kept_page(&site, &state, &asked, FormState::pristine(form))
}

/// A page that looks the same for everybody: rendered once for each state of the content.
fn kept_page(site: &Site, state: &State, asked: &Asked, form: FormState) -> Response {
    let path = asked.uri.path().to_owned();
    let origin = site.origin(state, &asked.headers, &asked.uri);
    let key = Key { path: path.clone(), origin: origin.clone(), extra: form.fingerprint() };
    let extra = Extra { form, ..Extra::default() };
    let made = state.pages.get_or(key, || {
        pages::render(&state.content, &state.shared, &state.renderer, &origin, &path, &extra).unwrap_or_else(
            || Err(minijinja::Error::new(minijinja::ErrorKind::TemplateNotFound, "no such page")),
        )
    });
    match made {
        Ok(page) => send(&page, &asked.headers, StatusCode::OK, REVALIDATE),
        Err(error) if error.kind() == minijinja::ErrorKind::TemplateNotFound => missing(site, asked),
        Err(error) => broken(&error),
    }
}

async fn contact_page(
    AxumState(site): AxumState<Arc<Site>>,
    Query(query): Query<BTreeMap<String, String>>,
    asked: Asked,
) -> Response {
    let state = Arc::clone(&site.content.state());
    let view = site.form(&state.content.site.contact.form, asked.visitor.as_ref()).await;
    let mut form = FormState::pristine(view);
    let Some(reference) = query.get("sent") else { return kept_page(&site, &state, &asked, form) };
    // Anyone can write a link; only what looks like a reference is repeated on the page.
    form.sent = Some(SubmissionId::parse(reference).map(|id| id.to_string()).unwrap_or_default());
    fresh(&site, &state, &asked, Extra { form, ..Extra::default() }, StatusCode::OK)
}

async fn contact_sent(
    AxumState(site): AxumState<Arc<Site>>,
    asked: Asked,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    let state = Arc::clone(&site.content.state());
    let typed: BTreeMap<String, String> = pairs.into_iter().collect();
    if typed.get(contact::HONEYPOT).is_some_and(|text| !text.is_empty()) {
        // A program that believes it was heard does not try harder.
        return see_other("/contact?sent=1");
    }
    let key = &state.content.site.contact.form;
    let view = site.form(key, asked.visitor.as_ref()).await;
    if asked.headers.get("sec-fetch-site").is_some_and(|from| from == "cross-site") {
        let mut form = FormState { view, values: typed, ..FormState::default() };
        form.problem =
            Some("This message came from another site. Please press the button once more here.".to_owned());
        return fresh(&site, &state, &asked, Extra { form, ..Extra::default() }, StatusCode::FORBIDDEN);
    }
    let mut form = FormState { view: view.clone(), values: typed.clone(), ..FormState::default() };
    let (Some(visitor), Some(view)) = (asked.visitor.clone(), view) else {
        form.problem = Some("Messages cannot be taken at the moment. Please try again later.".to_owned());
        return fresh(
            &site,
            &state,
            &asked,
            Extra { form, ..Extra::default() },
            StatusCode::SERVICE_UNAVAILABLE,
        );
    };
    let values = contact::typed_values(&view, &typed);
    let once = contact::idempotency_key(&visitor, key, &values);
    match site.forms.submit(visitor, key, values, Some(once)).await {
        Ok(receipt) => see_other(&format!("/contact?sent={}", receipt.submission_id)),
        Err(problem) => {
            log(&problem);
            form.refuse(&problem);
            let response = fresh(&site, &state, &asked, Extra { form, ..Extra::default() }, status(&problem));
            with_retry_after(response, &problem)
        }
    }
}

async fn ask(
    AxumState(site): AxumState<Arc<Site>>,
    Query(query): Query<BTreeMap<String, String>>,
    asked: Asked,
) -> Response {
    let state = Arc::clone(&site.content.state());
    let question = query.get("q").map(|q| q.trim()).unwrap_or_default();
    if question.is_empty() {
        return kept_page(&site, &state, &asked, FormState::default());
    }
    let (result, status) = answer(&site, question, asked.visitor.clone()).await;
    let answer =
        Some(Answered { question: question.chars().take(limits::QUESTION_CHARS_MAX).collect(), result });
    let mut response = fresh(&site, &state, &asked, Extra { answer, ..Extra::default() }, status);
    response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    response
}

async fn answer(
    site: &Site,
    question: &str,
    visitor: Option<VisitorContext>,
) -> (Result<plinth_kernel::ports::AnswerView, String>, StatusCode) {
    if question.chars().count() > limits::QUESTION_CHARS_MAX {
        let sentence =
            format!("A question has up to {} characters. Please shorten it.", limits::QUESTION_CHARS_MAX);
        return (Err(sentence), StatusCode::BAD_REQUEST);
    }
    let Some(visitor) = visitor else {
        return (
            Err("Questions cannot be answered at the moment.".to_owned()),
            StatusCode::SERVICE_UNAVAILABLE,
        );
    };
    match site.answers.answer(visitor, question).await {
        Ok(view) => (Ok(view), StatusCode::OK),
        Err(problem) => {
            log(&problem);
            (Err(problem.detail.clone()), status(&problem))
        }
    }
}

async fn asset(AxumState(site): AxumState<Arc<Site>>, asked: Asked) -> Response {
    let state = Arc::clone(&site.content.state());
    let Some(asset) = state.assets.at(asked.uri.path()) else { return missing(&site, &asked) };
    let brotli = asset.brotli.as_ref().filter(|_| takes_brotli(&asked.headers));
    let body: Bytes = brotli.unwrap_or(&asset.bytes).clone();
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, FOREVER);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if asset.brotli.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if brotli.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

/// Browsers ask for it by habit, whatever the page says.
async fn icon(AxumState(site): AxumState<Arc<Site>>) -> Response {
    match site.content.state().assets.url("icon.svg") {
        Some(url) => {
            let location = HeaderValue::from_str(url).unwrap_or(HeaderValue::from_static("/"));
            (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn not_found(AxumState(site): AxumState<Arc<Site>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    // `/systems/` is `/systems`, written carelessly; the doubled slash would lead to another host.
    let trimmed = parts.uri.path().trim_end_matches('/');
    if parts.uri.path().ends_with('/')
        && !trimmed.is_empty()
        && !trimmed.starts_with("//")
        && let Ok(location) = HeaderValue::from_str(trimmed)
    {
        return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response();
    }
    let asked = Asked { visitor: None, headers: parts.headers, uri: parts.uri };
    missing(&site, &asked)
}

async fn method_not_allowed(AxumState(site): AxumState<Arc<Site>>, asked: Asked) -> Response {
    let sentence = "This address is for reading; nothing can be sent to it.".to_owned();
    let extra = Extra { error: Some((405, "Not possible here".to_owned(), sentence)), ..Extra::default() };
    error_page(&site, &asked, extra, StatusCode::METHOD_NOT_ALLOWED)
}

fn missing(site: &Site, asked: &Asked) -> Response {
    let sentence = "There is nothing at this address. It may have moved, or never existed.".to_owned();
    let extra = Extra { error: Some((404, "Nothing here".to_owned(), sentence)), ..Extra::default() };
    error_page(site, asked, extra, StatusCode::NOT_FOUND)
}

fn error_page(site: &Site, asked: &Asked, extra: Extra, status: StatusCode) -> Response {
    let state = site.content.state();
    let origin = site.origin(&state, &asked.headers, &asked.uri);
    match pages::render_error(&state.content, &state.shared, &state.renderer, &origin, &extra) {
        Ok(page) => send_once(page, status),
        Err(error) => broken(&error),
    }
}

/// A page for one reader at one moment.
fn fresh(site: &Site, state: &State, asked: &Asked, extra: Extra, status: StatusCode) -> Response {
    let origin = site.origin(state, &asked.headers, &asked.uri);
    let path = asked.uri.path();
    match pages::render(&state.content, &state.shared, &state.renderer, &origin, path, &extra) {
        Some(Ok(page)) => send_once(page, status),
        Some(Err(error)) => broken(&error),
        None => missing(site, asked),
    }
}

fn broken(error: &minijinja::Error) -> Response {
    tracing::error!(error = format!("{error:#}"), "a page could not be rendered");
    (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be rendered. The operator has been told.")
        .into_response()
}

fn send_once(page: Draft, status: StatusCode) -> Response {
    send(&Rendered::once(page), &HeaderMap::new(), status, NEVER)
}

fn send(page: &Rendered, asked: &HeaderMap, status: StatusCode, keep: HeaderValue) -> Response {
    let brotli = takes_brotli(asked);
    let tag = format!("\"{}{}\"", page.hash, if brotli { "-br" } else { "" });
    let cacheable = keep != NEVER;
    let unchanged = cacheable && asked.get(header::IF_NONE_MATCH).is_some_and(|known| matches(known, &tag));
    let body = match (unchanged, brotli) {
        (true, _) => Body::empty(),
        (false, true) => Body::from(page.brotli.clone()),
        (false, false) => Body::from(page.bytes.clone()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = if unchanged { StatusCode::NOT_MODIFIED } else { status };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(header::CACHE_CONTROL, keep);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    if let Some(tag) = HeaderValue::from_str(&tag).ok().filter(|_| cacheable) {
        headers.insert(header::ETAG, tag);
    }
    if brotli && !unchanged {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

/// RFC 9110 §13.1.2: weak comparison, a list, or `*`.
fn matches(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// RFC 9110 §12.5.3, as far as one coding is concerned.
fn takes_brotli(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let refused =
                |p: &str| p.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br")) && !parts.any(refused)
        })
}

/// What may become part of an address on a page: a name or an address, and a port.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= limits::HOST_CHARS_MAX
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.starts_with("127.") || name == "[::1]" || name.ends_with(".localhost")
}

fn see_other(location: &str) -> Response {
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/contact"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, NEVER)]).into_response()
}

fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn with_retry_after(mut response: Response, problem: &Problem) -> Response {
    if let Some(ms) = problem.retry_after_ms {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000).max(1)));
    }
    response
}

fn log(problem: &Problem) {
    if problem.code == Code::Internal {
        tracing::error!(%problem, "a site request failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_sent_only_to_those_who_take_it() {
        let takes = |value: &'static str| {
            takes_brotli(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        assert!(takes("gzip, br;q=0.8"));
        assert!(takes("BR"));
        assert!(!takes("gzip, br;q=0"));
        assert!(!takes("gzip, brotli"));
    }

    #[test]
    fn a_host_header_cannot_write_into_a_page() {
        assert!(is_host("example.org:8080"));
        assert!(is_host("[::1]:80"));
        assert!(!is_host("a\"><script>"));
        assert!(!is_host(""));
    }

    #[test]
    fn entity_tags_are_compared_weakly() {
        assert!(matches(&HeaderValue::from_static("W/\"a\", \"b\""), "\"b\""));
        assert!(matches(&HeaderValue::from_static("W/\"a\""), "\"a\""));
        assert!(!matches(&HeaderValue::from_static("\"c\""), "\"a\""));
    }
}
