//! What a host decides about its hub: namespaces and their policies, times, bounds, allowed origins.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::limits;
use crate::ring::RingLimits;

/// What the channels of one namespace do. The namespace of `inbox:#mbr_1` is `inbox`; of `news`, the empty name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamespacePolicy {
    /// Publications kept for recovery; 0 keeps none and gives publications no offset.
    pub history_publications: usize,
    /// Bytes of publications kept for recovery.
    pub history_bytes: usize,
    /// Age at which a kept publication is dropped.
    pub history_ttl: Duration,
    /// How long an unused channel remembers its position, so that a client that missed nothing can tell.
    pub position_ttl: Duration,
    /// Clients may ask who is subscribed.
    pub presence: bool,
    /// Subscribers that ask for it are told who comes and goes.
    pub join_leave: bool,
    /// Every subscriber is told who comes and goes, asked or not.
    pub join_leave_forced: bool,
    /// Subscribers may publish.
    pub client_publish: bool,
    /// Subscribers may read the history.
    pub client_history: bool,
    /// A user named after `#` in a channel's name may subscribe without further question.
    pub user_limited: bool,
}

impl NamespacePolicy {
    /// A recoverable feed that only the server writes: an inbox, a console's live view, a token stream.
    pub const FEED: Self = Self {
        history_publications: limits::RING_PUBLICATIONS,
        history_bytes: limits::RING_BYTES,
        history_ttl: limits::RING_TTL,
        position_ttl: limits::POSITION_TTL,
        presence: false,
        join_leave: false,
        join_leave_forced: false,
        client_publish: false,
        client_history: false,
        user_limited: true,
    };

    /// A channel for people to be in together: as [`FEED`](Self::FEED), with presence, join, leave and history.
    pub const ROOM: Self = Self { presence: true, join_leave: true, client_history: true, ..Self::FEED };

    pub(crate) fn recoverable(&self) -> bool {
        self.history_publications > 0
    }

    pub(crate) fn ring(&self) -> RingLimits {
        RingLimits {
            publications: self.history_publications,
            bytes: self.history_bytes,
            ttl: self.history_ttl,
        }
    }
}

/// Says for an `Origin` and a `Host` whether the one's pages may use the other's endpoints.
pub type OriginCheck = dyn Fn(&str, &str) -> bool + Send + Sync;

/// The pages a request may come from.
#[derive(Clone, Default)]
pub enum OriginPolicy {
    /// The page's own host, and clients that send no `Origin`, which are not browsers.
    #[default]
    SameHost,
    /// Asked for each request with its `Origin` and `Host`.
    Custom(Arc<OriginCheck>),
}

impl OriginPolicy {
    /// Whether a page at `origin` may use the endpoint at `host`.
    pub(crate) fn allows(&self, origin: &str, host: &str) -> bool {
        match self {
            Self::SameHost => {
                origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
            }
            Self::Custom(check) => check(origin, host),
        }
    }
}

impl fmt::Debug for OriginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameHost => "SameHost",
            Self::Custom(_) => "Custom",
        })
    }
}

/// Settings of a [`Hub`](crate::Hub). The defaults are the figures of [`limits`].
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Policies by namespace; a channel whose namespace is not here does not exist (error 102).
    pub namespaces: BTreeMap<String, NamespacePolicy>,
    /// Allowed origins.
    pub origins: OriginPolicy,
    /// Time between two pings.
    pub ping_interval: Duration,
    /// Time a client has to answer a ping.
    pub pong_timeout: Duration,
    /// Time a connection has to authenticate.
    pub stale_timeout: Duration,
    /// Time a connection keeps working after its token expired.
    pub expiry_grace: Duration,
    /// Open connections of one user of one tenant; anonymous connections are not counted together.
    pub connections_per_user: usize,
    /// Open connections.
    pub connections: usize,
    /// Connections that have not authenticated yet.
    pub pending_connections: usize,
    /// New connections a second.
    pub accepts_per_second: u32,
    /// New connections at once.
    pub accept_burst: u32,
    /// Bytes waiting for one connection before it is closed as a slow consumer.
    pub queue_bytes: usize,
}

impl Default for HubConfig {
    fn default() -> Self {
        let namespaces = ["inbox", "tenant", "form", "conversation"];
        Self {
            namespaces: namespaces.map(|name| (name.to_owned(), NamespacePolicy::FEED)).into(),
            origins: OriginPolicy::SameHost,
            ping_interval: limits::PING_INTERVAL,
            pong_timeout: limits::PONG_TIMEOUT,
            stale_timeout: limits::STALE_TIMEOUT,
            expiry_grace: limits::EXPIRY_GRACE,
            connections_per_user: limits::CONNECTIONS_PER_USER_MAX,
            connections: limits::CONNECTIONS_MAX,
            pending_connections: limits::PENDING_CONNECTIONS_MAX,
            accepts_per_second: limits::ACCEPTS_PER_SECOND,
            accept_burst: limits::ACCEPT_BURST,
            queue_bytes: limits::QUEUE_BYTES_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pages_own_host_is_allowed_by_default() {
        let same = OriginPolicy::SameHost;
        assert!(same.allows("https://a.test", "a.test"));
        assert!(same.allows("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(!same.allows("https://b.test", "a.test"));
        assert!(!same.allows("https://a.test:444", "a.test"));
        assert!(!same.allows("null", "null"));
    }
}
