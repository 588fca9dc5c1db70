CREATE TABLE forms_form (
    tenant_id    TEXT NOT NULL,
    id           TEXT NOT NULL,
    external_id  TEXT,
    name         TEXT NOT NULL,
    state        TEXT NOT NULL,
    rev          BIGINT NOT NULL,
    live_version BIGINT,
    draft        TEXT NOT NULL,
    draft_rev    BIGINT NOT NULL,
    metadata     TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX forms_form_external ON forms_form (tenant_id, external_id) WHERE external_id IS NOT NULL;

-- A version is never changed; it goes only with its form.
CREATE TABLE forms_version (
    tenant_id    TEXT NOT NULL,
    form_id      TEXT NOT NULL,
    number       BIGINT NOT NULL,
    id           TEXT NOT NULL,
    hash         TEXT NOT NULL,
    definition   TEXT NOT NULL,
    note         TEXT NOT NULL,
    published_by TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, form_id, number)
);

CREATE TABLE forms_submission (
    tenant_id    TEXT NOT NULL,
    id           TEXT NOT NULL,
    form_id      TEXT NOT NULL,
    version      BIGINT NOT NULL,
    state        TEXT NOT NULL,
    rev          BIGINT NOT NULL,
    -- JSON object: field id to value.
    answers      TEXT NOT NULL,
    actor        TEXT NOT NULL,
    origin_hash  TEXT NOT NULL,
    user_agent   TEXT NOT NULL,
    trace_id     TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX forms_submission_by_form ON forms_submission (tenant_id, form_id, id);
CREATE INDEX forms_submission_by_origin ON forms_submission (tenant_id, form_id, origin_hash, created_at);
CREATE INDEX forms_submission_by_time ON forms_submission (tenant_id, created_at);
