//! The parts of the measurements that must be fast: durable loads on a store, on a plain driver and on the bare disk,
//! an HTTP load that `wrk` cannot make, and the bare axum handler that the gateway is compared with.
//!
//! Every command prints one JSON object. `bench/run` starts them in turn and draws the conclusions.
#![forbid(unsafe_code)]

mod axum_peer;
mod clients;
mod disk;
mod driver_load;
mod http;
mod http_load;
mod store_load;
mod summary;
mod workload;

use clap::{Args, Parser, Subcommand};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Any failure ends the command: a measurement that met one is worth nothing.
type Failure = Box<dyn Error + Send + Sync>;

#[derive(Parser)]
#[command(about = "Loads and peers for the measurements that bench/run takes.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// How often a second the disk under a directory confirms 4 KiB (fdatasync).
    Disk {
        /// The directory.
        dir: PathBuf,
        /// How long to measure.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
    /// Durable commands through `Store::write`.
    Store(DurableLoad),
    /// The same transaction through `tokio-postgres`.
    Driver {
        #[command(flatten)]
        load: DurableLoad,
        /// Connections that the clients share; as many as clients unless given.
        #[arg(long)]
        connections: Option<usize>,
    },
    /// Serves one JSON document from a handler of axum's and nothing else.
    Axum {
        /// Where to listen.
        #[arg(long)]
        listen: String,
        /// A file that holds the document.
        #[arg(long)]
        body: PathBuf,
    },
    /// Requests over HTTP/1.1, as fast as they are answered or at a fixed rate.
    Http(http_load::Options),
}

/// A load of durable commands.
#[derive(Args, Clone)]
struct DurableLoad {
    /// `sqlite:PATH` or `postgres://…`.
    database: String,
    /// Clients; each waits for one command before it sends the next.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// How long to measure.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How long to run before that.
    #[arg(long, default_value_t = 1.0)]
    warmup: f64,
}

impl DurableLoad {
    fn warmup(&self) -> Duration {
        Duration::from_secs_f64(self.warmup)
    }

    fn measured(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("plinth-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<serde_json::Value, Failure> {
    match command {
        Command::Disk { dir, seconds } => disk::measure(&dir, Duration::from_secs_f64(seconds)),
        Command::Store(load) => all_cores()?.block_on(store_load::measure(&load)),
        Command::Driver { load, connections } => {
            let connections = connections.unwrap_or(load.clients);
            all_cores()?.block_on(driver_load::measure(&load, connections))
        }
        Command::Axum { listen, body } => one_core()?.block_on(axum_peer::serve(&listen, &body)),
        Command::Http(options) => one_core()?.block_on(http_load::measure(options)),
    }
}

fn all_cores() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn one_core() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
