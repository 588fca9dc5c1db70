//! The event log: dense, ordered, part of its unit, and announced.

use crate::support::{event, insert, occupy, prepare, queued};
use plinth_kernel::{Event, EventId};
use plinth_store::{Engine, Error, PartitionSet, Store, Tx, args, events, sql};
use plinth_testkit::both_engines;
use std::collections::BTreeMap;

fn emit(tx: &mut Tx<'_>, subject: &str) -> Result<EventId, Error> {
    Ok(tx.emit(event(subject)))
}

/// Every event of a partition after `sequence`.
async fn after(store: &Store, partition: u16, sequence: i64) -> Vec<Event> {
    store
        .read(move |tx| events::after(tx, partition, sequence, 256))
        .await
        .map_err(|error: Error| panic!("{error:?}"))
        .unwrap()
}

both_engines! {
    async fn an_event_comes_back_as_it_was_emitted(store: TestStore) {
        let mut wanted = event("subject 1");
        wanted.data = serde_json::json!({"text": "ä\u{0}b", "n": 1, "list": [null, true]});
        let emitted = wanted.clone();
        let (id, cause) = store
            .write(move |tx| {
                let cause = tx.emit(event("subject 1"));
                Ok::<_, Error>((tx.emit(plinth_kernel::NewEvent { causation: Some(cause.clone()), ..emitted.clone() }), cause))
            })
            .await
            .unwrap();
        let tenant = wanted.tenant.clone();
        let found = store.read(move |tx| events::by_id(tx, &tenant, &id)).await.map_err(|e: Error| panic!("{e:?}")).unwrap().unwrap();
        assert_eq!(found.data, wanted.data);
        assert_eq!((found.sequence, found.version, found.kind.as_str()), (2, 1, wanted.kind));
        assert_eq!((found.actor, found.trace, found.causation), (wanted.actor, wanted.trace, Some(cause)));
        assert_eq!(found.partition, events::partition_of(&found.tenant, &found.subject));
        let (tenant, trace) = (wanted.tenant, wanted.trace.trace_id);
        let traced: Vec<Event> = store.read(move |tx| events::by_trace(tx, &tenant, &trace, 10)).await.map_err(|e: Error| panic!("{e:?}")).unwrap();
        assert_eq!(traced.len(), 2);
        let newest_first: Vec<Event> = store
            .read(move |tx| {
                let tenant = event("").tenant;
                let first = events::by_subject(tx, &tenant, "subject 1", None, 1)?;
                let rest = events::by_subject(tx, &tenant, "subject 1", first.first().map(|event| &event.id), 9)?;
                Ok::<_, Error>([first, rest].concat())
            })
            .await
            .unwrap();
        assert_eq!(newest_first, traced.into_iter().rev().collect::<Vec<_>>());
    }

    /// On PostgreSQL a unit that took its number first may commit last; a reader that goes by number would skip it.
    async fn a_reader_never_sees_a_gap_while_long_and_short_units_overtake_each_other(store: TestStore) {
        prepare(&store).await;
        const SUBJECTS: i64 = 3;
        const UNITS: i64 = 240;
        let slow = sql!(lite: "SELECT 1", pg: "SELECT CAST(1 AS BIGINT) FROM pg_sleep(0.02)");
        let writers: Vec<_> = (0..UNITS)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            emit(tx, &format!("subject {}", id % SUBJECTS))?;
                            emit(tx, &format!("subject {}", (id + 1) % SUBJECTS))?;
                            if id % 5 == 0 { tx.one::<i64>(slow, args![])?; }
                            insert(tx, id)?;
                            if id % 7 == 0 { Err(Error::Stale) } else { Ok(()) }
                        })
                        .await
                })
            })
            .collect();
        let mut partitions: BTreeMap<u16, i64> =
            (0..SUBJECTS).map(|n| (events::partition_of(&event("").tenant, &format!("subject {n}")), 0)).collect();
        let committed = (0..UNITS).filter(|id| id % 7 != 0).count() as i64;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        // Read beside the writers, as a consumer does, until everything has been seen.
        while partitions.values().sum::<i64>() < 2 * committed {
            assert!(std::time::Instant::now() < deadline, "not every event became visible: {partitions:?}");
            for (partition, seen) in &mut partitions {
                for event in after(&store, *partition, *seen).await {
                    assert_eq!(event.sequence, *seen + 1, "a gap in partition {partition}");
                    *seen = event.sequence;
                }
            }
        }
        for writer in writers {
            let ended = writer.await.unwrap();
            assert!(matches!(ended, Ok(()) | Err(Error::Stale)), "{ended:?}");
        }
        assert_eq!(partitions.values().sum::<i64>(), 2 * committed);
        let heads: Vec<i64> = store.read(events::heads).await.map_err(|e: Error| panic!("{e:?}")).unwrap();
        assert!(partitions.iter().all(|(partition, seen)| heads[usize::from(*partition)] == *seen));
    }

    /// Units that append to the same partitions in opposite orders would wait for each other; the store sorts them.
    async fn units_that_emit_crosswise_do_not_deadlock(store: TestStore) {
        let units: Vec<_> = (0..80_usize)
            .map(|n| {
                let store = store.store();
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            let mut subjects: Vec<String> = (0..8).map(|s| format!("subject {s}")).collect();
                            if n % 2 == 1 { subjects.reverse(); }
                            subjects.iter().try_for_each(|subject| emit(tx, subject).map(drop))
                        })
                        .await
                })
            })
            .collect();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
        assert_eq!(store.stats().units_retried, 0, "no deadlock was resolved by the server");
        assert_eq!(store.stats().events, 640);
    }

    async fn events_of_one_unit_keep_their_order_within_a_subject(store: TestStore) {
        let ids: Vec<EventId> =
            store.write(|tx| (0..20).map(|_| emit(tx, "one subject")).collect()).await.map_err(|e: Error| panic!("{e:?}")).unwrap();
        let partition = events::partition_of(&event("").tenant, "one subject");
        let seen: Vec<EventId> = after(&store, partition, 0).await.into_iter().map(|event| event.id).collect();
        assert_eq!(seen, ids);
    }

    async fn an_event_too_large_or_one_too_many_undoes_the_unit(store: TestStore) {
        prepare(&store).await;
        let large: Result<(), Error> = store
            .write(|tx| {
                insert(tx, 1)?;
                let mut large = event("large");
                large.data = serde_json::Value::String("x".repeat(plinth_store::limits::EVENT_BYTES_MAX));
                tx.emit(large);
                Ok(())
            })
            .await;
        assert!(matches!(large, Err(Error::Event(_))), "{large:?}");
        let many: Result<(), Error> = store
            .write(|tx| {
                insert(tx, 1)?;
                (0..=plinth_store::limits::EVENTS_PER_UNIT_MAX).try_for_each(|_| emit(tx, "many").map(drop))
            })
            .await;
        assert!(matches!(many, Err(Error::Poisoned { .. })), "{many:?}");
        assert_eq!(crate::support::rows(&store).await, 0);
    }

    async fn a_commit_with_events_wakes_every_subscriber_and_one_without_wakes_nobody(store: TestStore) {
        prepare(&store).await;
        let (mut first, mut second) = (store.on_events(), store.on_events());
        store.write(|tx| insert(tx, 1)).await.unwrap();
        store.write(|tx| { emit(tx, "undone")?; Err::<(), _>(Error::Stale) }).await.unwrap_err();
        store.write(|tx| emit(tx, "subject")).await.map_err(|e: Error| panic!("{e:?}")).unwrap();
        let partition = events::partition_of(&event("").tenant, "subject");
        for subscriber in [&mut first, &mut second] {
            // On PostgreSQL the listener wakes everybody once when it begins to listen.
            let mut woken = subscriber.recv().await;
            while store.engine() == Engine::Postgres && woken == PartitionSet::ALL {
                woken = subscriber.recv().await;
            }
            assert_eq!(woken.iter().collect::<Vec<_>>(), [partition]);
        }
    }

    async fn wake_ups_between_two_looks_become_one(store: TestStore) {
        let mut wakeups = store.on_events();
        let (gate, _blockers) = occupy(&store).await;
        let units: Vec<_> = (0..10)
            .map(|n| {
                let store = store.store();
                tokio::spawn(async move { store.write(move |tx| emit(tx, &format!("subject {n}"))).await })
            })
            .collect();
        queued(&store, 10).await;
        gate.open();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
        let woken = wakeups.recv().await;
        assert!((0..10).all(|n| woken.contains(events::partition_of(&event("").tenant, &format!("subject {n}")))));
    }
}
