-- Processes that run consumers and jobs. A node is alive while its lease, by the database's clock, has not run out;
-- whatever a dead node holds may be taken over.
CREATE TABLE flow_nodes (
    node_id     TEXT PRIMARY KEY,
    process     TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- How far each consumer has come in each partition. `epoch` rises with every change of owner and fences a node that
-- was paused: its late acknowledgement names an old epoch and changes nothing.
-- `tries`, `begun` and `last_error` speak of the event after `acked`: failures, and handlings during which the process
-- died.
CREATE TABLE flow_cursors (
    consumer   TEXT NOT NULL,
    partition  BIGINT NOT NULL,
    acked      BIGINT NOT NULL,
    owner      TEXT,
    epoch      BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    begun      BIGINT NOT NULL,
    retry_at   BIGINT NOT NULL,
    last_error TEXT,
    PRIMARY KEY (consumer, partition)
) WITH (fillfactor = 50);

-- Below this sequence a partition may have holes: the sweep has been there.
CREATE TABLE flow_swept (
    partition BIGINT PRIMARY KEY,
    sequence  BIGINT NOT NULL
);

-- Events that a consumer could not handle (parked), those of the same key behind them (held), and those that somebody
-- asked to have tried again (due).
CREATE TABLE flow_parked_events (
    tenant_id  TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    consumer   TEXT NOT NULL,
    partition  BIGINT NOT NULL,
    sequence   BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    trace_id   TEXT NOT NULL,
    state      TEXT NOT NULL,
    tries      BIGINT NOT NULL,
    last_error TEXT,
    parked_at  BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, event_id, consumer)
);
CREATE INDEX flow_parked_by_place ON flow_parked_events (consumer, partition, sequence);
CREATE INDEX flow_parked_by_event ON flow_parked_events (partition, sequence);
CREATE INDEX flow_parked_due ON flow_parked_events (consumer, partition, sequence) WHERE state = 'due';

-- What a consumer did with an event, written in the transaction that did it: the timeline of a trace.
CREATE TABLE flow_handlings (
    tenant_id   TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    consumer    TEXT NOT NULL,
    span_id     TEXT NOT NULL,
    tries       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, event_id, consumer)
);
CREATE INDEX flow_handlings_by_time ON flow_handlings (finished_at);

CREATE TABLE flow_jobs (
    tenant_id        TEXT NOT NULL,
    job_id           TEXT NOT NULL,
    queue            TEXT NOT NULL,
    kind             TEXT NOT NULL,
    class            BIGINT NOT NULL,
    state            TEXT NOT NULL,
    payload          TEXT NOT NULL,
    destination      TEXT NOT NULL,
    ordering_key     TEXT,
    lane_place       BIGINT,
    dedupe_key       TEXT,
    run_at           BIGINT NOT NULL,
    expires_at       BIGINT,
    timeout_ms       BIGINT NOT NULL,
    attempt          BIGINT NOT NULL,
    tries            BIGINT NOT NULL,
    tries_max        BIGINT NOT NULL,
    unknowns         BIGINT NOT NULL,
    unknowns_max     BIGINT NOT NULL,
    node_id          TEXT,
    lease_until      BIGINT,
    cancel_requested BOOLEAN NOT NULL,
    result           TEXT,
    last_error       TEXT,
    trace_id         TEXT NOT NULL,
    span_id          TEXT NOT NULL,
    parent_span_id   TEXT NOT NULL,
    causation_id     TEXT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    finished_at      BIGINT,
    PRIMARY KEY (tenant_id, job_id)
);
-- Flows of ready jobs are found by skipping from one (class, tenant, destination) to the next.
CREATE INDEX flow_jobs_ready ON flow_jobs (queue, class, tenant_id, destination, run_at, job_id) WHERE state = 'ready';
CREATE INDEX flow_jobs_scheduled ON flow_jobs (run_at) WHERE state = 'scheduled';
CREATE INDEX flow_jobs_retrying ON flow_jobs (run_at) WHERE state = 'retrying';
CREATE INDEX flow_jobs_running ON flow_jobs (node_id, lease_until) WHERE state = 'running';
CREATE INDEX flow_jobs_blocked ON flow_jobs (tenant_id, queue, ordering_key, lane_place) WHERE state = 'blocked';
CREATE INDEX flow_jobs_not_done ON flow_jobs (tenant_id, state, job_id) WHERE state <> 'done';
CREATE INDEX flow_jobs_finished ON flow_jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX flow_jobs_by_trace ON flow_jobs (tenant_id, trace_id);

-- One row a try, written before the effect and completed after it. A row without an outcome is open.
CREATE TABLE flow_attempts (
    tenant_id   TEXT NOT NULL,
    job_id      TEXT NOT NULL,
    attempt     BIGINT NOT NULL,
    attempt_id  TEXT NOT NULL,
    span_id     TEXT NOT NULL,
    node_id     TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    outcome     TEXT,
    error       TEXT,
    PRIMARY KEY (tenant_id, job_id, attempt)
);

-- An ordering key with jobs that are not finished. Its row is the lock under which a job learns whether it is first.
CREATE TABLE flow_lanes (
    tenant_id    TEXT NOT NULL,
    queue        TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    live         BIGINT NOT NULL,
    tail         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, queue, ordering_key)
) WITH (fillfactor = 50);

-- A dedupe key that is taken, by which job, and until when: the largest number while the job is not finished.
CREATE TABLE flow_dedupes (
    tenant_id    TEXT NOT NULL,
    queue        TEXT NOT NULL,
    dedupe_key   TEXT NOT NULL,
    job_id       TEXT NOT NULL,
    window_until BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, queue, dedupe_key)
);
CREATE INDEX flow_dedupes_by_expiry ON flow_dedupes (expires_at);

CREATE TABLE flow_schedules (
    tenant_id   TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    name        TEXT NOT NULL,
    queue       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    cron        TEXT,
    zone        TEXT NOT NULL,
    missed      TEXT NOT NULL,
    state       TEXT NOT NULL,
    next_at     BIGINT,
    last_at     BIGINT,
    last_job_id TEXT,
    fired       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, schedule_id)
);
CREATE UNIQUE INDEX flow_schedules_by_name ON flow_schedules (tenant_id, name);
CREATE INDEX flow_schedules_due ON flow_schedules (next_at) WHERE state = 'active';
