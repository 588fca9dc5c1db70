//! What the tests share: an identity on a fresh store, an organisation, people.

use std::sync::Arc;

use plinth_identity::vault::MasterKey;
use plinth_identity::{
    By, Caller, Config, Device, Identity, IssuedKey, JwksFetcher, KeyKind, MIGRATIONS, NewKey,
    NewOrganisation, NoJwks, OpenedSession, SYSTEM, ScopeCatalogue, Secret, SetupRequest,
};
use plinth_kernel::{
    Actor, ApiVersion, PrincipalKind, Problem, Role, SpanId, TenantId, TraceContext, TraceId, World,
};
use plinth_store::{Store, Tx};
use plinth_testkit::TestStore;

pub const PASSWORD: &str = "correct horse battery";
pub const ISSUER: &str = "https://plinth.test";

pub fn trace() -> TraceContext {
    TraceContext { trace_id: TraceId([1; 16]), span_id: SpanId([1; 8]) }
}

pub fn device() -> Device {
    Device {
        ip: Some("203.0.113.7".parse().unwrap()),
        user_agent: Some("Firefox".into()),
        request_id: Some("req_test".into()),
        trace: trace(),
    }
}

pub fn config(jwks: Arc<dyn JwksFetcher>) -> Config {
    // The same master key for every identity on the same store, as every node of an installation has it.
    let (world, _) = World::manual(4711);
    Config {
        scopes: ScopeCatalogue::new(["forms:forms:read", "forms:forms:write", "forms:submissions:read"])
            .unwrap(),
        master_key: MasterKey::generate(&world),
        issuer: ISSUER.into(),
        newest_version: ApiVersion::new(2026, 11, 1),
        trusted_origins: vec![],
        jwks,
        allow_plain_jwks: false,
    }
}

pub async fn open_with(store: &TestStore, jwks: Arc<dyn JwksFetcher>) -> Identity {
    store.migrate(SYSTEM, MIGRATIONS).await.unwrap();
    Identity::open(store.store(), config(jwks)).await.unwrap()
}

pub async fn open(store: &TestStore) -> Identity {
    open_with(store, Arc::new(NoJwks)).await
}

/// Another process on the same data.
pub async fn open_again(store: &TestStore) -> Identity {
    Identity::open(store.store(), config(Arc::new(NoJwks))).await.unwrap()
}

/// A unit of work.
pub async fn act<T: Send + 'static>(
    store: &Store,
    mut f: impl FnMut(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    store.write(move |tx| f(tx)).await
}

pub async fn organisation(store: &Store, identity: &Identity) -> NewOrganisation {
    let identity = identity.clone();
    act(store, move |tx| identity.create_organisation(tx, "Acme", trace())).await.unwrap()
}

pub fn operator(tenant: &TenantId) -> By {
    By::system(tenant.clone(), "cli", trace())
}

pub fn as_role(identity: &Identity, tenant: &TenantId, actor: Actor, role: Role) -> By {
    By {
        actor,
        kind: PrincipalKind::Session,
        scopes: identity.scopes().of_role(role),
        role: Some(role),
        ..By::system(tenant.clone(), "x", trace())
    }
}

pub fn secret_key(scopes: &[&str]) -> NewKey {
    NewKey {
        kind: KeyKind::Secret,
        name: "server".into(),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        allowed_ips: vec![],
        allowed_origins: vec![],
        expires_at: None,
    }
}

pub async fn make_key(
    store: &Store,
    identity: &Identity,
    by: &By,
    new: NewKey,
) -> Result<IssuedKey, Problem> {
    let (identity, by) = (identity.clone(), by.clone());
    act(store, move |tx| identity.create_key(tx, &by, &new)).await
}

pub fn anywhere() -> Caller<'static> {
    Caller::default()
}

/// Sets the installation up: its first owner and organisation.
pub async fn set_up(identity: &Identity) -> OpenedSession {
    let token = identity.issue_setup_token().await.unwrap().unwrap();
    identity.complete_setup(setup_request(token.into_revealed()), device()).await.unwrap()
}

pub fn setup_request(token: String) -> SetupRequest {
    SetupRequest {
        token,
        email: "ada@example.com".into(),
        password: Secret::new(PASSWORD.into()),
        name: "Ada".into(),
        organisation: "Acme".into(),
    }
}

pub async fn count(store: &Store, sql: &'static str) -> i64 {
    store.read(move |tx| tx.one::<i64>(sql, plinth_store::args![]).map_err(Problem::from)).await.unwrap()
}
