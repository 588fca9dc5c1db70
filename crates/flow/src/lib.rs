//! What happens after the commit: consumers of the event log, jobs and schedules.
//!
//! A unit of work decides and commits; it may leave behind *events* (facts, [`plinth_store::Tx::emit`]) and *jobs*
//! (effects outside the process, [`enqueue`]). From there on it is flow's:
//!
//! ```text
//!  unit of work ──▶ events ──▶ Consumer::handle, exactly once, in order per key ──▶ rows, events, jobs
//!               └─▶ jobs ────▶ JobHandler::run, at least once, on record before and after ──▶ rows, events, jobs
//!  Schedule ───────▶ jobs
//! ```
//!
//! The rooms: [`model`] decides (pure), [`consumers`], [`jobs`] and [`schedules`] keep their tables, [`runtime`] runs
//! them on a node, [`trace`] and [`stats`] tell about it.
//!
//! **Invariants**
//! - Nothing leaves the process in a transaction. A consumer's effect is in the database; the rest is a job.
//! - An attempt is committed as open before its effect, and closed after it. An effect is attempted again only when
//!   its outcome was not recorded, or was recorded as "not yet".
//! - Every take-over raises a number (a cursor's epoch, a job's attempt) that the late writes of the old owner name.
//! - Sleep ends by notification. The safety poll makes up for lost ones and is not the way anything usually moves.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod consumers;
mod error;
pub mod events;
pub mod jobs;
pub mod limits;
pub mod model;
pub mod runtime;
pub mod schedules;
pub mod stats;
mod sweep;
pub mod trace;

pub use consumers::{Consumer, LaterEvents, ParkedEvent, PoisonPolicy, StartAt};
pub use error::FlowError;
pub use jobs::{
    Attempt, DestinationPolicy, Job, JobContext, JobFilter, JobHandler, NewJob, Outcome, Reason, cancel,
    enqueue, replay, replay_dead,
};
pub use model::{
    backoff::Backoff,
    breaker::BreakerConfig,
    job::{AttemptOutcome, JobClass, JobState},
    span::{SpanKind, SpanStatus, Timeline, TraceSpan},
    throttle::Rate,
};
pub use runtime::{FlowBuilder, FlowConfig, FlowHandle, Queue};
pub use schedules::{MissedFirings, Schedule, When};
pub use sweep::forget_consumer;

use plinth_store::Migration;

/// The name under which flow's migrations are recorded.
pub const SYSTEM: &str = "flow";

/// Flow's tables. They come after the store's own.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "flow", sql: include_str!("../migrations/0001_flow.sql") }];
