//! Waking the workers of this process when a unit that gave them work has been committed.
//!
//! A unit does not know which runtimes exist; a runtime does not know which units run. They meet in one registry
//! of the process. A wake-up says only *look*: one that reaches the runtime of another database (tests have several)
//! costs an empty look, and one that is lost with its process is made up for by the safety poll.

use parking_lot::Mutex;
use plinth_store::Tx;
use std::sync::{Arc, Weak};
use tokio::sync::Notify;

/// What there is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Ready jobs of this queue.
    Queue(String),
    /// A job or schedule that is due later.
    Timer,
    /// A parked event that was released.
    Parked,
    /// A running job that is to be cancelled.
    Cancel,
}

/// The notifiers of one runtime.
pub(crate) struct Bells {
    pub queues: Vec<(String, Notify)>,
    pub timer: Notify,
    pub parked: Notify,
    pub cancel: Notify,
}

static RUNTIMES: Mutex<Vec<Weak<Bells>>> = Mutex::new(Vec::new());

impl Bells {
    /// Notifiers for these queues, listed in the registry for as long as the result lives.
    pub fn register(queues: impl IntoIterator<Item = String>) -> Arc<Self> {
        let bells = Arc::new(Self {
            queues: queues.into_iter().map(|queue| (queue, Notify::new())).collect(),
            timer: Notify::new(),
            parked: Notify::new(),
            cancel: Notify::new(),
        });
        let mut runtimes = RUNTIMES.lock();
        runtimes.retain(|runtime| runtime.strong_count() > 0);
        runtimes.push(Arc::downgrade(&bells));
        bells
    }

    /// Rings for one thing.
    pub fn ring(&self, wake: &Wake) {
        match wake {
            Wake::Queue(name) => {
                self.queues.iter().filter(|(queue, _)| queue == name).for_each(|(_, bell)| bell.notify_one());
            }
            Wake::Timer => self.timer.notify_one(),
            Wake::Parked => self.parked.notify_one(),
            Wake::Cancel => self.cancel.notify_one(),
        }
    }

    /// Rings for everything.
    pub fn ring_all(&self) {
        self.queues.iter().for_each(|(_, bell)| bell.notify_one());
        [&self.timer, &self.parked, &self.cancel].into_iter().for_each(Notify::notify_one);
    }
}

/// Wakes every runtime of this process once the unit is durable.
pub(crate) fn after_commit(tx: &mut Tx<'_>, wake: Wake) {
    tx.after_commit(move || {
        let runtimes: Vec<Arc<Bells>> = RUNTIMES.lock().iter().filter_map(Weak::upgrade).collect();
        runtimes.iter().for_each(|bells| bells.ring(&wake));
    });
}
