//! What a system is: a crate that brings tables, endpoints and background work under one name.

use plinth_flow::{Consumer, JobHandler, Schedule};
use plinth_store::Migration;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// A system. Adding one is a new crate and one line in the composition root.
pub trait System: Send + Sync + 'static {
    /// Its name: the prefix of its tables, events and scopes.
    fn name(&self) -> &'static str;

    /// Its tables, append-only.
    fn migrations(&self) -> &'static [Migration];

    /// Its endpoints, state already inside.
    fn routes(&self) -> OpenApiRouter;

    /// What it does with events.
    fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        Vec::new()
    }

    /// What it does later.
    fn job_handlers(&self) -> Vec<Arc<dyn JobHandler>> {
        Vec::new()
    }

    /// What it does by the clock.
    fn schedules(&self) -> Vec<Schedule> {
        Vec::new()
    }
}
