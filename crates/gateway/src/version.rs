//! Dated versions of the contract (ADR 0012).
//!
//! The code speaks the newest version only. A breaking change is one [`Change`]: what an older caller's request must
//! become (`up`), and what the answer must become for it (`down`). A request walks the changes newer than its version
//! from the oldest to the newest, its answer walks them back. Systems never see an old version.

use plinth_kernel::{ApiVersion, Code, FieldError, PrincipalKind, Problem};
use serde_json::Value;

/// The first version.
pub const V2026_06_01: ApiVersion = ApiVersion::new(2026, 6, 1);
/// The version that the code speaks; new keys are pinned to it.
pub const CURRENT: ApiVersion = ApiVersion::new(2026, 11, 1);

/// One breaking change.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// The first version that has it.
    pub since: ApiVersion,
    /// For the changelog.
    pub title: &'static str,
    /// Ids of the operations it touches.
    pub operations: &'static [&'static str],
    /// Makes a request of the version before into one of `since`.
    pub request_up: fn(&mut Value),
    /// Makes an answer of `since` into one of the version before.
    pub response_down: fn(&mut Value),
    /// Makes a JSON Pointer into a request of `since` into one of the version before, for error documents.
    pub pointer_down: fn(&str) -> Option<String>,
}

/// Supported versions and what changed between them.
#[derive(Debug, Clone)]
pub struct Versions {
    supported: Vec<ApiVersion>,
    changes: Vec<Change>,
}

impl Default for Versions {
    fn default() -> Self {
        Self::new(&[V2026_06_01, CURRENT], &[crate::changes::API_KEY_SCOPES])
    }
}

impl Versions {
    /// These versions, oldest first, and these changes, oldest first.
    #[must_use]
    pub fn new(supported: &[ApiVersion], changes: &[Change]) -> Self {
        Self { supported: supported.to_vec(), changes: changes.to_vec() }
    }

    /// Every supported version, oldest first.
    #[must_use]
    pub fn supported(&self) -> &[ApiVersion] {
        &self.supported
    }

    /// Every change, oldest first.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The newest version.
    #[must_use]
    pub fn current(&self) -> ApiVersion {
        self.supported.last().copied().unwrap_or(CURRENT)
    }

    /// The version a caller speaks: what the header names, else what the key is pinned to, else the newest. A key
    /// whose pin is no longer supported must name a version.
    pub fn resolve(&self, header: Option<&str>, pin: Option<ApiVersion>) -> Result<ApiVersion, Problem> {
        let wanted = match header {
            Some(text) => Some(ApiVersion::parse(text).map_err(|_| self.unsupported(text))?),
            None => pin,
        };
        match wanted {
            None => Ok(self.current()),
            Some(version) if self.supported.contains(&version) => Ok(version),
            Some(version) => Err(self.unsupported(&version.to_string())),
        }
    }

    fn unsupported(&self, asked: &str) -> Problem {
        let supported: Vec<String> = self.supported.iter().map(ToString::to_string).collect();
        let shown: String = asked.chars().take(32).filter(|c| !c.is_control()).collect();
        let detail = format!("There is no version {shown:?}. Supported are {}.", supported.join(", "));
        let mut problem = Problem::new(Code::VersionUnsupported, detail.clone()).field(FieldError::header(
            "plinth-version",
            "not_a_choice",
            detail,
        ));
        problem.extensions.insert("supported".into(), supported.into());
        problem
    }

    /// The changes between `version` and the newest that touch this operation, oldest first.
    pub fn between<'a>(
        &'a self,
        version: ApiVersion,
        operation: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a Change> {
        self.changes
            .iter()
            .filter(move |change| change.since > version && change.operations.contains(&operation))
    }

    /// Whether anything about this operation is different in `version`.
    #[must_use]
    pub fn differs(&self, version: ApiVersion, operation: &str) -> bool {
        version != self.current() && self.between(version, operation).next().is_some()
    }

    /// Makes a request of `version` into one of the newest.
    pub fn up(&self, version: ApiVersion, operation: &str, body: &mut Value) {
        self.between(version, operation).for_each(|change| (change.request_up)(body));
    }

    /// Makes an answer of the newest into one of `version`.
    pub fn down(&self, version: ApiVersion, operation: &str, body: &mut Value) {
        self.between(version, operation).rev().for_each(|change| (change.response_down)(body));
    }

    /// Makes a problem speak of the fields that the caller sent.
    pub fn problem_down(&self, version: ApiVersion, operation: &str, problem: &mut Problem) {
        for change in self.between(version, operation).rev() {
            for error in &mut problem.errors {
                if let Some(renamed) = error.pointer.as_deref().and_then(change.pointer_down) {
                    error.pointer = Some(renamed);
                }
            }
        }
    }
}

/// The version an unauthenticated answer is labelled with: nobody is pinned yet.
#[must_use]
pub fn may_be_pinned(kind: PrincipalKind) -> bool {
    matches!(kind, PrincipalKind::SecretKey | PrincipalKind::PublishableKey | PrincipalKind::PersonalKey)
}

/// Renames a member of an object in place, keeping its position.
pub(crate) fn rename(object: &mut Value, from: &str, to: &str) {
    let Some(map) = object.as_object_mut() else { return };
    // A caller that sends both means two different things: the strict reader will name the unknown one.
    if !map.contains_key(from) || map.contains_key(to) {
        return;
    }
    *map = std::mem::take(map)
        .into_iter()
        .map(|(name, value)| if name == from { (to.to_owned(), value) } else { (name, value) })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_header_wins_over_the_pin_and_the_newest_over_nothing() {
        let versions = Versions::default();
        assert_eq!(versions.resolve(None, None), Ok(CURRENT));
        assert_eq!(versions.resolve(None, Some(V2026_06_01)), Ok(V2026_06_01));
        assert_eq!(versions.resolve(Some("2026-11-01"), Some(V2026_06_01)), Ok(CURRENT));
    }

    #[test]
    fn an_unknown_version_is_answered_with_the_known_ones() {
        let versions = Versions::default();
        for bad in ["2026-07-01", "latest", "", "2026-11-01 ", "2099-01-01"] {
            let problem = versions.resolve(Some(bad), None).unwrap_err();
            assert_eq!(problem.code, Code::VersionUnsupported, "{bad}");
            assert_eq!(problem.extensions["supported"], serde_json::json!(["2026-06-01", "2026-11-01"]));
        }
        let dropped = Some(ApiVersion::new(2020, 1, 1));
        assert!(versions.resolve(None, dropped).is_err(), "a pin that is no longer supported");
    }

    #[test]
    fn versions_and_changes_are_in_order() {
        let versions = Versions::default();
        assert!(versions.supported().is_sorted() && versions.changes().is_sorted_by_key(|c| c.since));
        assert!(
            versions
                .changes()
                .iter()
                .all(|c| versions.supported().contains(&c.since) && c.since > V2026_06_01)
        );
        assert_eq!(versions.current(), CURRENT);
    }

    #[test]
    fn a_renamed_member_keeps_its_place() {
        let mut value = serde_json::json!({"a": 1, "b": 2, "c": 3});
        rename(&mut value, "b", "x");
        assert_eq!(value.to_string(), r#"{"a":1,"x":2,"c":3}"#);
        rename(&mut value, "a", "x");
        assert_eq!(value.to_string(), r#"{"a":1,"x":2,"c":3}"#, "both names: left alone");
    }

    proptest! {
        #[test]
        fn no_header_panics(text in "\\PC{0,40}") { let _ = Versions::default().resolve(Some(&text), None); }
    }
}
