//! Several nodes: shares, take-overs, fences, orderly ends.

use crate::support::{
    Does, Reacts, config, effects, effects_reach, emitted, enqueue, job, note, prepared, reaches,
    read_attempts, read_job, short_lease, started, stop, tenant,
};
use plinth_flow::{AttemptOutcome, FlowBuilder, JobState, Outcome};
use plinth_store::{Error, args};
use plinth_testkit::{both_engines, eventually};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

both_engines! {
    async fn a_node_that_lost_its_cursors_changes_nothing(store: TestStore) {
        let store = prepared(&store).await;
        let flow = started(FlowBuilder::new().config(short_lease()).consumer(Reacts::noting("f").arc()), &store).await;
        emitted(&store, &tenant(1), "s", 0).await;
        effects_reach(&store, "f", 1).await;
        // Somebody takes every cursor over while the node is not looking, and has committed an effect of its own.
        store.write(|tx| {
            note(tx, "f", "s:1")?;
            tx.exec("UPDATE flow_cursors SET epoch = epoch + 1, owner = 'thief', acked = acked + \
                CASE WHEN acked > 0 THEN 1 ELSE 0 END", args![])
        }).await.map_err(|e: Error| e).unwrap();
        emitted(&store, &tenant(1), "s", 1).await;
        eventually("the late batch is fenced", || async { (flow.report().consumers[0].fenced > 0).then_some(()) }).await;
        // The thief is not among the living, so the cursors come back, at the thief's position.
        emitted(&store, &tenant(1), "s", 2).await;
        assert_eq!(effects_reach(&store, "f", 3).await, ["s:0", "s:1", "s:2"]);
        stop(flow).await;
    }

    async fn two_nodes_share_and_the_survivor_takes_over(store: TestStore) {
        let store = prepared(&store).await;
        let builder = || FlowBuilder::new().config(short_lease()).consumer(Reacts::noting("t").arc());
        let first = started(builder(), &store).await;
        let second = started(builder(), &store).await;
        eventually("both hold half", || async {
            let held = [&first, &second].map(|flow| flow.report().consumers[0].partitions);
            (held == [32, 32]).then_some(())
        }).await;
        for n in 0..100 { emitted(&store, &tenant(1), &format!("s{}", n % 20), n).await; }
        effects_reach(&store, "t", 100).await;
        drop(first);
        for n in 100..200 { emitted(&store, &tenant(1), &format!("s{}", n % 20), n).await; }
        let seen = effects_reach(&store, "t", 200).await;
        assert_eq!(seen.len(), 200);
        for subject in 0..20 {
            let prefix = format!("s{subject}:");
            let numbers: Vec<i64> = seen.iter().filter_map(|w| w.strip_prefix(&prefix)).map(|n| n.parse().unwrap()).collect();
            assert!(numbers.is_sorted() && numbers.len() == 10, "{subject}: {numbers:?}");
        }
        assert_eq!(second.report().consumers[0].partitions, 64);
        stop(second).await;
    }

    async fn the_late_outcome_of_a_dead_node_is_fenced(store: TestStore) {
        let store = prepared(&store).await;
        let release = Arc::new(Notify::new());
        let gate = release.clone();
        // The first attempt hangs until it is let go; by then the node that made it is dead to the others.
        let slow = Does::new("k", "q", move |job| {
            let gate = gate.clone();
            async move {
                let attempt = job.attempt;
                if attempt == 1 { gate.notified().await; }
                Ok(Outcome::done(json!(attempt)).with(move |tx| Ok(note(tx, "w", &attempt.to_string())?)))
            }
        }).arc();
        let first = started(FlowBuilder::new().config(short_lease()).handler(slow.clone()), &store).await;
        let reporter = first.reporter();
        let id = enqueue(&store, job(&tenant(1), "k", Value::Null)).await;
        reaches(&store, &tenant(1), &id, JobState::Running).await;
        drop(first);
        let second = started(FlowBuilder::new().config(short_lease()).handler(slow), &store).await;
        let done = reaches(&store, &tenant(1), &id, JobState::Done).await;
        assert_eq!(done.result, Some(json!(2)));
        release.notify_waiters();
        eventually("the late outcome is fenced", || async { (reporter().queues[0].fenced == 1).then_some(()) }).await;
        let attempts = read_attempts(&store, &tenant(1), &id).await;
        let outcomes: Vec<_> = attempts.iter().map(|a| a.outcome).collect();
        assert_eq!(outcomes, [Some(AttemptOutcome::Unknown), Some(AttemptOutcome::Done)]);
        assert_eq!(effects(&store, "w").await, ["2"], "the fenced attempt's part of the transaction is undone");
        assert_eq!(read_job(&store, &tenant(1), &id).await.result, Some(json!(2)));
        stop(second).await;
    }

    async fn an_orderly_stop_finishes_and_gives_up(store: TestStore) {
        let store = prepared(&store).await;
        let begun = Arc::new(Notify::new());
        let signal = begun.clone();
        let slow = Does::new("k", "q", move |_| {
            let signal = signal.clone();
            async move {
                signal.notify_one();
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(Outcome::done(Value::Null))
            }
        });
        let stubborn = Does::new("stubborn", "q", |job| async move {
            job.cancelled.cancelled().await;
            Ok(Outcome::retry(plinth_flow::Reason::new("stopping", "asked to stop")))
        });
        let flow = started(
            FlowBuilder::new().config(config()).handler(slow.arc()).handler(stubborn.arc()).consumer(Reacts::noting("o").arc()),
            &store,
        ).await;
        let finishing = enqueue(&store, job(&tenant(1), "k", Value::Null)).await;
        let asked = enqueue(&store, job(&tenant(1), "stubborn", Value::Null)).await;
        begun.notified().await;
        reaches(&store, &tenant(1), &asked, JobState::Running).await;
        flow.shutdown(Duration::from_millis(800)).await.unwrap();
        assert_eq!(read_job(&store, &tenant(1), &finishing).await.state, JobState::Done);
        assert_eq!(read_job(&store, &tenant(1), &asked).await.state, JobState::Retrying);
        let left: (i64, i64) = store.read(|tx| tx.one(
            "SELECT (SELECT count(*) FROM flow_nodes), (SELECT count(*) FROM flow_cursors WHERE owner IS NOT NULL)", args![]))
            .await.map_err(|e: Error| e).unwrap();
        assert_eq!(left, (0, 0), "no node and no lease is left behind");
        // Nothing is claimed after the stop.
        let later = enqueue(&store, job(&tenant(1), "k", Value::Null)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(read_job(&store, &tenant(1), &later).await.state, JobState::Ready);
    }
}
