//! What the store promises, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod backup;
mod events;
mod isolation;
mod kill;
mod migrations;
mod postgres;
mod sqlite;
mod support;
mod values;
mod waiting;
