//! Makes delayed jobs and retries ready, and fires schedules, when their time has come.

use crate::{
    consumers::runner::until,
    error::Result,
    jobs::{next_due, promote},
    limits,
    runtime::Shared,
    schedules,
};
use plinth_kernel::Micros;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
        let mut full = false;
        if job.is_some_and(|at| at <= now) {
            full |= shared.store.write(promote).await? as i64 >= limits::PROMOTE_JOBS_MAX;
        }
        if schedule.is_some_and(|at| at <= now) {
            full |= shared.store.write(schedules::fire).await? as i64 >= limits::SCHEDULES_PER_UNIT_MAX;
        }
        let rest = [job, schedule].into_iter().flatten().filter(|at| *at > now).min();
        let did_something = [job, schedule].into_iter().flatten().any(|at| at <= now);
        if !full && !did_something {
            return Ok(rest);
        }
    }
}
