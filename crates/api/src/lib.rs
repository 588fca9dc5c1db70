//! What every endpoint needs and no endpoint should write twice: the request's context, strict input,
//! idempotent commands, lists, conditional requests and problems as answers.
//!
//! **Invariants**
//! - A handler never builds an error body: it returns a [`Problem`](plinth_kernel::Problem) as [`ApiError`],
//!   and the edge renders it ([`problem::render`]) with the request id.
//! - A command's idempotency row, its effect, its events and its stored answer are one unit of work
//!   ([`command::Command::run`]).
//! - A list is keyset only; its cursor is signed and bound to tenant, operation and filter ([`list::List`]).
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod command;
pub mod conditional;
pub mod context;
pub mod fingerprint;
pub mod json;
pub mod limits;
pub mod list;
pub mod migrations;
pub mod operation;
pub mod problem;
pub mod strict_json;
pub mod sweep;
pub mod system;
#[cfg(feature = "testing")]
pub mod testing;

pub use command::{Command, NoBody, Reply};
pub use conditional::{Versioned, conditional_json};
pub use context::{Ctx, RequestContext, Sealer};
pub use json::Json;
pub use list::{Keyset, List, ListBody, PageParams, Query};
pub use problem::{ApiError, ApiResult, ProblemBody, Problems};
pub use system::System;
