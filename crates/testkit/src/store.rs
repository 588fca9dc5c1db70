//! A store for one test.

use crate::postgres::{Database, Server};
use plinth_kernel::{ManualClock, World};
use plinth_store::{Config, Engine, Store};
use std::ops::Deref;
use std::sync::Arc;
use tempfile::TempDir;

/// A change of the configuration.
type Change = Box<dyn FnOnce(&mut Config)>;

/// How a [`TestStore`] is to be opened.
pub struct TestStoreBuilder {
    engine: Engine,
    world: World,
    clock: Option<Arc<ManualClock>>,
    changes: Vec<Change>,
}

impl TestStoreBuilder {
    /// A clock that stands still until it is moved ([`TestStore::clock`]), and randomness from this seed.
    #[must_use]
    pub fn manual_clock(mut self, seed: u64) -> Self {
        let (world, clock) = World::manual(seed);
        self.world = world;
        self.clock = Some(clock);
        self
    }

    /// A world of the test's own.
    #[must_use]
    pub fn world(mut self, world: World) -> Self {
        self.world = world;
        self.clock = None;
        self
    }

    /// Changes the configuration before the store is opened.
    #[must_use]
    pub fn config(mut self, change: impl FnOnce(&mut Config) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Opens it: a new directory, or a new database on the private server.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(self) -> TestStore {
        let (mut config, home) = match self.engine {
            Engine::Sqlite => {
                let dir = TempDir::with_prefix("plinth-test-").expect("a temporary directory");
                (Config::sqlite(dir.path().join("plinth.db")), Home::Directory(dir))
            }
            Engine::Postgres => {
                let database = tokio::task::spawn_blocking(|| Server::shared().create_database())
                    .await
                    .expect("a fresh database on the private PostgreSQL server");
                (Config::postgres(database.url()), Home::Database(database))
            }
        };
        // Tests run side by side on few cores: be patient, and modest with connections.
        config.write_deadline = std::time::Duration::from_secs(5);
        config.queue_wait_max = std::time::Duration::from_secs(60);
        config.statement_timeout = std::time::Duration::from_secs(30);
        config.lock_timeout = std::time::Duration::from_secs(20);
        config.postgres_connections = 4;
        config.sqlite_readers = 2;
        for change in self.changes {
            change(&mut config);
        }
        let store = Store::open(config.clone(), self.world.clone()).await.expect("the store opens");
        TestStore { store, config, world: self.world, clock: self.clock, home }
    }
}

/// Where the data is, to be cleaned up.
enum Home {
    Directory(TempDir),
    Database(Database),
}

/// A fresh store that cleans up after itself. It dereferences to [`Store`].
pub struct TestStore {
    store: Store,
    config: Config,
    world: World,
    clock: Option<Arc<ManualClock>>,
    home: Home,
}

impl TestStore {
    /// A builder for this engine, with the system's world.
    #[must_use]
    pub fn builder(engine: Engine) -> TestStoreBuilder {
        TestStoreBuilder { engine, world: World::system(), clock: None, changes: Vec::new() }
    }

    /// The store itself, to hand on.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// How it was opened, to open it again.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// The clock of a store made with [`TestStoreBuilder::manual_clock`].
    ///
    /// # Panics
    /// When the store runs in the system's time.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        self.clock.as_deref().expect("TestStoreBuilder::manual_clock was not asked for")
    }

    /// The directory of a SQLite store.
    #[must_use]
    pub fn directory(&self) -> Option<&std::path::Path> {
        match &self.home {
            Home::Directory(dir) => Some(dir.path()),
            Home::Database(_) => None,
        }
    }

    /// The database of a PostgreSQL store.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        match &self.home {
            Home::Database(database) => Some(database),
            Home::Directory(_) => None,
        }
    }

    /// Closes the store and opens it again on the same data.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn reopen(&mut self) {
        self.store.clone().close().await;
        self.store =
            Store::open(self.config.clone(), self.world.clone()).await.expect("the store opens again");
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}
