//! Who is asking, and may they: tenants, members, sessions, API keys, end-user tokens, and the audit trail.
//!
//! [`Identity`] is the façade. Three kinds of function stand on it:
//! - *administrative acts* take an open [`Tx`](plinth_store::Tx) and [`By`], so that an idempotent command can run
//!   them in its own transaction; each writes its audit entry and emits its event in that same transaction;
//! - *authentication* ([`Identity::key`], [`Identity::session`], [`Identity::token`]) is asynchronous, answers from
//!   memory where it can, and yields a [`Credential`] that holds the gateway's counters as well;
//! - *what takes time outside a transaction* (login, setup, accepting an invitation, minting) is asynchronous too,
//!   because a password hash must never be computed while a transaction is open.
//!
//! **Invariants**: no secret is stored (only hashes, or sealed with the master key), none is in a `Debug` text or a
//! serialised type; nothing here speaks HTTP; every input has a limit in [`limits`].
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use plinth_kernel::{ApiVersion, Problem, World};
use plinth_store::{Migration, Store, args};

pub mod audit;
mod authenticator;
mod background;
mod by;
mod cache;
mod caches;
mod check;
mod credential;
mod invites;
mod issuers;
mod keys;
pub mod limits;
mod login;
mod members;
pub mod model;
mod page;
mod passwords;
mod realtime;
pub mod secret;
mod sessions;
mod setup;
mod signing;
mod tenants;
mod throttle;
mod tokens;
pub mod vault;

pub use authenticator::{AuthError, Caller};
pub use by::By;
pub use credential::{Credential, RATE_CELLS, RateCells, TenantFacts, TenantRecord};
pub use invites::{AcceptInvite, Invite, InviteStatus, IssuedInvite, NewInvite};
pub use issuers::{JwksFetcher, NewIssuer, NoJwks, TokenIssuer};
pub use keys::{ApiKey, IssuedKey, KeyKind, KeyStatus, NewKey};
pub use login::{Device, OpenedSession};
pub use members::Member;
pub use model::scope::ScopeCatalogue;
pub use page::{Listed, PageRequest};
pub use passwords::{HashedPassword, PasswordPool};
pub use realtime::{TENANT_CHANNEL, inbox_channel};
pub use secret::Secret;
pub use sessions::{CurrentSession, Session, TenantChoice};
pub use setup::SetupRequest;
pub use signing::SigningRotation;
pub use tenants::{NewOrganisation, Tenant, TenantPatch};
pub use tokens::{NewUserToken, UserToken};

use authenticator::Authenticator;
use background::Seen;
use caches::Caches;
use throttle::Throttle;
use vault::{MasterKey, Signer, Vault};

/// Name under which the migrations are recorded.
pub const SYSTEM: &str = "identity";

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "identity", sql: include_str!("../migrations/0001_identity.sql") }];

/// What identity is told by the composition root.
pub struct Config {
    /// Every scope that some operation declares.
    pub scopes: ScopeCatalogue,
    /// The installation's master key.
    pub master_key: MasterKey,
    /// The `iss` claim of our tokens: the installation's public address.
    pub issuer: String,
    /// The newest API version, to which a new key is pinned.
    pub newest_version: ApiVersion,
    /// Origins of consoles that are served from elsewhere.
    pub trusted_origins: Vec<String>,
    /// Fetches issuers' key sets.
    pub jwks: Arc<dyn JwksFetcher>,
    /// Whether an issuer's keys may be published without TLS: on a developer's machine only.
    pub allow_plain_jwks: bool,
}

/// The façade. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    store: Store,
    world: World,
    config: Config,
    vault: Vault,
    visitors: Signer,
    passwords: PasswordPool,
    throttle: Throttle,
    caches: Arc<Caches>,
    authenticator: Authenticator,
    seen: Mutex<Seen>,
}

impl Identity {
    /// Opens identity on a store whose migrations were applied. Refuses a master key that is not the one the
    /// installation began with: tokens and sealed values would silently stop working.
    pub async fn open(store: Store, config: Config) -> Result<Self, Problem> {
        let fingerprint = config.master_key.fingerprint();
        let check = fingerprint.clone();
        let recorded: String = store
            .write(move |tx| {
                let now = tx.now();
                tx.exec(
                    "INSERT INTO installation (id, key_check, created_at) VALUES (1, $1, $2)
                     ON CONFLICT (id) DO NOTHING",
                    args![&check, now],
                )?;
                tx.one("SELECT key_check FROM installation WHERE id = 1", args![]).map_err(Problem::from)
            })
            .await?;
        if recorded != fingerprint {
            return Err(Problem::internal(
                "the master key is not the one this installation began with; restore the original key file",
            ));
        }
        let world = store.world().clone();
        let caches = Arc::new(Caches::new());
        let identity = Self(Arc::new(Inner {
            vault: Vault::new(&config.master_key, world.clone()),
            visitors: Signer::new(&config.master_key, "visitor cookie"),
            passwords: PasswordPool::new(world.clone()),
            throttle: Throttle::new(),
            authenticator: Authenticator::new(store.clone(), Arc::new(config.scopes.clone()), caches.clone()),
            seen: Mutex::default(),
            store,
            world,
            config,
            caches,
        }));
        // Nothing is in memory yet, so all that happened so far counts as seen.
        identity.poll_changes().await?;
        Ok(identity)
    }

    /// An API key, if it can be answered from memory; `None` when [`Identity::key`] must be awaited.
    pub fn key_cached(&self, text: &str, caller: Caller<'_>) -> Option<Result<Arc<Credential>, AuthError>> {
        self.0.authenticator.key_cached(text, caller)
    }

    /// An API key.
    pub async fn key(&self, text: &str, caller: Caller<'_>) -> Result<Arc<Credential>, AuthError> {
        self.0.authenticator.key(text, caller).await
    }

    /// A console session, by the value of its cookie.
    pub async fn session(&self, token: &str) -> Result<Arc<Credential>, AuthError> {
        self.0.authenticator.session(token).await
    }

    /// Whatever stands behind `Authorization: Bearer`: an API key or an end user's token.
    pub async fn bearer(&self, credential: &str, caller: Caller<'_>) -> Result<Arc<Credential>, AuthError> {
        if credential.starts_with("plk_") {
            self.key(credential, caller).await
        } else {
            self.token(credential).await
        }
    }

    /// Seals and opens small secrets for the database; other systems keep their providers' credentials in it.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// A key for another part of the installation, derived from the master key: for example, what cursors are signed
    /// with.
    pub fn derive_key(&self, purpose: &'static str) -> Secret<[u8; 32]> {
        self.0.config.master_key.derive(purpose)
    }

    /// Every known scope.
    pub fn scopes(&self) -> &ScopeCatalogue {
        &self.0.config.scopes
    }

    /// The password pool, for its figures.
    pub fn passwords(&self) -> &PasswordPool {
        &self.0.passwords
    }

    /// Origins of consoles that are served from elsewhere.
    pub fn trusted_origins(&self) -> &[String] {
        &self.0.config.trusted_origins
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn world(&self) -> &World {
        &self.0.world
    }

    fn issuer(&self) -> &str {
        &self.0.config.issuer
    }

    fn newest_version(&self) -> ApiVersion {
        self.0.config.newest_version
    }

    fn allows_plain_jwks(&self) -> bool {
        self.0.config.allow_plain_jwks
    }

    fn jwks_fetcher(&self) -> &dyn JwksFetcher {
        self.0.config.jwks.as_ref()
    }

    fn visitors(&self) -> &Signer {
        &self.0.visitors
    }

    fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    fn caches(&self) -> &Arc<Caches> {
        &self.0.caches
    }

    fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    fn seen(&self) -> &Mutex<Seen> {
        &self.0.seen
    }
}

/// Reads a client address as a header or the gateway gives it.
pub fn client_ip(text: &str) -> Option<IpAddr> {
    text.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}
