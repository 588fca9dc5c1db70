//! Every bound of this crate, in one place. What an operator may change is a field of
//! [`FlowConfig`](crate::FlowConfig) whose default stands here.

/// Partitions of the event log; fixed by the store, and part of every cursor's key.
pub const PARTITIONS: u16 = 64;
/// Events that one unit of work hands to a consumer.
pub const EVENTS_PER_BATCH: usize = 128;
/// Events that a consumer may skip (they match no filter) before it writes its cursor down.
pub const EVENTS_SKIPPED_UNWRITTEN_MAX: i64 = 2_000;
/// Length of a consumer's name.
pub const CONSUMER_NAME_LEN_MAX: usize = 60;
/// Consumers in one process.
pub const CONSUMERS_MAX: usize = 64;
/// Parked and held events of one consumer and partition. At this number the partition stops instead of
/// losing anything, and the lag shows it.
pub const PARKED_PER_PARTITION_MAX: i64 = 1_000;
/// Tries of an event before it is parked, when the consumer does not say.
pub const EVENT_TRIES_MAX: u32 = 5;
/// Processes that may die while they handle an event before it is parked unhandled.
pub const EVENT_CRASHES_MAX: i64 = 2;
/// First and longest pause between two tries of an event. They are short because the partition waits.
pub const EVENT_BACKOFF_BASE_MS: u64 = 50;
/// See [`EVENT_BACKOFF_BASE_MS`].
pub const EVENT_BACKOFF_CAP_MS: u64 = 2_000;
/// The pause of a partition that cannot go on at all: no room to park, or a gap in the log.
pub const PARTITION_STALLED_MS: i64 = 10_000;
/// Length of an error text that is kept; the rest is cut.
pub const ERROR_LEN_MAX: usize = 2_000;

/// Bytes of a job's payload, as JSON.
pub const JOB_PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a job's result, as JSON. A larger one is replaced by a note that says so.
pub const JOB_RESULT_BYTES_MAX: usize = 64 * 1024;
/// Length of queue and kind names.
pub const JOB_NAME_LEN_MAX: usize = 60;
/// Length of dedupe keys, ordering keys and destinations.
pub const JOB_KEY_LEN_MAX: usize = 200;
/// Tries of a job before it is a dead letter, when the enqueuer does not say.
pub const JOB_TRIES_DEFAULT: u32 = 8;
/// The most tries an enqueuer may ask for.
pub const JOB_TRIES_MAX: u32 = 100;
/// Attempts of one job in its whole life, throttled ones and replays included.
pub const JOB_ATTEMPTS_MAX: u32 = 1_000;
/// How long one attempt may take, when the enqueuer does not say.
pub const JOB_TIMEOUT_MS_DEFAULT: u64 = 60_000;
/// The longest time an enqueuer may give one attempt.
pub const JOB_TIMEOUT_MS_MAX: u64 = 15 * 60_000;
/// What is added to an attempt's time before another node may take the job over.
pub const JOB_LEASE_GUARD_MS: i64 = 5_000;
/// The furthest future of `run_at`: beyond it, use a schedule.
pub const JOB_DELAY_MS_MAX: i64 = 400 * 24 * 3_600_000;
/// The longest window of a dedupe key.
pub const JOB_DEDUPE_WINDOW_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// Jobs that wait behind one ordering key.
pub const LANE_JOBS_MAX: i64 = 10_000;
/// First pause of the default back-off.
pub const JOB_BACKOFF_BASE_MS: u64 = 1_000;
/// Longest pause of the default back-off.
pub const JOB_BACKOFF_CAP_MS: u64 = 10 * 60_000;
/// The longest pause that a handler or a provider's `Retry-After` may ask for.
pub const JOB_RETRY_AFTER_MS_MAX: u64 = 24 * 3_600_000;
/// The wait of a job whose kind no handler of this node knows: a newer node may be on its way.
pub const JOB_UNKNOWN_KIND_DEFER_MS: i64 = 30_000;

/// Queues in one process.
pub const QUEUES_MAX: usize = 64;
/// Jobs of one queue that run at once on one node, when the configuration does not say.
pub const QUEUE_SLOTS_DEFAULT: u32 = 16;
/// The most that a configuration may say.
pub const QUEUE_SLOTS_MAX: u32 = 1_024;
/// Jobs that one claim takes.
pub const CLAIM_JOBS_MAX: u32 = 64;
/// Distinct (class, tenant, destination) flows that one look at a queue considers; the next look goes on
/// where this one ended.
pub const CLAIM_FLOWS_MAX: usize = 256;
/// Delayed jobs and retries that one unit of work moves to the ready ones.
pub const PROMOTE_JOBS_MAX: i64 = 500;
/// Jobs of dead nodes that one unit of work takes back.
pub const RECLAIM_JOBS_MAX: i64 = 200;
/// Jobs of one destination that run at once on one node, when its policy does not say.
pub const DESTINATION_CONCURRENCY_DEFAULT: u32 = 8;
/// Destinations whose breaker and throttle a node remembers; the longest unused is forgotten first.
pub const DESTINATIONS_MAX: usize = 10_000;
/// Tenants whose account a queue remembers.
pub const ACCOUNTS_MAX: usize = 4_096;
/// Dead letters that one bulk replay takes.
pub const REPLAY_JOBS_MAX: i64 = 500;
/// The spread of a bulk replay: so many milliseconds between two jobs.
pub const REPLAY_SPREAD_MS: i64 = 20;

/// Length of a schedule's name.
pub const SCHEDULE_NAME_LEN_MAX: usize = 100;
/// Length of a cron expression.
pub const CRON_LEN_MAX: usize = 120;
/// Firings that `MissedFirings::All` makes up for, the latest first to count.
pub const MISSED_FIRINGS_MAX: u32 = 100;
/// Schedules that one unit of work fires.
pub const SCHEDULES_PER_UNIT_MAX: i64 = 50;
/// A firing this late counts as missed.
pub const SCHEDULE_GRACE_MS: i64 = 60_000;

/// How long a node lives without a heartbeat.
pub const NODE_LEASE_MS: u64 = 15_000;
/// The safety poll behind the notifications.
pub const POLL_MS: u64 = 2_000;
/// How long finished jobs are kept.
pub const JOBS_DONE_KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// How long dead letters and cancelled jobs are kept.
pub const JOBS_DEAD_KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// How long events are kept after every consumer has passed them.
pub const EVENTS_KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// Rows that one unit of a sweep removes.
pub const SWEEP_ROWS_MAX: i64 = 500;
/// Spans of one trace that a timeline shows.
pub const TRACE_SPANS_MAX: i64 = 1_000;
/// Rows of one page of a list.
pub const PAGE_ROWS_MAX: i64 = 200;

/// How long a consumer's batch of events may hold its transaction, in microseconds, before the rest is left to the next
/// one. A single event is not cut.
pub const BATCH_TIME_US: i64 = 50_000;
