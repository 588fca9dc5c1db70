//! The edge over real sockets, with real identity on a real store.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authentication;
mod drain;
mod handlers;
mod limits;
mod outbound;
mod platform;
mod protocol;
mod request_log;
mod support;
mod versions;
