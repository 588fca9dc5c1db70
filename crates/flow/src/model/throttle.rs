//! The generic cell rate algorithm (ITU-T I.371): a token bucket whose whole state is one instant.

use plinth_kernel::Micros;

/// A rate: so many in a second on average, so many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Sustained rate. Values that are not positive mean "none at all".
    pub per_second: f64,
    /// How many may start at once after a rest; at least 1.
    pub burst: u32,
}

/// A throttle of one destination on one node.
#[derive(Debug, Clone)]
pub struct Throttle {
    /// Microseconds between two at the sustained rate; `None` when nothing limits the rate.
    interval_us: Option<i64>,
    burst: i64,
    /// When the bucket is full again ("theoretical arrival time").
    full_at: Micros,
    /// The destination itself asked for silence until then (`Retry-After`).
    silent_until: Micros,
}

impl Throttle {
    /// A throttle with a full bucket; `None` limits nothing but still honours [`Throttle::silence`].
    #[must_use]
    pub fn new(rate: Option<Rate>) -> Self {
        Self {
            interval_us: rate.map(interval_us),
            burst: rate.map_or(1, |rate| i64::from(rate.burst.max(1))),
            full_at: Micros(i64::MIN / 4),
            silent_until: Micros(i64::MIN / 4),
        }
    }

    /// How many may start now.
    #[must_use]
    pub fn room(&self, now: Micros) -> u32 {
        if now < self.silent_until {
            return 0;
        }
        let Some(interval) = self.interval_us else { return u32::MAX };
        let filling = self.full_at.since(now).max(0);
        let used = filling / interval + i64::from(filling % interval != 0);
        u32::try_from((self.burst - used).max(0)).unwrap_or(u32::MAX)
    }

    /// Takes `n` places, whether or not there is room: what has started, has started.
    pub fn take(&mut self, n: u32, now: Micros) {
        if let Some(interval) = self.interval_us {
            let from = self.full_at.max(now);
            self.full_at = Micros(from.0.saturating_add(interval.saturating_mul(i64::from(n))));
        }
    }

    /// The destination asked for silence until `until`; a shorter silence does not end a longer one.
    pub fn silence(&mut self, until: Micros) {
        self.silent_until = self.silent_until.max(until);
    }

    /// When there is room again, `now` if there is room.
    #[must_use]
    pub fn next_room(&self, now: Micros) -> Micros {
        let by_rate = match self.interval_us {
            Some(interval) => Micros(self.full_at.0.saturating_sub(interval.saturating_mul(self.burst - 1))),
            None => now,
        };
        now.max(by_rate).max(self.silent_until)
    }
}

fn interval_us(rate: Rate) -> i64 {
    // The longest interval stands for "never": a century keeps the arithmetic far from overflow.
    const CENTURY_US: f64 = 3.2e15;
    let interval = if rate.per_second > 0.0 { 1e6 / rate.per_second } else { CENTURY_US };
    interval.clamp(1.0, CENTURY_US) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Micros = Micros(1_767_225_600_000_000);

    #[test]
    fn a_burst_then_the_sustained_rate() {
        let mut throttle = Throttle::new(Some(Rate { per_second: 10.0, burst: 3 }));
        assert_eq!(throttle.room(T0), 3);
        throttle.take(3, T0);
        assert_eq!((throttle.room(T0), throttle.next_room(T0)), (0, T0.plus_ms(100)));
        assert_eq!(throttle.room(T0.plus_ms(99)), 0);
        assert_eq!(throttle.room(T0.plus_ms(100)), 1);
        assert_eq!(throttle.room(T0.plus_ms(10_000)), 3);
    }

    #[test]
    fn a_silence_holds_everything_and_ends_by_itself() {
        let mut throttle = Throttle::new(None);
        assert_eq!(throttle.room(T0), u32::MAX);
        throttle.silence(T0.plus_ms(7_000));
        throttle.silence(T0.plus_ms(1_000));
        assert_eq!((throttle.room(T0.plus_ms(6_999)), throttle.next_room(T0)), (0, T0.plus_ms(7_000)));
        assert!(throttle.room(T0.plus_ms(7_000)) > 0);
    }

    #[test]
    fn a_rate_of_nothing_is_nothing() {
        for per_second in [0.0, -1.0, f64::NAN] {
            let mut throttle = Throttle::new(Some(Rate { per_second, burst: 0 }));
            throttle.take(1, T0);
            assert_eq!(throttle.room(T0.plus_ms(1_000_000)), 0);
        }
    }

    proptest! {
        /// Over any stretch, no more than burst + rate · time start.
        #[test]
        fn the_rate_is_never_exceeded(per_second in 0.5f64..1_000.0, burst in 1u32..50,
                                      gaps in proptest::collection::vec(0i64..2_000_000, 1..200)) {
            let mut throttle = Throttle::new(Some(Rate { per_second, burst }));
            let (mut now, mut started) = (T0, 0u64);
            for gap in gaps {
                now = Micros(now.0 + gap);
                let n = throttle.room(now);
                throttle.take(n, now);
                started += u64::from(n);
                let allowed = f64::from(burst) + now.since(T0) as f64 / interval_us(Rate { per_second, burst }) as f64;
                prop_assert!(started as f64 <= allowed + 1e-6, "{started} > {allowed}");
                if throttle.room(now) == 0 {
                    let at = throttle.next_room(now);
                    prop_assert!(at > now && throttle.room(at) > 0 && throttle.room(Micros(at.0 - 1)) == 0);
                }
            }
        }
    }
}
