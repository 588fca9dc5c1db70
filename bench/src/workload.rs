//! The command that every durable load carries out: a row, an event that tells of it, and the idempotency row with
//! the stored answer. Sizes are those of a short form submission.

/// Tables of the command on either engine; the store brings its own table of events.
pub const TABLES: &str = "
CREATE TABLE bench_submissions (
    tenant_id     TEXT NOT NULL,
    submission_id TEXT NOT NULL,
    form_id       TEXT NOT NULL,
    answers       TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, submission_id)
);
CREATE TABLE bench_idempotency (
    tenant_id   TEXT NOT NULL,
    operation   TEXT NOT NULL,
    idem_key    TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    status      BIGINT NOT NULL,
    body        BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, operation, idem_key)
);
";

/// Claims the key and stores the answer; changes no row when somebody was first.
pub const INSERT_KEY: &str = "
INSERT INTO bench_idempotency (tenant_id, operation, idem_key, fingerprint, status, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, operation, idem_key) DO NOTHING";

/// Stores the submission.
pub const INSERT_ROW: &str = "
INSERT INTO bench_submissions (tenant_id, submission_id, form_id, answers, created_at) VALUES ($1, $2, $3, $4, $5)";

/// Which operation the keys belong to.
pub const OPERATION: &str = "forms.submissions.create";

/// What the event is called.
pub const EVENT_KIND: &str = "bench.submission.completed";

/// Digest of the request that a key is bound to.
pub const FINGERPRINT: [u8; 32] = [0x5a; 32];

/// What the visitor answered.
pub const ANSWERS: &str = r#"{"name":"Ada Lovelace","email":"ada@example.com","topic":"consulting","message":"Could you look at how our outbox drains when a consumer is slow? We see gaps in the order of events."}"#;

/// What the caller is told, and is told again when it retries.
pub const ANSWER: &[u8] = br#"{"object":"submission","id":"sub_01jyf3qk3te8z9a7b6c5d4e3f2","form_id":"frm_01jyf3qk3te8z9a7b6c5d4e3f2","created_at":"2026-01-01T00:00:00.000Z"}"#;
