//! What a node knows about the destinations of a queue: how many calls are under way, the throttle, the breaker.
//!
//! All of it is in memory and for this node alone. A restarted node learns again within a few calls; a cluster's
//! rate is the sum of its nodes' rates, which is why [`Destinations::share`] divides what the policy allows.

use crate::{
    jobs::handler::Blame,
    limits,
    model::{
        breaker::{Breaker, BreakerConfig, BreakerState},
        fairness::FlowKey,
        throttle::{Rate, Throttle},
    },
};
use plinth_kernel::{Micros, World};
use std::collections::HashMap;

/// How a destination may be used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DestinationPolicy {
    /// Calls under way at once on one node.
    pub concurrency: u32,
    /// Calls in a second, of the whole cluster.
    pub rate: Option<Rate>,
    /// When to stop calling.
    pub breaker: BreakerConfig,
}

impl Default for DestinationPolicy {
    fn default() -> Self {
        Self {
            concurrency: limits::DESTINATION_CONCURRENCY_DEFAULT,
            rate: None,
            breaker: BreakerConfig::default(),
        }
    }
}

/// A breaker that is not closed, for metrics and people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BreakerReport {
    /// Whose.
    pub tenant: String,
    /// Which destination.
    pub destination: String,
    /// What it does.
    pub state: BreakerState,
}

struct Destination {
    concurrency: u32,
    running: u32,
    throttle: Throttle,
    breaker: Breaker,
    used_at: Micros,
}

/// Which policy a tenant's destination has.
pub(crate) type PolicyFn = std::sync::Arc<dyn Fn(&str, &str) -> DestinationPolicy + Send + Sync>;

/// The destinations of one queue.
pub(crate) struct Destinations {
    policy: PolicyFn,
    nodes: u32,
    known: HashMap<(String, String), Destination>,
}

impl Destinations {
    pub fn new(policy: PolicyFn) -> Self {
        Self { policy, nodes: 1, known: HashMap::new() }
    }

    /// So many nodes share the rates from here on; destinations learned before keep their share until forgotten.
    pub fn share(&mut self, nodes: u32) {
        self.nodes = nodes.max(1);
    }

    /// How many jobs of a flow may start now, and when to look again if none.
    pub fn room(&mut self, key: &FlowKey, now: Micros) -> (u32, Option<Micros>) {
        if key.destination.is_empty() {
            return (u32::MAX, None);
        }
        let destination = self.get(key, now);
        let at_once = destination.breaker.concurrency(destination.concurrency, now);
        let room = at_once.saturating_sub(destination.running).min(destination.throttle.room(now));
        // A destination that is merely busy is looked at again when one of its calls ends.
        let again = destination.throttle.next_room(now).max(destination.breaker.next_call(now));
        (room, (room == 0 && again > now).then_some(again))
    }

    /// A job of the flow starts.
    pub fn started(&mut self, key: &FlowKey, now: Micros) {
        if !key.destination.is_empty() {
            let destination = self.get(key, now);
            destination.running += 1;
            destination.throttle.take(1, now);
            destination.breaker.started(now);
        }
    }

    /// A job of the flow has ended. `blame` of `None` means that it says nothing about the destination.
    pub fn ended(
        &mut self,
        key: &FlowKey,
        blame: Option<Blame>,
        patience_ms: u64,
        took_ms: u64,
        world: &World,
    ) {
        if key.destination.is_empty() {
            return;
        }
        let now = world.now();
        let destination = self.get(key, now);
        destination.running = destination.running.saturating_sub(1);
        match blame {
            Some(Blame::Destination) => destination.breaker.ended(true, took_ms, now, world),
            Some(Blame::Throttled) => {
                let patience_ms = patience_ms.min(limits::JOB_RETRY_AFTER_MS_MAX);
                destination.throttle.silence(now.plus_ms(i64::try_from(patience_ms).unwrap_or(i64::MAX)));
                destination.breaker.ended(false, 0, now, world);
            }
            Some(Blame::Nobody) => destination.breaker.ended(false, took_ms, now, world),
            None => {}
        }
    }

    /// Breakers that are not closed.
    pub fn report(&self, now: Micros) -> Vec<BreakerReport> {
        let open = self.known.iter().filter(|(_, d)| d.breaker.state(now) != BreakerState::Closed);
        open.map(|((tenant, destination), d)| BreakerReport {
            tenant: tenant.clone(),
            destination: destination.clone(),
            state: d.breaker.state(now),
        })
        .collect()
    }

    fn get(&mut self, key: &FlowKey, now: Micros) -> &mut Destination {
        let slot = (key.tenant.clone(), key.destination.clone());
        if self.known.len() >= limits::DESTINATIONS_MAX && !self.known.contains_key(&slot) {
            self.forget_the_oldest_tenth();
        }
        let (policy, nodes) = (&self.policy, self.nodes);
        let destination = self.known.entry(slot).or_insert_with(|| {
            let policy = policy(&key.tenant, &key.destination);
            let rate =
                policy.rate.map(|rate| Rate { per_second: rate.per_second / f64::from(nodes), ..rate });
            Destination {
                concurrency: policy.concurrency.max(1),
                running: 0,
                throttle: Throttle::new(rate),
                breaker: Breaker::new(policy.breaker),
                used_at: now,
            }
        });
        destination.used_at = now;
        destination
    }

    /// A tenth at a time, so that the search for the oldest is paid for by many newcomers.
    fn forget_the_oldest_tenth(&mut self) {
        let mut ages: Vec<Micros> =
            self.known.values().filter(|d| d.running == 0).map(|d| d.used_at).collect();
        ages.sort_unstable();
        if let Some(limit) = ages.get(ages.len() / 10).copied() {
            self.known.retain(|_, d| d.running > 0 || d.used_at > limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::JobClass;
    use std::sync::Arc;

    fn key(destination: &str) -> FlowKey {
        FlowKey { class: JobClass::Normal, tenant: "t".into(), destination: destination.into() }
    }

    #[test]
    fn a_busy_destination_has_no_room_and_no_time_to_look_again() {
        let (world, _) = World::manual(1);
        let policy = DestinationPolicy { concurrency: 2, ..DestinationPolicy::default() };
        let mut all = Destinations::new(Arc::new(move |_, _| policy));
        all.started(&key("a"), world.now());
        all.started(&key("a"), world.now());
        assert_eq!(all.room(&key("a"), world.now()), (0, None));
        assert_eq!(all.room(&key("b"), world.now()).0, 2);
        all.ended(&key("a"), Some(Blame::Nobody), 0, 1, &world);
        assert_eq!(all.room(&key("a"), world.now()).0, 1);
    }

    #[test]
    fn patience_asked_for_is_kept() {
        let (world, clock) = World::manual(1);
        let mut all = Destinations::new(Arc::new(|_, _| DestinationPolicy::default()));
        all.started(&key("a"), world.now());
        all.ended(&key("a"), Some(Blame::Throttled), 7_000, 3, &world);
        assert_eq!(all.room(&key("a"), world.now()), (0, Some(world.now().plus_ms(7_000))));
        clock.advance_ms(7_000);
        assert_eq!(all.room(&key("a"), world.now()).0, 8);
    }

    #[test]
    fn memory_is_bounded() {
        let (world, clock) = World::manual(1);
        let mut all = Destinations::new(Arc::new(|_, _| DestinationPolicy::default()));
        for n in 0..limits::DESTINATIONS_MAX + 500 {
            clock.advance_ms(1);
            let _ = all.room(&key(&n.to_string()), world.now());
        }
        assert!(all.known.len() <= limits::DESTINATIONS_MAX);
    }
}
