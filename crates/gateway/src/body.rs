//! The request's body on its way in: bounded in size and in time.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// Why a body was cut off.
#[derive(Debug, thiserror::Error)]
pub enum BodyFault {
    /// It did not arrive in time.
    #[error("the body's deadline has passed")]
    Deadline,
    /// It is larger than the route takes.
    #[error("the body is larger than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// The connection broke.
    #[error(transparent)]
    Broken(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// A body with a limit and a deadline. The timer is made when the body is first waited for: a body that came along
/// with its head costs none.
#[derive(Debug)]
pub struct GuardedBody<B> {
    inner: B,
    max: usize,
    read: usize,
    deadline: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> GuardedBody<B> {
    /// Guards `inner`.
    pub fn new(inner: B, max: usize, deadline_ms: u64) -> Self {
        Self {
            inner,
            max,
            read: 0,
            deadline: Instant::now() + Duration::from_millis(deadline_ms),
            timer: None,
        }
    }
}

impl<B> Body for GuardedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.read = this.read.saturating_add(frame.data_ref().map_or(0, Bytes::len));
                let fault = (this.read > this.max).then_some(BodyFault::TooLarge { max: this.max });
                Poll::Ready(Some(fault.map_or(Ok(frame), Err)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyFault::Broken(error.into())))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let deadline = this.deadline;
                let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
                timer.as_mut().poll(cx).map(|()| Some(Err(BodyFault::Deadline)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full, StreamBody};

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_ends_at_its_deadline() {
        let stalled =
            StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
        let started = Instant::now();
        let result = GuardedBody::new(stalled, 10, 30_000).collect().await;
        assert!(matches!(result, Err(BodyFault::Deadline)));
        assert_eq!(started.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_cut_off() {
        let body =
            |text: &'static str| GuardedBody::new(Full::new(Bytes::from_static(text.as_bytes())), 4, 1_000);
        assert!(body("1234").collect().await.is_ok());
        assert!(matches!(body("12345").collect().await, Err(BodyFault::TooLarge { max: 4 })));
    }
}
