//! The promises of the API conventions, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod command;
mod kill;
