//! Durable commands through [`Store::write`], on either engine.

use crate::workload::{ANSWER, ANSWERS, EVENT_KIND, FINGERPRINT, INSERT_KEY, INSERT_ROW, OPERATION, TABLES};
use crate::{DurableLoad, Failure, clients};
use plinth_kernel::{Actor, FormId, NewEvent, SpanId, SubmissionId, TenantId, TraceContext, TraceId, World};
use plinth_store::{Config, Error, Migration, Store, Tx, args};
use serde_json::{Value, json};

const MIGRATIONS: &[Migration] = &[Migration { number: 1, name: "bench", sql: TABLES }];

/// Opens the store, which must be new or of an earlier run, and works it.
pub async fn measure(load: &DurableLoad) -> Result<Value, Failure> {
    let world = World::system();
    let store = Store::open(Config::parse(&load.database)?, world.clone()).await?;
    store.migrate("bench", MIGRATIONS).await?;
    let (tenant, form): (TenantId, FormId) = (world.id(), world.id());

    let window = clients::Window::new(load.warmup(), load.measured());
    let working = store.clone();
    let mut report = clients::run(load.clients, window, move |_| {
        let (store, tenant, form) = (working.clone(), tenant.clone(), form.clone());
        let key = store.world().token();
        async move {
            store.write(move |tx| submit(tx, &tenant, &form, &key)).await?;
            Ok(())
        }
    })
    .await?;

    let stats = store.stats();
    report["units_per_commit"] = json!(stats.batch_units.mean());
    report["commit_ms"] = json!(stats.commit_seconds.mean() * 1_000.0);
    report["unit_us"] = json!(stats.unit_seconds.mean() * 1_000_000.0);
    store.close().await;
    Ok(report)
}

fn submit(tx: &mut Tx<'_>, tenant: &TenantId, form: &FormId, key: &str) -> Result<(), Error> {
    let now = tx.now();
    let claimed = tx.exec(INSERT_KEY, args![tenant, OPERATION, key, &FINGERPRINT, 201_i64, ANSWER, now])?;
    if claimed == 0 {
        return Ok(());
    }
    let submission: SubmissionId = tx.id();
    tx.exec(INSERT_ROW, args![tenant, &submission, form, ANSWERS, now])?;
    let trace = TraceContext { trace_id: TraceId(tx.world().bytes()), span_id: SpanId(tx.world().bytes()) };
    tx.emit(NewEvent {
        tenant: tenant.clone(),
        kind: EVENT_KIND,
        version: 1,
        subject: submission.to_string(),
        data: json!({ "submission_id": submission, "form_id": form, "answers": ANSWERS }),
        actor: Actor::Anonymous,
        trace,
        causation: None,
    });
    Ok(())
}
