//! Migrations: once each, in order, all or nothing, never changed.

use plinth_store::{Error, Migration, Store, owned};
use plinth_testkit::both_engines;

const FIRST: Migration = Migration {
    number: 1,
    name: "notes",
    sql: "CREATE TABLE notes (tenant_id TEXT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (tenant_id, id));",
};
const SECOND: Migration = Migration {
    number: 2,
    name: "done",
    sql: "ALTER TABLE notes ADD COLUMN done BOOLEAN NOT NULL DEFAULT FALSE;",
};

const ONE: &[Migration] = &[FIRST];
const BOTH: &[Migration] = &[FIRST, SECOND];
const EDITED: &[Migration] = &[Migration { sql: "CREATE TABLE notes (other TEXT);", ..FIRST }, SECOND];
const BROKEN: &[Migration] = &[
    FIRST,
    Migration {
        number: 2,
        name: "broken",
        sql: "CREATE TABLE extra (id BIGINT PRIMARY KEY); ALTER TABLE nowhere ADD COLUMN x TEXT;",
    },
];
const GAP: &[Migration] = &[FIRST, Migration { number: 3, ..SECOND }];

async fn tables(store: &Store) -> Vec<String> {
    let query = plinth_store::sql!(
        lite: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('notes', 'extra') ORDER BY name",
        pg: "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('notes', 'extra') ORDER BY tablename",
    );
    store.list(query, owned![]).await.unwrap()
}

both_engines! {
    async fn what_is_missing_is_applied_and_what_is_there_is_left_alone(store: TestStore) {
        store.migrate("notes", ONE).await.unwrap();
        store.migrate("notes", BOTH).await.unwrap();
        store.migrate("notes", BOTH).await.unwrap();
        let versions = store.schema_versions().await.unwrap();
        assert_eq!(versions.get("notes"), Some(&2));
        assert!(versions.contains_key("store"));
        // An older program beside a newer schema is every rolling deployment.
        store.migrate("notes", ONE).await.unwrap();
    }

    async fn a_changed_migration_is_refused(store: TestStore) {
        store.migrate("notes", BOTH).await.unwrap();
        let changed = store.migrate("notes", EDITED).await;
        assert!(matches!(&changed, Err(Error::Migration { system, number: 1, .. }) if system == "notes"), "{changed:?}");
    }

    async fn a_failing_migration_leaves_nothing_of_its_set(store: TestStore) {
        let failed = store.migrate("notes", BROKEN).await;
        assert!(matches!(failed, Err(Error::Migration { number: 2, .. })), "{failed:?}");
        assert_eq!(tables(&store).await, [""; 0]);
        store.migrate("notes", BOTH).await.unwrap();
        assert_eq!(tables(&store).await, ["notes"]);
    }

    async fn numbers_run_from_one_without_a_gap(store: TestStore) {
        let gap = store.migrate("notes", GAP).await;
        assert!(matches!(gap, Err(Error::Migration { number: 3, .. })), "{gap:?}");
        assert_eq!(tables(&store).await, [""; 0]);
    }

    async fn nodes_that_start_together_migrate_one_after_the_other(store: TestStore) {
        let mut nodes = vec![store.store()];
        if store.engine() == plinth_store::Engine::Postgres {
            for _ in 0..3 {
                nodes.push(Store::open(store.config(), store.world().clone()).await.unwrap());
            }
        }
        let starts: Vec<_> = (0..12)
            .map(|n| {
                let node = nodes[n % nodes.len()].clone();
                tokio::spawn(async move { node.migrate("notes", BOTH).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
        let applied: Option<i64> =
            store.get("SELECT count(*) FROM schema_migrations WHERE system = $1", owned!["notes"]).await.unwrap();
        assert_eq!(applied, Some(2));
        for node in nodes.drain(1..) {
            node.close().await;
        }
    }

    async fn units_go_on_after_a_migration_changed_what_their_statements_read(store: TestStore) {
        store.migrate("notes", ONE).await.unwrap();
        const ALL: &str = "SELECT * FROM notes";
        for _ in 0..8 {
            let _: Option<(String, i64)> = store.get(ALL, owned![]).await.unwrap();
        }
        store.migrate("notes", BOTH).await.unwrap();
        store.write(|tx| tx.exec("INSERT INTO notes (tenant_id, id) VALUES ('t', 1)", &[])).await.map_err(|e: Error| panic!("{e:?}")).unwrap();
        for _ in 0..8 {
            let row: Option<(String, i64, bool)> = store.get(ALL, owned![]).await.unwrap();
            assert_eq!(row, Some(("t".into(), 1, false)));
        }
    }
}
