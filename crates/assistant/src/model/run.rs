//! The life of a run: one question on its way to an answer.
//!
//! ```text
//! admitted ─► generating ─► done | refused | stopped | failed | expired
//!     └──────────────────────►┘ (an extractive answer is complete when it is admitted)
//! ```

/// State of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Accepted; the budget is reserved.
    Admitted,
    /// A model is writing.
    Generating,
    /// Answered.
    Done,
    /// The content does not hold the answer.
    Refused,
    /// Stopped by the reader; the partial answer is kept.
    Stopped,
    /// It broke off; the partial answer is kept.
    Failed,
    /// Nobody was there to read it any more.
    Expired,
}

/// A name that is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown run state")]
pub struct UnknownState;

impl RunState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Admitted,
        Self::Generating,
        Self::Done,
        Self::Refused,
        Self::Stopped,
        Self::Failed,
        Self::Expired,
    ];

    /// Name in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Generating => "generating",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or(UnknownState)
    }

    /// Whether it stays as it is.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Admitted | Self::Generating)
    }

    /// Whether it may become `next`.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Admitted => next != Self::Admitted,
            Self::Generating => next.is_terminal(),
            _ => false,
        }
    }

    /// The event that announces it.
    pub fn event(self) -> &'static str {
        match self {
            Self::Admitted => "assistant.run.admitted",
            Self::Generating => "assistant.run.generating",
            Self::Done => "assistant.run.completed",
            Self::Refused => "assistant.run.refused",
            Self::Stopped => "assistant.run.stopped",
            Self::Failed => "assistant.run.failed",
            Self::Expired => "assistant.run.expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_run_ends_once(steps in prop::collection::vec(0usize..7, 0..20)) {
            let (mut state, mut ended) = (RunState::Admitted, 0);
            for step in steps {
                let next = RunState::ALL[step];
                if state.may_become(next) {
                    ended += usize::from(next.is_terminal());
                    state = next;
                }
                prop_assert!(ended <= 1);
                prop_assert_eq!(ended == 1, state.is_terminal());
            }
        }
    }

    #[test]
    fn names_go_there_and_back() {
        assert!(RunState::ALL.iter().all(|state| RunState::parse(state.as_str()) == Ok(*state)));
        assert_eq!(RunState::parse("dead"), Err(UnknownState));
    }
}
