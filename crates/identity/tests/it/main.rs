//! What identity promises, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod audit;
mod background;
mod canary;
mod keys;
mod people;
mod realtime;
mod sessions;
mod support;
mod tenants;
mod tokens;
