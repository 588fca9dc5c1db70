//! A bounded map that many threads read and few write.
//!
//! Sixteen shards behind read-write locks; each evicts by the clock algorithm (second chance), so a flood of entries
//! that are used once cannot push out those in use. Reading takes a shared lock and one relaxed store.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::RwLock;

const SHARDS: usize = 16;

pub(crate) struct Cache<K, V> {
    shards: [RwLock<Shard<K, V>>; SHARDS],
    hasher: RandomState,
    epoch: AtomicU64,
}

struct Shard<K, V> {
    index: HashMap<K, usize>,
    slots: Vec<Slot<K, V>>,
    hand: usize,
    capacity: usize,
}

struct Slot<K, V> {
    key: K,
    value: V,
    used: AtomicBool,
}

/// The state of the cache when a load began; see [`Cache::insert_loaded`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    pub fn new(capacity: usize) -> Self {
        let per_shard = capacity.div_ceil(SHARDS).max(1);
        let shard = || Shard { index: HashMap::new(), slots: Vec::new(), hand: 0, capacity: per_shard };
        Self {
            shards: std::array::from_fn(|_| RwLock::new(shard())),
            hasher: RandomState::new(),
            epoch: AtomicU64::new(0),
        }
    }

    fn shard(&self, key: &K) -> &RwLock<Shard<K, V>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let shard = self.shard(key).read();
        let slot = &shard.slots[*shard.index.get(key)?];
        slot.used.store(true, Ordering::Relaxed);
        Some(slot.value.clone())
    }

    pub fn insert(&self, key: K, value: V) {
        self.shard(&key).write().put(key, value);
    }

    pub fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> V {
        if let Some(found) = self.get(&key) {
            return found;
        }
        let mut shard = self.shard(&key).write();
        if let Some(at) = shard.index.get(&key) {
            return shard.slots[*at].value.clone();
        }
        let value = make();
        shard.put(key, value.clone());
        value
    }

    /// Noted before a load from the store.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// Keeps what a load found, unless something was forgotten since it began: the load may have read what was true
    /// before. The check is made under the shard's lock, which `forget` needs too, so neither can slip past the other.
    pub fn insert_loaded(&self, epoch: Epoch, key: K, value: V) {
        let mut shard = self.shard(&key).write();
        if self.epoch() == epoch {
            shard.put(key, value);
        }
    }

    pub fn forget(&self, key: &K) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.shard(key).write().remove(key);
    }

    pub fn clear(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            let mut shard = shard.write();
            shard.index.clear();
            shard.slots.clear();
            shard.hand = 0;
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().slots.len()).sum()
    }
}

impl<K: Hash + Eq + Clone, V> Shard<K, V> {
    fn put(&mut self, key: K, value: V) {
        if let Some(at) = self.index.get(&key) {
            self.slots[*at].value = value;
            return;
        }
        let slot = Slot { key: key.clone(), value, used: AtomicBool::new(false) };
        let at = if self.slots.len() < self.capacity {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let at = self.victim();
            self.index.remove(&self.slots[at].key);
            self.slots[at] = slot;
            at
        };
        self.index.insert(key, at);
    }

    /// The next entry under the hand that was not used since the hand last passed.
    fn victim(&mut self) -> usize {
        loop {
            self.hand = (self.hand + 1) % self.slots.len();
            if !self.slots[self.hand].used.swap(false, Ordering::Relaxed) {
                return self.hand;
            }
        }
    }

    fn remove(&mut self, key: &K) {
        let Some(at) = self.index.remove(key) else { return };
        self.slots.swap_remove(at);
        if let Some(moved) = self.slots.get(at) {
            self.index.insert(moved.key.clone(), at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_never_grows_past_its_bound_and_keeps_what_is_used() {
        let cache = Cache::new(64);
        cache.insert(u32::MAX, 7);
        for key in 0..10_000 {
            assert_eq!(cache.get(&u32::MAX), Some(7));
            cache.insert(key, 0);
        }
        assert!(cache.len() <= 64);
    }

    #[test]
    fn a_load_that_began_before_a_change_is_not_kept() {
        let cache = Cache::new(64);
        let before = cache.epoch();
        cache.forget(&1);
        cache.insert_loaded(before, 1, "stale");
        assert_eq!(cache.get(&1), None);
        cache.insert_loaded(cache.epoch(), 1, "fresh");
        assert_eq!(cache.get(&1), Some("fresh"));
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_map_that_may_lose_entries(ops in proptest::collection::vec((0_u8..4, 0_u16..200, any::<u8>()), 0..2_000)) {
            let cache = Cache::new(48);
            let mut model = HashMap::new();
            for (op, key, value) in ops {
                match op {
                    0 | 1 => { cache.insert(key, value); model.insert(key, value); }
                    2 => { cache.forget(&key); model.remove(&key); }
                    _ => if let Some(found) = cache.get(&key) { prop_assert_eq!(Some(&found), model.get(&key)); },
                }
            }
            prop_assert!(cache.len() <= 48);
        }
    }
}
