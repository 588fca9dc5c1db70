//! Makes delayed jobs and retries ready, and fires schedules, when their time has come.

use crate::{
    consumers::runner::until,
    error::Result,
    jobs::{next_due, promote},
    runtime::Shared,
    schedules,
};
use plinth_kernel::Micros;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The pause after finding that everything due is locked by somebody else.
const LOST_RACE_MS: i64 = 20;

/// Sleeps until the next thing is due; whoever adds an earlier one rings the bell.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let wait = match work(&shared).await {
            Ok(next) => {
                let now = shared.store.world().now();
                next.map_or(shared.config.poll, |at| until(now, at).min(shared.config.poll))
            }
            Err(error) => {
                tracing::warn!(%error, "timers could not be served");
                shared.config.poll
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = shared.bells.timer.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Does what is due; answers when the next thing is.
async fn work(shared: &Shared) -> Result<Option<Micros>> {
    loop {
        let now = shared.store.world().now();
        // Reading first: an idle node does not write.
        let (job, schedule) = shared
            .store
            .read(|tx| Ok::<_, crate::FlowError>((next_due(tx)?, schedules::next_due(tx)?)))
            .await?;
        if [job, schedule].into_iter().flatten().all(|at| at > now) {
            return Ok([job, schedule].into_iter().flatten().min());
        }
        let mut done = 0;
        if job.is_some_and(|at| at <= now) {
            done += shared.store.write(promote).await?;
        }
        if schedule.is_some_and(|at| at <= now) {
            done += shared.store.write(schedules::fire).await?;
        }
        if done == 0 {
            // Another node is doing it at this moment.
            return Ok(Some(now.plus_ms(LOST_RACE_MS)));
        }
    }
}
