//! A worker: a thread, its connection, and one unit of work at a time.

use super::conn::{PgConn, Settings};
use crate::engine::{Conn, Failure, Fault};
use crate::limits::RETRIES_MAX;
use crate::shared::Shared;
use crate::stats::Stats;
use crate::unit::{Effects, Frame, Task, attempt};
use crate::{Error, Result};
use crossbeam_channel::{Receiver, select};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) struct Worker {
    settings: Arc<Settings>,
    shared: Arc<Shared>,
    conn: Option<PgConn>,
}

/// How one run of a unit ended.
enum Outcome {
    /// It is decided; `None` when it was undone.
    Done { effects: Option<Effects>, panicked: bool },
    /// Nothing was done, and it may be run again.
    Again(Failure),
}

impl Worker {
    pub fn new(settings: Arc<Settings>, shared: Arc<Shared>, conn: Option<PgConn>) -> Self {
        if conn.is_some() {
            Stats::add(&shared.stats.connections_opened, 1);
        }
        Self { settings, shared, conn }
    }

    /// Works until both queues are closed and empty.
    pub fn run(mut self, writes: &Receiver<Task>, reads: &Receiver<Task>) {
        loop {
            let received = select! {
                recv(writes) -> task => task,
                recv(reads) -> task => task,
            };
            // One of the queues is closed; finish the other.
            let Ok(task) = received.or_else(|_| writes.recv()).or_else(|_| reads.try_recv()) else { return };
            if let Some(task) = self.shared.admit(task) {
                self.work(task);
            }
        }
    }

    fn work(&mut self, mut task: Task) {
        let mut retries = 0;
        let (effects, panicked) = loop {
            match self.once(&mut task) {
                Outcome::Done { effects, panicked } => break (effects, panicked),
                Outcome::Again(failure) if retries == RETRIES_MAX || task.unit.is_abandoned() => {
                    task.unit.fail(failure.error);
                    break (None, false);
                }
                Outcome::Again(failure) => {
                    retries += 1;
                    Stats::add(&self.shared.stats.units_retried, 1);
                    self.pause(retries, failure.fault);
                }
            }
        };
        match task.frame {
            Frame::Read | Frame::Single => {
                self.shared.finish_read(task.unit, effects, panicked, task.queued_at)
            }
            _ => self.shared.finish(task.unit, effects, panicked),
        }
    }

    /// Waits a random part of a doubling time, so that units which collided do not collide again in step.
    fn pause(&self, retry: u32, fault: Fault) {
        let unit_ms = if fault == Fault::ConnectionLost { 16 } else { 2 };
        let longest_us = (unit_ms << retry) * 1_000;
        // The first try on a new connection is made at once: mostly the old one had merely been closed while idle.
        if fault != Fault::ConnectionLost || retry > 1 {
            std::thread::sleep(Duration::from_micros(self.shared.world.below(longest_us)));
        }
    }

    fn once(&mut self, task: &mut Task) -> Outcome {
        let outcome = self.transaction(task);
        match &outcome {
            Outcome::Again(Failure { fault: Fault::ConnectionLost, .. }) => self.conn = None,
            Outcome::Again(Failure { fault: Fault::StalePlan, .. }) => {
                if let Some(conn) = &mut self.conn {
                    conn.forget_statements();
                }
            }
            _ => {}
        }
        outcome
    }

    fn transaction(&mut self, task: &mut Task) -> Outcome {
        let started = Instant::now();
        let conn = match self.connection() {
            Ok(conn) => conn,
            Err(failure) => return Outcome::Again(failure),
        };
        if let Some(begin) = begin(task.frame)
            && let Err(failure) = conn.script(begin)
        {
            return self.not_begun(task, failure);
        }
        let Some(conn) = &mut self.conn else { return self.not_begun(task, Error::Closed.into()) };
        let attempt = attempt(task.unit.as_mut(), Conn::Pg(conn), &self.shared.world, task.frame.access());
        self.shared.stats.unit_seconds.observe_duration(started.elapsed());
        let retry = attempt.fault.filter(|fault| *fault != Fault::Statement && !attempt.panicked);
        if let Some(fault) = retry {
            self.rollback(task.frame);
            let error = if fault == Fault::ConnectionLost {
                Error::Unavailable("the connection was lost".into())
            } else {
                Error::Serialization
            };
            return Outcome::Again(Failure { error, fault });
        }
        match attempt.effects {
            Some(effects) => self.commit(task, effects),
            None => {
                self.rollback(task.frame);
                Outcome::Done { effects: None, panicked: attempt.panicked }
            }
        }
    }

    fn connection(&mut self) -> Result<&mut PgConn, Failure> {
        if self.conn.is_none() {
            self.conn = Some(self.settings.connect()?);
            Stats::add(&self.shared.stats.connections_opened, 1);
        }
        self.conn.as_mut().ok_or_else(|| Error::Closed.into())
    }

    fn not_begun(&mut self, task: &mut Task, failure: Failure) -> Outcome {
        if failure.fault == Fault::ConnectionLost {
            return Outcome::Again(failure);
        }
        task.unit.fail(failure.error);
        Outcome::Done { effects: None, panicked: false }
    }

    fn commit(&mut self, task: &mut Task, effects: Effects) -> Outcome {
        if task.frame == Frame::Single {
            return Outcome::Done { effects: Some(effects), panicked: false };
        }
        let started = Instant::now();
        let committed = match &mut self.conn {
            Some(conn) => conn.script("COMMIT"),
            None => Err(Error::Closed.into()),
        };
        let failure = match committed {
            Ok(()) => {
                if task.frame != Frame::Read {
                    Stats::add(&self.shared.stats.commits, 1);
                    self.shared.stats.commit_seconds.observe_duration(started.elapsed());
                    self.shared.stats.batch_units.observe(1.0);
                }
                return Outcome::Done { effects: Some(effects), panicked: false };
            }
            Err(failure) => failure,
        };
        match failure.fault {
            Fault::Collision => {
                self.rollback(task.frame);
                return Outcome::Again(failure);
            }
            // A read has nothing to lose: its rows are in hand, but whether they are all is not certain.
            Fault::ConnectionLost if task.frame == Frame::Read => return Outcome::Again(failure),
            Fault::ConnectionLost => {
                self.conn = None;
                task.unit.fail(Error::CommitUnknown);
            }
            _ => {
                self.rollback(task.frame);
                task.unit.fail(failure.error);
            }
        }
        Stats::add(&self.shared.stats.commits_failed, 1);
        Outcome::Done { effects: None, panicked: false }
    }

    /// Leaves the connection clean, or leaves it.
    fn rollback(&mut self, frame: Frame) {
        if frame != Frame::Single
            && let Some(conn) = &mut self.conn
            && conn.script("ROLLBACK").is_err()
        {
            self.conn = None;
        }
    }
}

fn begin(frame: Frame) -> Option<&'static str> {
    match frame {
        Frame::Write | Frame::Migration => Some("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
        Frame::WriteSerializable => Some("BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"),
        Frame::Read => Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        Frame::Single => None,
    }
}
