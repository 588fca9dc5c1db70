//! Units of work on SQLite or PostgreSQL: one SQL text, one interface, the same guarantees.
//!
//! ```no_run
//! # async fn example(store: plinth_store::Store, tenant: plinth_kernel::TenantId) -> Result<(), plinth_store::Error> {
//! use plinth_store::{args, Error};
//! let rows = store
//!     .write(move |tx| {
//!         tx.exec("UPDATE forms SET title = $2 WHERE tenant_id = $1", args![&tenant, "Contact"])
//!     })
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! - A unit of work is a synchronous closure that runs on the engine's own thread. It cannot wait for anything but the
//!   store, so it cannot hold a transaction open across the network, and its caller's cancellation cannot leave one
//!   behind.
//! - On SQLite many units share a commit, and an answer leaves only after the fsync. On PostgreSQL worker threads own
//!   the connections.
//! - The closure may be called again: after a collision, after a lost connection, after a neighbour in the same commit
//!   took the transaction down.
//! - Events are appended in the transaction that makes them true; see [`events`].
//!
//! **Invariant**: no type of a driver appears in the interface, and no statement text is built at run time.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod backup;
mod config;
mod engine;
mod error;
pub mod events;
pub mod limits;
mod migrate;
mod postgres;
mod script;
mod shared;
mod sqlite;
mod stats;
mod store;
mod tx;
mod unit;
mod value;
mod wake;

pub use backup::Manifest;
pub use config::{Config, Location};
pub use engine::Engine;
pub use error::{Error, Result};
pub use migrate::Migration;
pub use stats::{BATCH_BOUNDS, HistogramSnapshot, Queues, SECONDS_BOUNDS, StoreStats};
pub use store::Store;
pub use tx::Tx;
pub use value::{Arg, FromCol, FromRow, OwnedArg, Row, Sql, expect_columns};
pub use wake::{EventWakeups, PartitionSet};
