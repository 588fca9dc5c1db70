//! The assistant: answers questions about the site's content, in the content's own words, as a stream with citations.
//!
//! - `model/` decides, without IO: what a question asks, which passages answer it, whether the content holds an answer at all,
//!   and what may be shown of what a language model says.
//! - [`provider`] talks to language models; the default needs none.
//! - `generating.rs` drives a model; `hub.rs` holds the runs and their readers; `store.rs` is the only place that knows the
//!   tables; `api/` is HTTP.
//!
//! **Invariants**
//! - Every stream ends with an explicit `finish`; an upstream's silence is never taken for an end.
//! - Until something was shown, every failure becomes an extractive answer; afterwards nothing is spliced.
//! - A budget is reserved before a call and never exceeded; its exhaustion degrades and is no error.
//! - A sentence of a model is shown only when the passages back it.
//! - Content and question are data: nothing in them is ever executed, followed or given tools.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod answering;
mod api;
pub mod evaluation;
mod gate;
mod generating;
mod hub;
mod jobs;
pub mod limits;
pub mod model;
mod parts;
pub mod provider;
mod recovery;
mod settings;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use plinth_api::System;
use plinth_flow::{JobHandler, Schedule};
use plinth_kernel::ports::ContentSource;
use plinth_kernel::{Problem, TenantId, World};
use plinth_store::{Migration, Store};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

use crate::hub::{Halt, Hub};
use crate::model::index::Index;
use crate::provider::{BadSettings, OpenAiCompat, Provider};

pub use settings::{BudgetSettings, Settings};
pub use store::Swept;

/// The assistant system. Cheap to clone.
#[derive(Clone)]
pub struct Assistant {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) hub: Hub,
    pub(crate) slots: Semaphore,
    pub(crate) provider: Option<Arc<dyn Provider>>,
    content: Arc<dyn ContentSource>,
    index: ArcSwap<Index>,
    rebuilding: Mutex<()>,
    tasks: TaskTracker,
    draining: AtomicBool,
}

impl Assistant {
    /// The assistant over this content, with the provider that the settings name.
    pub fn new(
        store: Store,
        content: Arc<dyn ContentSource>,
        settings: Settings,
    ) -> Result<Self, BadSettings> {
        let provider = match settings.openai_compat.clone() {
            Some(openai) => Some(Arc::new(OpenAiCompat::new(openai)?) as Arc<dyn Provider>),
            None => None,
        };
        Ok(Self::with_provider(store, content, settings, provider))
    }

    /// The assistant with a provider of one's own.
    #[must_use]
    pub fn with_provider(
        store: Store,
        content: Arc<dyn ContentSource>,
        settings: Settings,
        provider: Option<Arc<dyn Provider>>,
    ) -> Self {
        let index = ArcSwap::from_pointee(Index::new(content.snapshot()));
        let slots = Semaphore::new(settings.concurrency.max(1));
        let inner = Inner {
            store,
            settings,
            hub: Hub::default(),
            slots,
            provider,
            content,
            index,
            rebuilding: Mutex::new(()),
            tasks: TaskTracker::new(),
            draining: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The index over the content as it is now, for [`evaluation::evaluate`].
    #[must_use]
    pub fn index(&self) -> Arc<Index> {
        self.inner.index()
    }

    /// Takes no more questions, lets answers in the making finish for up to [`limits::DRAIN_MAX`], then ends them with
    /// `server_draining`. Everything is stored when this returns.
    pub async fn drain(&self) {
        self.inner.draining.store(true, Ordering::Release);
        self.inner.tasks.close();
        if tokio::time::timeout(limits::DRAIN_MAX, self.inner.tasks.wait()).await.is_err() {
            self.inner.hub.halt_all(Halt::Drain);
            self.inner.tasks.wait().await;
        }
    }

    /// The schedule of the retention sweep. It concerns all tenants; its jobs run in the name of `tenant`.
    #[must_use]
    pub fn sweep_schedule(tenant: TenantId) -> Schedule {
        jobs::schedule(tenant)
    }

    /// The retention sweep: closes lost runs, erases conversations beyond the retention time, empties streams beyond the
    /// replay window. In units of a bounded size, until there is nothing left or [`limits::SWEEP_PASSES_MAX`] are done.
    pub async fn sweep(&self) -> Result<Swept, Problem> {
        let retention_ms = i64::from(self.inner.settings.retention_days) * 24 * 3_600 * 1_000;
        let replay_ms = i64::try_from(limits::REPLAY_WINDOW.as_millis()).unwrap_or(i64::MAX);
        let mut total = Swept::default();
        for _ in 0..limits::SWEEP_PASSES_MAX {
            let pass = self.inner.store.write(move |tx| {
                recovery::close_all_lost(tx, limits::SWEEP_BATCH)?;
                let now = tx.now();
                store::sweep(tx, now.plus_ms(-retention_ms), now.plus_ms(-replay_ms))
            });
            let pass = pass.await?;
            total = total.and(pass);
            let most = pass.conversations.max(pass.streams).max(pass.budgets);
            if most < limits::SWEEP_BATCH.unsigned_abs() {
                break;
            }
        }
        Ok(total)
    }
}

impl System for Assistant {
    fn name(&self) -> &'static str {
        "assistant"
    }

    fn migrations(&self) -> &'static [Migration] {
        store::MIGRATIONS
    }

    fn routes(&self) -> OpenApiRouter {
        api::routes(self.clone())
    }

    fn job_handlers(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(jobs::Sweep(self.clone()))]
    }
}

impl Inner {
    pub(crate) fn world(&self) -> &World {
        self.store.world()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// The current index; rebuilt when the content has changed. Runs keep the index they began with.
    pub(crate) fn index(&self) -> Arc<Index> {
        let snapshot = self.content.snapshot();
        let current = self.index.load_full();
        if Arc::ptr_eq(current.snapshot(), &snapshot) {
            return current;
        }
        // One rebuild at a time; whoever waited finds it done.
        let _guard = self.rebuilding.lock();
        let current = self.index.load_full();
        if Arc::ptr_eq(current.snapshot(), &snapshot) {
            return current;
        }
        let rebuilt = Arc::new(Index::new(snapshot));
        self.index.store(Arc::clone(&rebuilt));
        rebuilt
    }
}
