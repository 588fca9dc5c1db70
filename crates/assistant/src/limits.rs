//! Every limit of the assistant, by name. A number that bounds memory, time or money stands here and nowhere else.

use std::time::Duration;

/// Longest question, in characters after normalisation.
pub const QUESTION_CHARS_MAX: usize = 1_000;
/// Largest request body of `POST /chat`. AI SDK clients resend the whole history, which is ignored but must be read.
pub const CHAT_BODY_BYTES_MAX: usize = 512 * 1024;
/// Most messages accepted in an AI SDK or OpenAI history; only the last user message is read.
pub const HISTORY_MESSAGES_MAX: usize = 1_000;
/// Longest conversation id chosen by a client.
pub const EXTERNAL_ID_CHARS_MAX: usize = 128;
/// Longest reason given with a rating.
pub const FEEDBACK_CHARS_MAX: usize = 1_000;
/// Longest page path sent along with a question.
pub const PAGE_CHARS_MAX: usize = 512;
/// Longest BCP 47 locale accepted.
pub const LOCALE_CHARS_MAX: usize = 35;
/// Most messages kept in one conversation; a new question after that starts a new one.
pub const CONVERSATION_MESSAGES_MAX: i64 = 1_000;

/// Longest answer composed from passages, in characters.
pub const EXTRACT_CHARS_MAX: usize = 600;
/// Longest quotation of one passage inside an answer, in characters.
pub const EXCERPT_CHARS_MAX: usize = 340;
/// Longest answer accepted from a language model, in characters.
pub const GENERATED_CHARS_MAX: usize = 1_200;
/// Longest run of model output that is held back while its sentence is still open, in characters.
pub const SENTENCE_CHARS_MAX: usize = 400;
/// Most passages named as sources of one answer.
pub const SOURCES_MAX: usize = 8;
/// Quotation carried by a `source-url` part, in characters.
pub const QUOTE_CHARS_MAX: usize = 200;
/// Follow-up suggestions after an answer.
pub const SUGGESTIONS_MAX: usize = 3;
/// Longest misspelt word that is looked up in the index, in characters.
pub const FUZZY_WORD_CHARS_MAX: usize = 24;
/// Content words of one question that take part in the search.
pub const QUESTION_WORDS_MAX: usize = 48;

/// Bytes of frames that one run may hold.
pub const RUN_LOG_BYTES_MAX: usize = 256 * 1024;
/// Part of [`RUN_LOG_BYTES_MAX`] kept free for the closing parts, so that a full log can still end properly.
pub const RUN_LOG_RESERVE_BYTES: usize = 4 * 1024;
/// Frames handed to a connection at once; bounds what a slow reader has in flight.
pub const SUBSCRIBER_CHUNK_BYTES_MAX: usize = 16 * 1024;
/// Finished runs kept in memory for replay; older ones are replayed from the store.
pub const FINISHED_RUNS_MAX: usize = 256;
/// How long a finished run can be replayed by `GET /chat/{id}/stream?run=`.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(600);
/// First heartbeat after this much silence.
pub const HEARTBEAT_FIRST: Duration = Duration::from_secs(5);
/// Every further heartbeat.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// A run whose last reader left goes on this long, so that a reload can come back to it.
pub const DISCONNECT_GRACE: Duration = Duration::from_secs(20);
/// Partial answers are stored at least this often while a model writes.
pub const PERSIST_INTERVAL: Duration = Duration::from_secs(1);
/// A run that has not been renewed for this long is taken for dead (its process is gone).
pub const RUN_LEASE_MS: i64 = 30_000;
/// Runs in progress in one process; beyond that questions are answered with `503`.
pub const ACTIVE_RUNS_MAX: usize = 4_096;
/// How long a draining process waits for its runs.
pub const DRAIN_MAX: Duration = Duration::from_secs(25);

/// Connecting to a provider.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// From the request to the first byte of the answer.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two pieces of the upstream's answer.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// A whole upstream call.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Waiting for a free slot at the provider before the answer degrades to the extractive one.
pub const SLOT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest line accepted from an upstream event stream.
pub const SSE_LINE_BYTES_MAX: usize = 1024 * 1024;
/// Longest event (sum of its data lines) accepted from an upstream.
pub const SSE_EVENT_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of an upstream's error body that are read.
pub const UPSTREAM_ERROR_BYTES_MAX: usize = 16 * 1024;
/// Attempts to reach a provider before anything was shown.
pub const PROVIDER_ATTEMPTS_MAX: u32 = 2;

/// Conversations, streams and budgets that one pass of the retention sweep removes: what fits into a unit of work.
pub const SWEEP_BATCH: i64 = 200;
/// Passes of one sweep; more than a quarter of an hour's questions leave behind.
pub const SWEEP_PASSES_MAX: usize = 500;
/// Questions in one evaluation.
pub const EVALUATION_QUESTIONS_MAX: usize = 10_000;
/// How long rows of past budgets are kept: longer than any period, for the operator's questions.
pub const BUDGET_KEPT_MS: i64 = 70 * 24 * 3_600 * 1_000;
/// Pause before asking a provider again.
pub const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause a provider may ask for before the answer degrades instead.
pub const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);
/// Most tokens asked of a model for one answer; three times what [`GENERATED_CHARS_MAX`] needs.
pub const OUTPUT_TOKENS_MAX: u64 = 1_000;
