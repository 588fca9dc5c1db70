//! Keys that sign end-user tokens: one active per tenant, and its predecessor for as long as its tokens live.

use std::sync::Arc;

use plinth_kernel::{Code, Id, Micros, Problem, SigningKeyId, TenantId};
use plinth_store::{Tx, args};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Identity;
use crate::audit;
use crate::by::By;
use crate::caches::{Change, announce};
use crate::limits::{CLOCK_SKEW_SECONDS, USER_TOKEN_SECONDS_MAX};
use crate::model::jwk::{PublicKey, ed25519_jwk};
use crate::tenants::home;

/// A tenant's live signing keys in memory, the active one first.
pub(crate) struct SigningSet {
    pub keys: Vec<SigningKey>,
}

pub(crate) struct SigningKey {
    pub id: SigningKeyId,
    pub pair: Ed25519KeyPair,
    pub public: [u8; 32],
    pub retires_at: Option<Micros>,
}

impl SigningSet {
    pub fn active(&self) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.retires_at.is_none())
    }

    /// The key a token names, while it may still vouch for tokens.
    pub fn verifying(&self, kid: &str, now: Micros) -> Option<PublicKey> {
        let key = self.keys.iter().find(|key| key.id.as_str() == kid)?;
        key.retires_at.is_none_or(|end| now < end).then_some(PublicKey::Ed25519(key.public))
    }
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SigningRotation {
    /// Always `signing_rotation`.
    pub object: &'static str,
    /// The key that signs from now on.
    pub active_id: SigningKeyId,
    /// When the key before it stops vouching for its tokens.
    pub previous_retires_at: Micros,
}

struct SigningRow {
    id: SigningKeyId,
    public_key: Vec<u8>,
    sealed_seed: Vec<u8>,
    retires_at: Option<Micros>,
}
plinth_store::row!(SigningRow { id, public_key, sealed_seed, retires_at });

const LIVE_KEYS: &str = "SELECT id, public_key, sealed_seed, retires_at FROM signing_keys
    WHERE tenant_id = $1 AND (retires_at IS NULL OR retires_at > $2) ORDER BY id DESC LIMIT 10";

impl Identity {
    pub(crate) fn insert_signing_key(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
    ) -> Result<SigningKeyId, Problem> {
        let (id, now): (SigningKeyId, Micros) = (tx.id(), tx.now());
        let seed: [u8; 32] = tx.world().bytes();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(Problem::internal)?;
        let sealed = self.vault().seal(&place(tenant, &id), &seed).map_err(Problem::internal)?;
        tx.exec(
            "INSERT INTO signing_keys (tenant_id, id, public_key, sealed_seed, created_at) VALUES ($1, $2, $3, $4, $5)",
            args![tenant, &id, pair.public_key().as_ref(), &sealed, now],
        )?;
        Ok(id)
    }

    /// Makes a new active key. The one before goes on vouching for the tokens it signed until the last of them has
    /// expired, or stops at once when `immediately` says that it is compromised. While two are live a third is
    /// refused: rotating twice in an hour would cut off tokens that are still good.
    pub fn rotate_signing_key(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        immediately: bool,
    ) -> Result<SigningRotation, Problem> {
        let now = tx.now();
        home(tx, &by.tenant)?;
        let live: Vec<SigningRow> = tx.all(LIVE_KEYS, args![&by.tenant, now])?;
        if live.len() > 1 && !immediately {
            return Err(Problem::new(
                Code::StateConflict,
                "The last rotation is less than an hour old: its predecessor still vouches for live tokens.",
            ));
        }
        let seconds = if immediately { 0 } else { USER_TOKEN_SECONDS_MAX as i64 + CLOCK_SKEW_SECONDS };
        let retires_at = now.plus_seconds(seconds);
        tx.exec(
            "UPDATE signing_keys SET retires_at = $2
             WHERE tenant_id = $1 AND (retires_at IS NULL OR retires_at > $2)",
            args![&by.tenant, retires_at],
        )?;
        let active_id = self.insert_signing_key(tx, &by.tenant)?;
        announce(tx, self.caches(), Change::Signing(by.tenant.clone()))?;
        audit::record(tx, by, "identity.signing_key.rotated", active_id.as_str(), None, None)?;
        by.emit(
            tx,
            "identity.signing_key.rotated",
            active_id.as_str(),
            json!({ "signing_key_id": active_id }),
        );
        Ok(SigningRotation { object: "signing_rotation", active_id, previous_retires_at: retires_at })
    }

    /// The tenant's public keys as a JSON Web Key Set, for whoever wants to verify our tokens. An unknown tenant has
    /// an empty set.
    pub async fn jwks(&self, tenant: &TenantId) -> Result<Value, Problem> {
        let now = self.world().now();
        let set = self.signing_set(tenant).await?;
        let keys: Vec<Value> = set
            .keys
            .iter()
            .filter(|key| key.retires_at.is_none_or(|end| now < end))
            .map(|key| ed25519_jwk(key.id.as_str(), &key.public))
            .collect();
        Ok(json!({ "keys": keys }))
    }

    pub(crate) async fn signing_set(&self, tenant: &TenantId) -> Result<Arc<SigningSet>, Problem> {
        if let Some(set) = self.caches().signing.get(tenant) {
            return Ok(set);
        }
        let epoch = self.caches().signing.epoch();
        let owner = tenant.clone();
        let rows: Vec<SigningRow> = self
            .store()
            .read(move |tx| {
                let now = tx.now();
                tx.all(LIVE_KEYS, args![&owner, now]).map_err(Problem::from)
            })
            .await?;
        let keys = rows.into_iter().map(|row| self.opened(tenant, row)).collect::<Result<Vec<_>, _>>()?;
        let set = Arc::new(SigningSet { keys });
        // An invented tenant must not fill the cache.
        if !set.keys.is_empty() {
            self.caches().signing.insert_loaded(epoch, tenant.clone(), set.clone());
        }
        Ok(set)
    }

    fn opened(&self, tenant: &TenantId, row: SigningRow) -> Result<SigningKey, Problem> {
        let seed = self.vault().open(&place(tenant, &row.id), &row.sealed_seed).map_err(Problem::internal)?;
        // Checks that the public half in the row is the seed's own.
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed.reveal(), &row.public_key)
            .map_err(Problem::internal)?;
        let public =
            row.public_key.try_into().map_err(|_| Problem::internal("a public key has another length"))?;
        Ok(SigningKey { id: row.id, pair, public, retires_at: row.retires_at })
    }
}

/// Where a seed is sealed for; in another row it does not open.
fn place(tenant: &TenantId, id: &SigningKeyId) -> String {
    format!("{tenant}|signing_keys|seed|{id}")
}
