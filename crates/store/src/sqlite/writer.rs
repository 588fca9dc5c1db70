//! The writer: one thread, one connection, and as many units to a commit as are waiting.
//!
//! While one commit waits for the disk, the next batch gathers in the queue; nothing waits for a timer, so a lone
//! unit commits at once and a crowd shares an fsync. Each unit has a savepoint of its own.

use super::{Deadline, connect, control};
use crate::engine::{Conn, Failure, Fault};
use crate::shared::Shared;
use crate::stats::Stats;
use crate::unit::{Effects, Frame, Task, Unit, attempt};
use crate::{Config, Error, Result};
use crossbeam_channel::Receiver;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(super) struct Writer {
    conn: Connection,
    deadline: Deadline,
    shared: Arc<Shared>,
    batch_units_max: usize,
    batch_budget: Duration,
    unit_deadline: Duration,
    wal_pages: Arc<AtomicU64>,
    /// Rounds to come that take one unit each, to find out which of them cannot be committed.
    rounds_of_one: usize,
    /// Held for as long as the file may be written to.
    _lock: File,
}

/// A unit that was called, and what follows if the commit succeeds; `None` when its savepoint was rolled back.
struct Called {
    unit: Box<dyn Unit>,
    effects: Option<Effects>,
    panicked: bool,
}

/// How a transaction went on.
enum Round {
    /// It stands and can be committed.
    Open(Vec<Called>),
    /// The last unit called has brought down the whole transaction.
    Lost(Vec<Called>),
}

impl Writer {
    pub fn open(path: &Path, config: &Config, shared: Arc<Shared>, lock: File) -> Result<Self> {
        let mut conn = connect(path)?;
        let deadline = Deadline::install(&mut conn)?;
        let wal_pages = Arc::new(AtomicU64::new(0));
        let mut writer = Self {
            conn,
            deadline,
            shared,
            batch_units_max: config.batch_units_max.max(1),
            batch_budget: config.batch_budget,
            unit_deadline: config.write_deadline,
            wal_pages: wal_pages.clone(),
            rounds_of_one: 0,
            _lock: lock,
        };
        writer
            .conn
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
                wal_pages.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(|error| Error::Open(format!("no hook on the write-ahead log: {error}")))?;
        Ok(writer)
    }

    /// Pages in the write-ahead log after the latest commit.
    pub fn wal_pages(&self) -> Arc<AtomicU64> {
        self.wal_pages.clone()
    }

    /// Works until the queue is closed and empty.
    pub fn run(mut self, queue: &Receiver<Task>) {
        let mut carried = None;
        while let Some(task) = carried.take().or_else(|| queue.recv().ok()) {
            if let Some(task) = self.shared.admit(task) {
                if task.frame == Frame::Migration {
                    self.alone(task);
                } else {
                    carried = self.batch(task, queue);
                }
            }
        }
        // What the log holds goes into the file, so that the file alone is the whole database.
        let _ = self.conn.wal_checkpoint_v2(None::<&str>, rusqlite::wal::CheckpointMode::TRUNCATE);
    }

    /// A migration: its own transaction, no deadline.
    fn alone(&mut self, task: Task) {
        let mut pending = VecDeque::from([task.unit]);
        match self.begin().map(|()| self.round(&mut pending, None, &mut None)) {
            Ok(round) => self.conclude(round, &mut pending),
            Err(failure) => self.fail_all(pending, failure),
        }
    }

    /// One batch, and again what must be replayed of it. Answers a task that was taken from the queue but cannot
    /// share a transaction.
    fn batch(&mut self, first: Task, queue: &Receiver<Task>) -> Option<Task> {
        let mut pending = VecDeque::from([first.unit]);
        let mut carried = None;
        while !pending.is_empty() {
            match self.begin() {
                Ok(()) => {
                    let round = self.round(&mut pending, Some(queue), &mut carried);
                    self.conclude(round, &mut pending);
                }
                Err(failure) => self.fail_all(std::mem::take(&mut pending), failure),
            }
        }
        carried
    }

    fn begin(&self) -> Result<(), Failure> {
        control(&self.conn, "BEGIN IMMEDIATE")
    }

    /// Calls the pending units, then what the queue holds, until the batch is full or its time is up.
    fn round(
        &mut self,
        pending: &mut VecDeque<Box<dyn Unit>>,
        queue: Option<&Receiver<Task>>,
        carried: &mut Option<Task>,
    ) -> Round {
        let started = Instant::now();
        let mut called: Vec<Called> = Vec::new();
        let alone = self.rounds_of_one > 0;
        self.rounds_of_one = self.rounds_of_one.saturating_sub(1);
        loop {
            let full = called.len() >= if alone { 1 } else { self.batch_units_max };
            let next = if full { None } else { pending.pop_front() };
            let next = next.or_else(|| {
                let open = !full && !alone && carried.is_none() && started.elapsed() < self.batch_budget;
                if open { self.take(queue?, carried) } else { None }
            });
            let Some(unit) = next else { return Round::Open(called) };
            called.push(self.call(unit, queue.map(|_| self.unit_deadline)));
            if self.conn.is_autocommit() {
                return Round::Lost(called);
            }
        }
    }

    /// The next unit of the queue that may share the transaction.
    fn take(&self, queue: &Receiver<Task>, carried: &mut Option<Task>) -> Option<Box<dyn Unit>> {
        while let Ok(task) = queue.try_recv() {
            match self.shared.admit(task) {
                Some(task) if task.frame == Frame::Migration => {
                    *carried = Some(task);
                    return None;
                }
                Some(task) => return Some(task.unit),
                None => {}
            }
        }
        None
    }

    /// Calls a unit in a savepoint of its own; its statements may run for `budget`.
    fn call(&mut self, mut unit: Box<dyn Unit>, budget: Option<Duration>) -> Called {
        let started = Instant::now();
        if let Err(failure) = control(&self.conn, "SAVEPOINT unit") {
            return self.broken(unit, failure);
        }
        self.deadline.set(budget);
        let access = Frame::Write.access();
        let attempt = attempt(unit.as_mut(), Conn::Lite(&self.conn), &self.shared.world, access);
        self.deadline.set(None);
        self.shared.stats.unit_seconds.observe_duration(started.elapsed());
        if budget.is_some_and(|budget| started.elapsed() > budget) {
            tracing::warn!(
                elapsed_ms = started.elapsed().as_millis() as u64,
                "a unit of work held up the writer"
            );
        }
        if attempt.fault == Some(Fault::Disk) {
            self.shared.halt("a statement failed to read or write the database file");
        }
        if !self.conn.is_autocommit() {
            let undone =
                if attempt.effects.is_none() { control(&self.conn, "ROLLBACK TO unit") } else { Ok(()) };
            if let Err(failure) = undone.and_then(|()| control(&self.conn, "RELEASE unit")) {
                return self.broken(unit, failure);
            }
        }
        Called { unit, effects: attempt.effects, panicked: attempt.panicked }
    }

    /// A savepoint that cannot be set or released: the transaction cannot be trusted any more.
    fn broken(&self, mut unit: Box<dyn Unit>, failure: Failure) -> Called {
        unit.fail(failure.error);
        if !self.conn.is_autocommit() {
            let _ = control(&self.conn, "ROLLBACK");
        }
        if failure.fault == Fault::Disk {
            self.shared.halt("a savepoint failed on the database file");
        }
        Called { unit, effects: None, panicked: false }
    }

    fn conclude(&mut self, round: Round, pending: &mut VecDeque<Box<dyn Unit>>) {
        match round {
            Round::Open(called) => self.commit(called, pending),
            Round::Lost(called) => self.replay(called, pending),
        }
    }

    /// The culprit is answered; its innocent neighbours, whose work it took down, are called again.
    fn replay(&mut self, mut called: Vec<Called>, pending: &mut VecDeque<Box<dyn Unit>>) {
        if let Some(culprit) = called.pop() {
            let mut unit = culprit.unit;
            if culprit.effects.is_some() {
                // It ended well although the engine had undone everything: it must not be told that it is durable.
                unit.fail(Error::Commit("the transaction was rolled back by the engine".into()));
            }
            self.shared.finish(unit, None, culprit.panicked);
        }
        self.requeue(called, pending);
    }

    /// Puts units back in their order, to be called again; a panicked one has had its say.
    fn requeue(&self, called: Vec<Called>, pending: &mut VecDeque<Box<dyn Unit>>) {
        for called in called.into_iter().rev() {
            if called.panicked {
                self.shared.finish(called.unit, None, true);
            } else {
                Stats::add(&self.shared.stats.units_replayed, 1);
                pending.push_front(called.unit);
            }
        }
    }

    fn commit(&mut self, called: Vec<Called>, pending: &mut VecDeque<Box<dyn Unit>>) {
        if called.is_empty() {
            let _ = control(&self.conn, "ROLLBACK");
            return;
        }
        if self.shared.is_halted() {
            let _ = control(&self.conn, "ROLLBACK");
            return self.fail_all(called.into_iter().map(|called| called.unit), Error::Closed.into());
        }
        let started = Instant::now();
        let result = control(&self.conn, "COMMIT");
        self.shared.stats.commit_seconds.observe_duration(started.elapsed());
        self.shared.stats.batch_units.observe(called.len() as f64);
        match result {
            Ok(()) => self.committed(called),
            Err(failure) => {
                Stats::add(&self.shared.stats.commits_failed, 1);
                if !self.conn.is_autocommit() {
                    let _ = control(&self.conn, "ROLLBACK");
                }
                // A deferred foreign key is looked at by the commit alone, and one unit's fault is not its
                // neighbours': each is tried by itself.
                if matches!(failure.error, Error::ForeignKey) && called.len() > 1 {
                    self.requeue(called, pending);
                    self.rounds_of_one = pending.len();
                    return;
                }
                // After a failed fsync the log may or may not hold the commit when it is next opened.
                let in_doubt = failure.fault == Fault::Disk;
                let failure =
                    if in_doubt { Failure { error: Error::CommitUnknown, ..failure } } else { failure };
                self.fail_all(called.into_iter().map(|called| called.unit), failure);
            }
        }
    }

    fn committed(&self, called: Vec<Called>) {
        Stats::add(&self.shared.stats.commits, 1);
        for Called { unit, effects, panicked } in called {
            self.shared.finish(unit, effects, panicked);
        }
    }

    fn fail_all(&self, units: impl IntoIterator<Item = Box<dyn Unit>>, failure: Failure) {
        if failure.fault == Fault::Disk {
            self.shared.halt("a commit failed on the database file");
        }
        for mut unit in units {
            unit.fail(failure.error.shared());
            self.shared.finish(unit, None, false);
        }
    }
}
