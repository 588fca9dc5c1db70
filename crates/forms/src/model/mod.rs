//! What forms decide, without IO.

pub mod answer;
pub mod definition;
