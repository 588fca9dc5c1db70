//! How long somebody who guesses has to wait: the arithmetic alone.
//!
//! Sketch: an account may fail ten times for free, then waits 1, 2, 4 … up to 60 s per guess, which leaves an
//! attacker about 1 440 guesses a day and the owner a minute's wait at worst. A block of addresses may fail twenty
//! times for free, then waits up to 15 min per guess, whichever accounts it tries.

use plinth_kernel::Micros;

use crate::limits::{HOUR_MS, MINUTE_MS, SECOND_MS};

/// How fast waiting grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Failures that cost nothing.
    pub free: u32,
    /// The first wait; it doubles with each further failure.
    pub base_ms: u64,
    /// The longest wait.
    pub cap_ms: u64,
    /// Failures are forgotten after this long without another one.
    pub forget_ms: u64,
}

/// Per account.
pub const ACCOUNT: Policy = Policy { free: 10, base_ms: SECOND_MS, cap_ms: MINUTE_MS, forget_ms: HOUR_MS };
/// Per block of addresses.
pub const ADDRESS: Policy =
    Policy { free: 20, base_ms: SECOND_MS, cap_ms: 15 * MINUTE_MS, forget_ms: 2 * HOUR_MS };

/// What is remembered of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meter {
    failures: u32,
    last: Micros,
}

impl Meter {
    /// Milliseconds until the next attempt is allowed; 0 when it is allowed now.
    pub fn wait_ms(&self, policy: &Policy, now: Micros) -> u64 {
        let Some(excess) = self.failures.checked_sub(policy.free).filter(|excess| *excess > 0) else {
            return 0;
        };
        // A clock that went back must not lengthen the wait: at most one full pause from now.
        let elapsed_ms = u64::try_from(now.since(self.last) / 1_000).unwrap_or(0);
        if elapsed_ms >= policy.forget_ms {
            return 0;
        }
        let doublings = (excess - 1).min(32);
        let pause_ms = policy.base_ms.saturating_mul(1 << doublings).min(policy.cap_ms);
        pause_ms.saturating_sub(elapsed_ms)
    }

    /// Counts an attempt as failed.
    pub fn fail(&mut self, policy: &Policy, now: Micros) {
        if u64::try_from(now.since(self.last) / 1_000).unwrap_or(0) >= policy.forget_ms {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = now;
    }

    /// Takes one failure back: the attempt it was counted for turned out well.
    pub fn forgive(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Micros = Micros(1_767_225_600_000_000);

    #[test]
    fn waiting_doubles_after_the_free_failures_up_to_the_cap() {
        let mut meter = Meter::default();
        let mut waits = Vec::new();
        for _ in 0..20 {
            meter.fail(&ACCOUNT, NOW);
            waits.push(meter.wait_ms(&ACCOUNT, NOW) / SECOND_MS);
        }
        assert_eq!(&waits[..10], &[0; 10]);
        assert_eq!(&waits[10..], &[1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(meter.wait_ms(&ACCOUNT, NOW.plus_ms(59_000)), 1_000);
        assert_eq!(meter.wait_ms(&ACCOUNT, NOW.plus_ms(60_000)), 0);
    }

    #[test]
    fn failures_are_forgotten_and_forgiven() {
        let mut meter = Meter::default();
        for _ in 0..15 {
            meter.fail(&ACCOUNT, NOW);
        }
        let later = NOW.plus_ms(HOUR_MS as i64);
        assert_eq!(meter.wait_ms(&ACCOUNT, later), 0);
        meter.fail(&ACCOUNT, later);
        assert_eq!(meter.wait_ms(&ACCOUNT, later), 0, "one failure after an hour is a first one");
        let before = meter;
        meter.fail(&ACCOUNT, later);
        meter.forgive();
        assert_eq!(meter, before);
    }

    proptest! {
        #[test]
        fn a_wait_is_bounded_whatever_the_clock_does(steps in proptest::collection::vec(-10_000_000_i64..10_000_000, 0..200)) {
            let mut meter = Meter::default();
            let mut now = NOW;
            for step in steps {
                now = now.plus_ms(step);
                meter.fail(&ADDRESS, now);
                prop_assert!(meter.wait_ms(&ADDRESS, now) <= ADDRESS.cap_ms);
                prop_assert!(meter.wait_ms(&ADDRESS, Micros(i64::MIN)) <= ADDRESS.cap_ms);
                prop_assert_eq!(meter.wait_ms(&ADDRESS, Micros(i64::MAX)), 0);
            }
        }
    }
}
