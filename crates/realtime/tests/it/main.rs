//! The hub from the outside: every promise is checked on the wire.

mod clients;
mod commands;
mod http;
mod isolation;
mod lifecycle;
mod recovery;
mod support;
mod test_server;
mod token_auth;
