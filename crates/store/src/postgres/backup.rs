//! Dumps of a PostgreSQL database, by the server's own programs, and the way back.

use super::conn::error_chain;
use crate::backup::cannot;
use crate::{Error, Result};
use postgres::config::Host;
use postgres::{Config, NoTls};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes a dump of the database at `url` into the new file `to` and reads its table of contents back.
pub(crate) fn dump(url: &str, to: &Path) -> Result<()> {
    let config = parse(url)?;
    let mut dump = program("pg_dump", &config)?;
    dump.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(to);
    run(dump, "pg_dump")?;
    let mut list = program("pg_restore", &config)?;
    list.arg("--list").arg(to);
    run(list, "pg_restore --list")
}

/// Loads a dump into an empty database, all of it or nothing.
pub(crate) fn load(copy: &Path, url: &str) -> Result<()> {
    let config = parse(url)?;
    refuse_unless_empty(&config)?;
    let mut restore = program("pg_restore", &config)?;
    restore.args(["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]);
    restore.arg("--dbname").arg(config.get_dbname().unwrap_or("postgres")).arg(copy);
    run(restore, "pg_restore")
}

fn parse(url: &str) -> Result<Config> {
    url.parse().map_err(|error| Error::Backup(format!("the address of the database is not valid: {error}")))
}

fn refuse_unless_empty(config: &Config) -> Result<()> {
    const TABLES: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')";
    let failed = |error: postgres::Error| {
        Error::Backup(format!("the target cannot be looked at: {}", error_chain(&error)))
    };
    let mut client = config.connect(NoTls).map_err(failed)?;
    let tables: i64 = client.query_one(TABLES, &[]).and_then(|row| row.try_get(0)).map_err(failed)?;
    if tables == 0 {
        return Ok(());
    }
    Err(Error::Backup(format!(
        "the target database has {tables} tables; a restore never overwrites: create an empty one"
    )))
}

/// A program of PostgreSQL's client package with the connection in its environment, where `ps` does not show it.
fn program(name: &str, config: &Config) -> Result<Command> {
    let path = find(name).ok_or_else(|| {
        Error::Backup(format!(
            "{name} was not found; install PostgreSQL's client programs (Debian: apt-get install postgresql-client), in \
             the server's version or later"
        ))
    })?;
    let mut command = Command::new(path);
    match config.get_hosts().first() {
        Some(Host::Tcp(host)) => command.env("PGHOST", host),
        Some(Host::Unix(directory)) => command.env("PGHOST", directory),
        None => &mut command,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let settings = [
        ("PGPORT", config.get_ports().first().map(u16::to_string)),
        ("PGUSER", config.get_user().map(str::to_owned)),
        ("PGPASSWORD", config.get_password().map(text)),
        ("PGDATABASE", config.get_dbname().map(str::to_owned)),
    ];
    command.envs(settings.into_iter().filter_map(|(name, value)| Some((name, value?))));
    Ok(command)
}

/// On the path, or where Debian keeps the versions side by side; there the newest, which reads every older server.
fn find(name: &str) -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort_by_key(|bin| {
        let version =
            bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    versions
        .into_iter()
        .chain(on_path.into_iter().flatten())
        .map(|bin| bin.join(name))
        .find(|path| path.is_file())
}

fn run(mut command: Command, name: &str) -> Result<()> {
    let done = command.output().map_err(|error| cannot("run", Path::new(name), &error))?;
    if done.status.success() {
        return Ok(());
    }
    Err(Error::Backup(format!("{name} failed: {}", String::from_utf8_lossy(&done.stderr).trim())))
}
