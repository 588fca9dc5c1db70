//! PostgreSQL: worker threads that own their connections, and two more connections that carry wake-ups between nodes.

pub(crate) mod backup;
pub(crate) mod conn;
mod listen;
pub(crate) mod value;
mod worker;

use crate::shared::Shared;
use crate::sqlite::spawn;
use crate::unit::Task;
use crate::{Config, Error, Result, limits};
use conn::{PgConn, Settings};
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The oldest server that is supported and tested.
const SERVER_VERSION_MIN: i32 = 150_000;

/// Connects once, so that a wrong address is told at start, and starts the threads; they connect when they first have
/// something to do.
pub(crate) fn open(
    url: &str,
    config: &Config,
    shared: &Arc<Shared>,
    writes: &Receiver<Task>,
    reads: &Receiver<Task>,
) -> Result<Vec<JoinHandle<()>>> {
    let settings = Arc::new(Settings::new(url, config)?);
    let mut first = Some(check(&settings)?);
    listen::start(&settings, shared)?;
    let count = config.postgres_connections.max(2);
    let mut threads = Vec::with_capacity(count);
    for n in 0..count {
        // Some take writes only, and the first of all is one that takes both.
        let write_only = n % limits::POSTGRES_WRITE_ONLY_SHARE == 1;
        let reads = if write_only { crossbeam_channel::never() } else { reads.clone() };
        let worker = worker::Worker::new(settings.clone(), shared.clone(), first.take());
        let writes = writes.clone();
        threads.push(spawn(&format!("postgres-{n}"), move || worker.run(&writes, &reads))?);
    }
    Ok(threads)
}

fn check(settings: &Settings) -> Result<PgConn> {
    let mut conn = settings.connect().map_err(|failure| {
        Error::Open(format!("{} (check the address and the credentials)", failure.error))
    })?;
    let version: i32 = conn.setting("server_version_num")?.parse().unwrap_or(0);
    if version < SERVER_VERSION_MIN {
        return Err(Error::Open(format!(
            "PostgreSQL 15 or later is needed; the server is {}",
            conn.setting("server_version")?
        )));
    }
    let encoding = conn.setting("server_encoding")?;
    if encoding != "UTF8" {
        return Err(Error::Open(format!("the database must be encoded in UTF8, not {encoding}")));
    }
    Ok(conn)
}
