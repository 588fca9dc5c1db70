//! What the assistant does by the clock.

use plinth_flow::{JobContext, JobHandler, MissedFirings, Outcome, Schedule, When};
use plinth_kernel::{Problem, TenantId};
use serde_json::{Map, json};

use crate::Assistant;

/// Name of the sweep: its kind, and its schedule.
const SWEEP: &str = "assistant.sweep";
/// Its queue.
const QUEUE: &str = "assistant";

/// Sweeps what is past its time, for all tenants at once.
pub(crate) struct Sweep(pub(crate) Assistant);

#[async_trait::async_trait]
impl JobHandler for Sweep {
    fn kind(&self) -> &'static str {
        SWEEP
    }

    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn run(&self, _job: JobContext) -> Result<Outcome, Problem> {
        let swept = self.0.sweep().await?;
        Ok(Outcome::done(json!({
            "conversations": swept.conversations,
            "streams": swept.streams,
            "budgets": swept.budgets,
        })))
    }
}

/// Every quarter of an hour; missed firings need no making up for. `tenant` is the one in whose name the installation works.
pub(crate) fn schedule(tenant: TenantId) -> Schedule {
    Schedule {
        tenant,
        name: SWEEP.to_owned(),
        when: When::Cron { expression: "*/15 * * * *".to_owned(), zone: "UTC".to_owned() },
        missed: MissedFirings::Once,
        queue: QUEUE.to_owned(),
        kind: SWEEP.to_owned(),
        payload: Map::new(),
    }
}
