//! What a language model gives back, whatever its wire format.

use std::time::Duration;

/// Why generation ended, as the upstream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It was done.
    Stop,
    /// It ran into its token limit.
    Length,
    /// The upstream withheld the rest.
    Filter,
}

/// Tokens used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Tokens read from the upstream's cache, part of `input`.
    pub cached: u64,
    /// The upstream counted them; otherwise they are estimated from the text.
    pub reported: bool,
}

/// A step of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GenEvent {
    /// Text was added.
    Delta(String),
    /// The upstream reported usage.
    Usage(Usage),
    /// The upstream's own terminal marker arrived.
    Finished(FinishReason),
}

/// Which wait ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// For the connection.
    Connect,
    /// For the first byte.
    FirstByte,
    /// For the next piece.
    Idle,
    /// For the end.
    Total,
}

/// Why a generation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The upstream asks for patience (429).
    #[error("the provider limits our rate")]
    RateLimited {
        /// What it asked for.
        retry_after: Option<Duration>,
    },
    /// The upstream has too much to do (5xx).
    #[error("the provider is overloaded (status {status})")]
    Overloaded {
        /// Its status.
        status: u16,
    },
    /// The upstream refuses our credentials.
    #[error("the provider refuses our credentials (status {status})")]
    Auth {
        /// Its status.
        status: u16,
    },
    /// The upstream refuses the request.
    #[error("the provider refuses the request (status {status}): {message}")]
    BadRequest {
        /// Its status.
        status: u16,
        /// Its words, cut short; for the operator only.
        message: String,
    },
    /// The stream ended, or said that it failed, before its terminal marker.
    #[error("the provider's stream broke off: {0}")]
    Interrupted(String),
    /// A wait ran out.
    #[error("the provider took too long ({0:?})")]
    Timeout(Waiting),
    /// We cancelled it.
    #[error("cancelled")]
    Cancelled,
}

impl ProviderError {
    /// Whether asking again may help.
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Overloaded { .. }
                | Self::Interrupted(_)
                | Self::Timeout(Waiting::Connect)
        )
    }
}
