//! A token bucket that keeps time in milliseconds handed in by its caller.

/// Allows `burst` at once and `per_second` sustained.
#[derive(Debug)]
pub(crate) struct Bucket {
    // In thousandths, so that one millisecond at one a second is still a whole number.
    milli_tokens: u64,
    at_ms: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(burst: u32, now_ms: u64) -> Self {
        Self { milli_tokens: u64::from(burst) * 1_000, at_ms: now_ms }
    }

    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, per_second: u32, burst: u32, now_ms: u64) -> bool {
        let refill = now_ms.saturating_sub(self.at_ms).saturating_mul(u64::from(per_second));
        self.at_ms = self.at_ms.max(now_ms);
        self.milli_tokens = self.milli_tokens.saturating_add(refill).min(u64::from(burst) * 1_000);
        let taken = self.milli_tokens >= 1_000;
        if taken {
            self.milli_tokens -= 1_000;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_sustained_rate() {
        let mut bucket = Bucket::full(3, 0);
        let taken = |bucket: &mut Bucket, at| (0..10).filter(|_| bucket.take(2, 3, at)).count();
        assert_eq!(taken(&mut bucket, 0), 3);
        assert_eq!(taken(&mut bucket, 499), 0);
        assert_eq!(taken(&mut bucket, 500), 1);
        assert_eq!(taken(&mut bucket, 400), 0, "a clock that steps back gives nothing");
        assert_eq!(taken(&mut bucket, 60_000), 3);
    }
}
