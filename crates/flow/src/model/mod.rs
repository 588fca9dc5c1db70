//! What flow decides, without a database in sight: pure functions and small state machines over values that
//! are passed in, the clock and the die included.

pub mod backoff;
pub mod balance;
pub mod breaker;
pub mod cron;
pub mod fairness;
pub mod job;
pub mod span;
pub mod throttle;
