//! SQLite: one file, one process, one writer thread that lets many units share a commit, and readers beside it.

pub(crate) mod backup;
mod checkpoint;
mod reader;
pub(crate) mod value;
mod writer;

use crate::engine::{Failure, Fault, RowSink};
use crate::shared::Shared;
use crate::unit::Task;
use crate::value::RowKind;
use crate::{Arg, Config, Error, Result, Row, limits};
use crossbeam_channel::Receiver;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What [`open`] started.
pub(crate) struct Opened {
    pub threads: Vec<JoinHandle<()>>,
}

/// Opens the file (creates it where there is none) and starts the threads.
pub(crate) fn open(
    path: &Path,
    config: &Config,
    shared: &Arc<Shared>,
    writes: Receiver<Task>,
    reads: &Receiver<Task>,
) -> Result<Opened> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        private_directory(parent)
            .map_err(|error| Error::Open(format!("{} cannot be created: {error}", parent.display())))?;
    }
    let lock = lock(path)?;
    create_private(path)?;
    let mut threads = Vec::new();
    let writer = writer::Writer::open(path, config, shared.clone(), lock)?;
    let checkpointer = checkpoint::Checkpointer::open(path, shared.clone(), writer.wal_pages())?;
    let (stop_checkpoints, stopped) = crossbeam_channel::bounded::<()>(0);
    threads.push(spawn("sqlite-checkpoint", move || checkpointer.run(&stopped))?);
    threads.push(spawn("sqlite-writer", move || {
        writer.run(&writes);
        drop(stop_checkpoints); // the writer ends last: it holds the lock and empties the log
    })?);
    for n in 0..config.sqlite_readers.max(1) {
        let reader = reader::Reader::open(path, config, shared.clone())?;
        let reads = reads.clone();
        threads.push(spawn(&format!("sqlite-reader-{n}"), move || reader.run(&reads))?);
    }
    Ok(Opened { threads })
}

pub(crate) fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(f)
        .map_err(|error| Error::Open(format!("a thread cannot be started: {error}")))
}

/// Creates the file, where it is new, for its owner alone: it will hold what nobody else may read. SQLite gives the
/// two files beside it the same permissions.
fn create_private(path: &Path) -> Result<()> {
    let created = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    created.map(drop).map_err(|error| Error::Open(format!("{} cannot be opened: {error}", path.display())))
}

/// Creates a directory and its parents, where they are new, for their owner alone.
pub(crate) fn private_directory(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// One process a file: SQLite would let two in, and then each would read what the other has half told its callers.
fn lock(path: &Path) -> Result<File> {
    let lock_path = beside(path, "lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&lock_path)
        .map_err(|error| Error::Open(format!("{} cannot be opened: {error}", lock_path.display())))?;
    // A process that has just ended, or one that was forked and has not yet become another program, holds the lock for a
    // moment longer: a restart must not fail for that.
    let patience = Instant::now() + limits::LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                std::thread::sleep(limits::LOCK_RETRY)
            }
            Err(TryLockError::WouldBlock) => {
                let detail = format!("{} is in use by another process; stop that one first", path.display());
                return Err(Error::Open(detail));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::Open(format!("{} cannot be locked: {error}", lock_path.display())));
            }
        }
    }
}

/// `data.db` → `data.db-lock`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-");
    name.push(suffix);
    PathBuf::from(name)
}

/// How the file is opened by every connection of ours.
fn connect(path: &Path) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let cannot =
        |error: rusqlite::Error| Error::Open(format!("{} cannot be opened: {error}", path.display()));
    let conn = Connection::open_with_flags(path, flags).map_err(cannot)?;
    conn.busy_timeout(Duration::from_secs(5)).map_err(cannot)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;",
    )
    .map_err(cannot)?;
    conn.pragma_update(None, "cache_size", -limits::SQLITE_CACHE_KIB).map_err(cannot)?;
    conn.set_prepared_statement_cache_capacity(limits::STATEMENTS_CACHED_MAX);
    Ok(conn)
}

/// Bounds the statements of a unit: SQLite asks it every so many steps whether to go on.
#[derive(Clone)]
struct Deadline {
    opened: Instant,
    /// Nanoseconds after `opened`; 0 for none.
    at: Arc<AtomicU64>,
}

impl Deadline {
    /// Steps of SQLite's virtual machine between two looks: some tens of microseconds.
    const STEPS: i32 = 4_000;

    fn install(conn: &mut Connection) -> Result<Self> {
        let deadline = Self { opened: Instant::now(), at: Arc::new(AtomicU64::new(0)) };
        let probe = deadline.clone();
        conn.progress_handler(Self::STEPS, Some(move || probe.is_over()))
            .map_err(|error| Error::Open(format!("no progress handler: {error}")))?;
        Ok(deadline)
    }

    fn set(&self, budget: Option<Duration>) {
        let at = budget.map_or(0, |budget| (self.opened.elapsed() + budget).as_nanos() as u64);
        self.at.store(at, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != 0 && self.opened.elapsed().as_nanos() as u64 > at
    }
}

pub(crate) fn exec(conn: &Connection, sql: &str, args: &[Arg<'_>]) -> Result<u64, Failure> {
    let mut statement = conn.prepare_cached(sql).map_err(failure)?;
    value::bind(&mut statement, args)?;
    Ok(statement.raw_execute().map_err(failure)? as u64)
}

pub(crate) fn query(
    conn: &Connection,
    sql: &str,
    args: &[Arg<'_>],
    sink: RowSink<'_>,
) -> Result<(), Failure> {
    let mut statement = conn.prepare_cached(sql).map_err(failure)?;
    value::bind(&mut statement, args)?;
    let writes = !statement.readonly();
    let mut rows = statement.raw_query();
    let mut wanted = true;
    while let Some(row) = rows.next().map_err(failure)? {
        // Asked after the step, which prepares the statement anew when the schema has changed.
        let columns = row.as_ref().column_count();
        wanted = wanted && sink(&Row(RowKind::Lite { row, columns }))?;
        // A reading query may stop early. One that writes (RETURNING) must be stepped to its end to be complete.
        if !wanted && !writes {
            break;
        }
    }
    Ok(())
}

pub(crate) fn control(conn: &Connection, sql: &str) -> Result<(), Failure> {
    conn.prepare_cached(sql).and_then(|mut statement| statement.raw_execute()).map(drop).map_err(failure)
}

/// What an error of the driver means.
pub(crate) fn failure(error: rusqlite::Error) -> Failure {
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        let error = match error {
            rusqlite::Error::SqlInputError { msg, sql, .. } => {
                Error::Backend(format!("{msg} in: {sql}").into())
            }
            rusqlite::Error::ExecuteReturnedResults => {
                Error::Argument("exec was given a statement that returns rows; use one, opt or all".into())
            }
            other => Error::Backend(Box::new(other)),
        };
        return Failure { error, fault: Fault::Statement };
    };
    let text = message.as_deref().unwrap_or("");
    let (error, fault) = match (code.code, code.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            (Error::Unique { constraint: unique_constraint(text) }, Fault::Statement)
        }
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => (Error::ForeignKey, Fault::Statement),
        (ErrorCode::ConstraintViolation, _) => {
            (Error::Check { constraint: text.to_owned() }, Fault::Statement)
        }
        (ErrorCode::OperationInterrupted, _) => (Error::Timeout, Fault::Statement),
        (ErrorCode::DiskFull, _) => (Error::Full, Fault::Statement),
        (ErrorCode::SystemIoFailure, _) => (Error::Backend(Box::new(error)), Fault::Disk),
        _ => (Error::Backend(Box::new(error)), Fault::Statement),
    };
    Failure { error, fault }
}

/// "UNIQUE constraint failed: forms.tenant_id, forms.slug" → `forms(tenant_id, slug)`;
/// "UNIQUE constraint failed: index 'forms_by_slug'" → `forms_by_slug`.
fn unique_constraint(message: &str) -> String {
    let list = message.rsplit_once("failed: ").map_or(message, |(_, list)| list);
    if let Some(index) = list.strip_prefix("index ") {
        return index.trim_matches('\'').to_owned();
    }
    let columns: Vec<(&str, &str)> = list.split(", ").filter_map(|column| column.split_once('.')).collect();
    match columns.first() {
        Some((table, _)) => {
            let names: Vec<&str> = columns.iter().map(|(_, name)| *name).collect();
            format!("{table}({})", names.join(", "))
        }
        None => list.to_owned(),
    }
}
