//! The body of a request, read strictly.

use crate::{limits::JSON_BODY_MAX_BYTES, operation::Operation, problem::ApiError, strict_json};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use plinth_kernel::{Code, Problem};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A JSON body. Reads strictly: see [`strict_json`].
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        require_json(&request)?;
        let bytes = read_body(request).await?;
        Ok(Self(strict_json::from_slice(&bytes)?))
    }
}

/// Refuses a body that does not call itself JSON. A page on another site cannot send this type without asking
/// first, which is half of the defence against forged requests.
pub fn require_json(request: &Request) -> Result<(), Problem> {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("application/merge-patch+json")
    {
        Ok(())
    } else {
        Err(Problem::new(Code::UnsupportedMediaType, "Send the body as application/json."))
    }
}

/// Reads the body up to the operation's own limit.
pub async fn read_body(request: Request) -> Result<Bytes, Problem> {
    let max = request.extensions().get::<Arc<crate::RequestContext>>().map_or(JSON_BODY_MAX_BYTES, |ctx| {
        let operation: &Operation = &ctx.operation;
        operation.body_max_bytes
    });
    let too_large = || {
        Problem::new(Code::PayloadTooLarge, format!("The body of this operation is limited to {max} bytes."))
    };
    axum::body::to_bytes(request.into_body(), max).await.map_err(|error| {
        // What stops the read is either our limit, the edge's deadline, or the client going away.
        let source = std::error::Error::source(&error);
        match source {
            Some(cause) if cause.is::<http_body_util::LengthLimitError>() => too_large(),
            Some(cause) if cause.to_string().contains("deadline") => {
                Problem::new(Code::RequestTimeout, "The body did not arrive in time.")
            }
            _ => Problem::new(Code::InvalidRequest, "The body was cut short.").caused_by(error),
        }
    })
}
