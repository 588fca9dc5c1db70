//! Assistant.
#![deny(missing_docs)]
#![forbid(unsafe_code)]
pub mod evaluation;
pub mod limits;
pub mod model;
