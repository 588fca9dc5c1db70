//! What can go wrong between a unit of work and the disk.

use plinth_kernel::{Code, Problem};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// [`Tx::one`](crate::Tx::one) found no row.
    #[error("no such row")]
    NotFound,
    /// A unique constraint: `table(column, …)`, or the index's name when it indexes an expression.
    #[error("already exists: {constraint}")]
    Unique {
        /// Which one, alike on both engines.
        constraint: String,
    },
    /// A row that is referred to does not exist, or one that is to go is still referred to.
    #[error("a foreign key is violated")]
    ForeignKey,
    /// A `CHECK` or `NOT NULL` constraint, or a value of the wrong type for its column.
    #[error("a constraint is violated: {constraint}")]
    Check {
        /// The engine's words for it.
        constraint: String,
    },
    /// The row changed since it was read (a version check met no row). For units of work to return.
    #[error("the row has changed since it was read")]
    Stale,
    /// Concurrent units kept colliding until the retries ran out.
    #[error("could not be serialised with concurrent units of work")]
    Serialization,
    /// The queue is full, or the unit waited in it for too long. Nothing was done.
    #[error("too much work is waiting")]
    Overloaded {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// A statement ran longer than it may. The unit was undone.
    #[error("a statement took too long")]
    Timeout,
    /// The unit of work panicked. It was undone.
    #[error("the unit of work panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The unit went on, or ended well, after one of its statements had failed. It was undone. Use
    /// [`Tx::savepoint`](crate::Tx::savepoint) where a failure is expected.
    #[error("an earlier statement of this unit of work failed: {first}")]
    Poisoned {
        /// What the earlier statement failed with.
        first: String,
    },
    /// The connection was lost, or the disk failed, while the commit was under way: it may have happened or not.
    #[error("the outcome of the commit is not known")]
    CommitUnknown,
    /// The commit failed. The unit was undone, with every other that shared the commit.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// The disk, or the quota, is full. The unit was undone; reads go on.
    #[error("the storage is full")]
    Full,
    /// The query has more than [`ROWS_MAX`](crate::limits::ROWS_MAX) rows.
    #[error("more rows than {max}; ask for a page")]
    TooManyRows {
        /// The limit.
        max: usize,
    },
    /// The store is closed, or has stopped itself after the disk failed.
    #[error("the store is closed")]
    Closed,
    /// A column is not of the type it was read as. A fault of the program or of the data.
    #[error("column {index}: expected {expected}, found {found}")]
    Column {
        /// Which column, from 0.
        index: usize,
        /// The type it was read as.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Arguments that do not fit their statement. A fault of the program.
    #[error("arguments do not fit the statement: {0}")]
    Argument(String),
    /// A text holds U+0000, which PostgreSQL cannot store: refused on both engines. A fault of the caller's input.
    #[error("text must not contain the character U+0000")]
    NulInText,
    /// An event that may not be appended. A fault of the program.
    #[error("event refused: {0}")]
    Event(String),
    /// A migration cannot be applied.
    #[error("migration {system}/{number:04}: {reason}")]
    Migration {
        /// Whose migration.
        system: String,
        /// Which one.
        number: u32,
        /// Why, and what to do.
        reason: String,
    },
    /// A backup or restore that was refused or failed; the text says what to do.
    #[error("{0}")]
    Backup(String),
    /// The store cannot be opened; the text says what to do.
    #[error("{0}")]
    Open(String),
    /// PostgreSQL cannot be reached, or the connection was lost before anything was committed.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Anything else that the engine said.
    #[error("the database says: {0}")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether it names a unique constraint of this table, `error.is_unique_in("forms")`, or the unique index of this
    /// name where the index is over an expression.
    #[must_use]
    pub fn is_unique_in(&self, table: &str) -> bool {
        matches!(self, Error::Unique { constraint }
            if constraint.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('(')))
    }

    /// An equal error for every unit that shared the failed operation: causes that cannot be copied become text.
    pub(crate) fn shared(&self) -> Error {
        match self {
            Error::Full => Error::Full,
            Error::ForeignKey => Error::ForeignKey,
            Error::Closed => Error::Closed,
            Error::CommitUnknown => Error::CommitUnknown,
            Error::Unavailable(why) => Error::Unavailable(why.clone()),
            Error::Commit(why) => Error::Commit(why.clone()),
            other => Error::Commit(other.to_string()),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = match &error {
            Error::NotFound => Problem::new(Code::NotFound, "There is no such thing."),
            Error::Unique { .. } => {
                Problem::new(Code::Conflict, "Something with this name or key exists already.")
            }
            Error::ForeignKey => Problem::new(
                Code::Conflict,
                "It refers to something that does not exist, or is still referred to.",
            ),
            Error::Stale => Problem::new(
                Code::PreconditionFailed,
                "It has changed since you read it. Read it again, then repeat.",
            ),
            Error::Serialization => Problem::new(
                Code::Overloaded,
                "Too many changes to the same thing at once; nothing was changed.",
            )
            .retry_after_ms(crate::limits::OVERLOADED_RETRY_AFTER_MS),
            Error::Overloaded { retry_after_ms } => Problem::new(
                Code::Overloaded,
                "The store has more work than it can do well; nothing was changed.",
            )
            .retry_after_ms(*retry_after_ms),
            Error::Timeout => Problem::new(Code::Timeout, "The work took too long; nothing was changed."),
            Error::CommitUnknown => Problem::new(
                Code::CommitUnknown,
                "The database was lost while committing. Repeat the request with the same idempotency key.",
            ),
            Error::NulInText => {
                Problem::new(Code::ValidationFailed, "Text must not contain the character U+0000.")
            }
            Error::Full => {
                Problem::new(Code::StorageFull, "The disk is full; nothing was changed. Reads go on.")
            }
            Error::Closed => Problem::new(Code::Unavailable, "The server is shutting down."),
            Error::Unavailable(_) => {
                Problem::new(Code::Unavailable, "The database cannot be reached; nothing was changed.")
                    .retry_after_ms(crate::limits::OVERLOADED_RETRY_AFTER_MS)
            }
            _ => Problem::internal(&error),
        };
        problem.caused_by(error)
    }
}
