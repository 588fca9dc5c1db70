//! Time and randomness, passed in.

use crate::{Clock, Id, ManualClock, Micros, Rng, SeededRng, SystemClock, SystemRng};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What a decision may ask of the outside: what time it is, and a die. Cheap to clone.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// Millisecond and counter of the last id given out.
    last_id: Arc<AtomicU64>,
}

impl World {
    /// A world of this clock and this generator.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { clock, rng, last_id: Arc::default() }
    }

    /// The real one.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemRng))
    }

    /// A world that stands still at 2026-01-01T00:00:00Z and repeats itself for the same seed, with the
    /// clock to move it by.
    #[must_use]
    pub fn manual(seed: u64) -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Micros(1_767_225_600_000_000)));
        (Self::new(clock.clone(), Arc::new(SeededRng::new(seed))), clock)
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// The clock itself, for what keeps it.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buf = [0; N];
        self.rng.fill(&mut buf);
        buf
    }

    /// A new id: a UUIDv7 (RFC 9562 §5.7) of the present. Ids of one process ascend in the order in which they are made,
    /// within a millisecond and when the clock steps back too: the 12 bits after the time count (§6.2, method 1), and
    /// run over into the next millisecond.
    #[must_use]
    pub fn id<T: Id>(&self) -> T {
        let now = (self.now().as_millis().max(0) as u64) << 12;
        let step = |last: u64| Some(now.max(last + 1));
        // Nothing else is published through this number, so the order of other memory does not matter.
        let last = self.last_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or_default();
        let mine = now.max(last + 1);
        let mut bytes: [u8; 16] = self.bytes();
        bytes[..6].copy_from_slice(&(mine >> 12).to_be_bytes()[2..]);
        bytes[6] = 0x70 | (mine >> 8 & 0x0f) as u8;
        bytes[7] = (mine & 0xff) as u8;
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        T::from_uuid(bytes)
    }

    /// A 128-bit secret for a public link: 22 characters of base64url.
    #[must_use]
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<16>())
    }

    /// A number below `n`, without the bias that matters (2⁻⁶⁴·n); 0 when `n` is 0.
    #[must_use]
    pub fn below(&self, n: u64) -> u64 {
        let r = u64::from_le_bytes(self.bytes());
        ((u128::from(r) * u128::from(n)) >> 64) as u64
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World(now = {})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventId;

    #[test]
    fn ids_sort_by_time_of_creation() {
        let (world, clock) = World::manual(1);
        let mut before: EventId = world.id();
        for _ in 0..100 {
            clock.advance_ms(1);
            let next: EventId = world.id();
            assert!(before < next);
            before = next;
        }
    }

    #[test]
    fn ids_ascend_within_a_millisecond_and_when_the_clock_steps_back() {
        let (world, clock) = World::manual(1);
        let mut before: EventId = world.id();
        for n in 0..10_000 {
            if n == 5_000 {
                clock.advance_ms(-60_000);
            }
            let next: EventId = world.id();
            assert!(before < next);
            before = next;
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_world() {
        let (a, _) = World::manual(7);
        let (b, _) = World::manual(7);
        assert_eq!(a.id::<EventId>(), b.id::<EventId>());
        assert_eq!(a.token(), b.token());
    }

    #[test]
    fn below_stays_below() {
        let (world, _) = World::manual(3);
        assert_eq!(world.below(0), 0);
        assert!((0..1000).all(|_| world.below(6) < 6));
    }
}
