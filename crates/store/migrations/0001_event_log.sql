-- The log of everything that was committed. It is the one table whose key does not begin with the tenant: it is read
-- by partition, and a tenant's own views of it go through the indexes below.
CREATE TABLE events (
    partition    BIGINT NOT NULL,
    sequence     BIGINT NOT NULL,
    event_id     TEXT NOT NULL,
    tenant_id    TEXT NOT NULL,
    kind         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    subject      TEXT NOT NULL,
    data         TEXT NOT NULL,
    actor        TEXT NOT NULL,
    trace_id     TEXT NOT NULL,
    span_id      TEXT NOT NULL,
    causation_id TEXT,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (partition, sequence)
);

CREATE UNIQUE INDEX events_by_id ON events (tenant_id, event_id);
CREATE INDEX events_by_trace ON events (tenant_id, trace_id);
CREATE INDEX events_by_subject ON events (tenant_id, subject, event_id);

-- The last sequence of each partition; 64 rows, updated in place.
CREATE TABLE event_heads (
    partition BIGINT PRIMARY KEY,
    sequence  BIGINT NOT NULL
) WITH (fillfactor = 10);

INSERT INTO event_heads (partition, sequence)
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 63)
SELECT n, 0 FROM numbers;
