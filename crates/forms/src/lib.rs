//! Forms: a definition is drafted, published as an immutable version, and answered.
//!
//! - `model/` decides: what a well-formed definition is ([`model::definition`]) and whether an answer fits it
//!   ([`model::answer`]). Pure; the same input gives the same result on every machine.
//! - `store.rs` is the only place that knows the tables.
//! - `api/` is HTTP in and out; [`gate`] is the port for pages without JavaScript.
//!
//! **Invariants**: an answer is stored under the ids of its fields, never under keys or labels, so renaming and
//! translating cannot touch data; a version is never changed; a submission says which version it answers.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod api;
mod csv_export;
mod gate;
pub mod limits;
pub mod model;
mod seed;
mod store;
mod submit;

use plinth_api::System;
use plinth_store::{Migration, Store};
use utoipa_axum::router::OpenApiRouter;

pub use gate::Gate;
pub use model::{answer, definition::Definition};
pub use seed::seed_contact_form;
pub use store::Figures;

/// The forms system.
#[derive(Clone)]
pub struct Forms {
    store: Store,
}

impl Forms {
    /// Forms in this store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Live figures of a tenant.
    pub async fn figures(&self, tenant: &plinth_kernel::TenantId) -> Result<Figures, plinth_kernel::Problem> {
        store::figures(&self.store, tenant).await
    }

    /// The port for pages that work without JavaScript.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate::new(self.store.clone())
    }
}

impl System for Forms {
    fn name(&self) -> &'static str {
        "forms"
    }

    fn migrations(&self) -> &'static [Migration] {
        const MIGRATIONS: &[Migration] =
            &[Migration { number: 1, name: "forms", sql: include_str!("migrations/0001_forms.sql") }];
        MIGRATIONS
    }

    fn routes(&self) -> OpenApiRouter {
        api::routes(self.clone())
    }
}
