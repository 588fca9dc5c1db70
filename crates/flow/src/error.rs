//! What can go wrong when something is asked of flow.

use plinth_kernel::{Code, FieldError, Problem};

/// An error of flow's own functions.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The store's.
    #[error(transparent)]
    Store(#[from] plinth_store::Error),
    /// What was asked for breaks a limit or a rule; the caller can mend it.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// Which field, as a JSON Pointer.
        pointer: &'static str,
        /// Stable name of the fault.
        code: &'static str,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// There is no such thing in this tenant.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Its state does not allow this.
    #[error("{0}")]
    State(String),
    /// So many jobs wait behind one ordering key that another is refused.
    #[error("too many jobs wait behind the ordering key {0:?}")]
    LaneFull(String),
}

/// A result of flow.
pub type Result<T, E = FlowError> = std::result::Result<T, E>;

impl FlowError {
    pub(crate) fn invalid(pointer: &'static str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid { pointer, code, detail: detail.into() }
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Store(error) => error.into(),
            FlowError::Invalid { pointer, code, detail } => {
                Problem::validation(vec![FieldError::pointer(pointer, code, detail)])
            }
            FlowError::NotFound(what) => Problem::not_found(what),
            FlowError::State(detail) => Problem::new(Code::StateConflict, detail),
            FlowError::LaneFull(_) => Problem::new(
                Code::Overloaded,
                "Too many jobs wait for their turn behind the same ordering key.",
            ),
        }
    }
}

/// Cuts a text for storage, at a character's boundary.
pub(crate) fn cut(text: &str, len_max: usize) -> &str {
    let end = (0..=len_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// The text of an error as it is kept: cut, and without the one character that cannot be stored.
pub(crate) fn kept(text: &str) -> String {
    cut(text, crate::limits::ERROR_LEN_MAX).replace('\0', "\u{fffd}")
}
