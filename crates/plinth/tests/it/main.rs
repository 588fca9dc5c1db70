//! The executable as a process: started, asked over HTTP, stopped, killed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod commands;
mod crash;
mod drain;
mod hostile;
mod isolation;
mod metrics;
mod roles;
mod support;
mod telemetry;
