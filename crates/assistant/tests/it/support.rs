//! An assistant behind a stand-in for the gateway, and an upstream that speaks OpenAI's wire format by script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Method;
use plinth_api::System;
use plinth_api::testing::{Answer, Caller};
use plinth_assistant::provider::{OpenAiCompat, OpenAiSettings, Provider};
use plinth_assistant::{Assistant, Settings};
use plinth_kernel::ports::{ContentSnapshot, ContentSource};
use plinth_testkit::TestStore;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Content that a test can replace.
pub struct Content(Mutex<Arc<ContentSnapshot>>);

impl Content {
    pub fn sample() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Arc::new(sample()))))
    }

    pub fn replace(&self, change: impl FnOnce(&mut ContentSnapshot)) {
        let mut current = self.0.lock().unwrap();
        let mut next = ContentSnapshot::clone(&current);
        change(&mut next);
        *current = Arc::new(next);
    }
}

impl ContentSource for Content {
    fn snapshot(&self) -> Arc<ContentSnapshot> {
        self.0.lock().unwrap().clone()
    }
}

pub fn sample() -> ContentSnapshot {
    serde_json::from_str(include_str!("../fixtures/snapshot.json")).unwrap()
}

/// An assistant and its callers.
pub struct App {
    pub assistant: Assistant,
    pub content: Arc<Content>,
    pub owner: Caller,
    pub visitor: Caller,
}

pub async fn app(store: &TestStore) -> App {
    app_with(store, Settings::default(), None).await
}

pub async fn app_with(store: &TestStore, settings: Settings, provider: Option<Arc<dyn Provider>>) -> App {
    let content = Content::sample();
    let assistant = Assistant::with_provider(store.store(), content.clone(), settings, provider);
    store.migrate("assistant", assistant.migrations()).await.unwrap();
    let (router, _) = assistant.routes().split_for_parts();
    let owner = Caller::secret_key(router, store.world());
    let visitor = owner.visitor("ann");
    App { assistant, content, owner, visitor }
}

impl App {
    /// The same assistant after a restart: same store and tenant, nothing in memory.
    pub fn restarted(&self, store: &TestStore) -> App {
        let assistant =
            Assistant::with_provider(store.store(), self.content.clone(), Settings::default(), None);
        let (router, _) = assistant.routes().split_for_parts();
        let mut owner = Caller::secret_key(router, store.world());
        owner.principal = self.owner.principal.clone();
        let visitor = owner.visitor("ann");
        App { assistant, content: self.content.clone(), owner, visitor }
    }
}

pub async fn ask(caller: &Caller, body: Value) -> Stream {
    Stream::of(&caller.json(Method::POST, "/v1/assistant/chat", &[], &body).await)
}

/// A stream, read whole.
#[derive(Debug)]
pub struct Stream {
    pub raw: String,
    pub run: String,
    pub parts: Vec<Value>,
}

impl Stream {
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let raw = String::from_utf8(answer.body.clone()).unwrap();
        let mut parts = Vec::new();
        for (at, frame) in
            raw.split("\n\n").filter(|frame| !frame.is_empty() && !frame.starts_with(':')).enumerate()
        {
            if frame == "data: [DONE]" {
                continue;
            }
            let (id, data) = frame.split_once('\n').unwrap_or_else(|| panic!("a frame without id: {frame}"));
            assert!(id.starts_with("id: "), "{frame}");
            let _ = at;
            parts.push(serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap());
        }
        Self { raw, run: answer.header("x-run-id").to_owned(), parts }
    }

    pub fn kinds(&self) -> Vec<&str> {
        self.parts.iter().map(|part| part["type"].as_str().unwrap()).collect()
    }

    pub fn all(&self, kind: &str) -> Vec<&Value> {
        self.parts.iter().filter(|part| part["type"] == kind).collect()
    }

    pub fn text(&self) -> String {
        self.all("text-delta").iter().map(|part| part["delta"].as_str().unwrap()).collect()
    }

    pub fn finish(&self) -> &Value {
        let last = self.parts.last().unwrap();
        assert_eq!(last["type"], "finish", "every stream ends with finish");
        assert!(self.raw.ends_with("data: [DONE]\n\n"));
        last
    }

    pub fn degraded(&self) -> Option<&str> {
        self.all("data-status")
            .into_iter()
            .filter(|part| part["data"]["phase"] == "degraded")
            .find_map(|part| part["data"]["reason"].as_str())
    }
}

/// A step of an upstream's script.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends bytes one at a time, each its own packet as far as the system lets it.
    Trickle(Vec<u8>),
    /// Waits until the client has gone or the test is over.
    Stall,
    /// Ends the connection with a reset.
    Reset,
}

/// A chunk of text as OpenAI sends it.
pub fn delta(text: &str) -> Vec<u8> {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    format!("data: {chunk}\n\n").into_bytes()
}

pub const STOP: &[u8] = b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub const USAGE: &[u8] =
    b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":50,\"completion_tokens\":10}}\n\n";
pub const DONE: &[u8] = b"data: [DONE]\n\n";

/// Response head of a stream that ends with the connection.
pub fn head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec()
}

/// Whole answer of a well-behaved upstream.
pub fn whole(text: &str) -> Vec<Step> {
    vec![Step::Send([head(), delta(text), STOP.to_vec(), USAGE.to_vec(), DONE.to_vec()].concat())]
}

/// An upstream that follows a script for each connection; the last script serves all further ones.
pub struct Upstream {
    pub url: String,
    calls: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    left_at: Arc<Mutex<Option<Instant>>>,
    left: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    pub async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (left_at, left) = (Arc::new(Mutex::new(None)), Arc::new(Notify::new()));
        let state = (calls.clone(), requests.clone(), left_at.clone(), left.clone());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let at = state.0.fetch_add(1, Ordering::SeqCst).min(scripts.len() - 1);
                let (script, requests) = (scripts[at].clone(), state.1.clone());
                let (left_at, left) = (state.2.clone(), state.3.clone());
                tokio::spawn(async move {
                    if play(socket, script, requests).await {
                        *left_at.lock().unwrap() = Some(Instant::now());
                        left.notify_one();
                    }
                });
            }
        });
        Self { url, calls, requests, left_at, left, task }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// When the client closed a stalled connection.
    pub async fn left(&self) -> Instant {
        tokio::time::timeout(Duration::from_secs(20), self.left.notified())
            .await
            .expect("the connection is closed");
        self.left_at.lock().unwrap().unwrap()
    }

    /// A provider for this upstream with short waits.
    pub fn provider(&self) -> Arc<dyn Provider> {
        self.provider_with(json!({}))
    }

    pub fn provider_with(&self, extra: Value) -> Arc<dyn Provider> {
        let mut settings = json!({"base_url": self.url, "model": "m"});
        settings.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let settings: OpenAiSettings = serde_json::from_value(settings).unwrap();
        let waits = (Duration::from_secs(2), Duration::from_millis(400), Duration::from_secs(10));
        Arc::new(OpenAiCompat::new(settings).unwrap().with_waits(waits.0, waits.1, waits.2))
    }
}

/// Plays a script; true when the client left while it was stalling.
async fn play(mut socket: TcpStream, script: Vec<Step>, requests: Arc<Mutex<Vec<String>>>) -> bool {
    socket.set_nodelay(true).unwrap();
    let request = read_request(&mut socket).await;
    requests.lock().unwrap().push(request);
    for step in script {
        match step {
            Step::Send(bytes) => {
                if socket.write_all(&bytes).await.is_err() {
                    return false;
                }
                // A reset that follows must not overtake what was sent.
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            Step::Trickle(bytes) => {
                for byte in bytes {
                    if socket.write_all(&[byte]).await.is_err() {
                        return false;
                    }
                    tokio::task::yield_now().await;
                }
            }
            Step::Stall => {
                let mut rest = [0; 64];
                return matches!(socket.read(&mut rest).await, Ok(0) | Err(_));
            }
            Step::Reset => {
                socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
                return false;
            }
        }
    }
    let _ = socket.shutdown().await;
    false
}

async fn read_request(socket: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ").and_then(|n| n.parse().ok())
            });
            if body.len() >= length.unwrap_or(0usize) {
                return text;
            }
        }
        match socket.read(&mut buffer).await {
            Ok(n @ 1..) => request.extend_from_slice(&buffer[..n]),
            _ => return text,
        }
    }
}
