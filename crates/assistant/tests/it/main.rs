//! The promises of the assistant.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod budget;
mod contract;
mod facade;
mod quality;
mod small_model;
mod support;
mod upstream;
