//! What this process holds in memory of the identity tables, and how it forgets.
//!
//! A change is announced in the transaction that makes it: a row in `identity_changes` for other processes, and a
//! hook that runs after the commit, before the caller is answered, for this one. So in this process a revoked key is
//! refused by every request that begins after the revocation was answered; elsewhere within one poll.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use plinth_kernel::{Id, Micros, Mode, OrganisationId, TenantId};
use plinth_store::{Tx, args};

use crate::authenticator::{KeyRecord, SessionRecord};
use crate::cache::Cache;
use crate::credential::{Credential, RateCells, TenantFacts, TenantRecord};
use crate::issuers::IssuerSet;
use crate::limits::{
    CELLS_CACHED_MAX, KEYS_CACHED_MAX, NEGATIVE_ENTRIES, SESSIONS_CACHED_MAX, TOKENS_CACHED_MAX,
};
use crate::model::key_text::KeyHandle;
use crate::signing::SigningSet;

/// Hash of a session token or JWT: what sessions and tokens are found by.
pub(crate) type TokenHash = [u8; 32];

/// Something that may no longer be answered from memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// An API key.
    Key(KeyHandle),
    /// A console session.
    Session(TokenHash),
    /// A tenant's facts.
    Tenant(TenantId),
    /// A tenant's signing keys.
    Signing(TenantId),
    /// A tenant's issuers.
    Issuers(TenantId),
}

impl Change {
    fn to_row(&self) -> (&'static str, String) {
        match self {
            Self::Key(handle) => ("key", handle.as_str().to_owned()),
            Self::Session(hash) => ("session", URL_SAFE_NO_PAD.encode(hash)),
            Self::Tenant(id) => ("tenant", id.to_string()),
            Self::Signing(id) => ("signing", id.to_string()),
            Self::Issuers(id) => ("issuers", id.to_string()),
        }
    }

    /// `None` for a kind that a newer program wrote: the reader then forgets everything.
    pub fn from_row(kind: &str, subject: &str) -> Option<Self> {
        Some(match kind {
            "key" => Self::Key(KeyHandle::parse(subject)?),
            "session" => Self::Session(URL_SAFE_NO_PAD.decode(subject).ok()?.try_into().ok()?),
            "tenant" => Self::Tenant(TenantId::parse(subject).ok()?),
            "signing" => Self::Signing(TenantId::parse(subject).ok()?),
            "issuers" => Self::Issuers(TenantId::parse(subject).ok()?),
            _ => return None,
        })
    }
}

pub(crate) struct Caches {
    pub keys: Cache<KeyHandle, Arc<KeyRecord>>,
    /// Key ids that do not exist, until when that is believed. Apart from the keys, so that nonsense cannot push out
    /// what is in use.
    pub unknown_keys: Cache<KeyHandle, Micros>,
    pub sessions: Cache<TokenHash, Arc<SessionRecord>>,
    pub tokens: Cache<TokenHash, Arc<Credential>>,
    pub signing: Cache<TenantId, Arc<SigningSet>>,
    pub issuers: Cache<TenantId, Arc<IssuerSet>>,
    cells: Cache<String, Arc<RateCells>>,
    tenants: Mutex<HashMap<TenantId, Weak<TenantRecord>>>,
}

impl Caches {
    pub fn new() -> Self {
        Self {
            keys: Cache::new(KEYS_CACHED_MAX),
            unknown_keys: Cache::new(NEGATIVE_ENTRIES),
            sessions: Cache::new(SESSIONS_CACHED_MAX),
            tokens: Cache::new(TOKENS_CACHED_MAX),
            signing: Cache::new(KEYS_CACHED_MAX),
            issuers: Cache::new(KEYS_CACHED_MAX),
            cells: Cache::new(CELLS_CACHED_MAX),
            tenants: Mutex::default(),
        }
    }

    /// The counters of one holder: `key:…`, `member:…`, `user:…`.
    pub fn cells(&self, holder: String) -> Arc<RateCells> {
        self.cells.get_or_insert_with(holder, Arc::default)
    }

    /// The one record of a tenant, brought up to date with `facts` unless it knows newer ones.
    pub fn tenant(
        &self,
        id: TenantId,
        organisation: OrganisationId,
        mode: Mode,
        facts: TenantFacts,
    ) -> Arc<TenantRecord> {
        let mut tenants = self.tenants.lock();
        if let Some(known) = tenants.get(&id).and_then(Weak::upgrade) {
            if known.facts.load().rev < facts.rev {
                known.facts.store(Arc::new(facts));
            }
            return known;
        }
        if tenants.len().is_power_of_two() {
            tenants.retain(|_, record| record.strong_count() > 0);
        }
        let facts = ArcSwap::from_pointee(facts);
        let record =
            Arc::new(TenantRecord { id: id.clone(), organisation, mode, cells: RateCells::default(), facts });
        tenants.insert(id, Arc::downgrade(&record));
        record
    }

    /// Brings a tenant's record up to date if anybody holds it.
    pub fn tenant_changed(&self, id: &TenantId, facts: TenantFacts) {
        if let Some(known) = self.tenants.lock().get(id).and_then(Weak::upgrade)
            && known.facts.load().rev < facts.rev
        {
            known.facts.store(Arc::new(facts));
        }
    }

    pub fn holds_tenant(&self, id: &TenantId) -> bool {
        self.tenants.lock().get(id).is_some_and(|record| record.strong_count() > 0)
    }

    /// Tenants are not forgotten but brought up to date, by whoever knows their new facts.
    pub fn forget(&self, change: &Change) {
        match change {
            Change::Key(handle) => {
                self.keys.forget(handle);
                self.unknown_keys.forget(handle);
            }
            Change::Session(hash) => self.sessions.forget(hash),
            Change::Tenant(_) => {}
            Change::Signing(tenant) => {
                self.signing.forget(tenant);
                self.tokens.clear();
            }
            Change::Issuers(tenant) => {
                self.issuers.forget(tenant);
                self.tokens.clear();
            }
        }
    }

    pub fn forget_everything(&self) {
        self.keys.clear();
        self.unknown_keys.clear();
        self.sessions.clear();
        self.tokens.clear();
        self.signing.clear();
        self.issuers.clear();
    }
}

/// Announces a change in the transaction that makes it.
pub(crate) fn announce(
    tx: &mut Tx<'_>,
    caches: &Arc<Caches>,
    change: Change,
) -> Result<(), plinth_store::Error> {
    let generation: i64 = tx.one(
        "INSERT INTO identity_head (id, generation) VALUES (1, 1)
         ON CONFLICT (id) DO UPDATE SET generation = identity_head.generation + 1 RETURNING generation",
        args![],
    )?;
    let (kind, subject) = change.to_row();
    let now = tx.now();
    tx.exec(
        "INSERT INTO identity_changes (generation, kind, subject, at) VALUES ($1, $2, $3, $4)",
        args![generation, kind, &subject, now],
    )?;
    let caches = caches.clone();
    tx.after_commit(move || caches.forget(&change));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::World;

    #[test]
    fn changes_read_back_as_written() {
        let (world, _) = World::manual(1);
        let tenant: TenantId = world.id();
        for change in [
            Change::Key(KeyHandle::parse("abcdefABCDEF").unwrap()),
            Change::Session([7; 32]),
            Change::Tenant(tenant.clone()),
            Change::Signing(tenant.clone()),
            Change::Issuers(tenant),
        ] {
            let (kind, subject) = change.to_row();
            assert_eq!(Change::from_row(kind, &subject), Some(change));
        }
        assert_eq!(Change::from_row("martian", "x"), None);
    }
}
