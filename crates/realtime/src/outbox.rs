//! What waits to be written to one connection.
//!
//! Cost: one lock and one pointer-sized push a frame; no memory while nothing waits. The writer takes everything
//! that waits at once, so that frames that arrive together leave in one `write`: a system call costs some ten
//! times what a frame in it costs.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::codes::Disconnect;
use crate::limits;

/// What became of a pushed frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits, and the writer knows.
    Queued,
    /// It waits, and the writer is to be woken when the coalescing window ends.
    Deferred,
    /// It was left out: the connection is closing, or busy and the frame was one it can do without.
    Dropped,
    /// It did not fit: the connection is now closing as a slow consumer.
    TooSlow,
}

/// What the writer gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Frames were handed over.
    Frames,
    /// Everything was handed over before: say goodbye.
    Closing(Disconnect),
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Bytes>,
    bytes: usize,
    closing: Option<Disconnect>,
    /// The end does not wait for what is still unsent.
    abandoned: bool,
    /// Frames pushed while a reply is being prepared wait behind it: the reply goes in at this index.
    held_at: Option<usize>,
    /// Someone has woken the writer, or promised to; until it comes, nobody else needs to.
    wake_promised: bool,
    taken_ms: u64,
}

/// The queue between whoever has something to say to a connection and the task that writes to it.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    writer: AtomicWaker,
}

impl Outbox {
    /// Adds a frame. An `ephemeral` one is left out when much is waiting already.
    pub(crate) fn push(&self, frame: Bytes, ephemeral: bool, now_ms: u64, bytes_max: usize) -> Pushed {
        let mut waiting = self.waiting.lock();
        if waiting.closing.is_some() || (ephemeral && waiting.bytes > limits::QUEUE_BYTES_EPHEMERAL) {
            return Pushed::Dropped;
        }
        if waiting.bytes + frame.len() > bytes_max {
            Self::begin_close(&mut waiting, Disconnect::SLOW);
            drop(waiting);
            self.writer.wake();
            return Pushed::TooSlow;
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        if waiting.wake_promised || waiting.held_at.is_some() {
            return Pushed::Queued;
        }
        waiting.wake_promised = true;
        if now_ms < waiting.taken_ms + limits::COALESCE_WINDOW.as_millis() as u64 {
            return Pushed::Deferred;
        }
        drop(waiting);
        self.writer.wake();
        Pushed::Queued
    }

    /// Keeps further frames waiting until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        let mut waiting = self.waiting.lock();
        waiting.held_at = Some(waiting.frames.len());
    }

    /// Puts `reply` ahead of everything pushed since [`hold`](Self::hold) and lets all of it go.
    pub(crate) fn release(&self, reply: Bytes) {
        let mut waiting = self.waiting.lock();
        if let Some(index) = waiting.held_at.take()
            && waiting.closing.is_none()
        {
            waiting.bytes += reply.len();
            waiting.frames.insert(index, reply);
        }
        waiting.wake_promised = true;
        drop(waiting);
        self.writer.wake();
    }

    /// Asks the writer to end the connection; the first reason counts.
    pub(crate) fn close(&self, reason: Disconnect) {
        let mut waiting = self.waiting.lock();
        if waiting.closing.is_none() {
            Self::begin_close(&mut waiting, reason);
        }
        drop(waiting);
        self.writer.wake();
    }

    fn begin_close(waiting: &mut Waiting, reason: Disconnect) {
        waiting.closing = Some(reason);
        if !reason.flushes_queue() {
            Self::let_go(waiting);
        }
    }

    fn let_go(waiting: &mut Waiting) {
        waiting.abandoned = true;
        waiting.frames = VecDeque::new();
        waiting.bytes = 0;
    }

    /// Ends the connection without waiting for what is still unsent: nobody takes it any more.
    pub(crate) fn abandon(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closing.get_or_insert(Disconnect::CLOSED);
        Self::let_go(&mut waiting);
        drop(waiting);
        self.writer.wake();
    }

    /// Whether the writer has been asked to end the connection.
    pub(crate) fn is_closing(&self) -> bool {
        self.waiting.lock().closing.is_some()
    }

    /// Wakes the writer now.
    pub(crate) fn wake(&self) {
        self.writer.wake();
    }

    /// Whether the connection is to end without waiting for what is still unsent.
    pub(crate) fn abandoned(&self) -> Option<Disconnect> {
        let waiting = self.waiting.lock();
        waiting.closing.filter(|_| waiting.abandoned)
    }

    /// Remembers the writer, so that it is woken when there is something to do.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        self.writer.register(cx.waker());
    }

    /// Hands waiting frames to `write`, up to the size of a batch, and at least one.
    pub(crate) fn poll_take(
        &self,
        cx: &Context<'_>,
        now_ms: u64,
        mut write: impl FnMut(&[u8]),
    ) -> Poll<Taken> {
        // Before looking, so that a frame pushed after the look finds somebody to wake.
        self.register(cx);
        let mut waiting = self.waiting.lock();
        if waiting.frames.is_empty() || waiting.held_at.is_some() {
            waiting.wake_promised = false;
            return match waiting.closing {
                Some(reason) => Poll::Ready(Taken::Closing(reason)),
                None => Poll::Pending,
            };
        }
        let mut written = 0;
        while let Some(frame) = waiting.frames.front() {
            if written > 0 && written + frame.len() > limits::WRITE_BATCH_BYTES {
                break;
            }
            written += frame.len();
            write(frame);
            waiting.frames.pop_front();
        }
        waiting.bytes -= written;
        waiting.taken_ms = now_ms;
        waiting.wake_promised = !waiting.frames.is_empty();
        if waiting.frames.is_empty() {
            waiting.frames = VecDeque::new();
        }
        Poll::Ready(Taken::Frames)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const MAX: usize = 1_000;

    fn take(outbox: &Outbox, now_ms: u64) -> (Poll<Taken>, Vec<String>) {
        let mut frames = Vec::new();
        let cx = Context::from_waker(Waker::noop());
        let taken =
            outbox.poll_take(&cx, now_ms, |frame| frames.push(String::from_utf8_lossy(frame).into_owned()));
        (taken, frames)
    }

    fn push(outbox: &Outbox, frame: &'static str, now_ms: u64) -> Pushed {
        outbox.push(Bytes::from_static(frame.as_bytes()), false, now_ms, MAX)
    }

    #[test]
    fn frames_that_arrive_together_leave_together() {
        let outbox = Outbox::default();
        assert_eq!(push(&outbox, "a", 100), Pushed::Queued);
        assert_eq!(push(&outbox, "b", 100), Pushed::Queued);
        assert_eq!(take(&outbox, 100), (Poll::Ready(Taken::Frames), vec!["a".into(), "b".into()]));
        assert_eq!(push(&outbox, "c", 101), Pushed::Deferred, "just written to: gather");
        assert_eq!(push(&outbox, "d", 102), Pushed::Queued, "one promise to wake is enough");
        assert_eq!(take(&outbox, 105).1, ["c", "d"]);
    }

    #[test]
    fn a_reply_goes_ahead_of_what_was_pushed_while_it_was_prepared() {
        let outbox = Outbox::default();
        outbox.hold();
        push(&outbox, "later", 100);
        assert_eq!(take(&outbox, 100), (Poll::Pending, vec![]));
        outbox.release(Bytes::from_static(b"reply"));
        assert_eq!(take(&outbox, 100).1, ["reply", "later"]);
    }

    #[test]
    fn a_full_queue_closes_the_connection_and_frees_its_memory() {
        let outbox = Outbox::default();
        let kilo = Bytes::from(vec![b'x'; MAX]);
        assert_eq!(outbox.push(kilo, false, 100, MAX), Pushed::Queued);
        assert_eq!(push(&outbox, "y", 100), Pushed::TooSlow);
        assert_eq!(outbox.abandoned(), Some(Disconnect::SLOW));
        assert_eq!(take(&outbox, 100), (Poll::Ready(Taken::Closing(Disconnect::SLOW)), vec![]));
        assert_eq!(push(&outbox, "z", 100), Pushed::Dropped);
    }

    #[test]
    fn a_busy_connection_does_without_ephemeral_frames_first() {
        let outbox = Outbox::default();
        let big = Bytes::from(vec![b'x'; limits::QUEUE_BYTES_EPHEMERAL + 1]);
        outbox.push(big, false, 100, usize::MAX);
        assert_eq!(outbox.push(Bytes::from_static(b"t"), true, 100, usize::MAX), Pushed::Dropped);
        assert_eq!(outbox.push(Bytes::from_static(b"m"), false, 100, usize::MAX), Pushed::Queued);
    }

    #[test]
    fn an_end_that_cannot_be_delivered_is_given_up() {
        let outbox = Outbox::default();
        push(&outbox, "unread", 100);
        outbox.close(Disconnect::NO_PONG);
        assert_eq!(outbox.abandoned(), None, "first it is tried");
        outbox.abandon();
        assert_eq!(outbox.abandoned(), Some(Disconnect::NO_PONG));
        assert_eq!(take(&outbox, 100).1, Vec::<String>::new());
    }

    #[test]
    fn what_is_queued_is_sent_before_an_orderly_goodbye() {
        let outbox = Outbox::default();
        push(&outbox, "last", 100);
        outbox.close(Disconnect::SHUTDOWN);
        outbox.close(Disconnect::STALE);
        assert_eq!(take(&outbox, 100).1, ["last"]);
        assert_eq!(take(&outbox, 100).0, Poll::Ready(Taken::Closing(Disconnect::SHUTDOWN)));
    }
}
