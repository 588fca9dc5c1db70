//! The unit of work as its closure sees it.

use crate::engine::{Conn, Failure, Fault};
use crate::{Arg, Engine, Error, FromRow, Result, Sql, events, limits};
use plinth_kernel::{EventId, Id, Micros, NewEvent, World};

/// Something to do once the unit is durable.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// What the unit may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The first failure of a unit. After it, both engines behave as PostgreSQL does: nothing more is done.
pub(crate) struct Poison {
    pub fault: Fault,
    pub first: String,
}

/// An open unit of work: statements, events and what is to follow the commit.
///
/// It lives on the engine's own thread and cannot be sent or awaited across: no IO but the store's can happen
/// inside. The closure that is given one may be called more than once (after a lost race, or when a neighbour in the
/// same commit took it down), so it must not do anything that a rollback does not undo.
///
/// After the first failed statement every further one answers [`Error::Poisoned`] and the unit is undone, even when
/// the closure ends well; [`Tx::savepoint`] is the way to survive an expected failure.
pub struct Tx<'t> {
    conn: Conn<'t>,
    world: &'t World,
    now: Micros,
    access: Access,
    pub(crate) events: Vec<(EventId, NewEvent)>,
    pub(crate) hooks: Vec<Hook>,
    poison: Option<Poison>,
}

impl<'t> Tx<'t> {
    pub(crate) fn new(conn: Conn<'t>, world: &'t World, access: Access) -> Self {
        let now = world.now();
        Self { conn, world, now, access, events: Vec::new(), hooks: Vec::new(), poison: None }
    }

    /// Runs a statement and says how many rows it changed.
    pub fn exec(&mut self, statement: impl Into<Sql>, args: &[Arg<'_>]) -> Result<u64> {
        let sql = statement.into();
        self.attempt(|conn| conn.exec(sql, args))
    }

    /// Runs one statement for each of `rows` and says how many rows were changed in all.
    pub fn exec_many<'a>(
        &mut self,
        statement: impl Into<Sql>,
        rows: impl IntoIterator<Item = Vec<Arg<'a>>>,
    ) -> Result<u64> {
        let sql = statement.into();
        rows.into_iter().try_fold(0, |sum, row| Ok(sum + self.exec(sql, &row)?))
    }

    /// The first row, or [`Error::NotFound`], which does not poison the unit.
    pub fn one<T: FromRow>(&mut self, query: impl Into<Sql>, args: &[Arg<'_>]) -> Result<T> {
        self.opt(query, args)?.ok_or(Error::NotFound)
    }

    /// The first row, if there is one.
    pub fn opt<T: FromRow>(&mut self, query: impl Into<Sql>, args: &[Arg<'_>]) -> Result<Option<T>> {
        let sql = query.into();
        let mut found = None;
        self.attempt(|conn| {
            conn.query(sql, args, &mut |row| {
                found = Some(T::from_row(row)?);
                Ok(false)
            })
        })?;
        Ok(found)
    }

    /// Every row, in the statement's order. More than [`ROWS_MAX`](crate::limits::ROWS_MAX) is an error.
    pub fn all<T: FromRow>(&mut self, query: impl Into<Sql>, args: &[Arg<'_>]) -> Result<Vec<T>> {
        let sql = query.into();
        let mut rows = Vec::new();
        self.attempt(|conn| {
            conn.query(sql, args, &mut |row| {
                if rows.len() == limits::ROWS_MAX {
                    return Err(Error::TooManyRows { max: limits::ROWS_MAX });
                }
                rows.push(T::from_row(row)?);
                Ok(true)
            })
        })?;
        Ok(rows)
    }

    /// Appends an event when the unit ends well, in the same commit. Its place in its partition is given last, so
    /// that units wait for one another as briefly as can be.
    ///
    /// An event that is too large, one too many, or one from within a read undoes the unit.
    pub fn emit(&mut self, event: NewEvent) -> EventId {
        let id: EventId = self.id();
        if self.access == Access::Read {
            self.refuse(Error::Event("a read cannot emit".into()));
        } else if self.events.len() == limits::EVENTS_PER_UNIT_MAX {
            self.refuse(Error::Event(format!("more than {} in one unit", limits::EVENTS_PER_UNIT_MAX)));
        } else {
            self.events.push((id.clone(), event));
        }
        id
    }

    /// Does `hook` once the unit is durable, before its caller is answered; never when it is undone. It runs on the
    /// engine's thread: a wake-up, a cache entry to drop, nothing that waits.
    pub fn after_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        self.hooks.push(Box::new(hook));
    }

    /// Runs `f` so that its failure undoes only itself: its statements, events and hooks. A collision with a
    /// concurrent unit is not survived; the whole unit is run again.
    pub fn savepoint<T, E: From<Error>>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let (events, hooks) = (self.events.len(), self.hooks.len());
        self.attempt(|conn| conn.control("SAVEPOINT inner_unit"))?;
        let result = match (f(self), &self.poison) {
            (Ok(_), Some(poison)) => Err(E::from(Error::Poisoned { first: poison.first.clone() })),
            (result, _) => result,
        };
        if result.is_ok() {
            self.attempt(|conn| conn.control("RELEASE SAVEPOINT inner_unit"))?;
            return result;
        }
        self.events.truncate(events);
        self.hooks.truncate(hooks);
        if self.poison.as_ref().is_none_or(|poison| poison.fault == Fault::Statement) {
            self.poison = None;
            self.attempt(|conn| conn.control("ROLLBACK TO SAVEPOINT inner_unit"))?;
            self.attempt(|conn| conn.control("RELEASE SAVEPOINT inner_unit"))?;
        }
        result
    }

    /// The present: one reading for the whole unit.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// A new id.
    #[must_use]
    pub fn id<T: Id>(&self) -> T {
        self.world.id()
    }

    /// Time and randomness.
    #[must_use]
    pub fn world(&self) -> &World {
        self.world
    }

    /// Which engine runs the unit.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.conn.engine()
    }

    /// Runs a text of several statements without arguments: migrations only.
    pub(crate) fn script(&mut self, text: &str) -> Result<()> {
        self.attempt(|conn| conn.script(text))
    }

    /// Appends the emitted events. Called once, when the closure has ended well.
    pub(crate) fn append_events(&mut self) -> Result<events::Appended> {
        let events = std::mem::take(&mut self.events);
        if events.is_empty() { Ok(events::Appended::default()) } else { events::append(self, events) }
    }

    pub(crate) fn poison(&self) -> Option<&Poison> {
        self.poison.as_ref()
    }

    /// Poisons the unit with a fault of the program.
    pub(crate) fn refuse(&mut self, error: Error) {
        self.poison.get_or_insert_with(|| Poison { fault: Fault::Statement, first: error.to_string() });
    }

    fn attempt<T>(&mut self, f: impl FnOnce(&mut Conn<'t>) -> Result<T, Failure>) -> Result<T> {
        if let Some(poison) = &self.poison {
            return Err(Error::Poisoned { first: poison.first.clone() });
        }
        f(&mut self.conn).map_err(|failure| {
            self.poison = Some(Poison { fault: failure.fault, first: failure.error.to_string() });
            failure.error
        })
    }
}
