//! Clients that each send one command after another, and what they saw while it counted.

use crate::Failure;
use crate::summary::Latencies;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// When a load starts to count and when it ends.
#[derive(Clone, Copy)]
pub struct Window {
    counted_from: Instant,
    ends: Instant,
}

impl Window {
    /// Begins now.
    pub fn new(warmup: Duration, measured: Duration) -> Self {
        let counted_from = Instant::now() + warmup;
        Self { counted_from, ends: counted_from + measured }
    }

    /// Whether there is time for another command.
    pub fn is_open(&self) -> bool {
        Instant::now() < self.ends
    }

    /// Whether a command that ended at this instant counts.
    pub fn counts(&self, ended: Instant) -> bool {
        (self.counted_from..self.ends).contains(&ended)
    }

    /// How long is counted.
    pub fn measured(&self) -> Duration {
        self.ends - self.counted_from
    }
}

/// Runs `command` from `clients` clients at a time; it is given the number of its client.
pub async fn run<C, F>(clients: usize, window: Window, command: C) -> Result<Value, Failure>
where
    C: Fn(usize) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send,
{
    let command = Arc::new(command);
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let command = command.clone();
        tasks.spawn(async move {
            let (mut seen, mut sent) = (Latencies::default(), 0_u64);
            while window.is_open() {
                let started = Instant::now();
                command(client).await?;
                sent += 1;
                let ended = Instant::now();
                if window.counts(ended) {
                    seen.note(ended - started);
                }
            }
            Ok::<_, Failure>((seen, sent))
        });
    }
    let (mut all, mut all_sent) = (Latencies::default(), 0);
    while let Some(client) = tasks.join_next().await {
        let (seen, sent) = client??;
        all.merge(seen);
        all_sent += sent;
    }
    let commands = all.len();
    Ok(json!({
        "commands": commands,
        "commands_with_warmup": all_sent,
        "per_second": commands as f64 / window.measured().as_secs_f64(),
        "clients": clients,
        "latency": all.into_json(),
    }))
}
