//! The hub from the outside: every promise is checked on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clients;
mod commands;
mod http;
mod isolation;
mod lifecycle;
mod recovery;
mod support;
mod test_server;
mod token_auth;
