//! Who may work now: a concurrency limit that adapts, classes that say what can wait, and a fair share per tenant.
//!
//! A lane (reads, writes) has a limit from [`Gradient`]. A class is let in up to its part of it ([`class_limit`]). A
//! tenant may always use its share, the limit divided by the tenants that are active (max-min fairness); it may use
//! more as long as a seventh of the class's part stays free for whoever comes next. Who is not let in at once waits
//! for at most [`limits::ADMISSION_WAIT_MS`]; freed slots go round the waiting tenants, one each (deficit round robin
//! with a quantum of one request). Everything else is shed before its body is read.
//!
//! [`Core`] decides, without a clock or a lock of its own: the tests simulate it. [`Lane`] puts it behind a mutex that
//! is held for some tens of nanoseconds.

use crate::{
    gradient::{Gradient, LaneConfig, class_limit},
    limits,
};
use parking_lot::Mutex;
use plinth_api::operation::Class;
use plinth_kernel::Micros;
use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
    time::Duration,
};
use tokio::sync::oneshot;

/// A tenant, as a hash of its id: a collision merely makes two tenants share one share.
pub type TenantKey = u64;

/// The parts of a class's limit of which the last stays free for tenants below their share.
const HEADROOM_PARTS: u32 = 7;

/// What becomes of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may work.
    Admitted,
    /// It waits under this number.
    Queued(u64),
    /// There is too much to do.
    Shed,
}

/// Passes a number that is a hash already.
#[derive(Debug, Default, Clone, Copy)]
pub struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[derive(Debug, Default)]
struct Load {
    inflight: u32,
    queue: VecDeque<(u64, Class)>,
}

/// The decisions of one lane.
#[derive(Debug)]
pub struct Core {
    gradient: Gradient,
    inflight: u32,
    waiting: usize,
    next_ticket: u64,
    tenants: HashMap<TenantKey, Load, BuildHasherDefault<Hashed>>,
    /// Tenants with a queue, in the order of their turns.
    ring: VecDeque<TenantKey>,
}

impl Core {
    /// An empty lane.
    #[must_use]
    pub fn new(config: LaneConfig) -> Self {
        Self {
            gradient: Gradient::new(config),
            inflight: 0,
            waiting: 0,
            next_ticket: 0,
            tenants: HashMap::default(),
            ring: VecDeque::new(),
        }
    }

    /// The limit now.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.gradient.limit()
    }

    /// Requests at work.
    #[must_use]
    pub fn inflight(&self) -> u32 {
        self.inflight
    }

    /// Requests that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    fn admissible(&self, load: &Load, active: usize, class: Class) -> bool {
        let cap = class_limit(self.gradient.limit(), class);
        let share =
            (cap / u32::try_from(active.max(1)).unwrap_or(u32::MAX)).max(limits::ADMISSION_TENANT_MIN);
        self.inflight < cap && (load.inflight < share || self.inflight < cap - cap / HEADROOM_PARTS)
    }

    /// A request arrives.
    pub fn arrive(&mut self, tenant: TenantKey, class: Class) -> Decision {
        let known = self.tenants.contains_key(&tenant);
        let active = self.tenants.len() + usize::from(!known);
        let nobody = Load::default();
        let load = self.tenants.get(&tenant).unwrap_or(&nobody);
        // Whoever has requests waiting does not overtake them.
        if load.queue.is_empty() && self.admissible(load, active, class) {
            self.inflight += 1;
            self.tenants.entry(tenant).or_default().inflight += 1;
            return Decision::Admitted;
        }
        // What can wait is not kept waiting at the door: it is told to come back.
        if class >= Class::Bulk || self.waiting >= limits::ADMISSION_WAITING_MAX {
            return Decision::Shed;
        }
        self.next_ticket += 1;
        let load = self.tenants.entry(tenant).or_default();
        if load.queue.is_empty() {
            self.ring.push_back(tenant);
        }
        load.queue.push_back((self.next_ticket, class));
        self.waiting += 1;
        Decision::Queued(self.next_ticket)
    }

    /// A request is done; `elapsed_us` when its time says something about the lane. Returns the tickets that may
    /// work now.
    pub fn finish(&mut self, now: Micros, tenant: TenantKey, elapsed_us: Option<i64>) -> Vec<u64> {
        if let Some(elapsed) = elapsed_us {
            self.gradient.sample(now, elapsed, self.inflight);
        }
        self.inflight = self.inflight.saturating_sub(1);
        if let Some(load) = self.tenants.get_mut(&tenant) {
            load.inflight = load.inflight.saturating_sub(1);
            if load.inflight == 0 && load.queue.is_empty() {
                self.tenants.remove(&tenant);
            }
        }
        if self.waiting == 0 { Vec::new() } else { self.grant() }
    }

    /// A waiting request gives up. False when it has been let in meanwhile.
    pub fn abandon(&mut self, tenant: TenantKey, ticket: u64) -> bool {
        let Some(load) = self.tenants.get_mut(&tenant) else { return false };
        let Some(at) = load.queue.iter().position(|(id, _)| *id == ticket) else { return false };
        load.queue.remove(at);
        self.waiting -= 1;
        let (queue_empty, idle) = (load.queue.is_empty(), load.queue.is_empty() && load.inflight == 0);
        if queue_empty {
            self.ring.retain(|waiting| *waiting != tenant);
        }
        if idle {
            self.tenants.remove(&tenant);
        }
        true
    }

    /// Hands free slots round the waiting tenants.
    fn grant(&mut self) -> Vec<u64> {
        let mut granted = Vec::new();
        let mut refused_in_a_row = 0;
        while refused_in_a_row < self.ring.len() {
            let Some(tenant) = self.ring.pop_front() else { break };
            let active = self.tenants.len();
            let next = self.tenants.get(&tenant).and_then(|load| {
                let (_, class) = *load.queue.front()?;
                self.admissible(load, active, class).then_some(())
            });
            if next.is_none() {
                refused_in_a_row += 1;
                self.ring.push_back(tenant);
                continue;
            }
            refused_in_a_row = 0;
            let Some(load) = self.tenants.get_mut(&tenant) else { continue };
            if let Some((ticket, _)) = load.queue.pop_front() {
                load.inflight += 1;
                self.inflight += 1;
                self.waiting -= 1;
                granted.push(ticket);
            }
            if !load.queue.is_empty() {
                self.ring.push_back(tenant);
            }
        }
        granted
    }
}

/// One lane: decisions, and those who wait for one.
#[derive(Debug)]
pub struct Lane {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    core: Core,
    waiters: HashMap<u64, oneshot::Sender<()>>,
}

impl State {
    fn finish(&mut self, now: Micros, tenant: TenantKey, elapsed_us: Option<i64>) {
        for ticket in self.core.finish(now, tenant, elapsed_us) {
            if let Some(waiter) = self.waiters.remove(&ticket) {
                // A waiter that is gone notices in its own drop that it was let in, and gives the slot back.
                let _ = waiter.send(());
            }
        }
    }
}

/// A lane as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneReport {
    /// The limit.
    pub limit: u32,
    /// Requests at work.
    pub inflight: u32,
    /// Requests that wait.
    pub waiting: usize,
}

impl Lane {
    /// An empty lane.
    #[must_use]
    pub fn new(config: LaneConfig) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { core: Core::new(config), waiters: HashMap::new() }) })
    }

    /// How the lane stands.
    #[must_use]
    pub fn report(&self) -> LaneReport {
        let state = self.state.lock();
        LaneReport {
            limit: state.core.limit(),
            inflight: state.core.inflight(),
            waiting: state.core.waiting(),
        }
    }

    /// Lets a request in, now or within the waiting time; `None` when it is shed.
    pub async fn admit(self: &Arc<Self>, tenant: TenantKey, class: Class) -> Option<Permit> {
        let (ticket, granted) = {
            let mut state = self.state.lock();
            match state.core.arrive(tenant, class) {
                Decision::Admitted => return Some(Permit { lane: self.clone(), tenant, lesson: None }),
                Decision::Shed => return None,
                Decision::Queued(ticket) => {
                    let (sender, receiver) = oneshot::channel();
                    state.waiters.insert(ticket, sender);
                    (ticket, receiver)
                }
            }
        };
        let waiting = Waiting { lane: self, tenant, ticket, settled: false };
        let in_time = tokio::time::timeout(Duration::from_millis(limits::ADMISSION_WAIT_MS), granted).await;
        waiting.settle(matches!(in_time, Ok(Ok(()))))
    }
}

/// A place in the waiting room, given up when its caller goes away.
struct Waiting<'a> {
    lane: &'a Arc<Lane>,
    tenant: TenantKey,
    ticket: u64,
    settled: bool,
}

impl Waiting<'_> {
    fn settle(mut self, granted: bool) -> Option<Permit> {
        self.settled = true;
        // Between the end of the wait and this line the slot may still have been granted.
        let admitted = granted || !self.leave();
        admitted.then(|| Permit { lane: self.lane.clone(), tenant: self.tenant, lesson: None })
    }

    fn leave(&self) -> bool {
        let mut state = self.lane.state.lock();
        state.waiters.remove(&self.ticket);
        state.core.abandon(self.tenant, self.ticket)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.settled && !self.leave() {
            self.lane.state.lock().finish(Micros(0), self.tenant, None);
        }
    }
}

/// A slot. It is freed when it is dropped; the lane learns from it when [`Permit::took`] was told.
#[derive(Debug)]
pub struct Permit {
    lane: Arc<Lane>,
    tenant: TenantKey,
    lesson: Option<(Micros, i64)>,
}

impl Permit {
    /// The request is done and took `elapsed_us`. Not told of streams and of callers that went away: their times say
    /// nothing about the lane.
    pub fn took(&mut self, now: Micros, elapsed_us: i64) {
        self.lesson = Some((now, elapsed_us));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let (now, elapsed_us) = self.lesson.map_or((Micros(0), None), |(now, elapsed)| (now, Some(elapsed)));
        self.lane.state.lock().finish(now, self.tenant, elapsed_us);
    }
}

#[cfg(test)]
mod tests;
