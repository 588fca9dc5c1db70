//! A handler of axum's behind `axum::serve` and nothing else: what the gateway is compared with.

use crate::Failure;
use axum::{Json, Router, routing::get};
use serde_json::Value;
use std::path::Path;

/// Serves the document at `/read` until the process is ended. It is serialised for every request, as a handler's answer
/// is.
pub async fn serve(listen: &str, body: &Path) -> Result<Value, Failure> {
    // Leaked: it lives as long as the process, and a handler that borrows it has nothing to count.
    let document: &'static Value = Box::leak(Box::new(serde_json::from_slice(&std::fs::read(body)?)?));
    let handler = move || async move { Json(document) };
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, Router::new().route("/read", get(handler))).await?;
    Ok(Value::Null)
}
