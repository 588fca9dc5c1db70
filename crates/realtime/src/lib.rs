//! The realtime hub: channels over WebSocket, server-sent events and HTTP streams, with presence and recovery.
//!
//! It speaks the Centrifugo client protocol, version 2, in JSON, so that its clients for many languages can be used
//! as they are. What a client hears is decided by its host through [`RealtimeAuth`]; what is said comes in through
//! [`Hub::publish`] or the [`Publisher`] port, after the commit: the hub is a cache of what was said lately and
//! never the record of it.
//!
//! ```text
//! transport/   websocket · sse · http_stream · emulation: bytes in, bytes out
//! commands     what clients may ask for
//! session      one connection: who, what it hears, when it must be heard from
//! outbox       what waits to be written to it
//! channel      position, recent publications (ring) and subscribers, behind one lock
//! hub          the tables of all of these, the timer wheel, drain, figures
//! protocol     messages as types;  codec: messages as bytes
//! ```
//!
//! **Invariants.** A channel belongs to one tenant: its key begins with the tenant's id. Whoever publishes never
//! waits for a subscriber. A connection's queue is bounded, and what does not fit ends the connection, which comes
//! back and recovers. The reply to a subscription stands before every later publication. A connection that has
//! nothing to say or hear owns no buffer.
//!
//! [`RealtimeAuth`]: plinth_kernel::ports::RealtimeAuth
//! [`Publisher`]: plinth_kernel::ports::Publisher
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod bucket;
mod channel;
mod codec;
mod codes;
mod commands;
mod config;
mod hub;
pub mod limits;
mod outbox;
mod protocol;
mod ring;
mod session;
mod stats;
mod transport;
mod wheel;

pub use codes::Disconnect;
pub use config::{HubConfig, NamespacePolicy, OriginCheck, OriginPolicy};
pub use hub::Hub;
pub use stats::{HubStats, Transport};
pub use transport::{ClientAddress, routes};
