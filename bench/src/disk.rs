//! What the disk alone can do: one writer that overwrites 4 KiB of an allocated file and waits for `fdatasync`.
//! Overwriting is the cheapest durable write there is, since it changes no metadata; it flatters the disk.

use crate::Failure;
use crate::summary::Latencies;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

const BLOCK_BYTES: usize = 4_096;
const FILE_BLOCKS: u64 = 4_096;

/// Measures in a file of its own, which is removed.
pub fn measure(dir: &Path, measured: Duration) -> Result<Value, Failure> {
    fs::create_dir_all(dir)?;
    let path = dir.join("fdatasync.bench");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let block = [0x5a_u8; BLOCK_BYTES];
    for n in 0..FILE_BLOCKS {
        file.write_all_at(&block, n * BLOCK_BYTES as u64)?;
    }
    file.sync_all()?;

    let mut seen = Latencies::default();
    let (started, mut n) = (Instant::now(), 0);
    while started.elapsed() < measured {
        let before = Instant::now();
        file.write_all_at(&block, (n % FILE_BLOCKS) * BLOCK_BYTES as u64)?;
        file.sync_data()?;
        seen.note(before.elapsed());
        n += 1;
    }
    let elapsed = started.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    Ok(json!({ "syncs": n, "per_second": n as f64 / elapsed, "latency": seen.into_json() }))
}
