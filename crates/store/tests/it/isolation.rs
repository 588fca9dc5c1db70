//! A unit of work stands alone: its failure undoes itself, all of itself and nothing else.

use crate::support::{Gate, count, event, insert, occupy, prepare, queued, rows, tenant};
use plinth_store::{Error, Store, args};
use plinth_testkit::both_engines;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

both_engines! {
    async fn of_300_mixed_units_exactly_the_successful_ones_leave_rows_and_events(store: TestStore) {
        prepare(&store).await;
        store.write(|tx| insert(tx, 0)).await.unwrap();
        let units: Vec<_> = (1..=300_i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            insert(tx, id)?;
                            tx.emit(event(&format!("thing {}", id % 7)));
                            match id % 5 {
                                0 => Err(Error::Stale),
                                1 => panic!("unit {id} panics on purpose"),
                                2 => insert(tx, 0), // there is one already
                                _ => Ok(()),
                            }
                        })
                        .await
                })
            })
            .collect();
        let (mut ok, mut stale, mut panicked, mut unique) = (0, 0, 0, 0);
        for unit in units {
            match unit.await.unwrap() {
                Ok(()) => ok += 1,
                Err(Error::Stale) => stale += 1,
                Err(Error::Panicked { message }) => {
                    assert!(message.contains("on purpose"));
                    panicked += 1;
                }
                Err(Error::Unique { .. }) => unique += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!((ok, stale, panicked, unique), (120, 60, 60, 60));
        assert_eq!(rows(&store).await, 121);
        let heads: i64 = store.read(|tx| Ok::<_, Error>(plinth_store::events::heads(tx)?.iter().sum())).await.unwrap();
        assert_eq!(heads, 120);
        assert_eq!(store.stats().units_panicked, 60);
    }

    async fn a_failed_statement_poisons_its_unit_even_when_the_closure_ends_well(store: TestStore) {
        prepare(&store).await;
        let ignored = store
            .write(|tx| {
                insert(tx, 1)?;
                assert!(matches!(insert(tx, 1), Err(Error::Unique { .. })));
                assert!(matches!(count(tx), Err(Error::Poisoned { .. })));
                Ok::<_, Error>(())
            })
            .await;
        assert!(matches!(ignored, Err(Error::Poisoned { .. })), "{ignored:?}");
        assert_eq!(rows(&store).await, 0);
    }

    async fn a_row_that_is_missing_poisons_nothing(store: TestStore) {
        prepare(&store).await;
        store
            .write(|tx| {
                let missing = tx.one::<i64>("SELECT id FROM things WHERE tenant_id = $1", args![&tenant()]);
                assert!(matches!(missing, Err(Error::NotFound)));
                insert(tx, 1)
            })
            .await
            .unwrap();
        assert_eq!(rows(&store).await, 1);
    }

    async fn a_savepoint_survives_its_failure_and_drops_its_events_and_hooks(store: TestStore) {
        prepare(&store).await;
        let (kept, dropped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (kept_hook, dropped_hook) = (kept.clone(), dropped.clone());
        store
            .write(move |tx| {
                let (kept, dropped) = (kept_hook.clone(), dropped_hook.clone());
                insert(tx, 1)?;
                tx.emit(event("kept"));
                tx.after_commit(move || kept.store(true, Ordering::SeqCst));
                let inner = tx.savepoint(|tx| {
                    insert(tx, 2)?;
                    tx.emit(event("dropped"));
                    tx.after_commit(move || dropped.store(true, Ordering::SeqCst));
                    insert(tx, 1)
                });
                assert!(matches!(inner, Err(Error::Unique { .. })));
                let nested = tx.savepoint(|tx| {
                    insert(tx, 3)?;
                    let _ = tx.savepoint(|tx| { insert(tx, 4)?; Err::<(), _>(Error::Stale) });
                    Ok::<_, Error>(())
                });
                nested?;
                insert(tx, 5)
            })
            .await
            .unwrap();
        let ids: Vec<i64> = store.list("SELECT id FROM things ORDER BY id", vec![]).await.unwrap();
        assert_eq!(ids, [1, 3, 5]);
        let subjects: Vec<String> = store.list("SELECT subject FROM events", vec![]).await.unwrap();
        assert_eq!(subjects, ["kept"]);
        assert!(kept.load(Ordering::SeqCst) && !dropped.load(Ordering::SeqCst));
    }

    async fn hooks_run_after_the_commit_and_before_the_answer_and_only_for_what_was_committed(store: TestStore) {
        prepare(&store).await;
        let hooks = Arc::new(AtomicU32::new(0));
        let hook = |hooks: &Arc<AtomicU32>| { let hooks = hooks.clone(); move || { hooks.fetch_add(1, Ordering::SeqCst); } };
        let (good, bad) = (hooks.clone(), hooks.clone());
        store.write(move |tx| { tx.after_commit(hook(&good)); tx.after_commit(|| panic!("a hook panics on purpose")); insert(tx, 1) }).await.unwrap();
        assert_eq!(hooks.load(Ordering::SeqCst), 1);
        store.write(move |tx| { tx.after_commit(hook(&bad)); Err::<(), _>(Error::Stale) }).await.unwrap_err();
        assert_eq!(hooks.load(Ordering::SeqCst), 1);
        assert_eq!(rows(&store).await, 1);
    }

    async fn constraint_violations_have_the_same_names_on_both_engines(store: TestStore) {
        prepare(&store).await;
        store.write(|tx| insert(tx, 1)).await.unwrap();
        let unique: Error = store
            .write(|tx| tx.exec("INSERT INTO things (tenant_id, id, name, size) VALUES ($1, 1, 'other', 0)", args![&tenant()]))
            .await
            .unwrap_err();
        assert!(matches!(&unique, Error::Unique { constraint } if constraint == "things(tenant_id, id)"), "{unique:?}");
        assert!(unique.is_unique_in("things") && !unique.is_unique_in("thing"));
        let by_name: Error = store
            .write(|tx| tx.exec("INSERT INTO things (tenant_id, id, name, size) VALUES ($1, 2, 'THING 1', 0)", args![&tenant()]))
            .await
            .unwrap_err();
        assert!(matches!(&by_name, Error::Unique { constraint } if constraint == "things_by_lower_name"), "{by_name:?}");
        let foreign: Error = store
            .write(|tx| tx.exec("INSERT INTO parts (tenant_id, id, thing_id) VALUES ($1, 1, 99)", args![&tenant()]))
            .await
            .unwrap_err();
        assert!(matches!(foreign, Error::ForeignKey), "{foreign:?}");
        for bad in ["UPDATE things SET size = -1", "UPDATE things SET name = NULL"] {
            let check: Error = store.write(move |tx| tx.exec(bad, args![])).await.unwrap_err();
            assert!(matches!(check, Error::Check { .. }), "{check:?}");
        }
    }

    async fn a_foreign_key_that_only_the_commit_checks_fails_its_own_unit_alone(store: TestStore) {
        prepare(&store).await;
        let (gate, _blockers) = occupy(&store).await;
        let units: Vec<_> = (1..=9_i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            insert(tx, id)?;
                            let thing = if id == 5 { 999 } else { id };
                            tx.exec("INSERT INTO late_parts (tenant_id, id, thing_id) VALUES ($1, $2, $3)", args![&tenant(), id, thing])
                        })
                        .await
                })
            })
            .collect();
        queued(&store, 9).await;
        gate.open();
        for (id, unit) in (1..).zip(units) {
            match unit.await.unwrap() {
                Ok(_) => assert_ne!(id, 5),
                Err(error) => assert!(id == 5 && matches!(error, Error::ForeignKey), "{id}: {error:?}"),
            }
        }
        assert_eq!(rows(&store).await, 8);
    }

    async fn a_caller_that_leaves_before_its_unit_starts_takes_it_along(store: TestStore) {
        prepare(&store).await;
        let (gate, _blockers) = occupy(&store).await;
        let callers: Vec<_> = (0..200_i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move { store.write(move |tx| insert(tx, id)).await })
            })
            .collect();
        queued(&store, 200).await;
        for caller in &callers {
            caller.abort();
        }
        for caller in callers {
            assert!(caller.await.unwrap_err().is_cancelled());
        }
        gate.open();
        store.write(|tx| insert(tx, 1_000)).await.unwrap();
        plinth_testkit::eventually("every abandoned unit is skipped", || async {
            (store.stats().units_abandoned == 200).then_some(())
        })
        .await;
        assert_eq!(rows(&store).await, 1);
    }

    async fn a_caller_that_leaves_while_its_unit_runs_leaves_a_whole_unit_behind(store: TestStore) {
        prepare(&store).await;
        let gate = Gate::default();
        let (held, writer) = (gate.clone(), store.store());
        let (started, has_started) = tokio::sync::oneshot::channel();
        let mut started = Some(started);
        let caller = tokio::spawn(async move {
            writer
                .write(move |tx| {
                    insert(tx, 1)?;
                    started.take().map(|started| started.send(()));
                    held.wait();
                    insert(tx, 2)
                })
                .await
        });
        has_started.await.unwrap();
        caller.abort();
        gate.open();
        plinth_testkit::eventually("the unit is committed", || async { (rows(&store).await == 2).then_some(()) }).await;
        store.write(|tx| insert(tx, 3)).await.unwrap(); // the connection is as good as before
    }

    async fn a_read_sees_one_instant_while_writers_go_on(store: TestStore) {
        prepare(&store).await;
        store.write(|tx| insert(tx, 1)).await.unwrap();
        let gate = Gate::default();
        let (held, reader) = (gate.clone(), store.store());
        let (started, has_started) = tokio::sync::oneshot::channel();
        let mut started = Some(started);
        let read = tokio::spawn(async move {
            reader
                .read(move |tx| {
                    let before = count(tx)?;
                    started.take().map(|started| started.send(()));
                    held.wait();
                    Ok::<_, Error>((before, count(tx)?))
                })
                .await
        });
        has_started.await.unwrap();
        store.write(|tx| insert(tx, 2)).await.unwrap();
        assert_eq!(rows(&store).await, 2, "what was acknowledged is read by whoever reads next");
        gate.open();
        assert_eq!(read.await.unwrap().unwrap(), (1, 1));
    }

    async fn a_read_cannot_write(store: TestStore) {
        prepare(&store).await;
        let written: Result<(), Error> = store.read(|tx| insert(tx, 1)).await;
        assert!(written.is_err());
        let emitted: Result<(), Error> = store.read(|tx| { tx.emit(event("x")); Ok(()) }).await;
        assert!(matches!(emitted, Err(Error::Poisoned { .. })), "{emitted:?}");
        let single: Result<Option<i64>, Error> = store
            .get("INSERT INTO things (tenant_id, id, name, size) VALUES ('t', 1, 'x', 1) RETURNING id", vec![])
            .await;
        assert!(single.is_err(), "{single:?}");
        assert_eq!(rows(&store).await, 0);
    }

    async fn a_unit_cannot_end_the_transaction_it_shares(store: TestStore) {
        prepare(&store).await;
        for control in ["COMMIT", "rollback", " SAVEPOINT mine", "BEGIN"] {
            let refused: Result<u64, Error> = store.write(move |tx| { insert(tx, 1)?; tx.exec(control, args![]) }).await;
            assert!(matches!(refused, Err(Error::Argument(_))), "{control}: {refused:?}");
        }
        assert_eq!(rows(&store).await, 0);
    }

    async fn one_statement_for_many_rows_changes_all_or_none(store: TestStore) {
        prepare(&store).await;
        const INSERT: &str = "INSERT INTO things (tenant_id, id, name, size) VALUES ($1, $2, $3, $4)";
        let batch = |ids: std::ops::Range<i64>| {
            store.write(move |tx| {
                let named: Vec<(i64, String)> = ids.clone().map(|id| (id, format!("thing {id}"))).collect();
                let tenant = tenant();
                tx.exec_many(INSERT, named.iter().map(|(id, name)| args![&tenant, id, name, 1_i64].to_vec()))
            })
        };
        assert_eq!(batch(0..50).await.map_err(|e: Error| panic!("{e:?}")).unwrap(), 50);
        let collides: Result<u64, Error> = batch(45..60).await;
        assert!(matches!(collides, Err(Error::Unique { .. })), "{collides:?}");
        assert_eq!(rows(&store).await, 50);
    }

    async fn serializable_units_decide_on_rows_that_others_may_add(store: TestStore) {
        prepare(&store).await;
        let units: Vec<_> = (0..24_i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move {
                    store
                        .write_serializable(move |tx| {
                            if count(tx)? < 5 { insert(tx, id)?; }
                            Ok::<_, Error>(())
                        })
                        .await
                })
            })
            .collect();
        for unit in units {
            match unit.await.unwrap() {
                Ok(()) | Err(Error::Serialization) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let rows = rows(&store).await;
        assert!((1..=5).contains(&rows), "{rows} rows; five are allowed");
    }

    async fn a_full_queue_refuses_and_what_it_took_is_done(store: TestStore) {
        prepare(&store).await;
        // A smaller store on the same data would need another process: fill the real queue instead.
        let (gate, _blockers) = occupy(&store).await;
        let capacity = store.stats().queues.capacity;
        let units: Vec<_> = (0..(capacity + 20) as i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move { store.write(move |tx| insert(tx, id)).await })
            })
            .collect();
        plinth_testkit::eventually("twenty units are refused", || async { (store.stats().units_refused == 20).then_some(()) }).await;
        gate.open();
        let (mut done, mut refused) = (0, 0);
        for unit in units {
            match unit.await.unwrap() {
                Ok(()) => done += 1,
                Err(Error::Overloaded { retry_after_ms }) => { assert!(retry_after_ms > 0); refused += 1; }
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!((done, refused), (capacity as i64, 20));
        assert_eq!(rows(&store).await, done);
    }

    async fn closing_finishes_what_waits_and_takes_nothing_more(store: TestStore) {
        prepare(&store).await;
        let (gate, _blockers) = occupy(&store).await;
        let units: Vec<_> = (0..50_i64)
            .map(|id| {
                let store = store.store();
                tokio::spawn(async move { store.write(move |tx| insert(tx, id)).await })
            })
            .collect();
        queued(&store, 50).await;
        let closing = tokio::spawn(store.store().close());
        plinth_testkit::eventually("the store is closing", || async { (store.stats().queues.capacity == 0).then_some(()) }).await;
        let late: Result<i64, Error> = store.read(count).await;
        assert!(matches!(late, Err(Error::Closed)), "{late:?}");
        gate.open();
        closing.await.unwrap();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
        let again = Store::open(store.config(), store.world().clone()).await.unwrap();
        assert_eq!(rows(&again).await, 50);
        again.close().await;
    }
}
