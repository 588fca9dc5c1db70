//! `/connection/websocket`: the handshake, and the task that reads and writes one socket.
//!
//! The task owns the upgraded socket and nothing else while it is idle. It reads into a buffer that belongs to the
//! thread it happens to run on, and gathers what it writes in another one, so that a connection costs its socket,
//! its task and its place in the tables: a general-purpose WebSocket stack keeps 8 KiB and more for each.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use plinth_kernel::{Code, FieldError, Problem};
use ring::digest;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{Refusal, admit, query_parameter};
use crate::codec::Encoding;
use crate::codes::Disconnect;
use crate::hub::Hub;
use crate::limits;
use crate::outbox::Taken;
use crate::session::{EndOnDrop, Opening, Session};
use crate::stats::Transport;
use crate::transport::frame::{FrameReader, FrameWriter, Incoming, Violation};

/// RFC 6455 §1.3.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const SUBPROTOCOL_JSON: &str = "centrifuge-json";
const SUBPROTOCOL_PROTOBUF: &str = "centrifuge-protobuf";

thread_local! {
    static READ_SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; limits::READ_SCRATCH_BYTES].into());
    static WRITE_SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Answers the handshake and, once the socket is handed over, serves it in a task of its own.
pub(super) async fn upgrade(
    State(hub): State<Hub>,
    mut request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    let handshake = Handshake::check(&request)?;
    let admitted = admit(&hub, &request)?;
    let opening = Opening {
        transport: Transport::WebSocket,
        encoding: Encoding::Json,
        headers: admitted.headers,
        control_pings: query_parameter(request.uri(), "cf_ws_frame_ping_pong").as_deref() == Some("true"),
    };
    let socket = hyper::upgrade::on(&mut request);
    tokio::spawn(take_over(hub, opening, socket));
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, handshake.accept);
    if handshake.names_json {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL_JSON);
    }
    response.body(Body::empty()).map_err(|error| Problem::internal(error).into())
}

async fn take_over(hub: Hub, opening: Opening, socket: OnUpgrade) {
    match tokio::time::timeout(limits::UPGRADE_TIMEOUT, socket).await {
        // A task of its own: this one's memory is sized for the handshake.
        Ok(Ok(socket)) => drop(tokio::spawn(serve(TokioIo::new(socket), hub.open(opening)))),
        Ok(Err(error)) => tracing::debug!(%error, "a socket was not handed over"),
        Err(_) => tracing::debug!("a socket was not handed over in time"),
    }
}

/// What a good handshake leads to.
struct Handshake {
    accept: String,
    names_json: bool,
}

impl Handshake {
    /// Checks RFC 6455 §4.2.1 and picks the sub-protocol.
    fn check(request: &Request<Body>) -> Result<Self, Refusal> {
        let headers = request.headers();
        let wrong = |name: &str, detail: &str| {
            let field = FieldError::header(name, "invalid_header", detail);
            let problem = Problem::new(Code::InvalidHeader, detail).field(field);
            Err(Refusal::from(problem.header("sec-websocket-version", "13")))
        };
        if request.method() != Method::GET {
            let detail = "A WebSocket handshake is a GET request over HTTP/1.1.";
            return Err(Problem::new(Code::MethodNotAllowed, detail).header("allow", "GET").into());
        }
        if !has_token(headers, header::UPGRADE, "websocket")
            || !has_token(headers, header::CONNECTION, "upgrade")
        {
            let detail =
                "This address speaks WebSocket: send `Connection: upgrade` and `Upgrade: websocket`.";
            return wrong("upgrade", detail);
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return wrong("sec-websocket-version", "Only WebSocket version 13 is spoken here.");
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| key.as_bytes()).unwrap_or_default();
        if STANDARD.decode(key).map(|key| key.len()) != Ok(16) {
            return wrong("sec-websocket-key", "The key must be 16 bytes in base64.");
        }
        let names_json = has_token(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL_JSON);
        let protobuf = has_token(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL_PROTOBUF)
            || query_parameter(request.uri(), "format").as_deref() == Some("protobuf")
            || query_parameter(request.uri(), "cf_protocol").as_deref() == Some("protobuf");
        if protobuf && !names_json {
            return wrong("sec-websocket-protocol", "Only the JSON form of the protocol is spoken here.");
        }
        Ok(Self { accept: accept_key(key), names_json })
    }
}

fn accept_key(key: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[key, ACCEPT_GUID].concat());
    STANDARD.encode(hash)
}

/// Whether a comma-separated header holds a token.
fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Serves one socket until either side ends it.
async fn serve(io: TokioIo<Upgraded>, session: Arc<Session>) {
    let guard = EndOnDrop(session.clone());
    let mut socket =
        Socket { io, reader: FrameReader::default(), arrived: VecDeque::new(), unsent: Unsent::default() };
    let ending = loop {
        match poll_fn(|cx| socket.poll_next(cx, &session)).await {
            Next::Message(message) => {
                // Boxed, so that an idle task does not carry room for a command's work.
                let mut work = Box::pin(session.clone().handle(message));
                let ended = poll_fn(|cx| {
                    if let Poll::Ready(ending) = socket.poll_flush(cx, &session) {
                        return Poll::Ready(Some(ending));
                    }
                    work.as_mut().poll(cx).map(|()| None)
                });
                if let Some(ending) = ended.await {
                    break ending;
                }
            }
            Next::Ended(ending) => break ending,
        }
    };
    drop(guard);
    Box::pin(socket.say_goodbye(ending)).await;
}

/// What comes next on a socket.
enum Next {
    Message(Vec<u8>),
    Ended(Ending),
}

/// How a connection ends.
enum Ending {
    /// We end it.
    Disconnect(Disconnect),
    /// The client broke the WebSocket protocol.
    Violation(Violation),
    /// The client ended it with this code.
    ByPeer(u16),
    /// The socket is gone.
    Lost,
}

/// Bytes of frames that the socket has not taken yet.
#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    at: usize,
}

impl Unsent {
    fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

struct Socket {
    io: TokioIo<Upgraded>,
    reader: FrameReader,
    arrived: VecDeque<Incoming>,
    unsent: Unsent,
}

impl Socket {
    /// Writes what waits and reads until there is a message to work on.
    fn poll_next(&mut self, cx: &mut Context<'_>, session: &Session) -> Poll<Next> {
        loop {
            if let Poll::Ready(ending) = self.poll_flush(cx, session) {
                return Poll::Ready(Next::Ended(ending));
            }
            let Some(next) = self.arrived.pop_front() else {
                self.arrived = VecDeque::new();
                match ready!(self.poll_read(cx)) {
                    Ok(()) => continue,
                    Err(ending) => return Poll::Ready(Next::Ended(ending)),
                }
            };
            match next {
                Incoming::Message(message) => return Poll::Ready(Next::Message(message)),
                Incoming::Close(code) => return Poll::Ready(Next::Ended(Ending::ByPeer(code))),
                // Answered only while the client reads, so that pings cannot fill our memory.
                Incoming::Ping(payload) if self.unsent.is_empty() => {
                    let mut writer = FrameWriter::new(&mut self.unsent.bytes);
                    writer.pong(&payload);
                }
                Incoming::Ping(_) => {}
                Incoming::Pong => drop(session.pong()),
            }
        }
    }

    /// Reads once.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ending>> {
        READ_SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => Poll::Ready(Err(Ending::Lost)),
                Ok(()) => Poll::Ready(
                    self.reader.read(buffer.filled(), &mut self.arrived).map_err(Ending::Violation),
                ),
                Err(_) => Poll::Ready(Err(Ending::Lost)),
            }
        })
    }

    /// Writes what waits. Pending when there is nothing more to do now, ready when the connection must end.
    fn poll_flush(&mut self, cx: &mut Context<'_>, session: &Session) -> Poll<Ending> {
        loop {
            // Before writing: a slow consumer's socket may never become writable again.
            session.outbox.register(cx);
            if let Some(reason) = session.outbox.abandoned() {
                return Poll::Ready(Ending::Disconnect(reason));
            }
            match self.poll_write_unsent(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Ending::Lost),
                Poll::Pending => return Poll::Pending,
            }
            match ready!(self.poll_write_waiting(cx, session)) {
                Ok(Taken::Frames) => {}
                Ok(Taken::Closing(reason)) => return Poll::Ready(Ending::Disconnect(reason)),
                Err(_) => return Poll::Ready(Ending::Lost),
            }
        }
    }

    /// Gathers waiting frames and writes them at once; what the socket does not take is kept.
    fn poll_write_waiting(&mut self, cx: &mut Context<'_>, session: &Session) -> Poll<io::Result<Taken>> {
        WRITE_SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            let mut frames = 0;
            let mut writer = FrameWriter::new(scratch);
            let taken = session.outbox.poll_take(cx, session.hub.now_ms(), |frame| {
                frames += 1;
                match frame {
                    [] => writer.ping(),
                    reply => writer.text(reply, session.encoding.separator()),
                }
            });
            let taken = ready!(taken);
            if taken != Taken::Frames {
                return Poll::Ready(Ok(taken));
            }
            writer.finish();
            session.hub.counters().wrote(frames, scratch.len());
            let written = match Pin::new(&mut self.io).poll_write(cx, scratch) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => 0,
            };
            if written < scratch.len() {
                self.unsent = Unsent { bytes: scratch[written..].to_vec(), at: 0 };
            }
            if scratch.capacity() > 4 * limits::WRITE_BATCH_BYTES {
                *scratch = Vec::new();
            }
            Poll::Ready(Ok(Taken::Frames))
        })
    }

    /// Writes kept bytes, then hands the socket's own buffers on (TLS has some, TCP none).
    fn poll_write_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, self.unsent.rest()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.unsent.at += written,
            }
        }
        self.unsent = Unsent::default();
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Sends the close frame and waits a little for the client's, so that ours is not lost to a reset.
    async fn say_goodbye(mut self, ending: Ending) {
        let (code, reason) = match ending {
            Ending::Disconnect(Disconnect { code, reason }) => (code, reason),
            Ending::Violation(Violation(code)) => (code, ""),
            Ending::ByPeer(code) => (code, ""),
            Ending::Lost => return,
        };
        let answered = matches!(ending, Ending::ByPeer(_));
        let handshake = async {
            let mut bytes = self.unsent.rest().to_vec();
            FrameWriter::new(&mut bytes).close(code, reason);
            self.io.write_all(&bytes).await?;
            self.io.flush().await?;
            if !answered {
                poll_fn(|cx| self.poll_until_closed(cx)).await;
            }
            self.io.shutdown().await
        };
        let _ = tokio::time::timeout(limits::CLOSE_TIMEOUT, handshake).await;
    }

    /// Reads and ignores until the client's close frame or the end of the stream.
    fn poll_until_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let over = ready!(self.poll_read(cx)).is_err();
            if over || self.arrived.drain(..).any(|next| matches!(next, Incoming::Close(_))) {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_standard() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
