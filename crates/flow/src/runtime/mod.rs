//! The runtime of a worker: starts everything, and stops it in order.

mod janitor;
pub(crate) mod membership;
pub(crate) mod node;
mod timer;
pub(crate) mod wake;

use crate::{
    consumers::{Consumer, runner::Runner, table as cursors},
    error::{FlowError, Result},
    jobs::{
        DestinationPolicy, JobHandler, reclaim,
        worker::{Handlers, QueueWorker, backoff_of},
    },
    limits,
    schedules::{self, Schedule},
};
use membership::Membership;
use plinth_store::{Engine, Store};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wake::Bells;

/// The shortest time between two looks that other nodes' events cause.
const LISTEN_PAUSE: Duration = Duration::from_millis(50);

/// What an operator may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowConfig {
    /// How long a node that stopped answering keeps what it holds.
    pub lease: Duration,
    /// The safety poll behind the notifications.
    pub poll: Duration,
    /// Batches of events under way at once.
    pub consumer_batches: usize,
    /// Slots of a queue that is not configured by itself.
    pub queue_slots: u32,
    /// How long a job that was asked to stop at shutdown may take to do so.
    pub shutdown_grace: Duration,
    /// How long finished jobs are kept.
    pub jobs_done_kept_ms: i64,
    /// How long dead letters and cancelled jobs are kept.
    pub jobs_dead_kept_ms: i64,
    /// How long events are kept after every consumer has passed them.
    pub events_kept_ms: i64,
}

impl Default for FlowConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_millis(limits::NODE_LEASE_MS),
            poll: Duration::from_millis(limits::POLL_MS),
            consumer_batches: 8,
            queue_slots: limits::QUEUE_SLOTS_DEFAULT,
            shutdown_grace: Duration::from_secs(2),
            jobs_done_kept_ms: limits::JOBS_DONE_KEPT_MS,
            jobs_dead_kept_ms: limits::JOBS_DEAD_KEPT_MS,
            events_kept_ms: limits::EVENTS_KEPT_MS,
        }
    }
}

/// A queue's own settings.
pub struct Queue {
    name: String,
    slots: u32,
    policy: crate::jobs::PolicyFn,
}

impl Queue {
    /// A queue with so many slots on each node.
    pub fn new(name: impl Into<String>, slots: u32) -> Self {
        Self { name: name.into(), slots, policy: Arc::new(|_, _| DestinationPolicy::default()) }
    }

    /// How its destinations may be used, by tenant and destination. Asked once for each, when it is first needed.
    #[must_use]
    pub fn destinations(
        mut self,
        policy: impl Fn(&str, &str) -> DestinationPolicy + Send + Sync + 'static,
    ) -> Self {
        self.policy = Arc::new(policy);
        self
    }
}

/// What a worker runs, while it is being put together.
#[derive(Default)]
pub struct FlowBuilder {
    consumers: Vec<Arc<dyn Consumer>>,
    handlers: Vec<Arc<dyn JobHandler>>,
    queues: Vec<Queue>,
    schedules: Vec<Schedule>,
    config: FlowConfig,
}

impl FlowBuilder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a consumer.
    #[must_use]
    pub fn consumer(mut self, consumer: Arc<dyn Consumer>) -> Self {
        self.consumers.push(consumer);
        self
    }

    /// Adds consumers.
    #[must_use]
    pub fn consumers(mut self, consumers: impl IntoIterator<Item = Arc<dyn Consumer>>) -> Self {
        self.consumers.extend(consumers);
        self
    }

    /// Adds a handler, and with it its queue.
    #[must_use]
    pub fn handler(mut self, handler: Arc<dyn JobHandler>) -> Self {
        self.handlers.push(handler);
        self
    }

    /// Adds handlers.
    #[must_use]
    pub fn handlers(mut self, handlers: impl IntoIterator<Item = Arc<dyn JobHandler>>) -> Self {
        self.handlers.extend(handlers);
        self
    }

    /// Gives a queue settings of its own.
    #[must_use]
    pub fn queue(mut self, queue: Queue) -> Self {
        self.queues.push(queue);
        self
    }

    /// Adds schedules that the program itself declares. One whose name is known is updated, and keeps its place.
    #[must_use]
    pub fn schedules(mut self, schedules: impl IntoIterator<Item = Schedule>) -> Self {
        self.schedules.extend(schedules);
        self
    }

    /// Replaces the configuration.
    #[must_use]
    pub fn config(mut self, config: FlowConfig) -> Self {
        self.config = config;
        self
    }

    /// Registers this node and starts working. The migrations ([`MIGRATIONS`](crate::MIGRATIONS)) must have run.
    pub async fn start(self, store: Store) -> Result<FlowHandle> {
        self.check()?;
        let node_id = format!("node_{}", store.world().token());
        let membership = Arc::new(Membership::new(node_id.clone()));
        let handlers: Handlers =
            Arc::new(self.handlers.iter().map(|handler| (handler.kind(), Arc::clone(handler))).collect());
        let workers = self.workers(&store, &handlers, &membership);
        let bells = Bells::register(workers.iter().map(|worker| worker.name.clone()));
        let runner = Runner::new(
            store.clone(),
            node_id,
            self.consumers.clone(),
            self.config.consumer_batches,
            self.config.poll,
        );
        let shared =
            Arc::new(Shared { store, config: self.config, membership, handlers, runner, workers, bells });
        shared.prepare(&self.consumers, self.schedules).await?;
        shared.heartbeat().await?;
        Ok(FlowHandle::spawn(shared))
    }

    /// The workers of all queues that have a handler.
    fn workers(
        &self,
        store: &Store,
        handlers: &Handlers,
        membership: &Arc<Membership>,
    ) -> Vec<Arc<QueueWorker>> {
        let mut queues: BTreeMap<&str, (u32, crate::jobs::PolicyFn)> = BTreeMap::new();
        for handler in &self.handlers {
            let usual: crate::jobs::PolicyFn = Arc::new(|_, _| DestinationPolicy::default());
            queues.entry(handler.queue()).or_insert((self.config.queue_slots, usual));
        }
        for queue in &self.queues {
            if let Some(settings) = queues.get_mut(queue.name.as_str()) {
                *settings = (queue.slots, Arc::clone(&queue.policy));
            }
        }
        let worker = |(name, (slots, policy)): (&str, (u32, crate::jobs::PolicyFn))| {
            let slots = slots.clamp(1, limits::QUEUE_SLOTS_MAX);
            let (handlers, membership) = (Arc::clone(handlers), Arc::clone(membership));
            QueueWorker::new(
                store.clone(),
                name.to_owned(),
                slots,
                policy,
                handlers,
                membership,
                self.config.poll,
            )
        };
        queues.into_iter().map(worker).collect()
    }

    /// Refuses what could not work: mistakes of the program, told at start rather than in the night.
    fn check(&self) -> Result<()> {
        let mut seen = HashSet::new();
        for name in self.consumers.iter().map(|consumer| consumer.name()) {
            crate::jobs::check_name("/consumers", name)?;
            if !seen.insert(("consumer", name)) {
                return Err(FlowError::invalid(
                    "/consumers",
                    "duplicate",
                    format!("two consumers are named {name}"),
                ));
            }
        }
        for handler in &self.handlers {
            crate::jobs::check_name("/handlers", handler.kind())?;
            crate::jobs::check_name("/handlers", handler.queue())?;
            if !seen.insert(("kind", handler.kind())) {
                let detail = format!("two handlers are for {}", handler.kind());
                return Err(FlowError::invalid("/handlers", "duplicate", detail));
            }
        }
        let queues: HashSet<&str> = self.handlers.iter().map(|handler| handler.queue()).collect();
        if self.consumers.len() > limits::CONSUMERS_MAX || queues.len() > limits::QUEUES_MAX {
            return Err(FlowError::invalid("/consumers", "too_many", "too many consumers or queues"));
        }
        Ok(())
    }
}

/// What the tasks of a runtime share.
pub(crate) struct Shared {
    pub store: Store,
    pub config: FlowConfig,
    pub membership: Arc<Membership>,
    pub handlers: Handlers,
    pub runner: Arc<Runner>,
    pub workers: Vec<Arc<QueueWorker>>,
    pub bells: Arc<Bells>,
}

impl Shared {
    fn lease_ms(&self) -> i64 {
        i64::try_from(self.config.lease.as_millis()).unwrap_or(i64::MAX).max(1)
    }

    async fn prepare(&self, consumers: &[Arc<dyn Consumer>], schedules: Vec<Schedule>) -> Result<()> {
        let (node_id, lease_ms) = (self.membership.node_id().to_owned(), self.lease_ms());
        self.store.write(move |tx| node::register(tx, &node_id, lease_ms)).await?;
        for consumer in consumers {
            let consumer = Arc::clone(consumer);
            self.store.write(move |tx| cursors::create(tx, &*consumer)).await?;
        }
        for schedule in schedules {
            self.store.write(move |tx| schedules::declare(tx, &schedule)).await?;
        }
        Ok(())
    }

    /// One heartbeat: renews the lease, balances the cursors, takes back what dead nodes left.
    async fn heartbeat(&self) -> Result<()> {
        let began = Instant::now();
        let (node_id, lease_ms) = (self.membership.node_id().to_owned(), self.lease_ms());
        let beat = self.store.write(move |tx| node::beat(tx, &node_id, lease_ms)).await?;
        if beat.lost {
            tracing::warn!(node = self.membership.node_id(), "this node's lease had run out; it begins anew");
            self.runner.forget_all();
        }
        self.membership.renewed(began, self.config.lease);
        self.workers.iter().for_each(|worker| worker.share(beat.nodes.len()));
        self.runner.balance(&beat.nodes).await?;
        self.runner.write_positions().await?;
        self.take_back().await?;
        self.pass_on_cancellations().await
    }

    async fn take_back(&self) -> Result<()> {
        loop {
            let handlers = Arc::clone(&self.handlers);
            let count = self.store.write(move |tx| reclaim(tx, |kind| backoff_of(&handlers, kind))).await?;
            if (count as i64) < limits::RECLAIM_JOBS_MAX {
                return Ok(());
            }
        }
    }

    async fn pass_on_cancellations(&self) -> Result<()> {
        if self.workers.iter().all(|worker| worker.running() == 0) {
            return Ok(());
        }
        let node_id = self.membership.node_id().to_owned();
        let requested = self.store.read(move |tx| crate::jobs::cancel_requests(tx, &node_id)).await?;
        self.workers.iter().for_each(|worker| worker.cancel(&requested));
        Ok(())
    }

    /// Passes wake-ups of other nodes on to the queues: whoever enqueues there has, as a rule, emitted an event as well.
    /// On SQLite there are no other nodes.
    async fn listen(self: Arc<Self>, stop: CancellationToken) {
        let mut wakeups = self.store.on_events();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = wakeups.recv() => self.bells.queues.iter().for_each(|(_, bell)| bell.notify_one()),
            }
            tokio::time::sleep(LISTEN_PAUSE).await;
        }
    }

    /// Beats until the token fires.
    async fn keep_alive(self: Arc<Self>, stop: CancellationToken) {
        let pause = self.config.lease / 3;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.bells.cancel.notified() => {
                    if let Err(error) = self.pass_on_cancellations().await {
                        tracing::warn!(%error, "requests to cancel could not be read");
                    }
                }
                () = tokio::time::sleep(pause) => {
                    if let Err(error) = self.heartbeat().await {
                        tracing::warn!(%error, "a heartbeat failed");
                    }
                }
            }
        }
    }
}

/// A running worker.
pub struct FlowHandle {
    shared: Arc<Shared>,
    /// Stops claiming.
    stop: CancellationToken,
    /// Stops the heartbeat, when nothing is held any more.
    stop_beating: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    heart: Option<JoinHandle<()>>,
}

impl FlowHandle {
    fn spawn(shared: Arc<Shared>) -> Self {
        let (stop, stop_beating) = (CancellationToken::new(), CancellationToken::new());
        let mut tasks = vec![
            tokio::spawn(Arc::clone(&shared.runner).run(Arc::clone(&shared.bells), stop.clone())),
            tokio::spawn(timer::run(Arc::clone(&shared), stop.clone())),
            tokio::spawn(janitor::run(Arc::clone(&shared), stop.clone())),
        ];
        if shared.store.engine() == Engine::Postgres {
            tasks.push(tokio::spawn(Arc::clone(&shared).listen(stop.clone())));
        }
        for worker in &shared.workers {
            tasks.push(tokio::spawn(Arc::clone(worker).run(Arc::clone(&shared.bells), stop.clone())));
        }
        let heart = tokio::spawn(Arc::clone(&shared).keep_alive(stop_beating.clone()));
        Self { shared, stop, stop_beating, tasks, heart: Some(heart) }
    }

    /// Has every timer look at the clock again. For clocks that jump: tests, and tenants that own their time.
    pub fn wake(&self) {
        self.shared.bells.ring_all();
    }

    /// Name of this node.
    #[must_use]
    pub fn node_id(&self) -> &str {
        self.shared.membership.node_id()
    }

    /// What this node is doing, for metrics.
    #[must_use]
    pub fn report(&self) -> crate::stats::NodeReport {
        crate::stats::NodeReport::of(&self.shared.runner, &self.shared.workers)
    }

    /// A handle for metrics that may outlive a borrow of this one.
    pub fn reporter(&self) -> impl Fn() -> crate::stats::NodeReport + Send + Sync + Clone + use<> {
        let shared = Arc::clone(&self.shared);
        move || crate::stats::NodeReport::of(&shared.runner, &shared.workers)
    }

    /// Ends the work in order: claims nothing new, finishes batches, waits for jobs until `deadline`, asks the rest to
    /// stop, and gives up everything that is held. What does not stop within the grace is closed as unknown by
    /// whoever takes it over.
    pub async fn shutdown(mut self, deadline: Duration) -> Result<()> {
        let deadline = Instant::now() + deadline;
        self.stop.cancel();
        let grace = self.shared.config.shutdown_grace;
        // First those who claim: only then is what is under way all there will be.
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the worker ended badly");
            }
        }
        let drained =
            futures_util::future::join_all(self.shared.workers.iter().map(|w| w.drain(deadline, grace)));
        let all_ended = drained.await.into_iter().all(|ended| ended);
        self.shared.runner.release_all().await?;
        self.stop_beating.cancel();
        if let Some(heart) = self.heart.take() {
            let _ = heart.await;
        }
        let node_id = self.shared.membership.node_id().to_owned();
        self.shared.store.write(move |tx| node::leave(tx, &node_id)).await?;
        if !all_ended {
            tracing::warn!("some jobs did not stop in time; their attempts will be closed as unknown");
        }
        Ok(())
    }
}

impl Drop for FlowHandle {
    /// A handle that is dropped without [`FlowHandle::shutdown`] stops claiming; what it holds runs out with its lease.
    fn drop(&mut self) {
        self.stop.cancel();
        self.stop_beating.cancel();
    }
}
