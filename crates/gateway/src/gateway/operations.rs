//! What operators and developers read at the edge itself: health, metrics, the contract and its documentation.

use super::{Inner, Journey};
use crate::head;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use plinth_kernel::{Code, Problem, ports::BoxFuture};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// How long one readiness check may take.
const CHECK_MS: u64 = 2_000;

/// Something that must work for the process to be ready.
#[derive(Clone)]
pub struct Check {
    /// Its name in the answer.
    pub name: &'static str,
    /// Whether it works; the error is shown.
    pub run: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl Check {
    /// A check from a closure.
    pub fn new<F>(name: &'static str, run: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    {
        Self { name, run: Arc::new(run) }
    }
}

impl Inner {
    /// Answers the paths that belong to the edge; `None` for all others.
    pub(super) async fn operations(&self, parts: &Parts, journey: &Journey) -> Option<Response<Body>> {
        let path = parts.uri.path();
        let ours = matches!(path, "/healthz" | "/readyz" | "/metrics" | "/openapi.json" | "/docs")
            || path.starts_with("/docs/");
        if !ours {
            return None;
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let problem = Problem::new(Code::MethodNotAllowed, "This path takes GET and HEAD.")
                .header("allow", "GET, HEAD");
            return Some(as_response(problem));
        }
        Some(match path {
            "/healthz" => text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n"),
            "/readyz" => self.ready().await,
            "/metrics" => self.scrape(journey),
            _ => match self.quotas.charge_page(journey.client_ip, journey.received_at) {
                Err(problem) => as_response(problem),
                Ok(()) if path == "/openapi.json" => self.contract(parts),
                Ok(()) => self.docs.page(path, head::text(&parts.headers, &header::IF_NONE_MATCH)),
            },
        })
    }

    async fn ready(&self) -> Response<Body> {
        let (mut results, mut ready) = (Vec::new(), true);
        for check in &self.checks {
            let outcome = tokio::time::timeout(Duration::from_millis(CHECK_MS), (check.run)()).await;
            let outcome = outcome.unwrap_or_else(|_| Err("took too long".to_owned()));
            ready &= outcome.is_ok();
            results.push(match outcome {
                Ok(()) => json!({"name": check.name, "status": "ok"}),
                Err(detail) => json!({"name": check.name, "status": "failed", "detail": detail}),
            });
        }
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let word = if ready { "ready" } else { "not_ready" };
        let body =
            json!({"status": word, "version": env!("CARGO_PKG_VERSION"), "checks": results}).to_string();
        let mut response = text(status, "application/json", body);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn scrape(&self, journey: &Journey) -> Response<Body> {
        if !self.config.metrics_readers.iter().any(|range| range.contains(journey.client_ip)) {
            return as_response(Problem::new(Code::Forbidden, "Metrics may not be read from this address."));
        }
        text(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            self.metrics.encode(),
        )
    }

    fn contract(&self, parts: &Parts) -> Response<Body> {
        let tag = self.docs.contract_tag();
        let known = head::text(&parts.headers, &header::IF_NONE_MATCH).is_some_and(|sent| sent.contains(tag));
        let mut response = if known {
            text(StatusCode::NOT_MODIFIED, "application/json", Bytes::new())
        } else {
            text(StatusCode::OK, "application/json", self.openapi.clone())
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Generators and viewers of other origins may read the contract: it is public.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }
}

fn as_response(problem: Problem) -> Response<Body> {
    axum::response::IntoResponse::into_response(plinth_api::ApiError::from(problem))
}

fn text(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
