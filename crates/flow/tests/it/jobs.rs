//! The life of a job.

use crate::support::{
    Does, config, effects, effects_reach, enqueue, job, note, prepared, reaches, read_attempts, read_job,
    started, stop, tenant,
};
use plinth_flow::{
    AttemptOutcome, FlowBuilder, FlowError, JobFilter, JobState, Outcome, Reason, cancel, jobs, replay,
    replay_dead,
};
use plinth_kernel::{Code, Problem};
use plinth_testkit::{both_engines, eventually};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

fn succeeds() -> Does {
    Does::new("k", "q", |_| async { Ok(Outcome::done(json!({"ok": true}))) })
}

both_engines! {
    async fn an_attempt_is_on_record_before_its_effect_and_after_it(store: TestStore) {
        let store = prepared(&store).await;
        let work = Does::new("k", "q", |job| async move {
            let open = read_attempts(&job.store, &job.tenant, &job.job_id).await;
            assert_eq!((open.len(), open[0].outcome, open[0].finished_at), (1, None, None));
            assert_eq!(open[0].id, job.attempt_id);
            Ok(Outcome::done(json!({"seen": true})))
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        let id = enqueue(&store, job(&tenant(1), "k", json!({"to": "ada"}))).await;
        let done = reaches(&store, &tenant(1), &id, JobState::Done).await;
        assert_eq!((done.attempts, done.result, done.last_error), (1, Some(json!({"seen": true})), None));
        let attempts = read_attempts(&store, &tenant(1), &id).await;
        assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Done));
        assert!(attempts[0].finished_at >= Some(attempts[0].started_at) && done.finished_at.is_some());
        stop(flow).await;
    }

    async fn a_job_of_an_undone_unit_never_was(store: TestStore) {
        let store = prepared(&store).await;
        let undone = store.write(|tx| {
            plinth_flow::enqueue(tx, job(&tenant(1), "k", Value::Null))?;
            Err::<(), FlowError>(FlowError::State("changed my mind".into()))
        }).await;
        assert!(undone.is_err());
        let listed = store.read(|tx| jobs::list_jobs(tx, &tenant(1), &JobFilter::default(), None, 10)).await.unwrap();
        assert!(listed.is_empty());
    }

    async fn a_dedupe_key_stands_for_one_job_until_it_is_finished(store: TestStore) {
        let store = prepared(&store).await;
        let mut keyed = job(&tenant(1), "k", Value::Null);
        keyed.dedupe_key = Some("invoice-1".into());
        let same = keyed.clone();
        let racers = (0..16).map(|_| { let (store, job) = (store.clone(), same.clone()); tokio::spawn(async move { enqueue(&store, job).await }) });
        let mut ids = Vec::new();
        for racer in racers { ids.push(racer.await.unwrap()); }
        assert!(ids.iter().all(|id| *id == ids[0]), "sixteen at once are one job");
        let mut other_tenant = keyed.clone();
        other_tenant.tenant = tenant(2);
        assert_ne!(enqueue(&store, other_tenant).await, ids[0]);
        let flow = started(FlowBuilder::new().config(config()).handler(succeeds().arc()), &store).await;
        reaches(&store, &tenant(1), &ids[0], JobState::Done).await;
        let next = enqueue(&store, keyed.clone()).await;
        assert_ne!(next, ids[0], "a finished job frees its key");
        reaches(&store, &tenant(1), &next, JobState::Done).await;
        keyed.dedupe_window_ms = 60_000;
        let windowed = enqueue(&store, keyed.clone()).await;
        reaches(&store, &tenant(1), &windowed, JobState::Done).await;
        assert_eq!(enqueue(&store, keyed).await, windowed, "unless a window keeps it taken");
        stop(flow).await;
    }

    async fn jobs_with_an_ordering_key_run_one_at_a_time_in_order(store: TestStore) {
        let store = prepared(&store).await;
        let running = Arc::new(AtomicU32::new(0));
        let work = Does::new("k", "q", move |job| {
            let running = running.clone();
            async move {
                let lane = job.payload["lane"].as_str().unwrap().to_owned();
                assert!(lane != "a" || running.fetch_add(1, Ordering::SeqCst) == 0, "two of a lane at once");
                tokio::time::sleep(Duration::from_millis(job.store.world().below(4))).await;
                if lane == "a" { running.fetch_sub(1, Ordering::SeqCst); }
                let n = job.payload["n"].as_i64().unwrap();
                if n % 4 == 1 && job.attempt == 1 { return Ok(Outcome::retry(Reason::new("again", "first try"))); }
                if n == 6 { return Ok(Outcome::dead(Reason::new("never", "the lane goes on"))); }
                Ok(Outcome::done(Value::Null).with(move |tx| Ok(note(tx, &lane, &n.to_string())?)))
            }
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        for n in 0..12 {
            for lane in ["a", "b"] {
                let mut ordered = job(&tenant(1), "k", json!({"lane": lane, "n": n}));
                ordered.ordering_key = Some(lane.into());
                enqueue(&store, ordered).await;
            }
        }
        for lane in ["a", "b"] {
            let expected: Vec<String> = (0..12).filter(|n| *n != 6).map(|n| n.to_string()).collect();
            assert_eq!(effects_reach(&store, lane, 11).await, expected);
        }
        eventually("the lanes are gone", || async {
            let lanes: i64 = store.get("SELECT count(*) FROM flow_lanes", vec![]).await.unwrap().unwrap();
            (lanes == 0).then_some(())
        }).await;
        stop(flow).await;
    }

    async fn tries_run_out_and_a_dead_letter_is_replayed(store: TestStore) {
        let store = prepared(&store).await;
        let broken = Arc::new(AtomicBool::new(true));
        let flag = broken.clone();
        let work = Does::new("k", "q", move |job| {
            let broken = flag.load(Ordering::SeqCst);
            async move {
                assert_eq!(job.last_attempt, job.attempt % 3 == 0);
                match (broken, job.attempt) {
                    (true, 1) => Err(Problem::new(Code::UpstreamError, "no answer")),
                    (true, 2) => panic!("boom"),
                    (true, _) => Ok(Outcome::retry(Reason::new("smtp_451", "try later"))),
                    (false, _) => Ok(Outcome::done(Value::Null)),
                }
            }
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        let mut thrice = job(&tenant(1), "k", Value::Null);
        thrice.max_attempts = 3;
        let id = enqueue(&store, thrice).await;
        let dead = reaches(&store, &tenant(1), &id, JobState::Dead).await;
        assert_eq!(dead.last_error.as_deref(), Some("smtp_451: try later (tries_exhausted)"));
        let errors: Vec<_> = read_attempts(&store, &tenant(1), &id).await.into_iter().map(|a| a.error.unwrap()).collect();
        assert!(errors[0].contains("no answer") && errors[1].contains("boom"), "{errors:?}");
        broken.store(false, Ordering::SeqCst);
        let key = id.clone();
        store.write(move |tx| replay(tx, &tenant(1), &key)).await.unwrap();
        let done = reaches(&store, &tenant(1), &id, JobState::Done).await;
        assert_eq!((done.attempts, done.last_error), (4, None));
        let key = id.clone();
        let again = store.write(move |tx| replay(tx, &tenant(1), &key)).await;
        assert!(matches!(again, Err(FlowError::State(_))), "what is done is not done again");
        let foreign = store.write(move |tx| replay(tx, &tenant(2), &id)).await;
        assert!(matches!(foreign, Err(FlowError::NotFound(_))));
        stop(flow).await;
    }

    async fn dead_letters_of_a_queue_are_replayed_together(store: TestStore) {
        let store = prepared(&store).await;
        let broken = Arc::new(AtomicBool::new(true));
        let flag = broken.clone();
        let work = Does::new("k", "q", move |_| {
            let broken = flag.load(Ordering::SeqCst);
            async move {
                Ok(if broken { Outcome::dead(Reason::new("gone", "410")) } else { Outcome::done(Value::Null) })
            }
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        let mut ids = Vec::new();
        for _ in 0..10 { ids.push(enqueue(&store, job(&tenant(1), "k", Value::Null)).await); }
        for id in &ids { reaches(&store, &tenant(1), id, JobState::Dead).await; }
        let filter = JobFilter { state: Some(JobState::Dead), ..JobFilter::default() };
        let page = store.read(move |tx| jobs::list_jobs(tx, &tenant(1), &filter, None, 4)).await.unwrap();
        assert_eq!(page.len(), 4);
        broken.store(false, Ordering::SeqCst);
        let done = store.write(|tx| replay_dead(tx, &tenant(1), Some("q"), None)).await.unwrap();
        assert_eq!((done.replayed, done.refused, done.has_more), (10, 0, false));
        for id in &ids { reaches(&store, &tenant(1), id, JobState::Done).await; }
        stop(flow).await;
    }

    async fn a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked(store: TestStore) {
        let store = prepared(&store).await;
        let work = Does::new("k", "q", |job| async move {
            job.cancelled.cancelled().await;
            Ok(Outcome::retry(Reason::new("stopped", "as asked")))
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        let mut later = job(&tenant(1), "k", Value::Null);
        later.run_at = Some(store.world().now().plus_ms(3_600_000));
        let later = enqueue(&store, later).await;
        for _ in 0..2 {
            let id = later.clone();
            assert_eq!(store.write(move |tx| cancel(tx, &tenant(1), &id)).await.unwrap(), JobState::Cancelled);
        }
        let running = enqueue(&store, job(&tenant(1), "k", Value::Null)).await;
        reaches(&store, &tenant(1), &running, JobState::Running).await;
        let id = running.clone();
        assert_eq!(store.write(move |tx| cancel(tx, &tenant(1), &id)).await.unwrap(), JobState::Running);
        let cancelled = reaches(&store, &tenant(1), &running, JobState::Cancelled).await;
        assert!(cancelled.cancel_requested);
        assert_eq!(read_attempts(&store, &tenant(1), &running).await[0].outcome, Some(AttemptOutcome::Cancelled));
        stop(flow).await;
    }

    async fn an_unknown_outcome_is_repeated_only_as_often_as_the_enqueuer_allows(store: TestStore) {
        let store = prepared(&store).await;
        let work = Does::new("k", "q", |job| async move {
            if job.unknown_attempts == 0 { std::future::pending::<()>().await; }
            Ok(Outcome::done(json!(job.unknown_attempts)))
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        let mut never_twice = job(&tenant(1), "k", Value::Null);
        never_twice.timeout_ms = 30;
        never_twice.max_unknown_retries = 0;
        let mut once_more = never_twice.clone();
        once_more.max_unknown_retries = 1;
        let never_twice = enqueue(&store, never_twice).await;
        let once_more = enqueue(&store, once_more).await;
        let dead = reaches(&store, &tenant(1), &never_twice, JobState::Dead).await;
        assert!(dead.last_error.as_deref().unwrap().ends_with("(unknown_outcome)"), "{dead:?}");
        assert_eq!(read_attempts(&store, &tenant(1), &never_twice).await[0].outcome, Some(AttemptOutcome::Unknown));
        assert_eq!(reaches(&store, &tenant(1), &once_more, JobState::Done).await.result, Some(json!(1)));
        stop(flow).await;
    }

    async fn a_handlers_part_is_committed_with_the_outcome_or_not_at_all(store: TestStore) {
        let store = prepared(&store).await;
        let work = Does::new("k", "q", |job| async move {
            let attempt = job.attempt;
            Ok(Outcome::done(Value::Null).with(move |tx| {
                note(tx, "part", &attempt.to_string())?;
                if attempt == 1 { return Err(Problem::new(Code::Conflict, "not like this")); }
                Ok(())
            }))
        });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &store).await;
        let id = enqueue(&store, job(&tenant(1), "k", Value::Null)).await;
        reaches(&store, &tenant(1), &id, JobState::Done).await;
        assert_eq!(effects(&store, "part").await, ["2"]);
        let first = &read_attempts(&store, &tenant(1), &id).await[0];
        assert_eq!(first.outcome, Some(AttemptOutcome::Unknown), "it said done, and nobody could record it");
        assert!(first.error.as_deref().unwrap().contains("not like this"));
        stop(flow).await;
    }

    async fn an_expired_job_is_not_attempted(store: TestStore) {
        let store = prepared(&store).await;
        let mut expired = job(&tenant(1), "k", Value::Null);
        expired.expires_at = Some(store.world().now().plus_ms(-1));
        let id = enqueue(&store, expired).await;
        let flow = started(FlowBuilder::new().config(config()).handler(succeeds().arc()), &store).await;
        let dead = reaches(&store, &tenant(1), &id, JobState::Dead).await;
        assert_eq!((dead.attempts, dead.last_error.as_deref().unwrap().starts_with("expired")), (0, true));
        assert!(read_attempts(&store, &tenant(1), &id).await.is_empty());
        stop(flow).await;
    }

    async fn a_kind_that_a_node_does_not_know_waits_for_one_that_does(store: TestStore) {
        let store = prepared(&store).await;
        let flow = started(FlowBuilder::new().config(config()).handler(succeeds().arc()), &store).await;
        let id = enqueue(&store, job(&tenant(1), "from_the_future", Value::Null)).await;
        let waiting = reaches(&store, &tenant(1), &id, JobState::Scheduled).await;
        assert_eq!((waiting.attempts, waiting.last_error), (0, None));
        stop(flow).await;
    }

    async fn what_breaks_a_limit_is_refused_with_the_field(store: TestStore) {
        let store = prepared(&store).await;
        let good = || job(&tenant(1), "k", Value::Null);
        type Change = fn(&mut plinth_flow::NewJob);
        let changes: [(&str, Change); 9] = [
            ("/queue", |j| j.queue = "Bad Queue".into()),
            ("/kind", |j| j.kind = "".into()),
            ("/payload", |j| j.payload = json!("x".repeat(300 << 10))),
            ("/dedupe_key", |j| j.dedupe_key = Some("x".repeat(201))),
            ("/ordering_key", |j| j.ordering_key = Some(String::new())),
            ("/destination", |j| j.destination = Some("d".repeat(201))),
            ("/max_attempts", |j| j.max_attempts = 0),
            ("/timeout_ms", |j| j.timeout_ms = 3_600_000),
            ("/run_at", |j| j.run_at = Some(plinth_kernel::Micros(i64::MAX))),
        ];
        for (expected, change) in changes {
            let mut job = good();
            change(&mut job);
            match store.write(move |tx| plinth_flow::enqueue(tx, job.clone())).await {
                Err(FlowError::Invalid { pointer, .. }) => assert_eq!(pointer, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }
}

both_engines! {
    with (|builder| builder.manual_clock(21))
    async fn a_delayed_job_waits_for_its_time_and_no_longer(store: TestStore) {
        let db = prepared(&store).await;
        let ran = Arc::new(Notify::new());
        let signal = ran.clone();
        let work = Does::new("k", "q", move |_| { signal.notify_one(); async { Ok(Outcome::done(Value::Null)) } });
        let flow = started(FlowBuilder::new().config(config()).handler(work.arc()), &db).await;
        let mut later = job(&tenant(1), "k", Value::Null);
        later.run_at = Some(db.world().now().plus_ms(10_000));
        let id = enqueue(&db, later).await;
        store.clock().advance_ms(9_999);
        flow.wake();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(read_job(&db, &tenant(1), &id).await.state, JobState::Scheduled);
        store.clock().advance_ms(1);
        flow.wake();
        ran.notified().await;
        reaches(&db, &tenant(1), &id, JobState::Done).await;
        stop(flow).await;
    }
}
