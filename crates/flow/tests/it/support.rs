//! What the tests share: a table for effects, consumers and handlers made of closures.

use futures_util::future::BoxFuture;
use plinth_flow::{
    Consumer, FlowBuilder, FlowConfig, FlowHandle, JobContext, JobHandler, JobState, LaterEvents, NewJob,
    Outcome, PoisonPolicy, StartAt, jobs,
};
use plinth_kernel::{Actor, Event, Id, JobId, NewEvent, Problem, TenantId, TraceContext, World};
use plinth_store::{Error, Migration, Store, Tx, args};
use plinth_testkit::TestStore;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// A table in which tests note effects in the order of their commits.
pub const EFFECTS: &[Migration] = &[Migration {
    number: 1,
    name: "effects",
    sql: "CREATE TABLE effects (who TEXT NOT NULL, place BIGINT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (who, place)); \
          CREATE TABLE places (who TEXT PRIMARY KEY, last BIGINT NOT NULL)",
}];

/// A store with flow's tables and the table of effects.
pub async fn prepared(store: &TestStore) -> Store {
    // `RUST_LOG=plinth_flow=debug` shows what the runtime says; a second call changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_test_writer()
        .try_init();
    store.migrate(plinth_flow::SYSTEM, plinth_flow::MIGRATIONS).await.unwrap();
    store.migrate("test", EFFECTS).await.unwrap();
    store.store()
}

/// No poll that could help a test along: whatever moves, moves by notification.
pub fn config() -> FlowConfig {
    FlowConfig { poll: Duration::from_secs(3_600), lease: Duration::from_secs(30), ..FlowConfig::default() }
}

/// A configuration for tests in which nodes die.
pub fn short_lease() -> FlowConfig {
    FlowConfig { lease: Duration::from_millis(600), ..config() }
}

pub fn tenant(n: u8) -> TenantId {
    TenantId::from_uuid([n; 16])
}

/// Notes an effect of `who`, with the next number.
pub fn note(tx: &mut Tx<'_>, who: &str, what: &str) -> Result<(), Error> {
    // The row is held until the commit: places are in the order of commits on PostgreSQL too.
    let place: i64 = tx.one(
        "INSERT INTO places (who, last) VALUES ($1, 1) ON CONFLICT (who) DO UPDATE SET last = places.last + 1 RETURNING last",
        args![who],
    )?;
    tx.exec("INSERT INTO effects (who, place, what) VALUES ($1, $2, $3)", args![who, place, what])?;
    Ok(())
}

/// The effects of `who`, in order.
pub async fn effects(store: &Store, who: &str) -> Vec<String> {
    let who = who.to_owned();
    store
        .read(move |tx| tx.all("SELECT what FROM effects WHERE who = $1 ORDER BY place", args![&who]))
        .await
        .map_err(|e: Error| e)
        .unwrap()
}

/// Emits an event.
pub fn emit(tx: &mut Tx<'_>, tenant: &TenantId, kind: &'static str, subject: &str, data: Value) {
    let trace = TraceContext::root(tx.world());
    tx.emit(NewEvent {
        tenant: tenant.clone(),
        kind,
        version: 1,
        subject: subject.to_owned(),
        data,
        actor: Actor::System("test".into()),
        trace,
        causation: None,
    });
}

/// Emits one event in a unit of its own.
pub async fn emitted(store: &Store, tenant: &TenantId, subject: &str, n: i64) {
    let (tenant, subject) = (tenant.clone(), subject.to_owned());
    store
        .write(move |tx| {
            emit(tx, &tenant, "test.thing.happened", &subject, json!({"n": n}));
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

type HandleEvent = dyn Fn(&mut Tx<'_>, &Event) -> Result<(), Problem> + Send + Sync;

/// A consumer made of a closure.
#[derive(Clone)]
pub struct Reacts {
    pub name: &'static str,
    pub kinds: &'static [&'static str],
    pub start: StartAt,
    pub poison: PoisonPolicy,
    pub f: Arc<HandleEvent>,
}

impl Reacts {
    pub fn new(
        name: &'static str,
        f: impl Fn(&mut Tx<'_>, &Event) -> Result<(), Problem> + Send + Sync + 'static,
    ) -> Self {
        let poison = PoisonPolicy { max_tries: 3, later: LaterEvents::Hold };
        Self { name, kinds: &["test.*"], start: StartAt::Oldest, poison, f: Arc::new(f) }
    }

    /// One that notes `subject:n` under its own name.
    pub fn noting(name: &'static str) -> Self {
        Self::new(name, move |tx, event| {
            Ok(note(tx, name, &format!("{}:{}", event.subject, event.data["n"]))?)
        })
    }

    pub fn arc(self) -> Arc<dyn Consumer> {
        Arc::new(self)
    }
}

impl Consumer for Reacts {
    fn name(&self) -> &'static str {
        self.name
    }
    fn kinds(&self) -> &'static [&'static str] {
        self.kinds
    }
    fn start(&self) -> StartAt {
        self.start
    }
    fn poison(&self) -> PoisonPolicy {
        self.poison
    }
    fn handle(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), Problem> {
        (self.f)(tx, event)
    }
}

type RunJob = dyn Fn(JobContext) -> BoxFuture<'static, Result<Outcome, Problem>> + Send + Sync;

/// A handler made of a closure.
pub struct Does {
    pub kind: &'static str,
    pub queue: &'static str,
    pub backoff: plinth_flow::Backoff,
    pub f: Arc<RunJob>,
}

impl Does {
    pub fn new<F, Fut>(kind: &'static str, queue: &'static str, f: F) -> Self
    where
        F: Fn(JobContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Outcome, Problem>> + Send + 'static,
    {
        let backoff = plinth_flow::Backoff::FullJitter { base_ms: 5, cap_ms: 20 };
        Self { kind, queue, backoff, f: Arc::new(move |job| Box::pin(f(job))) }
    }

    pub fn arc(self) -> Arc<dyn JobHandler> {
        Arc::new(self)
    }
}

#[async_trait::async_trait]
impl JobHandler for Does {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn queue(&self) -> &'static str {
        self.queue
    }
    fn backoff(&self) -> plinth_flow::Backoff {
        self.backoff.clone()
    }
    async fn run(&self, job: JobContext) -> Result<Outcome, Problem> {
        (self.f)(job).await
    }
}

/// A job of the queue `q`.
pub fn job(tenant: &TenantId, kind: &'static str, payload: Value) -> NewJob {
    NewJob::new(tenant.clone(), "q", kind, payload, TraceContext::root(&World::system()))
}

pub async fn enqueue(store: &Store, job: NewJob) -> JobId {
    store.write(move |tx| plinth_flow::enqueue(tx, job.clone())).await.unwrap()
}

pub async fn read_job(store: &Store, tenant: &TenantId, id: &JobId) -> plinth_flow::Job {
    let (tenant, id) = (tenant.clone(), id.clone());
    store.read(move |tx| jobs::get_job(tx, &tenant, &id)).await.unwrap()
}

pub async fn read_attempts(store: &Store, tenant: &TenantId, id: &JobId) -> Vec<plinth_flow::Attempt> {
    let (tenant, id) = (tenant.clone(), id.clone());
    store.read(move |tx| jobs::attempts(tx, &tenant, &id)).await.unwrap()
}

/// Waits until the job is in this state.
pub async fn reaches(store: &Store, tenant: &TenantId, id: &JobId, state: JobState) -> plinth_flow::Job {
    plinth_testkit::eventually(&format!("{id} is {state}"), || async {
        Some(read_job(store, tenant, id).await).filter(|job| job.state == state)
    })
    .await
}

/// Waits until `who` has so many effects.
pub async fn effects_reach(store: &Store, who: &str, count: usize) -> Vec<String> {
    plinth_testkit::eventually(&format!("{who} has {count} effects"), || async {
        Some(effects(store, who).await).filter(|seen| seen.len() >= count)
    })
    .await
}

pub async fn started(builder: FlowBuilder, store: &Store) -> FlowHandle {
    builder.start(store.clone()).await.unwrap()
}

pub async fn stop(flow: FlowHandle) {
    flow.shutdown(Duration::from_secs(5)).await.unwrap();
}
