//! One connection, its prepared statements, and what its errors mean.

use super::value::{Bound, fits};
use crate::engine::{Failure, Fault, RowSink};
use crate::value::RowKind;
use crate::{Arg, Config, Error, Result, Row, limits};
use postgres::error::{DbError, SqlState};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, NoTls, Statement};
use std::collections::HashMap;
use std::time::Duration;

/// How connections are made.
pub(crate) struct Settings {
    pub config: postgres::Config,
    session: String,
}

impl Settings {
    pub fn new(url: &str, config: &Config) -> Result<Self> {
        let mut parsed: postgres::Config = url
            .parse()
            .map_err(|error| Error::Open(format!("the address of the database is not valid: {error}")))?;
        if parsed.get_connect_timeout().is_none() {
            parsed.connect_timeout(limits::CONNECT_TIMEOUT);
        }
        if parsed.get_application_name().is_none() {
            parsed.application_name("plinth");
        }
        // A peer that vanished without a word is noticed within a minute, not after the kernel's two hours.
        parsed.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
        // Single statements run without BEGIN: the session's default makes them read-only, and units that write say so.
        let session = format!(
            "SET default_transaction_read_only = on; SET statement_timeout = {}; SET lock_timeout = {}; \
             SET idle_in_transaction_session_timeout = 30000; SET timezone = 'UTC'; \
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
            config.statement_timeout.as_millis(),
            config.lock_timeout.as_millis(),
        );
        Ok(Self { config: parsed, session })
    }

    /// A connection for units of work.
    pub fn connect(&self) -> Result<PgConn, Failure> {
        let mut client = self.raw()?;
        client.batch_execute(&self.session).map_err(|error| failure(error, true))?;
        Ok(PgConn { client, statements: HashMap::new() })
    }

    /// A connection without any setting. The one place where TLS would come in.
    pub fn raw(&self) -> Result<Client, Failure> {
        self.config.connect(NoTls).map_err(|error| Failure {
            error: Error::Unavailable(error_chain(&error)),
            fault: Fault::ConnectionLost,
        })
    }
}

/// A connection that a worker owns.
pub(crate) struct PgConn {
    client: Client,
    /// Keyed by the text, which is a constant of the program, so that there are only so many.
    statements: HashMap<&'static str, Statement>,
}

impl PgConn {
    pub fn exec(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, Failure> {
        let statement = self.prepare(sql)?;
        check(&statement, args)?;
        // `query_raw` takes the arguments by iterator and so needs no second vector; the count comes with the end.
        let result = self.client.query_raw(&statement, args.iter().map(|arg| Bound(*arg)));
        let result = result.and_then(|mut rows| {
            while rows.next()?.is_some() {}
            Ok(rows.rows_affected().unwrap_or(0))
        });
        result.map_err(|error| self.failure(error))
    }

    pub fn query(&mut self, sql: &'static str, args: &[Arg<'_>], sink: RowSink<'_>) -> Result<(), Failure> {
        let statement = self.prepare(sql)?;
        check(&statement, args)?;
        let mut refused = None;
        let result =
            self.client.query_raw(&statement, args.iter().map(|arg| Bound(*arg))).and_then(|mut rows| {
                let mut wanted = true;
                // Read to the end even when no more rows are wanted: an error may stand behind them.
                while let Some(row) = rows.next()? {
                    if wanted {
                        wanted = sink(&Row(RowKind::Pg(&row))).unwrap_or_else(|error| {
                            refused = Some(error);
                            false
                        });
                    }
                }
                Ok(())
            });
        result.map_err(|error| self.failure(error))?;
        refused.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Runs statements without arguments.
    pub fn script(&mut self, text: &str) -> Result<(), Failure> {
        self.client.batch_execute(text).map_err(|error| self.failure(error))
    }

    /// A setting of the server.
    pub fn setting(&mut self, name: &'static str) -> Result<String> {
        let mut value = String::new();
        self.query("SELECT current_setting($1)", &[Arg::Text(name)], &mut |row| {
            value = row.get(0)?;
            Ok(false)
        })
        .map_err(|failure| failure.error)?;
        Ok(value)
    }

    /// After a change of the schema the plans made before it do not fit any more.
    pub fn forget_statements(&mut self) {
        self.statements.clear();
    }

    fn prepare(&mut self, sql: &'static str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(|error| self.failure(error))?;
        if self.statements.len() >= limits::STATEMENTS_CACHED_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    fn failure(&self, error: postgres::Error) -> Failure {
        failure(error, self.client.is_closed())
    }
}

fn check(statement: &Statement, args: &[Arg<'_>]) -> Result<()> {
    let params = statement.params();
    if params.len() != args.len() {
        return Err(Error::Argument(format!(
            "{} given, but the statement takes {}",
            args.len(),
            params.len()
        )));
    }
    for (number, (arg, ty)) in args.iter().zip(params).enumerate() {
        if !fits(arg, ty) {
            return Err(Error::Argument(format!("${} is {}, but {ty} is expected", number + 1, arg.kind())));
        }
    }
    Ok(())
}

/// What an error of the driver means; `closed` when the connection did not survive it.
fn failure(error: postgres::Error, closed: bool) -> Failure {
    let lost = |why: String| Failure { error: Error::Unavailable(why), fault: Fault::ConnectionLost };
    let Some(db) = error.as_db_error() else {
        let is_io = std::error::Error::source(&error).is_some_and(|source| source.is::<std::io::Error>());
        return if closed || error.is_closed() || is_io {
            lost(error_chain(&error))
        } else {
            Error::Backend(Box::new(error)).into()
        };
    };
    let collision = Failure { error: Error::Serialization, fault: Fault::Collision };
    match db.code() {
        &SqlState::UNIQUE_VIOLATION => Error::Unique { constraint: unique_constraint(db) }.into(),
        &SqlState::FOREIGN_KEY_VIOLATION | &SqlState::RESTRICT_VIOLATION => Error::ForeignKey.into(),
        &SqlState::CHECK_VIOLATION | &SqlState::NOT_NULL_VIOLATION => {
            Error::Check { constraint: db.message().to_owned() }.into()
        }
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::LOCK_NOT_AVAILABLE => collision,
        &SqlState::QUERY_CANCELED => Error::Timeout.into(),
        &SqlState::DISK_FULL => Error::Full.into(),
        &SqlState::FEATURE_NOT_SUPPORTED if db.message().contains("cached plan") => {
            Failure { error: Error::Serialization, fault: Fault::StalePlan }
        }
        code if closed || ends_connection(code) => lost(db.message().to_owned()),
        _ => Error::Backend(format!("{} ({})", db.message(), db.code().code()).into()).into(),
    }
}

/// Whether the server says with this code that it ends the connection, or cannot take one now.
fn ends_connection(code: &SqlState) -> bool {
    let code = code.code();
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300")
}

/// `forms(tenant_id, slug)`, as SQLite's side says it, or the index's name when it indexes an expression.
fn unique_constraint(db: &DbError) -> String {
    let columns = db
        .detail()
        .and_then(|detail| detail.strip_prefix("Key (")?.split_once(")="))
        .map(|(columns, _)| columns);
    match (db.table(), columns) {
        (Some(table), Some(columns)) if !columns.contains('(') => format!("{table}({columns})"),
        _ => db.constraint().unwrap_or_else(|| db.message()).to_owned(),
    }
}

/// The error and its causes in one line: the driver's own text is only "db error" or "error connecting to server".
pub(super) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
