//! Nothing waits for ever: statements have a deadline, and so has the queue.

use crate::support::{insert, occupy, prepare, queued, rows, tenant};
use plinth_store::{Error, Tx, args, sql};
use plinth_testkit::both_engines;
use std::time::Duration;

/// A statement that writes and goes on for minutes.
fn crawl(tx: &mut Tx<'_>) -> Result<u64, Error> {
    tx.exec(
        "INSERT INTO things (tenant_id, id, name, size)
         WITH RECURSIVE numbers (n) AS (SELECT 100000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2000000000)
         SELECT $1, n, 'slow ' || CAST(n AS TEXT), 1 FROM numbers WHERE n % 1000000000 = 0 OR n < 100003",
        args![&tenant()],
    )
}

both_engines! {
    with (|builder| builder.config(|config| {
        config.write_deadline = Duration::from_secs(1);
        config.statement_timeout = Duration::from_secs(2);
        config.batch_budget = Duration::from_secs(5);
    }))
    async fn a_slow_unit_is_stopped_and_its_neighbours_are_committed(store: TestStore) {
        prepare(&store).await;
        let (gate, _blockers) = occupy(&store).await;
        let unit = |id: i64| {
            let store = store.store();
            tokio::spawn(async move {
                store.write(move |tx| if id == 3 { insert(tx, 3)?; crawl(tx).map(drop) } else { insert(tx, id) }).await
            })
        };
        let units: Vec<_> = (1..=6).map(unit).collect();
        queued(&store, 6).await;
        gate.open();
        for (id, unit) in (1..).zip(units) {
            match unit.await.unwrap() {
                Ok(()) => assert_ne!(id, 3),
                Err(error) => assert!(id == 3 && matches!(error, Error::Timeout), "{id}: {error:?}"),
            }
        }
        assert_eq!(rows(&store).await, 5);
        if store.engine() == plinth_store::Engine::Sqlite {
            assert!(store.stats().units_replayed >= 2, "the interruption took the whole batch down: {:?}", store.stats());
        }
    }

    with (|builder| builder.config(|config| {
        config.read_deadline = Duration::from_secs(1);
        config.statement_timeout = Duration::from_secs(1);
    }))
    async fn a_slow_read_is_stopped(store: TestStore) {
        const SLOW: plinth_store::Sql = sql!(
            lite: "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n",
            pg: "SELECT count(*) FROM generate_series(1, 2000000000)",
        );
        let framed: Result<i64, Error> = store.read(|tx| tx.one(SLOW, args![])).await;
        assert!(matches!(framed, Err(Error::Timeout)), "{framed:?}");
        let single: Result<Option<i64>, Error> = store.get(SLOW, vec![]).await;
        assert!(matches!(single, Err(Error::Timeout)), "{single:?}");
        let after: Option<i64> = store.get("SELECT CAST(1 AS BIGINT)", vec![]).await.unwrap();
        assert_eq!(after, Some(1));
    }

    with (|builder| builder.config(|config| config.queue_wait_max = Duration::from_secs(1)))
    async fn a_unit_that_waited_too_long_is_refused_instead_of_started(store: TestStore) {
        let (gate, _blockers) = occupy(&store).await;
        let late = { let store = store.store(); tokio::spawn(async move { store.write(|tx| insert(tx, 1)).await }) };
        queued(&store, 1).await;
        tokio::time::sleep(Duration::from_millis(1_100)).await; // the queue goes by the machine's time
        gate.open();
        let refused = late.await.unwrap();
        assert!(matches!(refused, Err(Error::Overloaded { .. })), "{refused:?}");
    }
}
