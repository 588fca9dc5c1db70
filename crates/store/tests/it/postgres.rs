//! What only a server can do to us: go away, come back, leave a commit in doubt, choose a victim.

use crate::support::{count, event, insert, prepare, rows, tenant};
use plinth_kernel::{Code, Problem, World};
use plinth_store::{Config, Engine, Error, PartitionSet, Store, args, events};
use plinth_testkit::{TestStore, postgres::Server};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

async fn postgres() -> TestStore {
    let store = TestStore::builder(Engine::Postgres).open().await;
    prepare(&store).await;
    store
}

/// Ends every connection to the store's database, as a restart of the server does.
async fn disconnect(store: &TestStore) {
    let name = store.database().unwrap().name().to_owned();
    let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    tokio::task::spawn_blocking(move || Server::shared().execute(&sql)).await.unwrap();
}

#[test]
fn connections_lost_while_idle_are_replaced_unnoticed() {
    plinth_testkit::run(async {
        let store = postgres().await;
        for round in 0..5_i64 {
            for n in 0..8 {
                store.write(move |tx| insert(tx, round * 8 + n)).await.unwrap();
            }
            disconnect(&store).await;
            assert_eq!(rows(&store).await, round * 8 + 8);
        }
        assert!(store.stats().connections_opened > 4);
    });
}

#[test]
fn a_unit_whose_connection_is_lost_before_the_commit_is_run_again() {
    plinth_testkit::run(async {
        let store = postgres().await;
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        store
            .write(move |tx| {
                insert(tx, 1)?;
                if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                    tx.one::<bool>("SELECT pg_terminate_backend(pg_backend_pid())", args![])?;
                }
                insert(tx, 2)
            })
            .await
            .unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        assert_eq!(rows(&store).await, 2);
    });
}

#[test]
fn a_connection_lost_at_the_commit_is_told_apart_and_never_retried() {
    plinth_testkit::run(async {
        let store = postgres().await;
        // A deferred trigger runs inside COMMIT: there it ends its own connection.
        let setup = "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.size = 666) EXECUTE FUNCTION die()";
        in_database(&store, setup).await;
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        let unknown: Result<u64, Error> = store
            .write(move |tx| {
                counted.fetch_add(1, Ordering::SeqCst);
                tx.exec(
                    "INSERT INTO things (tenant_id, id, name, size) VALUES ($1, 1, 'dies', 666)",
                    args![&tenant()],
                )
            })
            .await;
        assert!(matches!(unknown, Err(Error::CommitUnknown)), "{unknown:?}");
        assert_eq!(calls.load(Ordering::SeqCst), 1, "a commit in doubt must not be repeated blindly");
        assert_eq!(Problem::from(unknown.unwrap_err()).code, Code::CommitUnknown);
        store.write(|tx| insert(tx, 2)).await.unwrap();
        assert_eq!(rows(&store).await, 1);
    });
}

#[test]
fn a_commit_that_fails_is_an_error_and_not_a_retry() {
    plinth_testkit::run(async {
        let store = postgres().await;
        let setup = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'refused at the commit'; END $$;
            CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION refuse()";
        in_database(&store, setup).await;
        let failed: Result<(), Error> = store.write(|tx| insert(tx, 1)).await;
        assert!(
            matches!(&failed, Err(Error::Backend(why)) if why.to_string().contains("refused")),
            "{failed:?}"
        );
        assert_eq!(rows(&store).await, 0);
        assert_eq!(store.stats().commits_failed, 1);
    });
}

#[test]
fn the_victim_of_a_deadlock_is_run_again() {
    plinth_testkit::run(async {
        let store = postgres().await;
        store
            .write(|tx| {
                insert(tx, 1)?;
                insert(tx, 2)
            })
            .await
            .unwrap();
        let both_hold_one = Arc::new(Barrier::new(2));
        let units: Vec<_> = [(1_i64, 2_i64), (2, 1)]
            .into_iter()
            .map(|(first, second)| {
                let (store, barrier) = (store.store(), both_hold_one.clone());
                let mut first_call = true;
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            let grow = "UPDATE things SET size = size + 1 WHERE tenant_id = $1 AND id = $2";
                            tx.exec(grow, args![&tenant(), first])?;
                            if std::mem::take(&mut first_call) {
                                barrier.wait();
                            }
                            tx.exec(grow, args![&tenant(), second])
                        })
                        .await
                })
            })
            .collect();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
        let sizes: Vec<i64> = store.list("SELECT size FROM things ORDER BY id", vec![]).await.unwrap();
        assert_eq!(sizes, [3, 3]);
        assert!(store.stats().units_retried >= 1);
    });
}

#[test]
fn a_collision_inside_a_savepoint_runs_the_whole_unit_again() {
    plinth_testkit::run(async {
        let store = postgres().await;
        store.write(|tx| insert(tx, 1)).await.unwrap();
        let other = store.store();
        let runtime = tokio::runtime::Handle::current();
        let mut first_call = true;
        let size: i64 = store
            .write_serializable(move |tx| {
                let size: i64 = tx.one("SELECT size FROM things WHERE id = 1", args![])?;
                if std::mem::take(&mut first_call) {
                    // Somebody else changes the row between our look and our change.
                    let other = other.clone();
                    std::thread::scope(|scope| {
                        let change = || {
                            runtime
                                .block_on(other.write(|tx| tx.exec("UPDATE things SET size = 10", args![])))
                        };
                        scope.spawn(change).join().unwrap().map_err(|e: Error| panic!("{e:?}")).unwrap();
                    });
                }
                let _ = tx.savepoint(|tx| tx.exec("UPDATE things SET size = $1", args![size + 1]));
                Ok::<_, Error>(size + 1)
            })
            .await
            .unwrap();
        assert_eq!(size, 11, "the second look saw the other's change");
        let stored: Option<i64> = store.get("SELECT size FROM things", vec![]).await.unwrap();
        assert_eq!(stored, Some(11));
    });
}

#[test]
fn other_nodes_are_woken() {
    plinth_testkit::run(async {
        let store = postgres().await;
        let node = Store::open(store.config(), World::system()).await.unwrap();
        let mut wakeups = node.on_events();
        let partition = events::partition_of(&tenant(), "subject");
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            // Until the node listens, what is said is not heard; its first look wakes it for all partitions at once.
            assert!(Instant::now() < deadline, "the other node was never woken");
            store.write(|tx| Ok::<_, Error>(tx.emit(event("subject")))).await.unwrap();
            match tokio::time::timeout(Duration::from_millis(300), wakeups.recv()).await {
                Ok(woken) if woken != PartitionSet::ALL => {
                    assert_eq!(woken.iter().collect::<Vec<_>>(), [partition]);
                    break;
                }
                _ => {}
            }
        }
        node.close().await;
    });
}

#[test]
fn a_server_that_cannot_be_reached_is_told_at_the_start_without_its_password() {
    plinth_testkit::run(async {
        let config = Config::postgres("postgres://someone:sesame@127.0.0.1:1/nothing");
        let refused = Store::open(config.clone(), World::system()).await;
        assert!(matches!(refused, Err(Error::Open(_))), "{refused:?}");
        assert!(!format!("{refused:?} {config:?}").contains("sesame"));
    });
}

#[test]
fn a_server_that_went_away_is_told_and_is_used_again_when_it_is_back() {
    plinth_testkit::run(async {
        let store = postgres().await;
        let name = store.database().unwrap().name().to_owned();
        let admin = |sql: String| tokio::task::spawn_blocking(move || Server::shared().execute(&sql));
        admin(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await.unwrap();
        disconnect(&store).await;
        let gone: Result<i64, Error> = store.read(count).await;
        assert!(matches!(gone, Err(Error::Unavailable(_))), "{gone:?}");
        assert_eq!(Problem::from(gone.unwrap_err()).code, Code::Unavailable);
        admin(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await.unwrap();
        store.write(|tx| insert(tx, 1)).await.unwrap();
    });
}

/// Runs statements that units of work have no business with.
async fn in_database(store: &TestStore, sql: &'static str) {
    let config = store.config();
    tokio::task::spawn_blocking(move || {
        let plinth_store::Location::Postgres(url) = config.location else { panic!("a PostgreSQL store") };
        plinth_testkit::postgres::execute(&url, sql);
    })
    .await
    .unwrap();
}
