//! A command is never repeated and never lost, however often the process is killed between its steps.

use super::command::TABLES;
use axum::{Router, extract::State, response::Response, routing::post};
use http::Method;
use plinth_api::{Command, Reply, migrations::MIGRATIONS, testing::Caller};
use plinth_store::{Config, Store, args, owned};
use plinth_testkit::{kill, postgres::Server, run};
use serde_json::json;

async fn add(
    State(store): State<Store>,
    command: Command<serde_json::Value>,
) -> plinth_api::ApiResult<Response> {
    command
        .run(&store, |tx, ctx, input| {
            let id = tx.id::<plinth_kernel::JobId>();
            let item = input["item"].as_str().unwrap_or("");
            tx.exec(
                "INSERT INTO test_order (tenant_id, id, item) VALUES ($1, $2, $3)",
                args![ctx.tenant(), &id, item],
            )?;
            Reply::created("/orders/1", &json!({"id": id}))
        })
        .await
}

async fn open(config: Config) -> Store {
    let store = Store::open(config, plinth_kernel::World::system()).await.expect("the store opens");
    store.migrate("api", MIGRATIONS).await.unwrap();
    store.migrate("test", TABLES).await.unwrap();
    store
}

/// Eight clients, each of which sends every command three times at once under its own key.
async fn load(child: kill::Child, config: Config) {
    let store = open(config).await;
    let router = Router::new().route("/orders", post(add)).with_state(store.clone());
    let mut caller = Caller::secret_key(router, store.world());
    caller.principal.tenant = "tnt_00000000000000000000000001".parse().unwrap();
    let journal = std::sync::Arc::new(child.journal());
    journal.note("born");
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let (caller, journal) = (caller.clone(), journal.clone());
            tokio::spawn(async move {
                for n in 0.. {
                    let key = format!("{}-{client}-{n}", std::process::id());
                    let headers = [("idempotency-key", key.as_str())];
                    let body = json!({"item": key});
                    let once = || caller.json(Method::POST, "/orders", &headers, &body);
                    let answers = tokio::join!(once(), once(), once());
                    if answers.0.status == 201 {
                        journal.note(format_args!("done {key} {}", answers.0.json()["id"].as_str().unwrap()));
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
}

async fn check(config: Config, round: &kill::Round) {
    let store = open(config).await;
    let rows: Vec<(String, i64)> = store
        .list("SELECT item, COUNT(*) FROM test_order GROUP BY item HAVING COUNT(*) > 1", owned![])
        .await
        .unwrap();
    assert!(rows.is_empty(), "round {}: done more than once: {rows:?}", round.number);
    for line in round.journal.iter().filter_map(|line| line.strip_prefix("done ")) {
        let (key, id) = line.split_once(' ').unwrap();
        let found: Option<(String,)> = store
            .get(
                "SELECT id FROM test_order WHERE tenant_id = 'tnt_00000000000000000000000001' AND item = $1",
                owned![key],
            )
            .await
            .unwrap();
        assert_eq!(found, Some((id.to_owned(),)), "round {}: an acknowledged command is lost", round.number);
        // The client's retry after the crash hears the same answer and does nothing.
        let stored: Option<(i64, Vec<u8>)> =
            store.get("SELECT status, body FROM api_idempotency WHERE tenant_id = 'tnt_00000000000000000000000001' AND idem_key = $1", owned![key]).await.unwrap();
        let (status, body) = stored.expect("its answer is stored");
        assert_eq!(
            (status, serde_json::from_slice::<serde_json::Value>(&body).unwrap()["id"].as_str()),
            (201, Some(id))
        );
    }
    // Neither an effect without its answer, nor an answer without its effect.
    let (orders,): (i64,) = store.get("SELECT COUNT(*) FROM test_order", owned![]).await.unwrap().unwrap();
    let (answers,): (i64,) = store
        .get("SELECT COUNT(*) FROM api_idempotency WHERE status = 201", owned![])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(orders, answers, "round {}", round.number);
    store.close().await;
}

#[test]
fn a_killed_command_is_whole_or_absent_on_sqlite() {
    let config = |directory: &std::path::Path| Config::sqlite(directory.join("plinth.db"));
    if let Some(child) = kill::child() {
        let config = config(&child.directory);
        return run(load(child, config));
    }
    let harness = kill::Harness::new("kill::a_killed_command_is_whole_or_absent_on_sqlite");
    harness.run(|round| run(check(config(harness.directory()), &round)));
}

#[test]
fn a_killed_command_is_whole_or_absent_on_postgres() {
    if let Some(child) = kill::child() {
        let config = Config::postgres(child.value("url"));
        return run(load(child, config));
    }
    let database = Server::shared().create_database();
    let harness = kill::Harness::new("kill::a_killed_command_is_whole_or_absent_on_postgres")
        .pass("url", database.url());
    harness.run(|round| run(check(Config::postgres(database.url()), &round)));
}
