//! API keys: making, listing, rotating with overlap, revoking.

use plinth_kernel::{
    Actor, Code, FieldError, Id, KeyId, MemberId, Micros, Mode, OrganisationId, Problem, TenantId,
};
use plinth_store::{Arg, Tx, args};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt;
use std::str::FromStr;

use crate::Identity;
use crate::audit;
use crate::by::By;
use crate::caches::{Change, announce};
use crate::check::{Faults, from_json, from_text, to_json};
use crate::limits::{
    KEY_CIDRS_MAX, KEY_ORIGINS_MAX, KEY_SCOPES_MAX, KEYS_MAX, ROTATION_OVERLAP_SECONDS_DEFAULT,
    ROTATION_OVERLAP_SECONDS_MAX,
};
use crate::model::key_text::{FreshKey, KeyHandle};
use crate::model::net::Cidr;
use crate::model::origin::AllowedOrigin;
use crate::model::scope::PUBLISHABLE_SCOPES;
use crate::page::{Keyset, Listed, PageRequest, keyset, list};
use crate::secret::Secret;
use crate::tenants::home;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// For servers: whatever its scopes say.
    Secret,
    /// For pages and apps: may stand in public, and does only what the fixed list allows.
    Publishable,
    /// For one member's scripts: its scopes, as far as the member's role still grants them.
    Personal,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "secret",
            Self::Publishable => "publishable",
            Self::Personal => "personal",
        })
    }
}

impl FromStr for KeyKind {
    type Err = plinth_kernel::principal::BadName;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "secret" => Ok(Self::Secret),
            "publishable" => Ok(Self::Publishable),
            "personal" => Ok(Self::Personal),
            _ => Err(plinth_kernel::principal::BadName),
        }
    }
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for.
    pub kind: KeyKind,
    /// A name for people.
    pub name: String,
    /// Scopes or wildcards (`forms:*`). Required for secret and personal keys, not allowed for publishable ones.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Addresses or ranges it may be used from; empty for anywhere.
    #[serde(default)]
    pub allowed_ips: Vec<String>,
    /// Origins it may be used from; empty for any (publishable keys: the tenant's).
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// When it stops working by itself.
    #[serde(default)]
    pub expires_at: Option<Micros>,
}

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// It works.
    Active,
    /// It works until `retires_at`; its successor is already there.
    Retiring,
    /// It has expired or was retired.
    Expired,
    /// It was revoked.
    Revoked,
}

/// A key as it is shown. The key itself is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ApiKey {
    /// Always `api_key`.
    pub object: &'static str,
    /// Its id.
    pub id: KeyId,
    /// What it is for.
    pub kind: KeyKind,
    /// A name for people.
    pub name: String,
    /// Whether it works.
    pub status: KeyStatus,
    /// Beginning and end of the key, enough to recognise it: `plk_live_3kTMd0a1b2C3_…x7Qz`.
    pub hint: String,
    /// Its last four characters.
    pub last4: String,
    /// What it grants.
    pub scopes: Vec<String>,
    /// Addresses it may be used from.
    pub allowed_ips: Vec<String>,
    /// Origins it may be used from.
    pub allowed_origins: Vec<String>,
    /// The API version pinned to it.
    pub version: Option<String>,
    /// Whose it is, for a personal key.
    pub member_id: Option<MemberId>,
    /// Who made it.
    pub created_by: String,
    /// The key it replaces.
    pub predecessor_id: Option<KeyId>,
    /// The key that replaces it.
    pub successor_id: Option<KeyId>,
    /// When it stops working by itself.
    pub expires_at: Option<Micros>,
    /// When its overlap with its successor ends.
    pub retires_at: Option<Micros>,
    /// When it was revoked.
    pub revoked_at: Option<Micros>,
    /// When it was last used, to about a quarter of a minute.
    pub last_used_at: Option<Micros>,
    /// Its revision.
    pub rev: i64,
    /// When it was made.
    pub created_at: Micros,
    /// When it was last changed.
    pub updated_at: Micros,
}

/// A key that was just made, with its text: the one time it can be read.
#[derive(Debug)]
pub struct IssuedKey {
    /// The key as it is shown.
    pub key: ApiKey,
    /// The key itself.
    pub text: Secret<String>,
}

struct KeyRow {
    id: KeyId,
    handle: String,
    kind: String,
    name: String,
    last4: String,
    scopes: String,
    cidrs: String,
    origins: String,
    version_pin: Option<String>,
    member_id: Option<MemberId>,
    created_by: String,
    predecessor_id: Option<KeyId>,
    successor_id: Option<KeyId>,
    expires_at: Option<Micros>,
    retires_at: Option<Micros>,
    revoked_at: Option<Micros>,
    last_used_at: Option<Micros>,
    rev: i64,
    created_at: Micros,
    updated_at: Micros,
}
plinth_store::row!(KeyRow {
    id,
    handle,
    kind,
    name,
    last4,
    scopes,
    cidrs,
    origins,
    version_pin,
    member_id,
    created_by,
    predecessor_id,
    successor_id,
    expires_at,
    retires_at,
    revoked_at,
    last_used_at,
    rev,
    created_at,
    updated_at
});

/// The columns of [`KeyRow`], in its order.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, handle, kind, name, last4, scopes, cidrs, origins, version_pin, member_id, created_by,
                predecessor_id, successor_id, expires_at, retires_at, revoked_at, last_used_at, rev, created_at, updated_at
             FROM api_keys ",
            $rest
        )
    };
}

const LIST: Keyset = keyset!(select_keys!("WHERE tenant_id = $1"), "id");
const GET: &str = select_keys!("WHERE tenant_id = $1 AND id = $2");

impl KeyRow {
    fn status(&self, now: Micros) -> KeyStatus {
        let ended = |end: Option<Micros>| end.is_some_and(|end| now >= end);
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if ended(self.expires_at) || ended(self.retires_at) {
            KeyStatus::Expired
        } else if self.retires_at.is_some() {
            KeyStatus::Retiring
        } else {
            KeyStatus::Active
        }
    }

    fn shown(self, mode: Mode, now: Micros) -> Result<ApiKey, Problem> {
        Ok(ApiKey {
            object: "api_key",
            kind: from_text(&self.kind)?,
            status: self.status(now),
            hint: format!("plk_{mode}_{}_…{}", self.handle, self.last4),
            scopes: from_json(&self.scopes)?,
            allowed_ips: from_json(&self.cidrs)?,
            allowed_origins: from_json(&self.origins)?,
            id: self.id,
            name: self.name,
            last4: self.last4,
            version: self.version_pin,
            member_id: self.member_id,
            created_by: self.created_by,
            predecessor_id: self.predecessor_id,
            successor_id: self.successor_id,
            expires_at: self.expires_at,
            retires_at: self.retires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
            rev: self.rev,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Everything about a key but its secret, checked.
struct Draft {
    kind: KeyKind,
    name: String,
    scopes: Vec<String>,
    cidrs: Vec<Cidr>,
    origins: Vec<AllowedOrigin>,
    version_pin: Option<String>,
    member_id: Option<MemberId>,
    predecessor_id: Option<KeyId>,
    expires_at: Option<Micros>,
}

impl Identity {
    /// Makes a key. Its scopes must be known and within what the maker may do.
    pub fn create_key(&self, tx: &mut Tx<'_>, by: &By, new: &NewKey) -> Result<IssuedKey, Problem> {
        let draft = self.check_new_key(by, new, tx.now())?;
        let in_use: i64 = tx.one(
            "SELECT count(*) FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL",
            args![&by.tenant],
        )?;
        if in_use >= KEYS_MAX {
            return Err(Problem::new(
                Code::QuotaExceeded,
                format!("A tenant may have at most {KEYS_MAX} keys. Revoke those no longer used."),
            ));
        }
        let issued = self.insert_key(tx, by, draft)?;
        self.record_key(tx, by, "identity.key.created", None, &issued.key)?;
        Ok(issued)
    }

    fn check_new_key(&self, by: &By, new: &NewKey, now: Micros) -> Result<Draft, Problem> {
        let mut faults = Faults::default();
        let name = faults.name("/name", &new.name);
        let cidrs = faults.each("/allowed_ips", &new.allowed_ips, KEY_CIDRS_MAX, "invalid_range", |text| {
            Cidr::parse(text).map_err(|error| error.to_string())
        });
        let origins = faults.origins("/allowed_origins", &new.allowed_origins, KEY_ORIGINS_MAX);
        let scopes = self.check_scopes(by, new, &mut faults);
        if new.expires_at.is_some_and(|at| at <= now) {
            faults.add("/expires_at", "in_the_past", "The expiry must lie in the future.");
        }
        let member_id = match (new.kind, &by.actor) {
            (KeyKind::Personal, Actor::Member(id)) => Some(id.clone()),
            (KeyKind::Personal, _) => {
                faults.add("/kind", "not_a_member", "Only a signed-in member can make a personal key.");
                None
            }
            _ => None,
        };
        faults.finish()?;
        Ok(Draft {
            kind: new.kind,
            name,
            scopes,
            cidrs,
            origins,
            version_pin: Some(self.newest_version().to_string()),
            member_id,
            predecessor_id: None,
            expires_at: new.expires_at,
        })
    }

    fn check_scopes(&self, by: &By, new: &NewKey, faults: &mut Faults) -> Vec<String> {
        if new.kind == KeyKind::Publishable {
            if !new.scopes.is_empty() {
                faults.add(
                    "/scopes",
                    "not_allowed",
                    "A publishable key has a fixed list of scopes; leave this out.",
                );
            }
            return PUBLISHABLE_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
        }
        if new.scopes.is_empty() {
            faults.add("/scopes", "required", "Name at least one scope.");
        }
        faults.each("/scopes", &new.scopes, KEY_SCOPES_MAX, "unknown_scope", |pattern| {
            match self.scopes().covers(&by.scopes, pattern) {
                Ok(true) => Ok(pattern.to_owned()),
                Ok(false) => Err(format!("You cannot grant {pattern}: you do not have all of it yourself")),
                Err(unknown) => Err(unknown.to_string()),
            }
        })
    }

    fn insert_key(&self, tx: &mut Tx<'_>, by: &By, draft: Draft) -> Result<IssuedKey, Problem> {
        let mode = home(tx, &by.tenant)?.mode;
        let fresh = FreshKey::generate(tx.world(), mode);
        let (id, now): (KeyId, Micros) = (tx.id(), tx.now());
        tx.exec(
            "INSERT INTO api_keys (tenant_id, id, handle, kind, name, secret_hash, last4, scopes, cidrs, origins,
                 version_pin, member_id, created_by, predecessor_id, expires_at, rev, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16)",
            args![
                &by.tenant,
                &id,
                fresh.handle.as_str(),
                &draft.kind.to_string(),
                &draft.name,
                &fresh.secret_hash,
                &fresh.last4,
                &to_json(&draft.scopes)?,
                &to_json(&draft.cidrs)?,
                &to_json(&draft.origins)?,
                &draft.version_pin,
                &draft.member_id,
                &by.actor.to_string(),
                &draft.predecessor_id,
                draft.expires_at,
                now
            ],
        )?;
        Ok(IssuedKey { key: self.get_key(tx, &by.tenant, &id)?, text: fresh.text })
    }

    /// A key of this tenant.
    pub fn get_key(&self, tx: &mut Tx<'_>, tenant: &TenantId, id: &KeyId) -> Result<ApiKey, Problem> {
        let mode = home(tx, tenant)?.mode;
        key_row(tx, tenant, id)?.shown(mode, tx.now())
    }

    /// A page of this tenant's keys, revoked ones included.
    pub fn list_keys(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Listed<ApiKey>, Problem> {
        let (mode, now) = (home(tx, tenant)?.mode, tx.now());
        let after = page.after.as_deref().map(Arg::from);
        list::<KeyRow>(tx, &LIST, tenant.as_ref(), page, after)?.try_map(|row| row.shown(mode, now))
    }

    /// Makes a successor with the same rights. The old key goes on for `overlap_seconds` (a day unless said
    /// otherwise), so that it can be replaced without an outage.
    pub fn rotate_key(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        id: &KeyId,
        overlap_seconds: Option<u64>,
    ) -> Result<IssuedKey, Problem> {
        let overlap = overlap_seconds.unwrap_or(ROTATION_OVERLAP_SECONDS_DEFAULT);
        if overlap > ROTATION_OVERLAP_SECONDS_MAX {
            let detail = format!("The overlap may be at most {ROTATION_OVERLAP_SECONDS_MAX} seconds.");
            let fault = FieldError::pointer("/overlap_seconds", "out_of_range", detail)
                .with_meta(json!({ "max": ROTATION_OVERLAP_SECONDS_MAX }));
            return Err(Problem::validation(vec![fault]));
        }
        let (mode, now) = (home(tx, &by.tenant)?.mode, tx.now());
        let old = key_row(tx, &by.tenant, id)?;
        let handle = handle_of(&old)?;
        if old.status(now) != KeyStatus::Active {
            return Err(Problem::new(
                Code::StateConflict,
                "Only an active key can be rotated; this one is revoked, expired or already replaced.",
            ));
        }
        let old = old.shown(mode, now)?;
        self.may_hold(by, &old)?;
        let issued = self.insert_key(tx, by, successor_of(&old, now)?)?;
        let retires_at = now.plus_seconds(overlap as i64);
        // The condition makes two rotations at once one rotation and one refusal.
        let changed = tx.exec(
            "UPDATE api_keys SET successor_id = $3, retires_at = $4, updated_at = $5, rev = rev + 1
             WHERE tenant_id = $1 AND id = $2 AND successor_id IS NULL AND revoked_at IS NULL",
            args![&by.tenant, id, &issued.key.id, retires_at, now],
        )?;
        if changed != 1 {
            return Err(Problem::new(Code::StateConflict, "The key was rotated or revoked a moment ago."));
        }
        announce(tx, self.caches(), Change::Key(handle))?;
        self.record_key(tx, by, "identity.key.rotated", Some(&old), &issued.key)?;
        Ok(issued)
    }

    /// Whoever gets a successor's text can do what the key can: that must not be more than they can do already.
    fn may_hold(&self, by: &By, key: &ApiKey) -> Result<(), Problem> {
        let own = match &key.member_id {
            Some(member) => by.actor == Actor::Member(member.clone()),
            None => true,
        };
        let within = key.kind == KeyKind::Publishable
            || key.scopes.iter().all(|pattern| self.scopes().covers(&by.scopes, pattern) == Ok(true));
        if own && within {
            return Ok(());
        }
        Err(Problem::new(
            Code::Forbidden,
            "The key may do more than you may, so its successor cannot be shown to you.",
        ))
    }

    /// Revokes a key: in this process for every request from here on, elsewhere within two seconds. Revoking a
    /// revoked key changes nothing.
    pub fn revoke_key(&self, tx: &mut Tx<'_>, by: &By, id: &KeyId) -> Result<ApiKey, Problem> {
        let (mode, now) = (home(tx, &by.tenant)?.mode, tx.now());
        let row = key_row(tx, &by.tenant, id)?;
        let handle = handle_of(&row)?;
        let before = row.shown(mode, now)?;
        let changed = tx.exec(
            "UPDATE api_keys SET revoked_at = $3, updated_at = $3, rev = rev + 1
             WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            args![&by.tenant, id, now],
        )?;
        let after = self.get_key(tx, &by.tenant, id)?;
        if changed == 1 {
            announce(tx, self.caches(), Change::Key(handle))?;
            self.record_key(tx, by, "identity.key.revoked", Some(&before), &after)?;
        }
        Ok(after)
    }

    fn record_key(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        action: &'static str,
        before: Option<&ApiKey>,
        after: &ApiKey,
    ) -> Result<(), Problem> {
        let before_json = before.map(serde_json::to_value).transpose().map_err(Problem::internal)?;
        let after_json = serde_json::to_value(after).map_err(Problem::internal)?;
        audit::record(
            tx,
            by,
            action,
            before.unwrap_or(after).id.as_str(),
            before_json.as_ref(),
            Some(&after_json),
        )?;
        let data = json!({"key_id": after.id, "kind": after.kind, "name": after.name, "predecessor_id": after.predecessor_id});
        by.emit(tx, action, after.id.as_str(), data);
        Ok(())
    }
}

/// Revokes every personal key of a member who leaves, in the tenants of one organisation.
pub(crate) fn revoke_personal_keys(
    identity: &Identity,
    tx: &mut Tx<'_>,
    organisation: &OrganisationId,
    member: &MemberId,
) -> Result<(), Problem> {
    let now = tx.now();
    let handles: Vec<String> = tx.all(
        "UPDATE api_keys SET revoked_at = $3, updated_at = $3, rev = rev + 1
         WHERE member_id = $2 AND revoked_at IS NULL
           AND tenant_id IN (SELECT id FROM tenants WHERE organisation_id = $1) RETURNING handle",
        args![organisation, member, now],
    )?;
    forget_keys(identity, tx, handles)
}

/// Has every personal key of a member read again: their role changed.
pub(crate) fn refresh_personal_keys(
    identity: &Identity,
    tx: &mut Tx<'_>,
    organisation: &OrganisationId,
    member: &MemberId,
) -> Result<(), Problem> {
    let handles: Vec<String> = tx.all(
        "SELECT handle FROM api_keys WHERE member_id = $2 AND revoked_at IS NULL
           AND tenant_id IN (SELECT id FROM tenants WHERE organisation_id = $1)",
        args![organisation, member],
    )?;
    forget_keys(identity, tx, handles)
}

fn forget_keys(identity: &Identity, tx: &mut Tx<'_>, handles: Vec<String>) -> Result<(), Problem> {
    for handle in handles.iter().filter_map(|handle| KeyHandle::parse(handle)) {
        announce(tx, identity.caches(), Change::Key(handle))?;
    }
    Ok(())
}

fn key_row(tx: &mut Tx<'_>, tenant: &TenantId, id: &KeyId) -> Result<KeyRow, Problem> {
    tx.opt(GET, args![tenant, id])?.ok_or_else(|| Problem::not_found("API key"))
}

fn handle_of(row: &KeyRow) -> Result<KeyHandle, Problem> {
    KeyHandle::parse(&row.handle).ok_or_else(|| Problem::internal("a key's handle is damaged"))
}

/// The same rights, the same pinned version (the same program will use it), and as long a life as the old key had.
fn successor_of(old: &ApiKey, now: Micros) -> Result<Draft, Problem> {
    let read = |error: &dyn fmt::Display| Problem::internal(error);
    Ok(Draft {
        kind: old.kind,
        name: old.name.clone(),
        scopes: old.scopes.clone(),
        cidrs: old
            .allowed_ips
            .iter()
            .map(|text| Cidr::parse(text).map_err(|e| read(&e)))
            .collect::<Result<_, _>>()?,
        origins: old
            .allowed_origins
            .iter()
            .map(|text| AllowedOrigin::parse(text).map_err(|e| read(&e)))
            .collect::<Result<_, _>>()?,
        version_pin: old.version.clone(),
        member_id: old.member_id.clone(),
        predecessor_id: Some(old.id.clone()),
        expires_at: old.expires_at.map(|end| Micros(now.0.saturating_add(end.since(old.created_at)))),
    })
}
