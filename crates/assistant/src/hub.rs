//! Runs in memory: one bounded, append-only log of encoded frames a run, read by any number of readers by cursor.
//!
//! A reader costs one cursor. It takes frames when its connection asks for more, so a reader that has stopped reading
//! neither slows the run nor makes anything grow. Frames are encoded once and shared.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use parking_lot::Mutex;
use plinth_kernel::{ConversationId, RunId, TenantId};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::limits;
use crate::model::ui_stream::{DONE, HEARTBEAT, Part, frame};

#[derive(Default)]
struct Frames {
    encoded: Vec<Bytes>,
    /// The parts' JSON, one a line: what is stored for replay.
    lines: String,
    bytes: usize,
    closed: bool,
}

/// The log of one run.
pub(crate) struct RunLog {
    frames: Mutex<Frames>,
    changed: watch::Sender<u64>,
}

impl RunLog {
    fn new() -> Self {
        Self { frames: Mutex::new(Frames::default()), changed: watch::Sender::new(0) }
    }

    /// Appends a part unless the log is full; the room kept for the end is only for [`Self::close`].
    pub(crate) fn push(&self, part: &Part) -> bool {
        let json = part.json();
        let mut frames = self.frames.lock();
        if frames.closed
            || frames.bytes + json.len() + FRAME_OVERHEAD
                > limits::RUN_LOG_BYTES_MAX - limits::RUN_LOG_RESERVE_BYTES
        {
            return false;
        }
        append(&mut frames, &json);
        drop(frames);
        self.changed.send_modify(|version| *version += 1);
        true
    }

    /// What would be stored if the log ended with these parts.
    pub(crate) fn lines_with(&self, ending: &[Part]) -> String {
        let mut lines = self.frames.lock().lines.clone();
        for part in ending {
            lines.push_str(&part.json());
            lines.push('\n');
        }
        lines
    }

    /// Appends the last parts and ends the log. Only the first end counts.
    pub(crate) fn close(&self, ending: &[Part]) {
        let mut frames = self.frames.lock();
        if !frames.closed {
            ending.iter().for_each(|part| append(&mut frames, &part.json()));
            frames.closed = true;
        }
        drop(frames);
        self.changed.send_modify(|version| *version += 1);
    }

    /// Waits until the log has ended.
    pub(crate) async fn closed(&self) {
        let mut changed = self.changed.subscribe();
        while !self.frames.lock().closed {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Frames after `cursor`, up to the chunk limit, the new cursor, and whether that was the end.
    fn read(&self, cursor: usize) -> (Bytes, usize, bool) {
        let frames = self.frames.lock();
        let (mut chunk, mut at) = (BytesMut::new(), cursor.min(frames.encoded.len()));
        while let Some(frame) = frames.encoded.get(at) {
            if !chunk.is_empty() && chunk.len() + frame.len() > limits::SUBSCRIBER_CHUNK_BYTES_MAX {
                break;
            }
            chunk.extend_from_slice(frame);
            at += 1;
        }
        let ended = frames.closed && at == frames.encoded.len();
        if ended {
            chunk.extend_from_slice(DONE);
        }
        (chunk.freeze(), at, ended)
    }
}

/// `id: `, the number, `data: ` and the line ends.
const FRAME_OVERHEAD: usize = 32;

fn append(frames: &mut Frames, json: &str) {
    let seq = frames.encoded.len() as u64 + 1;
    let encoded = frame(seq, json);
    frames.bytes += encoded.len();
    frames.encoded.push(encoded);
    frames.lines.push_str(json);
    frames.lines.push('\n');
}

/// Why a run is to end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The reader said stop.
    Stop,
    /// The server is going down.
    Drain,
}

/// A run in this process.
pub(crate) struct Run {
    pub(crate) tenant: TenantId,
    pub(crate) id: RunId,
    pub(crate) conversation: ConversationId,
    pub(crate) log: RunLog,
    halt: Mutex<Option<Halt>>,
    halted: CancellationToken,
    readers: AtomicUsize,
    readers_changed: watch::Sender<()>,
}

impl Run {
    /// A run that has not said anything.
    pub(crate) fn new(tenant: TenantId, id: RunId, conversation: ConversationId) -> Arc<Self> {
        Arc::new(Self {
            tenant,
            id,
            conversation,
            log: RunLog::new(),
            halt: Mutex::new(None),
            halted: CancellationToken::new(),
            readers: AtomicUsize::new(0),
            readers_changed: watch::Sender::new(()),
        })
    }

    /// A finished run, from the lines that were stored.
    pub(crate) fn replay(
        tenant: TenantId,
        id: RunId,
        conversation: ConversationId,
        lines: &str,
    ) -> Arc<Self> {
        let run = Self::new(tenant, id, conversation);
        {
            let mut frames = run.log.frames.lock();
            lines.lines().filter(|line| !line.is_empty()).for_each(|line| append(&mut frames, line));
            frames.closed = true;
        }
        run
    }

    /// Asks the run to end. The first reason counts.
    pub(crate) fn halt(&self, reason: Halt) {
        self.halt.lock().get_or_insert(reason);
        self.halted.cancel();
    }

    /// Waits until the run is asked to end.
    pub(crate) async fn halted(&self) -> Halt {
        self.halted.cancelled().await;
        self.halt.lock().unwrap_or(Halt::Stop)
    }

    /// Waits until nobody has been reading for the length of `grace`.
    pub(crate) async fn abandoned(&self, grace: std::time::Duration) {
        let mut changed = self.readers_changed.subscribe();
        loop {
            changed.borrow_and_update();
            if self.readers.load(Ordering::Acquire) > 0 {
                if changed.changed().await.is_err() {
                    return;
                }
            } else if tokio::time::timeout(grace, changed.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Counts a reader until the guard is dropped.
    pub(crate) fn reader(self: &Arc<Self>) -> Reader {
        self.readers.fetch_add(1, Ordering::AcqRel);
        self.readers_changed.send_replace(());
        Reader { run: Arc::clone(self) }
    }

    /// The frames after `after`, then what comes, with heartbeats in silence; ends after `[DONE]`.
    pub(crate) fn stream(
        self: &Arc<Self>,
        after: u64,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
        let cursor = usize::try_from(after).unwrap_or(usize::MAX);
        let changed = self.log.changed.subscribe();
        let state = Subscription { reader: self.reader(), changed, cursor, quiet: false, ended: false };
        futures_util::stream::unfold(state, Subscription::next)
    }
}

/// Somebody who reads a run.
pub(crate) struct Reader {
    run: Arc<Run>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.run.readers.fetch_sub(1, Ordering::AcqRel);
        self.run.readers_changed.send_replace(());
    }
}

struct Subscription {
    reader: Reader,
    changed: watch::Receiver<u64>,
    cursor: usize,
    quiet: bool,
    ended: bool,
}

impl Subscription {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.ended {
            return None;
        }
        loop {
            self.changed.borrow_and_update();
            let (chunk, cursor, ended) = self.reader.run.log.read(self.cursor);
            if !chunk.is_empty() {
                self.cursor = cursor;
                self.ended = ended;
                self.quiet = false;
                return Some((Ok(chunk), self));
            }
            let wait = if self.quiet { limits::HEARTBEAT } else { limits::HEARTBEAT_FIRST };
            if tokio::time::timeout(wait, self.changed.changed()).await.is_err() {
                self.quiet = true;
                return Some((Ok(Bytes::from_static(HEARTBEAT)), self));
            }
        }
    }
}

/// The runs of this process: those in progress, and the latest finished ones for replay.
#[derive(Default)]
pub(crate) struct Hub {
    runs: Mutex<Runs>,
}

#[derive(Default)]
struct Runs {
    active: HashMap<RunId, Arc<Run>>,
    finished: VecDeque<Arc<Run>>,
}

impl Hub {
    /// Adds a run in progress.
    pub(crate) fn insert(&self, run: Arc<Run>) {
        self.runs.lock().active.insert(run.id.clone(), run);
    }

    /// Keeps a run for replay now that it has ended.
    pub(crate) fn retire(&self, run: Arc<Run>) {
        let mut runs = self.runs.lock();
        runs.active.remove(&run.id);
        runs.finished.push_back(run);
        while runs.finished.len() > limits::FINISHED_RUNS_MAX {
            runs.finished.pop_front();
        }
    }

    /// A run by its id, in progress or just finished.
    pub(crate) fn get(&self, tenant: &TenantId, id: &RunId) -> Option<Arc<Run>> {
        let runs = self.runs.lock();
        let found = runs.active.get(id).or_else(|| runs.finished.iter().rev().find(|run| run.id == *id));
        found.filter(|run| run.tenant == *tenant).cloned()
    }

    /// The run in progress of a conversation.
    pub(crate) fn active(&self, tenant: &TenantId, conversation: &ConversationId) -> Option<Arc<Run>> {
        let runs = self.runs.lock();
        runs.active.values().find(|run| run.tenant == *tenant && run.conversation == *conversation).cloned()
    }

    /// Forgets everything about a conversation that was erased.
    pub(crate) fn forget(&self, tenant: &TenantId, conversation: &ConversationId) {
        let mut runs = self.runs.lock();
        let theirs = |run: &Arc<Run>| run.tenant == *tenant && run.conversation == *conversation;
        runs.finished.retain(|run| !theirs(run));
        for run in runs.active.values().filter(|run| theirs(run)) {
            run.halt(Halt::Stop);
        }
    }

    /// How many are in progress.
    pub(crate) fn active_count(&self) -> usize {
        self.runs.lock().active.len()
    }

    /// Asks every run to end.
    pub(crate) fn halt_all(&self, reason: Halt) {
        let active: Vec<Arc<Run>> = self.runs.lock().active.values().cloned().collect();
        active.iter().for_each(|run| run.halt(reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use plinth_kernel::World;
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    fn run() -> Arc<Run> {
        let (world, _) = World::manual(1);
        Run::new(world.id(), world.id(), world.id())
    }

    fn delta(text: &str) -> Part {
        Part::TextDelta { id: "t1", delta: text.to_owned() }
    }

    async fn collect(run: &Arc<Run>, after: u64) -> String {
        let chunks: Vec<_> = run.stream(after).collect().await;
        chunks.into_iter().map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()).collect()
    }

    #[tokio::test]
    async fn every_reader_gets_the_same_stream() {
        let run = run();
        let early = tokio::spawn({
            let run = Arc::clone(&run);
            async move { collect(&run, 0).await }
        });
        run.log.push(&delta("a"));
        tokio::task::yield_now().await;
        run.log.push(&delta("b"));
        run.log.close(&[Part::Finish { finish_reason: "stop", message_metadata: json!({}) }]);
        assert!(!run.log.push(&delta("late")), "nothing follows the end");
        let late = collect(&run, 0).await;
        assert_eq!(early.await.unwrap(), late);
        assert!(late.starts_with("id: 1\ndata: ") && late.ends_with("data: [DONE]\n\n"), "{late}");
        let stored = Run::replay(
            run.tenant.clone(),
            run.id.clone(),
            run.conversation.clone(),
            &run.log.lines_with(&[]),
        );
        assert_eq!(collect(&stored, 0).await, late, "a stored stream is replayed byte by byte");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_after_five_seconds_and_then_every_fifteen() {
        let run = run();
        let mut stream = Box::pin(run.stream(0));
        let start = tokio::time::Instant::now();
        for expected in [5, 20, 35] {
            assert_eq!(stream.next().await.unwrap().unwrap(), Bytes::from_static(HEARTBEAT));
            assert_eq!(start.elapsed(), Duration::from_secs(expected));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_is_abandoned_only_when_nobody_came_back_in_time() {
        let run = run();
        let reader = run.reader();
        let waiting = tokio::spawn({
            let run = Arc::clone(&run);
            async move { run.abandoned(Duration::from_secs(20)).await }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(reader);
        tokio::time::sleep(Duration::from_secs(19)).await;
        let reader = run.reader();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished());
        drop(reader);
        tokio::time::sleep(Duration::from_secs(21)).await;
        assert!(waiting.is_finished());
    }

    #[test]
    fn a_full_log_can_still_end() {
        let run = run();
        let text = "x".repeat(10_000);
        let mut count = 0;
        while run.log.push(&delta(&text)) {
            count += 1;
        }
        assert_eq!(count, (limits::RUN_LOG_BYTES_MAX - limits::RUN_LOG_RESERVE_BYTES) / 10_050);
        run.log.close(&[Part::Finish { finish_reason: "length", message_metadata: json!({}) }]);
        let frames = run.log.frames.lock();
        assert!(frames.closed && frames.bytes <= limits::RUN_LOG_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn a_resumed_stream_loses_and_repeats_nothing(texts in prop::collection::vec("[a-z\n]{0,9000}", 1..8), cut in 0usize..10) {
            let run = run();
            texts.iter().for_each(|text| { run.log.push(&delta(text)); });
            run.log.close(&[Part::Finish { finish_reason: "stop", message_metadata: json!({}) }]);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let whole = runtime.block_on(collect(&run, 0));
            let cut = cut.min(texts.len());
            let head: String = run.log.frames.lock().encoded[..cut].iter().map(|f| String::from_utf8(f.to_vec()).unwrap()).collect();
            prop_assert_eq!(head + &runtime.block_on(collect(&run, cut as u64)), whole);
        }
    }
}
