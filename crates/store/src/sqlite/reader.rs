//! The readers: each a thread with a connection that cannot write, each read a snapshot, none in the writer's way.

use super::{Deadline, connect, control};
use crate::engine::Conn;
use crate::shared::Shared;
use crate::unit::{Frame, Task, attempt};
use crate::{Config, Error, Result};
use crossbeam_channel::Receiver;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Reader {
    conn: Connection,
    deadline: Deadline,
    shared: Arc<Shared>,
    read_deadline: Duration,
}

impl Reader {
    pub fn open(path: &Path, config: &Config, shared: Arc<Shared>) -> Result<Self> {
        let mut conn = connect(path)?;
        conn.execute_batch("PRAGMA query_only = ON").map_err(|error| Error::Open(error.to_string()))?;
        let deadline = Deadline::install(&mut conn)?;
        Ok(Self { conn, deadline, shared, read_deadline: config.read_deadline })
    }

    pub fn run(self, queue: &Receiver<Task>) {
        while let Ok(task) = queue.recv() {
            if let Some(task) = self.shared.admit(task) {
                self.read(task);
            }
        }
    }

    fn read(&self, task: Task) {
        let Task { mut unit, frame, .. } = task;
        self.deadline.set(Some(self.read_deadline));
        let framed = frame != Frame::Single;
        let begun = if framed { control(&self.conn, "BEGIN") } else { Ok(()) };
        let mut effects = None;
        let mut panicked = false;
        match begun {
            Ok(()) => {
                let attempt =
                    attempt(unit.as_mut(), Conn::Lite(&self.conn), &self.shared.world, frame.access());
                (effects, panicked) = (attempt.effects, attempt.panicked);
            }
            Err(failure) => unit.fail(failure.error),
        }
        self.deadline.set(None);
        if !self.conn.is_autocommit() {
            // Nothing was written: this only lets the snapshot go.
            let _ = control(&self.conn, "ROLLBACK");
        }
        self.shared.finish_read(unit, effects, panicked, task.queued_at);
    }
}
