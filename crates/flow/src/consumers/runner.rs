//! Runs the consumers of a node: which cursors it holds, which of them have something to do, and doing it.
//!
//! One dispatcher and a bounded number of batches under way; a cursor without news costs a few bytes and no task. The
//! dispatcher sleeps until the store says which partitions have new events. Events that no filter of a consumer wants
//! are passed over in memory, and the cursor is written down with the next heartbeat.

use crate::{
    consumers::{
        Consumer, parked,
        table::{self, BatchEnd, BatchError, CursorKey, Lease},
        wants,
    },
    limits,
    model::balance::{self, Holder},
    runtime::wake::Bells,
};
use parking_lot::Mutex;
use plinth_kernel::{Event, Micros, Problem};
use plinth_store::{Error, PartitionSet, Store, events};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The pause after the database could not be reached.
const UNREACHABLE_MS: i64 = 500;
/// Due events that one step of a slot tries again before it looks at new ones.
const RETRIES_PER_STEP: usize = 64;

/// What a node knows about one cursor.
#[derive(Debug, Clone, Default)]
struct Slot {
    /// The epoch under which this node holds it.
    epoch: Option<i64>,
    /// The last event that is done with or passed over.
    position: i64,
    /// What of it is written down.
    written: i64,
    /// A batch is under way.
    busy: bool,
    /// There may be new events.
    pending: bool,
    /// There may be parked events that are due again.
    replay: bool,
    /// Not before this, after a failure.
    retry_at: Option<Micros>,
    /// Events in the next batch.
    batch: usize,
    /// To be given up when the batch in hand is done.
    releasing: bool,
    /// Its last owner died. Whether of an event is found out by going one by one, each begun on record.
    careful: bool,
}

/// Counters for metrics.
#[derive(Debug, Default)]
pub(crate) struct ConsumerCounters {
    pub handled: AtomicU64,
    pub parked: AtomicU64,
    pub failed: AtomicU64,
    pub fenced: AtomicU64,
    pub gaps: AtomicU64,
}

/// The consumers of a node.
pub(crate) struct Runner {
    store: Store,
    node_id: String,
    consumers: Vec<Arc<dyn Consumer>>,
    board: Mutex<Vec<Vec<Slot>>>,
    changed: Notify,
    permits: Arc<Semaphore>,
    /// Where the next dispatch begins.
    turn: AtomicUsize,
    tasks: TaskTracker,
    poll: Duration,
    pub counters: Vec<ConsumerCounters>,
}

/// What a step of a slot came to.
struct Step {
    position: i64,
    written: i64,
    more: bool,
    retry_at: Option<Micros>,
    batch: usize,
    fenced: bool,
    careful: bool,
}

impl Runner {
    pub fn new(
        store: Store,
        node_id: String,
        consumers: Vec<Arc<dyn Consumer>>,
        concurrency: usize,
        poll: Duration,
    ) -> Arc<Self> {
        let slots = vec![Slot::default(); usize::from(limits::PARTITIONS)];
        Arc::new(Self {
            board: Mutex::new(vec![slots; consumers.len()]),
            counters: consumers.iter().map(|_| ConsumerCounters::default()).collect(),
            store,
            node_id,
            consumers,
            changed: Notify::new(),
            permits: Arc::new(Semaphore::new(concurrency.max(1))),
            turn: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
            poll,
        })
    }

    /// Names of the consumers, in the order of [`Runner::counters`].
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.consumers.iter().map(|consumer| consumer.name())
    }

    /// Partitions that this node holds, of each consumer.
    pub fn held(&self) -> Vec<usize> {
        self.board
            .lock()
            .iter()
            .map(|slots| slots.iter().filter(|slot| slot.epoch.is_some()).count())
            .collect()
    }

    /// Dispatches until the token fires; batches under way are then finished.
    pub async fn run(self: Arc<Self>, bells: Arc<Bells>, stop: CancellationToken) {
        let mut wakeups = self.store.on_events();
        self.look_everywhere().await;
        loop {
            let wait = self.dispatch();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                partitions = wakeups.recv() => self.mark(partitions),
                () = self.changed.notified() => {}
                () = bells.parked.notified() => self.mark_due().await,
                () = tokio::time::sleep(wait) => self.look_everywhere().await,
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Events have been appended to these partitions.
    fn mark(&self, partitions: PartitionSet) {
        let mut board = self.board.lock();
        for slots in board.iter_mut() {
            for partition in partitions.iter() {
                if let Some(slot) = slots.get_mut(usize::from(partition)) {
                    slot.pending = true;
                }
            }
        }
    }

    /// The safety look: compares positions with the heads of the log, and asks for parked events that are due.
    pub async fn look_everywhere(&self) {
        match self.store.read(events::heads).await {
            Ok(heads) => {
                let mut board = self.board.lock();
                for slot in board.iter_mut().flat_map(|slots| slots.iter_mut().zip(&heads)) {
                    let (slot, head) = slot;
                    slot.pending |= slot.epoch.is_some() && *head > slot.position;
                }
            }
            Err(error) => tracing::warn!(%error, "the heads of the event log could not be read"),
        }
        self.mark_due().await;
    }

    async fn mark_due(&self) {
        match self.store.read(parked::due_places).await {
            Ok(places) => {
                let mut board = self.board.lock();
                for (name, partition) in places {
                    let at = self.names().position(|consumer| consumer == name);
                    if let Some(slot) = at.and_then(|at| board[at].get_mut(usize::from(partition))) {
                        slot.replay = true;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "due parked events could not be read"),
        }
    }

    /// Starts a step for every slot that has something to do while there are permits. Answers how long nothing else
    /// needs to be started unasked.
    fn dispatch(self: &Arc<Self>) -> Duration {
        let now = self.store.world().now();
        let partitions = usize::from(limits::PARTITIONS);
        let places = self.consumers.len() * partitions;
        let mut wait = self.poll;
        let mut board = self.board.lock();
        // Begins behind the slot that was started last, so that busy ones cannot starve the others of permits.
        let first = self.turn.load(Ordering::Relaxed);
        for place in (first..first + places).map(|place| place % places) {
            let (at, partition) = (place / partitions, place % partitions);
            let slot = &mut board[at][partition];
            let Some(epoch) = slot.epoch else { continue };
            if slot.busy || slot.releasing || !(slot.pending || slot.replay) {
                continue;
            }
            if let Some(at) = slot.retry_at.filter(|at| *at > now) {
                wait = wait.min(until(now, at));
                continue;
            }
            // A permit that comes back rings `changed`, and the rest is started then.
            let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else { return wait };
            slot.busy = true;
            slot.pending = false;
            let replay = std::mem::take(&mut slot.replay);
            let (slot, partition) = (slot.clone(), partition as u16);
            self.turn.store(place + 1, Ordering::Relaxed);
            self.tasks.spawn(Arc::clone(self).step_and_note(at, partition, epoch, slot, replay, permit));
        }
        wait
    }

    async fn step_and_note(
        self: Arc<Self>,
        at: usize,
        partition: u16,
        epoch: i64,
        slot: Slot,
        replay: bool,
        permit: OwnedSemaphorePermit,
    ) {
        let step = self.step(at, partition, epoch, &slot, replay).await;
        {
            let mut board = self.board.lock();
            let slot = &mut board[at][usize::from(partition)];
            slot.busy = false;
            if slot.epoch == Some(epoch) {
                slot.position = slot.position.max(step.position);
                slot.written = slot.written.max(step.written);
                slot.pending |= step.more;
                slot.retry_at = step.retry_at;
                slot.batch = step.batch;
                slot.careful = step.careful;
                if step.fenced {
                    self.counters[at].fenced.fetch_add(1, Ordering::Relaxed);
                    *slot = Slot::default();
                }
            }
        }
        drop(permit);
        self.changed.notify_one();
    }

    /// One read and at most one unit of work.
    async fn step(&self, at: usize, partition: u16, epoch: i64, slot: &Slot, replay: bool) -> Step {
        let consumer = &self.consumers[at];
        let key = CursorKey { consumer: consumer.name(), partition, epoch, node_id: self.node_id.clone() };
        let batch = if slot.careful { 1 } else { slot.batch.clamp(1, limits::EVENTS_PER_BATCH) };
        let idle = Step {
            position: slot.position,
            written: slot.written,
            more: false,
            retry_at: None,
            batch,
            fenced: false,
            careful: slot.careful,
        };
        if replay && let Err(error) = self.retry_due(consumer, &key).await {
            return self.failed(idle, error);
        }
        let position = slot.position;
        let read = self.store.read(move |tx| events::after(tx, partition, position, batch as u32)).await;
        let found = match read {
            Ok(found) => found,
            Err(error) => return self.failed(idle, error.into()),
        };
        let Some(last) = found.last().map(|event| event.sequence) else { return idle };
        if let Some(gap) = first_gap(position, &found) {
            self.counters[at].gaps.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                consumer = key.consumer,
                partition,
                after = gap,
                "the event log has a gap; the partition waits"
            );
            return Step {
                more: true,
                retry_at: Some(self.store.world().now().plus_ms(limits::PARTITION_STALLED_MS)),
                ..idle
            };
        }
        let more = found.len() == batch;
        if !found.iter().any(|event| wants(consumer.kinds(), &event.kind)) {
            return self.pass_over(key, Step { position: last, more, ..idle }).await;
        }
        self.handle(at, key, found, Step { more, ..idle }).await
    }

    async fn retry_due(&self, consumer: &Arc<dyn Consumer>, key: &CursorKey) -> Result<(), BatchError> {
        for _ in 0..RETRIES_PER_STEP {
            let (consumer, key) = (Arc::clone(consumer), key.clone());
            if !self.store.write(move |tx| parked::retry_one(tx, &key, &*consumer)).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// None of the events is wanted: the position moves in memory, and on disk once in a while.
    async fn pass_over(&self, key: CursorKey, step: Step) -> Step {
        if step.position - step.written < limits::EVENTS_SKIPPED_UNWRITTEN_MAX {
            return step;
        }
        let position = step.position;
        match self.store.write(move |tx| table::skip_to(tx, &key, position)).await {
            Ok(true) => Step { written: position, ..step },
            Ok(false) => Step { fenced: true, ..step },
            Err(error) => self.failed(step, error.into()),
        }
    }

    async fn handle(&self, at: usize, key: CursorKey, found: Vec<Event>, step: Step) -> Step {
        let consumer = Arc::clone(&self.consumers[at]);
        let found = Arc::new(found);
        let up_to = found.last().map_or(step.position, |event| event.sequence);
        if step.careful {
            let unit_key = key.clone();
            match self.store.write(move |tx| table::begin(tx, &unit_key)).await {
                Ok(deaths) if deaths >= limits::EVENT_CRASHES_MAX => {
                    return self.bury(at, key, found, step).await;
                }
                Ok(_) => {}
                Err(error) => return self.failed(step, error),
            }
        }
        let (unit_key, unit_events, unit_consumer) = (key.clone(), Arc::clone(&found), Arc::clone(&consumer));
        let result = self
            .store
            .write(move |tx| table::handle_batch(tx, &unit_key, &*unit_consumer, &unit_events, up_to))
            .await;
        let result = match result {
            Err(BatchError::Store(error)) if !is_transient(&error) => {
                if step.batch > 1 {
                    // One of them brought the unit down; find out which by going one by one.
                    tracing::warn!(consumer = key.consumer, %error, "a batch failed as a whole");
                    return Step { batch: 1, more: true, ..step };
                }
                self.blame(key, consumer, &found, error).await
            }
            result => result,
        };
        match result {
            Ok(end) => self.note(at, step, end),
            Err(error) => self.failed(step, error),
        }
    }

    /// Parks the event of which too many processes have died.
    async fn bury(&self, at: usize, key: CursorKey, found: Arc<Vec<Event>>, step: Step) -> Step {
        let result = self
            .store
            .write(move |tx| match found.first() {
                Some(event) => table::park_deadly(tx, &key, event),
                None => Err(BatchError::Fenced),
            })
            .await;
        match result {
            Ok(end) => self.note(at, step, end),
            Err(error) => self.failed(step, error),
        }
    }

    /// The unit with this one event failed as a whole: counts the failure against the event.
    async fn blame(
        &self,
        key: CursorKey,
        consumer: Arc<dyn Consumer>,
        found: &Arc<Vec<Event>>,
        error: Error,
    ) -> Result<BatchEnd, BatchError> {
        let problem = Problem::from(error);
        let found = Arc::clone(found);
        self.store
            .write(move |tx| match found.first() {
                Some(event) => table::blame_single(tx, &key, &*consumer, event, &problem),
                None => Err(BatchError::Fenced),
            })
            .await
    }

    fn note(&self, at: usize, step: Step, end: BatchEnd) -> Step {
        let counters = &self.counters[at];
        counters.handled.fetch_add(u64::from(end.handled), Ordering::Relaxed);
        counters.parked.fetch_add(u64::from(end.parked), Ordering::Relaxed);
        counters.failed.fetch_add(u64::from(end.retry_at.is_some()), Ordering::Relaxed);
        Step {
            position: end.acked,
            written: end.acked,
            more: step.more || end.cut || end.retry_at.is_some(),
            retry_at: end.retry_at,
            batch: (step.batch * 2).min(limits::EVENTS_PER_BATCH),
            fenced: false,
            // One that went well: the death had another cause, or is dealt with.
            careful: step.careful && end.retry_at.is_some(),
        }
    }

    fn failed(&self, step: Step, error: BatchError) -> Step {
        match error {
            BatchError::Fenced => Step { fenced: true, ..step },
            BatchError::Store(error) => {
                tracing::warn!(%error, "a consumer's batch could not be committed");
                let retry_at = Some(self.store.world().now().plus_ms(UNREACHABLE_MS));
                Step { more: true, retry_at, ..step }
            }
        }
    }

    /// Claims and gives up cursors so that this node holds its share. Called with every heartbeat.
    pub async fn balance(&self, nodes: &[String]) -> Result<(), Error> {
        let rank = nodes.iter().position(|node| *node == self.node_id).unwrap_or(0);
        let live: BTreeSet<String> = nodes.iter().cloned().collect();
        let mut news = false;
        for (at, consumer) in self.consumers.iter().enumerate() {
            let name = consumer.name();
            let rows = self.store.read(move |tx| table::cursors(tx, name)).await?;
            let holders: Vec<Holder> = rows.iter().map(|row| self.holder(&row.owner, &live)).collect();
            let plan = balance::plan(&holders, nodes.len(), rank);
            // A cursor in this node's name that it does not remember (a registration that was lost and renewed).
            let forgotten = rows.iter().filter(|row| row.owner.as_deref() == Some(&*self.node_id));
            let forgotten: Vec<u16> = {
                let board = self.board.lock();
                forgotten
                    .filter(|row| board[at][usize::from(row.partition)].epoch != Some(row.epoch))
                    .map(|row| row.partition)
                    .collect()
            };
            // A cursor that still names an owner was not given up: its owner died.
            let wanted: Vec<(u16, i64, bool)> = rows
                .iter()
                .filter(|row| plan.claim.contains(&row.partition) || forgotten.contains(&row.partition))
                .map(|row| (row.partition, row.epoch, row.owner.is_some()))
                .collect();
            if !wanted.is_empty() {
                self.claim(at, wanted).await?;
                news = true;
            }
            self.give_up(at, &plan.release).await?;
        }
        if news {
            self.look_everywhere().await;
            self.changed.notify_one();
        }
        Ok(())
    }

    fn holder(&self, owner: &Option<String>, live: &BTreeSet<String>) -> Holder {
        match owner {
            Some(owner) if *owner == self.node_id => Holder::Me,
            Some(owner) if live.contains(owner) => Holder::Other,
            _ => Holder::Nobody,
        }
    }

    async fn claim(&self, at: usize, wanted: Vec<(u16, i64, bool)>) -> Result<(), Error> {
        let (node_id, name) = (self.node_id.clone(), self.consumers[at].name());
        let leases: Vec<(u16, bool, Lease)> = self
            .store
            .write(move |tx| {
                let mut leases = Vec::new();
                for (partition, epoch, died) in &wanted {
                    if let Some(lease) = table::claim(tx, &node_id, name, *partition, *epoch)? {
                        leases.push((*partition, *died, lease));
                    }
                }
                Ok::<_, Error>(leases)
            })
            .await?;
        let mut board = self.board.lock();
        for (partition, died, lease) in leases {
            let slot = &mut board[at][usize::from(partition)];
            let busy = slot.busy;
            *slot = Slot {
                epoch: Some(lease.epoch),
                position: lease.acked,
                written: lease.acked,
                busy,
                pending: true,
                replay: true,
                retry_at: (lease.tries > 0).then_some(lease.retry_at),
                // After a take-over of a failing event, go one by one.
                batch: if lease.tries > 0 { 1 } else { limits::EVENTS_PER_BATCH },
                releasing: false,
                careful: died,
            };
        }
        Ok(())
    }

    async fn give_up(&self, at: usize, partitions: &[u16]) -> Result<(), Error> {
        let mut idle = Vec::new();
        {
            let mut board = self.board.lock();
            for partition in partitions {
                let slot = &mut board[at][usize::from(*partition)];
                let Some(epoch) = slot.epoch else { continue };
                slot.releasing = true;
                if !slot.busy {
                    idle.push((self.key(at, *partition, epoch), slot.position));
                    *slot = Slot::default();
                }
            }
        }
        // One that is busy is given up with the next heartbeat.
        self.release(idle).await
    }

    /// Gives everything up, at the positions reached. Called when no batch is under way any more.
    pub async fn release_all(&self) -> Result<(), Error> {
        let held: Vec<(CursorKey, i64)> = {
            let mut board = self.board.lock();
            let mut held = Vec::new();
            for (at, slots) in board.iter_mut().enumerate() {
                for (partition, slot) in slots.iter_mut().enumerate() {
                    if let Some(epoch) = slot.epoch.take() {
                        held.push((self.key(at, partition as u16, epoch), slot.position));
                    }
                }
            }
            held
        };
        for some in held.chunks(usize::from(limits::PARTITIONS)) {
            self.release(some.to_vec()).await?;
        }
        Ok(())
    }

    async fn release(&self, held: Vec<(CursorKey, i64)>) -> Result<(), Error> {
        if held.is_empty() {
            return Ok(());
        }
        self.store
            .write(move |tx| held.iter().try_for_each(|(key, position)| table::release(tx, key, *position)))
            .await
    }

    /// Forgets every cursor: this node's registration was lost, so all of them may have new owners.
    pub fn forget_all(&self) {
        for slot in self.board.lock().iter_mut().flatten() {
            *slot = Slot { busy: slot.busy, ..Slot::default() };
        }
    }

    /// Writes down how far events were passed over. Called with every heartbeat.
    pub async fn write_positions(&self) -> Result<(), Error> {
        let ahead: Vec<(CursorKey, i64)> = {
            let board = self.board.lock();
            let mut ahead = Vec::new();
            for (at, slots) in board.iter().enumerate() {
                for (partition, slot) in slots.iter().enumerate() {
                    if let Some(epoch) = slot.epoch.filter(|_| !slot.busy && slot.position > slot.written) {
                        ahead.push((self.key(at, partition as u16, epoch), slot.position));
                    }
                }
            }
            ahead
        };
        if ahead.is_empty() {
            return Ok(());
        }
        let written = self
            .store
            .write(move |tx| {
                let mut written = Vec::new();
                for (key, position) in &ahead {
                    if table::skip_to(tx, key, *position)? {
                        written.push((key.clone(), *position));
                    }
                }
                Ok::<_, Error>(written)
            })
            .await?;
        let mut board = self.board.lock();
        for (key, position) in written {
            let at = self.consumers.iter().position(|consumer| consumer.name() == key.consumer);
            let slot = at.and_then(|at| board[at].get_mut(usize::from(key.partition)));
            if let Some(slot) = slot.filter(|slot| slot.epoch == Some(key.epoch)) {
                slot.written = slot.written.max(position);
            }
        }
        Ok(())
    }

    fn key(&self, at: usize, partition: u16, epoch: i64) -> CursorKey {
        CursorKey { consumer: self.consumers[at].name(), partition, epoch, node_id: self.node_id.clone() }
    }
}

/// The sequence after which an event is missing.
fn first_gap(position: i64, found: &[Event]) -> Option<i64> {
    let expected = (position + 1)..;
    found
        .iter()
        .zip(expected)
        .find(|(event, expected)| event.sequence != *expected)
        .map(|(_, expected)| expected - 1)
}

/// Whether an error says nothing about the events that were being handled.
pub(crate) fn is_transient(error: &Error) -> bool {
    matches!(
        error,
        Error::Overloaded { .. }
            | Error::Unavailable(_)
            | Error::Closed
            | Error::CommitUnknown
            | Error::Commit(_)
            | Error::Full
            | Error::Serialization
    )
}

/// The time from `now` to `then`, for a timer. Never nothing: a timer that is due at once would spin.
pub(crate) fn until(now: Micros, then: Micros) -> Duration {
    Duration::from_micros(u64::try_from(then.since(now)).unwrap_or(0)).max(Duration::from_millis(1))
}
