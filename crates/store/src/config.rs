//! How a store is opened.

use crate::{Engine, Error, Result, limits};
use std::path::PathBuf;
use std::time::Duration;

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite's; it is created where there is none. Two more stand beside it while it is open.
    Sqlite(PathBuf),
    /// A `postgres://` URL or a `key=value` connection string.
    Postgres(String),
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Location::Postgres(_) => f.write_str("postgres://…"), // it may hold a password
        }
    }
}

/// Where the data is and how hard it may be worked. The defaults are those of [`limits`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the data is.
    pub location: Location,
    /// Units that may wait for the writer, and reads for a reader.
    pub queue_capacity: usize,
    /// How long a unit may wait in the queue before it is refused.
    pub queue_wait_max: Duration,
    /// SQLite: units that share a commit at most.
    pub batch_units_max: usize,
    /// SQLite: how long units are collected into one commit.
    pub batch_budget: Duration,
    /// SQLite: how long the statements of one unit may run.
    pub write_deadline: Duration,
    /// How long the statements of one read may run.
    pub read_deadline: Duration,
    /// SQLite: connections that read.
    pub sqlite_readers: usize,
    /// PostgreSQL: connections of this process, the two that carry wake-ups not counted.
    pub postgres_connections: usize,
    /// PostgreSQL: how long one statement may run.
    pub statement_timeout: Duration,
    /// PostgreSQL: how long a statement may wait for a lock.
    pub lock_timeout: Duration,
}

impl Config {
    /// The defaults for this location.
    #[must_use]
    pub fn new(location: Location) -> Self {
        Self {
            location,
            queue_capacity: limits::QUEUE_CAPACITY,
            queue_wait_max: limits::QUEUE_WAIT_MAX,
            batch_units_max: limits::BATCH_UNITS_MAX,
            batch_budget: limits::BATCH_BUDGET,
            write_deadline: limits::WRITE_DEADLINE,
            read_deadline: limits::READ_DEADLINE,
            sqlite_readers: limits::SQLITE_READERS,
            postgres_connections: limits::POSTGRES_CONNECTIONS,
            statement_timeout: limits::STATEMENT_TIMEOUT,
            lock_timeout: limits::LOCK_TIMEOUT,
        }
    }

    /// The defaults for a SQLite file.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::new(Location::Sqlite(path.into()))
    }

    /// The defaults for a PostgreSQL server.
    pub fn postgres(url: impl Into<String>) -> Self {
        Self::new(Location::Postgres(url.into()))
    }

    /// Reads `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    pub fn parse(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Self::sqlite(path.strip_prefix("//").unwrap_or(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::postgres(url));
        }
        Err(Error::Open("the database must be given as sqlite:PATH or postgres://…".into()))
    }

    /// Which engine it names.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.location {
            Location::Sqlite(_) => Engine::Sqlite,
            Location::Postgres(_) => Engine::Postgres,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_engine() {
        for (url, location) in [
            ("sqlite:data/plinth.db", Location::Sqlite("data/plinth.db".into())),
            ("sqlite:///var/lib/plinth.db", Location::Sqlite("/var/lib/plinth.db".into())),
            ("postgres://u@h/d", Location::Postgres("postgres://u@h/d".into())),
            ("postgresql://u@h/d", Location::Postgres("postgresql://u@h/d".into())),
        ] {
            assert_eq!(Config::parse(url).map(|config| config.location).ok(), Some(location));
        }
        assert!(Config::parse("mysql://h/d").is_err());
        assert!(Config::parse("plinth.db").is_err());
    }

    #[test]
    fn a_password_is_not_shown() {
        assert!(!format!("{:?}", Config::postgres("postgres://u:sesame@h/d")).contains("sesame"));
    }
}
