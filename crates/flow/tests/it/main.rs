//! The promises of flow, each on SQLite and on PostgreSQL.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::result_large_err, missing_docs)]

mod consumers;
mod fairness;
mod jobs;
mod kill;
mod nodes;
mod schedules;
mod support;
mod trace;
