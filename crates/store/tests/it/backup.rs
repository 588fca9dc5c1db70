//! The restore drill: a backup taken under load is a whole database, and a damaged one is noticed.

use crate::support::{event, insert, prepare, rows};
use plinth_store::{Config, Engine, Error, Store, backup, events, owned};
use plinth_testkit::{TestStore, both_engines, postgres::Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A place that a backup can be restored to.
enum Target {
    File(tempfile::TempDir),
    Database(plinth_testkit::postgres::Database),
}

impl Target {
    async fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Target::File(tempfile::tempdir().unwrap()),
            Engine::Postgres => Target::Database(
                tokio::task::spawn_blocking(|| Server::shared().create_database()).await.unwrap(),
            ),
        }
    }

    fn config(&self) -> Config {
        match self {
            Target::File(dir) => Config::sqlite(dir.path().join("data").join("restored.db")),
            Target::Database(database) => Config::postgres(database.url()),
        }
    }
}

/// Writes pairs (a row and an event) until it is told to stop.
fn load(store: &TestStore) -> (Arc<AtomicBool>, tokio::task::JoinHandle<i64>) {
    let (stop, store) = (Arc::new(AtomicBool::new(false)), store.store());
    let stopped = stop.clone();
    let writer = tokio::spawn(async move {
        let mut id = 1_000;
        while !stopped.load(Ordering::SeqCst) {
            id += 1;
            store
                .write(move |tx| {
                    insert(tx, id)?;
                    tx.emit(event("load"));
                    Ok::<_, Error>(())
                })
                .await
                .unwrap();
        }
        id - 1_000
    });
    (stop, writer)
}

both_engines! {
    async fn a_backup_under_load_restores_to_one_consistent_instant(store: TestStore) {
        prepare(&store).await;
        for id in 0..100 {
            store.write(move |tx| { insert(tx, id)?; tx.emit(event("before")); Ok::<_, Error>(()) }).await.unwrap();
        }
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("backup");
        let (stop, writer) = load(&store);
        let manifest = store.backup(&directory).await.unwrap();
        stop.store(true, Ordering::SeqCst);
        let during = writer.await.unwrap();

        assert_eq!(manifest, backup::verify(&directory).unwrap());
        assert_eq!(manifest.schemas, store.schema_versions().await.unwrap());
        let target = Target::empty(store.engine()).await;
        Store::restore(&directory, &target.config()).await.unwrap();
        let restored = Store::open(target.config(), store.world().clone()).await.unwrap();
        let things = rows(&restored).await;
        assert!((100..=100 + during).contains(&things), "{things}");
        let logged: i64 = restored.read(|tx| Ok::<_, Error>(events::heads(tx)?.iter().sum())).await.unwrap();
        assert_eq!(logged, things, "rows and events are of the same instant");
        prepare(&restored).await;
        restored.write(|tx| insert(tx, 999_999)).await.unwrap();
        let mine: Option<i64> = restored.get("SELECT id FROM things WHERE id = $1", owned![999_999_i64]).await.unwrap();
        assert_eq!(mine, Some(999_999));
        restored.close().await;
    }

    async fn a_restore_never_overwrites(store: TestStore) {
        prepare(&store).await;
        store.write(|tx| insert(tx, 1)).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("backup");
        store.backup(&directory).await.unwrap();
        let target = Target::empty(store.engine()).await;
        Store::restore(&directory, &target.config()).await.unwrap();
        let again = Store::restore(&directory, &target.config()).await;
        assert!(matches!(&again, Err(Error::Backup(why)) if why.contains("never overwrites")), "{again:?}");
        let onto_itself = store.backup(&directory).await;
        assert!(matches!(&onto_itself, Err(Error::Backup(why)) if why.contains("not empty")), "{onto_itself:?}");
    }

    async fn a_damaged_or_unfinished_backup_is_refused(store: TestStore) {
        prepare(&store).await;
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("backup");
        let manifest = store.backup(&directory).await.unwrap();
        let target = Target::empty(store.engine()).await;
        let copy = directory.join(&manifest.file);
        let mut bytes = std::fs::read(&copy).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        std::fs::write(&copy, &bytes).unwrap();
        let damaged = Store::restore(&directory, &target.config()).await;
        assert!(matches!(&damaged, Err(Error::Backup(why)) if why.contains("not what was backed up")), "{damaged:?}");
        let named_outside = r#"{"format":1,"engine":"sqlite","created_at":"","product_version":"","file":"../x","bytes":0,"sha256":"","schemas":{}}"#;
        std::fs::write(directory.join(backup::MANIFEST_FILE), named_outside).unwrap();
        assert!(matches!(backup::verify(&directory), Err(Error::Backup(_))));
        std::fs::remove_file(directory.join(backup::MANIFEST_FILE)).unwrap();
        assert!(matches!(backup::verify(&directory), Err(Error::Backup(_))));
    }
}

#[test]
fn a_backup_of_one_engine_is_not_restored_to_the_other() {
    plinth_testkit::run(async {
        let store = TestStore::builder(Engine::Sqlite).open().await;
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("backup");
        store.backup(&directory).await.unwrap();
        let crossed =
            Store::restore(&directory, &Config::postgres("postgres://nobody@127.0.0.1:1/none")).await;
        assert!(matches!(&crossed, Err(Error::Backup(why)) if why.contains("sqlite")), "{crossed:?}");
    });
}
