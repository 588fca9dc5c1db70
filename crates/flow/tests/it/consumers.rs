//! Durable consumers.

use crate::support::{
    Reacts, config, effects, effects_reach, emit, emitted, note, prepared, started, stop, tenant,
};
use plinth_flow::{
    FlowBuilder, LaterEvents, PoisonPolicy, StartAt,
    consumers::{ParkedEvent, ParkedFilter, ParkedState, list_parked, replay_parked},
};
use plinth_kernel::{Code, Problem};
use plinth_store::{Error, Store, args};
use plinth_testkit::{both_engines, eventually};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// The numbers of each subject, in the order of their effects.
fn by_subject(seen: &[String]) -> BTreeMap<String, Vec<i64>> {
    let mut by_subject: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for what in seen {
        let (subject, n) = what.split_once(':').unwrap();
        by_subject.entry(subject.to_owned()).or_default().push(n.parse().unwrap());
    }
    by_subject
}

async fn parked(store: &Store) -> Vec<ParkedEvent> {
    store.read(|tx| list_parked(tx, &tenant(1), &ParkedFilter::default(), None, 100)).await.unwrap()
}

both_engines! {
    async fn effects_happen_once_and_in_the_order_of_their_key(store: TestStore) {
        let store = prepared(&store).await;
        let flow = started(
            FlowBuilder::new().config(config()).consumer(Reacts::noting("a").arc()).consumer(Reacts::noting("b").arc()),
            &store,
        ).await;
        let producers = (0..8).map(|subject| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..25 { emitted(&store, &tenant(1), &format!("s{subject}"), n).await; }
            })
        });
        for producer in producers { producer.await.unwrap(); }
        for who in ["a", "b"] {
            let seen = by_subject(&effects_reach(&store, who, 200).await);
            assert_eq!(seen.len(), 8);
            for (subject, numbers) in seen { assert_eq!(numbers, (0..25).collect::<Vec<_>>(), "{who} {subject}"); }
        }
        let report = flow.report();
        assert!(report.consumers.iter().all(|c| c.handled == 200 && c.gaps == 0), "{report:?}");
        stop(flow).await;
    }

    /// A consumer that takes long for each event gives way to others between two of them, and still sees all in order.
    async fn a_slow_batch_is_cut_and_goes_on(store: TestStore) {
        let store = prepared(&store).await;
        let units = Arc::new(std::sync::Mutex::new(Vec::new()));
        for n in 0..6 { emitted(&store, &tenant(1), "s", n).await; }
        let slow = {
            let units = units.clone();
            Reacts::new("slow", move |tx, event| {
                units.lock().unwrap().push(tx.now());
                std::thread::sleep(Duration::from_millis(60)); // the work that takes long
                Ok(note(tx, "slow", &format!("{}:{}", event.subject, event.data["n"]))?)
            })
        };
        let flow = started(FlowBuilder::new().config(config()).consumer(slow.arc()), &store).await;
        let seen = by_subject(&effects_reach(&store, "slow", 6).await);
        assert_eq!(seen["s"], (0..6).collect::<Vec<_>>());
        let mut units = units.lock().unwrap().clone();
        units.dedup();
        assert_eq!(units.len(), 6, "each event had a transaction of its own");
        stop(flow).await;
    }

    /// Commits overtake one another: whoever began first may commit last, and nothing may be skipped for that.
    async fn long_transactions_hide_and_reorder_nothing(store: TestStore) {
        let store = prepared(&store).await;
        let flow = started(FlowBuilder::new().config(config()).consumer(Reacts::noting("c").arc()), &store).await;
        let producers = (0..12u64).map(|who| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..10i64 {
                    store.write(move |tx| {
                        // Every unit touches three keys, and many begin long before they commit.
                        for key in [who, (who + 1) % 12, (who + 5) % 12] {
                            emit(tx, &tenant(1), "test.thing.happened", &format!("k{key}"), json!({"n": n * 100 + who as i64}));
                        }
                        std::thread::sleep(std::time::Duration::from_micros(tx.world().below(8_000)));
                        Ok::<_, Error>(())
                    }).await.unwrap();
                }
            })
        });
        for producer in producers { producer.await.unwrap(); }
        let seen = effects_reach(&store, "c", 360).await;
        assert_eq!(seen.len(), 360);
        let log: Vec<(String, String)> = store.read(|tx| tx.all(
            "SELECT subject, data FROM events ORDER BY partition, sequence", args![])).await.map_err(|e: Error| e).unwrap();
        let mut logged: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (subject, data) in log {
            let data: serde_json::Value = serde_json::from_str(&data).unwrap();
            logged.entry(subject).or_default().push(data["n"].as_i64().unwrap());
        }
        assert_eq!(by_subject(&seen), logged, "every key is seen in the order of the log");
        assert_eq!(flow.report().consumers[0].gaps, 0);
        stop(flow).await;
    }

    async fn a_poison_event_is_parked_its_key_held_and_replayed_in_order(store: TestStore) {
        let store = prepared(&store).await;
        let broken = Arc::new(AtomicBool::new(true));
        let flag = broken.clone();
        let tries = Arc::new(AtomicU32::new(0));
        let count = tries.clone();
        let consumer = Reacts::new("p", move |tx, event| {
            let what = format!("{}:{}", event.subject, event.data["n"]);
            crate::support::note(tx, "p", &what)?;
            if what == "bad:1" && flag.load(Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
                return Err(Problem::new(Code::Internal, "not yet"));
            }
            Ok(())
        });
        let flow = started(FlowBuilder::new().config(config()).consumer(consumer.arc()), &store).await;
        for n in 0..4 {
            emitted(&store, &tenant(1), "bad", n).await;
            emitted(&store, &tenant(1), "good", n).await;
        }
        eventually("three events are put aside", || async { Some(parked(&store).await).filter(|p| p.len() == 3) }).await;
        effects_reach(&store, "p", 5).await;
        let aside = parked(&store).await;
        assert_eq!(tries.load(Ordering::SeqCst), 3, "as many tries as the policy says");
        // Events of one millisecond are listed in no order of their own: look for them by their state.
        let first = aside.iter().find(|p| p.state == ParkedState::Parked).unwrap().clone();
        assert_eq!(aside.iter().filter(|p| p.state == ParkedState::Held).count(), 2);
        assert_eq!((first.tries, first.last_error.as_deref()), (3, Some("internal: not yet")));
        assert_eq!(ParkedEvent::parse_id(&first.id()), Some((first.event_id.clone(), "p")));
        assert_eq!(by_subject(&effects(&store, "p").await)["bad"], [0], "what failed left nothing behind");

        // One that is held cannot be replayed, and a replay that fails again parks again.
        let held = aside.iter().find(|p| p.state == ParkedState::Held).unwrap().event_id.clone();
        let refused = store.write(move |tx| replay_parked(tx, &tenant(1), &held, "p")).await;
        assert!(matches!(refused, Err(plinth_flow::FlowError::State(_))));
        let id = first.event_id.clone();
        store.write(move |tx| replay_parked(tx, &tenant(1), &id, "p")).await.unwrap();
        eventually("it is parked again", || async {
            parked(&store).await.into_iter().find(|p| p.tries == 4 && p.state == ParkedState::Parked)
        }).await;

        broken.store(false, Ordering::SeqCst);
        let id = first.event_id.clone();
        store.write(move |tx| replay_parked(tx, &tenant(1), &id, "p")).await.unwrap();
        effects_reach(&store, "p", 8).await;
        eventually("nothing is parked any more", || async { parked(&store).await.is_empty().then_some(()) }).await;
        emitted(&store, &tenant(1), "bad", 4).await;
        let seen = by_subject(&effects_reach(&store, "p", 9).await);
        assert_eq!((&seen["bad"][..], &seen["good"][..]), (&[0, 1, 2, 3, 4][..], &[0, 1, 2, 3][..]));
        stop(flow).await;
    }

    async fn a_consumer_may_let_later_events_pass(store: TestStore) {
        let store = prepared(&store).await;
        let mut consumer = Reacts::new("q", |tx, event| {
            if event.data["n"] == 1 { panic!("cannot bear it"); }
            Ok(crate::support::note(tx, "q", &format!("{}:{}", event.subject, event.data["n"]))?)
        });
        consumer.poison = PoisonPolicy { max_tries: 2, later: LaterEvents::Pass };
        let flow = started(FlowBuilder::new().config(config()).consumer(consumer.arc()), &store).await;
        for n in 0..4 { emitted(&store, &tenant(1), "s", n).await; }
        let seen = by_subject(&effects_reach(&store, "q", 3).await);
        assert_eq!(seen["s"], [0, 2, 3]);
        let aside = parked(&store).await;
        assert_eq!(aside.len(), 1);
        assert!(aside[0].last_error.as_deref().unwrap().contains("cannot bear it"), "a panic is contained and told");
        stop(flow).await;
    }

    async fn a_consumer_sees_what_it_asked_for_from_where_it_asked(store: TestStore) {
        let store = prepared(&store).await;
        emitted(&store, &tenant(1), "early", 0).await;
        let mut late = Reacts::noting("late");
        late.start = StartAt::Next;
        let mut picky = Reacts::noting("picky");
        picky.kinds = &["test.other.happened"];
        let builder = || FlowBuilder::new().config(config()).consumer(late.clone().arc()).consumer(picky.clone().arc())
            .consumer(Reacts::noting("all").arc());
        let flow = started(builder(), &store).await;
        for n in 0..50 { emitted(&store, &tenant(1), "s", n).await; }
        store.write(|tx| { emit(tx, &tenant(1), "test.other.happened", "s", json!({"n": 50})); Ok::<_, Error>(()) }).await.unwrap();
        assert_eq!(effects_reach(&store, "all", 52).await.len(), 52);
        assert_eq!(effects_reach(&store, "late", 51).await.len(), 51);
        assert_eq!(effects_reach(&store, "picky", 1).await, ["s:50"]);
        stop(flow).await;
        // What was passed over in memory is written down by an orderly stop, and nothing is seen twice afterwards.
        let behind: i64 = store.read(|tx| tx.one(
            "SELECT CAST(sum(h.sequence - c.acked) AS BIGINT) FROM flow_cursors c JOIN event_heads h ON h.partition = c.partition",
            args![])).await.map_err(|e: Error| e).unwrap();
        assert_eq!(behind, 0);
        let flow = started(builder(), &store).await;
        emitted(&store, &tenant(1), "s", 51).await;
        assert_eq!(effects_reach(&store, "all", 53).await.len(), 53);
        assert_eq!(effects(&store, "picky").await.len(), 1);
        stop(flow).await;
    }

    async fn an_event_that_brings_the_whole_unit_down_is_found_and_parked(store: TestStore) {
        let store = prepared(&store).await;
        let consumer = Reacts::new("d", |tx, event| {
            crate::support::note(tx, "d", &format!("{}:{}", event.subject, event.data["n"]))?;
            if event.data["n"] == 2 {
                // Larger than the log takes: refused when the unit ends, outside the savepoint.
                emit(tx, &tenant(1), "big.thing.happened", "x", json!("x".repeat(300 << 10)));
            }
            Ok(())
        });
        let flow = started(FlowBuilder::new().config(config()).consumer(consumer.arc()), &store).await;
        store.write(|tx| {
            for n in 0..5 { emit(tx, &tenant(1), "test.thing.happened", "s", json!({"n": n})); }
            emit(tx, &tenant(1), "test.thing.happened", "t", json!({"n": 0}));
            Ok::<_, Error>(())
        }).await.unwrap();
        eventually("three are put aside", || async { Some(parked(&store).await).filter(|p| p.len() == 3) }).await;
        let seen = by_subject(&effects_reach(&store, "d", 3).await);
        assert_eq!((&seen["s"][..], &seen["t"][..]), (&[0, 1][..], &[0][..]));
        stop(flow).await;
    }
}
