//! Schedules: each time fires once.

use crate::support::{Does, config, effects_reach, note, prepared, started, stop, tenant};
use plinth_flow::{FlowBuilder, FlowError, FlowHandle, MissedFirings, Outcome, Schedule, When, schedules};
use plinth_kernel::Micros;
use plinth_store::Store;
use plinth_testkit::{both_engines, eventually};
use serde_json::{Map, Value, json};

fn schedule(name: &str, cron: &str, zone: &str, missed: MissedFirings) -> Schedule {
    let mut payload = Map::new();
    payload.insert("name".into(), json!(name));
    Schedule {
        tenant: tenant(1),
        name: name.to_owned(),
        when: When::Cron { expression: cron.into(), zone: zone.into() },
        missed,
        queue: "q".into(),
        kind: "tick".into(),
        payload,
    }
}

/// Notes the time of each firing under the schedule's name.
fn ticking() -> FlowBuilder {
    let tick = Does::new("tick", "q", |job| async move {
        let (name, at) = (job.payload["name"].clone(), job.payload["scheduled_for"].clone());
        let (name, at) = (name.as_str().unwrap().to_owned(), at.as_str().unwrap().to_owned());
        Ok(Outcome::done(Value::Null).with(move |tx| Ok(note(tx, &name, &at)?)))
    });
    FlowBuilder::new().config(config()).handler(tick.arc())
}

fn at(text: &str) -> Micros {
    Micros::parse(text).unwrap()
}

async fn declare(store: &Store, one: Schedule) {
    store.write(move |tx| schedules::declare(tx, &one)).await.unwrap();
}

async fn fired(store: &Store, name: &str) -> i64 {
    let views = store.read(|tx| schedules::list_schedules(tx, &tenant(1), None, 100)).await.unwrap();
    views.iter().find(|view| view.name == name).unwrap().fired
}

/// Waits until a schedule has fired so often.
async fn fires(store: &Store, flow: &FlowHandle, name: &str, count: i64) {
    flow.wake();
    eventually(&format!("{name} has fired {count} times"), || async {
        (fired(store, name).await == count).then_some(())
    })
    .await;
}

both_engines! {
    with (|builder| builder.manual_clock(31))
    async fn two_nodes_fire_each_time_once(store: TestStore) {
        let db = prepared(&store).await;
        store.clock().set(at("2026-01-01T00:00:00Z"));
        declare(&db, schedule("hourly", "0 * * * *", "UTC", MissedFirings::Once)).await;
        let (first, second) = (started(ticking(), &db).await, started(ticking(), &db).await);
        for hour in 1..=5 {
            store.clock().set(at(&format!("2026-01-01T0{hour}:00:00Z")));
            second.wake();
            fires(&db, &first, "hourly", hour).await;
        }
        let seen = effects_reach(&db, "hourly", 5).await;
        let expected: Vec<String> = (1..=5).map(|h| format!("2026-01-01T0{h}:00:00.000Z")).collect();
        assert_eq!(seen, expected);
        stop(first).await;
        stop(second).await;
    }

    with (|builder| builder.manual_clock(32))
    async fn missed_firings_follow_their_policy(store: TestStore) {
        let db = prepared(&store).await;
        store.clock().set(at("2026-01-01T00:30:00Z"));
        for (name, missed) in [("once", MissedFirings::Once), ("all", MissedFirings::All), ("skip", MissedFirings::Skip)] {
            declare(&db, schedule(name, "0 * * * *", "UTC", missed)).await;
        }
        store.clock().set(at("2026-01-01T04:30:00Z"));
        let flow = started(ticking(), &db).await;
        assert_eq!(effects_reach(&db, "all", 4).await.len(), 4);
        assert_eq!(effects_reach(&db, "once", 1).await, ["2026-01-01T04:00:00.000Z"]);
        assert_eq!(fired(&db, "skip").await, 0);
        store.clock().set(at("2026-01-01T05:00:00Z"));
        fires(&db, &flow, "skip", 1).await;
        fires(&db, &flow, "once", 2).await;
        fires(&db, &flow, "all", 5).await;
        stop(flow).await;
    }

    with (|builder| builder.manual_clock(33))
    async fn a_wall_clock_time_fires_once_a_day_through_both_changes_of_clocks(store: TestStore) {
        let db = prepared(&store).await;
        store.clock().set(at("2026-03-27T12:00:00Z"));
        declare(&db, schedule("spring", "30 2 * * *", "Europe/Berlin", MissedFirings::All)).await;
        let flow = started(ticking(), &db).await;
        for (n, instant) in (1..).zip(["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]) {
            store.clock().set(at(instant));
            fires(&db, &flow, "spring", n).await;
        }
        store.clock().set(at("2026-10-24T12:00:00Z"));
        declare(&db, schedule("autumn", "30 2 * * *", "Europe/Berlin", MissedFirings::All)).await;
        for (n, instant) in (1..).zip(["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]) {
            store.clock().set(at(instant));
            fires(&db, &flow, "autumn", n).await;
        }
        assert_eq!(effects_reach(&db, "autumn", 2).await, ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]);
        stop(flow).await;
    }

    with (|builder| builder.manual_clock(34))
    async fn an_instant_fires_once_and_a_declaration_can_be_repeated(store: TestStore) {
        let db = prepared(&store).await;
        store.clock().set(at("2026-01-01T00:00:00Z"));
        let mut once = schedule("once", "", "UTC", MissedFirings::Once);
        once.when = When::At(at("2026-01-01T06:00:00Z"));
        declare(&db, once.clone()).await;
        declare(&db, schedule("hourly", "0 * * * *", "UTC", MissedFirings::Once)).await;
        store.clock().set(at("2026-01-01T01:30:00Z"));
        // A restart declares everything again: the firing that was missed meanwhile is neither lost nor repeated.
        let flow = started(ticking().schedules([once.clone(), schedule("hourly", "0 * * * *", "UTC", MissedFirings::Once)]), &db).await;
        fires(&db, &flow, "hourly", 1).await;
        store.clock().set(at("2026-01-01T06:00:00Z"));
        fires(&db, &flow, "once", 1).await;
        declare(&db, once).await;
        store.clock().set(at("2026-01-01T07:00:00Z"));
        fires(&db, &flow, "hourly", 3).await;
        assert_eq!(fired(&db, "once").await, 1);
        assert_eq!(effects_reach(&db, "once", 1).await, ["2026-01-01T06:00:00.000Z"]);
        db.write(|tx| schedules::remove(tx, &tenant(1), "hourly")).await.unwrap();
        let gone = db.write(|tx| schedules::remove(tx, &tenant(1), "hourly")).await;
        assert!(matches!(gone, Err(FlowError::NotFound(_))));
        stop(flow).await;
    }

    async fn a_timetable_that_cannot_be_read_is_refused_with_the_field(store: TestStore) {
        let db = prepared(&store).await;
        for (cron, zone, expected) in
            [("nonsense", "UTC", "/cron"), ("0 0 30 2 *", "UTC", "/cron"), ("@daily", "Nowhere/City", "/zone")]
        {
            let bad = schedule("bad", cron, zone, MissedFirings::Once);
            match db.write(move |tx| schedules::declare(tx, &bad)).await {
                Err(FlowError::Invalid { pointer, .. }) => assert_eq!(pointer, expected),
                other => panic!("{cron}: {other:?}"),
            }
        }
    }
}
