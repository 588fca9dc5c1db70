//! The circuit breaker of one destination: it stops calling what does not answer, and asks from time to time.

use plinth_kernel::{Micros, World};

/// Buckets of the rolling window; each is a second long.
const BUCKETS: usize = 10;
const BUCKET_US: i64 = 1_000_000;

/// When a breaker opens and how it closes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Calls in the window before a share of them means anything.
    pub calls_min: u32,
    /// Share of failures that opens it.
    pub failed_percent: u32,
    /// Share of slow calls that opens it.
    pub slow_percent: u32,
    /// A call that takes at least this long is slow.
    pub slow_ms: u64,
    /// Failures in a row that open it whatever the window says: a destination that hangs never fills one.
    pub failures_in_a_row: u32,
    /// First pause; it doubles with every failed probe.
    pub open_base_ms: u64,
    /// Longest pause.
    pub open_cap_ms: u64,
    /// Successful probes in a row that close it.
    pub probes: u32,
    /// After closing, the time over which the full concurrency comes back.
    pub ramp_ms: i64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            calls_min: 20,
            failed_percent: 50,
            slow_percent: 80,
            slow_ms: 10_000,
            failures_in_a_row: 5,
            open_base_ms: 5_000,
            open_cap_ms: 60_000,
            probes: 3,
            ramp_ms: 10_000,
        }
    }
}

/// What a breaker does at the moment, for people and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// No call goes through.
    Open,
    /// One call at a time goes through.
    HalfOpen,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    second: i64,
    calls: u32,
    failed: u32,
    slow: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { since: Micros },
    Open { until: Micros },
    HalfOpen { passed: u32 },
}

/// The breaker of one destination on one node.
#[derive(Debug, Clone)]
pub struct Breaker {
    config: BreakerConfig,
    buckets: [Bucket; BUCKETS],
    in_a_row: u32,
    phase: Phase,
    /// Times it opened without having closed in between.
    reopened: u32,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            buckets: [Bucket::default(); BUCKETS],
            in_a_row: 0,
            // Long ago: a new destination does not ramp up.
            phase: Phase::Closed { since: Micros(i64::MIN / 4) },
            reopened: 0,
        }
    }

    /// How many calls may be under way at once, of `full` in good times.
    #[must_use]
    pub fn concurrency(&self, full: u32, now: Micros) -> u32 {
        match self.phase {
            Phase::Closed { since } => {
                let healed_us = now.since(since).max(0);
                let ramp_us = self.config.ramp_ms.saturating_mul(1_000);
                if healed_us >= ramp_us {
                    return full;
                }
                let share = i64::from(full).saturating_mul(healed_us) / ramp_us.max(1);
                u32::try_from(share).unwrap_or(full).clamp(1, full.max(1))
            }
            Phase::Open { until } if now < until => 0,
            Phase::Open { .. } | Phase::HalfOpen { .. } => 1,
        }
    }

    /// When it will let a call through again; `now` unless it is open.
    #[must_use]
    pub fn next_call(&self, now: Micros) -> Micros {
        match self.phase {
            Phase::Open { until } => now.max(until),
            _ => now,
        }
    }

    /// A call starts. An open breaker whose pause is over becomes half-open by this. A call that comes to nothing that
    /// says anything about the destination need not be ended here.
    pub fn started(&mut self, now: Micros) {
        if matches!(self.phase, Phase::Open { until } if now >= until) {
            self.phase = Phase::HalfOpen { passed: 0 };
        }
    }

    /// A call ended. `failed` means that the destination did not do its part (no connection, no answer, a
    /// 5xx); a refusal with a reason is an answer, not a failure.
    pub fn ended(&mut self, failed: bool, took_ms: u64, now: Micros, world: &World) {
        let slow = took_ms >= self.config.slow_ms;
        self.in_a_row = if failed { self.in_a_row.saturating_add(1) } else { 0 };
        let bucket = self.bucket(now);
        bucket.calls += 1;
        bucket.failed += u32::from(failed);
        bucket.slow += u32::from(slow);
        match self.phase {
            Phase::Closed { .. } if self.should_open(now) => self.open(now, world),
            Phase::HalfOpen { .. } if failed || slow => self.open(now, world),
            Phase::HalfOpen { passed } if passed + 1 < self.config.probes => {
                self.phase = Phase::HalfOpen { passed: passed + 1 };
            }
            Phase::HalfOpen { .. } => self.close(now),
            // Late answers of calls that began before it opened change nothing.
            Phase::Closed { .. } | Phase::Open { .. } => {}
        }
    }

    /// What it does at the moment.
    #[must_use]
    pub fn state(&self, now: Micros) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { until } if now < until => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn bucket(&mut self, now: Micros) -> &mut Bucket {
        let second = now.0.div_euclid(BUCKET_US);
        let bucket = &mut self.buckets[second.rem_euclid(BUCKETS as i64) as usize];
        if bucket.second != second {
            *bucket = Bucket { second, ..Bucket::default() };
        }
        bucket
    }

    fn should_open(&self, now: Micros) -> bool {
        if self.in_a_row >= self.config.failures_in_a_row {
            return true;
        }
        let oldest = now.0.div_euclid(BUCKET_US) - BUCKETS as i64;
        let recent = self.buckets.iter().filter(|bucket| bucket.second > oldest);
        let (mut calls, mut failed, mut slow) = (0, 0, 0);
        for bucket in recent {
            calls += bucket.calls;
            failed += bucket.failed;
            slow += bucket.slow;
        }
        calls >= self.config.calls_min
            && (failed * 100 >= calls * self.config.failed_percent
                || slow * 100 >= calls * self.config.slow_percent)
    }

    fn open(&mut self, now: Micros, world: &World) {
        let factor = 1u64.checked_shl(self.reopened).unwrap_or(u64::MAX);
        let pause_ms = self.config.open_base_ms.saturating_mul(factor).min(self.config.open_cap_ms);
        // Half fixed, half random: the nodes do not probe in step, and none probes at once.
        let jittered = pause_ms / 2 + world.below(pause_ms / 2 + 1);
        self.phase = Phase::Open { until: now.plus_ms(i64::try_from(jittered).unwrap_or(i64::MAX)) };
        self.reopened = self.reopened.saturating_add(1);
        self.in_a_row = 0;
    }

    fn close(&mut self, now: Micros) {
        self.phase = Phase::Closed { since: now };
        self.buckets = [Bucket::default(); BUCKETS];
        self.in_a_row = 0;
        self.reopened = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn breaker() -> (Breaker, World, std::sync::Arc<plinth_kernel::ManualClock>) {
        let (world, clock) = World::manual(9);
        (Breaker::new(BreakerConfig::default()), world, clock)
    }

    fn call(breaker: &mut Breaker, world: &World, failed: bool) {
        breaker.started(world.now());
        breaker.ended(failed, 5, world.now(), world);
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let (mut b, world, _) = breaker();
        for _ in 0..4 {
            call(&mut b, &world, true);
        }
        assert_eq!(b.state(world.now()), BreakerState::Closed);
        call(&mut b, &world, true);
        assert_eq!((b.state(world.now()), b.concurrency(8, world.now())), (BreakerState::Open, 0));
    }

    #[test]
    fn half_of_twenty_calls_open_it_and_old_ones_do_not_count() {
        let (mut b, world, clock) = breaker();
        for n in 0..18 {
            call(&mut b, &world, n % 2 == 0);
        }
        clock.advance_ms(11_000);
        for n in 0..19 {
            call(&mut b, &world, n % 2 == 0);
        }
        assert_eq!(b.state(world.now()), BreakerState::Closed, "19 calls in the window are too few");
        call(&mut b, &world, true);
        assert_eq!(b.state(world.now()), BreakerState::Open);
    }

    #[test]
    fn slow_answers_open_it_too() {
        let (mut b, world, _) = breaker();
        for _ in 0..20 {
            b.started(world.now());
            b.ended(false, 10_000, world.now(), &world);
        }
        assert_eq!(b.state(world.now()), BreakerState::Open);
    }

    #[test]
    fn it_probes_one_at_a_time_and_closes_with_a_ramp() {
        let (mut b, world, clock) = breaker();
        for _ in 0..5 {
            call(&mut b, &world, true);
        }
        clock.set(b.next_call(world.now()));
        assert_eq!((b.state(world.now()), b.concurrency(8, world.now())), (BreakerState::HalfOpen, 1));
        for _ in 0..3 {
            call(&mut b, &world, false);
        }
        assert_eq!((b.state(world.now()), b.concurrency(8, world.now())), (BreakerState::Closed, 1));
        clock.advance_ms(5_000);
        assert_eq!(b.concurrency(8, world.now()), 4);
        clock.advance_ms(5_000);
        assert_eq!(b.concurrency(8, world.now()), 8);
    }

    #[test]
    fn a_failed_probe_doubles_the_pause_up_to_the_cap() {
        let (mut b, world, clock) = breaker();
        for _ in 0..5 {
            call(&mut b, &world, true);
        }
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let until = b.next_call(world.now());
            pauses.push(until.since(world.now()) / 1_000);
            clock.set(until);
            call(&mut b, &world, true);
        }
        assert!((2_500..=5_000).contains(&pauses[0]), "{pauses:?}");
        assert!((5_000..=10_000).contains(&pauses[1]), "{pauses:?}");
        assert!(pauses[4..].iter().all(|p| (30_000..=60_000).contains(p)), "{pauses:?}");
    }

    proptest! {
        /// Whatever happens, it either lets something through or says when it will.
        #[test]
        fn it_never_locks_up(seed: u64, steps in proptest::collection::vec((any::<bool>(), 0i64..30_000), 1..300)) {
            let (world, clock) = World::manual(seed);
            let mut b = Breaker::new(BreakerConfig::default());
            for (failed, pause) in steps {
                clock.advance_ms(pause);
                let now = world.now();
                if b.concurrency(8, now) == 0 {
                    let at = b.next_call(now);
                    prop_assert!(at > now && at.since(now) <= 60_000_000);
                    clock.set(at);
                    prop_assert_eq!(b.concurrency(8, at), 1);
                }
                b.started(world.now());
                // Every seventh run never learns how its calls ended.
                if seed % 7 != 0 { b.ended(failed, 1, world.now(), &world); }
            }
        }
    }
}
