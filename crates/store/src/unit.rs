//! A unit of work with its types erased, as the queues carry it.

use crate::engine::{Conn, Fault};
use crate::events::Appended;
use crate::tx::{Access, Hook, Tx};
use crate::{Error, Result};
use plinth_kernel::World;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use tokio::sync::oneshot;

/// How the engine frames a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A transaction that writes.
    Write,
    /// The same at the isolation level SERIALIZABLE.
    WriteSerializable,
    /// One snapshot.
    Read,
    /// One reading statement without a transaction around it.
    Single,
    /// Alone, with neither deadline nor neighbours.
    Migration,
}

impl Frame {
    pub fn access(self) -> Access {
        match self {
            Frame::Read | Frame::Single => Access::Read,
            Frame::Write | Frame::WriteSerializable | Frame::Migration => Access::Write,
        }
    }
}

/// A unit in a queue.
pub(crate) struct Task {
    pub unit: Box<dyn Unit>,
    pub frame: Frame,
    pub queued_at: Instant,
}

/// How a closure ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Ok,
    Err,
    Panicked,
}

/// A closure, its result so far, and the caller who waits for it.
pub(crate) trait Unit: Send {
    /// Whether the caller has gone away.
    fn is_abandoned(&self) -> bool;
    /// Calls the closure.
    fn call(&mut self, tx: &mut Tx<'_>) -> Ending;
    /// Replaces the result.
    fn fail(&mut self, error: Error);
    /// Tells the caller. Nothing is told before it is known whether the commit succeeded, not even an error: it may
    /// rest on what a neighbour in the same commit had written.
    fn answer(self: Box<Self>);
}

struct Work<F, T, E> {
    closure: F,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Unit for Work<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }

    fn call(&mut self, tx: &mut Tx<'_>) -> Ending {
        // Unwind safety: after a panic the closure is never called again, and what it captured is dropped with it.
        let (result, ending) = match catch_unwind(AssertUnwindSafe(|| (self.closure)(tx))) {
            Ok(Ok(value)) => (Ok(value), Ending::Ok),
            Ok(Err(error)) => (Err(error), Ending::Err),
            Err(payload) => {
                let message = panic_message(payload.as_ref());
                tracing::error!(message, "a unit of work panicked and was undone");
                (Err(E::from(Error::Panicked { message })), Ending::Panicked)
            }
        };
        self.result = Some(result);
        ending
    }

    fn fail(&mut self, error: Error) {
        self.result = Some(Err(E::from(error)));
    }

    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            // The caller may have gone away meanwhile; what was committed stays committed.
            let _ = self.caller.send(result);
        }
    }
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(no message)").to_owned()
}

/// A task of this closure, and where its result will arrive.
pub(crate) fn task<T, E, F>(frame: Frame, closure: F) -> (Task, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (caller, receiver) = oneshot::channel();
    let unit = Box::new(Work { closure, result: None, caller });
    (Task { unit, frame, queued_at: Instant::now() }, receiver)
}

/// What follows a commit.
#[derive(Default)]
pub(crate) struct Effects {
    pub hooks: Vec<Hook>,
    /// What was appended to the event log.
    pub appended: Appended,
}

impl Effects {
    /// Runs the hooks; one that panics is logged and stops nobody.
    pub fn run_hooks(self) {
        for hook in self.hooks {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(hook)) {
                tracing::error!(message = panic_message(payload.as_ref()), "an after-commit hook panicked");
            }
        }
    }
}

/// How a call of a unit ended.
pub(crate) struct Attempt {
    /// What to do after the commit; `None` when the unit must be undone.
    pub effects: Option<Effects>,
    /// The first failure, whatever the closure made of it.
    pub fault: Option<Fault>,
    /// Whether the closure panicked: it is not called again.
    pub panicked: bool,
}

/// Calls a unit on this connection and appends its events.
pub(crate) fn attempt(unit: &mut dyn Unit, conn: Conn<'_>, world: &World, access: Access) -> Attempt {
    let mut tx = Tx::new(conn, world, access);
    let ending = unit.call(&mut tx);
    let mut kept = ending == Ending::Ok;
    let mut appended = Appended::default();
    if kept && let Some(poison) = tx.poison() {
        unit.fail(Error::Poisoned { first: poison.first.clone() });
        kept = false;
    }
    if kept {
        match tx.append_events() {
            Ok(what) => appended = what,
            Err(error) => {
                unit.fail(error);
                kept = false;
            }
        }
    }
    let fault = tx.poison().map(|poison| poison.fault);
    let hooks = std::mem::take(&mut tx.hooks);
    Attempt {
        effects: kept.then_some(Effects { hooks, appended }),
        fault,
        panicked: ending == Ending::Panicked,
    }
}
