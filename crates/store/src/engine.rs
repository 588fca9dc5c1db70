//! What the two engines have in common: a connection that a unit runs on, and the words for its failures.

use crate::postgres::conn::PgConn;
use crate::{Arg, Error, Result, Row, Sql};

/// Which engine keeps the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// A file on this machine, opened by this process alone.
    Sqlite,
    /// A PostgreSQL server, 15 or later.
    Postgres,
}

impl Engine {
    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a failure means for the engine, whatever the closure makes of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The statement failed: undo the unit.
    Statement,
    /// It collided with a concurrent unit: undo it and run it again.
    Collision,
    /// A prepared plan no longer fits the schema: forget the plans and run it again.
    StalePlan,
    /// The connection is gone, and with it everything uncommitted: run it again on a new one.
    ConnectionLost,
    /// The disk failed: what is in memory can no longer be trusted.
    Disk,
}

/// A failure of the engine.
#[derive(Debug)]
pub(crate) struct Failure {
    pub error: Error,
    pub fault: Fault,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, fault: Fault::Statement }
    }
}

/// Takes rows one by one; `Ok(false)` ends the query early.
pub(crate) type RowSink<'s> = &'s mut dyn FnMut(&Row<'_>) -> Result<bool>;

/// The connection under a unit of work.
pub(crate) enum Conn<'t> {
    Lite(&'t rusqlite::Connection),
    Pg(&'t mut PgConn),
}

impl Conn<'_> {
    pub fn engine(&self) -> Engine {
        match self {
            Conn::Lite(_) => Engine::Sqlite,
            Conn::Pg(_) => Engine::Postgres,
        }
    }

    pub fn exec(&mut self, sql: Sql, args: &[Arg<'_>]) -> Result<u64, Failure> {
        refuse_control(sql.lite)?;
        refuse_unstorable(args)?;
        match self {
            Conn::Lite(conn) => crate::sqlite::exec(conn, sql.lite, args),
            Conn::Pg(conn) => conn.exec(sql.pg, args),
        }
    }

    pub fn query(&mut self, sql: Sql, args: &[Arg<'_>], sink: RowSink<'_>) -> Result<(), Failure> {
        refuse_control(sql.lite)?;
        refuse_unstorable(args)?;
        match self {
            Conn::Lite(conn) => crate::sqlite::query(conn, sql.lite, args, sink),
            Conn::Pg(conn) => conn.query(sql.pg, args, sink),
        }
    }

    /// A statement of transaction control: the same on both engines, without arguments.
    pub fn control(&mut self, sql: &'static str) -> Result<(), Failure> {
        match self {
            Conn::Lite(conn) => crate::sqlite::control(conn, sql),
            Conn::Pg(conn) => conn.script(sql),
        }
    }

    pub fn script(&mut self, text: &str) -> Result<(), Failure> {
        match self {
            Conn::Lite(conn) => conn.execute_batch(text).map_err(crate::sqlite::failure),
            Conn::Pg(conn) => conn.script(text),
        }
    }
}

/// Refuses transaction control: on SQLite a unit shares its transaction with its neighbours, and a `COMMIT` of its own
/// would make theirs durable before they have ended.
fn refuse_control(sql: &str) -> Result<()> {
    const CONTROL: [&str; 9] =
        ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE"];
    let text = sql.trim_start();
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    if CONTROL.iter().any(|control| word.eq_ignore_ascii_case(control)) {
        return Err(Error::Argument(format!("{word} is not a unit's business; use Tx::savepoint")));
    }
    Ok(())
}

/// Refuses on both engines what one of them cannot keep: U+0000 in a text (PostgreSQL), and not-a-number, which
/// SQLite turns into `NULL`.
fn refuse_unstorable(args: &[Arg<'_>]) -> Result<()> {
    for arg in args {
        match arg {
            Arg::Text(text) if text.as_bytes().contains(&0) => return Err(Error::NulInText),
            Arg::Real(number) if number.is_nan() => return Err(Error::Argument("not a number".into())),
            _ => {}
        }
    }
    Ok(())
}
