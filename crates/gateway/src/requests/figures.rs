//! Figures from the request log: how a tenant's last minutes went.

use plinth_kernel::{Micros, Problem, TenantId};
use plinth_store::{Store, args};

/// Requests looked at for percentiles, the latest ones.
const SAMPLES_MAX: i64 = 5_000;
const MINUTE_US: i64 = 60_000_000;

/// One minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// When it began.
    pub at: Micros,
    /// Requests in it.
    pub requests: i64,
    /// Those that failed on our side.
    pub errors: i64,
    /// The 99th percentile of their duration, in milliseconds.
    pub p99_ms: f64,
}

/// The last minutes of a tenant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Minute by minute, oldest first, without gaps.
    pub minutes: Vec<Minute>,
    /// Median duration in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile of the duration in milliseconds.
    pub p99_ms: f64,
}

/// Reads the figures of the last `minutes` minutes.
pub async fn figures(store: &Store, tenant: &TenantId, minutes: i64) -> Result<Figures, Problem> {
    let now = store.world().now();
    let first = (now.0 / MINUTE_US - minutes + 1) * MINUTE_US;
    let tenant = tenant.clone();
    let rows: Vec<(i64, i64, i64)> = store
        .read(move |tx| {
            // Newest ids are the newest requests, so the limit keeps what matters.
            tx.all(
                "SELECT created_at, duration_us, status FROM gateway_requests WHERE tenant_id = $1 AND created_at >= $2
                 ORDER BY id DESC LIMIT $3",
                args![&tenant, first, SAMPLES_MAX],
            )
        })
        .await
        .map_err(|error: plinth_store::Error| Problem::from(error))?;
    Ok(summarise(&rows, first, minutes))
}

fn summarise(rows: &[(i64, i64, i64)], first: i64, minutes: i64) -> Figures {
    let mut buckets: Vec<(Vec<i64>, i64)> = (0..minutes.max(0)).map(|_| (Vec::new(), 0)).collect();
    for (created_at, duration_us, status) in rows {
        let place = usize::try_from((created_at - first) / MINUTE_US).ok();
        if let Some((durations, errors)) = place.and_then(|place| buckets.get_mut(place)) {
            durations.push(*duration_us);
            *errors += i64::from(*status >= 500);
        }
    }
    let mut all: Vec<i64> = rows.iter().map(|(_, duration, _)| *duration).collect();
    let minutes = buckets.into_iter().enumerate().map(|(place, (mut durations, errors))| Minute {
        at: Micros(first + place as i64 * MINUTE_US),
        requests: durations.len() as i64,
        errors,
        p99_ms: percentile(&mut durations, 99),
    });
    Figures { minutes: minutes.collect(), p50_ms: percentile(&mut all, 50), p99_ms: percentile(&mut all, 99) }
}

/// The nearest-rank percentile in milliseconds; 0 of nothing.
fn percentile(durations_us: &mut [i64], percent: usize) -> f64 {
    if durations_us.is_empty() {
        return 0.0;
    }
    let rank = (durations_us.len() * percent).div_ceil(100).max(1) - 1;
    let (_, value, _) = durations_us.select_nth_unstable(rank);
    *value as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        assert_eq!(percentile(&mut [], 99), 0.0);
        assert_eq!(percentile(&mut [5_000], 99), 5.0);
        let mut hundred: Vec<i64> = (1..=100).map(|ms| ms * 1_000).rev().collect();
        assert_eq!((percentile(&mut hundred, 50), percentile(&mut hundred, 99)), (50.0, 99.0));
    }

    #[test]
    fn minutes_have_no_gaps() {
        let rows = [(MINUTE_US + 1, 1_000, 200), (MINUTE_US + 2, 3_000, 500), (3 * MINUTE_US, 2_000, 404)];
        let figures = summarise(&rows, MINUTE_US, 3);
        assert_eq!(
            figures.minutes.iter().map(|m| (m.requests, m.errors)).collect::<Vec<_>>(),
            [(2, 1), (0, 0), (1, 0)]
        );
    }
}
