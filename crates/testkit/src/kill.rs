//! Killing a process under load, again and again, and looking at what it left behind.
//!
//! A test runs itself as a child process ([`child`] tells which of the two it is). The child works as fast as it can
//! and writes to its [`Journal`] what it was told is done; the parent ends it with SIGKILL at a random moment, lets the
//! test look at the data, and starts the next one on the same data.
//!
//! ```ignore
//! #[test]
//! fn no_acknowledged_write_is_lost() {
//!     if let Some(child) = kill::child() {
//!         return run(load(child));                    // works until it is killed
//!     }
//!     let harness = kill::Harness::new("kill::no_acknowledged_write_is_lost");
//!     harness.run(|round| { /* open the data, compare with round.journal */ });
//! }
//! ```

use plinth_kernel::{Rng, SystemRng};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Set in a child: the directory it shares with its parent.
const CHILD_ENV: &str = "PLINTH_KILL_CHILD";

/// How many kills a test makes; the long run sets it higher.
pub const KILLS_ENV: &str = "PLINTH_KILLS";

/// Kills of one test in the ordinary run.
const KILLS_DEFAULT: u32 = 10;

/// The longest time from the child's first sign of life to its end.
const LIFE_MAX: Duration = Duration::from_millis(400);

/// How long a child may take to its first sign of life.
const BIRTH_MAX: Duration = Duration::from_secs(60);

/// How many kills the tests of this run make.
#[must_use]
pub fn kills() -> u32 {
    std::env::var(KILLS_ENV).ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS_DEFAULT)
}

/// What a child was given.
pub struct Child {
    /// The directory it shares with its parent; the journal is in it.
    pub directory: PathBuf,
    /// Values that the parent passed on with [`Harness::pass`], by name.
    values: Vec<(String, String)>,
}

impl Child {
    /// A value that the parent passed on.
    ///
    /// # Panics
    /// When the parent passed none of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(key, _)| key == name);
        &found.unwrap_or_else(|| panic!("the parent passed no {name}")).1
    }

    /// The journal, to be appended to.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal::open(&self.directory.join("journal"))
    }
}

/// The child's side of a test, when this process is the child.
#[must_use]
pub fn child() -> Option<Child> {
    let directory = PathBuf::from(std::env::var_os(CHILD_ENV)?);
    let text = std::fs::read_to_string(directory.join("values")).unwrap_or_default();
    let values =
        text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
    Some(Child { values: values.collect(), directory })
}

/// A file of lines that outlives the process: each line is one write to the kernel, which SIGKILL does not undo.
pub struct Journal(File);

impl Journal {
    fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self(file.unwrap_or_else(|error| panic!("{} cannot be opened: {error}", path.display())))
    }

    /// Notes that `what` was acknowledged. One line, no line break within.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn note(&self, what: impl std::fmt::Display) {
        // Formatted first: `write!` to a file would be several system calls, and a kill could come between two.
        let line = format!("{what}\n");
        (&self.0).write_all(line.as_bytes()).expect("the journal can be written");
    }
}

/// What a round left behind.
pub struct Round {
    /// 1, 2, 3 …
    pub number: u32,
    /// Every complete line that all children so far have noted.
    pub journal: Vec<String>,
}

/// The parent's side of a test.
pub struct Harness {
    test: String,
    directory: TempDir,
    values: Vec<(String, String)>,
    kills: u32,
}

impl Harness {
    /// For the test of this full name, as the test runner prints it.
    ///
    /// # Panics
    /// When there is no temporary directory.
    #[must_use]
    pub fn new(test: &str) -> Self {
        let directory = TempDir::with_prefix("plinth-kill-").expect("a temporary directory");
        Self { test: test.to_owned(), directory, values: Vec::new(), kills: kills() }
    }

    /// Passes a value on to the children; one line.
    #[must_use]
    pub fn pass(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.push((name.to_owned(), value.into()));
        self
    }

    /// Another number of kills than [`kills`].
    #[must_use]
    pub fn with_kills(mut self, kills: u32) -> Self {
        self.kills = kills;
        self
    }

    /// The directory that parent and children share.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts, kills and looks, as often as was asked for.
    ///
    /// # Panics
    /// When a child ends by itself, or `check` panics.
    pub fn run(&self, mut check: impl FnMut(Round)) {
        let values: String = self.values.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        std::fs::write(self.directory().join("values"), values).expect("the values can be written");
        let journal = self.directory().join("journal");
        for number in 1..=self.kills {
            let before = length(&journal);
            self.live_and_die(&journal, before);
            check(Round { number, journal: read_lines(&journal) });
        }
    }

    fn live_and_die(&self, journal: &Path, before: u64) {
        let mut child = Command::new(std::env::current_exe().expect("a test knows its own program"))
            .args([&self.test, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD_ENV, self.directory())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the test can run itself");
        let born = Instant::now();
        while length(journal) == before {
            let ended = child.try_wait().expect("the child can be waited for");
            assert!(ended.is_none(), "the child ended by itself: {ended:?}");
            assert!(born.elapsed() < BIRTH_MAX, "the child of {} shows no sign of life", self.test);
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(random_below(LIFE_MAX));
        let ended = child.try_wait().expect("the child can be waited for");
        assert!(ended.is_none(), "the child ended by itself: {ended:?}");
        child.kill().expect("the child can be killed");
        child.wait().expect("the child can be waited for");
    }
}

fn random_below(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    SystemRng.fill(&mut bytes);
    most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// The complete lines of the journal.
fn read_lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete.lines().map(str::to_owned).collect()
}
