//! What identity decides, without a database, a clock or a socket.

pub mod audit;
pub mod csrf;
pub mod email;
pub mod jwk;
pub mod jwt;
pub mod key_text;
pub mod net;
pub mod origin;
pub mod password;
pub mod scope;
pub mod session;
pub mod throttle;
