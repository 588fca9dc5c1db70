//! Copies of a SQLite database, taken while it is in use, and the way back.

use super::{beside, connect, create_private, lock, private_directory};
use crate::backup::{cannot, sync};
use crate::{Error, Result};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for the file where somebody holds it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Copies the database at `from` into the new file `to`, checks the copy, and answers its schema versions.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<BTreeMap<String, u32>> {
    let failed = |error: rusqlite::Error| Error::Backup(format!("the copy failed: {error}"));
    let source = connect(from)?;
    create_private(to)?;
    let mut target = Connection::open(to).map_err(failed)?;
    // Until the manifest is written it is no backup: no need to survive a crash, and twice as fast without.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").map_err(failed)?;
    {
        let backup = Backup::new(&source, &mut target).map_err(failed)?;
        let started = Instant::now();
        // All pages in one step are one snapshot; in steps, each write in between would begin the copy anew.
        while backup.step(-1).map_err(failed)? != StepResult::Done {
            if started.elapsed() > PATIENCE {
                return Err(Error::Backup("the database stayed locked; try again".into()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    // The copy is a file that stands alone, not one that waits for a write-ahead log.
    target.execute_batch("PRAGMA journal_mode = DELETE").map_err(failed)?;
    check(&target, to)?;
    schema_versions(&target).map_err(failed)
}

/// Puts a copy where no database is.
pub(crate) fn put(copy: &Path, target: &Path) -> Result<()> {
    if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        private_directory(parent).map_err(|error| cannot("create", parent, &error))?;
    }
    let _lock = lock(target)?;
    for path in [target.to_owned(), beside(target, "wal"), beside(target, "shm")] {
        if path.exists() {
            return Err(Error::Backup(format!(
                "{} exists; a restore never overwrites: move it away first",
                path.display()
            )));
        }
    }
    let partial = beside(target, "restoring");
    // What an interrupted restore has left behind was never in use.
    let _ = fs::remove_file(&partial);
    fs::copy(copy, &partial).map_err(|error| cannot("write", &partial, &error))?;
    let conn = Connection::open_with_flags(&partial, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| cannot("open", &partial, &error))?;
    check(&conn, &partial)?;
    drop(conn);
    sync(&partial)?;
    fs::rename(&partial, target).map_err(|error| cannot("rename", &partial, &error))?;
    target.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync)
}

fn check(conn: &Connection, path: &Path) -> Result<()> {
    let findings: Vec<String> = conn
        .prepare("PRAGMA integrity_check")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(|error| cannot("check", path, &error))?;
    if findings == ["ok"] {
        return Ok(());
    }
    Err(Error::Backup(format!("{} is damaged: {}", path.display(), findings.join("; "))))
}

fn schema_versions(conn: &Connection) -> rusqlite::Result<BTreeMap<String, u32>> {
    let mut statement = conn.prepare("SELECT system, max(number) FROM schema_migrations GROUP BY system")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
