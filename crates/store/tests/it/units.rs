//! Units of work: isolated from each other's failures, durable when acknowledged.

use plinth_store::{Error, Migration, args, owned};
use plinth_testkit::both_engines;

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "things",
    sql: "CREATE TABLE things (tenant_id TEXT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (tenant_id, id));
          CREATE UNIQUE INDEX things_by_name ON things (tenant_id, name);",
}];

both_engines! {
    async fn what_was_written_is_read(store: TestStore) {
        store.migrate("test", MIGRATIONS).await.unwrap();
        let changed = store
            .write(|tx| tx.exec("INSERT INTO things (tenant_id, id, name) VALUES ($1, $2, $3)", args!["t", 1_i64, "a"]))
            .await
            .unwrap();
        assert_eq!(changed, 1);
        let name: Option<String> = store.get("SELECT name FROM things WHERE tenant_id = $1 AND id = $2", owned!["t", 1_i64]).await.unwrap();
        assert_eq!(name.as_deref(), Some("a"));
        let again: Error = store
            .write(|tx| tx.exec("INSERT INTO things (tenant_id, id, name) VALUES ($1, $2, $3)", args!["t", 2_i64, "a"]))
            .await
            .unwrap_err();
        assert!(again.is_unique_in("things"), "{again:?}");
    }
}
