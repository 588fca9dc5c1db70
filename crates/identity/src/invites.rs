//! Invitations: a link that makes its holder a member, once.

use plinth_kernel::{
    Actor, Code, Id, InviteId, MemberId, Micros, OrganisationId, PrincipalKind, Problem, Role, ScopeSet,
    TenantId,
};
use plinth_store::{Arg, Tx, args};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Identity;
use crate::audit;
use crate::by::By;
use crate::check::{Faults, from_text};
use crate::limits::{INVITE_TTL_MS, INVITES_OPEN_MAX, MEMBERS_MAX};
use crate::login::{Device, NewAccount, OpenedSession};
use crate::members::{join, may_grant, may_touch, people_of};
use crate::model::email::Email;
use crate::page::{Keyset, Listed, PageRequest, keyset, list};
use crate::passwords::HashedPassword;
use crate::secret::Secret;
use crate::sessions::open_session;
use crate::tenants::home;

/// Somebody to invite.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    /// Their address.
    pub email: String,
    /// The role they will have.
    pub role: Role,
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InviteStatus {
    /// It can be accepted.
    Open,
    /// It was accepted.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Nobody accepted it in time.
    Expired,
}

/// An invitation as it is shown. The link is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Invite {
    /// Always `invite`.
    pub object: &'static str,
    /// Its id.
    pub id: InviteId,
    /// Whom it is for.
    pub email: String,
    /// The role it gives.
    pub role: Role,
    /// Where it stands.
    pub status: InviteStatus,
    /// Who made it.
    pub invited_by: String,
    /// When it ends.
    pub expires_at: Micros,
    /// When it was accepted.
    pub accepted_at: Option<Micros>,
    /// When it was made.
    pub created_at: Micros,
}

/// A fresh invitation with the token for its link: the one time it can be read.
#[derive(Debug)]
pub struct IssuedInvite {
    /// The invitation as it is shown.
    pub invite: Invite,
    /// The token.
    pub token: Secret<String>,
}

/// Accepting an invitation.
#[derive(Debug)]
pub struct AcceptInvite {
    /// The token of the link.
    pub token: String,
    /// A new password, or the existing one of whoever has an account under this address already.
    pub password: Secret<String>,
    /// Their name; ignored for an existing account.
    pub name: String,
}

struct InviteRow {
    id: InviteId,
    email: String,
    role: String,
    invited_by: String,
    expires_at: Micros,
    accepted_at: Option<Micros>,
    revoked_at: Option<Micros>,
    created_at: Micros,
}
plinth_store::row!(InviteRow {
    id,
    email,
    role,
    invited_by,
    expires_at,
    accepted_at,
    revoked_at,
    created_at
});

macro_rules! select_invites {
    ($rest:literal) => {
        concat!(
            "SELECT id, email, role, invited_by, expires_at, accepted_at, revoked_at, created_at FROM invites ",
            $rest
        )
    };
}

const LIST: Keyset = keyset!(select_invites!("WHERE organisation_id = $1"), "id");
const GET: &str = select_invites!("WHERE organisation_id = $1 AND id = $2");

impl InviteRow {
    fn shown(self, now: Micros) -> Result<Invite, Problem> {
        let status = match (self.accepted_at, self.revoked_at) {
            (Some(_), _) => InviteStatus::Accepted,
            (None, Some(_)) => InviteStatus::Revoked,
            (None, None) if now >= self.expires_at => InviteStatus::Expired,
            (None, None) => InviteStatus::Open,
        };
        Ok(Invite {
            object: "invite",
            role: from_text(&self.role)?,
            status,
            id: self.id,
            email: self.email,
            invited_by: self.invited_by,
            expires_at: self.expires_at,
            accepted_at: self.accepted_at,
            created_at: self.created_at,
        })
    }
}

/// An open invitation, found by its token.
struct OpenInvite {
    organisation_id: OrganisationId,
    id: InviteId,
    tenant_id: TenantId,
    email: String,
    role: String,
    password_hash: Option<String>,
}
plinth_store::row!(OpenInvite { organisation_id, id, tenant_id, email, role, password_hash });

/// Who accepts an invitation.
enum Person {
    /// Somebody with an account, who proved it.
    Known(Email),
    /// Somebody without one.
    New(NewAccount),
}

impl Identity {
    /// Invites somebody. An earlier open invitation for the same address is taken back.
    pub fn create_invite(&self, tx: &mut Tx<'_>, by: &By, new: &NewInvite) -> Result<IssuedInvite, Problem> {
        let mut faults = Faults::default();
        let email = faults.email("/email", &new.email);
        faults.finish()?;
        let email = email.ok_or_else(|| Problem::internal("a checked address is missing"))?;
        may_grant(self.scopes(), by, new.role)?;
        let home = people_of(tx, by)?;
        self.room_for_one_more(tx, &home.organisation, &email)?;
        let now = tx.now();
        tx.exec(
            "UPDATE invites SET revoked_at = $3 WHERE organisation_id = $1 AND email_key = $2
               AND accepted_at IS NULL AND revoked_at IS NULL",
            args![&home.organisation, email.key(), now],
        )?;
        let id: InviteId = tx.id();
        let token = Secret::new(tx.world().token());
        tx.exec(
            "INSERT INTO invites (organisation_id, id, tenant_id, email, email_key, role, token_hash, invited_by,
                 expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            args![
                &home.organisation, &id, &by.tenant, email.as_str(), email.key(), &new.role.to_string(),
                &crate::authenticator::token_hash(token.reveal()), &by.actor.to_string(),
                now.plus_ms(INVITE_TTL_MS as i64), now
            ],
        )?;
        let invite = invite_of(tx, &home.organisation, &id)?;
        record_invite(tx, by, "identity.invite.created", &invite)?;
        Ok(IssuedInvite { invite, token })
    }

    fn room_for_one_more(
        &self,
        tx: &mut Tx<'_>,
        organisation: &OrganisationId,
        email: &Email,
    ) -> Result<(), Problem> {
        let already: i64 = tx.one(
            "SELECT count(*) FROM memberships ms JOIN members m ON m.id = ms.member_id
             WHERE ms.organisation_id = $1 AND m.email_key = $2",
            args![organisation, email.key()],
        )?;
        if already > 0 {
            return Err(Problem::new(Code::Conflict, "Somebody with this address is a member already."));
        }
        let now = tx.now();
        let (members, open): (i64, i64) = tx.one(
            "SELECT (SELECT count(*) FROM memberships WHERE organisation_id = $1),
                    (SELECT count(*) FROM invites WHERE organisation_id = $1 AND accepted_at IS NULL
                       AND revoked_at IS NULL AND expires_at > $2)",
            args![organisation, now],
        )?;
        if members >= MEMBERS_MAX || open >= INVITES_OPEN_MAX {
            let detail = format!(
                "An organisation has at most {MEMBERS_MAX} members and {INVITES_OPEN_MAX} open invitations."
            );
            return Err(Problem::new(Code::QuotaExceeded, detail));
        }
        Ok(())
    }

    /// A page of the organisation's invitations.
    pub fn list_invites(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Listed<Invite>, Problem> {
        let (home, now) = (home(tx, tenant)?, tx.now());
        let after = page.after.as_deref().map(Arg::from);
        list::<InviteRow>(tx, &LIST, home.organisation.as_ref(), page, after)?.try_map(|row| row.shown(now))
    }

    /// Takes an open invitation back. One that is no longer open stays as it is.
    pub fn revoke_invite(&self, tx: &mut Tx<'_>, by: &By, id: &InviteId) -> Result<Invite, Problem> {
        let home = people_of(tx, by)?;
        let before = invite_of(tx, &home.organisation, id)?;
        may_touch(by, before.role)?;
        let now = tx.now();
        let changed = tx.exec(
            "UPDATE invites SET revoked_at = $3 WHERE organisation_id = $1 AND id = $2
               AND accepted_at IS NULL AND revoked_at IS NULL",
            args![&home.organisation, id, now],
        )?;
        let after = invite_of(tx, &home.organisation, id)?;
        if changed == 1 {
            record_invite(tx, by, "identity.invite.revoked", &after)?;
        }
        Ok(after)
    }

    /// Accepts an invitation and opens a session. Whoever has an account under the invited address proves it with
    /// that account's password: a leaked link alone must not take over an account.
    pub async fn accept_invite(
        &self,
        accept: AcceptInvite,
        device: Device,
    ) -> Result<OpenedSession, Problem> {
        let token_hash = crate::authenticator::token_hash(&accept.token);
        let found: OpenInvite = self
            .store()
            .read(move |tx| {
                let now = tx.now();
                tx.opt(
                    "SELECT i.organisation_id, i.id, i.tenant_id, i.email, i.role, m.password_hash
                     FROM invites i LEFT JOIN members m ON m.email_key = i.email_key
                     WHERE i.token_hash = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2",
                    args![&token_hash, now],
                )?
                .ok_or_else(no_longer_open)
            })
            .await?;
        let email = Email::parse(&found.email).map_err(Problem::internal)?;
        let person = match &found.password_hash {
            Some(stored) => {
                let stored = HashedPassword(Secret::new(stored.clone()));
                self.check_password(&email, &accept.password, Some(stored), &device).await?;
                Person::Known(email)
            }
            None => Person::New(self.new_account(&email, &accept.name, &accept.password).await?),
        };
        let identity = self.clone();
        self.store().write(move |tx| identity.take_up(tx, token_hash, &found, &person, &device)).await
    }

    fn take_up(
        &self,
        tx: &mut Tx<'_>,
        token_hash: [u8; 32],
        invite: &OpenInvite,
        person: &Person,
        device: &Device,
    ) -> Result<OpenedSession, Problem> {
        let now = tx.now();
        // The one statement that makes the link work once, however many hold it.
        let taken = tx.exec(
            "UPDATE invites SET accepted_at = $2 WHERE token_hash = $1
               AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
            args![&token_hash, now],
        )?;
        if taken != 1 {
            return Err(no_longer_open());
        }
        let email = match person {
            Person::Known(email) => email,
            Person::New(account) => &account.email,
        };
        let existing: Option<MemberId> =
            tx.opt("SELECT id FROM members WHERE email_key = $1", args![email.key()])?;
        let member = match (existing, person) {
            (Some(id), Person::Known(_)) => id,
            (None, Person::New(account)) => insert_member(tx, account)?,
            // The account came or went between the read and here: what was proved no longer fits.
            _ => {
                return Err(Problem::new(
                    Code::Conflict,
                    "The account has changed meanwhile. Open the link again.",
                ));
            }
        };
        let by = acting_as(invite.tenant_id.clone(), &member, device);
        let role: Role = from_text(&invite.role)?;
        join(tx, &by, &invite.organisation_id, &member, role)?;
        let accepted = invite_of(tx, &invite.organisation_id, &invite.id)?;
        record_invite(tx, &by, "identity.invite.accepted", &accepted)?;
        open_session(self, tx, &member, &invite.tenant_id, device)
    }
}

/// The member themselves, before they have a session.
pub(crate) fn acting_as(tenant: TenantId, member: &MemberId, device: &Device) -> By {
    By {
        tenant,
        actor: Actor::Member(member.clone()),
        kind: PrincipalKind::Session,
        scopes: ScopeSet::default(),
        role: None,
        request_id: device.request_id.clone(),
        ip: device.ip,
        trace: device.trace,
    }
}

pub(crate) fn insert_member(tx: &mut Tx<'_>, account: &NewAccount) -> Result<MemberId, Problem> {
    let (id, now): (MemberId, Micros) = (tx.id(), tx.now());
    tx.exec(
        "INSERT INTO members (id, email, email_key, name, password_hash, rev, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $6)",
        args![
            &id,
            account.email.as_str(),
            account.email.key(),
            &account.name,
            account.password.0.reveal(),
            now
        ],
    )?;
    Ok(id)
}

/// One answer for unknown, used, revoked and expired: a link tells nothing about the past of its invitation.
fn no_longer_open() -> Problem {
    Problem::new(Code::Gone, "This invitation is no longer open. Ask for a new one.")
}

fn invite_of(tx: &mut Tx<'_>, organisation: &OrganisationId, id: &InviteId) -> Result<Invite, Problem> {
    let now = tx.now();
    tx.opt::<InviteRow>(GET, args![organisation, id])?
        .ok_or_else(|| Problem::not_found("invitation"))?
        .shown(now)
}

fn record_invite(tx: &mut Tx<'_>, by: &By, action: &'static str, invite: &Invite) -> Result<(), Problem> {
    let state = serde_json::to_value(invite).map_err(Problem::internal)?;
    audit::record(tx, by, action, invite.id.as_str(), None, Some(&state))?;
    let data = json!({"invite_id": invite.id, "email": invite.email, "role": invite.role});
    by.emit(tx, action, invite.id.as_str(), data);
    Ok(())
}
