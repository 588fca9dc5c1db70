//! Backups: a directory with a copy that was checked, and a manifest that says what it is.
//!
//! The manifest is written last. A directory without one is an attempt, not a backup.

use crate::store::on_thread;
use crate::{Config, Error, Location, Result, Store, migrate};
use plinth_kernel::{Micros, World};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Name of the manifest within a backup.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Layout of the directory; raised when it changes.
const FORMAT: u32 = 1;

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of the directory.
    pub format: u32,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// When it was taken, RFC 3339.
    pub created_at: String,
    /// The version that took it.
    pub product_version: String,
    /// Name of the copy in the directory.
    pub file: String,
    /// Size of the copy.
    pub bytes: u64,
    /// SHA-256 of the copy, hexadecimal.
    pub sha256: String,
    /// The highest migration of each system that it holds.
    pub schemas: BTreeMap<String, u32>,
}

/// Reads a backup's manifest and compares the copy with it.
///
/// # Errors
/// [`Error::Backup`] when it is not a backup, or not the one that was taken.
pub fn verify(directory: &Path) -> Result<Manifest> {
    let path = directory.join(MANIFEST_FILE);
    let text = fs::read_to_string(&path).map_err(|error| cannot("read", &path, &error))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| cannot("understand", &path, &error))?;
    if manifest.format != FORMAT {
        return Err(Error::Backup(format!(
            "this backup has format {}; this version reads {FORMAT}",
            manifest.format
        )));
    }
    // The name comes from a file that somebody may have edited: it must stay within the directory.
    if Path::new(&manifest.file).file_name().is_none_or(|name| name != manifest.file.as_str()) {
        return Err(Error::Backup(format!("{} names a file outside of the backup", path.display())));
    }
    let copy = directory.join(&manifest.file);
    let (bytes, sha256) = digest(&copy)?;
    if (bytes, &sha256) != (manifest.bytes, &manifest.sha256) {
        return Err(Error::Backup(format!(
            "{} is not what was backed up: {bytes} bytes, sha256 {sha256}; the manifest says {} bytes, sha256 {}",
            copy.display(),
            manifest.bytes,
            manifest.sha256
        )));
    }
    Ok(manifest)
}

impl Store {
    /// Copies the database into `directory` (new or empty) while it is in use: one consistent instant, opened and
    /// checked before the manifest is written.
    ///
    /// On SQLite the write-ahead log grows for as long as the copy takes. On PostgreSQL `pg_dump` does the work; point
    /// in time recovery is the server's own business.
    ///
    /// # Errors
    /// [`Error::Backup`] says what is in the way.
    pub async fn backup(&self, directory: impl Into<PathBuf>) -> Result<Manifest> {
        let schemas = self.schema_versions().await?;
        copy_into(self.config().clone(), self.world().now(), schemas, directory.into()).await
    }

    /// As [`Store::backup`], from a process beside the one that uses the database: the way of a command line. A SQLite
    /// file is read without the lock of its one writer; PostgreSQL is connected to as by any other process.
    ///
    /// # Errors
    /// [`Error::Backup`] says what is in the way.
    pub async fn backup_beside(
        config: Config,
        world: World,
        directory: impl Into<PathBuf>,
    ) -> Result<Manifest> {
        let directory = directory.into();
        match &config.location {
            // The copy tells its schema versions itself.
            Location::Sqlite(_) => copy_into(config, world.now(), BTreeMap::new(), directory).await,
            Location::Postgres(_) => {
                let store = Self::open(config, world).await?;
                let manifest = store.backup(directory).await;
                store.close().await;
                manifest
            }
        }
    }

    /// Puts a backup into a place where nothing is: a path without a file, or an empty database. Close every process
    /// that might use it first, and open a store on it afterwards.
    ///
    /// # Errors
    /// [`Error::Backup`] when the backup is damaged or of the other engine, or the target is not empty.
    pub async fn restore(directory: impl Into<PathBuf>, target: &Config) -> Result<Manifest> {
        let (directory, target): (PathBuf, Config) = (directory.into(), target.clone());
        on_thread("store-restore", move || {
            let manifest = verify(&directory)?;
            if manifest.engine != target.engine().as_str() {
                return Err(Error::Backup(format!(
                    "this is a backup of {}, but the target is {}",
                    manifest.engine,
                    target.engine()
                )));
            }
            let copy = directory.join(&manifest.file);
            match &target.location {
                Location::Sqlite(path) => crate::sqlite::backup::put(&copy, path)?,
                Location::Postgres(url) => crate::postgres::backup::load(&copy, url)?,
            }
            Ok(manifest)
        })
        .await?
    }
}

async fn copy_into(
    config: Config,
    now: Micros,
    schemas: BTreeMap<String, u32>,
    directory: PathBuf,
) -> Result<Manifest> {
    on_thread("store-backup", move || {
        prepare_directory(&directory)?;
        let (file, schemas) = match &config.location {
            Location::Sqlite(path) => {
                ("plinth.db", crate::sqlite::backup::copy(path, &directory.join("plinth.db"))?)
            }
            Location::Postgres(url) => {
                crate::postgres::backup::dump(url, &directory.join("plinth.pgdump"))?;
                ("plinth.pgdump", schemas)
            }
        };
        write_manifest(&directory, file, &config, now, schemas)
    })
    .await?
}

fn prepare_directory(directory: &Path) -> Result<()> {
    crate::sqlite::private_directory(directory).map_err(|error| cannot("create", directory, &error))?;
    let mut entries = fs::read_dir(directory).map_err(|error| cannot("read", directory, &error))?;
    if entries.next().is_some() {
        return Err(Error::Backup(format!(
            "{} is not empty; give each backup a directory of its own",
            directory.display()
        )));
    }
    Ok(())
}

fn write_manifest(
    directory: &Path,
    file: &str,
    config: &Config,
    now: Micros,
    schemas: BTreeMap<String, u32>,
) -> Result<Manifest> {
    let copy = directory.join(file);
    sync(&copy)?;
    let (bytes, sha256) = digest(&copy)?;
    let manifest = Manifest {
        format: FORMAT,
        engine: config.engine().as_str().to_owned(),
        created_at: now.to_rfc3339(),
        product_version: env!("CARGO_PKG_VERSION").to_owned(),
        file: file.to_owned(),
        bytes,
        sha256,
        schemas,
    };
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::Backup(error.to_string()))?;
    let (partial, path) = (directory.join("manifest.partial"), directory.join(MANIFEST_FILE));
    let written = File::create(&partial).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        out.sync_all()
    });
    written.and_then(|()| fs::rename(&partial, &path)).map_err(|error| cannot("write", &path, &error))?;
    sync(directory)?;
    Ok(manifest)
}

/// Waits until a file, or the names in a directory, are on the disk.
pub(crate) fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| cannot("sync", path, &error))
}

pub(crate) fn cannot(what: &str, path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Backup(format!("cannot {what} {}: {error}", path.display()))
}

fn digest(path: &Path) -> Result<(u64, String)> {
    let mut file = File::open(path).map_err(|error| cannot("open", path, &error))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(|error| cannot("read", path, &error))? {
            0 => return Ok((bytes, migrate::hex(&hash.finalize()))),
            n => {
                hash.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}
