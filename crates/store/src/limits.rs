//! Every limit of the store, in one place. What operators may want to change is a field of
//! [`Config`](crate::Config) whose default stands here.

use std::time::Duration;

/// Rows that [`Tx::all`](crate::Tx::all) and [`Store::list`](crate::Store::list) return at most. More is an error,
/// never a silent cut: a page is asked for with `LIMIT`.
pub const ROWS_MAX: usize = 10_000;

/// Units of work that may wait for the writer (and, separately, reads that may wait for a reader).
pub const QUEUE_CAPACITY: usize = 4_096;

/// Units of work that share one commit at most.
pub const BATCH_UNITS_MAX: usize = 256;

/// How long the SQLite writer goes on collecting units into one commit.
pub const BATCH_BUDGET: Duration = Duration::from_millis(5);

/// How long the statements of one unit may run on the SQLite writer: everybody else waits behind it. Far above what a
/// unit needs, so that a machine which stalls for a moment fails nobody.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(1);

/// How long the statements of one read may run. A snapshot held open keeps the write-ahead log from shrinking.
pub const READ_DEADLINE: Duration = Duration::from_secs(5);

/// How long a unit may wait in the queue before it is refused instead of started: its caller has given up or
/// would rather be told.
pub const QUEUE_WAIT_MAX: Duration = Duration::from_secs(5);

/// What a refused caller is told to wait before it tries again.
pub const OVERLOADED_RETRY_AFTER_MS: u64 = 500;

/// SQLite connections that read.
pub const SQLITE_READERS: usize = 4;

/// Pages that each SQLite connection keeps in memory. Small: there are several, and what one of them misses is in the
/// operating system's cache.
pub const SQLITE_CACHE_KIB: i64 = 4 << 10;

/// PostgreSQL connections of one process.
pub const POSTGRES_CONNECTIONS: usize = 16;

/// One PostgreSQL worker in this many takes writes only, so that slow reads cannot hold every connection.
pub const POSTGRES_WRITE_ONLY_SHARE: usize = 4;

/// `statement_timeout` of every PostgreSQL connection.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// `lock_timeout` of every PostgreSQL connection; expiry is retried like a deadlock.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long establishing a PostgreSQL connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a unit is run again after a serialisation failure, a deadlock or a lock timeout.
pub const RETRIES_MAX: u32 = 5;

/// Prepared statements kept on each connection.
pub const STATEMENTS_CACHED_MAX: usize = 512;

/// New bytes in the write-ahead log after which the checkpointer copies it into the database file.
pub const CHECKPOINT_BYTES: u64 = 16 << 20;

/// Size of the write-ahead log from which the checkpointer insists on emptying it.
pub const WAL_TRUNCATE_BYTES: u64 = 256 << 20;

/// How often the checkpointer looks.
pub const CHECKPOINT_TICK: Duration = Duration::from_millis(250);

/// Partitions of the event log. Part of the stored format: it never changes for an existing database.
pub const PARTITIONS: u16 = 64;

/// Events that one unit of work may emit.
pub const EVENTS_PER_UNIT_MAX: usize = 1_000;

/// Bytes of an event's data as JSON text.
pub const EVENT_BYTES_MAX: usize = 256 << 10;

/// How long opening a SQLite file waits for a lock that another process holds.
pub const LOCK_PATIENCE: Duration = Duration::from_millis(1_000);

/// How often it looks while it waits.
pub const LOCK_RETRY: Duration = Duration::from_millis(20);
