//! A private PostgreSQL server for tests.
//!
//! The first test of a machine that needs one creates a cluster in the temporary directory and starts it on a unix
//! socket; all further test processes use the same server. A small watcher stops it when no test process has been
//! alive for a while. Durability is left on: the tests are about it.
//!
//! `PLINTH_TEST_POSTGRES=postgres://…` uses a server that is there already (its role must be allowed to create
//! databases).

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Names the server to use instead of a private one.
pub const SERVER_ENV: &str = "PLINTH_TEST_POSTGRES";

/// How long nobody may have used the server before it is stopped.
const IDLE_SECONDS: u32 = 120;

/// Settings beyond the defaults: enough connections for many stores at once, and little memory for each.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 400
shared_buffers = 64MB
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = 512MB
logging_collector = off
log_min_messages = warning
autovacuum_naptime = 10s
";

/// A server on which databases can be made.
pub struct Server {
    /// Connection string without a database, as `key=value` pairs or a URL.
    admin: postgres::Config,
    /// Held shared for as long as this process lives; the watcher stops the server when it can have it alone.
    _in_use: Option<File>,
}

impl Server {
    /// The server of this machine, started if need be.
    ///
    /// # Panics
    /// When there is none and none can be started; the message says what to install.
    pub fn shared() -> &'static Server {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| match std::env::var(SERVER_ENV) {
            Ok(url) => Server {
                admin: url
                    .parse()
                    .unwrap_or_else(|error| panic!("{SERVER_ENV} is not a valid address: {error}")),
                _in_use: None,
            },
            Err(_) => private(),
        })
    }

    /// Makes an empty database that is dropped with the value.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn create_database(&self) -> Database {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("plinth_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
        Database { name: name.clone(), url: self.url_of(&name) }
    }

    /// Runs a statement of administration on a connection of its own.
    ///
    /// # Panics
    /// When the server cannot be reached or refuses.
    pub fn execute(&self, sql: &str) {
        execute_with(self.admin.clone(), sql.to_owned());
    }

    fn url_of(&self, database: &str) -> String {
        use postgres::config::Host;
        let user = self.admin.get_user().unwrap_or("postgres");
        let password =
            self.admin.get_password().map(|p| format!(":{}", String::from_utf8_lossy(p))).unwrap_or_default();
        let host = match self.admin.get_hosts().first() {
            Some(Host::Unix(path)) => path.display().to_string().replace('/', "%2F"),
            Some(Host::Tcp(host)) => host.clone(),
            None => "127.0.0.1".to_owned(),
        };
        let port = self.admin.get_ports().first().copied().unwrap_or(5432);
        format!("postgres://{user}{password}@{host}:{port}/{database}")
    }
}

/// Runs statements in the database at `url`, as its superuser would, beside the store.
///
/// # Panics
/// When the database cannot be reached or refuses.
pub fn execute(url: &str, sql: &str) {
    let config = url.parse().unwrap_or_else(|error| panic!("not a valid address: {error}"));
    execute_with(config, sql.to_owned());
}

fn execute_with(config: postgres::Config, sql: String) {
    try_execute(config, sql).unwrap_or_else(|error| panic!("PostgreSQL refused: {error:?}"));
}

fn try_execute(config: postgres::Config, sql: String) -> Result<(), postgres::Error> {
    // On a thread of its own: the driver must not be called from within an async runtime.
    let done = std::thread::spawn(move || config.connect(postgres::NoTls)?.batch_execute(&sql)).join();
    done.expect("the thread ends")
}

/// A database for one test; dropped with the value.
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that fails drops this while it unwinds: a second panic would hide the first.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = try_execute(Server::shared().admin.clone(), sql);
    }
}

/// Connects to the private server, starting it first where it is not running.
fn private() -> Server {
    let home = std::env::temp_dir().join(format!("plinth-test-postgres-{}", owner_of_this_process()));
    fs::create_dir_all(&home).expect("the temporary directory is writable");
    let _ = fs::set_permissions(&home, fs::Permissions::from_mode(0o755));
    let in_use = lock_file(&home, "in-use.lock");
    let starting = lock_file(&home, "start.lock");
    starting.lock().expect("the start lock can be taken");
    in_use.lock_shared().expect("the use lock can be shared");
    let admin = admin_config(&home);
    let was_down = admin.connect(postgres::NoTls).is_err();
    if was_down {
        start(&home);
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(error) = admin.connect(postgres::NoTls) {
        let log = fs::read_to_string(home.join("log")).unwrap_or_default();
        assert!(Instant::now() < deadline, "the private PostgreSQL server does not answer: {error:?}\n{log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    if was_down {
        drop_leftovers(&admin);
    }
    Server { admin, _in_use: Some(in_use) }
}

/// Drops what test processes that were killed have left behind. Called right after a start, when nobody has any yet.
fn drop_leftovers(admin: &postgres::Config) {
    let mut client = admin.connect(postgres::NoTls).expect("the server answers");
    let found =
        client.query(r"SELECT datname::text FROM pg_database WHERE datname LIKE 'plinth\_test\_%'", &[]);
    for row in found.expect("the catalogue can be read") {
        let name: String = row.get(0);
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).expect("a leftover can be dropped");
    }
}

fn admin_config(home: &Path) -> postgres::Config {
    let mut config = postgres::Config::new();
    config
        .host_path(home)
        .port(5432)
        .user("postgres")
        .dbname("postgres")
        .connect_timeout(Duration::from_secs(10));
    config
}

fn lock_file(home: &Path, name: &str) -> File {
    let path = home.join(name);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .unwrap_or_else(|error| panic!("{} cannot be opened: {error}", path.display()))
}

/// Creates the cluster where there is none and starts server and watcher.
fn start(home: &Path) {
    let bin = binaries();
    let data = home.join("data");
    let owner = unprivileged_owner();
    if let Some((uid, gid)) = owner {
        chown(home, Some(uid), Some(gid)).expect("the server's directory can be given to its user");
    }
    let command = |program: &str| {
        let mut command = Command::new(bin.join(program));
        command.current_dir(home).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
        if let Some((uid, gid)) = owner {
            command.uid(uid).gid(gid);
        }
        command
    };
    if !data.join("PG_VERSION").exists() {
        let done = command("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(done.status.success(), "initdb failed: {}", String::from_utf8_lossy(&done.stderr));
        let mut conf =
            fs::read_to_string(data.join("postgresql.conf")).expect("initdb wrote a configuration");
        conf.push_str(SETTINGS);
        conf.push_str(&format!("unix_socket_directories = '{}'\n", home.display()));
        fs::write(data.join("postgresql.conf"), conf).expect("the configuration can be written");
    }
    // A group of its own: Ctrl-C on the test run must not take the server from its neighbours.
    let done = command("pg_ctl")
        .arg("start")
        .arg("--pgdata")
        .arg(&data)
        .args(["--no-wait", "--log"])
        .arg(home.join("log"))
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("pg_ctl runs");
    assert!(done.success(), "pg_ctl start failed");
    watch(home, &bin, owner);
}

/// Starts a shell that stops the server once no test process has held the use lock for [`IDLE_SECONDS`]. It stops it
/// under that lock: a test process that comes at this moment waits, finds no server, and starts one.
fn watch(home: &Path, bin: &Path, owner: Option<(u32, u32)>) {
    let script = format!(
        "idle=0; while sleep 5; do \
         if flock --nonblock --exclusive in-use.lock true; then idle=$((idle+5)); else idle=0; fi; \
         if [ $idle -ge {IDLE_SECONDS} ]; then \
         flock --nonblock --exclusive in-use.lock {bin}/pg_ctl stop --mode=fast --pgdata data && exit; fi; done",
        bin = bin.display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(home).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((uid, gid)) = owner {
        let _ = chown(home.join("in-use.lock"), Some(uid), Some(gid));
        command.uid(uid).gid(gid);
    }
    // Without a shell or flock(1) the server simply stays; it is found again by the next run.
    let _ = command.spawn();
}

/// Where Debian, Red Hat, Homebrew or the operator's PATH keep the server's programs.
fn binaries() -> PathBuf {
    let mut candidates: Vec<PathBuf> = Vec::new();
    for root in ["/usr/lib/postgresql", "/usr/local/lib/postgresql"] {
        let versions =
            fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
        candidates.extend(versions);
    }
    candidates.sort();
    candidates.reverse(); // the newest first
    candidates
        .extend(["/usr/pgsql/bin", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    candidates.into_iter().find(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists()).unwrap_or_else(|| {
        panic!(
            "PostgreSQL is needed for this test and was not found. Install it (Debian: apt-get install postgresql) \
             or set {SERVER_ENV} to the address of a server."
        )
    })
}

fn owner_of_this_process() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").map_or(0, |meta| meta.uid())
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres` that its package made.
fn unprivileged_owner() -> Option<(u32, u32)> {
    if owner_of_this_process() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let ids = line.and_then(|line| {
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    Some(ids.expect(
        "root cannot run PostgreSQL, and there is no user postgres; install Debian's postgresql package",
    ))
}
