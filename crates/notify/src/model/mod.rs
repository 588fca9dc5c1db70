//! What notifications decide, without IO.

pub mod render;
pub mod workflow;
