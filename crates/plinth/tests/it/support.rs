//! A running executable, its data, and somebody who asks it.

use plinth_testkit::{Engine, postgres};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The longest that a process may take to answer, to print or to end.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Makes two tests of one body, `name::sqlite` and `name::postgres`; each begins with an empty [`Home`].
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($home:ident: Home) $body:block)+) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn promise($home: $crate::support::Home) $body

            #[test]
            fn sqlite() {
                plinth_testkit::run(promise($crate::support::Home::new(plinth_testkit::Engine::Sqlite)));
            }

            #[test]
            fn postgres() {
                plinth_testkit::run(promise($crate::support::Home::new(plinth_testkit::Engine::Postgres)));
            }
        }
    )+ };
}
pub(crate) use on_both_engines;

/// What outlives the processes of a test: a data folder and, on PostgreSQL, a database.
pub struct Home {
    folder: TempDir,
    database: Option<postgres::Database>,
}

impl Home {
    pub fn new(engine: Engine) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            // The driver blocks, so it must not be called on a runtime's own thread.
            Engine::Postgres => {
                let made = std::thread::spawn(|| postgres::Server::shared().create_database()).join();
                Some(made.expect("PostgreSQL makes a database"))
            }
        };
        Self { folder: TempDir::with_prefix("plinth-process-").unwrap(), database }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(postgres::Database::url)
    }

    /// The executable on this data. It sees no setting but the test's own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.folder.path(), arguments);
        command.arg("--data").arg(self.data());
        if let Some(url) = self.database_url() {
            command.args(["--database", url]);
        }
        command
    }

    /// Runs a command to its end and returns what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "plinth {arguments:?} failed: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Makes an organisation; returns the ids of its live and its test tenant.
    pub fn organisation(&self, name: &str) -> (String, String) {
        let printed = self.run(&["tenant", "create", name]);
        let mut ids = printed.lines().filter_map(|line| line.split_once(' ').map(|(_, id)| id.to_owned()));
        (ids.next().unwrap(), ids.next().unwrap())
    }

    /// Makes a key that may do everything.
    pub fn key(&self, tenant: &str) -> String {
        self.run(&["key", "create", "--tenant", tenant]).trim().to_owned()
    }

    /// The tables, without a process in between.
    pub async fn store(&self) -> plinth_store::Store {
        let config = match self.database_url() {
            Some(url) => plinth_store::Config::postgres(url),
            None => plinth_store::Config::sqlite(self.data().join("plinth.db")),
        };
        plinth_store::Store::open(config, plinth_kernel::World::system()).await.unwrap()
    }

    pub fn start(&self) -> Server {
        self.start_with(&[], &[])
    }

    pub fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(arguments).envs(environment.iter().copied());
        Server::start(command, self.folder.path().join("log"))
    }
}

/// The executable, without data.
pub fn bare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
    // A configuration file of whoever runs the tests is not theirs to see.
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PLINTH_")) {
        command.env_remove(name);
    }
    command
}

/// A process that serves. Dropping it kills it.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
    /// `http://127.0.0.1:PORT`; empty for a worker.
    pub base: String,
}

impl Server {
    /// Starts and waits until it says where it is.
    pub fn start(command: Command, log: PathBuf) -> Self {
        let mut server = Self::spawn(command, log);
        server.base = server.line("Site").trim_end_matches('/').to_owned();
        server.line("API");
        server
    }

    /// Starts without waiting for anything.
    pub fn spawn(mut command: Command, log: PathBuf) -> Self {
        let errors = File::options().create(true).append(true).open(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, log, base: String::new() }
    }

    /// Waits for the line of this name on standard output and returns the rest of it.
    pub fn line(&self, name: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("the server printed no {name:?} line; its log:\n{}", self.log());
            };
            if let Some(rest) = line.strip_prefix(name) {
                return rest.trim().to_owned();
            }
        }
    }

    /// What it has written to its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end, in order.
    pub fn terminate(&self) {
        let id = Pid::from_child(&self.child);
        rustix::process::kill_process(id, Signal::TERM).unwrap();
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it in order.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "{status}; its log:\n{}", self.log());
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A panic is caught and answered; it must not pass unseen because of that.
        if !std::thread::panicking() {
            let log = self.log();
            assert!(!log.contains("panicked at"), "the server panicked:\n{log}");
        }
    }
}

/// Somebody who asks a server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub base: String,
    headers: HeaderMap,
}

impl Client {
    pub fn new(base: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap();
        Self { http, base: base.to_owned(), headers: HeaderMap::new() }
    }

    /// The same with a header on every request.
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        other
    }

    /// The same with a key or token.
    pub fn bearer(&self, text: &str) -> Self {
        self.with("authorization", &format!("Bearer {text}"))
    }

    /// The same with a cookie, as a page of the server's own would send it.
    pub fn cookie(&self, cookie: &str) -> Self {
        self.with("cookie", cookie).with("sec-fetch-site", "same-origin")
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).headers(self.headers.clone())
    }

    /// Sends; `None` when the connection broke, as it does when the server is killed.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Answer { status, headers, bytes: response.bytes().await.ok()?.to_vec() })
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.request(method.parse().unwrap(), path);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    /// Every entry of a list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        let mark = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self.get(&format!("{path}{mark}limit=100{cursor}")).await.expect(200);
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of an answer with this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.bytes.is_empty() { Value::Null } else { self.json() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The code of a problem, and that it is a whole one.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{} {}",
            self.status,
            self.text()
        );
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        for member in ["type", "title", "code", "detail", "request_id"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {body}");
        }
        body["code"].as_str().unwrap().to_owned()
    }
}

/// Values for the contact form that every tenant begins with.
pub fn contact_values(name: &str) -> Value {
    json!({"values": {
        "name": name, "email": "ada@example.org", "topic": "product",
        "message": "An engine that weaves algebraic patterns needs a backend.",
    }})
}

/// The `name=value` of the cookie that an answer sets.
pub fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or("").to_owned()
}

/// Makes the first owner with the link that the terminal showed; returns the session's cookie.
pub async fn set_up(server: &Server) -> String {
    let link = server.line("Set up");
    let token = link.rsplit('=').next().unwrap();
    let answer = server
        .client()
        .post(
            "/v1/setup",
            &json!({"token": token, "email": "owner@example.org", "password": "correct horse battery",
                    "name": "Grace", "organisation": "Analytical Engines"}),
        )
        .await;
    answer.expect(201);
    cookie_of(&answer)
}
