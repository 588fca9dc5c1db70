//! Export of traces: what a collector gets is the product's own timeline.

use crate::support::{Client, Home, Server, contact_values, on_both_engines};
use axum::{Router, extract::State, routing::post};
use plinth_testkit::eventually;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER_SPAN: &str = "00f067aa0ba902b7";

/// A collector that keeps the bodies it was sent.
#[derive(Clone, Default)]
struct Collector {
    endpoint: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { endpoint, ..Self::default() };
        let take = |State(collector): State<Self>, body: String| async move {
            collector.bodies.lock().unwrap().push(body);
            "{}"
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    /// The spans of a trace by id. One that comes again, after a crash, is the same.
    fn spans(&self, trace: &str) -> BTreeMap<String, Value> {
        let mut spans = BTreeMap::new();
        for body in self.bodies.lock().unwrap().iter() {
            let body: Value = serde_json::from_str(body).unwrap();
            for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap() {
                if span["traceId"] == trace {
                    let again = spans.insert(text(&span["spanId"]), span.clone());
                    assert!(again.is_none_or(|before| before == *span), "another span with this id: {span}");
                }
            }
        }
        spans
    }

    fn serve(&self, home: &Home) -> Server {
        home.start_with(&[], &[("PLINTH_TELEMETRY__OTLP_ENDPOINT", self.endpoint.as_str())])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The id of a step on the wire: its own, or the beginning of the hash of what is no span id.
fn wire_id(own: &str) -> String {
    if own.len() == 16 && own.bytes().all(|b| b.is_ascii_hexdigit()) {
        return own.to_owned();
    }
    Sha256::digest(own)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The steps of the timeline, when all of them have ended and a job's attempt is among them.
async fn timeline(client: &Client) -> Option<Vec<Value>> {
    let answer = client.get(&format!("/v1/traces/{TRACE}")).await;
    let steps = (answer.status == 200).then(|| answer.json()["spans"].as_array().unwrap().clone())?;
    let has = |kind: &str| steps.iter().any(|step| step["kind"] == kind);
    let ended = steps.iter().all(|step| !step["ended_at"].is_null());
    (has("request") && has("attempt") && ended).then_some(steps)
}

/// Waits until the process exports: after a crash the dead one's lease has to run out.
async fn exporting(server: &Server) {
    let client = server.client();
    eventually("the process exports", || async {
        let scrape = client.get("/metrics").await.text();
        scrape.contains("\nplinth_otlp_lag_seconds ").then_some(())
    })
    .await;
}

/// Reads the exports with the protocol's own definitions; `None` unless the tests with foreign programs are on.
fn read_by_the_protocol(bodies: &[String]) -> Option<Value> {
    if std::env::var_os("PLINTH_CLIENT_TESTS").is_none() {
        eprintln!("skipped: set PLINTH_CLIENT_TESTS=1 to read exports with the protocol's own definitions");
        return None;
    }
    static INSTALL: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/otlp");
    let work = INSTALL.get_or_init(|| {
        let output = Command::new(here.join("install.sh")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    });
    let mut check = Command::new(work.join("venv/bin/python"))
        .arg(here.join("check.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(bodies.join("\n").as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

on_both_engines! {
    /// The process is killed when it has just answered: what happened is on record, so the next process exports what
    /// this one has not, with the ids that the timeline shows.
    async fn a_collector_gets_the_timeline_whatever_becomes_of_the_process(home: Home) {
        let collector = Collector::start().await;
        let (live, _) = home.organisation("Engines");
        let key = home.key(&live);
        let server = collector.serve(&home);
        // The place is first written down when the exporter begins; what came before is not its business.
        exporting(&server).await;
        let parent = format!("00-{TRACE}-{CALLER_SPAN}-01");
        let sent = server.client().bearer(&key).with("traceparent", &parent)
            .post("/v1/forms/ext:contact/submissions", &contact_values("Ada")).await;
        sent.expect(201);
        let client = server.client().bearer(&key);
        eventually("the submission has been worked on", || timeline(&client)).await;
        server.kill();

        let server = collector.serve(&home);
        exporting(&server).await;
        let client = server.client().bearer(&key);
        let (steps, exported) = eventually("the whole timeline has been exported", || async {
            let (steps, exported) = (timeline(&client).await?, collector.spans(TRACE));
            (exported.len() == steps.len()).then_some((steps, exported))
        }).await;
        for step in &steps {
            let span = &exported[&wire_id(&text(&step["id"]))];
            match step["parent_id"].as_str() {
                Some(parent) => assert_eq!(span["parentSpanId"], wire_id(parent)),
                None => assert_eq!((&span["parentSpanId"], &step["kind"]), (&CALLER_SPAN.into(), &"request".into())),
            }
            let known = span["parentSpanId"] == CALLER_SPAN || exported.contains_key(&text(&span["parentSpanId"]));
            assert!(known, "{span} hangs below something that was not exported");
        }
        let request = exported.values().find(|span| span["kind"] == 2).unwrap();
        assert_eq!(request["name"], "POST /v1/forms/{id}/submissions");
        server.stop();
        let bodies = collector.bodies.lock().unwrap().clone();
        assert!(!bodies.concat().contains(&key), "a key leaves the house");
        if let Some(kinds) = read_by_the_protocol(&bodies) {
            for kind in ["SPAN_KIND_SERVER", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"] {
                assert!(kinds[kind].as_u64().is_some_and(|spans| spans > 0), "no {kind} in {kinds}");
            }
        }
    }
}
