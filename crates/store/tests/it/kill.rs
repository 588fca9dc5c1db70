//! SIGKILL under load: what was acknowledged is there, and every unit is there whole or not at all.

use crate::support::{event, insert, prepare, tenant};
use plinth_kernel::World;
use plinth_store::{Config, Engine, Error, Store, Tx, args, owned};
use plinth_testkit::kill::{self, Child, Harness};
use plinth_testkit::postgres::Server;
use std::collections::BTreeSet;

/// Callers at once: enough for shared commits and concurrent connections.
const CALLERS: i64 = 16;

fn config(location: &str) -> Config {
    let mut config = Config::parse(location).unwrap();
    config.postgres_connections = 6;
    config.write_deadline = std::time::Duration::from_secs(5);
    config
}

/// Writes units of two rows and an event each for as long as it lives, and notes those that were acknowledged.
async fn load(child: Child) {
    let store = Store::open(config(child.value("location")), World::system()).await.unwrap();
    prepare(&store).await;
    let last: Option<Option<i64>> = store.get("SELECT max(id) FROM things", owned![]).await.unwrap();
    let first = last.flatten().unwrap_or(0) + 1;
    let journal = std::sync::Arc::new(child.journal());
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (store, journal) = (store.clone(), journal.clone());
            tokio::spawn(async move {
                for id in (first + caller..).step_by(CALLERS as usize) {
                    store.write(move |tx| unit(tx, id)).await.unwrap();
                    journal.note(id);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

fn unit(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    insert(tx, id)?;
    tx.emit(event(&format!("subject {}", id % 5)));
    tx.exec("INSERT INTO parts (tenant_id, id, thing_id) VALUES ($1, $2, $2)", args![&tenant(), id])?;
    Ok(())
}

/// What must be true whenever the process was killed. One snapshot: the server may still be finishing a commit that
/// the child had sent.
fn check(tx: &mut Tx<'_>, acknowledged: &[String]) -> Result<(), Error> {
    let things = ids(tx, "SELECT id FROM things WHERE id > $1 ORDER BY id LIMIT 5000")?;
    let parts = ids(tx, "SELECT id FROM parts WHERE id > $1 ORDER BY id LIMIT 5000")?;
    let halves: Vec<&i64> = things.symmetric_difference(&parts).collect();
    assert!(halves.is_empty(), "units that are there by half: {halves:?}");
    let acknowledged = acknowledged.iter().map(|id| id.parse::<i64>().unwrap());
    let lost: Vec<i64> = acknowledged.filter(|id| !things.contains(id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let partitions: Vec<(i64, i64, i64)> = tx.all(
        "SELECT count(e.sequence), coalesce(max(e.sequence), 0), h.sequence
         FROM event_heads h LEFT JOIN events e ON e.partition = h.partition GROUP BY h.partition, h.sequence",
        args![],
    )?;
    let dense = partitions.iter().all(|(count, last, head)| count == last && last == head);
    assert!(dense, "the log has a gap: {partitions:?}");
    let events: i64 = partitions.iter().map(|(count, ..)| count).sum();
    assert_eq!(events, things.len() as i64, "one event a unit");
    Ok(())
}

/// All ids, page by page.
fn ids(tx: &mut Tx<'_>, page: &'static str) -> Result<BTreeSet<i64>, Error> {
    let mut all = BTreeSet::new();
    loop {
        let after = all.last().copied().unwrap_or(0);
        let page: Vec<i64> = tx.all(page, args![after])?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn killed_under_load(test: &str, engine: Engine) {
    if let Some(child) = kill::child() {
        return plinth_testkit::run(load(child));
    }
    let database = (engine == Engine::Postgres).then(|| Server::shared().create_database());
    let harness = Harness::new(test);
    let location = match &database {
        Some(database) => database.url().to_owned(),
        None => format!("sqlite:{}", harness.directory().join("plinth.db").display()),
    };
    let harness = harness.pass("location", location.clone());
    harness.run(|round| {
        plinth_testkit::run(async {
            let store = Store::open(config(&location), World::system()).await.unwrap();
            store.read(move |tx| check(tx, &round.journal)).await.unwrap();
            store.close().await;
        });
    });
}

#[test]
fn sqlite_loses_no_acknowledged_unit() {
    killed_under_load("kill::sqlite_loses_no_acknowledged_unit", Engine::Sqlite);
}

#[test]
fn postgres_loses_no_acknowledged_unit() {
    killed_under_load("kill::postgres_loses_no_acknowledged_unit", Engine::Postgres);
}
