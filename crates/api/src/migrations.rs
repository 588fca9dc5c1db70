//! Tables of this crate.

use plinth_store::Migration;

/// Stored answers of idempotent commands.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "idempotency",
        sql: "
CREATE TABLE api_idempotency (
    tenant_id   TEXT NOT NULL,
    operation   TEXT NOT NULL,
    caller      TEXT NOT NULL,
    idem_key    TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    request_id  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    status      BIGINT,
    headers     TEXT,
    body        BYTEA,
    PRIMARY KEY (tenant_id, operation, caller, idem_key)
);
CREATE INDEX api_idempotency_age ON api_idempotency (created_at);
",
    },
    Migration {
        number: 2,
        name: "idempotency_sealed",
        sql: "ALTER TABLE api_idempotency ADD COLUMN sealed BOOLEAN NOT NULL DEFAULT FALSE;",
    },
];
