//! The connection's byte stream, with one correction: hyper answers a head that it cannot parse by itself, with an
//! empty 400, 414 or 431. Before a connection's first good request such an answer is replaced by the problem
//! document that every other refusal has.
//!
//! Only the first write of a connection is looked at, and only while no request was handed to the service; at that
//! point the bytes can be nothing but hyper's own answer (or HTTP/2 frames, which look different).

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Writes the whole answer to a head that could not be parsed.
pub(crate) type HeadFault = Arc<dyn Fn(u16) -> Vec<u8> + Send + Sync>;

/// The stream of one connection.
pub(crate) struct Wire<S> {
    io: S,
    seen: Arc<AtomicBool>,
    fault: HeadFault,
    written: bool,
    pending: Vec<u8>,
}

impl<S> Wire<S> {
    /// Wraps `io`; `seen` is set by the service with its first request.
    pub fn new(io: S, seen: Arc<AtomicBool>, fault: HeadFault) -> Self {
        Self { io, seen, fault, written: false, pending: Vec::new() }
    }

    /// The status of an answer that hyper made up, if `bytes` are one.
    fn automatic(&mut self, bytes: &[u8]) -> Option<u16> {
        let first = !std::mem::replace(&mut self.written, true);
        if !first || self.seen.load(Ordering::Acquire) {
            return None;
        }
        let status =
            bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        (400..500).contains(&status).then_some(status)
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if !self.written
            && let Some(status) = self.automatic(buf)
        {
            self.pending = (self.fault)(status);
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.written && self.pending.is_empty() {
            return Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        }
        let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| &**buf);
        self.poll_write(cx, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
