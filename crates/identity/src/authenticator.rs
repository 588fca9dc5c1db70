//! From a credential to a principal: the part that runs for every request.
//!
//! Sketch: a known API key costs one CRC, one SHA-256 of 43 bytes and one lookup in a sharded map: no allocation and
//! no IO. An unknown or forgotten one costs one indexed read; loads of the same key share a stripe's lock, so a burst
//! with a cold key is one read, and at most [`LOADS_IN_FLIGHT_MAX`] reads run at once whatever callers invent.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::Mutex;
use plinth_kernel::{
    Actor, ApiVersion, Code, KeyId, MemberId, Micros, OrganisationId, Principal, PrincipalKind, Problem,
    Role, ScopeSet, SessionId, TenantId, World,
};
use plinth_store::{Store, args};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::caches::{Caches, TokenHash};
use crate::check::{from_json, from_text, sentence};
use crate::credential::{Credential, TenantFacts, TenantRecord};
use crate::keys::KeyKind;
use crate::limits::{CACHE_TTL_MS, LOADS_IN_FLIGHT_MAX, NEGATIVE_TTL_MS, SECOND_MS};
use crate::model::jwt::TokenError;
use crate::model::key_text::{KeyHandle, KeyTextError, PresentedKey};
use crate::model::net::Cidr;
use crate::model::origin::AllowedOrigin;
use crate::model::scope::{self, ScopeCatalogue};
use crate::model::session::SessionTimes;

/// What of a request bears on whether a credential may be used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller<'a> {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// `Origin`, as browsers send it.
    pub origin: Option<&'a str>,
}

/// Why a credential is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AuthError {
    /// The text cannot be a key of ours.
    #[error("{0}")]
    MalformedKey(KeyTextError),
    /// No such key or session, or the wrong secret: the two are not told apart.
    #[error("the credential is not valid")]
    Unauthenticated,
    /// The key is past its expiry, or its overlap with its successor is over.
    #[error("the key has expired")]
    KeyExpired,
    /// The key was revoked.
    #[error("the key was revoked")]
    KeyRevoked,
    /// The key is bound to other addresses.
    #[error("the key may not be used from this address")]
    IpNotAllowed,
    /// The key is bound to other origins.
    #[error("the key may not be used from this origin")]
    OriginNotAllowed,
    /// A token is malformed, expired or not ours.
    #[error("{0}")]
    TokenInvalid(TokenError),
    /// It could not be checked: the store did not answer.
    #[error("the credential cannot be checked now")]
    Unavailable(Box<Problem>),
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        Self::TokenInvalid(error)
    }
}

impl From<Problem> for AuthError {
    fn from(problem: Problem) -> Self {
        Self::Unavailable(Box::new(problem))
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let code = match &error {
            AuthError::Unavailable(problem) => return (**problem).clone(),
            AuthError::TokenInvalid(TokenError::Unavailable) => {
                return Problem::new(
                    Code::Unavailable,
                    "The token's issuer cannot be asked for its keys now.",
                )
                .retry_after_ms(5 * SECOND_MS);
            }
            AuthError::MalformedKey(_) | AuthError::Unauthenticated => Code::Unauthenticated,
            AuthError::KeyExpired => Code::KeyExpired,
            AuthError::KeyRevoked => Code::KeyRevoked,
            AuthError::IpNotAllowed => Code::IpNotAllowed,
            AuthError::OriginNotAllowed => Code::OriginNotAllowed,
            AuthError::TokenInvalid(_) => Code::TokenInvalid,
        };
        let detail = match &error {
            // A caller learns whether to renew the token, not which check it failed.
            AuthError::TokenInvalid(TokenError::Expired) => "The token has expired; ask for a new one.",
            AuthError::TokenInvalid(_) => "The token is not valid here.",
            AuthError::MalformedKey(_) => {
                return Problem::new(code, sentence(&error.to_string()));
            }
            AuthError::Unauthenticated => {
                "The credential is not valid: there is no such key, or the session is over."
            }
            AuthError::KeyExpired => "The key has expired. Use its successor or create a new one.",
            AuthError::KeyRevoked => "The key was revoked. Create a new one in the console.",
            AuthError::IpNotAllowed => "The key may not be used from this address.",
            AuthError::OriginNotAllowed => {
                "The key may not be used from this origin. Add the origin to the key."
            }
            AuthError::Unavailable(_) => "The credential cannot be checked now.",
        };
        Problem::new(code, detail).caused_by(error)
    }
}

/// An API key in memory.
pub(crate) struct KeyRecord {
    credential: Arc<Credential>,
    kind: KeyKind,
    secret_hash: [u8; 32],
    cidrs: Vec<Cidr>,
    origins: Vec<AllowedOrigin>,
    ends_at: Option<Micros>,
    revoked: bool,
    read_at: Micros,
    pub usage: Usage,
}

/// A console session in memory.
pub(crate) struct SessionRecord {
    credential: Arc<Credential>,
    pub id: SessionId,
    created_at: Micros,
    read_at: Micros,
    pub usage: Usage,
}

/// When something was last used, written to the store in batches.
pub(crate) struct Usage {
    last: AtomicI64,
    dirty: AtomicBool,
}

impl Usage {
    fn new(last: Option<Micros>) -> Self {
        Self { last: AtomicI64::new(last.unwrap_or_default().0), dirty: AtomicBool::new(false) }
    }

    pub fn last(&self) -> Micros {
        Micros(self.last.load(Ordering::Relaxed))
    }

    /// Notes a use; true when it is the first since the last flush.
    fn note(&self, now: Micros) -> bool {
        self.last.fetch_max(now.0, Ordering::Relaxed);
        !self.dirty.load(Ordering::Relaxed) && !self.dirty.swap(true, Ordering::AcqRel)
    }

    /// Before it is written: uses from here on are for the next flush.
    pub fn taken(&self) -> Micros {
        self.dirty.store(false, Ordering::Release);
        self.last()
    }
}

/// Keys and sessions used since the last flush.
#[derive(Default)]
pub(crate) struct Used {
    pub keys: Mutex<Vec<Arc<KeyRecord>>>,
    pub sessions: Mutex<Vec<Arc<SessionRecord>>>,
}

/// Authenticates API keys and sessions; tokens are [`Identity::token`](crate::Identity::token)'s.
pub(crate) struct Authenticator {
    pub store: Store,
    pub world: World,
    pub scopes: Arc<ScopeCatalogue>,
    pub caches: Arc<Caches>,
    pub used: Used,
    stripes: [tokio::sync::Mutex<()>; LOADS_IN_FLIGHT_MAX],
    hasher: RandomState,
}

impl Authenticator {
    pub fn new(store: Store, scopes: Arc<ScopeCatalogue>, caches: Arc<Caches>) -> Self {
        Self {
            world: store.world().clone(),
            store,
            scopes,
            caches,
            used: Used::default(),
            stripes: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            hasher: RandomState::new(),
        }
    }

    pub fn stripe<K: std::hash::Hash>(&self, key: &K) -> &tokio::sync::Mutex<()> {
        &self.stripes[self.hasher.hash_one(key) as usize % LOADS_IN_FLIGHT_MAX]
    }

    /// Answers from memory, or `None` when the store must be asked.
    pub fn key_cached(&self, text: &str, caller: Caller<'_>) -> Option<Result<Arc<Credential>, AuthError>> {
        let presented = match PresentedKey::parse(text) {
            Ok(presented) => presented,
            Err(error) => return Some(Err(AuthError::MalformedKey(error))),
        };
        self.key_in_memory(&presented, caller)
    }

    fn key_in_memory(
        &self,
        presented: &PresentedKey<'_>,
        caller: Caller<'_>,
    ) -> Option<Result<Arc<Credential>, AuthError>> {
        let now = self.world.now();
        if let Some(record) = self.caches.keys.get(&presented.handle) {
            return is_fresh(record.read_at, now).then(|| self.admit(&record, presented, caller, now));
        }
        let unknown_until = self.caches.unknown_keys.get(&presented.handle)?;
        (now < unknown_until).then_some(Err(AuthError::Unauthenticated))
    }

    /// Answers from memory or from the store.
    pub async fn key(&self, text: &str, caller: Caller<'_>) -> Result<Arc<Credential>, AuthError> {
        let presented = PresentedKey::parse(text).map_err(AuthError::MalformedKey)?;
        if let Some(known) = self.key_in_memory(&presented, caller) {
            return known;
        }
        let _turn = self.stripe(&presented.handle).lock().await;
        // Whoever had the turn before may have loaded it.
        if let Some(known) = self.key_in_memory(&presented, caller) {
            return known;
        }
        let now = self.world.now();
        match self.load_key(presented.handle).await? {
            Some(record) => self.admit(&record, &presented, caller, now),
            None => {
                self.caches.unknown_keys.insert(presented.handle, now.plus_ms(NEGATIVE_TTL_MS as i64));
                Err(AuthError::Unauthenticated)
            }
        }
    }

    fn admit(
        &self,
        record: &Arc<KeyRecord>,
        presented: &PresentedKey<'_>,
        caller: Caller<'_>,
        now: Micros,
    ) -> Result<Arc<Credential>, AuthError> {
        record.check(presented, caller, now)?;
        if record.usage.note(now) {
            self.used.keys.lock().push(record.clone());
        }
        Ok(record.credential.clone())
    }

    async fn load_key(&self, handle: KeyHandle) -> Result<Option<Arc<KeyRecord>>, AuthError> {
        let epoch = self.caches.keys.epoch();
        let row: Option<KeyRow> = self
            .store
            .read(move |tx| tx.opt(LOAD_KEY, args![handle.as_str()]).map_err(Problem::from))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(record) = self.key_record(row)? else { return Ok(None) };
        let record = Arc::new(record);
        self.caches.keys.insert_loaded(epoch, handle, record.clone());
        Ok(Some(record))
    }

    /// `None` for a personal key whose owner has left the organisation.
    fn key_record(&self, row: KeyRow) -> Result<Option<KeyRecord>, Problem> {
        let kind: KeyKind = from_text(&row.kind)?;
        let patterns: ScopeSet = from_json::<Vec<String>>(&row.scopes)?.into_iter().collect();
        let role: Option<Role> = row.role.as_deref().map(from_text).transpose()?;
        let (principal_kind, scopes, role) = match (kind, role) {
            (KeyKind::Secret, _) => (PrincipalKind::SecretKey, patterns, None),
            (KeyKind::Publishable, _) => (PrincipalKind::PublishableKey, scope::publishable(), None),
            (KeyKind::Personal, Some(role)) => {
                (PrincipalKind::PersonalKey, self.scopes.within_role(role, &patterns), Some(role))
            }
            (KeyKind::Personal, None) => return Ok(None),
        };
        let ends_at = row.expires_at.into_iter().chain(row.retires_at).min();
        let tenant = self.tenant_record(row.tenant)?;
        let principal = Principal {
            tenant: tenant.id.clone(),
            mode: tenant.mode,
            actor: Actor::Key(row.id.clone()),
            kind: principal_kind,
            scopes,
            role,
            version_pin: row.version_pin.as_deref().map(from_text::<ApiVersion>).transpose()?,
        };
        let credential = Credential {
            principal,
            tenant,
            cells: self.caches.cells(format!("key:{}", row.id)),
            key: Some(row.id),
            session: None,
            expires_at: ends_at,
        };
        Ok(Some(KeyRecord {
            credential: Arc::new(credential),
            kind,
            secret_hash: row
                .secret_hash
                .try_into()
                .map_err(|_| Problem::internal("a key's hash has another length"))?,
            cidrs: from_json(&row.cidrs)?,
            origins: from_json(&row.origins)?,
            ends_at,
            revoked: row.revoked_at.is_some(),
            read_at: self.world.now(),
            usage: Usage::new(row.last_used_at),
        }))
    }

    fn tenant_record(&self, row: TenantColumns) -> Result<Arc<TenantRecord>, Problem> {
        let facts = row.facts()?;
        Ok(self.caches.tenant(row.id, row.organisation_id, from_text(&row.mode)?, facts))
    }

    /// A console session, from memory or from the store.
    pub async fn session(&self, token: &str) -> Result<Arc<Credential>, AuthError> {
        let hash = token_hash(token);
        if let Some(known) = self.session_in_memory(&hash) {
            return known;
        }
        let _turn = self.stripe(&hash).lock().await;
        if let Some(known) = self.session_in_memory(&hash) {
            return known;
        }
        let record = self.load_session(hash).await?.ok_or(AuthError::Unauthenticated)?;
        self.admit_session(&record, self.world.now()).ok_or(AuthError::Unauthenticated)
    }

    /// `None` also for a session that looks idle here: another node may have seen it since.
    fn session_in_memory(&self, hash: &TokenHash) -> Option<Result<Arc<Credential>, AuthError>> {
        let now = self.world.now();
        let record = self.caches.sessions.get(hash).filter(|record| is_fresh(record.read_at, now))?;
        self.admit_session(&record, now).map(Ok)
    }

    fn admit_session(&self, record: &Arc<SessionRecord>, now: Micros) -> Option<Arc<Credential>> {
        let times = SessionTimes { created_at: record.created_at, last_seen_at: record.usage.last() };
        if !times.is_live(now) {
            return None;
        }
        if record.usage.note(now) {
            self.used.sessions.lock().push(record.clone());
        }
        Some(record.credential.clone())
    }

    async fn load_session(&self, hash: TokenHash) -> Result<Option<Arc<SessionRecord>>, AuthError> {
        let epoch = self.caches.sessions.epoch();
        let row: Option<SessionRow> =
            self.store.read(move |tx| tx.opt(LOAD_SESSION, args![&hash]).map_err(Problem::from)).await?;
        let Some(row) = row else { return Ok(None) };
        let role: Role = from_text(&row.role)?;
        let tenant = self.tenant_record(row.tenant)?;
        // What this process saw and has not written yet counts, too.
        let known = self.caches.sessions.get(&hash).map(|record| record.usage.last());
        let last_seen_at = row.last_seen_at.max(known.unwrap_or_default());
        let times = SessionTimes { created_at: row.created_at, last_seen_at };
        let principal = Principal {
            tenant: tenant.id.clone(),
            mode: tenant.mode,
            actor: Actor::Member(row.member_id.clone()),
            kind: PrincipalKind::Session,
            scopes: self.scopes.of_role(role),
            role: Some(role),
            version_pin: None,
        };
        let record = Arc::new(SessionRecord {
            id: row.id.clone(),
            created_at: row.created_at,
            read_at: self.world.now(),
            usage: Usage::new(Some(last_seen_at)),
            credential: Arc::new(Credential {
                cells: self.caches.cells(format!("member:{}:{}", tenant.id, row.member_id)),
                principal,
                tenant,
                key: None,
                session: Some(row.id),
                expires_at: Some(times.absolute_end()),
            }),
        });
        self.caches.sessions.insert_loaded(epoch, hash, record.clone());
        Ok(Some(record))
    }
}

/// Hash under which a session token or JWT is kept.
pub(crate) fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

fn is_fresh(read_at: Micros, now: Micros) -> bool {
    now < read_at.plus_ms(CACHE_TTL_MS as i64)
}

impl KeyRecord {
    pub fn id(&self) -> Option<&KeyId> {
        self.credential.key.as_ref()
    }

    pub fn tenant(&self) -> &TenantId {
        &self.credential.tenant.id
    }

    /// The secret comes first: who does not know it learns nothing about the key's state.
    fn check(&self, presented: &PresentedKey<'_>, caller: Caller<'_>, now: Micros) -> Result<(), AuthError> {
        let secret_fits = bool::from(self.secret_hash.ct_eq(&presented.secret_hash()));
        if !secret_fits || presented.mode != self.credential.tenant.mode {
            return Err(AuthError::Unauthenticated);
        }
        if self.revoked {
            return Err(AuthError::KeyRevoked);
        }
        if self.ends_at.is_some_and(|end| now >= end) {
            return Err(AuthError::KeyExpired);
        }
        let ip_allowed = |ip: IpAddr| self.cidrs.iter().any(|range| range.contains(ip));
        if !self.cidrs.is_empty() && !caller.ip.is_some_and(ip_allowed) {
            return Err(AuthError::IpNotAllowed);
        }
        if self.origin_is_allowed(caller.origin) { Ok(()) } else { Err(AuthError::OriginNotAllowed) }
    }

    /// A key's own origins bind it. A publishable key without any falls back to its tenant's, and is free while the
    /// tenant has named none, so that the first page works before anything was configured.
    fn origin_is_allowed(&self, origin: Option<&str>) -> bool {
        let matches =
            |list: &[AllowedOrigin]| origin.is_some_and(|o| list.iter().any(|allowed| allowed.matches(o)));
        if !self.origins.is_empty() {
            return matches(&self.origins);
        }
        if self.kind != KeyKind::Publishable {
            return true;
        }
        let facts = self.credential.tenant.facts.load();
        // Without an `Origin` it is no browser: an origin list cannot bind what can write any header it likes.
        facts.allowed_origins.is_empty() || origin.is_none() || matches(&facts.allowed_origins)
    }
}

/// A tenant's columns within a larger row.
pub(crate) struct TenantColumns {
    pub id: TenantId,
    pub organisation_id: OrganisationId,
    pub mode: String,
    pub name: String,
    pub settings: String,
    pub allowed_origins: String,
    pub rev: i64,
}

impl TenantColumns {
    pub(crate) const COUNT: usize = 7;

    pub(crate) fn read(row: &plinth_store::Row<'_>, at: usize) -> plinth_store::Result<Self> {
        Ok(Self {
            id: row.get(at)?,
            organisation_id: row.get(at + 1)?,
            mode: row.get(at + 2)?,
            name: row.get(at + 3)?,
            settings: row.get(at + 4)?,
            allowed_origins: row.get(at + 5)?,
            rev: row.get(at + 6)?,
        })
    }

    pub(crate) fn facts(&self) -> Result<TenantFacts, Problem> {
        Ok(TenantFacts {
            name: self.name.clone(),
            settings: from_json(&self.settings)?,
            allowed_origins: from_json(&self.allowed_origins)?,
            rev: self.rev,
        })
    }
}

const LOAD_KEY: &str = "SELECT k.id, k.kind, k.secret_hash, k.scopes, k.cidrs, k.origins, k.version_pin,
        k.expires_at, k.retires_at, k.revoked_at, k.last_used_at, ms.role,
        t.id, t.organisation_id, t.mode, t.name, t.settings, t.allowed_origins, t.rev
    FROM api_keys k
    JOIN tenants t ON t.id = k.tenant_id
    LEFT JOIN memberships ms ON ms.organisation_id = t.organisation_id AND ms.member_id = k.member_id
    WHERE k.handle = $1";

struct KeyRow {
    id: KeyId,
    kind: String,
    secret_hash: Vec<u8>,
    scopes: String,
    cidrs: String,
    origins: String,
    version_pin: Option<String>,
    expires_at: Option<Micros>,
    retires_at: Option<Micros>,
    revoked_at: Option<Micros>,
    last_used_at: Option<Micros>,
    role: Option<String>,
    tenant: TenantColumns,
}

impl plinth_store::FromRow for KeyRow {
    fn from_row(row: &plinth_store::Row<'_>) -> plinth_store::Result<Self> {
        plinth_store::expect_columns(row, 12 + TenantColumns::COUNT)?;
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            secret_hash: row.get(2)?,
            scopes: row.get(3)?,
            cidrs: row.get(4)?,
            origins: row.get(5)?,
            version_pin: row.get(6)?,
            expires_at: row.get(7)?,
            retires_at: row.get(8)?,
            revoked_at: row.get(9)?,
            last_used_at: row.get(10)?,
            role: row.get(11)?,
            tenant: TenantColumns::read(row, 12)?,
        })
    }
}

const LOAD_SESSION: &str = "SELECT s.id, s.member_id, s.created_at, s.last_seen_at, ms.role,
        t.id, t.organisation_id, t.mode, t.name, t.settings, t.allowed_origins, t.rev
    FROM sessions s
    JOIN tenants t ON t.id = s.tenant_id
    JOIN memberships ms ON ms.organisation_id = t.organisation_id AND ms.member_id = s.member_id
    WHERE s.token_hash = $1";

struct SessionRow {
    id: SessionId,
    member_id: MemberId,
    created_at: Micros,
    last_seen_at: Micros,
    role: String,
    tenant: TenantColumns,
}

impl plinth_store::FromRow for SessionRow {
    fn from_row(row: &plinth_store::Row<'_>) -> plinth_store::Result<Self> {
        plinth_store::expect_columns(row, 5 + TenantColumns::COUNT)?;
        Ok(Self {
            id: row.get(0)?,
            member_id: row.get(1)?,
            created_at: row.get(2)?,
            last_seen_at: row.get(3)?,
            role: row.get(4)?,
            tenant: TenantColumns::read(row, 5)?,
        })
    }
}
