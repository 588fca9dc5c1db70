//! Where randomness comes from.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

/// A source of random bytes.
pub trait Rng: Send + Sync {
    /// Fills `buf`.
    fn fill(&self, buf: &mut [u8]);
}

/// The operating system's generator: fit for secrets.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRng;

/// Bytes that a thread asks of the operating system at once: an id takes 16, and a system call for each id was a
/// sixth of the time of a small request.
const POOL_BYTES: usize = 256;

/// Bytes not yet given out. Each is given out once and overwritten. The process never forks a copy of itself that goes on
/// running this code, so no two processes can share a pool.
struct Pool {
    bytes: [u8; POOL_BYTES],
    left: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], left: 0 }) };
}

fn from_system(buf: &mut [u8]) {
    // Without randomness no key, token or id can be made: there is nothing sensible to go on with.
    if let Err(error) = getrandom::fill(buf) {
        panic!("the operating system gives no random bytes: {error}");
    }
}

impl Rng for SystemRng {
    fn fill(&self, buf: &mut [u8]) {
        if buf.len() > POOL_BYTES / 4 {
            return from_system(buf);
        }
        POOL.with_borrow_mut(|pool| {
            if pool.left < buf.len() {
                from_system(&mut pool.bytes);
                pool.left = POOL_BYTES;
            }
            let end = pool.left;
            pool.left -= buf.len();
            let taken = &mut pool.bytes[pool.left..end];
            buf.copy_from_slice(taken);
            taken.fill(0);
        });
    }
}

/// Repeatable bytes from a seed (SplitMix64). For tests only: never fit for secrets.
#[derive(Debug)]
pub struct SeededRng(AtomicU64);

impl SeededRng {
    /// The sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let mut z =
            self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Rng for SeededRng {
    fn fill(&self, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_given_out_twice() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let mut bytes = [0; 16];
            SystemRng.fill(&mut bytes);
            assert!(seen.insert(bytes), "a repetition in ten thousand 128-bit values");
        }
        let mut large = [0; 1_000];
        SystemRng.fill(&mut large);
        assert!(large.iter().any(|byte| *byte != 0));
    }
}
