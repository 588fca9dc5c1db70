//! A connection as the hub knows it, whatever transport carries it: who it is, what it hears, when it must be
//! heard from. Commands are in `commands`; transports read and write, and call [`Session::end`] when they stop.
//!
//! Lock order: a channel's lock may be held while a session's queue is locked, never while its state is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use plinth_kernel::Micros;
use plinth_kernel::ports::{RealtimeHeaders, RealtimeIdentity};

use crate::bucket::Bucket;
use crate::channel::Channel;
use crate::codec::{Encoded, Encoding};
use crate::codes::{Disconnect, UNSUBSCRIBE_SERVER};
use crate::hub::Hub;
use crate::limits;
use crate::outbox::{Outbox, Pushed};
use crate::protocol::{ClientInfo, PushBody, Reason};
use crate::stats::Transport;

/// How a connection was opened.
pub(crate) struct Opening {
    pub transport: Transport,
    pub encoding: Encoding,
    pub headers: RealtimeHeaders,
    /// Ping with WebSocket control frames rather than with the protocol's own.
    pub control_pings: bool,
}

/// One connection.
pub(crate) struct Session {
    pub(crate) no: u64,
    pub(crate) hub: Hub,
    pub(crate) transport: Transport,
    pub(crate) encoding: Encoding,
    pub(crate) outbox: Outbox,
    /// Secret by which commands over plain HTTP find their stream; empty on WebSocket.
    pub(crate) secret: Box<str>,
    pub(crate) control_pings: bool,
    scheduled_tick: AtomicU64,
    pub(crate) state: Mutex<State>,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing but `connect` is accepted.
    Fresh,
    /// `connect` is being decided.
    Connecting,
    /// `connect` was answered with an error: the client will go and come back; until then it is not listened to.
    Refused,
    /// Open for commands.
    Ready,
    /// The transport is gone.
    Ended,
}

pub(crate) struct State {
    pub phase: Phase,
    pub who: Option<Known>,
    /// Kept while they may be needed to authenticate (again).
    pub headers: Option<Box<RealtimeHeaders>>,
    pub subscriptions: Vec<Arc<Channel>>,
    pub commands: Bucket,
    pub expires_at: Option<Micros>,
    opened_ms: u64,
    ping_due_ms: u64,
    pong_due_ms: Option<u64>,
    /// The timer has found the connection closing once.
    close_noticed: bool,
}

/// Who a connection turned out to be.
#[derive(Clone)]
pub(crate) struct Known {
    pub identity: Arc<RealtimeIdentity>,
    pub info: Arc<ClientInfo>,
}

impl Session {
    pub(crate) fn new(no: u64, hub: Hub, opening: Opening, secret: String) -> Arc<Self> {
        let now_ms = hub.now_ms();
        let state = State {
            phase: Phase::Fresh,
            who: None,
            headers: Some(Box::new(opening.headers)),
            subscriptions: Vec::new(),
            commands: Bucket::full(limits::COMMAND_BURST, now_ms),
            expires_at: None,
            opened_ms: now_ms,
            ping_due_ms: u64::MAX,
            pong_due_ms: None,
            close_noticed: false,
        };
        Arc::new(Self {
            no,
            hub,
            transport: opening.transport,
            encoding: opening.encoding,
            outbox: Outbox::default(),
            secret: secret.into(),
            control_pings: opening.control_pings,
            scheduled_tick: AtomicU64::new(u64::MAX),
            state: Mutex::new(state),
        })
    }

    /// Queues a frame shared with other connections.
    pub(crate) fn deliver(self: &Arc<Self>, frame: &Encoded, ephemeral: bool, now_ms: u64) {
        self.queue(frame.bytes(self.encoding), ephemeral, now_ms);
    }

    /// Queues a frame of this connection's own.
    pub(crate) fn say(self: &Arc<Self>, frame: &Encoded) {
        self.queue(frame.bytes(self.encoding), false, self.hub.now_ms());
    }

    fn queue(self: &Arc<Self>, frame: Bytes, ephemeral: bool, now_ms: u64) {
        match self.outbox.push(frame, ephemeral, now_ms, self.hub.config().queue_bytes) {
            Pushed::Queued | Pushed::Dropped => {}
            Pushed::Deferred => self.hub.wake_soon(self.clone()),
            Pushed::TooSlow => {
                self.hub.counters().slow_disconnects.fetch_add(1, Relaxed);
            }
        }
    }

    /// Asks the transport to end the connection for this reason.
    pub(crate) fn close(&self, reason: Disconnect) {
        self.outbox.close(reason);
    }

    /// Ends a subscription from the server's side and tells the client.
    pub(crate) fn unsubscribe_by_server(self: &Arc<Self>, channel: &str) {
        let Some(found) = self.forget(channel) else { return };
        if found.unsubscribe(self) {
            let (code, reason) = UNSUBSCRIBE_SERVER;
            self.say(&Encoded::push(channel, PushBody::Unsubscribe(Reason { code, reason })));
        }
    }

    /// The subscription to `channel`, if there is one.
    pub(crate) fn subscription(&self, channel: &str) -> Option<Arc<Channel>> {
        self.state.lock().subscriptions.iter().find(|held| held.name() == channel).cloned()
    }

    /// Takes a channel from the list of subscriptions.
    pub(crate) fn forget(&self, channel: &str) -> Option<Arc<Channel>> {
        let mut state = self.state.lock();
        let index = state.subscriptions.iter().position(|held| held.name() == channel)?;
        Some(state.subscriptions.swap_remove(index))
    }

    /// Adds a channel to the list, unless the connection ended meanwhile: then the channel must not keep it.
    pub(crate) fn remember(&self, channel: Arc<Channel>) {
        let mut state = self.state.lock();
        if state.phase != Phase::Ended {
            state.subscriptions.push(channel);
            return;
        }
        drop(state);
        channel.unsubscribe(self);
    }

    /// Starts pinging: the first ping at a random point of the second half of the interval, so that connections
    /// made together do not stay together.
    pub(crate) fn start_pings(self: &Arc<Self>) {
        let interval_ms = millis(self.hub.config().ping_interval);
        let first_ms = interval_ms / 2 + self.hub.world().below(interval_ms / 2 + 1);
        let due_ms = self.hub.now_ms() + first_ms;
        self.state.lock().ping_due_ms = due_ms;
        self.schedule(due_ms);
    }

    /// Makes sure that the wheel looks at this connection at `due_ms` or before.
    pub(crate) fn schedule(self: &Arc<Self>, due_ms: u64) {
        self.hub.schedule(self, due_ms, &self.scheduled_tick);
    }

    /// Whether a firing of the wheel is the one that counts: a connection may be on it twice.
    pub(crate) fn is_scheduled_at(&self, tick: u64) -> bool {
        self.scheduled_tick.compare_exchange(tick, u64::MAX, Relaxed, Relaxed).is_ok()
    }

    /// Does what is due and says when to look again.
    pub(crate) fn on_timer(self: &Arc<Self>, now_ms: u64) -> Option<u64> {
        if self.outbox.is_closing() {
            return self.hasten_end(now_ms);
        }
        let due = match self.state.lock().due(now_ms, &self.hub) {
            Due::Nothing => return None,
            Due::Close(reason) => {
                self.close(reason);
                return Some(now_ms + millis(limits::CLOSE_TIMEOUT));
            }
            Due::Later(next_ms) => return Some(next_ms),
            Due::Ping(next_ms) => next_ms,
        };
        // An empty frame asks the WebSocket transport for a control frame.
        let ping = if self.control_pings { Bytes::new() } else { self.encoding.ping() };
        self.queue(ping, false, now_ms);
        Some(due)
    }

    /// Gives a closing connection its time; a peer that takes nothing any more must not keep it open for ever.
    fn hasten_end(&self, now_ms: u64) -> Option<u64> {
        let noticed = std::mem::replace(&mut self.state.lock().close_noticed, true);
        if !noticed {
            return Some(now_ms + millis(limits::CLOSE_TIMEOUT));
        }
        self.end();
        None
    }

    /// Takes note of a pong; `false` when nobody asked for one.
    pub(crate) fn pong(&self) -> bool {
        self.state.lock().pong_due_ms.take().is_some()
    }

    /// The transport is gone: leaves every channel and every table. Doing it twice does no harm.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        let phase = std::mem::replace(&mut state.phase, Phase::Ended);
        if phase == Phase::Ended {
            return;
        }
        let subscriptions = std::mem::take(&mut state.subscriptions);
        let who = state.who.take();
        drop(state);
        // Whoever still queues something for this connection must not pile it up.
        self.outbox.abandon();
        for channel in subscriptions {
            channel.unsubscribe(self);
        }
        self.hub.forget(self, phase, who.as_ref());
    }
}

/// What the timer finds to do.
enum Due {
    Nothing,
    Later(u64),
    Ping(u64),
    Close(Disconnect),
}

impl State {
    fn due(&mut self, now_ms: u64, hub: &Hub) -> Due {
        let config = hub.config();
        match self.phase {
            Phase::Ended => return Due::Nothing,
            Phase::Ready => {}
            Phase::Fresh | Phase::Connecting | Phase::Refused => {
                let stale_ms = self.opened_ms + millis(config.stale_timeout);
                return if now_ms < stale_ms { Due::Later(stale_ms) } else { Due::Close(Disconnect::STALE) };
            }
        }
        if self.pong_due_ms.is_some_and(|due_ms| due_ms <= now_ms) {
            hub.counters().ping_timeouts.fetch_add(1, Relaxed);
            return Due::Close(Disconnect::NO_PONG);
        }
        let mut next_ms = u64::MAX;
        if let Some(expires_at) = self.expires_at {
            // The host's clock says when a token expires; ours only says how long to wait.
            let ends_at = expires_at.plus_ms(millis(config.expiry_grace) as i64);
            let left_ms = ends_at.as_millis() - hub.world().now().as_millis();
            if left_ms <= 0 {
                return Due::Close(Disconnect::EXPIRED);
            }
            next_ms = now_ms + left_ms as u64;
        }
        let ping_now = self.ping_due_ms <= now_ms;
        if ping_now {
            self.ping_due_ms = now_ms + millis(config.ping_interval);
            self.pong_due_ms = Some(now_ms + millis(config.pong_timeout));
        }
        next_ms = next_ms.min(self.ping_due_ms).min(self.pong_due_ms.unwrap_or(u64::MAX));
        if ping_now { Due::Ping(next_ms) } else { Due::Later(next_ms) }
    }
}

/// Ends a session when its transport's task stops, however it stops.
pub(crate) struct EndOnDrop(pub Arc<Session>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
