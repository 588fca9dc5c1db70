//! HTTP load with what `wrk` does not have: a rate that goes on whether or not answers come (an open loop, which is
//! what overload is), a deadline that decides whether an answer was still of use, a fixed number of requests, and an
//! idempotency key of its own for each.

use crate::Failure;
use crate::clients::Window;
use crate::http::Connection;
use crate::summary::Latencies;
use clap::Args;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// What to send, and how.
#[derive(Args)]
pub struct Options {
    /// `host:port`.
    address: String,
    /// Path and query.
    path: String,
    /// Method.
    #[arg(long, default_value = "GET")]
    method: String,
    /// Headers, as `Name: value`.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// A file with the body.
    #[arg(long)]
    body: Option<PathBuf>,
    /// Give each request an `Idempotency-Key` of its own, beginning with this.
    #[arg(long)]
    idempotency: Option<String>,
    /// Connections; each carries one request at a time.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Requests a second, whether or not they are answered; as fast as answers come unless given.
    #[arg(long)]
    rate: Option<f64>,
    /// A caller gives up after this long. With a rate the clock starts when the request was due.
    #[arg(long, default_value_t = 1_000)]
    deadline_ms: u64,
    /// How long to measure.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How long to run before that.
    #[arg(long, default_value_t = 1.0)]
    warmup: f64,
    /// End after this many requests, however long it takes.
    #[arg(long)]
    requests: Option<u64>,
}

/// The same for all connections.
struct Load {
    options: Options,
    head: String,
    body: Vec<u8>,
    window: Window,
    started: Instant,
    /// The next request.
    next: Cell<u64>,
}

/// What a connection saw.
#[derive(Default)]
struct Seen {
    statuses: BTreeMap<u16, u64>,
    good: Latencies,
    /// Given up: no answer before the deadline.
    late: u64,
    /// Not sent: every connection was taken.
    unsent: u64,
    /// Broken connections.
    broken: u64,
}

/// Works the server.
pub async fn measure(options: Options) -> Result<Value, Failure> {
    let load = Rc::new(Load::new(options)?);
    let local = LocalSet::new();
    let connections: Vec<_> =
        (0..load.options.connections).map(|_| local.spawn_local(work(load.clone()))).collect();
    let mut all = Seen::default();
    local
        .run_until(async {
            for connection in connections {
                all.merge(connection.await??);
            }
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(load.report(all))
}

impl Load {
    fn new(options: Options) -> Result<Self, Failure> {
        let body = options.body.as_ref().map_or(Ok(Vec::new()), std::fs::read)?;
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\n", options.method, options.path, options.address);
        for header in &options.headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        // A number of requests is sent whole: time neither warms up nor ends it.
        let (warmup, measured) = match options.requests {
            Some(_) => (Duration::ZERO, Duration::from_secs(86_400)),
            None => (Duration::from_secs_f64(options.warmup), Duration::from_secs_f64(options.seconds)),
        };
        let window = Window::new(warmup, measured);
        Ok(Self { options, head, body, window, started: Instant::now(), next: Cell::new(0) })
    }

    /// Number of the next request, until there is no further.
    fn take(&self) -> Option<u64> {
        let n = self.next.get();
        let wanted = self.options.requests.is_none_or(|requests| n < requests);
        if wanted && self.window.is_open() {
            self.next.set(n + 1);
            Some(n)
        } else {
            None
        }
    }

    /// When request `n` is due, where there is a rate.
    fn due(&self, n: u64) -> Option<Instant> {
        self.options.rate.map(|rate| self.started + Duration::from_secs_f64(n as f64 / rate))
    }

    fn write(&self, n: u64, request: &mut Vec<u8>) {
        request.clear();
        request.extend_from_slice(self.head.as_bytes());
        if let Some(prefix) = &self.options.idempotency {
            request.extend_from_slice(format!("Idempotency-Key: {prefix}-{n}\r\n").as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(&self.body);
    }

    fn report(&self, seen: Seen) -> Value {
        let seconds = match self.options.requests {
            Some(_) => self.started.elapsed().as_secs_f64(),
            None => self.window.measured().as_secs_f64(),
        };
        let good = seen.good.len() as f64;
        json!({
            "seconds": seconds,
            "good": good,
            "good_per_second": good / seconds,
            "offered_per_second": self.options.rate,
            "answered": seen.statuses.values().sum::<u64>(),
            "statuses": seen.statuses,
            "late": seen.late,
            "unsent": seen.unsent,
            "broken": seen.broken,
            "latency": seen.good.into_json(),
        })
    }
}

impl Seen {
    fn merge(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.good.merge(other.good);
        self.late += other.late;
        self.unsent += other.unsent;
        self.broken += other.broken;
    }

    fn note(&mut self, status: u16, latency: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        if (200..300).contains(&status) {
            self.good.note(latency);
        }
    }
}

/// How long a request that is due may wait for a free connection. Longer, and the load would queue on the caller's
/// side, where no server can shed it.
const PATIENCE: Duration = Duration::from_millis(20);

async fn work(load: Rc<Load>) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let mut request = Vec::new();
    let mut connection = None;
    while let Some(n) = load.take() {
        let due = load.due(n);
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
            if due.elapsed() > PATIENCE {
                seen.unsent += u64::from(load.window.counts(Instant::now()));
                continue;
            }
        }
        load.write(n, &mut request);
        connection = load.send(connection, &request, due, &mut seen).await?;
    }
    Ok(seen)
}

impl Load {
    /// Sends one request and notes what came of it; the connection, if it can carry another.
    async fn send(
        &self,
        connection: Option<Connection>,
        request: &[u8],
        due: Option<Instant>,
        seen: &mut Seen,
    ) -> Result<Option<Connection>, Failure> {
        let started = due.unwrap_or_else(Instant::now);
        let deadline = started + Duration::from_millis(self.options.deadline_ms);
        let mut open = match connection {
            Some(open) => open,
            None => Connection::open(&self.options.address).await?,
        };
        let answer = tokio::time::timeout_at(deadline.into(), open.exchange(request)).await;
        let counts = self.window.counts(Instant::now());
        match answer {
            Ok(Ok((status, keeps))) => {
                if counts {
                    seen.note(status, started.elapsed());
                }
                return Ok(keeps.then_some(open));
            }
            Ok(Err(_)) => seen.broken += u64::from(counts),
            Err(_) => seen.late += u64::from(counts),
        }
        Ok(None)
    }
}
