use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const FIXED: LaneConfig = LaneConfig { initial: 40, min: 40, max: 40 };

/// A lane in virtual time: every admitted request works for `service_us`, waiters give up after the waiting time.
struct Simulation {
    core: Core,
    now: i64,
    service_us: i64,
    /// End of work, tenant, start of the request.
    working: Vec<(i64, TenantKey, i64)>,
    /// Ticket → tenant, arrival.
    waiting: BTreeMap<u64, (TenantKey, i64)>,
    done: BTreeMap<TenantKey, Vec<i64>>,
    shed: BTreeMap<TenantKey, u32>,
}

impl Simulation {
    fn new(config: LaneConfig, service_us: i64) -> Self {
        Self {
            core: Core::new(config),
            now: 0,
            service_us,
            working: Vec::new(),
            waiting: BTreeMap::new(),
            done: BTreeMap::new(),
            shed: BTreeMap::new(),
        }
    }

    fn arrive(&mut self, tenant: TenantKey, class: Class) {
        match self.core.arrive(tenant, class) {
            Decision::Admitted => self.working.push((self.now + self.service_us, tenant, self.now)),
            Decision::Queued(ticket) => {
                self.waiting.insert(ticket, (tenant, self.now));
            }
            Decision::Shed => *self.shed.entry(tenant).or_default() += 1,
        }
    }

    /// Moves on by `step_us`: ends work, lets waiters in or give up.
    fn advance(&mut self, step_us: i64) {
        self.now += step_us;
        let (ended, working) =
            std::mem::take(&mut self.working).into_iter().partition(|(end, _, _)| *end <= self.now);
        self.working = working;
        for (_, tenant, started) in ended {
            self.done.entry(tenant).or_default().push(self.now - started);
            for ticket in self.core.finish(Micros(self.now), tenant, Some(self.service_us)) {
                let (tenant, arrived) = self.waiting.remove(&ticket).expect("granted what waits");
                self.working.push((self.now + self.service_us, tenant, arrived));
            }
        }
        let patience = limits::ADMISSION_WAIT_MS as i64 * 1_000;
        let impatient: Vec<u64> = self
            .waiting
            .iter()
            .filter(|(_, (_, at))| self.now - at >= patience)
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in impatient {
            let (tenant, _) = self.waiting.remove(&ticket).expect("it waits");
            assert!(self.core.abandon(tenant, ticket));
            *self.shed.entry(tenant).or_default() += 1;
        }
    }

    fn done(&self, tenant: TenantKey) -> usize {
        self.done.get(&tenant).map_or(0, Vec::len)
    }

    fn shed(&self, tenant: TenantKey) -> u32 {
        self.shed.get(&tenant).copied().unwrap_or(0)
    }
}

#[test]
fn a_flooding_tenant_does_not_cost_a_small_one_anything() {
    let mut sim = Simulation::new(FIXED, 10_000);
    const FLOODER: TenantKey = 1;
    const VICTIM: TenantKey = 2;
    for ms in 0..10_000 {
        // Three times what the lane can do, from one tenant; one request in 50 ms from the other.
        for _ in 0..12 {
            sim.arrive(FLOODER, Class::Read);
        }
        if ms % 50 == 0 {
            sim.arrive(VICTIM, Class::Read);
        }
        sim.advance(1_000);
    }
    assert_eq!(sim.shed(VICTIM), 0);
    assert!(sim.done(VICTIM) >= 199);
    let slowest = sim.done[&VICTIM].iter().max().copied().unwrap_or_default();
    assert!(slowest <= 20_000, "twice its time alone at most, was {slowest} µs");
    assert!(sim.shed(FLOODER) > 50_000, "the flood is what is shed");
    // The lane stays busy: 32 slots of the read class, 100 requests a second each.
    assert!(sim.done(FLOODER) > 10 * 27 * 100, "{}", sim.done(FLOODER));
}

#[test]
fn twenty_equal_tenants_get_equal_shares() {
    let mut sim = Simulation::new(FIXED, 10_000);
    for ms in 0..5_000_u64 {
        for tenant in 0..20 {
            // Each offers the same, but the low numbers always come first.
            if (ms + tenant) % 2 == 0 {
                sim.arrive(tenant, Class::Read);
            }
        }
        sim.advance(1_000);
    }
    let served: Vec<f64> = (0..20).map(|tenant| sim.done(tenant) as f64).collect();
    let (sum, squares): (f64, f64) = (served.iter().sum(), served.iter().map(|n| n * n).sum());
    let jain = sum * sum / (served.len() as f64 * squares);
    assert!(jain >= 0.95, "Jain index {jain}, {served:?}");
}

#[test]
fn under_overload_what_can_wait_goes_first_and_goodput_holds() {
    let mut sim = Simulation::new(FIXED, 10_000);
    let classes = [Class::Critical, Class::Write, Class::Read, Class::Bulk, Class::Background];
    for ms in 0..5_000 {
        for (tenant, class) in classes.into_iter().enumerate() {
            // The small classes alone would fit; reads, bulk and background are three times the capacity.
            let offered = match class {
                Class::Critical | Class::Write => u32::from(ms % 4 == 0),
                _ => 4,
            };
            for _ in 0..offered {
                sim.arrive(tenant as u64, class);
            }
        }
        sim.advance(1_000);
    }
    let rates: Vec<f64> =
        (0..5).map(|t| sim.done(t) as f64 / (sim.done(t) as f64 + f64::from(sim.shed(t)))).collect();
    assert!(rates[0] >= 0.999 && rates[1] >= 0.999, "health and writes are all served: {rates:?}");
    assert!(rates[2] > rates[3] && rates[3] >= rates[4], "then reads, bulk, background: {rates:?}");
    let goodput: usize = (0..5).map(|t| sim.done(t)).sum();
    assert!(goodput as f64 >= 0.7 * 5.0 * 40.0 * 100.0, "the lane works at its class limit: {goodput}");
}

#[tokio::test]
async fn a_caller_that_goes_away_while_waiting_leaves_no_trace() {
    let lane = Lane::new(LaneConfig { initial: 2, min: 2, max: 2 });
    let first = lane.admit(1, Class::Critical).await.expect("room");
    let second = lane.admit(1, Class::Critical).await.expect("room");
    {
        let mut waiting = Box::pin(lane.admit(1, Class::Critical));
        assert!(futures_poll(waiting.as_mut()).is_none());
        assert_eq!(lane.report().waiting, 1);
    }
    assert_eq!(lane.report().waiting, 0);
    drop((first, second));
    assert_eq!(lane.report(), LaneReport { limit: 2, inflight: 0, waiting: 0 });
}

#[tokio::test]
async fn a_granted_slot_is_given_back_when_its_caller_has_gone() {
    let lane = Lane::new(LaneConfig { initial: 2, min: 2, max: 2 });
    let held = [lane.admit(1, Class::Critical).await, lane.admit(1, Class::Critical).await];
    let mut waiting = Box::pin(lane.admit(1, Class::Critical));
    assert!(futures_poll(waiting.as_mut()).is_none());
    drop(held); // grants the waiter
    assert_eq!(lane.report().inflight, 1);
    drop(waiting); // which never looked
    assert_eq!(lane.report().inflight, 0);
}

#[tokio::test]
async fn a_waiter_is_let_in_when_a_slot_is_freed() {
    let lane = Lane::new(LaneConfig { initial: 2, min: 2, max: 2 });
    let held = [lane.admit(1, Class::Write).await, lane.admit(1, Class::Write).await];
    let waiter = tokio::spawn({
        let lane = lane.clone();
        async move { lane.admit(2, Class::Write).await.is_some() }
    });
    while lane.report().waiting == 0 {
        tokio::task::yield_now().await;
    }
    drop(held);
    assert!(waiter.await.expect("no panic"));
}

fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

proptest! {
    /// Whatever happens, the books balance: slots and waiters add up, and nothing is left when everybody has gone.
    #[test]
    fn no_slot_is_lost_or_invented(steps in proptest::collection::vec((0_u64..5, 0_usize..5, any::<bool>()), 0..400)) {
        let classes = [Class::Critical, Class::Write, Class::Read, Class::Bulk, Class::Background];
        let mut core = Core::new(LaneConfig { initial: 8, min: 8, max: 8 });
        let (mut working, mut waiting): (Vec<u64>, BTreeMap<u64, u64>) = (Vec::new(), BTreeMap::new());
        for (tenant, class, arrives) in steps {
            if arrives {
                match core.arrive(tenant, classes[class]) {
                    Decision::Admitted => working.push(tenant),
                    Decision::Queued(ticket) => { waiting.insert(ticket, tenant); }
                    Decision::Shed => {}
                }
            } else if let Some(tenant) = working.pop() {
                for ticket in core.finish(Micros(0), tenant, None) {
                    working.push(waiting.remove(&ticket).expect("it waited"));
                }
            }
            prop_assert!(core.inflight() <= 8);
            prop_assert_eq!(core.inflight() as usize, working.len());
            prop_assert_eq!(core.waiting(), waiting.len());
        }
        for (ticket, tenant) in waiting {
            prop_assert!(core.abandon(tenant, ticket));
        }
        for tenant in working {
            prop_assert!(core.finish(Micros(0), tenant, None).is_empty());
        }
        prop_assert_eq!((core.inflight(), core.waiting(), core.tenants.len(), core.ring.len()), (0, 0, 0, 0));
    }
}
