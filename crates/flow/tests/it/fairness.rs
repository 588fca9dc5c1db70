//! Tenants and destinations that share a queue.

use crate::support::{
    Does, config, effects_reach, enqueue, job, note, prepared, reaches, read_attempts, started, stop, tenant,
};
use plinth_flow::{BreakerConfig, DestinationPolicy, FlowBuilder, JobState, Outcome, Queue, Rate, Reason};
use plinth_store::Store;
use plinth_testkit::{both_engines, eventually};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

async fn flood(store: &Store, n: usize) {
    let flood: Vec<_> = (0..n).map(|_| job(&tenant(1), "k", json!("flood"))).collect();
    store
        .write(move |tx| flood.iter().try_for_each(|job| plinth_flow::enqueue(tx, job.clone()).map(|_| ())))
        .await
        .map_err(|e: plinth_flow::FlowError| e)
        .unwrap();
}

both_engines! {
    async fn a_small_tenant_does_not_wait_for_a_flooder(store: TestStore) {
        let store = prepared(&store).await;
        flood(&store, 400).await;
        let work = Does::new("k", "q", |job| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let who = job.payload.as_str().unwrap().to_owned();
            Ok(Outcome::done(Value::Null).with(move |tx| Ok(note(tx, "order", &who)?)))
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()).queue(Queue::new("q", 8)), &store).await;
        effects_reach(&store, "order", 20).await;
        for _ in 0..5 { enqueue(&store, job(&tenant(2), "k", json!("small"))).await; }
        let seen = eventually("the small tenant is served", || async {
            let seen = crate::support::effects(&store, "order").await;
            (seen.iter().filter(|who| *who == "small").count() == 5).then_some(seen)
        }).await;
        assert!(seen.len() < 300, "served after {} jobs, behind a flood of 400", seen.len());
        stop(flow).await;
    }

    async fn a_hanging_destination_delays_nobody_else(store: TestStore) {
        let store = prepared(&store).await;
        let work = Does::new("k", "q", |job| async move {
            if job.destination.as_deref() == Some("hangs") { job.cancelled.cancelled().await; }
            Ok(Outcome::done(Value::Null))
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()).queue(Queue::new("q", 16)), &store).await;
        for _ in 0..40 {
            let mut hangs = job(&tenant(1), "k", Value::Null);
            hangs.destination = Some("hangs".into());
            enqueue(&store, hangs).await;
        }
        eventually("the destination is full", || async { (flow.report().queues[0].running == 8).then_some(()) }).await;
        let mut same_tenant = job(&tenant(1), "k", Value::Null);
        same_tenant.destination = Some("answers".into());
        let same_tenant = enqueue(&store, same_tenant).await;
        let other_tenant = enqueue(&store, job(&tenant(2), "k", Value::Null)).await;
        reaches(&store, &tenant(1), &same_tenant, JobState::Done).await;
        reaches(&store, &tenant(2), &other_tenant, JobState::Done).await;
        assert_eq!(flow.report().queues[0].running, 8, "never more than its concurrency");
        flow.shutdown(Duration::ZERO).await.unwrap();
    }

    async fn a_breaker_stops_calls_to_what_does_not_answer(store: TestStore) {
        let store = prepared(&store).await;
        let calls = Arc::new(AtomicU32::new(0));
        let count = calls.clone();
        let work = Does::new("k", "q", move |job| {
            if job.destination.as_deref() == Some("down") { count.fetch_add(1, Ordering::SeqCst); }
            async move {
                match job.destination.as_deref() {
                    Some("down") => Ok(Outcome::unavailable(Reason::new("refused", "no connection"))),
                    _ => Ok(Outcome::done(Value::Null)),
                }
            }
        });
        let policy = DestinationPolicy {
            concurrency: 2,
            breaker: BreakerConfig { open_base_ms: 600_000, open_cap_ms: 600_000, ..BreakerConfig::default() },
            ..DestinationPolicy::default()
        };
        let queue = Queue::new("q", 8).destinations(move |_, _| policy);
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()).queue(queue), &store).await;
        for _ in 0..30 {
            let mut down = job(&tenant(1), "k", Value::Null);
            down.destination = Some("down".into());
            enqueue(&store, down).await;
        }
        eventually("the breaker is open", || async { (flow.report().queues[0].breakers.len() == 1).then_some(()) }).await;
        let mut up = job(&tenant(1), "k", Value::Null);
        up.destination = Some("up".into());
        let up = enqueue(&store, up).await;
        reaches(&store, &tenant(1), &up, JobState::Done).await;
        let calls = calls.load(Ordering::SeqCst);
        assert!((5..=7).contains(&calls), "{calls} calls: five failures, and what was under way");
        assert_eq!(flow.report().queues[0].breakers[0].destination, "down");
        stop(flow).await;
    }

    async fn a_rate_limit_spreads_calls_over_time(store: TestStore) {
        let store = prepared(&store).await;
        let work = Does::new("k", "q", |_| async { Ok(Outcome::done(Value::Null)) });
        let policy = DestinationPolicy { rate: Some(Rate { per_second: 20.0, burst: 2 }), ..DestinationPolicy::default() };
        let queue = Queue::new("q", 8).destinations(move |_, _| policy);
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()).queue(queue), &store).await;
        let mut ids = Vec::new();
        for _ in 0..8 {
            let mut limited = job(&tenant(1), "k", Value::Null);
            limited.destination = Some("d".into());
            ids.push(enqueue(&store, limited).await);
        }
        let mut starts = Vec::new();
        for id in &ids {
            reaches(&store, &tenant(1), id, JobState::Done).await;
            starts.push(read_attempts(&store, &tenant(1), id).await[0].started_at);
        }
        starts.sort();
        // Two at once, then one every 50 ms: the eighth at 300 ms. The clock is read a little after the decision.
        let span_ms = starts[7].since(starts[0]) / 1_000;
        assert!(span_ms >= 250, "eight calls within {span_ms} ms");
        stop(flow).await;
    }

    async fn patience_that_a_destination_asks_for_costs_no_try(store: TestStore) {
        let store = prepared(&store).await;
        let work = Does::new("k", "q", |job| async move {
            if job.attempt <= 3 {
                return Ok(Outcome::throttled(60, Reason::new("too_many", "429")));
            }
            Ok(Outcome::done(Value::Null))
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        let mut once = job(&tenant(1), "k", Value::Null);
        once.destination = Some("d".into());
        once.max_attempts = 1;
        let id = enqueue(&store, once).await;
        reaches(&store, &tenant(1), &id, JobState::Done).await;
        let attempts = read_attempts(&store, &tenant(1), &id).await;
        assert_eq!(attempts.len(), 4);
        for pair in attempts.windows(2) {
            assert!(pair[1].started_at.since(pair[0].finished_at.unwrap()) >= 55_000, "{pair:?}");
        }
        stop(flow).await;
    }
}
