//! Counters for the metrics endpoint.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// How a connection reaches the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `/connection/websocket`.
    WebSocket,
    /// `/connection/sse`.
    Sse,
    /// `/connection/http_stream`.
    HttpStream,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 3] = [Self::WebSocket, Self::Sse, Self::HttpStream];

    /// The name used in metrics and by clients.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::HttpStream => "http_stream",
        }
    }
}

/// What a [`Hub`](crate::Hub) has done since it was made, and what it holds now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Open connections in the order of [`Transport::ALL`].
    pub connections: [u64; 3],
    /// Connections that have not authenticated yet.
    pub connections_pending: u64,
    /// Subscriptions of open connections.
    pub subscriptions: u64,
    /// Channels known, used or remembered.
    pub channels: u64,
    /// Connections refused before they began: draining, over a limit or over the accept rate.
    pub refused: u64,
    /// Publications accepted.
    pub publications: u64,
    /// Publications handed to a subscriber's queue.
    pub deliveries: u64,
    /// Writes to sockets and response bodies.
    pub writes: u64,
    /// Frames in those writes.
    pub frames: u64,
    /// Bytes in those writes.
    pub written_bytes: u64,
    /// Connections closed because they did not read.
    pub slow_disconnects: u64,
    /// Connections closed because they did not answer a ping.
    pub ping_timeouts: u64,
    /// Subscriptions that resumed without a gap.
    pub recoveries: u64,
    /// Subscriptions that asked to resume and could not.
    pub recoveries_failed: u64,
}

/// The live counters behind [`HubStats`].
#[derive(Default)]
pub(crate) struct Counters {
    pub connections: [AtomicI64; 3],
    pub pending: AtomicI64,
    pub subscriptions: AtomicI64,
    pub channels: AtomicI64,
    pub refused: AtomicU64,
    pub publications: AtomicU64,
    pub deliveries: AtomicU64,
    pub writes: AtomicU64,
    pub frames: AtomicU64,
    pub written_bytes: AtomicU64,
    pub slow_disconnects: AtomicU64,
    pub ping_timeouts: AtomicU64,
    pub recoveries: AtomicU64,
    pub recoveries_failed: AtomicU64,
}

impl Counters {
    /// Open connections of one transport.
    pub(crate) fn connections_of(&self, transport: Transport) -> &AtomicI64 {
        &self.connections[transport as usize]
    }

    /// Counts one write of `frames` messages.
    pub(crate) fn wrote(&self, frames: u64, bytes: usize) {
        self.writes.fetch_add(1, Relaxed);
        self.frames.fetch_add(frames, Relaxed);
        self.written_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// The figures now.
    pub(crate) fn snapshot(&self) -> HubStats {
        let level = |gauge: &AtomicI64| gauge.load(Relaxed).max(0) as u64;
        let total = |counter: &AtomicU64| counter.load(Relaxed);
        HubStats {
            connections: [0, 1, 2].map(|n: usize| level(&self.connections[n])),
            connections_pending: level(&self.pending),
            subscriptions: level(&self.subscriptions),
            channels: level(&self.channels),
            refused: total(&self.refused),
            publications: total(&self.publications),
            deliveries: total(&self.deliveries),
            writes: total(&self.writes),
            frames: total(&self.frames),
            written_bytes: total(&self.written_bytes),
            slow_disconnects: total(&self.slow_disconnects),
            ping_timeouts: total(&self.ping_timeouts),
            recoveries: total(&self.recoveries),
            recoveries_failed: total(&self.recoveries_failed),
        }
    }
}
