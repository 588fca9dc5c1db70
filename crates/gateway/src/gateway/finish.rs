//! The way back: problem documents, headers, metrics and the log.

use super::{Inner, Journey};
use crate::{cors, head, limits, requests::LogEntry};
use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use plinth_api::problem;
use plinth_kernel::{Actor, Code, Id, Problem};
use std::sync::Arc;

impl Inner {
    /// Ends an operation's request.
    pub(super) async fn finish_api(
        &self,
        journey: Journey,
        result: Result<Response<Body>, Problem>,
    ) -> Response<Body> {
        let response = match result {
            Ok(response) => response,
            Err(problem) => return self.finish_problem(journey, problem),
        };
        match found_problem(response).await {
            Ok(response) => self.finish(journey, response, true, None),
            Err(problem) => self.finish_problem(journey, problem),
        }
    }

    /// Ends the request of a page.
    pub(super) async fn finish_page(&self, journey: Journey, response: Response<Body>) -> Response<Body> {
        match response.extensions().get::<Arc<Problem>>() {
            Some(problem) => {
                let problem = Problem::clone(problem);
                self.finish_problem(journey, problem)
            }
            None => self.finish(journey, response, false, None),
        }
    }

    /// Ends a request with a problem document.
    pub(super) fn finish_problem(&self, journey: Journey, mut problem: Problem) -> Response<Body> {
        if let (Some(version), Some(operation)) = (journey.version, &journey.operation) {
            self.versions.problem_down(version, &operation.id, &mut problem);
        }
        let response = problem::render(&problem, &journey.request_id);
        self.finish(journey, response, true, Some(problem))
    }

    /// Ends a page's request with something that people can read.
    pub(super) fn finish_html_problem(&self, journey: Journey, problem: Problem) -> Response<Body> {
        let rendered = problem::render(&problem, &journey.request_id);
        let (mut parts, _) = rendered.into_parts();
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        let page = crate::docs::problem_page(&problem, journey.request_id.as_str());
        self.finish(journey, Response::from_parts(parts, Body::from(page)), false, Some(problem))
    }

    fn finish(
        &self,
        mut journey: Journey,
        mut response: Response<Body>,
        is_api: bool,
        problem: Option<Problem>,
    ) -> Response<Body> {
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(journey.request_id.as_str()) {
            headers.insert(head::X_REQUEST_ID, id);
        }
        cors::secure(headers, is_api, journey.secure);
        if let Some(version) = journey.version {
            let value = if version == self.versions.current() {
                self.current_version.clone()
            } else {
                HeaderValue::try_from(version.to_string()).unwrap_or_else(|_| self.current_version.clone())
            };
            headers.insert(head::PLINTH_VERSION, value);
        }
        if let Some((policy, limit)) = self.quotas.headers(&journey.receipt) {
            headers.insert(head::RATELIMIT_POLICY, policy);
            headers.insert(head::RATELIMIT, limit);
        }
        if let Some(origin) = journey.grant.take() {
            cors::grant(headers, &origin);
        }
        if let Some(cookie) = journey.set_cookie.take() {
            headers.append(header::SET_COOKIE, cookie);
        }
        self.record(journey, response.status(), is_api, problem);
        response
    }

    fn record(&self, mut journey: Journey, status: StatusCode, is_api: bool, problem: Option<Problem>) {
        let elapsed_us = self.world.now().since(journey.received_at).max(0);
        if let Some(measured) = &mut journey.measured {
            measured.end(status.as_u16(), elapsed_us);
        }
        if status.is_server_error() {
            let cause = problem.as_ref().and_then(|p| p.cause.as_deref()).unwrap_or("");
            tracing::error!(
                request_id = %journey.request_id, trace_id = %journey.trace.trace_id, status = status.as_u16(),
                method = %journey.method, path = journey.path, cause, "request failed"
            );
        }
        // Pages are logged when they fail or change something: a busy site would drown the API otherwise.
        let is_page = journey.operation.is_none() && !is_api;
        let is_failure = status.is_client_error() || status.is_server_error();
        if is_page && journey.method.is_safe() && !status.is_server_error() {
            return;
        }
        // What costs the client nothing must not fill the disk.
        let is_cheap = journey.who.is_none() || status == StatusCode::TOO_MANY_REQUESTS;
        if is_cheap && !self.log.has_room_for_cheap(journey.received_at) {
            return;
        }
        self.log.record(is_failure, || self.entry(&journey, status, elapsed_us, problem.as_ref()));
    }

    fn entry(
        &self,
        journey: &Journey,
        status: StatusCode,
        duration_us: i64,
        problem: Option<&Problem>,
    ) -> LogEntry {
        let (tenant, actor) = match &journey.who {
            Some((tenant, actor)) => (tenant.to_string(), actor.to_string()),
            None => (String::new(), Actor::Anonymous.to_string()),
        };
        LogEntry {
            tenant,
            id: journey.request_id.clone(),
            operation: journey.operation.as_ref().map_or(String::new(), |operation| operation.id.clone()),
            method: journey.method.to_string(),
            path: journey.path.clone(),
            status: status.as_u16(),
            code: problem.map_or(String::new(), |p| p.code.to_string()),
            duration_us,
            trace_id: journey.trace.trace_id.to_string(),
            span_id: journey.trace.span_id.to_string(),
            parent_span_id: journey.parent_span.map_or(String::new(), |span| span.to_string()),
            actor,
            client_ip: journey.client_ip.to_string(),
            idempotency_key: journey.idempotency_key.clone().unwrap_or_default(),
            user_agent: journey.user_agent.clone(),
            client_request_id: journey.client_request_id.clone().unwrap_or_default(),
            version: journey.version.map_or(String::new(), |version| version.to_string()),
            error: problem.map_or(String::new(), error_text),
            created_at: journey.received_at,
        }
    }
}

/// What the tenant's developers may read about a failure: not the cause, which speaks of our insides.
fn error_text(problem: &Problem) -> String {
    let mut text = problem.detail.clone();
    for error in &problem.errors {
        let at =
            error.pointer.as_deref().or(error.parameter.as_deref()).or(error.header.as_deref()).unwrap_or("");
        text.push_str(&format!(" [{at}: {}]", error.code));
    }
    let mut end = text.len().min(limits::LOGGED_ERROR_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// The problem that a handler answered with, or the one that stands for a framework's own refusal.
async fn found_problem(response: Response<Body>) -> Result<Response<Body>, Problem> {
    if let Some(problem) = response.extensions().get::<Arc<Problem>>() {
        return Err(with_headers(Problem::clone(problem), &response));
    }
    let status = response.status();
    let typed = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"application/problem+json"));
    if !(status.is_client_error() || status.is_server_error()) || typed {
        return Ok(response);
    }
    let text =
        axum::body::to_bytes(response.into_body(), limits::LOGGED_ERROR_BYTES_MAX).await.unwrap_or_default();
    Err(foreign(status, &String::from_utf8_lossy(&text)))
}

/// Headers that the command layer put beside a problem (`Idempotency-Replayed`).
fn with_headers(mut problem: Problem, response: &Response<Body>) -> Problem {
    for name in ["idempotency-replayed", "original-request"] {
        if let Some(value) = response.headers().get(name).and_then(|value| value.to_str().ok()) {
            problem = problem.header(name, value);
        }
    }
    problem
}

/// A refusal of the framework, in our words.
fn foreign(status: StatusCode, text: &str) -> Problem {
    // axum's own word for a path parameter that does not parse: a malformed id is as unknown as any other.
    if text.starts_with("Invalid URL") {
        return Problem::new(Code::NotFound, "There is no such thing.");
    }
    match status {
        StatusCode::NOT_FOUND => Problem::new(Code::NotFound, "There is no such thing."),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(Code::MethodNotAllowed, "This path does not take this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, "The body is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(Code::UnsupportedMediaType, "Send the body as application/json.")
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            Problem::new(Code::ValidationFailed, "The body does not fit this operation.")
        }
        status if status.is_client_error() => {
            Problem::new(Code::InvalidRequest, "The request does not fit this operation.")
        }
        status => Problem::internal(format!("the handler answered {status}: {text}")),
    }
}
