//! Waking whoever waits for events. A wake-up says *look*, never *what*: it may be lost with its process and may
//! come too often, so consumers also look once in a while unasked.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::Notify;

/// A set of partitions of the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartitionSet(pub u64);

impl PartitionSet {
    /// All of them.
    pub const ALL: Self = Self(u64::MAX);

    /// Whether `partition` is in it.
    #[must_use]
    pub fn contains(self, partition: u16) -> bool {
        partition < 64 && self.0 >> partition & 1 == 1
    }

    /// Its members, ascending.
    pub fn iter(self) -> impl Iterator<Item = u16> {
        (0..64).filter(move |partition| self.contains(*partition))
    }
}

#[derive(Default)]
struct Mailbox {
    partitions: AtomicU64,
    notify: Notify,
}

/// A subscription to wake-ups: partitions that have new events, of this process and, on PostgreSQL, of the others.
/// Wake-ups between two calls of [`EventWakeups::recv`] become one.
pub struct EventWakeups {
    mailbox: Arc<Mailbox>,
}

impl EventWakeups {
    /// Waits for new events and says in which partitions. Cancel safe.
    pub async fn recv(&mut self) -> PartitionSet {
        loop {
            let partitions = self.mailbox.partitions.swap(0, Ordering::AcqRel);
            if partitions != 0 {
                return PartitionSet(partitions);
            }
            // A permit left behind by a publication between the swap and here ends the wait at once.
            self.mailbox.notify.notified().await;
        }
    }
}

/// The subscribers of one store.
#[derive(Default)]
pub(crate) struct Wakeups {
    subscribers: Mutex<Vec<Weak<Mailbox>>>,
}

impl Wakeups {
    pub fn subscribe(&self) -> EventWakeups {
        let mailbox = Arc::new(Mailbox::default());
        let mut subscribers = self.subscribers.lock();
        subscribers.retain(|subscriber| subscriber.strong_count() > 0);
        subscribers.push(Arc::downgrade(&mailbox));
        EventWakeups { mailbox }
    }

    pub fn publish(&self, partitions: u64) {
        if partitions == 0 {
            return;
        }
        for mailbox in self.subscribers.lock().iter().filter_map(Weak::upgrade) {
            mailbox.partitions.fetch_or(partitions, Ordering::AcqRel);
            mailbox.notify.notify_one();
        }
    }
}
