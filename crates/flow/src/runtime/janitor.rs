//! Removes what has been kept long enough, a little at a time.

use crate::{error::Result, limits, runtime::Shared, sweep};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// The pause between two sweeps.
const PAUSE: Duration = Duration::from_secs(60);
/// The pause between two units of one sweep: everybody else goes first.
const BREATH: Duration = Duration::from_millis(50);

/// Sweeps until the token fires. Nodes need not agree on who does it: removing twice is removing once.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    // Nodes that start together do not sweep in step.
    let mut pause = Duration::from_millis(shared.store.world().below(PAUSE.as_millis() as u64));
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = match once(&shared).await {
            Ok(true) => BREATH,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "old rows could not be removed");
                PAUSE
            }
        };
    }
}

/// One unit of every kind of sweep; whether there may be more to remove.
async fn once(shared: &Shared) -> Result<bool> {
    let config = shared.config.clone();
    let jobs = shared
        .store
        .write(move |tx| sweep::jobs(tx, config.jobs_done_kept_ms, config.jobs_dead_kept_ms))
        .await?;
    let kept_ms = shared.config.events_kept_ms;
    let events = shared.store.write(move |tx| sweep::events(tx, kept_ms)).await?;
    let rest = shared.store.write(move |tx| sweep::rest(tx, kept_ms)).await?;
    Ok([jobs, events, rest].into_iter().any(|count| count >= limits::SWEEP_ROWS_MAX as u64))
}
