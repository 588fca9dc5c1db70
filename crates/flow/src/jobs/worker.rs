//! Runs the jobs of one queue on one node.
//!
//! A look at the queue is three steps: which flows have ready jobs (a read), which of them may start how many (in
//! memory), and claiming those (a unit of work). An idle queue sleeps until somebody enqueues, a job ends, a throttle or
//! breaker opens, or the safety poll is due.

use crate::{
    consumers::{runner::until, table::panic_text},
    jobs::{
        destinations::{BreakerReport, Destinations, PolicyFn},
        handler::{Blame, Effect, JobContext, JobHandler, Outcome, Reason},
        table::{self, AttemptKey, Claimed, Ending, FinishError, Worker},
    },
    limits,
    model::{
        backoff::Backoff,
        fairness::{Candidate, Fairness, FlowKey},
        job::{AttemptOutcome, JobClass, Settlement, Verdict},
    },
    runtime::{membership::Membership, wake::Bells},
};
use futures_util::FutureExt;
use parking_lot::Mutex;
use plinth_kernel::{JobId, Micros, Problem};
use plinth_store::Store;
use std::{
    collections::{BTreeMap, HashMap},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// First and longest pause between tries to record an outcome while the database is away.
const RECORD_RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// The pause after a claim that found nothing left.
const LOST_RACE: Duration = Duration::from_millis(10);

/// Handlers by kind.
pub(crate) type Handlers = Arc<HashMap<&'static str, Arc<dyn JobHandler>>>;

/// The back-off of a kind; the usual one for kinds that this node does not know.
pub(crate) fn backoff_of(handlers: &Handlers, kind: &str) -> Backoff {
    handlers.get(kind).map(|handler| handler.backoff()).unwrap_or_default()
}

/// Counters for metrics, by outcome.
#[derive(Debug, Default)]
pub(crate) struct QueueCounters {
    outcomes: [AtomicU64; 5],
    pub fenced: AtomicU64,
    pub busy_ms: AtomicU64,
}

impl QueueCounters {
    fn count(&self, outcome: AttemptOutcome) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn outcomes(&self) -> impl Iterator<Item = (AttemptOutcome, u64)> {
        AttemptOutcome::ALL.iter().map(|o| (*o, self.outcomes[*o as usize].load(Ordering::Relaxed)))
    }
}

/// What is under way.
struct Books {
    fairness: Fairness,
    destinations: Destinations,
    /// The flow after which the next look begins, of each class.
    looked_at: BTreeMap<JobClass, (String, String)>,
    running: HashMap<(JobId, u32), CancellationToken>,
}

/// One queue on one node.
pub(crate) struct QueueWorker {
    store: Store,
    pub name: String,
    worker: Worker,
    handlers: Handlers,
    books: Mutex<Books>,
    slot_freed: Notify,
    membership: Arc<Membership>,
    tasks: TaskTracker,
    poll: Duration,
    pub counters: QueueCounters,
}

/// What a look at the queue found to do.
struct Look {
    picks: Vec<(FlowKey, u32)>,
    /// When a throttle or breaker lets somebody through who has to wait now.
    again: Option<Micros>,
}

impl QueueWorker {
    pub fn new(
        store: Store,
        name: String,
        slots: u32,
        policy: PolicyFn,
        handlers: Handlers,
        membership: Arc<Membership>,
        poll: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            name,
            worker: Worker { node_id: membership.node_id().to_owned() },
            handlers,
            books: Mutex::new(Books {
                fairness: Fairness::new(slots),
                destinations: Destinations::new(policy),
                looked_at: BTreeMap::new(),
                running: HashMap::new(),
            }),
            slot_freed: Notify::new(),
            membership,
            tasks: TaskTracker::new(),
            poll,
            counters: QueueCounters::default(),
        })
    }

    /// Breakers that are not closed.
    pub fn breakers(&self) -> Vec<BreakerReport> {
        self.books.lock().destinations.report(self.store.world().now())
    }

    /// Jobs under way.
    pub fn running(&self) -> usize {
        self.books.lock().running.len()
    }

    /// So many nodes share the destinations' rates.
    pub fn share(&self, nodes: usize) {
        self.books.lock().destinations.share(u32::try_from(nodes).unwrap_or(u32::MAX));
    }

    /// Claims and starts jobs until the token fires. Jobs under way go on: see [`QueueWorker::drain`].
    pub async fn run(self: Arc<Self>, bells: Arc<Bells>, stop: CancellationToken) {
        let Some((_, bell)) = bells.queues.iter().find(|(queue, _)| *queue == self.name) else { return };
        while !stop.is_cancelled() {
            let wait = self.work(&stop).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = bell.notified() => {}
                () = self.slot_freed.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Looks and claims until there is nothing to start; answers how long to wait unasked.
    async fn work(self: &Arc<Self>, stop: &CancellationToken) -> Duration {
        while !stop.is_cancelled() {
            if !self.membership.is_alive() || self.books.lock().fairness.free() == 0 {
                return self.poll;
            }
            let look = match self.look().await {
                Ok(look) => look,
                Err(error) => {
                    tracing::warn!(queue = self.name, %error, "the queue could not be read");
                    return self.poll;
                }
            };
            if look.picks.is_empty() {
                let now = self.store.world().now();
                return look.again.map_or(self.poll, |at| until(now, at).min(self.poll));
            }
            match self.claim(look.picks).await {
                None => return self.poll,
                // Another node was faster, or holds the rows at this moment: no reason to spin.
                Some(0) => return LOST_RACE,
                Some(_) => {}
            }
        }
        self.poll
    }

    async fn look(&self) -> Result<Look, plinth_store::Error> {
        let name = self.name.clone();
        let from = self.books.lock().looked_at.clone();
        let flows = self
            .store
            .read(move |tx| {
                let mut flows = Vec::new();
                for class in JobClass::ALL {
                    let after = from.get(class).cloned().unwrap_or_default();
                    let wrap = after != <(String, String)>::default();
                    let mut some = table::ready_flows(tx, &name, *class, after, limits::CLAIM_FLOWS_MAX)?;
                    if wrap && some.len() < limits::CLAIM_FLOWS_MAX {
                        let rest = limits::CLAIM_FLOWS_MAX - some.len();
                        some.extend(table::ready_flows(tx, &name, *class, Default::default(), rest)?);
                        some.sort();
                        some.dedup();
                    }
                    flows.push((*class, some));
                }
                Ok::<_, plinth_store::Error>(flows)
            })
            .await?;
        Ok(self.choose(flows))
    }

    fn choose(&self, flows: Vec<(JobClass, Vec<FlowKey>)>) -> Look {
        let now = self.store.world().now();
        let mut books = self.books.lock();
        let mut again: Option<Micros> = None;
        let mut candidates = Vec::new();
        for (class, flows) in flows {
            match flows.last().filter(|_| flows.len() >= limits::CLAIM_FLOWS_MAX) {
                Some(last) => {
                    books.looked_at.insert(class, (last.tenant.clone(), last.destination.clone()));
                }
                None => {
                    books.looked_at.remove(&class);
                }
            }
            for key in flows {
                let (room, next) = books.destinations.room(&key, now);
                again = [again, next].into_iter().flatten().min();
                candidates.push(Candidate { key, room: room.min(limits::CLAIM_JOBS_MAX) });
            }
        }
        Look { picks: books.fairness.pick(limits::CLAIM_JOBS_MAX, &candidates), again }
    }

    /// Claims what was picked, starts it and answers how many that were; `None` when the database refused.
    async fn claim(self: &Arc<Self>, picks: Vec<(FlowKey, u32)>) -> Option<usize> {
        let (worker, name, handlers) = (self.worker.clone(), self.name.clone(), Arc::clone(&self.handlers));
        let asked = picks.clone();
        let claimed = self
            .store
            .write(move |tx| table::claim(tx, &worker, &name, &asked, |kind| handlers.contains_key(kind)))
            .await;
        let claimed = claimed.inspect_err(|error| {
            // What was claimed if the commit is in doubt comes back when its lease has run out.
            tracing::warn!(queue = self.name, %error, "jobs could not be claimed");
        });
        let claimed = claimed.ok();
        self.put_right(&picks, claimed.as_deref().unwrap_or_default());
        let jobs = claimed?;
        let count = jobs.len();
        jobs.into_iter().for_each(|job| self.start(job));
        Some(count)
    }

    /// Takes back the charge for jobs that were picked and were not there.
    fn put_right(&self, picks: &[(FlowKey, u32)], claimed: &[Claimed]) {
        let mut books = self.books.lock();
        for (key, asked) in picks {
            let got = claimed.iter().filter(|job| job.key == *key).count();
            for _ in got..*asked as usize {
                books.fairness.unpick(key);
            }
        }
    }

    fn start(self: &Arc<Self>, job: Claimed) {
        let token = CancellationToken::new();
        {
            let mut books = self.books.lock();
            books.destinations.started(&job.key, self.store.world().now());
            books.running.insert((job.job_id.clone(), job.attempt), token.clone());
        }
        self.tasks.spawn(Arc::clone(self).attempt(job, token));
    }

    /// One attempt: the effect, then the record of its outcome.
    async fn attempt(self: Arc<Self>, job: Claimed, token: CancellationToken) {
        let began = Instant::now();
        let outcome = self.run_handler(&job, token).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (blame, verdict) = (outcome.blame, outcome.verdict);
        self.record(&job, outcome).await;
        self.counters.busy_ms.fetch_add(took_ms, Ordering::Relaxed);
        let patience_ms = match verdict {
            Verdict::Retry { after_ms, .. } => after_ms.unwrap_or(0),
            _ => 0,
        };
        // A failure of our own says nothing about the destination.
        let blame = match (blame, verdict) {
            (Blame::Nobody, Verdict::Retry { .. } | Verdict::Unknown) => None,
            (blame, _) => Some(blame),
        };
        {
            let mut books = self.books.lock();
            books.fairness.settle(&job.key, took_ms);
            books.destinations.ended(&job.key, blame, patience_ms, took_ms, self.store.world());
            books.running.remove(&(job.job_id.clone(), job.attempt));
        }
        self.slot_freed.notify_one();
    }

    async fn run_handler(&self, job: &Claimed, token: CancellationToken) -> Outcome {
        let Some(handler) = self.handlers.get(job.kind.as_str()) else {
            return Outcome::retry(Reason::new("no_handler", "this node has no handler for the kind"));
        };
        let timeout = Duration::from_millis(job.timeout_ms);
        let context = self.context(job, token);
        let work = AssertUnwindSafe(handler.run(context)).catch_unwind();
        match tokio::time::timeout(timeout, work).await {
            Ok(Ok(Ok(outcome))) => outcome,
            Ok(Ok(Err(problem))) => Outcome::retry(Reason::new(problem.code.as_str(), problem.to_string())),
            Ok(Err(payload)) => {
                let message = panic_text(&*payload);
                tracing::error!(job = %job.job_id, kind = job.kind, message, "a job's handler panicked");
                Outcome::retry(Reason::new("panicked", message))
            }
            Err(_) => Outcome::unknown(Reason::new("timed_out", format!("no outcome after {timeout:?}"))),
        }
    }

    fn context(&self, job: &Claimed, cancelled: CancellationToken) -> JobContext {
        let deadline_ms = i64::try_from(job.timeout_ms).unwrap_or(i64::MAX);
        JobContext {
            store: self.store.clone(),
            tenant: job.tenant.clone(),
            job_id: job.job_id.clone(),
            attempt_id: job.attempt_id.clone(),
            payload: job.payload.clone(),
            destination: (!job.key.destination.is_empty()).then(|| job.key.destination.clone()),
            attempt: job.attempt,
            last_attempt: job.tries >= job.tries_max,
            unknown_attempts: job.unknowns,
            trace: job.trace,
            run_at: job.run_at,
            deadline: self.store.world().now().plus_ms(deadline_ms),
            cancelled,
        }
    }

    /// Records the outcome, patiently while the database is away. If the lease is lost meanwhile, somebody else has
    /// closed the attempt as unknown, and nothing is recorded here.
    async fn record(&self, job: &Claimed, outcome: Outcome) {
        let key = AttemptKey {
            tenant: job.tenant.clone(),
            job_id: job.job_id.clone(),
            attempt: job.attempt,
            node_id: self.worker.node_id.clone(),
        };
        let give_up_at = Instant::now() + Duration::from_millis(job.timeout_ms) + RECORD_RETRY.1;
        let mut outcome = Shared::new(outcome, backoff_of(&self.handlers, &job.kind));
        let mut pause = RECORD_RETRY.0;
        loop {
            let (unit_key, unit) = (key.clone(), outcome.clone());
            match self.store.write(move |tx| unit.finish(tx, &unit_key)).await {
                Ok(settlement) => return self.counters.count(settlement.outcome),
                Err(FinishError::Fenced) => {
                    self.counters.fenced.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(job = %key.job_id, attempt = key.attempt, "an outcome came too late: the lease was lost");
                    return;
                }
                Err(error) if error.is_transient() => {
                    tracing::warn!(job = %key.job_id, %error, "an outcome could not be recorded yet");
                }
                Err(error) => {
                    // The handler's own part cannot be committed: the attempt failed, whatever it did outside.
                    tracing::error!(job = %key.job_id, %error, "an outcome could not be recorded");
                    outcome = outcome.refused(&error);
                }
            }
            if Instant::now() > give_up_at {
                tracing::error!(job = %key.job_id, "gave up recording an outcome; the attempt will be closed as unknown");
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RECORD_RETRY.1);
        }
    }

    /// Tells the handlers of these attempts that their job is to be cancelled.
    pub fn cancel(&self, requested: &[(JobId, u32)]) {
        let books = self.books.lock();
        for token in requested.iter().filter_map(|key| books.running.get(key)) {
            token.cancel();
        }
    }

    /// Waits for the jobs under way until `deadline`; then asks the rest to stop, and answers whether all did.
    pub async fn drain(&self, deadline: Instant, grace: Duration) -> bool {
        self.tasks.close();
        if tokio::time::timeout_at(deadline.into(), self.tasks.wait()).await.is_ok() {
            return true;
        }
        self.books.lock().running.values().for_each(CancellationToken::cancel);
        tokio::time::timeout(grace, self.tasks.wait()).await.is_ok()
    }
}

/// An outcome that several calls of a unit of work may need.
#[derive(Clone)]
struct Shared {
    ending: Arc<Ending>,
    effect: Option<Arc<Mutex<Effect>>>,
}

impl Shared {
    fn new(outcome: Outcome, backoff: Backoff) -> Self {
        Self {
            ending: Arc::new(Ending {
                verdict: outcome.verdict,
                reason: outcome.reason,
                result: outcome.result,
                backoff,
            }),
            effect: outcome.effect.map(|effect| Arc::new(Mutex::new(effect))),
        }
    }

    fn finish(&self, tx: &mut plinth_store::Tx<'_>, key: &AttemptKey) -> Result<Settlement, FinishError> {
        match &self.effect {
            Some(effect) => table::finish(tx, key, &self.ending, Some(&mut effect.lock())),
            None => table::finish(tx, key, &self.ending, None),
        }
    }

    /// The same attempt, without its effect, as a failure of ours. What it did outside cannot be taken back, so
    /// its outcome is unknown when it had said that it was done.
    fn refused(&self, error: &FinishError) -> Self {
        let problem = match error {
            FinishError::Effect(problem) => Problem::clone(problem),
            other => Problem::internal(other),
        };
        let verdict = match self.ending.verdict {
            Verdict::Done => Verdict::Unknown,
            other => other,
        };
        let reason = Some(Reason::new("outcome_not_recorded", problem.to_string()));
        let backoff = self.ending.backoff.clone();
        Self {
            ending: Arc::new(Ending { verdict, reason, result: serde_json::Value::Null, backoff }),
            effect: None,
        }
    }
}
