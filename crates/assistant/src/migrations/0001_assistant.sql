CREATE TABLE assistant_conversations (
    tenant_id     TEXT NOT NULL,
    id            TEXT NOT NULL,
    -- Who may read it: the actor that began it.
    owner         TEXT NOT NULL,
    -- The client's own name for it.
    external_id   TEXT,
    title         TEXT NOT NULL,
    locale        TEXT,
    message_count BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX assistant_conversations_external
    ON assistant_conversations (tenant_id, owner, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX assistant_conversations_updated ON assistant_conversations (updated_at);

CREATE TABLE assistant_messages (
    tenant_id       TEXT NOT NULL,
    id              TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    position        BIGINT NOT NULL,
    -- user or assistant
    role            TEXT NOT NULL,
    body            TEXT NOT NULL,
    run_id          TEXT,
    -- JSON: what the answer cites and offers.
    detail          TEXT NOT NULL,
    rating          BIGINT,
    reason          TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX assistant_messages_position ON assistant_messages (tenant_id, conversation_id, position);

CREATE TABLE assistant_runs (
    tenant_id       TEXT NOT NULL,
    id              TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    answer_id       TEXT NOT NULL,
    owner           TEXT NOT NULL,
    idempotency_key TEXT,
    request_hash    TEXT NOT NULL,
    state           TEXT NOT NULL,
    provider        TEXT NOT NULL,
    model           TEXT NOT NULL,
    content_version TEXT NOT NULL,
    intent          TEXT NOT NULL,
    -- The card the answer is about, for follow-up questions.
    card            TEXT,
    -- JSON: passages found with their scores.
    retrieval       TEXT NOT NULL,
    input_tokens    BIGINT NOT NULL,
    output_tokens   BIGINT NOT NULL,
    cached_tokens   BIGINT NOT NULL,
    usage_reported  BOOLEAN NOT NULL,
    cost_micros     BIGINT NOT NULL,
    reserved_micros BIGINT NOT NULL,
    -- The day (UTC) whose budget pays.
    budget_day      TEXT NOT NULL,
    ttft_ms         BIGINT,
    total_ms        BIGINT,
    failure         TEXT,
    -- The stream's parts, one JSON document a line, for replay; emptied when the replay window has passed.
    frames          TEXT NOT NULL,
    -- A run that is not renewed until then has lost its process.
    lease_until     BIGINT NOT NULL,
    trace_id        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX assistant_runs_key
    ON assistant_runs (tenant_id, owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX assistant_runs_conversation ON assistant_runs (tenant_id, conversation_id, id);
-- A conversation has one answer in the making.
CREATE UNIQUE INDEX assistant_runs_active
    ON assistant_runs (tenant_id, conversation_id) WHERE state IN ('admitted', 'generating');
CREATE INDEX assistant_runs_lease ON assistant_runs (lease_until) WHERE state IN ('admitted', 'generating');
CREATE INDEX assistant_runs_finished ON assistant_runs (finished_at) WHERE frames <> '';

CREATE TABLE assistant_budgets (
    tenant_id       TEXT NOT NULL,
    -- tenant, or visitor:<actor>
    bucket          TEXT NOT NULL,
    -- 2026-11-22 or 2026-11
    period          TEXT NOT NULL,
    questions       BIGINT NOT NULL,
    reserved_micros BIGINT NOT NULL,
    spent_micros    BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, bucket, period)
);
CREATE INDEX assistant_budgets_updated ON assistant_budgets (updated_at);
