//! Every limit of the hub, named, in one place.
//!
//! A limit that an operator may want to change is a field of [`HubConfig`](crate::HubConfig) whose default stands here.

use std::time::Duration;

/// Largest message, request body or reassembled WebSocket message a client may send, in bytes.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Channels one connection may be subscribed to, server-side subscriptions included.
pub const CHANNELS_PER_CONNECTION_MAX: usize = 128;
/// Longest channel name a client may use, in bytes.
pub const CHANNEL_NAME_BYTES_MAX: usize = 255;
/// Open connections of one user of one tenant on one node.
pub const CONNECTIONS_PER_USER_MAX: usize = 20;
/// Open connections on one node.
pub const CONNECTIONS_MAX: usize = 100_000;
/// Connections that have not authenticated yet, on one node.
pub const PENDING_CONNECTIONS_MAX: usize = 4_096;
/// New connections a node accepts a second, sustained.
pub const ACCEPTS_PER_SECOND: u32 = 2_000;
/// New connections a node accepts at once after a quiet time.
pub const ACCEPT_BURST: u32 = 4_000;
/// Longest `Retry-After` given to a refused connection, in seconds; the value is drawn from 1 to this.
pub const ACCEPT_RETRY_AFTER_SECONDS_MAX: u64 = 15;
/// Commands a connection may send a second, sustained.
pub const COMMANDS_PER_SECOND: u32 = 100;
/// Commands a connection may send at once: a full reconnect (connect and every subscribe) fits several times.
pub const COMMAND_BURST: u32 = 500;
/// Longest client name in a connect request, in bytes.
pub const CLIENT_NAME_BYTES_MAX: usize = 16;
/// Longest client version in a connect request, in bytes.
pub const CLIENT_VERSION_BYTES_MAX: usize = 64;
/// Bytes waiting for one connection before it is closed as a slow consumer (3008).
pub const QUEUE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes waiting for one connection above which publications without an offset are left out.
pub const QUEUE_BYTES_EPHEMERAL: usize = 64 * 1024;
/// Frames gathered into one write, in bytes; one larger frame still goes out whole.
pub const WRITE_BATCH_BYTES: usize = 64 * 1024;
/// Read buffer of a worker thread, shared by every socket it serves.
pub const READ_SCRATCH_BYTES: usize = 16 * 1024;
/// Publications returned by one recovery.
pub const RECOVERY_PUBLICATIONS_MAX: usize = 1_000;
/// Bytes of publications returned by one recovery.
pub const RECOVERY_BYTES_MAX: usize = 512 * 1024;
/// Publications returned by one `history` command.
pub const HISTORY_PUBLICATIONS_MAX: usize = 300;
/// Subscribers of a channel above which `presence` answers "not available" instead of a list.
pub const PRESENCE_CLIENTS_MAX: usize = 1_000;
/// Subscribers of a channel above which join and leave are no longer announced: the cost is quadratic.
pub const JOIN_LEAVE_SUBSCRIBERS_MAX: usize = 1_000;
/// Channels of one node, those without subscribers that still remember their position included.
pub const CHANNELS_MAX: usize = 500_000;
/// Publications kept for recovery in one channel.
pub const RING_PUBLICATIONS: usize = 256;
/// Bytes of publications kept for recovery in one channel.
pub const RING_BYTES: usize = 256 * 1024;
/// Age at which a kept publication is dropped.
pub const RING_TTL: Duration = Duration::from_secs(300);
/// How long an unused channel keeps its position (offset and epoch) after its publications are gone.
pub const POSITION_TTL: Duration = Duration::from_secs(3_600);
/// Time between two pings to a connection.
pub const PING_INTERVAL: Duration = Duration::from_secs(25);
/// Time a client has to answer a ping.
pub const PONG_TIMEOUT: Duration = Duration::from_secs(8);
/// Time a connection has to authenticate.
pub const STALE_TIMEOUT: Duration = Duration::from_secs(15);
/// Time a connection keeps working after its token expired, for the refresh to arrive.
pub const EXPIRY_GRACE: Duration = Duration::from_secs(25);
/// A connection written to less than this long ago gathers further frames instead of being woken for each.
pub const COALESCE_WINDOW: Duration = Duration::from_millis(5);
/// Time given to a closing handshake before the socket is dropped.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time given to the HTTP server to hand over an upgraded socket.
pub const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// Resolution of the timer wheel.
pub const WHEEL_TICK: Duration = Duration::from_millis(100);
/// Slots of the timer wheel: its horizon is this many ticks; a later deadline is looked at again there.
pub const WHEEL_SLOTS: usize = 512;
/// Shards of the channel and connection tables.
pub const SHARDS: usize = 64;
