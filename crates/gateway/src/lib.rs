//! The edge: from sockets to handlers and back, in one pass.
//!
//! [`serve`](serve::serve) accepts connections and hands requests to the [`Gateway`], which does everything that is
//! the same for all of them: protocol sanity, ids, authentication, limits, admission, versions, problem documents,
//! headers, the request log and metrics. Which operations there are it reads from the OpenAPI document.
//!
//! **Invariants**
//! - Nothing behind the gateway is reachable without a declared security requirement ([`catalog`]).
//! - A request that is refused was not read: no body, no lookup that the refusal did not need.
//! - Every answer carries `X-Request-Id`, and every refusal of an operation is a problem document.
//! - Destinations that a tenant names are called through [`outbound`] only.
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod admission;
pub mod body;
pub mod catalog;
pub mod changes;
pub mod cors;
pub mod docs;
mod gateway;
pub mod gcra;
pub mod gradient;
pub mod head;
pub mod limits;
pub mod metrics;
pub mod outbound;
pub mod platform;
pub mod quotas;
pub mod requests;
pub mod sanity;
pub mod serve;
pub mod sites;
pub mod version;
mod wire;

pub use gateway::{Check, Gateway, GatewayConfig, GatewayParts, Peer, Transport};
pub use metrics::{Metrics, Polled};
pub use platform::{Platform, PlatformConfig};
pub use serve::{ServeConfig, serve};
pub use sites::Sites;
