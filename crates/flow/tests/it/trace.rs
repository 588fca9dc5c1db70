//! The timeline of a trace, and figures.

use crate::support::{Does, Reacts, config, effects_reach, note, prepared, reaches, started, stop, tenant};
use plinth_flow::{
    FlowBuilder, JobFilter, JobState, NewJob, Outcome, Reason, SpanKind, SpanStatus, TraceSpan, jobs, stats,
    trace,
    trace::{EndedKind, EndedPart},
};
use plinth_kernel::{Actor, Micros, NewEvent, TraceContext};
use plinth_store::{Error, Store};
use plinth_testkit::both_engines;
use serde_json::{Value, json};

/// Every ended step of every kind.
async fn ended_steps(store: &Store, limit: i64) -> Vec<TraceSpan> {
    use EndedKind::{Attempts, Handlings, Jobs, Parked};
    let mut spans = Vec::new();
    for kind in [Handlings, Parked, Jobs, Attempts] {
        let (mut at, mut key) = (Micros(0), String::new());
        loop {
            let (after, place) = (at, key.clone());
            let until = store.world().now().plus_seconds(1);
            let page = store
                .read(move |tx| trace::ended(tx, kind, &EndedPart { after: (after, &place), until, limit }))
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            (at, key) = (last.at, last.key.clone());
            spans.extend(page.into_iter().map(|step| step.span));
        }
    }
    spans
}

both_engines! {
    async fn a_trace_runs_from_the_command_through_event_consumer_job_and_attempts(store: TestStore) {
        let store = prepared(&store).await;
        let consumer = Reacts::new("mailer", |tx, event| {
            note(tx, "mailer", "x")?;
            let mut job = NewJob::new(event.tenant.clone(), "q", "send", json!({}), event.trace);
            job.causation = Some(event.id.clone());
            plinth_flow::enqueue(tx, job)?;
            Ok(())
        });
        let send = Does::new("send", "q", |job| async move {
            Ok(if job.attempt == 1 { Outcome::retry(Reason::new("busy", "421")) } else { Outcome::done(Value::Null) })
        });
        let flow = started(FlowBuilder::new().config(config()).consumer(consumer.arc()).handler(send.arc()), &store).await;
        let root = TraceContext::root(store.world());
        let event = store.write(move |tx| Ok::<_, Error>(tx.emit(NewEvent {
            tenant: tenant(1), kind: "test.form.submitted", version: 1, subject: "s".into(), data: json!({"n": 1}),
            actor: Actor::Anonymous, trace: root, causation: None,
        }))).await.unwrap();
        effects_reach(&store, "mailer", 1).await;
        let job = store.read(|tx| jobs::list_jobs(tx, &tenant(1), &JobFilter::default(), None, 1)).await.unwrap().remove(0);
        assert_eq!(job.causation.as_ref(), Some(&event));
        reaches(&store, &tenant(1), &job.id, JobState::Done).await;
        let timeline = trace::trace(&store, &tenant(1), root.trace_id).await.unwrap().unwrap();
        let find = |kind| timeline.spans.iter().filter(|span| span.kind == kind).collect::<Vec<_>>();
        let (events, consumers, jobs, attempts) =
            (find(SpanKind::Event), find(SpanKind::Consumer), find(SpanKind::Job), find(SpanKind::Attempt));
        assert_eq!((events.len(), consumers.len(), jobs.len(), attempts.len()), (1, 1, 1, 2));
        assert_eq!(events[0].parent_id, Some(root.span_id.to_string()));
        assert_eq!(consumers[0].parent_id.as_ref(), Some(&events[0].id));
        assert_eq!(jobs[0].parent_id.as_ref(), Some(&consumers[0].id));
        assert!(attempts.iter().all(|attempt| attempt.parent_id.as_ref() == Some(&jobs[0].id)));
        assert_eq!(attempts.iter().map(|a| a.status).collect::<Vec<_>>(), [SpanStatus::Error, SpanStatus::Ok]);
        assert_eq!(jobs[0].attributes["job_id"], json!(job.id));
        assert!(trace::trace(&store, &tenant(2), root.trace_id).await.unwrap().is_none(), "another tenant sees nothing");
        for limit in [1, 100] {
            let mut ended = ended_steps(&store, limit).await;
            let mut known: Vec<_> = timeline.spans.iter().filter(|span| span.kind != SpanKind::Event).cloned().collect();
            ended.sort_by(|a, b| a.id.cmp(&b.id));
            known.sort_by(|a, b| a.id.cmp(&b.id));
            assert_eq!(ended, known, "read across tenants, a page of {limit} at a time, each step once");
        }
        stop(flow).await;
    }

    async fn figures_tell_what_waits(store: TestStore) {
        let store = prepared(&store).await;
        let flow = started(FlowBuilder::new().config(config()).consumer(Reacts::noting("n").arc()), &store).await;
        stop(flow).await;
        for n in 0..3 { crate::support::emitted(&store, &tenant(1), "s", n).await; }
        for _ in 0..2 { crate::support::enqueue(&store, crate::support::job(&tenant(1), "k", Value::Null)).await; }
        let figures = store.read(stats::read_stats).await.unwrap();
        assert_eq!((figures.consumers.len(), figures.consumers[0].events, figures.nodes), (1, 3, 0));
        assert_eq!((figures.queues.len(), figures.queues[0].jobs, figures.queues[0].state.as_str()), (1, 2, "ready"));
    }
}
