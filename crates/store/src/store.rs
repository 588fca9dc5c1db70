//! The handle that everything else holds.

use crate::shared::Shared;
use crate::stats::{Queues, Stats, StoreStats};
use crate::unit::{Frame, Task, task};
use crate::wake::EventWakeups;
use crate::{
    Arg, Config, Engine, Error, FromRow, Location, Migration, OwnedArg, Result, Sql, Tx, events, limits,
    migrate,
};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::{Mutex, RwLock};
use plinth_kernel::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

/// A database, open. Cheap to clone; the threads end when the last clone is dropped or [`Store::close`] is called.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    shared: Arc<Shared>,
    /// `None` once the store is closing: what waits is still done, nothing more is taken.
    queues: RwLock<Option<Senders>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Senders {
    writes: Sender<Task>,
    reads: Sender<Task>,
}

impl Store {
    /// Opens the database, creates the store's own tables, and starts the engine's threads.
    pub async fn open(config: Config, world: World) -> Result<Self> {
        let store = on_thread("store-open", move || Self::start(config, world)).await??;
        store.migrate(events::SYSTEM, events::MIGRATIONS).await?;
        Ok(store)
    }

    fn start(config: Config, world: World) -> Result<Self> {
        let shared = Arc::new(Shared::new(&config, world));
        let (writes, write_queue) = bounded(config.queue_capacity.max(1));
        let (reads, read_queue) = bounded(config.queue_capacity.max(1));
        let threads = start_engine(&config, &shared, write_queue, &read_queue)?;
        let queues = RwLock::new(Some(Senders { writes, reads }));
        Ok(Self { inner: Arc::new(Inner { config, shared, queues, threads: Mutex::new(threads) }) })
    }

    /// Runs `f` as one unit of work. `Ok` means durable: the commit is on the disk, with the events that `f` emitted.
    /// An error or a panic undoes the unit and nothing else.
    ///
    /// `f` may be called more than once and must not do anything that a rollback does not undo. When the caller goes
    /// away before the unit was started it is dropped; afterwards it is committed or not, never half.
    ///
    /// # Errors
    /// What `f` returns, or [`Error`] from the store: [`Error::Overloaded`] and [`Error::Unavailable`] mean that
    /// nothing was done, [`Error::CommitUnknown`] that it may have been.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit(Frame::Write, f).await
    }

    /// Like [`Store::write`], at the isolation level SERIALIZABLE: for a decision that rests on rows which a
    /// concurrent unit may add or change. On SQLite every unit is.
    ///
    /// # Errors
    /// As [`Store::write`]; [`Error::Serialization`] when the retries ran out.
    pub async fn write_serializable<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit(Frame::WriteSerializable, f).await
    }

    /// Runs `f` on one snapshot: all of its statements see the same instant, beside every writer.
    ///
    /// # Errors
    /// What `f` returns, or [`Error`] from the store.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit(Frame::Read, f).await
    }

    /// The first row of one reading statement, without a transaction around it: the cheapest read.
    pub async fn get<T: FromRow + Send + 'static>(
        &self,
        query: impl Into<Sql>,
        args: Vec<OwnedArg>,
    ) -> Result<Option<T>> {
        let sql = query.into();
        self.submit(Frame::Single, move |tx| tx.opt(sql, &borrow(&args))).await
    }

    /// The rows of one reading statement, without a transaction around it.
    pub async fn list<T: FromRow + Send + 'static>(
        &self,
        query: impl Into<Sql>,
        args: Vec<OwnedArg>,
    ) -> Result<Vec<T>> {
        let sql = query.into();
        self.submit(Frame::Single, move |tx| tx.all(sql, &borrow(&args))).await
    }

    /// Applies what is missing of a system's migrations, all of it or nothing, one node at a time.
    ///
    /// # Errors
    /// [`Error::Migration`] when one fails, or when one that was applied before has another text now.
    pub async fn migrate(&self, system: &'static str, set: &'static [Migration]) -> Result<()> {
        let applied: u32 = self.submit(Frame::Migration, move |tx| migrate::apply(tx, system, set)).await?;
        if applied > 0 {
            tracing::info!(system, applied, "schema is up to date");
        }
        Ok(())
    }

    /// The highest migration applied for each system.
    pub async fn schema_versions(&self) -> Result<BTreeMap<String, u32>> {
        self.read(migrate::versions).await
    }

    /// Subscribes to commits that append events.
    #[must_use]
    pub fn on_events(&self) -> EventWakeups {
        self.inner.shared.wakeups.subscribe()
    }

    /// A reading of the figures.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let queues = self.inner.queues.read().as_ref().map_or_else(Queues::default, |senders| Queues {
            writes: senders.writes.len(),
            reads: senders.reads.len(),
            capacity: senders.writes.capacity().unwrap_or(limits::QUEUE_CAPACITY),
        });
        self.inner.shared.stats.snapshot(self.engine(), queues)
    }

    /// Waits until the store has stopped itself because the disk failed, and says why. The process should then end:
    /// nothing that it could still read is certain to be on the disk.
    pub async fn failed(&self) -> String {
        let mut failure = self.inner.shared.failure();
        match failure.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await, // the store was closed in good health
        }
    }

    /// Which engine keeps the data.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.inner.config.engine()
    }

    /// How it was opened.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Time and randomness.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.inner.shared.world
    }

    /// Takes nothing more, finishes what waits, and ends the threads. Other clones of the handle answer
    /// [`Error::Closed`] from then on.
    pub async fn close(self) {
        drop(self.inner.queues.write().take());
        let threads = std::mem::take(&mut *self.inner.threads.lock());
        let joined = on_thread("store-close", move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }

    async fn submit<T, E, F>(&self, frame: Frame, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (task, answer) = task(frame, f);
        self.enqueue(task)?;
        // The sender is dropped unused only when the engine's thread is gone.
        answer.await.unwrap_or_else(|_| Err(E::from(Error::Closed)))
    }

    fn enqueue(&self, task: Task) -> Result<()> {
        let shared = &self.inner.shared;
        if shared.is_halted() {
            return Err(Error::Closed);
        }
        let queues = self.inner.queues.read();
        let Some(senders) = queues.as_ref() else { return Err(Error::Closed) };
        let queue = match task.frame {
            Frame::Read | Frame::Single => &senders.reads,
            Frame::Write | Frame::WriteSerializable | Frame::Migration => &senders.writes,
        };
        queue.try_send(task).map_err(|refused| match refused {
            TrySendError::Full(_) => {
                Stats::add(&shared.stats.units_refused, 1);
                Error::Overloaded { retry_after_ms: limits::OVERLOADED_RETRY_AFTER_MS }
            }
            TrySendError::Disconnected(_) => Error::Closed,
        })
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.inner.config.location).finish()
    }
}

fn borrow(args: &[OwnedArg]) -> Vec<Arg<'_>> {
    args.iter().map(Arg::from).collect()
}

fn start_engine(
    config: &Config,
    shared: &Arc<Shared>,
    writes: Receiver<Task>,
    reads: &Receiver<Task>,
) -> Result<Vec<JoinHandle<()>>> {
    match &config.location {
        Location::Sqlite(path) => {
            crate::sqlite::open(path, config, shared, writes, reads).map(|opened| opened.threads)
        }
        Location::Postgres(url) => crate::postgres::open(url, config, shared, &writes, reads),
    }
}

/// Runs blocking work on a thread of its own, away from the async runtime (which the PostgreSQL driver, having one of
/// its own, would not even tolerate).
pub(crate) async fn on_thread<T: Send + 'static>(
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    crate::sqlite::spawn(name, move || {
        let _ = sender.send(f());
    })?;
    receiver.await.map_err(|_| Error::Closed)
}
