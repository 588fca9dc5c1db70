//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Asks `condition` until it answers `Some`, for thirty seconds at most.
///
/// # Panics
/// When the time is up, naming `what` was awaited.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut condition: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "not within thirty seconds: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
