//! What the threads of a store have in common.

use crate::events::Appended;
use crate::limits::OVERLOADED_RETRY_AFTER_MS;
use crate::stats::Stats;
use crate::unit::{Effects, Frame, Task, Unit};
use crate::wake::Wakeups;
use crate::{Config, Error};
use plinth_kernel::World;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Called with the partitions to which a commit has appended, to tell other processes.
pub(crate) type Broadcast = Box<dyn Fn(u64) + Send + Sync>;

pub(crate) struct Shared {
    pub world: World,
    pub stats: Stats,
    pub wakeups: Wakeups,
    /// Tells the other nodes; set once at opening, on PostgreSQL only.
    pub broadcast: std::sync::OnceLock<Broadcast>,
    queue_wait_max: Duration,
    /// Why the store has stopped itself, once it has.
    failed: watch::Sender<Option<String>>,
}

impl Shared {
    pub fn new(config: &Config, world: World) -> Self {
        Self {
            world,
            stats: Stats::new(),
            wakeups: Wakeups::default(),
            broadcast: std::sync::OnceLock::new(),
            queue_wait_max: config.queue_wait_max,
            failed: watch::Sender::new(None),
        }
    }

    /// Stops the store for good: after a failed write or fsync the kernel may show as written what is not on the disk,
    /// so that to go on reading would be to tell lies.
    pub fn halt(&self, why: &str) {
        self.failed.send_if_modified(|failed| {
            if failed.is_some() {
                return false;
            }
            tracing::error!(why, "the disk has failed; the store stops");
            *failed = Some(why.to_owned());
            true
        });
    }

    pub fn is_halted(&self) -> bool {
        self.failed.borrow().is_some()
    }

    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    /// Whether a task from the queue is to be started. One that is not is answered here.
    pub fn admit(&self, mut task: Task) -> Option<Task> {
        let waited = task.queued_at.elapsed();
        self.stats.queue_seconds.observe_duration(waited);
        if task.unit.is_abandoned() {
            Stats::add(&self.stats.units_abandoned, 1);
            return None;
        }
        let refusal = if self.is_halted() {
            Error::Closed
        } else if waited > self.queue_wait_max && task.frame != Frame::Migration {
            Stats::add(&self.stats.units_refused, 1);
            Error::Overloaded { retry_after_ms: OVERLOADED_RETRY_AFTER_MS }
        } else {
            return Some(task);
        };
        task.unit.fail(refusal);
        task.unit.answer();
        None
    }

    /// After the commit: wakes consumers, runs the hooks, then tells the caller.
    pub fn finish(&self, unit: Box<dyn Unit>, effects: Option<Effects>, panicked: bool) {
        match effects {
            Some(effects) => {
                Stats::add(&self.stats.units_committed, 1);
                self.announce(effects.appended);
                effects.run_hooks();
            }
            None => {
                Stats::add(&self.stats.units_undone, 1);
                Stats::add(&self.stats.units_panicked, u64::from(panicked));
            }
        }
        unit.answer();
    }

    fn announce(&self, appended: Appended) {
        if appended.count == 0 {
            return;
        }
        Stats::add(&self.stats.events, appended.count);
        self.wakeups.publish(appended.partitions);
        if let Some(broadcast) = self.broadcast.get() {
            broadcast(appended.partitions);
        }
    }

    /// After a read.
    pub fn finish_read(
        &self,
        unit: Box<dyn Unit>,
        effects: Option<Effects>,
        panicked: bool,
        queued_at: Instant,
    ) {
        Stats::add(&self.stats.reads, 1);
        Stats::add(&self.stats.units_panicked, u64::from(panicked));
        self.stats.read_seconds.observe_duration(queued_at.elapsed());
        if let Some(effects) = effects {
            effects.run_hooks();
        }
        unit.answer();
    }
}
