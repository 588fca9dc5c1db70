//! What only SQLite has: the shared commit, the lock on the file, the full and the failing disk, the write-ahead log.

use crate::support::{insert, occupy, prepare, queued, rows, tenant};
use plinth_store::{Config, Engine, Error, Store, Tx, args};
use plinth_testkit::TestStore;
use std::process::Command;
use std::time::Duration;

async fn sqlite(change: impl FnOnce(&mut Config) + 'static) -> TestStore {
    let store = TestStore::builder(Engine::Sqlite).config(change).open().await;
    prepare(&store).await;
    store
}

#[test]
fn units_that_wait_share_one_commit() {
    plinth_testkit::run(async {
        let store = sqlite(|config| config.batch_budget = Duration::from_secs(10)).await;
        let (gate, _blockers) = occupy(&store).await;
        let before = store.stats();
        let units: Vec<_> = (0..100_i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move { store.write(move |tx| insert(tx, id)).await })
            })
            .collect();
        queued(&store, 100).await;
        gate.open();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
        let after = store.stats();
        assert_eq!(after.units_committed - before.units_committed, 101);
        assert_eq!(after.commits - before.commits, 1, "{:?}", after.batch_units);
    });
}

#[test]
fn a_batch_has_a_limit() {
    plinth_testkit::run(async {
        let store = sqlite(|config| {
            config.batch_budget = Duration::from_secs(10);
            config.batch_units_max = 8;
        })
        .await;
        let (gate, _blockers) = occupy(&store).await;
        let before = store.stats().commits;
        let units: Vec<_> = (0..32_i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move { store.write(move |tx| insert(tx, id)).await })
            })
            .collect();
        queued(&store, 32).await;
        gate.open();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
        assert!(store.stats().commits - before >= 5, "33 units, 8 to a commit");
    });
}

#[test]
fn a_second_opener_is_refused_until_the_first_has_closed() {
    plinth_testkit::run(async {
        let mut store = sqlite(|_| {}).await;
        let second = Store::open(store.config(), store.world().clone()).await;
        assert!(matches!(&second, Err(Error::Open(why)) if why.contains("in use")), "{second:?}");
        store.reopen().await;
        store.write(|tx| insert(tx, 1)).await.unwrap();
    });
}

#[test]
fn a_full_database_refuses_writes_goes_on_reading_and_recovers() {
    plinth_testkit::run(async {
        let store = sqlite(|config| config.batch_budget = Duration::from_secs(5)).await;
        store.write(|tx| insert(tx, 0)).await.unwrap();
        let _: i64 = store
            .write(|tx| tx.one("PRAGMA max_page_count = 60", args![]))
            .await
            .map_err(|e: Error| panic!("{e:?}"))
            .unwrap();
        let large = |id: i64| {
            let store = store.store();
            tokio::spawn(async move {
                let name = "x".repeat(100_000);
                store
                    .write(move |tx| {
                        tx.exec(
                            "INSERT INTO things (tenant_id, id, name, size) VALUES ($1, $2, $3, 1)",
                            args![&tenant(), id, &format!("{id}{name}")],
                        )
                    })
                    .await
            })
        };
        let (gate, _blockers) = occupy(&store).await;
        let units: Vec<_> = (1..=10).map(large).collect();
        queued(&store, 10).await;
        gate.open();
        let (mut stored, mut refused) = (0, 0);
        for unit in units {
            match unit.await.unwrap() {
                Ok(_) => stored += 1,
                Err(Error::Full) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(refused > 0, "sixty pages hold no megabyte");
        assert_eq!(rows(&store).await, 1 + stored, "exactly the acknowledged ones are there");
        let _: i64 = store
            .write(|tx| tx.one("PRAGMA max_page_count = 100000", args![]))
            .await
            .map_err(|e: Error| panic!("{e:?}"))
            .unwrap();
        large(11).await.unwrap().unwrap();
        assert_eq!(rows(&store).await, 2 + stored);
    });
}

/// Set in the child of the test below: where its database is.
const FAILING_DISK_ENV: &str = "PLINTH_FAILING_DISK";

#[test]
fn a_failing_disk_stops_the_store_and_loses_nothing_that_was_acknowledged() {
    if let Ok(directory) = std::env::var(FAILING_DISK_ENV) {
        return plinth_testkit::run(write_until_the_disk_fails(directory.into()));
    }
    let home = tempfile::tempdir().unwrap();
    // A limit on the size of files makes write(2) fail as a broken disk does; SIGXFSZ, which comes with it, is ignored.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8192; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "sqlite::a_failing_disk_stops_the_store_and_loses_nothing_that_was_acknowledged",
            "--exact",
            "--test-threads=1",
        ])
        .env(FAILING_DISK_ENV, home.path())
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    let acknowledged = std::fs::read_to_string(home.path().join("acknowledged")).unwrap();
    let acknowledged: Vec<i64> = acknowledged.lines().map(|id| id.parse().unwrap()).collect();
    plinth_testkit::run(async {
        let config = Config::sqlite(home.path().join("plinth.db"));
        let store = Store::open(config, plinth_kernel::World::system()).await.unwrap();
        let found: Vec<i64> = store.list("SELECT id FROM things ORDER BY id", vec![]).await.unwrap();
        let lost: Vec<&i64> = acknowledged.iter().filter(|id| !found.contains(id)).collect();
        assert!(lost.is_empty() && !acknowledged.is_empty(), "acknowledged and lost: {lost:?}");
        store.close().await;
    });
}

/// The child: callers that share commits, each until it is refused.
async fn write_until_the_disk_fails(directory: std::path::PathBuf) {
    const CALLERS: i64 = 8;
    let mut config = Config::sqlite(directory.join("plinth.db"));
    config.write_deadline = Duration::from_secs(10);
    let store = Store::open(config, plinth_kernel::World::system()).await.unwrap();
    prepare(&store).await;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for id in (caller..).step_by(CALLERS as usize) {
                    match store.write(move |tx| insert_large(tx, id)).await {
                        Ok(()) => acknowledged.push(id),
                        Err(error) => return (acknowledged, error),
                    }
                }
                unreachable!("the disk fails before the numbers end")
            })
        })
        .collect();
    let mut journal = String::new();
    for caller in callers {
        let (acknowledged, error) = caller.await.unwrap();
        let expected = matches!(error, Error::CommitUnknown | Error::Backend(_) | Error::Closed);
        assert!(expected, "every caller is told, and none that it was merely full: {error:?}");
        journal.extend(acknowledged.iter().map(|id| format!("{id}\n")));
    }
    assert!(!store.failed().await.is_empty());
    let read: Result<i64, Error> = store.read(crate::support::count).await;
    assert!(matches!(read, Err(Error::Closed)), "{read:?}");
    std::fs::write(directory.join("acknowledged"), journal).unwrap();
}

fn insert_large(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    let name = format!("{id}{}", "x".repeat(20_000));
    tx.exec(
        "INSERT INTO things (tenant_id, id, name, size) VALUES ($1, $2, $3, 1)",
        args![&tenant(), id, &name],
    )?;
    Ok(())
}

#[test]
fn the_write_ahead_log_is_emptied_when_nothing_is_going_on() {
    plinth_testkit::run(async {
        let store = sqlite(|_| {}).await;
        let wal = store.directory().unwrap().join("plinth.db-wal");
        for id in 0..50_i64 {
            store.write(move |tx| insert(tx, id)).await.unwrap();
        }
        plinth_testkit::eventually("the log is empty", || async {
            let emptied = std::fs::metadata(&wal).is_ok_and(|meta| meta.len() == 0);
            (emptied && store.stats().checkpoints > 0).then_some(())
        })
        .await;
        assert_eq!(rows(&store).await, 50);
    });
}

#[test]
fn a_closed_store_is_one_file() {
    plinth_testkit::run(async {
        let store = sqlite(|_| {}).await;
        store.write(|tx| insert(tx, 1)).await.unwrap();
        let directory = store.directory().unwrap().to_owned();
        store.store().close().await;
        let alone = directory.join("alone.db");
        std::fs::copy(directory.join("plinth.db"), &alone).unwrap();
        let moved = Store::open(Config::sqlite(alone), store.world().clone()).await.unwrap();
        assert_eq!(rows(&moved).await, 1);
        moved.close().await;
    });
}

#[test]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    plinth_testkit::run(async {
        let home = tempfile::tempdir().unwrap();
        let (data, backup) = (home.path().join("new").join("data"), home.path().join("backup"));
        let store = Store::open(Config::sqlite(data.join("plinth.db")), plinth_kernel::World::system())
            .await
            .unwrap();
        store.backup(&backup).await.unwrap();
        for file in [data.join("plinth.db"), data.join("plinth.db-wal"), backup.join("plinth.db")] {
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", file.display());
        }
        store.close().await;
    });
}
