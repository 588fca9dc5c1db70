//! A hashed timer wheel: one timer for all connections instead of several for each.
//!
//! Setting and firing a deadline is O(1). A deadline beyond the horizon fires there, early; whoever set it looks at
//! its own clock and sets it again.

/// Deadlines of values of type `T`, in ticks.
pub(crate) struct Wheel<T> {
    slots: Box<[Vec<(u64, T)>]>,
    tick: u64,
}

impl<T> Wheel<T> {
    /// An empty wheel at tick 0.
    pub(crate) fn new(slots: usize) -> Self {
        Self { slots: (0..slots).map(|_| Vec::new()).collect(), tick: 0 }
    }

    /// Sets a deadline and returns the tick at which it will fire, which is never one already past.
    pub(crate) fn set(&mut self, tick: u64, value: T) -> u64 {
        let horizon = self.tick + self.slots.len() as u64 - 1;
        let due = tick.clamp(self.tick + 1, horizon);
        let slot = (due % self.slots.len() as u64) as usize;
        self.slots[slot].push((due, value));
        due
    }

    /// Moves to `tick` and collects everything due on the way.
    pub(crate) fn advance(&mut self, tick: u64, due: &mut Vec<(u64, T)>) {
        let turns = tick.saturating_sub(self.tick).min(self.slots.len() as u64);
        for step in 1..=turns {
            let slot = ((self.tick + step) % self.slots.len() as u64) as usize;
            // Taken, not drained: a storm of connections must not leave its capacity behind.
            due.append(&mut std::mem::take(&mut self.slots[slot]));
        }
        self.tick = self.tick.max(tick);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_deadline_fires_once_and_never_late(
            deadlines in proptest::collection::vec(0u64..100, 0..40),
            steps in proptest::collection::vec(1u64..30, 1..40),
        ) {
            let mut wheel = Wheel::new(16);
            let mut set: Vec<u64> = deadlines.iter().enumerate().map(|(n, at)| wheel.set(*at, n)).collect();
            let mut now = 0;
            for step in steps {
                now += step;
                let mut due = Vec::new();
                wheel.advance(now, &mut due);
                for (at, value) in due {
                    prop_assert_eq!(set[value], at);
                    prop_assert!(at <= now && at <= deadlines[value].max(1));
                    set[value] = u64::MAX;
                }
                prop_assert!(set.iter().all(|at| *at > now), "nothing due is left behind");
            }
        }
    }
}
