//! What clients may ask for, one function a command, in the order in which clients meet them.
//!
//! Commands of one connection are worked off one after the other: a client may send `connect` and all its
//! subscriptions in one frame, before it knows that it is connected.

use std::collections::BTreeMap;
use std::sync::Arc;

use plinth_kernel::ports::{RealtimeDenial, RealtimeIdentity};

use crate::channel::{Refusal, Wish};
use crate::codec::Encoded;
use crate::codes::{Disconnect, ErrorCode};
use crate::hub::Found;
use crate::limits;
use crate::protocol::{
    ChannelRequest, Checked, ClientInfo, ConnectRequest, ConnectResult, Empty, ErrorBody,
    FLAG_REJECT_UNRECOVERED, HistoryRequest, Outcome, Position, PresenceResult, PublishRequest,
    RefreshRequest, RefreshResult, Reply, Request, SubRefreshRequest, SubscribeRequest, SubscribeResult,
    on_one_line, raw,
};
use crate::session::{Known, Phase, Session, millis};
use crate::stats::Transport;

/// The server's version, as clients see it.
const VERSION: &str = concat!("plinth ", env!("CARGO_PKG_VERSION"));

/// Why a command was not carried out.
enum Failure {
    /// An error reply; the connection goes on.
    Error(ErrorCode),
    /// The end of the connection.
    End(Disconnect),
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Error(code)
    }
}

impl From<Disconnect> for Failure {
    fn from(reason: Disconnect) -> Self {
        Self::End(reason)
    }
}

/// A reply to write, or `None` when the command wrote its own.
type Answer = Result<Option<Outcome>, Failure>;

impl Session {
    /// Works off the commands of one frame.
    pub(crate) async fn handle(self: Arc<Self>, frame: Vec<u8>) {
        if let Err(reason) = self.run(frame).await {
            self.close(reason);
        }
    }

    async fn run(self: &Arc<Self>, frame: Vec<u8>) -> Result<(), Disconnect> {
        let commands = self.encoding.decode(&frame).map_err(|_| Disconnect::BAD_REQUEST)?;
        drop(frame);
        for command in commands {
            let phase = self.admit()?;
            if phase == Phase::Refused || phase == Phase::Ended {
                return Ok(());
            }
            match command.check()? {
                Checked::Request(id, Request::Connect(request)) if phase == Phase::Fresh => {
                    let answer = self.connect(id, request).await;
                    self.answer(id, answer)?;
                }
                _ if phase != Phase::Ready => return Err(Disconnect::BAD_REQUEST),
                Checked::Request(id, request) => {
                    let answer = self.request(id, request).await;
                    self.answer(id, answer)?;
                }
                Checked::Pong if self.pong() => {}
                Checked::Pong => return Err(Disconnect::BAD_REQUEST),
                Checked::Send => return Err(Disconnect::NOT_AVAILABLE),
            }
        }
        Ok(())
    }

    /// Counts a command against the connection's budget and says how far the connection is.
    fn admit(&self) -> Result<Phase, Disconnect> {
        let mut state = self.state.lock();
        let now_ms = self.hub.now_ms();
        if !state.commands.take(limits::COMMANDS_PER_SECOND, limits::COMMAND_BURST, now_ms) {
            return Err(Disconnect::TOO_MANY_REQUESTS);
        }
        Ok(state.phase)
    }

    fn answer(self: &Arc<Self>, id: u32, answer: Answer) -> Result<(), Disconnect> {
        let outcome = match answer {
            Ok(None) => return Ok(()),
            Ok(Some(outcome)) => outcome,
            Err(Failure::Error(code)) => Outcome::Error(ErrorBody::from(code)),
            Err(Failure::End(reason)) => return Err(reason),
        };
        self.say(&Encoded::new(&Reply { id, outcome }));
        Ok(())
    }

    async fn request(self: &Arc<Self>, id: u32, request: Request) -> Answer {
        match request {
            Request::Connect(_) => Err(Disconnect::BAD_REQUEST.into()),
            Request::Subscribe(request) => self.subscribe(id, request).await,
            Request::Unsubscribe(request) => self.unsubscribe(&request),
            Request::Publish(request) => self.publish(request),
            Request::Presence(request) => self.presence(&request),
            Request::PresenceStats(request) => self.presence_stats(&request),
            Request::History(request) => self.history(&request),
            Request::Ping => Ok(Some(Outcome::Ping(Empty {}))),
            Request::Rpc => Err(ErrorCode::MethodNotFound.into()),
            Request::Refresh(request) => self.refresh(&request).await,
            Request::SubRefresh(request) => self.sub_refresh(&request).await,
        }
    }

    async fn connect(self: &Arc<Self>, id: u32, request: ConnectRequest) -> Answer {
        if request.name.len() > limits::CLIENT_NAME_BYTES_MAX
            || request.version.len() > limits::CLIENT_VERSION_BYTES_MAX
            || request.subs.len() > limits::CHANNELS_PER_CONNECTION_MAX
        {
            return Err(Disconnect::BAD_REQUEST.into());
        }
        self.state.lock().phase = Phase::Connecting;
        let identity =
            match self.authenticate(&request.token).await.and_then(|who| self.time_left(&who).map(|_| who)) {
                Ok(identity) => identity,
                Err(RealtimeDenial::ExpiredToken) => return Err(self.turn_away(ErrorCode::TokenExpired)),
                Err(RealtimeDenial::Unavailable) => return Err(self.turn_away(ErrorCode::Internal)),
                Err(RealtimeDenial::InvalidToken) => return Err(Disconnect::INVALID_TOKEN.into()),
                Err(RealtimeDenial::PermissionDenied | RealtimeDenial::UnknownChannel) => {
                    return Err(Disconnect::PERMISSION_DENIED.into());
                }
            };
        let info = ClientInfo {
            user: identity.user.clone(),
            client: self.hub.client_id(),
            conn_info: identity.info.as_ref().map(raw),
        };
        let known = Known { identity: Arc::new(identity), info: Arc::new(info) };
        self.admit_user(&known)?;
        self.open(id, &known, request.subs);
        Ok(None)
    }

    /// Asks the host who this is.
    async fn authenticate(&self, token: &str) -> Result<RealtimeIdentity, RealtimeDenial> {
        let headers = self.state.lock().headers.clone().unwrap_or_default();
        self.hub.auth().connect(token, &headers).await
    }

    /// Seconds until the identity must be refreshed, rounded up; `None` when it need not be.
    fn time_left(&self, identity: &RealtimeIdentity) -> Result<Option<u32>, RealtimeDenial> {
        let Some(expires_at) = identity.expires_at else { return Ok(None) };
        let left_ms = expires_at.as_millis() - self.hub.world().now().as_millis();
        if left_ms <= 0 {
            return Err(RealtimeDenial::ExpiredToken);
        }
        Ok(Some(u32::try_from((left_ms + 999) / 1_000).unwrap_or(u32::MAX)))
    }

    /// Answers `connect` with an error: the client reads it, refreshes its token and comes back on a new connection.
    fn turn_away(&self, code: ErrorCode) -> Failure {
        self.state.lock().phase = Phase::Refused;
        code.into()
    }

    /// Makes the connection one of its user's, if that user has room for it.
    fn admit_user(self: &Arc<Self>, known: &Known) -> Result<(), Disconnect> {
        let mut state = self.state.lock();
        if state.phase == Phase::Ended {
            return Err(Disconnect::CLOSED);
        }
        if !self.hub.add_user_connection(self, &known.identity) {
            return Err(Disconnect::CONNECTION_LIMIT);
        }
        state.phase = Phase::Ready;
        state.who = Some(known.clone());
        state.expires_at = known.identity.expires_at;
        if known.identity.expires_at.is_none() {
            state.headers = None;
        }
        drop(state);
        self.hub.authenticated();
        Ok(())
    }

    /// Makes the server-side subscriptions and queues the reply that reports them, ahead of their publications.
    fn open(self: &Arc<Self>, id: u32, known: &Known, mut positions: BTreeMap<String, Position>) {
        self.outbox.hold();
        let mut subs = BTreeMap::new();
        for name in known.identity.channels.iter().take(limits::CHANNELS_PER_CONNECTION_MAX) {
            let position = positions.remove(name).unwrap_or_default();
            let wish = Wish { position, join_leave: false, reject_unrecovered: false };
            let joined = self.join(known, name, &wish, |result| {
                subs.insert(name.clone(), result);
            });
            if joined.is_err() {
                tracing::warn!(channel = %name, "server-side subscription to a channel that cannot be had");
            }
        }
        let ttl = self.time_left(&known.identity).ok().flatten();
        let config = self.hub.config();
        let emulated = self.transport != Transport::WebSocket;
        let result = ConnectResult {
            client: known.info.client.clone(),
            version: VERSION,
            expires: known.identity.expires_at.is_some(),
            ttl: ttl.unwrap_or_default(),
            subs,
            ping: if self.control_pings { 0 } else { millis(config.ping_interval).div_ceil(1_000) as u32 },
            pong: !self.control_pings,
            session: self.secret.to_string(),
            node: if emulated { self.hub.node().to_owned() } else { String::new() },
        };
        let reply = Encoded::new(&Reply { id, outcome: Outcome::Connect(result) });
        self.outbox.release(reply.bytes(self.encoding));
        self.start_pings();
        if let Some(ttl) = ttl {
            self.schedule(self.hub.now_ms() + u64::from(ttl) * 1_000 + millis(config.expiry_grace));
        }
    }

    fn known(&self) -> Result<Known, Failure> {
        self.state.lock().who.clone().ok_or(Failure::End(Disconnect::BAD_REQUEST))
    }

    async fn subscribe(self: &Arc<Self>, id: u32, request: SubscribeRequest) -> Answer {
        check_name(&request.channel)?;
        if request.kind != 0 {
            return Err(ErrorCode::NotAvailable.into());
        }
        if self.subscription(&request.channel).is_some() {
            return Err(ErrorCode::AlreadySubscribed.into());
        }
        if self.state.lock().subscriptions.len() >= limits::CHANNELS_PER_CONNECTION_MAX {
            return Err(ErrorCode::LimitExceeded.into());
        }
        let known = self.known()?;
        self.authorize(&known.identity, &request.channel, &request.token).await?;
        let wish = Wish {
            position: Position { recover: request.recover, epoch: request.epoch, offset: request.offset },
            join_leave: request.join_leave,
            reject_unrecovered: request.flag & FLAG_REJECT_UNRECOVERED != 0,
        };
        self.join(&known, &request.channel, &wish, |result| {
            self.say(&Encoded::new(&Reply { id, outcome: Outcome::Subscribe(result) }));
        })?;
        Ok(None)
    }

    /// May this client hear this channel? A `#` in the name lists the users that may, and nobody else; after that
    /// the identity's grants decide, and where they are silent, the host.
    async fn authorize(&self, who: &RealtimeIdentity, channel: &str, token: &str) -> Result<(), ErrorCode> {
        let policy = self.hub.policy(channel).ok_or(ErrorCode::UnknownChannel)?;
        if let Some((_, users)) = channel.split_once('#') {
            let listed = !who.user.is_empty() && users.split(',').any(|user| user == who.user);
            if !listed {
                return Err(ErrorCode::PermissionDenied);
            }
            if policy.user_limited {
                return Ok(());
            }
        }
        let granted = who.grants.iter().any(|grant| match grant.strip_suffix('*') {
            Some(prefix) => channel.starts_with(prefix),
            None => grant == channel,
        });
        if granted && token.is_empty() {
            return Ok(());
        }
        Ok(self.hub.auth().subscribe(who, channel, token).await?)
    }

    /// Enters a channel and remembers it.
    fn join(
        self: &Arc<Self>,
        known: &Known,
        name: &str,
        wish: &Wish,
        reply: impl FnOnce(SubscribeResult),
    ) -> Result<(), ErrorCode> {
        let mut reply = Some(reply);
        loop {
            let channel = match self.hub.channel_or_new(&known.identity.tenant, name) {
                Found::Channel(channel) => channel,
                Found::UnknownNamespace => return Err(ErrorCode::UnknownChannel),
                Found::Full => return Err(ErrorCode::LimitExceeded),
            };
            let entered = channel.subscribe(self, &known.info, wish, |result| {
                if let Some(reply) = reply.take() {
                    reply(result);
                }
            });
            match entered {
                Ok(()) => {
                    self.remember(channel);
                    return Ok(());
                }
                Err(Refusal::Unrecoverable) => return Err(ErrorCode::UnrecoverablePosition),
                Err(Refusal::Gone) => {}
            }
        }
    }

    fn unsubscribe(&self, request: &ChannelRequest) -> Answer {
        check_name(&request.channel)?;
        if let Some(channel) = self.forget(&request.channel) {
            channel.unsubscribe(self);
        }
        Ok(Some(Outcome::Unsubscribe(Empty {})))
    }

    /// The channel of a command that only a subscriber may give, and only where the namespace allows it.
    fn permitted(
        &self,
        name: &str,
        allowed: impl FnOnce(&crate::NamespacePolicy) -> bool,
    ) -> Result<Arc<crate::channel::Channel>, Failure> {
        check_name(name)?;
        let policy = self.hub.policy(name).ok_or(ErrorCode::UnknownChannel)?;
        if !allowed(&policy) {
            return Err(ErrorCode::NotAvailable.into());
        }
        self.subscription(name).ok_or(Failure::Error(ErrorCode::PermissionDenied))
    }

    fn publish(&self, request: PublishRequest) -> Answer {
        let channel = self.permitted(&request.channel, |policy| policy.client_publish)?;
        let data = on_one_line(request.data.ok_or(ErrorCode::BadRequest)?);
        let info = self.known()?.info;
        channel.publish(&data, Some(info), self.hub.now_ms(), self.hub.counters());
        Ok(Some(Outcome::Publish(Empty {})))
    }

    fn presence(&self, request: &ChannelRequest) -> Answer {
        let channel = self.permitted(&request.channel, |policy| policy.presence)?;
        let presence = channel.presence().ok_or(ErrorCode::NotAvailable)?;
        Ok(Some(Outcome::Presence(PresenceResult { presence })))
    }

    fn presence_stats(&self, request: &ChannelRequest) -> Answer {
        let channel = self.permitted(&request.channel, |policy| policy.presence)?;
        Ok(Some(Outcome::PresenceStats(channel.presence_stats())))
    }

    fn history(&self, request: &HistoryRequest) -> Answer {
        let channel =
            self.permitted(&request.channel, |policy| policy.client_history && policy.recoverable())?;
        Ok(Some(Outcome::History(channel.history(request, self.hub.now_ms())?)))
    }

    /// Takes a new token for the same user of the same tenant.
    async fn refresh(self: &Arc<Self>, request: &RefreshRequest) -> Answer {
        let known = self.known()?;
        let renewed = self.authenticate(&request.token).await.and_then(|who| {
            let ttl = self.time_left(&who)?;
            Ok((who, ttl))
        });
        let (identity, ttl) = match renewed {
            Ok(renewed) => renewed,
            Err(RealtimeDenial::ExpiredToken) => return Err(Disconnect::EXPIRED.into()),
            Err(RealtimeDenial::Unavailable) => return Err(ErrorCode::Internal.into()),
            Err(_) => return Err(Disconnect::INVALID_TOKEN.into()),
        };
        if identity.tenant != known.identity.tenant || identity.user != known.identity.user {
            return Err(Disconnect::INVALID_TOKEN.into());
        }
        let expires = identity.expires_at.is_some();
        let renewed = Known { identity: Arc::new(identity), info: known.info };
        {
            let mut state = self.state.lock();
            if state.phase == Phase::Ready {
                state.expires_at = renewed.identity.expires_at;
                state.who = Some(renewed.clone());
            }
        }
        if let Some(ttl) = ttl {
            let grace_ms = millis(self.hub.config().expiry_grace);
            self.schedule(self.hub.now_ms() + u64::from(ttl) * 1_000 + grace_ms);
        }
        let client = renewed.info.client.clone();
        Ok(Some(Outcome::Refresh(RefreshResult {
            client,
            version: VERSION,
            expires,
            ttl: ttl.unwrap_or_default(),
        })))
    }

    /// Takes a new token for a subscription; the host decides as it did for the first one.
    async fn sub_refresh(self: &Arc<Self>, request: &SubRefreshRequest) -> Answer {
        check_name(&request.channel)?;
        if self.subscription(&request.channel).is_none() {
            return Err(ErrorCode::PermissionDenied.into());
        }
        let known = self.known()?;
        self.authorize(&known.identity, &request.channel, &request.token).await?;
        Ok(Some(Outcome::SubRefresh(Empty {})))
    }
}

/// A name that no channel can have: empty breaks the protocol, too long or not printable ASCII is a bad request.
fn check_name(name: &str) -> Result<(), Failure> {
    if name.is_empty() {
        return Err(Disconnect::BAD_REQUEST.into());
    }
    if name.len() > limits::CHANNEL_NAME_BYTES_MAX || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ErrorCode::BadRequest.into());
    }
    Ok(())
}
