//! The generic cell rate algorithm (ITU-T I.371), as a leaky bucket in one integer.
//!
//! A cell holds the *theoretical arrival time*: the instant at which the bucket would be full again. A request of
//! cost `c` moves it on by `c` emission intervals and is refused when that would put it further than one window ahead.
//! So a full bucket and a cell that was never used are the same thing, which lets cells be forgotten without loss.
//!
//! A cell is a bare [`AtomicU64`] in nanoseconds, because most of them live beside the credential they limit
//! ([`plinth_identity`]'s `RateCells`): authenticating and limiting are one lookup.

use plinth_kernel::Micros;
use std::sync::atomic::{AtomicU64, Ordering};

/// A rate: a bucket of `quota` units that refills evenly within `window_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    /// Units in a full bucket.
    pub quota: u32,
    /// Milliseconds from empty to full.
    pub window_ms: u32,
}

impl Rate {
    /// `quota` units per `seconds`.
    #[must_use]
    pub const fn per_seconds(quota: u32, seconds: u32) -> Self {
        Self { quota, window_ms: seconds * 1_000 }
    }

    fn window_ns(self) -> u64 {
        u64::from(self.window_ms.max(1)) * 1_000_000
    }

    /// Nanoseconds that `cost` units take to refill; never more than the window, so that a dear request can be made
    /// with a full bucket.
    fn interval_ns(self, cost: u32) -> u64 {
        let quota = u64::from(self.quota.max(1));
        let cost = u64::from(cost).min(quota);
        match cost.checked_mul(self.window_ns()) {
            Some(product) => product / quota,
            // A quota of billions: the rounding of dividing first is far below a nanosecond per unit.
            None => self.window_ns() / quota * cost,
        }
    }
}

/// What a cell says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may go on.
    pub allowed: bool,
    /// Units left.
    pub remaining: u32,
    /// Milliseconds until the bucket is full.
    pub reset_ms: u64,
    /// Milliseconds until the same request would be allowed; 0 when it is.
    pub retry_ms: u64,
}

/// Takes `cost` units from the bucket if they are there.
pub fn take(cell: &AtomicU64, rate: Rate, cost: u32, now: Micros) -> Verdict {
    let (now, window, interval) = (nanoseconds(now), rate.window_ns(), rate.interval_ns(cost));
    let mut stored = cell.load(Ordering::Relaxed);
    loop {
        // Ahead by more than a window means that the clock went back: forgive all but one window of it.
        let arrival = stored.clamp(now, now + window);
        let next = arrival + interval;
        if next - now > window {
            if stored > arrival {
                // Remembered, or every refusal would start the wait anew. Losing this race is as good as winning it.
                let _ = cell.compare_exchange(stored, arrival, Ordering::Relaxed, Ordering::Relaxed);
            }
            return verdict(rate, arrival - now, Some(next - now - window));
        }
        match cell.compare_exchange_weak(stored, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return verdict(rate, next - now, None),
            Err(changed) => stored = changed,
        }
    }
}

/// Looks into the bucket without taking.
pub fn peek(cell: &AtomicU64, rate: Rate, now: Micros) -> Verdict {
    let now = nanoseconds(now);
    let level = cell.load(Ordering::Relaxed).clamp(now, now + rate.window_ns()) - now;
    let short = (level + rate.interval_ns(1)).saturating_sub(rate.window_ns());
    verdict(rate, level, (short > 0).then_some(short))
}

/// Gives `cost` units back: another policy refused the request that they were taken for.
pub fn refund(cell: &AtomicU64, rate: Rate, cost: u32) {
    cell.fetch_sub(rate.interval_ns(cost), Ordering::Relaxed);
}

/// Whether the bucket is full, so that forgetting the cell changes nothing.
pub fn is_idle(cell: &AtomicU64, now: Micros) -> bool {
    cell.load(Ordering::Relaxed) <= nanoseconds(now)
}

fn nanoseconds(now: Micros) -> u64 {
    // Half of the range leaves room for every window that fits into `Rate`.
    u64::try_from(now.0).unwrap_or(0).saturating_mul(1_000).min(u64::MAX / 2)
}

fn verdict(rate: Rate, level_ns: u64, short_ns: Option<u64>) -> Verdict {
    let remaining = (rate.window_ns() - level_ns) / rate.interval_ns(1).max(1);
    Verdict {
        allowed: short_ns.is_none(),
        remaining: u32::try_from(remaining).unwrap_or(u32::MAX).min(rate.quota),
        reset_ms: milliseconds_up(level_ns),
        retry_ms: short_ns.map_or(0, milliseconds_up),
    }
}

fn milliseconds_up(ns: u64) -> u64 {
    ns.div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Micros = Micros(1_767_225_600_000_000);

    #[test]
    fn a_full_bucket_is_spent_and_refills_evenly() {
        let (cell, rate) = (AtomicU64::default(), Rate::per_seconds(10, 1));
        for left in (0..10).rev() {
            let verdict = take(&cell, rate, 1, NOW);
            assert!(verdict.allowed);
            assert_eq!(verdict.remaining, left);
        }
        let refused = take(&cell, rate, 1, NOW);
        assert_eq!((refused.allowed, refused.retry_ms, refused.reset_ms), (false, 100, 1_000));
        assert!(!take(&cell, rate, 1, NOW.plus_ms(99)).allowed);
        assert!(take(&cell, rate, 1, NOW.plus_ms(100)).allowed);
    }

    #[test]
    fn a_refund_is_as_if_nothing_was_taken() {
        let (cell, rate) = (AtomicU64::default(), Rate::per_seconds(5, 1));
        take(&cell, rate, 3, NOW);
        let before = peek(&cell, rate, NOW);
        assert!(take(&cell, rate, 2, NOW).allowed);
        refund(&cell, rate, 2);
        assert_eq!(peek(&cell, rate, NOW), before);
    }

    #[test]
    fn a_clock_that_goes_back_costs_one_window_at_most() {
        let (cell, rate) = (AtomicU64::default(), Rate::per_seconds(10, 1));
        for _ in 0..10 {
            take(&cell, rate, 1, NOW);
        }
        let hour_ago = NOW.plus_ms(-3_600_000);
        assert!(take(&cell, rate, 1, hour_ago).retry_ms <= 1_000);
        assert!(take(&cell, rate, 1, hour_ago.plus_ms(1_000)).allowed);
    }

    #[test]
    fn a_request_dearer_than_the_quota_passes_with_a_full_bucket_only() {
        let (cell, rate) = (AtomicU64::default(), Rate::per_seconds(5, 1));
        assert!(take(&cell, rate, 50, NOW).allowed);
        assert!(!take(&cell, rate, 1, NOW).allowed);
        assert!(take(&cell, rate, 50, NOW.plus_ms(1_000)).allowed);
    }

    proptest! {
        /// Over any run, what was let through fits into one full bucket plus what refilled meanwhile.
        #[test]
        fn nobody_gets_more_than_bucket_plus_refill(
            quota in 1_u32..200, window_ms in 1_u32..5_000, steps in proptest::collection::vec((0_i64..2_000, 1_u32..5), 1..300),
        ) {
            let (cell, rate) = (AtomicU64::default(), Rate { quota, window_ms });
            let (mut now, mut taken) = (NOW, 0_u64);
            for (pause_ms, cost) in steps {
                now = now.plus_ms(pause_ms);
                if take(&cell, rate, cost, now).allowed {
                    taken += u64::from(cost.min(quota));
                }
                let elapsed_ms = now.since(NOW) as f64 / 1_000.0;
                let most = f64::from(quota) * (1.0 + elapsed_ms / f64::from(window_ms));
                prop_assert!(taken as f64 <= most + 1.0, "{taken} of {most}");
            }
        }

        /// Waiting as long as the refusal says is always enough.
        #[test]
        fn retry_after_is_honest(quota in 1_u32..100, window_ms in 1_u32..60_000, cost in 1_u32..120, before in 0_u32..200) {
            let (cell, rate) = (AtomicU64::default(), Rate { quota, window_ms });
            for _ in 0..before {
                take(&cell, rate, 1, NOW);
            }
            let verdict = take(&cell, rate, cost, NOW);
            if !verdict.allowed {
                prop_assert!(take(&cell, rate, cost, NOW.plus_ms(verdict.retry_ms as i64)).allowed);
            }
        }

        #[test]
        fn no_clock_and_no_rate_panics(at: i64, later: i64, quota: u32, window_ms: u32, cost: u32) {
            let (cell, rate) = (AtomicU64::default(), Rate { quota, window_ms });
            let _ = take(&cell, rate, cost, Micros(at));
            let _ = peek(&cell, rate, Micros(later));
            let _ = take(&cell, rate, cost, Micros(later));
        }
    }
}
