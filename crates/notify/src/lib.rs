//! Notifications: what happened (an event) is one thing; whom to tell and how (a workflow) is another, and is data.
//!
//! The planner is a consumer of the event log. For each step of each matching workflow and each recipient it writes
//! one notification, in the transaction that acknowledges the event, so that an event is planned exactly once. An
//! in-app item is complete with that commit. An e-mail leaves the process, so it is a job: attempts are on record
//! before and after each call, with retry, dead letter and replay from the one queue that everything uses.
//!
//! **Invariants**: content is rendered once, when it is planned, so that every attempt sends the same bytes; a
//! notification's `Message-ID` is derived from its id and never changes.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod api;
pub mod channels;
mod directory;
mod email_job;
pub mod limits;
pub mod model;
mod planner;
mod seed;
mod store;

use channels::Mailer;
use plinth_api::System;
use plinth_flow::{Consumer, JobHandler};
use plinth_kernel::ports::Publisher;
use plinth_store::{Migration, Store};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

pub use directory::{Directory, Recipient};
pub use seed::seed_workflows;
pub use store::Figures;

/// The notification system.
#[derive(Clone)]
pub struct Notify {
    store: Store,
    mailer: Mailer,
    directory: Arc<dyn Directory>,
    publisher: Arc<dyn Publisher>,
}

impl Notify {
    /// Notifications in this store, by this mailer, to these people.
    #[must_use]
    pub fn new(
        store: Store,
        mailer: Mailer,
        directory: Arc<dyn Directory>,
        publisher: Arc<dyn Publisher>,
    ) -> Self {
        Self { store, mailer, directory, publisher }
    }

    /// Live figures of a tenant.
    pub async fn figures(&self, tenant: &plinth_kernel::TenantId) -> Result<Figures, plinth_kernel::Problem> {
        store::figures(&self.store, tenant).await
    }
}

impl System for Notify {
    fn name(&self) -> &'static str {
        "notify"
    }

    fn migrations(&self) -> &'static [Migration] {
        const MIGRATIONS: &[Migration] =
            &[Migration { number: 1, name: "notify", sql: include_str!("migrations/0001_notify.sql") }];
        MIGRATIONS
    }

    fn routes(&self) -> OpenApiRouter {
        api::routes(self.clone())
    }

    fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![
            Arc::new(planner::Planner::new(self.directory.clone(), self.publisher.clone())),
            Arc::new(email_job::GiveUp::new(self.publisher.clone())),
        ]
    }

    fn job_handlers(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(email_job::SendEmail::new(self.mailer.clone(), self.publisher.clone()))]
    }
}
