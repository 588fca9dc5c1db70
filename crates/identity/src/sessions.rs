//! Console sessions: opening, listing, switching, ending.

use plinth_kernel::{Code, Id, MemberId, Micros, OrganisationId, Problem, Role, SessionId, TenantId, World};
use plinth_store::{Arg, Tx, args};
use serde::Serialize;
use serde_json::json;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Identity;
use crate::audit;
use crate::authenticator::token_hash;
use crate::by::By;
use crate::caches::{Change, announce};
use crate::check::{clipped, from_text};
use crate::limits::{SESSIONS_PER_MEMBER_MAX, USER_AGENT_BYTES_MAX};
use crate::login::{Device, OpenedSession};
use crate::members::{Member, member_of};
use crate::model::session::SessionTimes;
use crate::page::{Keyset, Listed, PageRequest, keyset, list};
use crate::secret::Secret;
use crate::tenants::{Tenant, home};

/// Sessions of a member were ended before their time. Whatever they hold open must be closed.
const SESSION_ENDED: &str = "identity.session.ended";

/// A session as its owner sees it in the list of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Session {
    /// Always `session`.
    pub object: &'static str,
    /// Its id.
    pub id: SessionId,
    /// The tenant it works in.
    pub tenant_id: TenantId,
    /// The browser, as it calls itself.
    pub user_agent: Option<String>,
    /// The address it was opened from.
    pub ip: Option<String>,
    /// When it was opened.
    pub created_at: Micros,
    /// When it was last used, to about a quarter of a minute.
    pub last_seen_at: Micros,
    /// When it ends if it is not used.
    pub expires_at: Micros,
}

/// Everything a console needs to know about the session it runs in.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CurrentSession {
    /// Always `current_session`.
    pub object: &'static str,
    /// The member.
    pub member: Member,
    /// Their role here.
    pub role: Role,
    /// What they may do here.
    pub scopes: Vec<String>,
    /// The tenant they work in.
    pub tenant: Tenant,
    /// Every tenant they may switch to.
    pub tenants: Vec<TenantChoice>,
}

/// A tenant to switch to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TenantChoice {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// `live` or `test`.
    pub mode: String,
    /// The organisation.
    pub organisation: String,
    /// The member's role there: `owner`, `admin`, `developer` or `viewer`.
    pub role: String,
}
plinth_store::row!(TenantChoice { id, name, mode, organisation, role });

struct SessionRow {
    id: SessionId,
    tenant_id: TenantId,
    user_agent: Option<String>,
    ip: Option<String>,
    created_at: Micros,
    last_seen_at: Micros,
}
plinth_store::row!(SessionRow { id, tenant_id, user_agent, ip, created_at, last_seen_at });

const LIST: Keyset = keyset!(
    "SELECT id, tenant_id, user_agent, ip, created_at, last_seen_at FROM sessions WHERE member_id = $1",
    "id"
);

impl SessionRow {
    fn shown(self) -> Session {
        let times = SessionTimes { created_at: self.created_at, last_seen_at: self.last_seen_at };
        Session {
            object: "session",
            expires_at: times.ends_at(),
            id: self.id,
            tenant_id: self.tenant_id,
            user_agent: self.user_agent,
            ip: self.ip,
            created_at: self.created_at,
            last_seen_at: self.last_seen_at,
        }
    }
}

impl Identity {
    /// A page of a member's sessions, those that ended but were not swept yet included.
    pub fn list_sessions(
        &self,
        tx: &mut Tx<'_>,
        member: &MemberId,
        page: &PageRequest,
    ) -> Result<Listed<Session>, Problem> {
        let after = page.after.as_deref().map(Arg::from);
        list::<SessionRow>(tx, &LIST, member.as_ref(), page, after)?.try_map(|row| Ok(row.shown()))
    }

    /// What the console shows of the session it runs in.
    pub fn current_session(
        &self,
        tx: &mut Tx<'_>,
        member: &MemberId,
        tenant: &TenantId,
    ) -> Result<CurrentSession, Problem> {
        let home = home(tx, tenant)?;
        let member = member_of(tx, &home.organisation, member)?;
        let scopes = self.scopes().of_role(member.role);
        let granted =
            self.scopes().iter().filter(|scope| scopes.contains(scope)).map(str::to_owned).collect();
        Ok(CurrentSession {
            object: "current_session",
            role: member.role,
            scopes: granted,
            tenant: self.get_tenant(tx, tenant)?,
            tenants: choices(tx, &member.id)?,
            member,
        })
    }

    /// Moves a session to another tenant of its member. The token changes with it: what a stolen old one could reach
    /// does not grow.
    pub fn switch_tenant(
        &self,
        tx: &mut Tx<'_>,
        session: &SessionId,
        tenant: &TenantId,
    ) -> Result<OpenedSession, Problem> {
        let (member, old_hash): (MemberId, Vec<u8>) = tx
            .opt("SELECT member_id, token_hash FROM sessions WHERE id = $1", args![session])?
            .ok_or_else(session_over)?;
        if !choices(tx, &member)?.iter().any(|choice| choice.id == *tenant) {
            return Err(Problem::not_found("tenant"));
        }
        let token = new_token(tx.world());
        tx.exec(
            "UPDATE sessions SET tenant_id = $2, token_hash = $3 WHERE id = $1",
            args![session, tenant, &token_hash(token.reveal())],
        )?;
        tx.exec("UPDATE members SET last_tenant_id = $2 WHERE id = $1", args![&member, tenant])?;
        forget_sessions(self, tx, vec![old_hash])?;
        Ok(OpenedSession { id: session.clone(), member, tenant: tenant.clone(), token })
    }

    /// Ends one session of a member: a logout, or another device's session from the list. Ending one that is over
    /// changes nothing.
    pub fn end_session(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        member: &MemberId,
        id: &SessionId,
    ) -> Result<(), Problem> {
        let hashes: Vec<Vec<u8>> = tx.all(
            "DELETE FROM sessions WHERE id = $1 AND member_id = $2 RETURNING token_hash",
            args![id, member],
        )?;
        if !hashes.is_empty() {
            forget_sessions(self, tx, hashes)?;
            audit::record(tx, by, "identity.session.ended", id.as_str(), None, None)?;
            by.emit(tx, SESSION_ENDED, member.as_str(), json!({"member_id": member}));
        }
        Ok(())
    }

    /// Ends every session of a member but one.
    pub fn end_other_sessions(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        member: &MemberId,
        keep: Option<&SessionId>,
    ) -> Result<u64, Problem> {
        let hashes: Vec<Vec<u8>> = tx.all(
            "DELETE FROM sessions WHERE member_id = $1 AND id <> $2 RETURNING token_hash",
            args![member, keep.map_or("", Id::as_str)],
        )?;
        let count = hashes.len() as u64;
        if count > 0 {
            forget_sessions(self, tx, hashes)?;
            audit::record(tx, by, "identity.session.others_ended", member.as_str(), None, None)?;
            by.emit(tx, SESSION_ENDED, member.as_str(), json!({"member_id": member}));
        }
        Ok(count)
    }
}

/// Opens a session. The least recently used ones give way beyond the limit.
pub(crate) fn open_session(
    identity: &Identity,
    tx: &mut Tx<'_>,
    member: &MemberId,
    tenant: &TenantId,
    device: &Device,
) -> Result<OpenedSession, Problem> {
    let surplus: Vec<Vec<u8>> = tx.all(
        "DELETE FROM sessions WHERE id IN (
             SELECT id FROM sessions WHERE member_id = $1 ORDER BY last_seen_at DESC, id DESC LIMIT 1000 OFFSET $2)
         RETURNING token_hash",
        args![member, SESSIONS_PER_MEMBER_MAX as i64 - 1],
    )?;
    forget_sessions(identity, tx, surplus)?;
    let (id, now): (SessionId, Micros) = (tx.id(), tx.now());
    let token = new_token(tx.world());
    let agent = device.user_agent.as_deref().map(|agent| clipped(agent, USER_AGENT_BYTES_MAX));
    let ip = device.ip.map(|ip| ip.to_string());
    tx.exec(
        "INSERT INTO sessions (id, token_hash, member_id, tenant_id, user_agent, ip, created_at, last_seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        args![&id, &token_hash(token.reveal()), member, tenant, agent, &ip, now],
    )?;
    tx.exec(
        "UPDATE members SET last_login_at = $2, last_tenant_id = $3 WHERE id = $1",
        args![member, now, tenant],
    )?;
    Ok(OpenedSession { id, member: member.clone(), tenant: tenant.clone(), token })
}

/// Every tenant a member may work in; the last used first.
pub(crate) fn choices(tx: &mut Tx<'_>, member: &MemberId) -> Result<Vec<TenantChoice>, Problem> {
    Ok(tx.all(
        "SELECT t.id, t.name, t.mode, o.name, ms.role
         FROM memberships ms
         JOIN organisations o ON o.id = ms.organisation_id
         JOIN tenants t ON t.organisation_id = ms.organisation_id
         JOIN members m ON m.id = ms.member_id
         WHERE ms.member_id = $1
         ORDER BY CASE WHEN t.id = m.last_tenant_id THEN 0 ELSE 1 END, t.mode, t.id LIMIT 1000",
        args![member],
    )?)
}

impl TenantChoice {
    /// The member's role there.
    pub fn role(&self) -> Result<Role, Problem> {
        from_text(&self.role)
    }
}

/// Ends a member's sessions in one organisation.
pub(crate) fn end_sessions_in(
    identity: &Identity,
    tx: &mut Tx<'_>,
    organisation: &OrganisationId,
    member: &MemberId,
) -> Result<(), Problem> {
    let hashes: Vec<Vec<u8>> = tx.all(
        "DELETE FROM sessions WHERE member_id = $1
           AND tenant_id IN (SELECT id FROM tenants WHERE organisation_id = $2) RETURNING token_hash",
        args![member, organisation],
    )?;
    forget_sessions(identity, tx, hashes)
}

/// Has a member's sessions in one organisation read again: their role changed.
pub(crate) fn refresh_sessions_in(
    identity: &Identity,
    tx: &mut Tx<'_>,
    organisation: &OrganisationId,
    member: &MemberId,
) -> Result<(), Problem> {
    let hashes: Vec<Vec<u8>> = tx.all(
        "SELECT token_hash FROM sessions WHERE member_id = $1
           AND tenant_id IN (SELECT id FROM tenants WHERE organisation_id = $2)",
        args![member, organisation],
    )?;
    forget_sessions(identity, tx, hashes)
}

fn forget_sessions(identity: &Identity, tx: &mut Tx<'_>, hashes: Vec<Vec<u8>>) -> Result<(), Problem> {
    for hash in hashes.into_iter().filter_map(|hash| hash.try_into().ok()) {
        announce(tx, identity.caches(), Change::Session(hash))?;
    }
    Ok(())
}

pub(crate) fn session_over() -> Problem {
    Problem::new(Code::Unauthenticated, "The session is over. Log in again.")
}

/// 256 random bits.
fn new_token(world: &World) -> Secret<String> {
    Secret::new(URL_SAFE_NO_PAD.encode(world.bytes::<32>()))
}
