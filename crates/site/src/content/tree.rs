//! The files of a site: a folder on disk, or the sample that is embedded in the executable.

use super::error::{ContentErrors, Fault};
use crate::limits;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The sample content: one executable shows a site without any files beside it.
#[derive(RustEmbed)]
#[folder = "../../content/"]
#[include = "*.toml"]
#[include = "*.md"]
#[include = "*.html"]
#[include = "*.css"]
struct Sample;

/// One text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The text, with line feeds only.
    pub text: String,
    /// Seconds since the Unix epoch of its last change, where known.
    pub modified_s: Option<u64>,
}

/// Every text file of a site, by its path below the content folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// `systems/forms.md` → file.
    pub files: BTreeMap<String, File>,
}

impl Tree {
    /// The embedded sample.
    pub fn sample() -> Result<Self, ContentErrors> {
        let mut tree = Self::default();
        let mut faults = Vec::new();
        for path in Sample::iter() {
            if let Some(file) = Sample::get(&path) {
                let modified_s = file.metadata.last_modified();
                tree.insert(&path, &file.data, modified_s, &mut faults);
            }
        }
        ContentErrors::unless_empty(faults)?;
        Ok(tree)
    }

    /// Reads a folder.
    pub fn read(root: &Path) -> Result<Self, ContentErrors> {
        let mut tree = Self::default();
        let mut faults = Vec::new();
        tree.read_folder(root, PathBuf::new(), 0, &mut faults);
        if tree.files.len() > limits::FILES_MAX {
            faults.push(Fault::file("", format!("more than {} files", limits::FILES_MAX)));
        }
        ContentErrors::unless_empty(faults)?;
        Ok(tree)
    }

    /// A tree from pairs of path and text, for tests and imports.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Self::default();
        for (path, text) in pairs {
            tree.insert(path, text.as_bytes(), None, &mut Vec::new());
        }
        tree
    }

    /// A hash over all paths and texts: equal trees have equal versions.
    #[must_use]
    pub fn version(&self) -> String {
        let mut hash = Sha256::new();
        for (path, file) in &self.files {
            // Lengths keep `a` + `bc` and `ab` + `c` apart.
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path.as_bytes());
            hash.update((file.text.len() as u64).to_le_bytes());
            hash.update(file.text.as_bytes());
        }
        crate::cache::short_hex(&hash.finalize())
    }

    fn read_folder(&mut self, root: &Path, below: PathBuf, depth: usize, faults: &mut Vec<Fault>) {
        let entries = match std::fs::read_dir(root.join(&below)) {
            Ok(entries) => entries,
            Err(error) => {
                faults.push(Fault::file(slashed(&below), format!("cannot be read: {error}")));
                return;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            // Editors keep swap and backup files next to the original.
            if name.to_string_lossy().starts_with('.') || name.to_string_lossy().ends_with('~') {
                continue;
            }
            let path = below.join(&name);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < limits::DEPTH_MAX => {
                    self.read_folder(root, path, depth + 1, faults);
                }
                Ok(_) if is_text(&path) => self.read_file(root, &path, faults),
                _ => {}
            }
            if self.files.len() > limits::FILES_MAX {
                return;
            }
        }
    }

    fn read_file(&mut self, root: &Path, path: &Path, faults: &mut Vec<Fault>) {
        let name = slashed(path);
        let full = root.join(path);
        let modified_s = std::fs::metadata(&full).and_then(|m| m.modified()).ok().map(epoch_s);
        match std::fs::read(&full) {
            Ok(bytes) => self.insert(&name, &bytes, modified_s, faults),
            // Gone between listing and reading: an editor replacing it; the next change event reads it again.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => faults.push(Fault::file(&name, format!("cannot be read: {error}"))),
        }
    }

    fn insert(&mut self, path: &str, bytes: &[u8], modified_s: Option<u64>, faults: &mut Vec<Fault>) {
        if bytes.len() > limits::FILE_BYTES_MAX {
            faults.push(Fault::file(path, format!("is larger than {} bytes", limits::FILE_BYTES_MAX)));
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
                self.files.insert(path.to_owned(), File { text, modified_s });
            }
            Err(error) => {
                let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
                faults.push(Fault::at(path, line, "is not UTF-8"));
            }
        }
    }
}

fn is_text(path: &Path) -> bool {
    matches!(path.extension().and_then(|e| e.to_str()), Some("toml" | "md" | "html" | "xml" | "txt" | "css"))
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn epoch_s(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
