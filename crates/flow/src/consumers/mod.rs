//! Durable consumers: what reacts to the log.
//!
//! Each consumer has a cursor in each partition, leased to one node at a time. Its effect on an event runs in the
//! transaction that moves the cursor, so it happens exactly once; an effect outside the database is a job that the
//! consumer enqueues. The cursor's epoch fences a node that was paused: its late transaction is undone.

mod parked;
pub(crate) mod runner;
pub(crate) mod table;

pub use parked::{ParkedEvent, ParkedFilter, ParkedState, list_parked, replay_parked};

use crate::limits;
use plinth_kernel::{Event, Problem};
use plinth_store::Tx;

/// Where a consumer begins that has not run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// With the oldest event that is still kept.
    Oldest,
    /// With the next event.
    Next,
}

/// What happens to the later events of a key whose event was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterEvents {
    /// They wait behind it, in order: where order carries meaning.
    Hold,
    /// They pass it: where each event stands for itself.
    Pass,
}

/// What to do with an event that cannot be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoisonPolicy {
    /// Tries before it is parked. The partition waits between them.
    pub max_tries: u32,
    /// What happens to the key's later events.
    pub later: LaterEvents,
}

impl Default for PoisonPolicy {
    fn default() -> Self {
        Self { max_tries: limits::EVENT_TRIES_MAX, later: LaterEvents::Hold }
    }
}

/// A part of the product that reacts to events.
pub trait Consumer: Send + Sync + 'static {
    /// Its name, which is the key of its cursors: it never changes. `notify.workflows`.
    fn name(&self) -> &'static str;

    /// Which events it wants: exact kinds (`forms.submission.completed`), or all below a prefix (`forms.*`, `*`).
    /// Other events are passed over without a transaction.
    fn kinds(&self) -> &'static [&'static str];

    /// Where it begins.
    fn start(&self) -> StartAt {
        StartAt::Oldest
    }

    /// What to do with an event that cannot be handled.
    fn poison(&self) -> PoisonPolicy {
        PoisonPolicy::default()
    }

    /// Makes the event's effect true, in the transaction that records that the event was handled.
    ///
    /// `event.trace` is the step of this handling: what is enqueued or emitted with it belongs to this step. The
    /// function may be called more than once for an event; only one call's transaction is kept. An error or a panic
    /// undoes this event's part alone.
    fn handle(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), Problem>;
}

/// Whether a consumer with these patterns wants this kind.
pub(crate) fn wants(patterns: &[&str], kind: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => *pattern == kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_exact_or_prefixes() {
        assert!(wants(&["forms.submission.completed"], "forms.submission.completed"));
        assert!(!wants(&["forms.submission"], "forms.submission.completed"));
        assert!(wants(&["notify.x", "forms.*"], "forms.submission.completed"));
        assert!(!wants(&["forms.*"], "formsubmission.completed"));
        assert!(wants(&["*"], "anything.at.all"));
        assert!(!wants(&[], "anything.at.all"));
    }
}
