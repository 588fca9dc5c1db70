//! Codes of the client protocol: errors in a reply, reasons to disconnect, reasons to unsubscribe.

use plinth_kernel::ports::RealtimeDenial;

/// An error inside a reply: the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    Internal,
    UnknownChannel,
    PermissionDenied,
    MethodNotFound,
    AlreadySubscribed,
    LimitExceeded,
    BadRequest,
    NotAvailable,
    TokenExpired,
    UnrecoverablePosition,
}

impl ErrorCode {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Internal => 100,
            Self::UnknownChannel => 102,
            Self::PermissionDenied => 103,
            Self::MethodNotFound => 104,
            Self::AlreadySubscribed => 105,
            Self::LimitExceeded => 106,
            Self::BadRequest => 107,
            Self::NotAvailable => 108,
            Self::TokenExpired => 109,
            Self::UnrecoverablePosition => 112,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Internal => "internal server error",
            Self::UnknownChannel => "unknown channel",
            Self::PermissionDenied => "permission denied",
            Self::MethodNotFound => "method not found",
            Self::AlreadySubscribed => "already subscribed",
            Self::LimitExceeded => "limit exceeded",
            Self::BadRequest => "bad request",
            Self::NotAvailable => "not available",
            Self::TokenExpired => "token expired",
            Self::UnrecoverablePosition => "unrecoverable position",
        }
    }

    /// Whether the client should try the same command again.
    pub(crate) fn temporary(self) -> bool {
        self == Self::Internal
    }
}

impl From<RealtimeDenial> for ErrorCode {
    /// What a refused *subscription* answers.
    fn from(denial: RealtimeDenial) -> Self {
        match denial {
            RealtimeDenial::InvalidToken | RealtimeDenial::PermissionDenied => Self::PermissionDenied,
            RealtimeDenial::ExpiredToken => Self::TokenExpired,
            RealtimeDenial::UnknownChannel => Self::UnknownChannel,
            RealtimeDenial::Unavailable => Self::Internal,
        }
    }
}

/// Why a connection ends. Clients reconnect below 3500 and stay away from 3500 to 3999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// Code of the close frame, or of the disconnect push on HTTP transports.
    pub code: u16,
    /// Short reason, under 123 bytes.
    pub reason: &'static str,
}

impl Disconnect {
    /// The connection was closed by its peer or by the network.
    pub const CLOSED: Self = Self::new(3000, "connection closed");
    /// The node goes away: reconnect elsewhere.
    pub const SHUTDOWN: Self = Self::new(3001, "shutdown");
    /// The token expired and was not refreshed in time.
    pub const EXPIRED: Self = Self::new(3005, "connection expired");
    /// The client does not read as fast as its channels publish.
    pub const SLOW: Self = Self::new(3008, "slow");
    /// The host asks the client to connect anew, for instance after its rights changed.
    pub const FORCE_RECONNECT: Self = Self::new(3011, "force reconnect");
    /// A ping was not answered.
    pub const NO_PONG: Self = Self::new(3012, "no pong");
    /// Too many commands.
    pub const TOO_MANY_REQUESTS: Self = Self::new(3013, "too many requests");
    /// The connection token is not valid.
    pub const INVALID_TOKEN: Self = Self::new(3500, "invalid token");
    /// The client broke the protocol.
    pub const BAD_REQUEST: Self = Self::new(3501, "bad request");
    /// The client did not authenticate in time.
    pub const STALE: Self = Self::new(3502, "stale");
    /// The host ends the connection for good, for instance after a logout.
    pub const FORCE_NO_RECONNECT: Self = Self::new(3503, "force disconnect");
    /// The user has too many connections.
    pub const CONNECTION_LIMIT: Self = Self::new(3504, "connection limit");
    /// The connection may not be made.
    pub const PERMISSION_DENIED: Self = Self::new(3507, "permission denied");
    /// The client used something this server does not offer.
    pub const NOT_AVAILABLE: Self = Self::new(3508, "not available");

    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason }
    }

    /// Whether what is queued is still worth sending: not to a peer that is gone or does not read.
    pub(crate) fn flushes_queue(self) -> bool {
        self != Self::CLOSED && self != Self::SLOW
    }
}

/// The server ended a subscription; below 2500 the client does not subscribe again by itself.
pub(crate) const UNSUBSCRIBE_SERVER: (u32, &str) = (2000, "server unsubscribe");
