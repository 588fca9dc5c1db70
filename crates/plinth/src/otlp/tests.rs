//! The exporter against a collector that listens, on both engines, with a clock to move.

use super::*;
use crate::config::SecretTexts;
use axum::{Router, extract::State, response::IntoResponse, routing::post};
use parking_lot::Mutex;
use plinth_gateway::{
    Platform,
    requests::{LogEntry, request_log},
};
use plinth_kernel::{Actor, Id, NewEvent, TenantId, TraceContext};
use plinth_testkit::{TestStore, both_engines};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A collector that keeps what it takes, and answers as it was told to.
#[derive(Clone, Default)]
struct Collector {
    endpoint: String,
    received: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let collector = Self { endpoint, ..Self::default() };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    fn answers(&self, status: u16, body: &'static str) {
        self.answers.lock().push_back((status, body));
    }

    /// The spans of each export so far.
    fn exports(&self) -> Vec<Vec<Value>> {
        let spans = |(_, body): &(HeaderMap, Value)| {
            body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
        };
        self.received.lock().iter().map(spans).collect()
    }

    fn spans(&self) -> Vec<Value> {
        self.exports().concat()
    }

    fn exporter(&self, store: &Store) -> Exporter {
        let config = TelemetryConfig {
            otlp_endpoint: Some(self.endpoint.clone()),
            otlp_headers: SecretTexts(BTreeMap::from([("x-key".to_owned(), "abc".to_owned())])),
            service_name: "shop".to_owned(),
        };
        let document = crate::contract::assemble([Platform::document()]);
        Exporter::new(&config, store, &document, &Metrics::new()).unwrap().unwrap()
    }
}

async fn take(
    State(collector): State<Collector>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> impl IntoResponse {
    let (status, text) = collector.answers.lock().pop_front().unwrap_or((200, "{}"));
    if status == 200 {
        collector.received.lock().push((headers, body));
    }
    (StatusCode::from_u16(status).unwrap(), [(header::RETRY_AFTER, "7")], text)
}

async fn prepared(store: &TestStore) -> Store {
    store.migrate(plinth_flow::SYSTEM, plinth_flow::MIGRATIONS).await.unwrap();
    store.migrate("gateway", plinth_gateway::requests::MIGRATIONS).await.unwrap();
    store.migrate(SYSTEM, MIGRATIONS).await.unwrap();
    store.store()
}

async fn request(store: &Store, trace: TraceContext, duration_us: i64) {
    requests(store, &[trace], duration_us).await;
}

async fn requests(store: &Store, traces: &[TraceContext], duration_us: i64) {
    let (log, writer) = request_log(Metrics::new(), 30);
    traces.iter().for_each(|trace| log.record(false, || entry(store, *trace, duration_us)));
    drop(log);
    writer.run(store.clone(), CancellationToken::new()).await;
}

fn entry(store: &Store, trace: TraceContext, duration_us: i64) -> LogEntry {
    LogEntry {
        tenant: tenant().to_string(),
        id: store.world().id(),
        operation: "list_api_keys".into(),
        method: "GET".into(),
        path: "/v1/api-keys".into(),
        status: 200,
        code: String::new(),
        duration_us,
        trace_id: trace.trace_id.to_string(),
        span_id: trace.span_id.to_string(),
        parent_span_id: "00f067aa0ba902b7".into(),
        actor: "anonymous".into(),
        client_ip: "192.0.2.1".into(),
        user_agent: String::new(),
        client_request_id: String::new(),
        idempotency_key: String::new(),
        version: String::new(),
        error: String::new(),
        created_at: store.world().now(),
    }
}

fn tenant() -> TenantId {
    TenantId::from_uuid([7; 16])
}

async fn events(store: &Store, trace: TraceContext, count: usize) {
    let emit = move |tx: &mut plinth_store::Tx<'_>| {
        for n in 0..count {
            tx.emit(NewEvent {
                tenant: tenant(),
                kind: "test.thing.happened",
                version: 1,
                subject: format!("s{}", n % 100),
                data: Value::Null,
                actor: Actor::Anonymous,
                trace,
                causation: None,
            });
        }
        Ok::<_, plinth_store::Error>(())
    };
    store.write(emit).await.unwrap();
}

fn dropped(exporter: &Exporter) -> u64 {
    exporter.figures.dropped.load(Ordering::Relaxed)
}

/// As when the process dies: nothing is given back.
fn dies(exporter: Exporter, store: &TestStore) {
    drop(exporter);
    store.clock().advance_ms(journal::LEASE_MS + 1);
}

const SETTLED_MS: i64 = 11_000;

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn what_was_recorded_is_sent_once_under_its_own_ids(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let before = TraceContext::root(db.world());
        events(&db, before, 1).await;
        request(&db, before, 5).await;
        store.clock().advance_ms(1_000);
        let mut exporter = collector.exporter(&db);
        exporter.catch_up().await.unwrap();
        let trace = TraceContext::root(db.world());
        store.clock().advance_ms(1_000);
        events(&db, trace, 1).await;
        request(&db, trace, 1_500).await;
        for _ in 0..4 {
            store.clock().advance_ms(SETTLED_MS);
            exporter.catch_up().await.unwrap();
        }
        let spans = collector.spans();
        assert_eq!(spans.len(), 2, "what was there before the export was asked for stays: {spans:?}");
        let named = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
        let (asked, event) = (named("GET /v1/api-keys"), named("test.thing.happened"));
        assert_eq!(asked["traceId"], trace.trace_id.to_string());
        assert_eq!(asked["spanId"], trace.span_id.to_string());
        assert_eq!(asked["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(event["parentSpanId"], asked["spanId"]);
        let (headers, body) = collector.received.lock()[0].clone();
        assert_eq!((&headers["x-key"], &headers["content-type"]), (&"abc".parse().unwrap(), &"application/json".parse().unwrap()));
        let resource = body["resourceSpans"][0]["resource"]["attributes"].as_array().unwrap();
        assert!(resource.iter().any(|a| a["key"] == "service.name" && a["value"]["stringValue"] == "shop"), "{resource:?}");
    }

    with (|builder| builder.manual_clock(2))
    async fn a_slow_request_is_not_missed(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let mut exporter = collector.exporter(&db);
        exporter.catch_up().await.unwrap();
        let began = db.world().now();
        store.clock().advance_ms(40_000);
        exporter.catch_up().await.unwrap();
        // It came long ago, and its row is written now.
        let trace = TraceContext::root(db.world());
        store.clock().set(began.plus_ms(1));
        request(&db, trace, 40_000_000).await;
        store.clock().set(began.plus_ms(60_000));
        exporter.catch_up().await.unwrap();
        assert_eq!(collector.spans().len(), 0);
        store.clock().advance_ms(60_000);
        exporter.catch_up().await.unwrap();
        assert_eq!(collector.spans().len(), 1);
    }

    with (|builder| builder.manual_clock(3))
    async fn what_no_collector_took_is_sent_by_the_next_process(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let mut exporter = collector.exporter(&db);
        exporter.catch_up().await.unwrap();
        events(&db, TraceContext::root(db.world()), 3).await;
        store.clock().advance_ms(1);
        collector.answers(503, "");
        let fault = exporter.catch_up().await.unwrap_err();
        assert_eq!(fault.retry_after, Some(Duration::from_secs(7)));
        dies(exporter, &store);
        let mut next = collector.exporter(&db);
        next.catch_up().await.unwrap();
        assert_eq!((collector.spans().len(), dropped(&next)), (3, 0));
    }

    with (|builder| builder.manual_clock(4))
    async fn of_two_processes_one_exports(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let (mut one, mut other) = (collector.exporter(&db), collector.exporter(&db));
        one.catch_up().await.unwrap();
        for round in 1..=20 {
            events(&db, TraceContext::root(db.world()), 1).await;
            // Longer than a lease in all: it is renewed.
            store.clock().advance_ms(2_000);
            one.catch_up().await.unwrap();
            other.catch_up().await.unwrap();
            assert!(other.held.is_none());
            assert_eq!(collector.spans().len(), round);
        }
        dies(one, &store);
        events(&db, TraceContext::root(db.world()), 1).await;
        store.clock().advance_ms(1);
        other.catch_up().await.unwrap();
        assert_eq!(collector.spans().len(), 21);
    }

    with (|builder| builder.manual_clock(5))
    async fn a_process_that_lost_its_lease_stands_back(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let (mut paused, mut other) = (collector.exporter(&db), collector.exporter(&db));
        paused.catch_up().await.unwrap();
        store.clock().advance_ms(journal::LEASE_MS + 1);
        other.catch_up().await.unwrap();
        events(&db, TraceContext::root(db.world()), 1).await;
        store.clock().advance_ms(1);
        paused.catch_up().await.unwrap();
        other.catch_up().await.unwrap();
        assert!(paused.held.is_none() && other.held.is_some());
        assert_eq!(collector.spans().len(), 1);
    }

    with (|builder| builder.manual_clock(6))
    async fn what_is_too_old_is_dropped_and_counted(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let mut exporter = collector.exporter(&db);
        exporter.catch_up().await.unwrap();
        events(&db, TraceContext::root(db.world()), 600).await;
        request(&db, TraceContext::root(db.world()), 5).await;
        store.clock().advance_ms(BACKLOG_MS + SETTLED_MS);
        events(&db, TraceContext::root(db.world()), 1).await;
        store.clock().advance_ms(1);
        exporter.catch_up().await.unwrap();
        assert_eq!((collector.spans().len(), dropped(&exporter)), (1, 601));
    }

    with (|builder| builder.manual_clock(7))
    async fn what_a_collector_refuses_is_dropped_and_holds_nothing_up(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let mut exporter = collector.exporter(&db);
        exporter.catch_up().await.unwrap();
        for (status, answer) in [(400, "no"), (200, r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"x"}}"#)] {
            events(&db, TraceContext::root(db.world()), 5).await;
            store.clock().advance_ms(1);
            collector.answers(status, answer);
            exporter.catch_up().await.unwrap();
        }
        assert_eq!((dropped(&exporter), exporter.figures.exported.load(Ordering::Relaxed)), (7, 3));
    }

    with (|builder| builder.manual_clock(8))
    async fn a_flood_goes_out_in_bounded_exports_each_span_once(store: TestStore) {
        let collector = Collector::start().await;
        let db = prepared(&store).await;
        let mut exporter = collector.exporter(&db);
        exporter.catch_up().await.unwrap();
        events(&db, TraceContext::root(db.world()), 700).await;
        let traces: Vec<_> = (0..600).map(|_| TraceContext::root(db.world())).collect();
        requests(&db, &traces, 5).await;
        store.clock().advance_ms(SETTLED_MS);
        exporter.catch_up().await.unwrap();
        let exports = collector.exports();
        assert_eq!(exports.iter().map(Vec::len).collect::<Vec<_>>(), [512, 512, 276]);
        let ids: BTreeSet<String> = collector.spans().iter().map(|span| span["spanId"].to_string()).collect();
        assert_eq!(ids.len(), 1_300);
    }
}

#[test]
fn pauses_double_to_a_limit_and_are_never_nothing() {
    let longest: Vec<u64> = (1..8).map(|n| backoff(n, |below| below - 1).as_secs()).collect();
    assert_eq!(longest, [2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(backoff(40, |_| 0), Duration::from_secs(30));
}

#[test]
fn without_a_collector_there_is_no_exporter() {
    assert!(Target::of(&TelemetryConfig::default()).unwrap().is_none());
}
