//! A small schema, and the means to hold a unit of work open until the test says so.

use plinth_kernel::{Actor, Id, NewEvent, SpanId, TenantId, TraceContext, TraceId};
use plinth_store::{Error, Migration, Store, Tx, args};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "things",
    sql: "
        CREATE TABLE things (
            tenant_id TEXT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, size BIGINT NOT NULL CHECK (size >= 0),
            PRIMARY KEY (tenant_id, id)
        );
        CREATE UNIQUE INDEX things_by_lower_name ON things (tenant_id, lower(name));
        CREATE TABLE parts (
            tenant_id TEXT NOT NULL, id BIGINT NOT NULL, thing_id BIGINT NOT NULL, PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, thing_id) REFERENCES things (tenant_id, id)
        );
        CREATE TABLE late_parts (
            tenant_id TEXT NOT NULL, id BIGINT NOT NULL, thing_id BIGINT NOT NULL, PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, thing_id) REFERENCES things (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
        );",
}];

/// A tenant for tests.
pub fn tenant() -> TenantId {
    TenantId::from_uuid([7; 16])
}

pub async fn prepare(store: &Store) {
    store.migrate("test", MIGRATIONS).await.unwrap();
}

pub fn insert(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    let name = format!("thing {id}");
    tx.exec(
        "INSERT INTO things (tenant_id, id, name, size) VALUES ($1, $2, $3, $4)",
        args![&tenant(), id, &name, 1_i64],
    )?;
    Ok(())
}

pub fn count(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.one("SELECT count(*) FROM things", args![])
}

pub async fn rows(store: &Store) -> i64 {
    store.read(count).await.unwrap()
}

pub fn event(subject: &str) -> NewEvent {
    NewEvent {
        tenant: tenant(),
        kind: "test.thing.made",
        version: 1,
        subject: subject.to_owned(),
        data: serde_json::json!({"subject": subject}),
        actor: Actor::System("test".into()),
        trace: TraceContext { trace_id: TraceId([1; 16]), span_id: SpanId([2; 8]) },
        causation: None,
    }
}

/// Holds units of work until it is opened.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub fn wait(&self) {
        let closed = self.0.0.lock().unwrap();
        let waited = self.0.1.wait_timeout_while(closed, Duration::from_secs(30), |open| !*open).unwrap();
        assert!(!waited.1.timed_out(), "the gate was never opened");
    }
}

/// Occupies everything that could run a unit of work until the gate is opened; returns once it does.
pub async fn occupy(store: &Store) -> (Gate, Vec<tokio::task::JoinHandle<()>>) {
    let gate = Gate::default();
    let workers = match store.engine() {
        plinth_store::Engine::Sqlite => 1,
        plinth_store::Engine::Postgres => store.config().postgres_connections,
    };
    let mut blockers = Vec::new();
    for _ in 0..workers {
        let (gate, store) = (gate.clone(), store.clone());
        let (started, has_started) = tokio::sync::oneshot::channel();
        let mut started = Some(started);
        blockers.push(tokio::spawn(async move {
            let held = store.write(move |tx| {
                if let Some(started) = started.take() {
                    let _ = started.send(());
                }
                gate.wait();
                count(tx).map(drop)
            });
            held.await.unwrap();
        }));
        has_started.await.unwrap();
    }
    (gate, blockers)
}

/// Waits until this many units stand in the queue.
pub async fn queued(store: &Store, units: usize) {
    plinth_testkit::eventually("the units are queued", || async {
        (store.stats().queues.writes >= units).then_some(())
    })
    .await;
}
