//! What a kind of job does.

use crate::model::{backoff::Backoff, job::Verdict};
use plinth_kernel::{AttemptId, JobId, Micros, Problem, TenantId, TraceContext};
use plinth_store::{Store, Tx};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The code that does one kind of job.
#[async_trait::async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind: `notify.send_email`.
    fn kind(&self) -> &'static str;

    /// The queue in which jobs of this kind are enqueued. A node works on the queues of its handlers.
    fn queue(&self) -> &'static str;

    /// The pause before a retry.
    fn backoff(&self) -> Backoff {
        Backoff::default()
    }

    /// Does the effect. An attempt is open on record when this is called; it ends with the outcome.
    ///
    /// An error means that the attempt failed on our side and is tried again. A handler that neither returns by
    /// `job.deadline` nor reacts to `job.cancelled` is dropped where it waits, and its outcome is unknown.
    async fn run(&self, job: JobContext) -> Result<Outcome, Problem>;
}

/// What a handler is given.
#[derive(Clone)]
pub struct JobContext {
    /// For reading what it needs, and for units of work of its own.
    pub store: Store,
    /// Whose job it is.
    pub tenant: TenantId,
    /// Which job it is. Stable over attempts: a good idempotency key for the other side.
    pub job_id: JobId,
    /// Which attempt it is.
    pub attempt_id: AttemptId,
    /// What it was enqueued with.
    pub payload: Value,
    /// Where its effect goes.
    pub destination: Option<String>,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// Whether this is the last attempt that may fail.
    pub last_attempt: bool,
    /// Earlier attempts of which nobody knows whether they had an effect.
    pub unknown_attempts: u32,
    /// The step that this attempt is: what it sends and enqueues belongs to it.
    pub trace: TraceContext,
    /// When it was due.
    pub run_at: Micros,
    /// When the handler is dropped.
    pub deadline: Micros,
    /// Fires when somebody cancels the job or the node shuts down: stop at the next safe point.
    pub cancelled: CancellationToken,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable name: `smtp_timeout`.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl Reason {
    /// A reason.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

/// Something that becomes true in the same transaction in which the outcome is recorded. It may be called more than
/// once, each time in a unit of work of which only the last is kept.
pub type Effect = Box<dyn FnMut(&mut Tx<'_>) -> Result<(), Problem> + Send>;

/// Whom a failed attempt speaks against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The destination did not do its part.
    Destination,
    /// The destination asked for patience.
    Throttled,
    /// Nobody, or ourselves.
    Nobody,
}

/// What an attempt came to.
pub struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) blame: Blame,
    pub(crate) reason: Option<Reason>,
    pub(crate) result: Value,
    pub(crate) effect: Option<Effect>,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outcome")
            .field("verdict", &self.verdict)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl Outcome {
    fn failed(verdict: Verdict, blame: Blame, reason: Reason) -> Self {
        Self { verdict, blame, reason: Some(reason), result: Value::Null, effect: None }
    }

    /// The effect happened. `result` is kept with the job.
    #[must_use]
    pub fn done(result: Value) -> Self {
        Self { verdict: Verdict::Done, blame: Blame::Nobody, reason: None, result, effect: None }
    }

    /// It did not happen for a reason of our own; try again.
    #[must_use]
    pub fn retry(reason: Reason) -> Self {
        Self::failed(Verdict::Retry { after_ms: None, throttled: false }, Blame::Nobody, reason)
    }

    /// The destination did not do its part (no connection, no answer, a 5xx): try again, and let its circuit breaker
    /// know.
    #[must_use]
    pub fn unavailable(reason: Reason) -> Self {
        Self::failed(Verdict::Retry { after_ms: None, throttled: false }, Blame::Destination, reason)
    }

    /// The destination asked for patience (a 429, a 421): nothing goes to it for so long, and no try is lost.
    #[must_use]
    pub fn throttled(after_ms: u64, reason: Reason) -> Self {
        Self::failed(Verdict::Retry { after_ms: Some(after_ms), throttled: true }, Blame::Throttled, reason)
    }

    /// It did not happen and never will: a dead letter.
    #[must_use]
    pub fn dead(reason: Reason) -> Self {
        Self::failed(Verdict::Dead, Blame::Nobody, reason)
    }

    /// Nobody can know whether it happened: everything was sent and no answer came. Whether it is tried again is the
    /// enqueuer's choice ([`NewJob::max_unknown_retries`](crate::NewJob)).
    #[must_use]
    pub fn unknown(reason: Reason) -> Self {
        Self::failed(Verdict::Unknown, Blame::Destination, reason)
    }

    /// The pause before the retry, instead of the back-off's.
    #[must_use]
    pub fn after_ms(mut self, ms: u64) -> Self {
        if let Verdict::Retry { after_ms, .. } = &mut self.verdict {
            *after_ms = Some(ms);
        }
        self
    }

    /// Something that becomes true in the transaction that records this outcome, and only if it is recorded: a worker
    /// whose lease was lost changes nothing.
    #[must_use]
    pub fn with(mut self, effect: impl FnMut(&mut Tx<'_>) -> Result<(), Problem> + Send + 'static) -> Self {
        self.effect = Some(Box::new(effect));
        self
    }
}
