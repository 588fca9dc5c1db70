//! The adaptive concurrency limit: Gradient2 as Netflix describes it
//! (<https://github.com/Netflix/concurrency-limits>), fed with the mean of a window instead of single samples, since
//! one lane carries operations whose times differ by two orders of magnitude.
//!
//! The long average is what the lane is used to, the window's mean what it does now. While the two agree the limit
//! creeps up; when the present is slower, work is queueing somewhere, and the limit shrinks in proportion.

use crate::limits;
use plinth_kernel::Micros;

/// Bounds of a lane's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LaneConfig {
    /// The limit at start.
    pub initial: u32,
    /// Never below.
    pub min: u32,
    /// Never above.
    pub max: u32,
}

/// How much slower than usual still counts as usual.
const TOLERANCE: f64 = 1.5;
/// Slots the limit may grow by in one step: the queue it is willing to try.
const QUEUE: f64 = 4.0;
/// How much of a step is taken at once.
const SMOOTHING: f64 = 0.2;
/// Windows the long average remembers.
const LONG_WINDOWS: f64 = 600.0;
/// A window closes after this long …
const WINDOW_US: i64 = 100_000;
/// … if it holds at least this many samples.
const WINDOW_SAMPLES_MIN: u32 = 10;

/// The limit and what it was learnt from.
#[derive(Debug)]
pub struct Gradient {
    config: LaneConfig,
    limit: f64,
    long_us: f64,
    windows: f64,
    window: Window,
}

#[derive(Debug, Default)]
struct Window {
    opened_at: Option<Micros>,
    samples: u32,
    sum_us: f64,
    inflight_max: u32,
}

impl Gradient {
    /// A limit that has learnt nothing yet.
    #[must_use]
    pub fn new(config: LaneConfig) -> Self {
        let limit = f64::from(config.initial.clamp(config.min.max(1), config.max.max(config.min)));
        Self { config, limit, long_us: 0.0, windows: 0.0, window: Window::default() }
    }

    /// The limit now.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit as u32
    }

    /// Learns from a request that took `elapsed_us` while `inflight` were under way.
    pub fn sample(&mut self, now: Micros, elapsed_us: i64, inflight: u32) {
        let window = &mut self.window;
        let opened_at = *window.opened_at.get_or_insert(now);
        window.samples += 1;
        window.sum_us += elapsed_us.max(1) as f64;
        window.inflight_max = window.inflight_max.max(inflight);
        // A clock that went back would keep the window open until it has caught up.
        let age = now.since(opened_at);
        if window.samples >= WINDOW_SAMPLES_MIN && !(0..WINDOW_US).contains(&age) {
            let closed = std::mem::take(window);
            self.learn(closed.sum_us / f64::from(closed.samples), closed.inflight_max);
        }
    }

    fn learn(&mut self, short_us: f64, inflight: u32) {
        // Until it has seen its fill the long average is a plain mean, or the first window would rule for minutes.
        self.windows = (self.windows + 1.0).min(LONG_WINDOWS);
        self.long_us += (short_us - self.long_us) / self.windows;
        if self.long_us / short_us > 2.0 {
            // After an overload the long average is too high; let it come down before it lets in the next one.
            self.long_us *= 0.95;
        }
        if f64::from(inflight) < self.limit / 2.0 {
            return; // A lane that is not used tells nothing about its limit.
        }
        let gradient = (TOLERANCE * self.long_us / short_us).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + QUEUE;
        let next = self.limit * (1.0 - SMOOTHING) + wanted * SMOOTHING;
        self.limit = next
            .clamp(f64::from(self.config.min.max(1)), f64::from(self.config.max.max(self.config.min).max(1)));
    }
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self { initial: 256, min: 32, max: 1_024 }
    }
}

/// The share of the limit up to which a class is let in: what can wait is stopped first, so that there is always
/// room for what cannot.
#[must_use]
pub fn class_limit(limit: u32, class: plinth_api::operation::Class) -> u32 {
    use plinth_api::operation::Class::{Background, Bulk, Critical, Read, Write};
    let percent = match class {
        Critical => 100,
        Write => 95,
        Read => 80,
        Bulk => 65,
        Background => 50,
    };
    (limit.saturating_mul(percent) / 100).max(limits::ADMISSION_TENANT_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONFIG: LaneConfig = LaneConfig { initial: 100, min: 20, max: 200 };

    /// Feeds one window of samples of this length.
    fn window(gradient: &mut Gradient, now: &mut Micros, elapsed_us: i64) {
        let inflight = gradient.limit();
        for _ in 0..20 {
            gradient.sample(*now, elapsed_us, inflight);
            *now = now.plus_ms(6);
        }
    }

    #[test]
    fn a_steady_lane_grows_and_a_slower_one_shrinks() {
        let (mut gradient, mut now) = (Gradient::new(CONFIG), Micros(0));
        for _ in 0..50 {
            window(&mut gradient, &mut now, 1_000);
        }
        let grown = gradient.limit();
        assert!(grown > 100, "{grown}");
        for _ in 0..20 {
            window(&mut gradient, &mut now, 10_000);
        }
        assert!(gradient.limit() < grown / 2, "{} after {grown}", gradient.limit());
        for _ in 0..200 {
            window(&mut gradient, &mut now, 1_000);
        }
        assert!(gradient.limit() > 100, "it recovers: {}", gradient.limit());
    }

    #[test]
    fn an_idle_lane_keeps_its_limit() {
        let (mut gradient, mut now) = (Gradient::new(CONFIG), Micros(0));
        for i in 0..1_000 {
            gradient.sample(now, if i % 2 == 0 { 100 } else { 100_000 }, 1);
            now = now.plus_ms(10);
        }
        assert_eq!(gradient.limit(), 100);
    }

    #[test]
    fn what_can_wait_is_stopped_first() {
        use plinth_api::operation::Class::{Background, Bulk, Critical, Read, Write};
        let limits = [Critical, Write, Read, Bulk, Background].map(|class| class_limit(100, class));
        assert_eq!(limits, [100, 95, 80, 65, 50]);
    }

    proptest! {
        #[test]
        fn the_limit_stays_within_its_bounds(samples in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<u32>()), 0..500)) {
            let mut gradient = Gradient::new(CONFIG);
            for (at, elapsed, inflight) in samples {
                gradient.sample(Micros(at), elapsed, inflight);
                prop_assert!((20..=200).contains(&gradient.limit()));
            }
        }
    }
}
