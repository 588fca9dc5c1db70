//! `/connection/http_stream` and `/connection/sse`: the downstream half of a connection as a response body that
//! does not end. Commands after the first frame come in through `/emulation`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, header};
use bytes::Bytes;
use futures_util::stream;
use plinth_kernel::{Code, FieldError, Problem};

use super::{Admitted, Refusal, admit, query_parameter, read_body};
use crate::codec::{Encoded, Encoding};
use crate::hub::Hub;
use crate::limits;
use crate::outbox::Taken;
use crate::session::{EndOnDrop, Opening, Session};
use crate::stats::Transport;

/// `POST /connection/http_stream`: the body is the first frame.
pub(super) async fn http_stream(
    State(hub): State<Hub>,
    request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    let admitted = admit(&hub, &request)?;
    let media_type = request.headers().get(header::CONTENT_TYPE);
    if media_type.is_some_and(|media_type| media_type == "application/octet-stream") {
        let detail = "Only the JSON form of the protocol is spoken here.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail).into());
    }
    let frame = read_body(request.into_body()).await?;
    respond(&hub, admitted, Transport::HttpStream, frame.to_vec())
}

/// `GET /connection/sse?cf_connect=…`: the parameter is the first frame.
pub(super) async fn sse(State(hub): State<Hub>, request: Request<Body>) -> Result<Response<Body>, Refusal> {
    let admitted = admit(&hub, &request)?;
    let frame = query_parameter(request.uri(), "cf_connect").ok_or_else(|| {
        let detail = "The connect command is missing.";
        Problem::new(Code::InvalidParameter, detail).field(FieldError::parameter(
            "cf_connect",
            "required",
            detail,
        ))
    })?;
    if frame.len() > limits::CLIENT_MESSAGE_BYTES_MAX {
        return Err(Problem::new(Code::PayloadTooLarge, "The first frame is too large.").into());
    }
    respond(&hub, admitted, Transport::Sse, frame.into_bytes())
}

fn respond(
    hub: &Hub,
    admitted: Admitted,
    transport: Transport,
    frame: Vec<u8>,
) -> Result<Response<Body>, Refusal> {
    let cross_origin = admitted.cross_origin;
    let session = hub.open(Opening {
        transport,
        encoding: Encoding::Json,
        headers: admitted.headers,
        control_pings: false,
    });
    let mut downstream = Downstream {
        work: Some(Box::pin(first_frame(session.clone(), frame))),
        // Lets a browser's EventSource open before there is anything to say.
        greeting: (transport == Transport::Sse).then(|| Bytes::from_static(b"\r\n")),
        guard: Some(EndOnDrop(session.clone())),
        session,
    };
    let body = Body::from_stream(stream::poll_fn(move |cx| {
        downstream.poll_chunk(cx).map(|chunk| chunk.map(Ok::<_, std::convert::Infallible>))
    }));
    let media_type = match transport {
        Transport::Sse => "text/event-stream",
        Transport::HttpStream | Transport::WebSocket => "application/json",
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store, no-transform"));
    // Tells a proxy in front not to gather the stream.
    headers.insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    if let Some(origin) = cross_origin {
        super::allow_origin(headers, origin);
    }
    Ok(response)
}

/// Works off the first frame, ahead of what comes in through `/emulation`.
async fn first_frame(session: Arc<Session>, frame: Vec<u8>) {
    if let Some(emulated) = session.hub.emulated(&session.secret) {
        let _turn = emulated.gate.lock().await;
        session.handle(frame).await;
    }
}

/// The body: the first frame's commands are worked off while it is read, so that a client that goes away while it
/// is being authenticated takes that work with it.
struct Downstream {
    session: Arc<Session>,
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    greeting: Option<Bytes>,
    /// Taken when the last chunk has been handed out.
    guard: Option<EndOnDrop>,
}

impl Downstream {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(greeting) = self.greeting.take() {
            return Poll::Ready(Some(greeting));
        }
        if self.guard.is_none() {
            return Poll::Ready(None);
        }
        if let Some(work) = &mut self.work
            && work.as_mut().poll(cx).is_ready()
        {
            self.work = None;
        }
        let mut chunk = Vec::new();
        let mut frames = 0;
        let taken = self.session.outbox.poll_take(cx, self.session.hub.now_ms(), |frame| {
            frames += 1;
            self.session.transport.write(&mut chunk, frame, self.session.encoding);
        });
        match taken {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Taken::Frames) => {
                self.session.hub.counters().wrote(frames, chunk.len());
                Poll::Ready(Some(chunk.into()))
            }
            Poll::Ready(Taken::Closing(reason)) => {
                let push = Encoded::disconnect(reason).bytes(self.session.encoding);
                self.session.transport.write(&mut chunk, &push, self.session.encoding);
                self.guard = None;
                Poll::Ready(Some(chunk.into()))
            }
        }
    }
}

impl Transport {
    /// Writes a frame in the way of a streamed body.
    fn write(self, out: &mut Vec<u8>, frame: &[u8], encoding: Encoding) {
        match self {
            Self::Sse => {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(frame);
                out.extend_from_slice(b"\n\n");
            }
            Self::HttpStream | Self::WebSocket => {
                out.extend_from_slice(frame);
                out.extend_from_slice(encoding.separator());
            }
        }
    }
}
