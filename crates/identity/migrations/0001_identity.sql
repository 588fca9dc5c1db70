-- An organisation is the account boundary: people belong to it, and it owns tenants in pairs, live and test.
CREATE TABLE organisations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    twin_id TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    allowed_origins TEXT NOT NULL,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX tenants_by_organisation ON tenants (organisation_id, id);

-- A person, once, whichever organisations they work for.
CREATE TABLE members (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    last_tenant_id TEXT,
    last_login_at BIGINT,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    member_id TEXT NOT NULL REFERENCES members (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, member_id)
);
CREATE INDEX memberships_by_member ON memberships (member_id, organisation_id);

CREATE TABLE invites (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    token_hash BYTEA NOT NULL UNIQUE,
    invited_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
CREATE INDEX invites_by_email ON invites (organisation_id, email_key);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    member_id TEXT NOT NULL REFERENCES members (id),
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    user_agent TEXT,
    ip TEXT,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_member ON sessions (member_id, id);
CREATE INDEX sessions_by_age ON sessions (last_seen_at);

CREATE TABLE api_keys (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    handle TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'publishable', 'personal')),
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    last4 TEXT NOT NULL,
    scopes TEXT NOT NULL,
    cidrs TEXT NOT NULL,
    origins TEXT NOT NULL,
    version_pin TEXT,
    member_id TEXT REFERENCES members (id),
    created_by TEXT NOT NULL,
    predecessor_id TEXT,
    successor_id TEXT,
    expires_at BIGINT,
    retires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX api_keys_by_member ON api_keys (member_id) WHERE member_id IS NOT NULL;

-- Keys that sign end-user tokens; the private half is sealed with the installation's master key.
CREATE TABLE signing_keys (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    public_key BYTEA NOT NULL,
    sealed_seed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    retires_at BIGINT,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE token_issuers (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    jwks_url TEXT NOT NULL,
    scopes TEXT NOT NULL,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, issuer)
);

CREATE TABLE audit_heads (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

CREATE TABLE audit_entries (
    tenant_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    before_digest TEXT,
    after_digest TEXT,
    request_id TEXT,
    ip TEXT,
    hash BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
);

-- One row: when the installation was set up, and which master key it belongs to.
CREATE TABLE installation (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    key_check TEXT NOT NULL,
    set_up_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE setup_tokens (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- What other processes must forget. The head row is locked until the commit, so generations become visible in
-- order and a reader that has seen one has seen all before it.
CREATE TABLE identity_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL
);

CREATE TABLE identity_changes (
    generation BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX identity_changes_by_age ON identity_changes (at);
