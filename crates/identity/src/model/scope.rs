//! Scopes: what an operation asks for, what a key or role grants.
//!
//! A scope is `system:resource:action` (`forms:submissions:read`); every operation declares exactly one. A key may
//! also hold a wildcard by suffix (`forms:*`, `forms:submissions:*`, `*`). The known scopes come from the OpenAPI
//! document at start-up, so this crate needs no list of the systems above it and a key can never name a scope that
//! no operation has.

use std::collections::BTreeSet;

use plinth_kernel::{Role, ScopeSet};

use crate::limits::SCOPE_BYTES_MAX;

/// Scopes of this crate's own operations.
pub const IDENTITY_SCOPES: &[&str] = &[
    "identity:audit:read",
    "identity:issuers:read",
    "identity:issuers:write",
    "identity:keys:read",
    "identity:keys:write",
    "identity:members:read",
    "identity:members:write",
    "identity:signing_keys:write",
    "identity:tenants:create",
    "identity:tenants:read",
    "identity:tenants:write",
    "identity:user_tokens:create",
];

/// Everything a publishable key may ever do. It stands in a page's source, so nothing that reads what somebody
/// else wrote may be on this list: read a published form, hand in a submission, ask the assistant, open a
/// realtime connection (which needs a user token besides).
pub const PUBLISHABLE_SCOPES: &[&str] = &[
    "assistant:chat:write",
    "forms:published:read",
    "forms:submissions:create",
    "realtime:connections:create",
];

/// Everything an end user's token may ever carry, whoever signed it.
pub const END_USER_SCOPES: &[&str] = &[
    "assistant:chat:read",
    "assistant:chat:write",
    "forms:published:read",
    "forms:submissions:create",
    "notify:inbox:read",
    "notify:inbox:write",
    "realtime:connections:create",
];

/// What only owners may do.
const OWNER_ONLY: &[&str] = &["identity:tenants:create"];

/// What neither developers nor viewers may do: people, trust and the trail.
const ADMIN_ONLY: &[&str] = &[
    "identity:audit:read",
    "identity:issuers:write",
    "identity:members:write",
    "identity:signing_keys:write",
    "identity:tenants:write",
];

/// Resources whose changes concern nobody but the caller: a viewer may mark their own inbox as read.
const OWN_RESOURCES: &[&str] = &["notify:inbox:", "realtime:connections:"];

/// A text that is neither a scope nor a wildcard, or one that no operation has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {0:?}")]
pub struct UnknownScope(pub String);

/// Every scope that some operation declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeCatalogue {
    known: BTreeSet<String>,
}

impl ScopeCatalogue {
    /// The catalogue of these scopes and this crate's own.
    pub fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, UnknownScope> {
        let mut known: BTreeSet<String> = IDENTITY_SCOPES.iter().map(|s| (*s).to_owned()).collect();
        for scope in scopes {
            let scope = scope.into();
            if !is_scope(&scope) {
                return Err(UnknownScope(scope));
            }
            known.insert(scope);
        }
        Ok(Self { known })
    }

    /// Every known scope.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// The known scopes that `pattern` (a scope or a wildcard) stands for.
    pub fn expand(&self, pattern: &str) -> Result<Vec<&str>, UnknownScope> {
        let found: Vec<&str> = match pattern.strip_suffix('*') {
            Some(stem) if stem.is_empty() || is_stem(stem) => {
                self.iter().filter(|s| s.starts_with(stem)).collect()
            }
            Some(_) => Vec::new(),
            None => self.known.get(pattern).map(String::as_str).into_iter().collect(),
        };
        if found.is_empty() { Err(UnknownScope(pattern.to_owned())) } else { Ok(found) }
    }

    /// Whether everything that `pattern` stands for is granted by `holder`: nobody hands out more than they have.
    pub fn covers(&self, holder: &ScopeSet, pattern: &str) -> Result<bool, UnknownScope> {
        Ok(self.expand(pattern)?.into_iter().all(|scope| holder.contains(scope)))
    }

    /// What a member of this role may do.
    pub fn of_role(&self, role: Role) -> ScopeSet {
        if role == Role::Owner {
            return ScopeSet::all();
        }
        self.iter().filter(|scope| role_grants(role, scope)).collect()
    }

    /// What a key with these patterns may do while its owner has `role`.
    pub fn within_role(&self, role: Role, patterns: &ScopeSet) -> ScopeSet {
        self.iter().filter(|scope| patterns.contains(scope) && role_grants(role, scope)).collect()
    }
}

/// Whether `role` grants `scope`, as a rule on names: a new operation is judged without a change here.
pub fn role_grants(role: Role, scope: &str) -> bool {
    match role {
        Role::Owner => true,
        Role::Admin => !OWNER_ONLY.contains(&scope),
        Role::Developer => !OWNER_ONLY.contains(&scope) && !ADMIN_ONLY.contains(&scope),
        Role::Viewer => {
            let reads = scope.ends_with(":read") && !ADMIN_ONLY.contains(&scope);
            reads || OWN_RESOURCES.iter().any(|own| scope.starts_with(own))
        }
    }
}

/// What every publishable key may do.
pub fn publishable() -> ScopeSet {
    PUBLISHABLE_SCOPES.iter().copied().collect()
}

/// The part of `asked` that an end user's token may carry.
pub fn end_user<'a>(asked: impl IntoIterator<Item = &'a str>) -> ScopeSet {
    asked.into_iter().filter(|scope| END_USER_SCOPES.contains(scope)).collect()
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

/// `a:b:c`, each part a word.
fn is_scope(text: &str) -> bool {
    text.len() <= SCOPE_BYTES_MAX && text.split(':').count() == 3 && text.split(':').all(is_word)
}

/// `a:` or `a:b:`.
fn is_stem(text: &str) -> bool {
    text.len() <= SCOPE_BYTES_MAX
        && text
            .strip_suffix(':')
            .is_some_and(|words| words.split(':').count() <= 2 && words.split(':').all(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn catalogue() -> ScopeCatalogue {
        ScopeCatalogue::new(
            [
                "forms:forms:read",
                "forms:forms:write",
                "forms:submissions:read",
                "notify:inbox:read",
                "notify:inbox:write",
            ]
            .into_iter()
            .chain(PUBLISHABLE_SCOPES.iter().copied()),
        )
        .unwrap()
    }

    #[test]
    fn unknown_scopes_and_empty_wildcards_are_refused() {
        let catalogue = catalogue();
        for good in ["*", "forms:*", "forms:submissions:*", "forms:forms:read"] {
            assert!(catalogue.expand(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "forms",
            "forms:",
            "forms:forms",
            "forms:forms:delete",
            "billing:*",
            "for*",
            "forms:*:read",
            "**",
            "forms:forms:read:*",
            "FORMS:*",
        ] {
            assert!(catalogue.expand(bad).is_err(), "{bad}");
        }
        assert!(ScopeCatalogue::new(["forms:read"]).is_err());
    }

    #[test]
    fn nobody_hands_out_more_than_they_have() {
        let catalogue = catalogue();
        let developer = catalogue.of_role(Role::Developer);
        assert_eq!(catalogue.covers(&developer, "forms:*"), Ok(true));
        assert_eq!(catalogue.covers(&developer, "*"), Ok(false));
        assert_eq!(catalogue.covers(&developer, "identity:members:*"), Ok(false));
        assert_eq!(catalogue.covers(&ScopeSet::all(), "*"), Ok(true));
    }

    #[test]
    fn roles_are_nested_and_reserve_what_is_theirs() {
        let catalogue = catalogue();
        let sets: Vec<ScopeSet> = [Role::Viewer, Role::Developer, Role::Admin, Role::Owner]
            .map(|role| catalogue.of_role(role))
            .into();
        for pair in sets.windows(2) {
            for scope in catalogue.iter().filter(|scope| pair[0].contains(scope)) {
                assert!(pair[1].contains(scope), "{scope} is lost on the way up");
            }
        }
        let [viewer, developer, admin, owner] = &sets[..] else { unreachable!() };
        assert!(viewer.contains("forms:submissions:read") && !viewer.contains("forms:forms:write"));
        assert!(viewer.contains("notify:inbox:write") && !viewer.contains("identity:audit:read"));
        assert!(developer.contains("identity:keys:write") && !developer.contains("identity:members:write"));
        assert!(admin.contains("identity:members:write") && !admin.contains("identity:tenants:create"));
        assert!(owner.contains("identity:tenants:create"));
    }

    #[test]
    fn publishable_keys_and_end_users_stay_on_their_lists() {
        assert!(publishable().contains("forms:submissions:create"));
        assert!(!publishable().contains("forms:submissions:read"));
        assert!(end_user(["*", "forms:*", "identity:keys:write"]).is_empty());
        assert!(end_user(["notify:inbox:read"]).contains("notify:inbox:read"));
        for scope in PUBLISHABLE_SCOPES.iter().chain(END_USER_SCOPES) {
            assert!(is_scope(scope));
        }
    }

    proptest! {
        #[test]
        fn no_pattern_panics_or_grants_the_unknown(pattern in "[a-z:*_]{0,24}") {
            let catalogue = catalogue();
            if let Ok(found) = catalogue.expand(&pattern) {
                let set: ScopeSet = [pattern].into_iter().collect();
                for scope in catalogue.iter() {
                    prop_assert_eq!(found.contains(&scope), set.contains(scope));
                }
            }
        }
    }
}
