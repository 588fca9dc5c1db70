//! A channel: its position, its recent publications and its subscribers, behind one lock.
//!
//! The lock is what makes recovery exact without any dance: a subscriber is added, and its reply with what it
//! missed is queued, while nothing can be published; so the reply stands before every later publication in the
//! connection's queue. Publishing costs one encoding, and for each subscriber a clone of a shared buffer and a
//! push to a queue; no subscriber can make the publisher wait.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;

use crate::codec::Encoded;
use crate::codes::ErrorCode;
use crate::config::NamespacePolicy;
use crate::limits;
use crate::protocol::{
    ClientInfo, HistoryRequest, HistoryResult, Position, Presence, PresenceStatsResult, Publication,
    PushBody, Raw, SubscribeResult,
};
use crate::ring::Ring;
use crate::session::Session;
use crate::stats::Counters;

/// What separates the tenant from the channel in a key; no tenant id contains it.
pub(crate) const TENANT_SEPARATOR: char = '/';

/// A channel of one tenant.
pub(crate) struct Channel {
    /// `tnt_…/name`: what the hub files it under, so that no two tenants can ever share one.
    key: Box<str>,
    name_at: usize,
    pub(crate) policy: NamespacePolicy,
    state: Mutex<State>,
}

struct State {
    /// Names this life of the channel: a position from another life means nothing here.
    epoch: Box<str>,
    top: u64,
    ring: Ring,
    subscribers: HashMap<u64, Subscriber>,
    used_ms: u64,
    /// Swept away: whoever still holds this channel must look it up again.
    gone: bool,
}

struct Subscriber {
    session: Arc<Session>,
    info: Arc<ClientInfo>,
    join_leave: bool,
}

/// How somebody wants to subscribe.
pub(crate) struct Wish {
    pub position: Position,
    pub join_leave: bool,
    pub reject_unrecovered: bool,
}

/// Why a subscription did not come about.
pub(crate) enum Refusal {
    /// The channel was swept away in between: look it up again.
    Gone,
    /// The missed publications are not all there, and the client wants all or nothing.
    Unrecoverable,
}

impl Channel {
    /// A channel without history. `key` is the tenant, the separator and the name.
    pub(crate) fn new(key: &str, policy: NamespacePolicy, epoch: String, now_ms: u64) -> Self {
        let state = State {
            epoch: epoch.into(),
            top: 0,
            ring: Ring::default(),
            subscribers: HashMap::new(),
            used_ms: now_ms,
            gone: false,
        };
        let name_at = key.find(TENANT_SEPARATOR).map_or(0, |at| at + 1);
        Self { key: key.into(), name_at, policy, state: Mutex::new(state) }
    }

    /// The name clients use.
    pub(crate) fn name(&self) -> &str {
        &self.key[self.name_at..]
    }

    /// Adds a subscriber. `reply` queues the answer, before anything can be published.
    pub(crate) fn subscribe(
        &self,
        session: &Arc<Session>,
        info: &Arc<ClientInfo>,
        wish: &Wish,
        reply: impl FnOnce(SubscribeResult),
    ) -> Result<(), Refusal> {
        let now_ms = session.hub.now_ms();
        let mut state = self.state.lock();
        if state.gone {
            return Err(Refusal::Gone);
        }
        state.ring.expire(now_ms, &self.policy.ring());
        let result = self.position(&state, &wish.position);
        session.hub.count_recovery(&result);
        if result.was_recovering && !result.recovered && wish.reject_unrecovered {
            return Err(Refusal::Unrecoverable);
        }
        state.used_ms = now_ms;
        let join_leave = self.policy.join_leave && (wish.join_leave || self.policy.join_leave_forced);
        let subscriber = Subscriber { session: session.clone(), info: info.clone(), join_leave };
        state.subscribers.insert(session.no, subscriber);
        session.hub.counters().subscriptions.fetch_add(1, Relaxed);
        reply(result);
        self.announce(&state, info, now_ms, PushBody::Join);
        Ok(())
    }

    /// Where a new subscriber stands, with what it missed if all of it is there.
    fn position(&self, state: &State, from: &Position) -> SubscribeResult {
        if !self.policy.recoverable() {
            return SubscribeResult { was_recovering: from.recover, ..SubscribeResult::default() };
        }
        let mut result = SubscribeResult {
            recoverable: true,
            positioned: true,
            epoch: state.epoch.to_string(),
            offset: state.top,
            was_recovering: from.recover,
            ..SubscribeResult::default()
        };
        if !from.recover || !(from.epoch.is_empty() || *from.epoch == *state.epoch) {
            return result;
        }
        if let Some(missed) = state.ring.after(from.offset, state.top).and_then(within_bounds) {
            result.recovered = true;
            // Clients count up from their own position while they take in what they missed.
            result.offset = from.offset;
            result.publications = missed;
        }
        result
    }

    /// Takes a subscriber out; says whether it was in.
    pub(crate) fn unsubscribe(&self, session: &Session) -> bool {
        let now_ms = session.hub.now_ms();
        let mut state = self.state.lock();
        let Some(subscriber) = state.subscribers.remove(&session.no) else { return false };
        session.hub.counters().subscriptions.fetch_sub(1, Relaxed);
        state.used_ms = now_ms;
        if state.subscribers.is_empty() {
            state.subscribers = HashMap::new();
        }
        self.announce(&state, &subscriber.info, now_ms, PushBody::Leave);
        true
    }

    fn announce<'i>(
        &self,
        state: &State,
        info: &'i ClientInfo,
        now_ms: u64,
        body: impl FnOnce(Presence<'i>) -> PushBody<'i>,
    ) {
        if !self.policy.join_leave || state.subscribers.len() > limits::JOIN_LEAVE_SUBSCRIBERS_MAX {
            return;
        }
        let frame = Encoded::push(self.name(), body(Presence { info }));
        for subscriber in state.subscribers.values().filter(|subscriber| subscriber.join_leave) {
            subscriber.session.deliver(&frame, true, now_ms);
        }
    }

    /// Gives a publication its place and hands it to every subscriber. `false` when the channel was swept away.
    pub(crate) fn publish(
        &self,
        data: &Raw,
        info: Option<Arc<ClientInfo>>,
        now_ms: u64,
        counters: &Counters,
    ) -> bool {
        let mut state = self.state.lock();
        if state.gone {
            return false;
        }
        state.used_ms = now_ms;
        counters.publications.fetch_add(1, Relaxed);
        let ephemeral = !self.policy.recoverable();
        if !ephemeral {
            state.top += 1;
        }
        let publication = Publication { data: data.clone(), offset: state.top, info };
        if !state.subscribers.is_empty() {
            let frame = Encoded::push(self.name(), PushBody::Pub(&publication));
            for subscriber in state.subscribers.values() {
                subscriber.session.deliver(&frame, ephemeral, now_ms);
            }
            counters.deliveries.fetch_add(state.subscribers.len() as u64, Relaxed);
        }
        if !ephemeral {
            state.ring.push(Arc::new(publication), now_ms, &self.policy.ring());
        }
        true
    }

    /// Answers a `history` command.
    pub(crate) fn history(&self, request: &HistoryRequest, now_ms: u64) -> Result<HistoryResult, ErrorCode> {
        let mut state = self.state.lock();
        state.ring.expire(now_ms, &self.policy.ring());
        if let Some(since) = &request.since
            && !since.epoch.is_empty()
            && *since.epoch != *state.epoch
        {
            return Err(ErrorCode::UnrecoverablePosition);
        }
        let cap = limits::HISTORY_PUBLICATIONS_MAX;
        let limit = usize::try_from(request.limit).map_or(cap, |limit| limit.min(cap));
        let since = request.since.as_ref().map(|since| since.offset);
        let publications = if request.reverse {
            state.ring.backward(since.unwrap_or(u64::MAX)).take(limit).cloned().collect()
        } else {
            state.ring.forward(since.unwrap_or(0)).take(limit).cloned().collect()
        };
        Ok(HistoryResult { publications, epoch: state.epoch.to_string(), offset: state.top })
    }

    /// Who is subscribed, by client id; `None` when there are too many to list.
    pub(crate) fn presence(&self) -> Option<BTreeMap<String, Arc<ClientInfo>>> {
        let state = self.state.lock();
        if state.subscribers.len() > limits::PRESENCE_CLIENTS_MAX {
            return None;
        }
        Some(
            state.subscribers.values().map(|entry| (entry.info.client.clone(), entry.info.clone())).collect(),
        )
    }

    /// How many are subscribed.
    pub(crate) fn presence_stats(&self) -> PresenceStatsResult {
        let state = self.state.lock();
        let users: HashSet<&str> = state.subscribers.values().map(|entry| entry.info.user.as_str()).collect();
        PresenceStatsResult { num_clients: state.subscribers.len() as u32, num_users: users.len() as u32 }
    }

    /// Lets go of publications past their time; `true` when the channel itself is past its time and now gone.
    pub(crate) fn sweep(&self, now_ms: u64) -> bool {
        let mut state = self.state.lock();
        state.ring.expire(now_ms, &self.policy.ring());
        if !state.subscribers.is_empty() {
            return false;
        }
        // A channel that was never written to has little to remember, and any subscriber can make one.
        let kept = match state.top {
            _ if !self.policy.recoverable() => std::time::Duration::ZERO,
            0 => self.policy.history_ttl,
            _ => self.policy.position_ttl.max(self.policy.history_ttl),
        };
        state.gone = state.used_ms.saturating_add(kept.as_millis() as u64) <= now_ms;
        state.gone
    }
}

/// Collects what was missed, unless it is more than one frame should carry.
fn within_bounds<'r>(missed: impl Iterator<Item = &'r Arc<Publication>>) -> Option<Vec<Arc<Publication>>> {
    let mut bytes = 0;
    let mut found = Vec::new();
    for publication in missed {
        bytes += publication.size();
        if bytes > limits::RECOVERY_BYTES_MAX || found.len() == limits::RECOVERY_PUBLICATIONS_MAX {
            return None;
        }
        found.push(publication.clone());
    }
    Some(found)
}
