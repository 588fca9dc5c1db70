//! The checkpointer: moves the write-ahead log into the file beside the writer, not inside one of its commits.
//!
//! It copies without blocking after every [`CHECKPOINT_BYTES`], empties the log when nothing is going on, and insists
//! on emptying it (holding up the writer for the moment that takes) beyond [`WAL_TRUNCATE_BYTES`], which only a reader
//! that stays open for long can cause.

use super::{beside, connect};
use crate::limits::{CHECKPOINT_BYTES, CHECKPOINT_TICK, WAL_TRUNCATE_BYTES};
use crate::shared::Shared;
use crate::stats::Stats;
use crate::{Error, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(super) struct Checkpointer {
    conn: Connection,
    wal_path: PathBuf,
    page_bytes: u64,
    pages: Arc<AtomicU64>,
    shared: Arc<Shared>,
    /// Pages of the log that are in the file already.
    copied: u64,
    /// Pages at the previous look: equal ones twice mean that nobody writes.
    before: u64,
    /// When to insist at the earliest: a reader that outlasts one try holds up the writer once, not all the time.
    insist_from: Instant,
}

impl Checkpointer {
    /// How long emptying the log may wait for readers when nothing presses, and when it does.
    const PATIENCE: Duration = Duration::from_millis(10);
    const INSISTENCE: Duration = Duration::from_millis(500);
    const RESPITE: Duration = Duration::from_secs(30);

    pub fn open(path: &Path, shared: Arc<Shared>, pages: Arc<AtomicU64>) -> Result<Self> {
        let conn = connect(path)?;
        let page_bytes: i64 = conn
            .query_row("PRAGMA page_size", [], |row| row.get(0))
            .map_err(|error| Error::Open(error.to_string()))?;
        let page_bytes = u64::try_from(page_bytes).unwrap_or(4_096);
        Ok(Self {
            conn,
            wal_path: beside(path, "wal"),
            page_bytes,
            pages,
            shared,
            copied: 0,
            before: 0,
            insist_from: Instant::now(),
        })
    }

    /// Works until `stop` is dropped.
    pub fn run(mut self, stop: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(CHECKPOINT_TICK) {
            self.look();
        }
    }

    fn look(&mut self) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.copied {
            self.copied = 0; // the log began anew
        }
        let idle = pages == self.before;
        self.before = pages;
        let new_bytes = (pages - self.copied) * self.page_bytes;
        if pages * self.page_bytes > WAL_TRUNCATE_BYTES && Instant::now() >= self.insist_from {
            self.insist_from = Instant::now() + Self::RESPITE;
            self.truncate(Self::INSISTENCE);
        } else if idle && pages > 0 {
            self.truncate(Self::PATIENCE);
        } else if new_bytes > CHECKPOINT_BYTES {
            self.checkpoint(CheckpointMode::PASSIVE);
        }
        let bytes = std::fs::metadata(&self.wal_path).map_or(0, |meta| meta.len());
        self.shared.stats.wal_bytes.store(bytes, Ordering::Relaxed);
    }

    fn truncate(&mut self, patience: Duration) {
        let _ = self.conn.busy_timeout(patience);
        self.checkpoint(CheckpointMode::TRUNCATE);
    }

    fn checkpoint(&mut self, mode: CheckpointMode) {
        match self.conn.wal_checkpoint_v2(None::<&str>, mode) {
            Ok((_, copied)) => {
                self.copied = u64::try_from(copied).unwrap_or(0);
                Stats::add(&self.shared.stats.checkpoints, 1);
                if matches!(mode, CheckpointMode::TRUNCATE) {
                    // Emptied. A commit since then has stored its own, larger count.
                    let _ = self.pages.compare_exchange(self.before, 0, Ordering::Relaxed, Ordering::Relaxed);
                    self.before = 0;
                }
            }
            Err(rusqlite::Error::SqliteFailure(code, _))
                if code.code == rusqlite::ErrorCode::DatabaseBusy => {}
            Err(rusqlite::Error::SqliteFailure(code, _))
                if code.code == rusqlite::ErrorCode::SystemIoFailure =>
            {
                self.shared.halt("a checkpoint failed on the database file");
            }
            Err(error) => tracing::warn!(%error, "a checkpoint failed"),
        }
    }
}
