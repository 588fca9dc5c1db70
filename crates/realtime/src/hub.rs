//! The hub: every connection and every channel of this node.
//!
//! Tables are sharded so that connections do not queue for one lock; a channel's own lock orders what happens in
//! it. Two tasks serve all connections: one turns the timer wheel and sweeps unused channels, one wakes
//! connections whose coalescing window has ended. Both stop when the last handle to the hub is gone.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use plinth_kernel::ports::{Publisher, RealtimeAuth, RealtimeIdentity};
use plinth_kernel::{Id, TenantId, World};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::bucket::Bucket;
use crate::channel::{Channel, TENANT_SEPARATOR};
use crate::codes::Disconnect;
use crate::config::{HubConfig, NamespacePolicy};
use crate::limits;
use crate::protocol::{SubscribeResult, raw};
use crate::session::{Known, Opening, Phase, Session, millis};
use crate::stats::{Counters, HubStats, Transport};
use crate::wheel::Wheel;

/// A handle to the hub; clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    world: World,
    auth: Arc<dyn RealtimeAuth>,
    config: HubConfig,
    /// Names this node to clients whose commands travel apart from their stream.
    node: String,
    started: Instant,
    hasher: RandomState,
    channels: Shards<Box<str>, Arc<Channel>>,
    sessions: Shards<u64, Arc<Session>>,
    /// Connections by `tenant/user`.
    users: Shards<Box<str>, Vec<Weak<Session>>>,
    /// Connections over plain HTTP, by their secret.
    emulated: Mutex<HashMap<Box<str>, Arc<Emulated>>>,
    wheel: Mutex<Wheel<Weak<Session>>>,
    flusher: Arc<Flusher>,
    accepts: Mutex<Bucket>,
    next_session: AtomicU64,
    draining: AtomicBool,
    emptied: Notify,
    counters: Counters,
}

type Shards<K, V> = Box<[Mutex<HashMap<K, V>>]>;

fn shards<K, V>() -> Shards<K, V> {
    (0..limits::SHARDS).map(|_| Mutex::new(HashMap::new())).collect()
}

/// Connections to wake when their coalescing window ends.
#[derive(Default)]
struct Flusher {
    due: Mutex<Vec<Arc<Session>>>,
    some: Notify,
}

/// A connection whose commands arrive as separate requests; the gate keeps them one after the other.
pub(crate) struct Emulated {
    pub session: Arc<Session>,
    pub gate: tokio::sync::Mutex<()>,
}

/// What a look-up of a channel came to.
pub(crate) enum Found {
    Channel(Arc<Channel>),
    UnknownNamespace,
    Full,
}

/// A connection that may not be opened now, and when to try again.
#[derive(Debug)]
pub(crate) struct Refused {
    pub retry_after: Duration,
}

impl Hub {
    /// A hub that asks `auth` who its clients are. Starts its two tasks on the current Tokio runtime.
    #[must_use]
    pub fn new(world: World, auth: Arc<dyn RealtimeAuth>, config: HubConfig) -> Self {
        let hub = Self(Arc::new(Shared {
            node: world.token(),
            started: Instant::now(),
            hasher: RandomState::new(),
            channels: shards(),
            sessions: shards(),
            users: shards(),
            emulated: Mutex::default(),
            wheel: Mutex::new(Wheel::new(limits::WHEEL_SLOTS)),
            flusher: Arc::default(),
            accepts: Mutex::new(Bucket::full(config.accept_burst, 0)),
            next_session: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            emptied: Notify::new(),
            counters: Counters::default(),
            world,
            auth,
            config,
        }));
        tokio::spawn(turn_wheel(Arc::downgrade(&hub.0)));
        tokio::spawn(flush(Arc::downgrade(&hub.0), hub.0.flusher.clone()));
        hub
    }

    /// Publishes to a channel of a tenant, in the calling thread: the order of calls is the order of publications.
    /// It never waits for a subscriber; its cost grows with their number (about a microsecond each).
    pub fn publish(&self, tenant: &TenantId, channel: &str, data: &Value) {
        let key = key(tenant, channel);
        let data = raw(data);
        loop {
            match self.find_or_new(&key) {
                Found::Channel(found) => {
                    if found.publish(&data, None, self.now_ms(), &self.0.counters) {
                        return;
                    }
                }
                Found::UnknownNamespace => {
                    return tracing::warn!(channel = %key, "publication to a channel without a namespace policy");
                }
                Found::Full => {
                    return tracing::warn!(channel = %key, "publication dropped: too many channels");
                }
            }
        }
    }

    /// Ends every connection of a user, for instance after a logout. Returns how many there were.
    pub fn disconnect_user(&self, tenant: &TenantId, user: &str, reason: Disconnect) -> usize {
        let found = self.connections_of(tenant, user);
        found.iter().for_each(|session| session.close(reason));
        found.len()
    }

    /// Ends every connection of a user in every tenant, for ids that are unique beyond one. Returns how many there were.
    pub fn disconnect_everywhere(&self, user: &str, reason: Disconnect) -> usize {
        let mut found: Vec<Arc<Session>> = Vec::new();
        for shard in &*self.0.users {
            let users = shard.lock();
            let theirs = users
                .iter()
                .filter(|(key, _)| key.split_once(TENANT_SEPARATOR).is_some_and(|(_, name)| name == user));
            found.extend(theirs.flat_map(|(_, connections)| connections.iter().filter_map(Weak::upgrade)));
        }
        found.iter().for_each(|session| session.close(reason));
        found.len()
    }

    /// Ends a user's subscriptions to a channel, for instance after a membership ended. Clients are told, and do
    /// not subscribe again by themselves.
    pub fn unsubscribe_user(&self, tenant: &TenantId, user: &str, channel: &str) {
        for session in self.connections_of(tenant, user) {
            session.unsubscribe_by_server(channel);
        }
    }

    /// Sends every client elsewhere, spread over `window` in random order, and refuses new ones. Returns when all
    /// are gone, or have had their time to go.
    pub async fn drain(&self, window: Duration) {
        const STEP: Duration = Duration::from_millis(50);
        self.0.draining.store(true, Relaxed);
        let mut sessions: Vec<_> = self
            .0
            .sessions
            .iter()
            .flat_map(|shard| shard.lock().values().cloned().collect::<Vec<_>>())
            .collect();
        for last in (1..sessions.len()).rev() {
            sessions.swap(last, self.0.world.below(last as u64 + 1) as usize);
        }
        let steps = (window.as_millis() / STEP.as_millis()).max(1) as usize;
        let mut rest = sessions.as_slice();
        for step in 0..steps {
            let (now, later) = rest.split_at(rest.len().div_ceil(steps - step));
            now.iter().for_each(|session| session.close(Disconnect::SHUTDOWN));
            rest = later;
            if rest.is_empty() {
                break;
            }
            tokio::time::sleep(STEP).await;
        }
        drop(sessions);
        let _ = tokio::time::timeout(2 * limits::CLOSE_TIMEOUT, self.emptied()).await;
    }

    async fn emptied(&self) {
        loop {
            let notified = self.0.emptied.notified();
            if self.open_connections() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Figures for metrics.
    #[must_use]
    pub fn stats(&self) -> HubStats {
        self.0.counters.snapshot()
    }

    fn open_connections(&self) -> i64 {
        self.0.counters.connections.iter().map(|gauge| gauge.load(Relaxed)).sum()
    }

    fn shard<'s, K, V>(
        &self,
        shards: &'s Shards<K, V>,
        key: impl std::hash::Hash,
    ) -> &'s Mutex<HashMap<K, V>> {
        &shards[self.0.hasher.hash_one(key) as usize % limits::SHARDS]
    }

    fn connections_of(&self, tenant: &TenantId, user: &str) -> Vec<Arc<Session>> {
        let key = key(tenant, user);
        let users = self.shard(&self.0.users, &*key).lock();
        users.get(&*key).map(|found| found.iter().filter_map(Weak::upgrade).collect()).unwrap_or_default()
    }
}

/// For connections and transports.
impl Hub {
    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    pub(crate) fn auth(&self) -> &dyn RealtimeAuth {
        &*self.0.auth
    }

    pub(crate) fn config(&self) -> &HubConfig {
        &self.0.config
    }

    pub(crate) fn node(&self) -> &str {
        &self.0.node
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Milliseconds since the hub was made.
    pub(crate) fn now_ms(&self) -> u64 {
        millis(self.0.started.elapsed())
    }

    /// A random UUID (version 4), as clients expect for an id of theirs.
    pub(crate) fn client_id(&self) -> String {
        let mut bytes: [u8; 16] = self.0.world.bytes();
        bytes[6] = 0x40 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The policy of a channel's namespace.
    pub(crate) fn policy(&self, channel: &str) -> Option<NamespacePolicy> {
        let namespace = channel.split_once(':').map_or("", |(namespace, _)| namespace);
        self.0.config.namespaces.get(namespace).copied()
    }

    /// The channel of a tenant, made if need be.
    pub(crate) fn channel_or_new(&self, tenant: &TenantId, name: &str) -> Found {
        self.find_or_new(&key(tenant, name))
    }

    fn find_or_new(&self, key: &str) -> Found {
        let mut channels = self.shard(&self.0.channels, key).lock();
        if let Some(found) = channels.get(key) {
            return Found::Channel(found.clone());
        }
        let name = key.split_once(TENANT_SEPARATOR).map_or(key, |(_, name)| name);
        let Some(policy) = self.policy(name) else { return Found::UnknownNamespace };
        if self.0.counters.channels.load(Relaxed) >= limits::CHANNELS_MAX as i64 {
            return Found::Full;
        }
        let epoch = self.0.world.token();
        let channel = Arc::new(Channel::new(key, policy, epoch, self.now_ms()));
        channels.insert(key.into(), channel.clone());
        self.0.counters.channels.fetch_add(1, Relaxed);
        Found::Channel(channel)
    }

    /// Whether one more connection may be opened now.
    pub(crate) fn accept(&self) -> Result<(), Refused> {
        let config = &self.0.config;
        let room = !self.0.draining.load(Relaxed)
            && self.open_connections() < config.connections as i64
            && self.0.counters.pending.load(Relaxed) < config.pending_connections as i64
            && self.0.accepts.lock().take(config.accepts_per_second, config.accept_burst, self.now_ms());
        if room {
            return Ok(());
        }
        self.0.counters.refused.fetch_add(1, Relaxed);
        let seconds = 1 + self.0.world.below(limits::ACCEPT_RETRY_AFTER_SECONDS_MAX);
        Err(Refused { retry_after: Duration::from_secs(seconds) })
    }

    /// Enters a new connection into the tables.
    pub(crate) fn open(&self, opening: Opening) -> Arc<Session> {
        let no = self.0.next_session.fetch_add(1, Relaxed);
        let emulated = opening.transport != Transport::WebSocket;
        let secret = if emulated { self.0.world.token() } else { String::new() };
        let session = Session::new(no, self.clone(), opening, secret);
        self.counters().connections_of(session.transport).fetch_add(1, Relaxed);
        self.counters().pending.fetch_add(1, Relaxed);
        self.shard(&self.0.sessions, no).lock().insert(no, session.clone());
        if emulated {
            let entry = Emulated { session: session.clone(), gate: tokio::sync::Mutex::default() };
            self.0.emulated.lock().insert(session.secret.clone(), Arc::new(entry));
        }
        session.schedule(self.now_ms() + millis(self.0.config.stale_timeout));
        if self.0.draining.load(Relaxed) {
            session.close(Disconnect::SHUTDOWN);
        }
        session
    }

    /// The connection over plain HTTP that has this secret.
    pub(crate) fn emulated(&self, secret: &str) -> Option<Arc<Emulated>> {
        self.0.emulated.lock().get(secret).cloned()
    }

    /// Notes that a connection knows who it is.
    pub(crate) fn authenticated(&self) {
        self.counters().pending.fetch_sub(1, Relaxed);
    }

    /// Counts a connection to its user's; `false` when that user has too many. Anonymous ones are not one user.
    pub(crate) fn add_user_connection(&self, session: &Arc<Session>, who: &RealtimeIdentity) -> bool {
        if who.user.is_empty() {
            return true;
        }
        let key = key(&who.tenant, &who.user);
        let mut users = self.shard(&self.0.users, &*key).lock();
        let connections = users.entry(key.into()).or_default();
        let room = connections.len() < self.0.config.connections_per_user;
        if room {
            connections.push(Arc::downgrade(session));
        }
        room
    }

    /// Takes a connection that has left its channels out of the tables.
    pub(crate) fn forget(&self, session: &Session, phase: Phase, who: Option<&Known>) {
        if let Some(known) = who {
            let key = key(&known.identity.tenant, &known.identity.user);
            let mut users = self.shard(&self.0.users, &*key).lock();
            if let Some(connections) = users.get_mut(&*key) {
                connections.retain(|held| !std::ptr::eq(held.as_ptr(), session));
                if connections.is_empty() {
                    users.remove(&*key);
                }
            }
        }
        if !session.secret.is_empty() {
            self.0.emulated.lock().remove(&session.secret);
        }
        self.shard(&self.0.sessions, session.no).lock().remove(&session.no);
        if phase != Phase::Ready {
            self.counters().pending.fetch_sub(1, Relaxed);
        }
        self.counters().connections_of(session.transport).fetch_sub(1, Relaxed);
        if self.open_connections() == 0 {
            self.0.emptied.notify_waiters();
        }
    }

    pub(crate) fn count_recovery(&self, result: &SubscribeResult) {
        match (result.was_recovering, result.recovered) {
            (false, _) => return,
            (true, true) => &self.0.counters.recoveries,
            (true, false) => &self.0.counters.recoveries_failed,
        }
        .fetch_add(1, Relaxed);
    }

    /// Wakes a connection's writer when the current coalescing window ends.
    pub(crate) fn wake_soon(&self, session: Arc<Session>) {
        let mut due = self.0.flusher.due.lock();
        due.push(session);
        if due.len() == 1 {
            self.0.flusher.some.notify_one();
        }
    }

    /// Puts a connection on the wheel, unless it is on it earlier; `scheduled` is where it is now.
    pub(crate) fn schedule(&self, session: &Arc<Session>, due_ms: u64, scheduled: &AtomicU64) {
        let tick = due_ms.div_ceil(millis(limits::WHEEL_TICK));
        // Compared under the lock, so that of two callers the earlier deadline stays.
        let mut wheel = self.0.wheel.lock();
        if tick < scheduled.load(Relaxed) {
            scheduled.store(wheel.set(tick, Arc::downgrade(session)), Relaxed);
        }
    }

    fn turn(&self, due: &mut Vec<(u64, Weak<Session>)>, turns: usize) {
        let now_ms = self.now_ms();
        self.0.wheel.lock().advance(now_ms / millis(limits::WHEEL_TICK), due);
        for (tick, session) in due.drain(..) {
            let Some(session) = session.upgrade() else { continue };
            if session.is_scheduled_at(tick)
                && let Some(next_ms) = session.on_timer(now_ms)
            {
                session.schedule(next_ms);
            }
        }
        self.sweep(&self.0.channels[turns % limits::SHARDS], now_ms);
    }

    fn sweep(&self, shard: &Mutex<HashMap<Box<str>, Arc<Channel>>>, now_ms: u64) {
        let mut channels = shard.lock();
        let before = channels.len();
        channels.retain(|_, channel| !channel.sweep(now_ms));
        let swept = before - channels.len();
        if swept > 0 {
            self.0.counters.channels.fetch_sub(swept as i64, Relaxed);
            if channels.capacity() > 4 * channels.len() {
                channels.shrink_to_fit();
            }
        }
    }
}

/// `tenant/name`: a tenant id holds no separator, so no two pairs share a key.
fn key(tenant: &TenantId, name: &str) -> String {
    let tenant = tenant.as_str();
    let mut key = String::with_capacity(tenant.len() + 1 + name.len());
    key.push_str(tenant);
    key.push(TENANT_SEPARATOR);
    key.push_str(name);
    key
}

/// Turns the timer wheel and sweeps one shard of channels a tick.
async fn turn_wheel(hub: Weak<Shared>) {
    let mut ticks = tokio::time::interval(limits::WHEEL_TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut due = Vec::new();
    for turns in 0_usize.. {
        ticks.tick().await;
        let Some(shared) = hub.upgrade() else { return };
        Hub(shared).turn(&mut due, turns);
    }
}

/// Wakes deferred writers, one coalescing window after the first of them was deferred.
async fn flush(hub: Weak<Shared>, flusher: Arc<Flusher>) {
    while hub.strong_count() > 0 {
        flusher.some.notified().await;
        tokio::time::sleep(limits::COALESCE_WINDOW).await;
        let due = std::mem::take(&mut *flusher.due.lock());
        for session in due {
            session.outbox.wake();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.flusher.some.notify_one();
    }
}

impl Publisher for Hub {
    /// Publishes to `<tenant>/<channel>`.
    fn publish(&self, channel: &str, data: &Value) {
        let parsed = channel
            .split_once(TENANT_SEPARATOR)
            .and_then(|(tenant, name)| Some((TenantId::parse(tenant).ok()?, name)));
        match parsed {
            Some((tenant, name)) => Hub::publish(self, &tenant, name, data),
            None => tracing::warn!(channel, "publication to a channel without a tenant"),
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub({:?})", self.stats())
    }
}
