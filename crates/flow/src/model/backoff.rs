//! How long to wait before the next try.

use crate::limits;
use plinth_kernel::World;
use std::borrow::Cow;

/// The pause before a retry, as a kind of job declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backoff {
    /// A random pause between nothing and `min(cap, base · 2^(try − 1))`. Full jitter spreads a crowd that
    /// failed together better than any fixed share of it does.
    FullJitter {
        /// Upper end of the first pause.
        base_ms: u64,
        /// Upper end of every later one.
        cap_ms: u64,
    },
    /// A published timetable, such as a webhook's; the last step repeats.
    Steps {
        /// The pauses, in order.
        steps_ms: Cow<'static, [u64]>,
        /// Each pause is moved at random by at most so many percent of itself, both ways.
        jitter_percent: u8,
    },
}

impl Default for Backoff {
    fn default() -> Self {
        Self::FullJitter { base_ms: limits::JOB_BACKOFF_BASE_MS, cap_ms: limits::JOB_BACKOFF_CAP_MS }
    }
}

impl Backoff {
    /// The pause after try number `tries` (from 1) has failed.
    #[must_use]
    pub fn delay_ms(&self, tries: u32, world: &World) -> u64 {
        match self {
            Self::FullJitter { base_ms, cap_ms } => {
                world.below(ceiling(*base_ms, *cap_ms, tries).saturating_add(1))
            }
            Self::Steps { steps_ms, jitter_percent } => {
                let at = (tries.max(1) as usize - 1).min(steps_ms.len().saturating_sub(1));
                let step = steps_ms.get(at).copied().unwrap_or(0);
                let width = step / 100 * u64::from((*jitter_percent).min(100));
                step - width + world.below(2 * width + 1)
            }
        }
        .min(limits::JOB_RETRY_AFTER_MS_MAX)
    }
}

/// `min(cap, base · 2^(tries − 1))` without overflow.
fn ceiling(base_ms: u64, cap_ms: u64, tries: u32) -> u64 {
    let factor = 1u64.checked_shl(tries.saturating_sub(1)).unwrap_or(u64::MAX);
    base_ms.saturating_mul(factor).min(cap_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_and_stops_at_the_cap() {
        let seen: Vec<u64> = (1..=6).map(|n| ceiling(1_000, 10_000, n)).collect();
        assert_eq!(seen, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(ceiling(1_000, u64::MAX, 200), u64::MAX);
    }

    #[test]
    fn full_jitter_uses_the_whole_width() {
        let (world, _) = World::manual(11);
        let backoff = Backoff::FullJitter { base_ms: 1_000, cap_ms: 60_000 };
        let delays: Vec<u64> = (0..1_000).map(|_| backoff.delay_ms(4, &world)).collect();
        assert!(delays.iter().all(|d| *d <= 8_000));
        assert!(delays.iter().any(|d| *d < 800) && delays.iter().any(|d| *d > 7_200));
        let mean = delays.iter().sum::<u64>() / 1_000;
        assert!((3_600..4_400).contains(&mean), "{mean}");
    }

    #[test]
    fn a_timetable_repeats_its_last_step() {
        let (world, _) = World::manual(1);
        let steps = Backoff::Steps { steps_ms: Cow::Borrowed(&[5_000, 300_000]), jitter_percent: 0 };
        let seen: Vec<u64> = (1..=4).map(|n| steps.delay_ms(n, &world)).collect();
        assert_eq!(seen, [5_000, 300_000, 300_000, 300_000]);
        let empty = Backoff::Steps { steps_ms: Cow::Borrowed(&[]), jitter_percent: 20 };
        assert_eq!(empty.delay_ms(1, &world), 0);
    }

    proptest! {
        #[test]
        fn every_delay_is_bounded(seed: u64, base: u64, cap: u64, tries: u32, step: u64, jitter: u8) {
            let (world, _) = World::manual(seed);
            let full = Backoff::FullJitter { base_ms: base, cap_ms: cap };
            prop_assert!(full.delay_ms(tries, &world) <= cap.min(limits::JOB_RETRY_AFTER_MS_MAX));
            let steps = Backoff::Steps { steps_ms: Cow::Owned(vec![step % (1 << 50)]), jitter_percent: jitter };
            prop_assert!(steps.delay_ms(tries, &world) <= limits::JOB_RETRY_AFTER_MS_MAX);
        }
    }
}
