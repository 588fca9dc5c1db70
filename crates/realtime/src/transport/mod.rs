//! The ways in: one WebSocket endpoint, two streamed bodies with their upstream endpoint.

mod emulation;
mod frame;
mod stream;
mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use bytes::Bytes;
use plinth_kernel::ports::RealtimeHeaders;
use plinth_kernel::{Code, FieldError, Problem};

use crate::hub::Hub;
use crate::limits;

/// Request extension by which the edge tells the hub the client's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub String);

/// The realtime endpoints, to be merged into a server's router. The server must let HTTP/1.1 connections be
/// upgraded, and must not put a time limit on responses of these paths.
pub fn routes(hub: Hub) -> Router {
    Router::new()
        .route("/connection/websocket", any(websocket::upgrade))
        .route("/connection/http_stream", post(stream::http_stream).options(preflight))
        .route("/connection/sse", get(stream::sse))
        .route("/emulation", post(emulation::emulation).options(preflight))
        .with_state(hub)
}

/// A refused request as `application/problem+json`. The problem also travels as an extension, for an edge that
/// adds to it.
struct Refusal(Box<Problem>);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let Self(problem) = self;
        let mut document = serde_json::json!({
            "type": format!("/docs/errors/{}", problem.code.as_str()),
            "title": problem.code.title(),
            "status": problem.status(),
            "code": problem.code.as_str(),
            "detail": problem.detail,
            "retryable": problem.code.retryable(),
        });
        if !problem.errors.is_empty() {
            document["errors"] = serde_json::json!(problem.errors);
        }
        let mut response = Response::new(Body::from(document.to_string()));
        *response.status_mut() =
            StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(ms) = problem.retry_after_ms {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
        }
        for (name, value) in &problem.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(Arc::<Problem>::from(problem));
        response
    }
}

/// A request that may open a connection.
struct Admitted {
    headers: RealtimeHeaders,
    /// The page's origin, when it is not ours and was allowed.
    cross_origin: Option<HeaderValue>,
}

/// Checks the origin and whether there is room for one more connection.
fn admit(hub: &Hub, request: &Request<Body>) -> Result<Admitted, Refusal> {
    let (headers, cross_origin) = check_origin(hub, request)?;
    hub.accept().map_err(|refused| {
        Problem::new(Code::Overloaded, "No new connection can be taken now; come back later.")
            .retry_after_ms(refused.retry_after.as_millis() as u64)
    })?;
    Ok(Admitted { headers, cross_origin })
}

/// Checks the origin: browsers send cookies along from any page, so another site's page must not get in on them.
fn check_origin(
    hub: &Hub,
    request: &Request<Body>,
) -> Result<(RealtimeHeaders, Option<HeaderValue>), Refusal> {
    let headers = request.headers();
    let text =
        |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let found = RealtimeHeaders {
        cookie: text(header::COOKIE),
        origin: text(header::ORIGIN),
        // HTTP/2 names the host in the address.
        host: text(header::HOST).or_else(|| request.uri().authority().map(|host| host.to_string())),
        client_ip: request.extensions().get::<ClientAddress>().map(|address| address.0.clone()),
    };
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok((found, None)) };
    let (named, host) =
        (found.origin.as_deref().unwrap_or_default(), found.host.as_deref().unwrap_or_default());
    if !hub.config().origins.allows(named, host) {
        let detail = "Pages of this origin may not connect here.";
        let problem = Problem::new(Code::OriginNotAllowed, detail);
        return Err(problem.field(FieldError::header("origin", "origin_not_allowed", detail)).into());
    }
    Ok((found, Some(origin.clone())))
}

/// Lets the page that asked read the answer.
fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}

/// Answers a browser that asks before it posts from another origin.
async fn preflight(State(hub): State<Hub>, request: Request<Body>) -> Result<Response<Body>, Refusal> {
    let (_, cross_origin) = check_origin(&hub, &request)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if let Some(origin) = cross_origin {
        allow_origin(headers, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("300"));
    }
    Ok(response)
}

/// Reads a body of at most one client message.
async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    to_bytes(body, limits::CLIENT_MESSAGE_BYTES_MAX).await.map_err(|error| {
        let cause = std::error::Error::source(&error);
        let problem = if cause.is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>()) {
            Problem::new(Code::PayloadTooLarge, "A frame may have at most 64 KiB.")
        } else {
            Problem::new(Code::InvalidRequest, "The body did not arrive whole.")
        };
        problem.into()
    })
}

/// The first value of a query parameter, decoded.
fn query_parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
