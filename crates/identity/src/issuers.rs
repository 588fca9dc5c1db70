//! The tenant's own token issuers: their sign-in service signs, we verify with its published keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use plinth_kernel::{Code, Id, IssuerId, Micros, Problem, ScopeSet, TenantId, ports::BoxFuture};
use plinth_store::{Arg, Tx, args};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::Identity;
use crate::audit;
use crate::by::By;
use crate::caches::{Change, announce};
use crate::check::{Faults, from_json, to_json};
use crate::limits::{
    ISSUERS_MAX, JWKS_FRESH_MS, JWKS_REFRESH_MS_MIN, JWKS_STALE_MS_MAX, TOKEN_SCOPES_MAX, URL_BYTES_MAX,
};
use crate::model::jwk::{Jwk, PublicKey, parse_set};
use crate::model::jwt::TokenError;
use crate::model::scope::END_USER_SCOPES;
use crate::page::{Keyset, Listed, PageRequest, keyset, list};

/// Fetches a key set. The gateway supplies the one that goes through the guard against requests to inside
/// addresses; it bounds time and size and follows no redirects to other hosts.
pub trait JwksFetcher: Send + Sync {
    /// The document at `url`, or why not.
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>>;
}

/// Fetches nothing: for commands that authenticate nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoJwks;

impl JwksFetcher for NoJwks {
    fn fetch<'a>(&'a self, _url: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(async { Err("no fetcher is configured".to_owned()) })
    }
}

/// An issuer to trust.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIssuer {
    /// A name for people.
    pub name: String,
    /// The `iss` claim of its tokens, exactly.
    pub issuer: String,
    /// Where its keys are published (https).
    pub jwks_url: String,
    /// What its users may do: a token may carry fewer of these scopes, never more. All that end users may have if
    /// left out.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

/// A trusted issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TokenIssuer {
    /// Always `token_issuer`.
    pub object: &'static str,
    /// Its id.
    pub id: IssuerId,
    /// A name for people.
    pub name: String,
    /// The `iss` claim of its tokens.
    pub issuer: String,
    /// Where its keys are published.
    pub jwks_url: String,
    /// What its users may do.
    pub scopes: Vec<String>,
    /// Its revision.
    pub rev: i64,
    /// When it was added.
    pub created_at: Micros,
    /// When it was last changed.
    pub updated_at: Micros,
}

struct IssuerRow {
    id: IssuerId,
    name: String,
    issuer: String,
    jwks_url: String,
    scopes: String,
    rev: i64,
    created_at: Micros,
    updated_at: Micros,
}
plinth_store::row!(IssuerRow { id, name, issuer, jwks_url, scopes, rev, created_at, updated_at });

macro_rules! select_issuers {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, issuer, jwks_url, scopes, rev, created_at, updated_at FROM token_issuers ",
            $rest
        )
    };
}

const LIST: Keyset = keyset!(select_issuers!("WHERE tenant_id = $1"), "id");
const GET: &str = select_issuers!("WHERE tenant_id = $1 AND id = $2");
const ALL: &str = select_issuers!("WHERE tenant_id = $1 ORDER BY id LIMIT 100");

impl IssuerRow {
    fn shown(self) -> Result<TokenIssuer, Problem> {
        Ok(TokenIssuer {
            object: "token_issuer",
            scopes: from_json(&self.scopes)?,
            id: self.id,
            name: self.name,
            issuer: self.issuer,
            jwks_url: self.jwks_url,
            rev: self.rev,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Identity {
    /// Trusts an issuer from now on.
    pub fn create_issuer(&self, tx: &mut Tx<'_>, by: &By, new: &NewIssuer) -> Result<TokenIssuer, Problem> {
        let mut faults = Faults::default();
        let name = faults.name("/name", &new.name);
        let visible = |text: &str| {
            (1..=URL_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        if !visible(&new.issuer) || new.issuer == self.issuer() {
            faults.add(
                "/issuer",
                "invalid",
                "Write the `iss` claim of the issuer's tokens, exactly as it stands there.",
            );
        }
        if !visible(&new.jwks_url) || !self.jwks_url_is_allowed(&new.jwks_url) {
            faults.add("/jwks_url", "invalid_url", "Write an https address without user name or fragment.");
        }
        let scopes =
            new.scopes.clone().unwrap_or_else(|| END_USER_SCOPES.iter().map(|s| (*s).to_owned()).collect());
        let scopes = faults.each("/scopes", &scopes, TOKEN_SCOPES_MAX, "scope_not_allowed", |scope| {
            let allowed = END_USER_SCOPES.contains(&scope);
            if allowed { Ok(scope.to_owned()) } else { Err(format!("End users cannot have {scope}")) }
        });
        faults.finish()?;
        let (count, same): (i64, i64) = tx.one(
            "SELECT count(*), CAST(coalesce(sum(CASE WHEN issuer = $2 THEN 1 ELSE 0 END), 0) AS BIGINT)
             FROM token_issuers WHERE tenant_id = $1",
            args![&by.tenant, &new.issuer],
        )?;
        if same > 0 {
            return Err(Problem::new(Code::Conflict, "This issuer is trusted already."));
        }
        if count >= ISSUERS_MAX {
            return Err(Problem::new(
                Code::QuotaExceeded,
                format!("A tenant may have at most {ISSUERS_MAX} issuers."),
            ));
        }
        let (id, now): (IssuerId, Micros) = (tx.id(), tx.now());
        tx.exec(
            "INSERT INTO token_issuers (tenant_id, id, name, issuer, jwks_url, scopes, rev, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)",
            args![&by.tenant, &id, &name, &new.issuer, &new.jwks_url, &to_json(&scopes)?, now],
        )?;
        let issuer = self.get_issuer(tx, &by.tenant, &id)?;
        self.record_issuer(tx, by, "identity.issuer.created", &issuer)?;
        Ok(issuer)
    }

    /// An issuer of this tenant.
    pub fn get_issuer(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        id: &IssuerId,
    ) -> Result<TokenIssuer, Problem> {
        tx.opt::<IssuerRow>(GET, args![tenant, id])?
            .ok_or_else(|| Problem::not_found("token issuer"))?
            .shown()
    }

    /// A page of this tenant's issuers.
    pub fn list_issuers(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Listed<TokenIssuer>, Problem> {
        let after = page.after.as_deref().map(Arg::from);
        list::<IssuerRow>(tx, &LIST, tenant.as_ref(), page, after)?.try_map(IssuerRow::shown)
    }

    /// Trusts an issuer no longer: its tokens are refused from here on.
    pub fn delete_issuer(&self, tx: &mut Tx<'_>, by: &By, id: &IssuerId) -> Result<(), Problem> {
        let issuer = self.get_issuer(tx, &by.tenant, id)?;
        tx.exec("DELETE FROM token_issuers WHERE tenant_id = $1 AND id = $2", args![&by.tenant, id])?;
        self.record_issuer(tx, by, "identity.issuer.deleted", &issuer)
    }

    fn record_issuer(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        action: &'static str,
        issuer: &TokenIssuer,
    ) -> Result<(), Problem> {
        announce(tx, self.caches(), Change::Issuers(by.tenant.clone()))?;
        let state = serde_json::to_value(issuer).map_err(Problem::internal)?;
        let (before, after) =
            if action.ends_with("deleted") { (Some(&state), None) } else { (None, Some(&state)) };
        audit::record(tx, by, action, issuer.id.as_str(), before, after)?;
        by.emit(tx, action, issuer.id.as_str(), json!({"issuer_id": issuer.id, "issuer": issuer.issuer}));
        Ok(())
    }

    fn jwks_url_is_allowed(&self, url: &str) -> bool {
        let secure = url.starts_with("https://") || (self.allows_plain_jwks() && url.starts_with("http://"));
        let authority =
            url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        secure && !authority.is_empty() && !authority.contains('@') && !url.contains('#')
    }

    pub(crate) async fn issuer_set(&self, tenant: &TenantId) -> Result<Arc<IssuerSet>, Problem> {
        if let Some(set) = self.caches().issuers.get(tenant) {
            return Ok(set);
        }
        let epoch = self.caches().issuers.epoch();
        let owner = tenant.clone();
        let rows: Vec<IssuerRow> =
            self.store().read(move |tx| tx.all(ALL, args![&owner]).map_err(Problem::from)).await?;
        let mut by_name = BTreeMap::new();
        for row in rows {
            let scopes: Vec<String> = from_json(&row.scopes)?;
            let trusted = Trusted {
                jwks_url: row.jwks_url,
                scopes: scopes.into_iter().collect(),
                known: RwLock::default(),
                refresh: Mutex::default(),
            };
            by_name.insert(row.issuer, Arc::new(trusted));
        }
        let set = Arc::new(IssuerSet { by_name });
        if !set.by_name.is_empty() {
            self.caches().issuers.insert_loaded(epoch, tenant.clone(), set.clone());
        }
        Ok(set)
    }
}

/// A tenant's issuers in memory.
pub(crate) struct IssuerSet {
    pub by_name: BTreeMap<String, Arc<Trusted>>,
}

/// An issuer in memory, with its keys as last fetched.
pub(crate) struct Trusted {
    jwks_url: String,
    pub scopes: ScopeSet,
    known: RwLock<Arc<Fetched>>,
    /// When a fetch was last tried, whatever came of it. Held while fetching, so that a burst of tokens is one
    /// request.
    refresh: Mutex<Option<Micros>>,
}

#[derive(Default)]
struct Fetched {
    keys: Vec<Jwk>,
    /// When `keys` arrived.
    at: Option<Micros>,
}

impl Trusted {
    /// The key that a token names. The document is fetched when it is old or does not have the key, but never more
    /// often than once a minute: callers who invent key ids cannot make us hammer the issuer. A document that can no
    /// longer be fetched serves on for a day, and while one caller fetches, the others use what is known.
    pub async fn key(
        &self,
        kid: Option<&str>,
        fetcher: &dyn JwksFetcher,
        now: Micros,
    ) -> Result<PublicKey, TokenError> {
        let known = self.known.read().clone();
        let found = known.find(kid).filter(|_| !older(known.at, JWKS_STALE_MS_MAX, now));
        match found {
            Some(key) if !older(known.at, JWKS_FRESH_MS, now) => return Ok(key.clone()),
            Some(key) => {
                let Ok(mut tried_at) = self.refresh.try_lock() else { return Ok(key.clone()) };
                self.fetch(&mut tried_at, fetcher, now).await;
            }
            None => {
                let mut tried_at = self.refresh.lock().await;
                // Whoever held the lock before may have brought it.
                let known = self.known.read().clone();
                if known.find(kid).is_none() || older(known.at, JWKS_STALE_MS_MAX, now) {
                    self.fetch(&mut tried_at, fetcher, now).await;
                }
            }
        }
        let known = self.known.read().clone();
        if older(known.at, JWKS_STALE_MS_MAX, now) {
            return Err(TokenError::Unavailable);
        }
        known.find(kid).cloned().ok_or(TokenError::UnknownKey)
    }

    async fn fetch(&self, tried_at: &mut Option<Micros>, fetcher: &dyn JwksFetcher, now: Micros) {
        if !older(*tried_at, JWKS_REFRESH_MS_MIN, now) {
            return;
        }
        *tried_at = Some(now);
        match fetcher.fetch(&self.jwks_url).await.and_then(|body| parse_set(&body).map_err(|e| e.to_string()))
        {
            Ok(keys) => *self.known.write() = Arc::new(Fetched { keys, at: Some(now) }),
            Err(reason) => tracing::warn!(url = self.jwks_url, reason, "an issuer's keys cannot be fetched"),
        }
    }
}

/// Whether something is at least this old, or never happened.
fn older(since: Option<Micros>, limit_ms: u64, now: Micros) -> bool {
    since.is_none_or(|at| now.since(at) / 1_000 >= limit_ms as i64)
}

impl Fetched {
    /// A token without `kid` is fine only where there is nothing to choose from.
    fn find(&self, kid: Option<&str>) -> Option<&PublicKey> {
        match kid {
            Some(kid) => self.keys.iter().find(|jwk| jwk.kid.as_deref() == Some(kid)).map(|jwk| &jwk.key),
            None => match &self.keys[..] {
                [only] => Some(&only.key),
                _ => None,
            },
        }
    }
}
