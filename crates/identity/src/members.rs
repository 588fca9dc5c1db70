//! Members: who works in an organisation, and as what.
//!
//! A membership belongs to the organisation, so a person has the same role in a live tenant and in its twin. Every
//! change of memberships first locks the organisation's row: two owners who remove each other at the same moment
//! cannot both succeed.

use plinth_kernel::{
    Actor, Code, FieldError, Id, MemberId, Micros, Mode, OrganisationId, Problem, Role, TenantId,
};
use plinth_store::{Arg, Tx, args};
use serde::Serialize;
use serde_json::json;

use crate::Identity;
use crate::audit;
use crate::by::By;
use crate::check::from_text;
use crate::keys::{refresh_personal_keys, revoke_personal_keys};
use crate::model::scope::{ScopeCatalogue, role_grants};
use crate::page::{Keyset, Listed, PageRequest, keyset, list};
use crate::sessions::{end_sessions_in, refresh_sessions_in};
use crate::tenants::{Home, home};

/// A member of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Member {
    /// Always `member`.
    pub object: &'static str,
    /// Their id.
    pub id: MemberId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role in this organisation.
    pub role: Role,
    /// When they last logged in.
    pub last_login_at: Option<Micros>,
    /// The membership's revision.
    pub rev: i64,
    /// When they joined.
    pub created_at: Micros,
    /// When the membership was last changed.
    pub updated_at: Micros,
}

struct MemberRow {
    id: MemberId,
    email: String,
    name: String,
    role: String,
    last_login_at: Option<Micros>,
    rev: i64,
    created_at: Micros,
    updated_at: Micros,
}
plinth_store::row!(MemberRow { id, email, name, role, last_login_at, rev, created_at, updated_at });

macro_rules! select_members {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.email, m.name, ms.role, m.last_login_at, ms.rev, ms.created_at, ms.updated_at
             FROM memberships ms JOIN members m ON m.id = ms.member_id ",
            $rest
        )
    };
}

const LIST: Keyset = keyset!(select_members!("WHERE ms.organisation_id = $1"), "ms.member_id");
const GET: &str = select_members!("WHERE ms.organisation_id = $1 AND ms.member_id = $2");

impl MemberRow {
    fn shown(self) -> Result<Member, Problem> {
        Ok(Member {
            object: "member",
            role: from_text(&self.role)?,
            id: self.id,
            email: self.email,
            name: self.name,
            last_login_at: self.last_login_at,
            rev: self.rev,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Identity {
    /// A page of the members of the organisation of `tenant`.
    pub fn list_members(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Listed<Member>, Problem> {
        let home = home(tx, tenant)?;
        let after = page.after.as_deref().map(Arg::from);
        list::<MemberRow>(tx, &LIST, home.organisation.as_ref(), page, after)?.try_map(MemberRow::shown)
    }

    /// A member of the organisation of `tenant`.
    pub fn get_member(&self, tx: &mut Tx<'_>, tenant: &TenantId, id: &MemberId) -> Result<Member, Problem> {
        let home = home(tx, tenant)?;
        member_of(tx, &home.organisation, id)
    }

    /// Gives a member another role. Only owners make or unmake owners, and one owner always remains.
    pub fn set_member_role(
        &self,
        tx: &mut Tx<'_>,
        by: &By,
        id: &MemberId,
        role: Role,
    ) -> Result<Member, Problem> {
        let home = people_of(tx, by)?;
        let before = member_of(tx, &home.organisation, id)?;
        if before.role == role {
            return Ok(before);
        }
        may_touch(by, before.role)?;
        may_grant(self.scopes(), by, role)?;
        if before.role == Role::Owner {
            another_owner(tx, &home.organisation, id)?;
        }
        let now = tx.now();
        tx.exec(
            "UPDATE memberships SET role = $3, updated_at = $4, rev = rev + 1
             WHERE organisation_id = $1 AND member_id = $2",
            args![&home.organisation, id, &role.to_string(), now],
        )?;
        refresh_sessions_in(self, tx, &home.organisation, id)?;
        refresh_personal_keys(self, tx, &home.organisation, id)?;
        let after = member_of(tx, &home.organisation, id)?;
        record_member(tx, by, "identity.member.role_changed", Some(&before), &after)?;
        Ok(after)
    }

    /// Ends a membership, with its sessions and personal keys. Members may leave by themselves; the last owner may
    /// not.
    pub fn remove_member(&self, tx: &mut Tx<'_>, by: &By, id: &MemberId) -> Result<(), Problem> {
        let home = people_of(tx, by)?;
        let before = member_of(tx, &home.organisation, id)?;
        if by.actor != Actor::Member(id.clone()) {
            may_touch(by, before.role)?;
        }
        if before.role == Role::Owner {
            another_owner(tx, &home.organisation, id)?;
        }
        end_sessions_in(self, tx, &home.organisation, id)?;
        revoke_personal_keys(self, tx, &home.organisation, id)?;
        tx.exec(
            "DELETE FROM memberships WHERE organisation_id = $1 AND member_id = $2",
            args![&home.organisation, id],
        )?;
        record_member(tx, by, "identity.member.removed", Some(&before), &before)
    }
}

/// The organisation whose people `by` is about to change, with its row locked. A test tenant's key must not reach
/// people: they are the live tenant's too.
pub(crate) fn people_of(tx: &mut Tx<'_>, by: &By) -> Result<Home, Problem> {
    let home = home(tx, &by.tenant)?;
    if home.mode == Mode::Test && matches!(by.actor, Actor::Key(_)) {
        return Err(Problem::new(
            Code::Forbidden,
            "Keys of a test tenant cannot change members: people belong to the live tenant as well.",
        ));
    }
    let now = tx.now();
    tx.exec(
        "UPDATE organisations SET rev = rev + 1, updated_at = $2 WHERE id = $1",
        args![&home.organisation, now],
    )?;
    Ok(home)
}

/// Only owners touch owners.
pub(crate) fn may_touch(by: &By, role: Role) -> Result<(), Problem> {
    if role != Role::Owner || by.is_owner() {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden, "Only an owner can make, change or remove an owner."))
}

/// Nobody hands out a role that may do more than they: a key that can invite people must not invite its holder to
/// everything else.
pub(crate) fn may_grant(scopes: &ScopeCatalogue, by: &By, role: Role) -> Result<(), Problem> {
    may_touch(by, role)?;
    if scopes.iter().filter(|scope| role_grants(role, scope)).all(|scope| by.scopes.contains(scope)) {
        return Ok(());
    }
    Err(Problem::new(
        Code::Forbidden,
        format!("The role {role} may do more than you may, so you cannot give it."),
    ))
}

fn another_owner(tx: &mut Tx<'_>, organisation: &OrganisationId, except: &MemberId) -> Result<(), Problem> {
    let others: i64 = tx.one(
        "SELECT count(*) FROM memberships WHERE organisation_id = $1 AND role = 'owner' AND member_id <> $2",
        args![organisation, except],
    )?;
    if others > 0 {
        return Ok(());
    }
    Err(Problem::new(Code::StateConflict, "This is the last owner. Make somebody else an owner first.")
        .field(FieldError::pointer("/role", "last_owner", "An organisation needs at least one owner.")))
}

pub(crate) fn member_of(
    tx: &mut Tx<'_>,
    organisation: &OrganisationId,
    id: &MemberId,
) -> Result<Member, Problem> {
    tx.opt::<MemberRow>(GET, args![organisation, id])?.ok_or_else(|| Problem::not_found("member"))?.shown()
}

/// Adds a person to an organisation; somebody who is a member already keeps their role.
pub(crate) fn join(
    tx: &mut Tx<'_>,
    by: &By,
    organisation: &OrganisationId,
    id: &MemberId,
    role: Role,
) -> Result<Member, Problem> {
    let now = tx.now();
    let added = tx.exec(
        "INSERT INTO memberships (organisation_id, member_id, role, rev, created_at, updated_at)
         VALUES ($1, $2, $3, 1, $4, $4) ON CONFLICT (organisation_id, member_id) DO NOTHING",
        args![organisation, id, &role.to_string(), now],
    )?;
    let member = member_of(tx, organisation, id)?;
    if added == 1 {
        record_member(tx, by, "identity.member.joined", None, &member)?;
    }
    Ok(member)
}

fn record_member(
    tx: &mut Tx<'_>,
    by: &By,
    action: &'static str,
    before: Option<&Member>,
    after: &Member,
) -> Result<(), Problem> {
    let before = before.map(serde_json::to_value).transpose().map_err(Problem::internal)?;
    let gone = action == "identity.member.removed";
    let after_json = if gone { None } else { Some(serde_json::to_value(after).map_err(Problem::internal)?) };
    audit::record(tx, by, action, after.id.as_str(), before.as_ref(), after_json.as_ref())?;
    let data = json!({"member_id": after.id, "email": after.email, "name": after.name, "role": after.role});
    by.emit(tx, action, after.id.as_str(), data);
    Ok(())
}
