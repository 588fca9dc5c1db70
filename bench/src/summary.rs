//! What a load says of the times it saw.

use serde_json::{Value, json};
use std::time::Duration;

/// Latencies in microseconds, each of them kept: percentiles are exact.
#[derive(Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    /// Notes one.
    pub fn note(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Median, tail and maximum in milliseconds.
    pub fn into_json(mut self) -> Value {
        self.0.sort_unstable();
        let at = |permille: usize| {
            let index = (self.0.len() * permille / 1_000).min(self.0.len().saturating_sub(1));
            self.0.get(index).map_or(0.0, |us| f64::from(*us) / 1_000.0)
        };
        json!({ "p50_ms": at(500), "p90_ms": at(900), "p99_ms": at(990), "max_ms": at(1_000) })
    }
}
