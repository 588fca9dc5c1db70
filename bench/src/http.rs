//! HTTP/1.1 from the caller's side, as little of it as a load needs: keep-alive, and bodies of a declared length.

use crate::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of an answer at most; a longer one is not of this load.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A connection that sends one request after another.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The head of an answer, and where it ends.
struct Head {
    status: u16,
    ends: usize,
    body_bytes: usize,
    closes: bool,
}

impl Connection {
    /// Connects to `host:port`.
    pub async fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8_192) })
    }

    /// Sends a request and reads its answer. The status, and whether the connection can carry another.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<(u16, bool), Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the connection was closed before the answer was complete".into());
            }
            let Some(head) = head(&self.buffer)? else {
                if self.buffer.len() > ANSWER_BYTES_MAX {
                    return Err("the head of the answer has no end".into());
                }
                continue;
            };
            let wanted = head.ends + head.body_bytes;
            if wanted > ANSWER_BYTES_MAX {
                return Err("the answer is too long".into());
            }
            while self.buffer.len() < wanted {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("the connection was closed within the body".into());
                }
            }
            return Ok((head.status, !head.closes));
        }
    }
}

/// The head, once it is complete.
fn head(bytes: &[u8]) -> Result<Option<Head>, Failure> {
    let Some(ends) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..ends])?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)).ok_or("no status line")?.parse()?;
    let mut head = Head { status, ends: ends + 4, body_bytes: 0, closes: false };
    let mut has_length = matches!(status, 204 | 304);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            head.body_bytes = value.trim().parse()?;
            has_length = true;
        } else if name.eq_ignore_ascii_case("connection") {
            head.closes = value.trim().eq_ignore_ascii_case("close");
        }
    }
    if has_length { Ok(Some(head)) } else { Err("the answer has no Content-Length".into()) }
}
