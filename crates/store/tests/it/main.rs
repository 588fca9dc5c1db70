//! What the store promises, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod units;
