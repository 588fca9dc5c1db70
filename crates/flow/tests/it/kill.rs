//! SIGKILL under load: no acknowledged write is lost, no event skipped, no job lost, no key out of order, and an effect
//! is attempted again only when its outcome was not recorded.

use crate::support::{Does, EFFECTS, Reacts, emit, note, tenant};
use plinth_flow::{FlowBuilder, FlowConfig, FlowError, NewJob, Outcome, Reason};
use plinth_kernel::{TraceContext, World};
use plinth_store::{Config, Engine, Error, Store, Tx, args, owned};
use plinth_testkit::{
    kill::{self, Child, Harness},
    postgres::Server,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

const CALLERS: i64 = 8;
const SUBJECTS: i64 = 12;
const JOBS_PER_WRITE: usize = 2;

/// Effects outside the database: a file that only grows. Each line is one write to the kernel and then on disk.
#[derive(Clone)]
struct Outside(Arc<File>);

impl Outside {
    fn open(directory: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(directory.join("effects")).unwrap();
        Self(Arc::new(file))
    }

    fn happened(&self, what: &str) {
        (&*self.0).write_all(format!("{what}\n").as_bytes()).unwrap();
        self.0.sync_data().unwrap();
    }
}

/// One effect outside: which job, which attempt, which lane, which number.
struct Seen {
    job: String,
    attempt: i64,
    lane: String,
    n: i64,
}

fn outside(directory: &Path) -> Vec<Seen> {
    let text = std::fs::read_to_string(directory.join("effects")).unwrap_or_default();
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [job, attempt, lane, n] = words[..] else { panic!("{line}") };
        Seen { job: job.into(), attempt: attempt.parse().unwrap(), lane: lane.into(), n: n.parse().unwrap() }
    };
    complete.lines().map(parse).collect()
}

async fn open(location: &str) -> Store {
    let mut config = Config::parse(location).unwrap();
    config.postgres_connections = 6;
    config.write_deadline = Duration::from_secs(5);
    config.queue_wait_max = Duration::from_secs(60);
    // Another test of this process may be starting a child at this moment, which holds a copy of the file's lock until
    // it becomes its own program.
    plinth_testkit::eventually("the store opens", || async {
        Store::open(config.clone(), World::system()).await.inspect_err(|error| eprintln!("{error}")).ok()
    })
    .await
}

/// A worker whose consumer makes one row and one ordered job of each event, and whose jobs write to the file.
fn worker(directory: PathBuf) -> FlowBuilder {
    let audit = Reacts::new("audit", |tx, event| {
        let n = event.data["n"].as_i64().unwrap_or_default();
        note(tx, &event.subject, &n.to_string())?;
        let payload = json!({"n": n, "lane": event.subject});
        let mut job = NewJob::new(event.tenant.clone(), "q", "deliver", payload, event.trace);
        job.ordering_key = Some(event.subject.clone());
        plinth_flow::enqueue(tx, job)?;
        Ok(())
    });
    let file = Outside::open(&directory);
    let deliver = Does::new("deliver", "q", move |job| {
        let file = file.clone();
        async move {
            let n = job.payload["n"].as_i64().unwrap();
            if n % 11 == 0 && job.attempt == 1 {
                return Ok(Outcome::retry(Reason::new("busy", "the first try of every eleventh")));
            }
            let lane = job.payload["lane"].as_str().unwrap_or("-");
            file.happened(&format!("{} {} {lane} {n}", job.job_id, job.attempt));
            Ok(Outcome::done(json!(n)))
        }
    });
    let config = FlowConfig { lease: Duration::from_millis(300), ..FlowConfig::default() };
    FlowBuilder::new().config(config).consumer(audit.arc()).handler(deliver.arc())
}

async fn prepare(store: &Store) {
    store.migrate(plinth_flow::SYSTEM, plinth_flow::MIGRATIONS).await.unwrap();
    store.migrate("test", EFFECTS).await.unwrap();
}

/// Writes, consumes and delivers for as long as it lives, and notes the writes that were acknowledged.
async fn load(child: Child) {
    let store = open(child.value("location")).await;
    prepare(&store).await;
    let flow = worker(child.directory.clone()).start(store.clone()).await.unwrap();
    let last: Option<Option<i64>> =
        store.get("SELECT max(CAST(dedupe_key AS BIGINT)) FROM flow_jobs", owned![]).await.unwrap();
    let first = last.flatten().unwrap_or(0) + 1;
    let journal = Arc::new(child.journal());
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (store, journal) = (store.clone(), Arc::clone(&journal));
            tokio::spawn(async move {
                for n in (first + caller..).step_by(CALLERS as usize) {
                    store.write(move |tx| unit(tx, n)).await.unwrap();
                    journal.note(n);
                    // So that the worker keeps up, and is killed in the middle of everything and not of a backlog.
                    tokio::time::sleep(Duration::from_millis(8)).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    flow.shutdown(Duration::ZERO).await.unwrap();
}

/// One write: an event and a job, together.
fn unit(tx: &mut Tx<'_>, n: i64) -> Result<(), FlowError> {
    emit(tx, &tenant(1), "test.thing.happened", &format!("s{}", n % SUBJECTS), json!({"n": n}));
    let trace = TraceContext::root(tx.world());
    let mut job = NewJob::new(tenant(1), "q", "deliver", json!({"n": n}), trace);
    job.dedupe_key = Some(n.to_string());
    plinth_flow::enqueue(tx, job)?;
    Ok(())
}

/// Every row of a statement that pages by its first column.
fn pages<T: plinth_store::FromRow>(
    tx: &mut Tx<'_>,
    query: &'static str,
    key: impl Fn(&T) -> String,
) -> Result<Vec<T>, Error> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page: Vec<T> = tx.all(query, args![&after])?;
        let Some(last) = page.last() else { return Ok(all) };
        after = key(last);
        all.extend(page);
    }
}

/// What must be true whenever the process was killed.
fn check(tx: &mut Tx<'_>, acknowledged: &[String], outside: &[Seen]) -> Result<(), Error> {
    let mut log: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for partition in 0..64u16 {
        let mut position = 0;
        loop {
            let events = plinth_store::events::after(tx, partition, position, 1_000)?;
            let Some(last) = events.last() else { break };
            assert!(
                events.iter().zip(position + 1..).all(|(e, expected)| e.sequence == expected),
                "a gap in the log"
            );
            position = last.sequence;
            for event in events {
                log.entry(event.subject).or_default().push(event.data["n"].as_i64().unwrap());
            }
        }
    }
    let logged: BTreeSet<i64> = log.values().flatten().copied().collect();
    let keys: Vec<String> = pages(
        tx,
        "SELECT dedupe_key FROM flow_jobs WHERE dedupe_key > $1 ORDER BY dedupe_key LIMIT 5000",
        String::clone,
    )?;
    let keys: BTreeSet<i64> = keys.iter().map(|key| key.parse().unwrap()).collect();
    assert_eq!(logged, keys, "an event without its job, or a job without its event");
    let lost: Vec<&String> = acknowledged.iter().filter(|n| !logged.contains(&n.parse().unwrap())).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");

    for (subject, numbers) in &log {
        let seen: Vec<String> =
            tx.all("SELECT what FROM effects WHERE who = $1 ORDER BY place LIMIT 9999", args![subject])?;
        let seen: Vec<i64> = seen.iter().map(|n| n.parse().unwrap()).collect();
        assert_eq!(seen[..], numbers[..seen.len()], "{subject}: skipped, repeated or reordered");
        let ordered: i64 =
            tx.one("SELECT count(*) FROM flow_jobs WHERE ordering_key = $1", args![subject])?;
        assert_eq!(ordered, seen.len() as i64, "{subject}: an effect without its job, or twice");
    }

    let attempts: Vec<(String, String, i64, Option<String>)> = pages(
        tx,
        "SELECT attempt_id, job_id, attempt, outcome FROM flow_attempts WHERE attempt_id > $1 ORDER BY attempt_id LIMIT 5000",
        |row: &(String, String, i64, Option<String>)| row.0.clone(),
    )?;
    let outcomes: BTreeMap<(String, i64), Option<String>> =
        attempts.into_iter().map(|(_, job, attempt, outcome)| ((job, attempt), outcome)).collect();
    let mut lanes: BTreeMap<&str, i64> = BTreeMap::new();
    for seen in outside {
        assert!(
            outcomes.contains_key(&(seen.job.clone(), seen.attempt)),
            "an effect that was not on record before"
        );
        if seen.lane != "-" {
            let last = lanes.insert(&seen.lane, seen.n).unwrap_or(0);
            let place = |n| log[&seen.lane].iter().position(|m| *m == n);
            assert!(last == 0 || place(last) <= place(seen.n), "{}: {} after {last}", seen.lane, seen.n);
        }
    }
    for (job, attempt) in outcomes.keys().filter(|(_, attempt)| *attempt > 1) {
        let before = outcomes.get(&(job.clone(), attempt - 1)).cloned().flatten();
        assert!(
            matches!(before.as_deref(), Some("unknown" | "retry")),
            "{job} was attempted again although the outcome was recorded: {before:?}"
        );
    }
    Ok(())
}

/// Lets a worker finish what is left, and looks whether everything happened.
async fn finish(location: &str, directory: &Path) {
    let store = open(location).await;
    let flow = worker(directory.to_owned()).start(store.clone()).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let (behind, live): (i64, i64) = store
            .get(
                "SELECT (SELECT CAST(sum(h.sequence) AS BIGINT) FROM event_heads h) \
                 - (SELECT CAST(sum(c.acked) AS BIGINT) FROM flow_cursors c), \
                 (SELECT count(*) FROM flow_jobs WHERE finished_at IS NULL)",
                owned![],
            )
            .await
            .unwrap()
            .unwrap();
        if (behind, live) == (0, 0) {
            break;
        }
        assert!(Instant::now() < deadline, "{behind} events and {live} jobs are left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    flow.shutdown(Duration::from_secs(5)).await.unwrap();
    let (events, jobs, done): (i64, i64, i64) = store
        .get(
            "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM flow_jobs), \
             (SELECT count(*) FROM flow_jobs WHERE state = 'done')",
            owned![],
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (jobs, done),
        (events * JOBS_PER_WRITE as i64, events * JOBS_PER_WRITE as i64),
        "a job was lost"
    );
    let seen = outside(directory);
    let jobs_seen: BTreeSet<&String> = seen.iter().map(|seen| &seen.job).collect();
    assert_eq!(jobs_seen.len() as i64, done, "a job is done and its effect never happened");
    store.read(move |tx| check(tx, &[], &seen)).await.unwrap();
    let (unknown,): (i64,) = store
        .get("SELECT count(*) FROM flow_attempts WHERE outcome = 'unknown'", owned![])
        .await
        .unwrap()
        .map(|n: i64| (n,))
        .unwrap();
    println!(
        "{events} events, {jobs} jobs, {} effects, {unknown} attempts of unknown outcome",
        outside(directory).len()
    );
    store.close().await;
}

fn killed_under_load(test: &str, engine: Engine) {
    if let Some(child) = kill::child() {
        return plinth_testkit::run(load(child));
    }
    let database = (engine == Engine::Postgres).then(|| Server::shared().create_database());
    let harness = Harness::new(test);
    let location = match &database {
        Some(database) => database.url().to_owned(),
        None => format!("sqlite:{}", harness.directory().join("plinth.db").display()),
    };
    let harness = harness.pass("location", location.clone());
    let directory = harness.directory().to_owned();
    harness.run(|round| {
        plinth_testkit::run(async {
            let store = open(&location).await;
            let seen = outside(&directory);
            store.read(move |tx| check(tx, &round.journal, &seen)).await.unwrap();
            store.close().await;
        });
    });
    plinth_testkit::run(finish(&location, &directory));
}

#[test]
fn sqlite_loses_and_repeats_nothing() {
    killed_under_load("kill::sqlite_loses_and_repeats_nothing", Engine::Sqlite);
}

#[test]
fn postgres_loses_and_repeats_nothing() {
    killed_under_load("kill::postgres_loses_and_repeats_nothing", Engine::Postgres);
}

/// A worker whose consumer takes the whole process down on one of its events.
async fn deadly(location: &str) {
    let store = open(location).await;
    prepare(&store).await;
    let consumer = Reacts::new("deadly", |tx, event| {
        if event.data["n"] == 2 {
            std::process::abort();
        }
        Ok(note(tx, "deadly", &event.data["n"].to_string())?)
    });
    let config = FlowConfig { lease: Duration::from_millis(300), ..FlowConfig::default() };
    let flow = FlowBuilder::new().config(config).consumer(consumer.arc()).start(store.clone()).await.unwrap();
    crate::support::effects_reach(&store, "deadly", 4).await;
    plinth_testkit::eventually("the deadly event and the one behind it are put aside", || async {
        let aside: Option<i64> =
            store.get("SELECT count(*) FROM flow_parked_events", owned![]).await.unwrap();
        (aside == Some(2)).then_some(())
    })
    .await;
    flow.shutdown(Duration::ZERO).await.unwrap();
    store.close().await;
}

/// The process must come up again, whatever an event does to it.
fn comes_up_again(test: &str, engine: Engine) {
    const CHILD: &str = "PLINTH_FLOW_DEADLY";
    if let Ok(location) = std::env::var(CHILD) {
        return plinth_testkit::run(deadly(&location));
    }
    let database = (engine == Engine::Postgres).then(|| Server::shared().create_database());
    let directory = Harness::new(test);
    let location = match &database {
        Some(database) => database.url().to_owned(),
        None => format!("sqlite:{}", directory.directory().join("plinth.db").display()),
    };
    plinth_testkit::run(async {
        let store = open(&location).await;
        prepare(&store).await;
        for (subject, n) in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("d", 6)] {
            crate::support::emitted(&store, &tenant(1), subject, n).await;
        }
        store.close().await;
    });
    let run = || {
        let program = std::env::current_exe().unwrap();
        let mut child = std::process::Command::new(program);
        child.args([test, "--exact", "--test-threads=1"]).env(CHILD, &location);
        child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        child.status().unwrap().success()
    };
    let lives = (1..=6).find(|_| run()).expect("it comes up at last");
    assert!(lives > 2, "the event was given more than one chance");
    plinth_testkit::run(async {
        let store = open(&location).await;
        let seen = crate::support::effects(&store, "deadly").await;
        assert_eq!(
            seen.iter().collect::<BTreeSet<_>>(),
            ["1", "4", "5", "6"].map(String::from).iter().collect()
        );
        let aside: Vec<(String, String)> = store
            .list(
                "SELECT state, coalesce(last_error, '') FROM flow_parked_events ORDER BY sequence",
                owned![],
            )
            .await
            .unwrap();
        let states: Vec<&str> = aside.iter().map(|(state, _)| state.as_str()).collect();
        assert_eq!(states, ["parked", "held"]);
        assert!(aside[0].1.contains("died"), "{aside:?}");
        store.close().await;
    });
}

#[test]
fn sqlite_comes_up_although_an_event_kills_it() {
    comes_up_again("kill::sqlite_comes_up_although_an_event_kills_it", Engine::Sqlite);
}

#[test]
fn postgres_comes_up_although_an_event_kills_it() {
    comes_up_again("kill::postgres_comes_up_although_an_event_kills_it", Engine::Postgres);
}
