//! Problems as answers: `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use plinth_kernel::{FieldError, Problem, RequestId};

/// A handler's error. Anything that turns into a [`Problem`] turns into it with `?`.
#[derive(Debug)]
pub struct ApiError(pub Box<Problem>);

/// What a handler returns.
pub type ApiResult<T> = Result<T, ApiError>;

impl<E: Into<Problem>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl IntoResponse for ApiError {
    /// Leaves the body to the edge, which knows the request id: the problem travels in the extensions.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(std::sync::Arc::new(*self.0));
        response
    }
}

/// The document of a problem, as the OpenAPI contract shows it.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Page about this code, on this very server.
    #[schema(example = "/docs/errors/validation_failed")]
    pub r#type: String,
    /// Short title of the code.
    pub title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// Stable name of what went wrong.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// What happened and what to do.
    pub detail: String,
    /// Where the request can be looked up.
    pub instance: String,
    /// Id of the request.
    pub request_id: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Every input at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Further members of some codes.
    #[serde(flatten)]
    #[schema(ignore)]
    pub extensions: serde_json::Map<String, serde_json::Value>,
}

impl ProblemBody {
    /// The document of `problem` for this request.
    #[must_use]
    pub fn new(problem: &Problem, request_id: &RequestId) -> Self {
        Self {
            r#type: format!("/docs/errors/{}", problem.code),
            title: problem.code.title().to_owned(),
            status: problem.status(),
            code: problem.code.to_string(),
            detail: problem.detail.clone(),
            instance: format!("/v1/requests/{request_id}"),
            request_id: request_id.to_string(),
            retryable: problem.code.retryable(),
            errors: problem.errors.clone(),
            extensions: problem.extensions.clone(),
        }
    }
}

/// Whole seconds for `Retry-After`: rounded up, at least one.
fn retry_after_seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000).max(1)
}

/// Writes the answer of a problem. Only the edge calls this.
#[must_use]
pub fn render(problem: &Problem, request_id: &RequestId) -> Response {
    let body = serde_json::to_vec(&ProblemBody::new(problem, request_id)).unwrap_or_else(|_| b"{}".to_vec());
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (
        status,
        [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")],
        body,
    )
        .into_response();
    let headers = response.headers_mut();
    let retry_after_ms = problem.retry_after_ms.or(match problem.code.status() {
        // A 429 or 503 never leaves the caller guessing.
        429 | 503 => Some(1_000),
        _ => None,
    });
    if let Some(ms) = retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds(ms)));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    for (name, value) in &problem.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// Every answer of an operation that is not a success, for its OpenAPI description: `responses((status = 200, …),
/// Problems)`.
pub struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::response::Response>> {
        use utoipa::openapi::{Ref, content::ContentBuilder, response::ResponseBuilder};
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new()
            .description("What went wrong: see `code`, and the page that `type` points at.")
            .content("application/problem+json", content)
            .build();
        [("default".to_owned(), response.into())].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::{Code, World};

    #[tokio::test]
    async fn a_problem_has_every_member_and_never_its_cause() {
        let (world, _) = World::manual(1);
        let request: RequestId = world.id();
        let problem =
            Problem::validation(vec![FieldError::pointer("/email", "invalid_email", "Not an address.")])
                .caused_by("row 7 of secrets");
        let response = render(&problem, &request);
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["code"], "validation_failed");
        assert_eq!(json["errors"][0]["pointer"], "/email");
        assert_eq!(json["request_id"], request.to_string());
        assert!(!String::from_utf8_lossy(&bytes).contains("secrets"));
    }

    #[test]
    fn an_overload_always_says_when_to_come_back() {
        let (world, _) = World::manual(1);
        let response = render(&Problem::new(Code::Overloaded, "Busy."), &world.id());
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let response = render(&Problem::new(Code::RateLimited, "Slow.").retry_after_ms(1_001), &world.id());
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
