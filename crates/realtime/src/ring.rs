//! The recent publications of a channel, bounded by count, bytes and age.
//!
//! Pure: time is handed in as milliseconds of the hub's own monotonic clock. Offsets in a ring are consecutive, so
//! a position maps to an index by subtraction.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::Publication;

/// How much a ring keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingLimits {
    pub publications: usize,
    pub bytes: usize,
    pub ttl: Duration,
}

struct Kept {
    publication: Arc<Publication>,
    size: usize,
    at_ms: u64,
}

/// Recent publications, oldest first.
#[derive(Default)]
pub(crate) struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
}

impl Ring {
    /// Adds the newest publication and lets go of what no longer fits.
    pub(crate) fn push(&mut self, publication: Arc<Publication>, now_ms: u64, limits: &RingLimits) {
        let size = publication.size();
        self.bytes += size;
        self.kept.push_back(Kept { publication, size, at_ms: now_ms });
        while self.kept.len() > limits.publications || self.bytes > limits.bytes {
            self.drop_oldest();
        }
        self.expire(now_ms, limits);
    }

    /// Drops what is older than the limit, and the memory with it once nothing is left.
    pub(crate) fn expire(&mut self, now_ms: u64, limits: &RingLimits) {
        let ttl_ms = limits.ttl.as_millis() as u64;
        while self.kept.front().is_some_and(|oldest| oldest.at_ms.saturating_add(ttl_ms) <= now_ms) {
            self.drop_oldest();
        }
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= oldest.size;
        }
    }

    /// Everything after `offset`, or `None` when part of it is gone. `top` is the channel's newest offset.
    pub(crate) fn after(&self, offset: u64, top: u64) -> Option<impl Iterator<Item = &Arc<Publication>>> {
        let missed = top.checked_sub(offset)? as usize;
        let skipped = self.kept.len().checked_sub(missed)?;
        Some(self.kept.range(skipped..).map(|kept| &kept.publication))
    }

    /// What is kept after `offset`, oldest first, whether or not something in between is gone.
    pub(crate) fn forward(&self, offset: u64) -> impl Iterator<Item = &Arc<Publication>> {
        let start = self.kept.partition_point(|kept| kept.publication.offset <= offset);
        self.kept.range(start..).map(|kept| &kept.publication)
    }

    /// What is kept before `offset`, newest first.
    pub(crate) fn backward(&self, offset: u64) -> impl Iterator<Item = &Arc<Publication>> {
        let end = self.kept.partition_point(|kept| kept.publication.offset < offset);
        self.kept.range(..end).rev().map(|kept| &kept.publication)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::raw;

    fn publication(offset: u64, text: &str) -> Arc<Publication> {
        Arc::new(Publication { data: raw(&serde_json::json!(text)), offset, info: None })
    }

    fn offsets<'a>(found: impl Iterator<Item = &'a Arc<Publication>>) -> Vec<u64> {
        found.map(|publication| publication.offset).collect()
    }

    fn limits(publications: usize) -> RingLimits {
        RingLimits { publications, bytes: 10_000, ttl: Duration::from_millis(100) }
    }

    #[test]
    fn a_position_inside_the_ring_recovers_exactly_what_was_missed() {
        let mut ring = Ring::default();
        (1..=5).for_each(|offset| ring.push(publication(offset, "x"), 0, &limits(3)));
        assert_eq!(ring.after(5, 5).map(offsets), Some(vec![]));
        assert_eq!(ring.after(2, 5).map(offsets), Some(vec![3, 4, 5]));
        assert!(ring.after(1, 5).is_none(), "offset 2 is gone");
        assert!(ring.after(6, 5).is_none(), "a position from the future is not ours");
    }

    #[test]
    fn age_and_bytes_bound_the_ring() {
        let mut ring = Ring::default();
        ring.push(publication(1, "x"), 0, &limits(10));
        ring.push(publication(2, "x"), 60, &limits(10));
        ring.expire(100, &limits(10));
        assert_eq!(offsets(ring.forward(0)), vec![2]);
        let tight = RingLimits { bytes: 2 * publication(3, "x").size(), ..limits(10) };
        (3..=9).for_each(|offset| ring.push(publication(offset, "x"), 100, &tight));
        assert_eq!(offsets(ring.forward(0)), vec![8, 9]);
    }

    proptest! {
        #[test]
        fn recovery_never_has_a_hole(kept in 1usize..20, published in 0u64..60, from in 0u64..70) {
            let mut ring = Ring::default();
            (1..=published).for_each(|offset| ring.push(publication(offset, "x"), 0, &limits(kept)));
            match ring.after(from, published).map(offsets) {
                Some(found) => prop_assert_eq!(found, (from + 1..=published).collect::<Vec<_>>()),
                None => prop_assert!(from > published || published - from > kept as u64),
            }
        }

        #[test]
        fn both_directions_stop_short_of_the_position(published in 0u64..40, from in 0u64..50) {
            let mut ring = Ring::default();
            (1..=published).for_each(|offset| ring.push(publication(offset, "x"), 0, &limits(16)));
            let oldest = published.saturating_sub(16) + 1;
            prop_assert_eq!(offsets(ring.forward(from)), (oldest.max(from + 1)..=published).collect::<Vec<_>>());
            prop_assert_eq!(offsets(ring.backward(from)), (oldest..from.min(published + 1)).rev().collect::<Vec<_>>());
        }
    }
}
