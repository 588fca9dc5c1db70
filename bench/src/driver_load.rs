//! The same transaction as a good engineer writes it without Plinth: `tokio-postgres`, prepared statements, a
//! connection for every client, three inserts between BEGIN and COMMIT.
//!
//! It does less than the store: the order of its events is an identity column's, which has gaps and whose rows become
//! visible out of order; a store's event costs a locked head row more.

use crate::workload::{ANSWER, ANSWERS, EVENT_KIND, FINGERPRINT, INSERT_KEY, INSERT_ROW, OPERATION, TABLES};
use crate::{DurableLoad, Failure, clients};
use plinth_kernel::{EventId, FormId, SubmissionId, TenantId, World};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls, Statement};

/// The store's table of events with the order left to an identity column, and the same indexes.
const EVENTS_TABLE: &str = "
CREATE TABLE bench_events (
    position   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id   TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    subject    TEXT NOT NULL,
    data       TEXT NOT NULL,
    actor      TEXT NOT NULL,
    trace_id   TEXT NOT NULL,
    span_id    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX bench_events_by_id ON bench_events (tenant_id, event_id);
CREATE INDEX bench_events_by_trace ON bench_events (tenant_id, trace_id);
CREATE INDEX bench_events_by_subject ON bench_events (tenant_id, subject, event_id);
";

const INSERT_EVENT: &str = "
INSERT INTO bench_events (event_id, tenant_id, kind, version, subject, data, actor, trace_id, span_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// A connection with its statements.
struct Session {
    client: Client,
    key: Statement,
    row: Statement,
    event: Statement,
}

/// Makes the tables in an empty database and works them.
pub async fn measure(load: &DurableLoad, connections: usize) -> Result<Value, Failure> {
    connect(&load.database).await?.batch_execute(&format!("{TABLES}{EVENTS_TABLE}")).await?;
    let mut sessions = Vec::new();
    for _ in 0..connections.max(1) {
        sessions.push(Mutex::new(Session::open(&load.database).await?));
    }
    let (sessions, world) = (Arc::new(sessions), World::system());
    let (tenant, form): (TenantId, FormId) = (world.id(), world.id());

    let window = clients::Window::new(load.warmup(), load.measured());
    let mut report = clients::run(load.clients, window, move |client| {
        let (sessions, world) = (sessions.clone(), world.clone());
        let (tenant, form) = (tenant.clone(), form.clone());
        async move {
            let mut session = sessions[client % sessions.len()].lock().await;
            session.submit(&world, tenant.as_ref(), form.as_ref()).await?;
            Ok(())
        }
    })
    .await?;
    report["connections"] = json!(connections);
    Ok(report)
}

async fn connect(database: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Session {
    async fn open(database: &str) -> Result<Self, tokio_postgres::Error> {
        let client = connect(database).await?;
        let key = client.prepare(INSERT_KEY).await?;
        let row = client.prepare(INSERT_ROW).await?;
        let event = client.prepare(INSERT_EVENT).await?;
        Ok(Self { client, key, row, event })
    }

    async fn submit(&mut self, world: &World, tenant: &str, form: &str) -> Result<(), tokio_postgres::Error> {
        let (now, key) = (world.now().0, world.token());
        let (submission, event): (SubmissionId, EventId) = (world.id(), world.id());
        let (trace, span) = (hex(&world.bytes::<16>()), hex(&world.bytes::<8>()));
        let tx = self.client.transaction().await?;
        let claimed = tx
            .execute(&self.key, &[&tenant, &OPERATION, &key, &&FINGERPRINT[..], &201_i64, &ANSWER, &now])
            .await?;
        if claimed == 1 {
            let submission = submission.as_ref();
            tx.execute(&self.row, &[&tenant, &submission, &form, &ANSWERS, &now]).await?;
            let data =
                json!({ "submission_id": submission, "form_id": form, "answers": ANSWERS }).to_string();
            let (event, actor) = (event.as_ref(), "anonymous");
            tx.execute(
                &self.event,
                &[&event, &tenant, &EVENT_KIND, &1_i64, &submission, &data, &actor, &trace, &span, &now],
            )
            .await?;
        }
        tx.commit().await
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 0xf)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
