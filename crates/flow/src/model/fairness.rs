//! Which job starts next: deficit round robin over tenants, in the currency of slot time.
//!
//! A queue has a number of slots. What is shared is *time in a slot*, not a number of jobs: a tenant whose
//! destination hangs for fifteen seconds pays fifteen seconds. Three levels, each work-conserving:
//! 1. classes share by weight (smooth weighted round robin), so bulk work is slowed and never starved;
//! 2. tenants of a class share by deficit round robin;
//! 3. destinations of a tenant take turns.
//!
//! Nobody may fill the queue: the last quarter of the slots is for tenants that have nothing running, so
//! that a newcomer never waits for a hanging call of somebody else.

use crate::{limits, model::job::JobClass};
use std::collections::{BTreeMap, HashMap};

/// Slot time that a tenant earns in one round.
const QUANTUM_MS: i64 = 10;
/// What a job is taken to cost before one has been measured.
const COST_MS_DEFAULT: i64 = 10;
/// The deepest debt: what a tenant ran up while nobody else wanted the slots is forgiven beyond this.
const DEBT_MS_MAX: i64 = 60_000;

/// A stream of jobs that are interchangeable for the picker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// How urgent.
    pub class: JobClass,
    /// Whose.
    pub tenant: String,
    /// Where its effect goes; empty when the job has no destination.
    pub destination: String,
}

/// A flow with ready jobs, and how many of them its throttle, breaker and concurrency let start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which flow.
    pub key: FlowKey,
    /// How many may start.
    pub room: u32,
}

#[derive(Debug, Clone, Copy)]
struct Account {
    /// Slot time that the tenant may still use in this round; negative when it used more than it had.
    deficit_ms: i64,
    /// Moving average of what its jobs cost.
    cost_ms: i64,
}

impl Default for Account {
    fn default() -> Self {
        Self { deficit_ms: 0, cost_ms: COST_MS_DEFAULT }
    }
}

/// The books of one queue on one node.
#[derive(Debug, Clone)]
pub struct Fairness {
    slots: u32,
    accounts: BTreeMap<(JobClass, String), Account>,
    class_credit: HashMap<JobClass, i64>,
    /// Whose turn it was last in each class; it goes on while it can pay.
    turn: HashMap<JobClass, String>,
    /// Which destination of a tenant was served last.
    served: HashMap<(JobClass, String), String>,
    running: HashMap<String, u32>,
    running_total: u32,
}

/// A tenant's flows while jobs are being picked.
struct Contender {
    flows: Vec<(String, u32)>,
}

type Contenders = BTreeMap<JobClass, BTreeMap<String, Contender>>;

impl Fairness {
    /// The books of a queue with so many slots.
    #[must_use]
    pub fn new(slots: u32) -> Self {
        Self {
            slots: slots.max(1),
            accounts: BTreeMap::new(),
            class_credit: HashMap::new(),
            turn: HashMap::new(),
            served: HashMap::new(),
            running: HashMap::new(),
            running_total: 0,
        }
    }

    /// Slots that are free.
    #[must_use]
    pub fn free(&self) -> u32 {
        self.slots.saturating_sub(self.running_total)
    }

    /// Slots that one tenant may hold while others wait or may come.
    #[must_use]
    pub fn tenant_cap(&self, tenants: u32) -> u32 {
        let reserve = self.slots / 4;
        let fair = 2 * self.slots / tenants.max(1);
        fair.max(2).min(self.slots - reserve).max(1)
    }

    /// Decides which flows start how many jobs: at most `max`, at most the free slots. The choice is charged
    /// at once; [`Fairness::settle`] puts the charge right when the true cost is known, and
    /// [`Fairness::unpick`] takes it back for a job that was gone when it was claimed.
    pub fn pick(&mut self, max: u32, candidates: &[Candidate]) -> Vec<(FlowKey, u32)> {
        let mut contenders = group(candidates);
        self.forget_idle(&contenders);
        let mut picked: BTreeMap<FlowKey, u32> = BTreeMap::new();
        for _ in 0..max.min(self.free()) {
            self.drop_full(&mut contenders);
            let Some(class) = self.next_class(&contenders) else { break };
            let Some(key) = contenders.get_mut(&class).and_then(|tenants| self.next_job(class, tenants))
            else {
                break;
            };
            *picked.entry(key).or_default() += 1;
        }
        picked.into_iter().collect()
    }

    /// A picked job was not there any more.
    pub fn unpick(&mut self, key: &FlowKey) {
        let account = self.account(key.class, &key.tenant);
        account.deficit_ms += account.cost_ms;
        self.release(&key.tenant);
    }

    /// A job has left its slot after `took_ms`.
    pub fn settle(&mut self, key: &FlowKey, took_ms: u64) {
        let took = i64::try_from(took_ms).unwrap_or(DEBT_MS_MAX).clamp(1, DEBT_MS_MAX);
        let account = self.account(key.class, &key.tenant);
        account.deficit_ms = (account.deficit_ms + account.cost_ms - took).max(-DEBT_MS_MAX);
        account.cost_ms = (account.cost_ms * 7 + took).div_euclid(8).max(1);
        self.release(&key.tenant);
    }

    /// Jobs of a tenant that hold a slot.
    #[must_use]
    pub fn running(&self, tenant: &str) -> u32 {
        self.running.get(tenant).copied().unwrap_or(0)
    }

    fn account(&mut self, class: JobClass, tenant: &str) -> &mut Account {
        self.accounts.entry((class, tenant.to_owned())).or_default()
    }

    fn release(&mut self, tenant: &str) {
        self.running_total = self.running_total.saturating_sub(1);
        if let Some(n) = self.running.get_mut(tenant) {
            *n -= 1;
            if *n == 0 {
                self.running.remove(tenant);
            }
        }
    }

    /// A tenant without work earns nothing for its absence, but its debts stay. Bounded: when there are too
    /// many accounts, those without debt go.
    fn forget_idle(&mut self, contenders: &Contenders) {
        for ((class, tenant), account) in &mut self.accounts {
            let active = contenders.get(class).is_some_and(|tenants| tenants.contains_key(tenant));
            if !active {
                account.deficit_ms = account.deficit_ms.min(0);
            }
        }
        if self.accounts.len() > limits::ACCOUNTS_MAX {
            self.accounts.retain(|_, account| account.deficit_ms < 0);
            self.served.clear();
        }
        while self.accounts.len() > limits::ACCOUNTS_MAX {
            self.accounts.pop_first();
        }
    }

    /// Removes what cannot start another job: flows without room and tenants at their cap.
    fn drop_full(&self, contenders: &mut Contenders) {
        let tenants: std::collections::BTreeSet<&String> =
            contenders.values().flat_map(BTreeMap::keys).chain(self.running.keys()).collect();
        let cap = self.tenant_cap(u32::try_from(tenants.len()).unwrap_or(u32::MAX));
        for tenants in contenders.values_mut() {
            tenants.retain(|tenant, contender| {
                contender.flows.retain(|(_, room)| *room > 0);
                !contender.flows.is_empty() && self.running(tenant) < cap
            });
        }
        contenders.retain(|_, tenants| !tenants.is_empty());
    }

    /// Smooth weighted round robin: every class with work earns its weight, the richest one goes and pays
    /// the sum of all weights.
    fn next_class(&mut self, contenders: &Contenders) -> Option<JobClass> {
        let total: i64 = contenders.keys().map(|class| class.weight()).sum();
        for class in contenders.keys() {
            *self.class_credit.entry(*class).or_default() += class.weight();
        }
        self.class_credit.retain(|class, _| contenders.contains_key(class));
        let class = *contenders
            .keys()
            .max_by_key(|class| (self.class_credit.get(class).copied(), std::cmp::Reverse(**class)))?;
        *self.class_credit.entry(class).or_default() -= total;
        Some(class)
    }

    /// Takes one job of the class: of the tenant whose turn it is if it can pay, else of the next who can.
    fn next_job(&mut self, class: JobClass, tenants: &mut BTreeMap<String, Contender>) -> Option<FlowKey> {
        let ring = self.ring(class, tenants);
        self.skip_poor_rounds(class, &ring);
        let mut first = true;
        loop {
            for tenant in &ring {
                let on_turn = first && self.turn.get(&class) == Some(tenant);
                let account = self.account(class, tenant);
                if !on_turn {
                    account.deficit_ms += QUANTUM_MS;
                }
                if account.deficit_ms >= account.cost_ms {
                    account.deficit_ms -= account.cost_ms;
                    self.turn.insert(class, tenant.clone());
                    return tenants.get_mut(tenant).map(|c| self.take(class, tenant, c));
                }
                first = false;
            }
            if ring.is_empty() {
                return None;
            }
        }
    }

    /// The tenants in order of their turns, the one whose turn it is first.
    fn ring(&self, class: JobClass, tenants: &BTreeMap<String, Contender>) -> Vec<String> {
        let mut ring: Vec<String> = tenants.keys().cloned().collect();
        if let Some(turn) = self.turn.get(&class) {
            let at = ring.partition_point(|tenant| tenant < turn);
            let len = ring.len().max(1);
            ring.rotate_left(at % len);
        }
        ring
    }

    /// When all are deep in debt, grants the rounds in which nobody could pay in one step.
    fn skip_poor_rounds(&mut self, class: JobClass, ring: &[String]) {
        let short = |account: &Account| (account.cost_ms - account.deficit_ms).max(0);
        let least = ring.iter().map(|tenant| short(self.account(class, tenant))).min().unwrap_or(0);
        let rounds = (least / QUANTUM_MS - 1).max(0);
        for tenant in ring {
            self.account(class, tenant).deficit_ms += rounds * QUANTUM_MS;
        }
    }

    /// One job of this tenant, from the destination after the one served last.
    fn take(&mut self, class: JobClass, tenant: &str, contender: &mut Contender) -> FlowKey {
        let slot = (class, tenant.to_owned());
        let last = self.served.get(&slot);
        let at = match last {
            Some(last) => contender.flows.iter().position(|(destination, _)| destination > last),
            None => None,
        }
        .unwrap_or(0);
        let (destination, room) = &mut contender.flows[at];
        *room -= 1;
        let destination = destination.clone();
        self.served.insert(slot, destination.clone());
        *self.running.entry(tenant.to_owned()).or_default() += 1;
        self.running_total += 1;
        FlowKey { class, tenant: tenant.to_owned(), destination }
    }
}

fn group(candidates: &[Candidate]) -> Contenders {
    let mut contenders = Contenders::new();
    for candidate in candidates.iter().filter(|candidate| candidate.room > 0) {
        let key = &candidate.key;
        contenders
            .entry(key.class)
            .or_default()
            .entry(key.tenant.clone())
            .or_insert_with(|| Contender { flows: Vec::new() })
            .flows
            .push((key.destination.clone(), candidate.room));
    }
    for contender in contenders.values_mut().flat_map(BTreeMap::values_mut) {
        contender.flows.sort();
    }
    contenders
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(class: JobClass, tenant: &str, destination: &str) -> FlowKey {
        FlowKey { class, tenant: tenant.into(), destination: destination.into() }
    }

    fn flow(tenant: &str, room: u32) -> Candidate {
        Candidate { key: key(JobClass::Normal, tenant, ""), room }
    }

    /// Runs `rounds` picks in which every job takes `cost(tenant)`, and counts the slot time of each tenant.
    fn simulate(
        fairness: &mut Fairness,
        rounds: usize,
        flows: &[Candidate],
        cost: impl Fn(&str) -> u64,
    ) -> BTreeMap<String, u64> {
        let mut time = BTreeMap::new();
        for _ in 0..rounds {
            for (key, n) in fairness.pick(4, flows) {
                for _ in 0..n {
                    *time.entry(key.tenant.clone()).or_default() += cost(&key.tenant);
                    fairness.settle(&key, cost(&key.tenant));
                }
            }
        }
        time
    }

    #[test]
    fn a_flooder_and_a_small_tenant_take_turns() {
        let mut fairness = Fairness::new(8);
        let picked = fairness.pick(6, &[flow("flooder", 10_000), flow("small", 2)]);
        let count = |tenant: &str| picked.iter().find(|(key, _)| key.tenant == tenant).map_or(0, |(_, n)| *n);
        assert_eq!((count("small"), count("flooder")), (2, 4));
    }

    #[test]
    fn slot_time_is_shared_not_the_number_of_jobs() {
        let mut fairness = Fairness::new(16);
        let flows = [flow("slow", 1_000), flow("fast", 1_000)];
        let time = simulate(&mut fairness, 4_000, &flows, |t| if t == "slow" { 200 } else { 5 });
        let ratio = time["slow"] as f64 / time["fast"] as f64;
        assert!((0.85..1.15).contains(&ratio), "{time:?}");
    }

    #[test]
    fn twenty_equal_tenants_get_equal_shares() {
        let mut fairness = Fairness::new(16);
        let flows: Vec<Candidate> = (0..20).map(|n| flow(&format!("t{n:02}"), 1_000)).collect();
        let time = simulate(&mut fairness, 2_000, &flows, |_| 12);
        let sum: f64 = time.values().map(|t| *t as f64).sum();
        let squares: f64 = time.values().map(|t| (*t as f64).powi(2)).sum();
        let jain = sum * sum / (20.0 * squares);
        assert!(jain > 0.999, "Jain index {jain}: {time:?}");
    }

    #[test]
    fn the_last_quarter_of_the_slots_is_for_newcomers() {
        let mut fairness = Fairness::new(16);
        let hanging: u32 = fairness.pick(64, &[flow("a", 10_000)]).iter().map(|(_, n)| n).sum();
        assert_eq!(hanging, 12);
        let newcomer = fairness.pick(64, &[flow("a", 10_000), flow("b", 1)]);
        assert_eq!(newcomer, [(key(JobClass::Normal, "b", ""), 1)]);
    }

    #[test]
    fn classes_share_by_weight_and_none_starves() {
        let mut fairness = Fairness::new(1_024);
        let flows: Vec<Candidate> = JobClass::ALL
            .iter()
            .flat_map(|class| ["a", "b"].map(|t| Candidate { key: key(*class, t, ""), room: 1_000 }))
            .collect();
        let picked = fairness.pick(130, &flows);
        let count =
            |class| -> u32 { picked.iter().filter(|(key, _)| key.class == class).map(|(_, n)| n).sum() };
        assert_eq!((count(JobClass::Urgent), count(JobClass::Normal), count(JobClass::Bulk)), (80, 40, 10));
    }

    #[test]
    fn destinations_of_a_tenant_take_turns() {
        let mut fairness = Fairness::new(16);
        let flows = ["x", "y", "z"].map(|d| Candidate { key: key(JobClass::Normal, "a", d), room: 100 });
        let picked = fairness.pick(6, &flows);
        assert!(picked.iter().all(|(_, n)| *n == 2), "{picked:?}");
    }

    #[test]
    fn a_debtor_alone_still_gets_every_slot_it_may_have() {
        let mut fairness = Fairness::new(8);
        for _ in 0..20 {
            for (key, n) in fairness.pick(8, &[flow("slow", 100)]) {
                (0..n).for_each(|_| fairness.settle(&key, 15_000));
            }
        }
        let picked: u32 = fairness.pick(8, &[flow("slow", 100)]).iter().map(|(_, n)| n).sum();
        assert_eq!(picked, 6);
    }

    proptest! {
        /// Work-conserving and bounded: it picks as many as the room, the caps and the slots allow, never
        /// more of a flow than it has room, and the books balance.
        #[test]
        fn picks_are_bounded_and_complete(slots in 1u32..64, max in 0u32..80,
                                          rooms in proptest::collection::vec((0usize..3, 0u8..5, 0u8..3, 0u32..20), 0..20)) {
            let mut flows: BTreeMap<FlowKey, u32> = BTreeMap::new();
            for (class, tenant, destination, room) in rooms {
                flows.insert(key(JobClass::ALL[class], &format!("t{tenant}"), &format!("d{destination}")), room);
            }
            let candidates: Vec<Candidate> =
                flows.iter().map(|(key, room)| Candidate { key: key.clone(), room: *room }).collect();
            let mut fairness = Fairness::new(slots);
            let picked = fairness.pick(max, &candidates);
            let total: u32 = picked.iter().map(|(_, n)| n).sum();
            for (key, n) in &picked { prop_assert!(*n <= flows[key]); }
            let mut by_tenant: BTreeMap<&str, u32> = BTreeMap::new();
            for (key, room) in &flows { *by_tenant.entry(&key.tenant).or_default() += room; }
            by_tenant.retain(|_, room| *room > 0);
            let cap = fairness.tenant_cap(by_tenant.len() as u32);
            let possible: u32 = by_tenant.values().map(|room| (*room).min(cap)).sum();
            // Caps widen as tenants run dry, so the exact total lies between the two bounds.
            prop_assert!(total <= max.min(slots));
            prop_assert!(total >= possible.min(max).min(slots), "{total} of {possible}, cap {cap}");
            for (key, n) in picked { (0..n).for_each(|_| fairness.settle(&key, 3)); }
            prop_assert_eq!(fairness.free(), slots);
        }
    }
}
