//! Who is asking, and what they may do.

use crate::{ApiVersion, KeyId, MemberId, TenantId};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Whether a tenant's effects are real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real people, real money.
    Live,
    /// For trying things out.
    Test,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Test => "test",
        })
    }
}

impl FromStr for Mode {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        match text {
            "live" => Ok(Self::Live),
            "test" => Ok(Self::Test),
            _ => Err(BadName),
        }
    }
}

/// What a member may do in a tenant, from most to least.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, including removing the tenant and other owners.
    Owner,
    /// Everything but ownership.
    Admin,
    /// Definitions, keys for development, operations; no members.
    Developer,
    /// Reads.
    Viewer,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        })
    }
}

impl FromStr for Role {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        match text {
            "owner" => Ok(Self::Owner),
            "admin" => Ok(Self::Admin),
            "developer" => Ok(Self::Developer),
            "viewer" => Ok(Self::Viewer),
            _ => Err(BadName),
        }
    }
}

/// A stored name that this version of the program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown name")]
pub struct BadName;

/// Who caused something. Its text form (`member:mbr_…`) is what tables and events hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// An API key.
    Key(KeyId),
    /// A member in the console.
    Member(MemberId),
    /// An end user of the tenant, by the tenant's own id.
    EndUser(String),
    /// A visitor of a site, by the id in our signed cookie.
    Visitor(String),
    /// A part of the product: a schedule, a consumer.
    System(String),
    /// Nobody we know.
    Anonymous,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Member(id) => write!(f, "member:{id}"),
            Self::EndUser(id) => write!(f, "user:{id}"),
            Self::Visitor(id) => write!(f, "visitor:{id}"),
            Self::System(name) => write!(f, "system:{name}"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl FromStr for Actor {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        if text == "anonymous" {
            return Ok(Self::Anonymous);
        }
        let (kind, id) = text.split_once(':').ok_or(BadName)?;
        Ok(match kind {
            "key" => Self::Key(id.parse().map_err(|_| BadName)?),
            "member" => Self::Member(id.parse().map_err(|_| BadName)?),
            "user" => Self::EndUser(id.to_owned()),
            "visitor" => Self::Visitor(id.to_owned()),
            "system" => Self::System(id.to_owned()),
            _ => return Err(BadName),
        })
    }
}

/// A set of scopes: `forms:submissions:read`, or wildcards by suffix: `forms:*`, `*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSet(BTreeSet<String>);

impl ScopeSet {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::from_iter(["*"])
    }

    /// Whether it grants `scope`.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        if self.0.contains("*") || self.0.contains(scope) {
            return true;
        }
        // `a:b:c` is also granted by `a:b:*` and `a:*`.
        scope.match_indices(':').any(|(colon, _)| {
            self.0.iter().any(|own| own.strip_suffix('*').is_some_and(|stem| stem == &scope[..=colon]))
        })
    }

    /// The scopes as they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether it grants nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Into<String>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

/// How a caller proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A secret API key of a server.
    SecretKey,
    /// A publishable key in a page.
    PublishableKey,
    /// A key of one member.
    PersonalKey,
    /// A console session.
    Session,
    /// A token of an end user.
    EndUser,
    /// A visitor of a site, known by cookie only.
    Visitor,
    /// No credential; on operations that need none.
    Anonymous,
    /// The product itself.
    System,
}

/// The caller of an operation: always of exactly one tenant.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The tenant.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// Who.
    pub actor: Actor,
    /// How they proved it.
    pub kind: PrincipalKind,
    /// What they may do.
    pub scopes: ScopeSet,
    /// The member's role, for sessions and personal keys.
    pub role: Option<Role>,
    /// The API version pinned to the key.
    pub version_pin: Option<ApiVersion>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::World;
    use proptest::prelude::*;

    #[test]
    fn wildcards_grant_by_suffix_only() {
        let scopes = ScopeSet::from_iter(["forms:*", "notify:workflows:read"]);
        assert!(scopes.contains("forms:submissions:read"));
        assert!(scopes.contains("notify:workflows:read"));
        assert!(!scopes.contains("notify:workflows:write"));
        assert!(!scopes.contains("forms"));
        assert!(!scopes.contains("formsx:submissions:read"));
        assert!(ScopeSet::all().contains("anything:at:all"));
        assert!(!ScopeSet::default().contains("forms:forms:read"));
    }

    #[test]
    fn actors_round_trip_through_text() {
        let (world, _) = World::manual(1);
        for actor in [
            Actor::Key(world.id()),
            Actor::Member(world.id()),
            Actor::EndUser("a:b".into()),
            Actor::Visitor("v1".into()),
            Actor::System("notify".into()),
            Actor::Anonymous,
        ] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        assert!("martian:x".parse::<Actor>().is_err());
    }

    proptest! {
        #[test]
        fn a_scope_is_granted_by_itself_and_by_its_stems(parts in proptest::collection::vec("[a-z]{1,6}", 2..4)) {
            let scope = parts.join(":");
            let own = ScopeSet::from_iter([scope.clone()]);
            let stem = ScopeSet::from_iter([format!("{}:*", parts[0])]);
            prop_assert!(own.contains(&scope));
            prop_assert!(stem.contains(&scope));
        }
    }
}
