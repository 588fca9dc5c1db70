CREATE TABLE notify_workflow (
    tenant_id   TEXT NOT NULL,
    id          TEXT NOT NULL,
    external_id TEXT,
    name        TEXT NOT NULL,
    enabled     BOOLEAN NOT NULL,
    event       TEXT NOT NULL,
    definition  TEXT NOT NULL,
    rev         BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX notify_workflow_external ON notify_workflow (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX notify_workflow_by_event ON notify_workflow (tenant_id, event) WHERE enabled;

CREATE TABLE notify_notification (
    tenant_id    TEXT NOT NULL,
    id           TEXT NOT NULL,
    workflow_id  TEXT NOT NULL,
    workflow_rev BIGINT NOT NULL,
    step_id      TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    channel      TEXT NOT NULL,
    recipient    TEXT NOT NULL,
    address      TEXT NOT NULL,
    state        TEXT NOT NULL,
    -- What is delivered, rendered once.
    content      TEXT NOT NULL,
    job_id       TEXT,
    provider     TEXT,
    last_error   TEXT,
    trace_id     TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    sent_at      BIGINT,
    PRIMARY KEY (tenant_id, id)
);
-- One notification for an event, a step and a recipient, however often the event is handled.
CREATE UNIQUE INDEX notify_notification_once ON notify_notification (tenant_id, event_id, workflow_id, step_id, recipient);
CREATE INDEX notify_notification_by_time ON notify_notification (tenant_id, created_at);

CREATE TABLE notify_inbox_item (
    tenant_id       TEXT NOT NULL,
    member_id       TEXT NOT NULL,
    id              TEXT NOT NULL,
    notification_id TEXT NOT NULL,
    title           TEXT NOT NULL,
    body            TEXT NOT NULL,
    url             TEXT,
    trace_id        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    read_at         BIGINT,
    PRIMARY KEY (tenant_id, member_id, id)
);
CREATE INDEX notify_inbox_unread ON notify_inbox_item (tenant_id, member_id, id) WHERE read_at IS NULL;

-- Mails that were written to the file outbox because no SMTP server is configured.
CREATE TABLE notify_mail (
    tenant_id       TEXT NOT NULL,
    id              TEXT NOT NULL,
    notification_id TEXT NOT NULL,
    sender          TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    subject         TEXT NOT NULL,
    text_body       TEXT NOT NULL,
    html_body       TEXT,
    file_name       TEXT NOT NULL,
    trace_id        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
