//! The life of a job and of its attempts.
//!
//! ```text
//!              ┌─────────┐ head of its lane ┌───────┐  claim   ┌─────────┐ ok   ┌──────┐
//!  enqueue ──▶ │ blocked │ ───────────────▶ │ ready │ ───────▶ │ running │ ───▶ │ done │
//!     │        └─────────┘                  └───────┘          └─────────┘      └──────┘
//!     │        ┌───────────┐   run_at           ▲   run_at  ┌──────────┐│ failed, tries left
//!     └──────▶ │ scheduled │ ───────────────────┴────────── │ retrying │◀
//!              └───────────┘                                └──────────┘│ failed for good
//!                                                                       ▼
//!        cancel, from any state that is not terminal ─▶ cancelled     dead ─▶ (replay) ready
//! ```

use crate::{limits, model::backoff::Backoff};
use plinth_kernel::{Micros, World};
use std::{fmt, str::FromStr};

/// A stored word that this version of the program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

/// Declares an enum whose variants are words in a table and in JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word in tables and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $word,)+ } }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord) }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where a job is in its life.
    JobState {
        /// Waits for the jobs before it with the same ordering key.
        Blocked = "blocked",
        /// Waits for its `run_at`.
        Scheduled = "scheduled",
        /// May be claimed.
        Ready = "ready",
        /// Leased to a node, which has an attempt open.
        Running = "running",
        /// Waits for the next try.
        Retrying = "retrying",
        /// Its effect happened and is recorded. Terminal.
        Done = "done",
        /// Failed for good: a dead letter, which a person may replay. Terminal.
        Dead = "dead",
        /// Called off before its effect. Terminal.
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// Whether nothing happens any more unless a person asks.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }
}

words! {
    /// How an attempt ended. An attempt without an outcome is open.
    AttemptOutcome {
        /// The effect happened.
        Done = "done",
        /// It did not happen; a later try may work.
        Retry = "retry",
        /// It did not happen and never will.
        Dead = "dead",
        /// It was called off.
        Cancelled = "cancelled",
        /// Nobody knows: the process died or the time ran out while the attempt was open.
        Unknown = "unknown",
    }
}

words! {
    /// How urgent a job is. Classes share a queue's slots 8 : 4 : 1 while all of them have work.
    JobClass {
        /// Somebody is waiting for it.
        Urgent = "urgent",
        /// The usual.
        Normal = "normal",
        /// Campaigns, exports, clean-up.
        Bulk = "bulk",
    }
}

impl JobClass {
    /// Its number in the table, in the order of urgency.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The class of a stored number.
    pub fn from_number(number: i64) -> Result<Self, UnknownWord> {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at)).copied().ok_or(UnknownWord)
    }

    /// Its share of a contended queue.
    #[must_use]
    pub const fn weight(self) -> i64 {
        match self {
            Self::Urgent => 8,
            Self::Normal => 4,
            Self::Bulk => 1,
        }
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The effect happened.
    Done,
    /// It did not; try again, after this time if one is known.
    Retry {
        /// The provider's or handler's own idea of the pause.
        after_ms: Option<u64>,
        /// The destination asked for patience: that costs no try.
        throttled: bool,
    },
    /// It did not, and trying again is pointless.
    Dead,
    /// The process died or the time ran out.
    Unknown,
}

/// What the decision about the next step depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Attempts made in the whole life, this one included. Also the fence.
    pub attempt: u32,
    /// Tries since the job was enqueued or last replayed, this one included.
    pub tries: u32,
    /// Tries after which it is dead.
    pub tries_max: u32,
    /// Unknown outcomes so far, this one not included.
    pub unknowns: u32,
    /// Unknown outcomes that are followed by another try.
    pub unknowns_max: u32,
    /// Whether somebody asked to cancel it meanwhile.
    pub cancel_requested: bool,
    /// When its effect is no longer wanted.
    pub expires_at: Option<Micros>,
}

words! {
    /// Why a job that could have been tried again is dead.
    Exhausted {
        /// All tries are used up.
        Tries = "tries_exhausted",
        /// The outcome is unknown and the enqueuer prefers no effect to a second one.
        UnknownOutcome = "unknown_outcome",
        /// The next try would come after `expires_at`.
        Expired = "expired",
    }
}

/// What becomes of a job after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The job's next state.
    pub state: JobState,
    /// When a retry is due; `now` otherwise.
    pub run_at: Micros,
    /// The attempt's outcome.
    pub outcome: AttemptOutcome,
    /// Tries to store: a throttled one does not count.
    pub tries: u32,
    /// Why there is no retry although the verdict asked for one.
    pub exhausted: Option<Exhausted>,
}

/// Decides what becomes of a job whose attempt came to `verdict`.
///
/// An effect that happened is recorded as done even if somebody asked to cancel it meanwhile: the record
/// says what is, not what was wished for.
#[must_use]
pub fn settle(
    progress: &Progress,
    verdict: Verdict,
    now: Micros,
    backoff: &Backoff,
    world: &World,
) -> Settlement {
    let end = |state, outcome, exhausted| Settlement {
        state,
        run_at: now,
        outcome,
        tries: progress.tries,
        exhausted,
    };
    let (outcome, after_ms, throttled) = match verdict {
        Verdict::Done => return end(JobState::Done, AttemptOutcome::Done, None),
        Verdict::Dead if progress.cancel_requested => {
            return end(JobState::Cancelled, AttemptOutcome::Cancelled, None);
        }
        Verdict::Dead => return end(JobState::Dead, AttemptOutcome::Dead, None),
        Verdict::Retry { after_ms, throttled } => (AttemptOutcome::Retry, after_ms, throttled),
        Verdict::Unknown => (AttemptOutcome::Unknown, None, false),
    };
    if progress.cancel_requested {
        let outcome = if outcome == AttemptOutcome::Unknown { outcome } else { AttemptOutcome::Cancelled };
        return end(JobState::Cancelled, outcome, None);
    }
    if outcome == AttemptOutcome::Unknown && progress.unknowns >= progress.unknowns_max {
        return end(JobState::Dead, outcome, Some(Exhausted::UnknownOutcome));
    }
    let tries = if throttled { progress.tries.saturating_sub(1) } else { progress.tries };
    if tries >= progress.tries_max || progress.attempt >= limits::JOB_ATTEMPTS_MAX {
        return end(JobState::Dead, outcome, Some(Exhausted::Tries));
    }
    let delay_ms = match after_ms {
        Some(asked) => asked.min(limits::JOB_RETRY_AFTER_MS_MAX),
        None => backoff.delay_ms(progress.tries, world),
    };
    let run_at = now.plus_ms(delay_ms as i64);
    if progress.expires_at.is_some_and(|at| at <= run_at) {
        return end(JobState::Dead, outcome, Some(Exhausted::Expired));
    }
    Settlement { state: JobState::Retrying, run_at, outcome, tries, exhausted: None }
}

/// The state in which a job waits that nothing but time holds back.
#[must_use]
pub fn waiting_state(run_at: Micros, now: Micros) -> JobState {
    if run_at <= now { JobState::Ready } else { JobState::Scheduled }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn progress() -> Progress {
        Progress {
            attempt: 1,
            tries: 1,
            tries_max: 3,
            unknowns: 0,
            unknowns_max: 3,
            cancel_requested: false,
            expires_at: None,
        }
    }

    const RETRY: Verdict = Verdict::Retry { after_ms: None, throttled: false };

    fn decide(progress: &Progress, verdict: Verdict) -> Settlement {
        let (world, _) = World::manual(5);
        settle(progress, verdict, world.now(), &Backoff::default(), &world)
    }

    #[test]
    fn words_round_trip() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        for class in JobClass::ALL {
            assert_eq!(JobClass::from_number(class.number()), Ok(*class));
        }
        assert!(JobClass::from_number(-1).is_err() && JobClass::from_number(3).is_err());
    }

    #[test]
    fn the_last_try_makes_a_dead_letter() {
        let mut p = progress();
        assert_eq!(decide(&p, RETRY).state, JobState::Retrying);
        p.tries = 3;
        let last = decide(&p, RETRY);
        assert_eq!((last.state, last.exhausted), (JobState::Dead, Some(Exhausted::Tries)));
        assert_eq!(last.outcome, AttemptOutcome::Retry);
    }

    #[test]
    fn a_throttled_attempt_costs_no_try() {
        let mut p = progress();
        p.tries = 3;
        let s = decide(&p, Verdict::Retry { after_ms: Some(7_000), throttled: true });
        assert_eq!((s.state, s.tries), (JobState::Retrying, 2));
        let (world, _) = World::manual(5);
        assert_eq!(s.run_at, world.now().plus_ms(7_000));
    }

    #[test]
    fn an_unknown_outcome_is_tried_again_only_as_often_as_allowed() {
        let mut p = progress();
        p.unknowns_max = 1;
        assert_eq!(decide(&p, Verdict::Unknown).state, JobState::Retrying);
        p.unknowns = 1;
        let s = decide(&p, Verdict::Unknown);
        assert_eq!((s.state, s.exhausted), (JobState::Dead, Some(Exhausted::UnknownOutcome)));
        assert_eq!(s.outcome, AttemptOutcome::Unknown);
    }

    #[test]
    fn what_happened_is_done_even_when_cancelled_meanwhile() {
        let mut p = progress();
        p.cancel_requested = true;
        assert_eq!(decide(&p, Verdict::Done).state, JobState::Done);
        assert_eq!(decide(&p, RETRY).state, JobState::Cancelled);
        let unknown = decide(&p, Verdict::Unknown);
        assert_eq!((unknown.state, unknown.outcome), (JobState::Cancelled, AttemptOutcome::Unknown));
    }

    #[test]
    fn nothing_is_tried_after_it_has_expired() {
        let (world, _) = World::manual(5);
        let mut p = progress();
        p.expires_at = Some(world.now().plus_ms(1_000));
        let s = decide(&p, Verdict::Retry { after_ms: Some(1_000), throttled: false });
        assert_eq!((s.state, s.exhausted), (JobState::Dead, Some(Exhausted::Expired)));
        let s = decide(&p, Verdict::Retry { after_ms: Some(999), throttled: false });
        assert_eq!(s.state, JobState::Retrying);
    }

    fn verdicts() -> impl Strategy<Value = Verdict> {
        prop_oneof![
            Just(Verdict::Dead),
            Just(Verdict::Unknown),
            (proptest::option::of(0u64..u64::MAX), any::<bool>())
                .prop_map(|(after_ms, throttled)| Verdict::Retry { after_ms, throttled }),
        ]
    }

    proptest! {
        /// Whatever the attempts come to, a job that never succeeds ends in a terminal state, after no more
        /// than its tries and never later than its expiry.
        #[test]
        fn every_life_ends(seed: u64, tries_max in 1u32..20, unknowns_max in 0u32..20,
                           verdicts in proptest::collection::vec(verdicts(), 1..60)) {
            let (world, clock) = World::manual(seed);
            let mut p = Progress { tries_max, unknowns_max, attempt: 0, tries: 0, ..progress() };
            let mut counted = 0;
            for verdict in verdicts.into_iter().cycle().take(3_000) {
                p.attempt += 1;
                p.tries += 1;
                let s = settle(&p, verdict, world.now(), &Backoff::default(), &world);
                if !matches!(verdict, Verdict::Retry { throttled: true, .. }) { counted += 1; }
                if s.state.is_terminal() {
                    prop_assert!(counted <= tries_max);
                    prop_assert!(p.attempt <= limits::JOB_ATTEMPTS_MAX);
                    return Ok(());
                }
                prop_assert_eq!(s.state, JobState::Retrying);
                prop_assert!(s.run_at >= world.now());
                if verdict == Verdict::Unknown { p.unknowns += 1; }
                p.tries = s.tries;
                clock.set(s.run_at);
            }
            prop_assert!(false, "still alive after 3000 attempts");
        }
    }
}
