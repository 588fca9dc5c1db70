//! Jobs: everything that leaves the process, committed before it is tried.
//!
//! [`enqueue`] writes a job in the caller's unit of work. A worker claims it, which commits an open attempt; then its
//! [`JobHandler`] does the effect; then the outcome is committed. A crash between the two leaves the attempt open, and
//! it is closed as *unknown*: an effect is attempted again only when its outcome was not recorded.

mod dead_letter;
mod destinations;
mod handler;
pub(crate) mod lane;
mod new_job;
mod query;
pub(crate) mod table;
pub(crate) mod worker;

pub use dead_letter::JOB_DIED;
pub(crate) use destinations::PolicyFn;
pub use destinations::{BreakerReport, DestinationPolicy};
pub use handler::{Effect, JobContext, JobHandler, Outcome, Reason};
pub(crate) use new_job::check_name;
pub use new_job::{NewJob, enqueue};
pub(crate) use query::word;
pub use query::{Attempt, Job, JobFilter, attempts, get_job, list_jobs};
pub use table::{Replayed, cancel, replay, replay_dead};
pub(crate) use table::{cancel_requests, next_due, promote, reclaim};
