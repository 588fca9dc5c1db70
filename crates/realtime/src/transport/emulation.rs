//! `POST /emulation`: commands for a connection whose downstream half is an HTTP response.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use plinth_kernel::{Code, Problem};
use serde::Deserialize;

use super::{Refusal, allow_origin, check_origin, read_body};
use crate::hub::Hub;

/// A frame, and the stream it belongs to.
#[derive(Deserialize)]
struct EmulationRequest {
    node: String,
    session: String,
    /// The frame as text.
    data: String,
}

/// Hands a frame to its connection. The answer to it travels downstream; here it is 204, also when the connection
/// has just ended: the client learns that, and why, from the end of its stream.
pub(super) async fn emulation(
    State(hub): State<Hub>,
    request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    let (_, cross_origin) = check_origin(&hub, &request)?;
    let body = read_body(request.into_body()).await?;
    let request: EmulationRequest = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(Code::InvalidJson, format!("The body is not an emulation request: {error}."))
    })?;
    if request.node != hub.node() {
        return Err(Problem::not_found("node").into());
    }
    if let Some(emulated) = hub.emulated(&request.session) {
        // One at a time, in the order of arrival; the work outlives a caller that hangs up.
        let work = tokio::spawn(async move {
            let _turn = emulated.gate.lock().await;
            emulated.session.clone().handle(request.data.into_bytes()).await;
        });
        work.await.map_err(Problem::internal)?;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Some(origin) = cross_origin {
        allow_origin(response.headers_mut(), origin);
    }
    Ok(response)
}
