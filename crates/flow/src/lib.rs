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
//! ```no_run
//! # use plinth_flow::*;
//! # use plinth_kernel::{Event, Problem};
//! # use plinth_store::{Store, Tx};
//! # use std::{sync::Arc, time::Duration};
//! struct Welcome;
//!
//! impl Consumer for Welcome {
//!     fn name(&self) -> &'static str { "notify.welcome" }
//!     fn kinds(&self) -> &'static [&'static str] { &["identity.member.joined"] }
//!     fn handle(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), Problem> {
//!         let mut job = NewJob::new(event.tenant.clone(), "email", "notify.send_email", event.data.clone(), event.trace);
//!         job.destination = Some("smtp:mail.example.com".into());
//!         enqueue(tx, job)?;
//!         Ok(())
//!     }
//! }
//!
//! struct SendEmail;
//!
//! #[async_trait::async_trait]
//! impl JobHandler for SendEmail {
//!     fn kind(&self) -> &'static str { "notify.send_email" }
//!     fn queue(&self) -> &'static str { "email" }
//!     async fn run(&self, job: JobContext) -> Result<Outcome, Problem> {
//!         // … hand it over, with `job.job_id` as the key that makes a second copy recognisable …
//!         Ok(Outcome::done(serde_json::json!({"message_id": "…"})))
//!     }
//! }
//!
//! # async fn example(store: Store) -> Result<(), FlowError> {
//! store.migrate(plinth_flow::SYSTEM, plinth_flow::MIGRATIONS).await?;
//! let flow = FlowBuilder::new().consumer(Arc::new(Welcome)).handler(Arc::new(SendEmail)).start(store).await?;
//! // … until the process is asked to end …
//! flow.shutdown(Duration::from_secs(20)).await
//! # }
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
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
// A consumer answers with the kernel's `Problem`, whose size is the kernel's business; it is made on failures alone.
#![allow(clippy::result_large_err)]

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
