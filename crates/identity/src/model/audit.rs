//! The audit trail's chain: each entry is hashed together with the hash before it, so that an entry cannot be
//! changed, removed or slipped in afterwards without every later hash giving it away.

use plinth_kernel::Micros;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Hash of an entry, and of the nothing before the first one.
pub type ChainHash = [u8; 32];

/// The hash before the first entry.
pub const GENESIS: ChainHash = [0; 32];

/// What is hashed of an entry: everything in it.
#[derive(Debug, Clone, Copy)]
pub struct Canonical<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// 1, 2, 3 … without a gap.
    pub sequence: i64,
    /// The entry's id.
    pub id: &'a str,
    /// When.
    pub at: Micros,
    /// Who, as `member:mbr_…`.
    pub actor: &'a str,
    /// What, as `identity.key.revoked`.
    pub action: &'a str,
    /// To what: an id.
    pub target: &'a str,
    /// Digest of the target before.
    pub before: Option<&'a str>,
    /// Digest of the target after.
    pub after: Option<&'a str>,
    /// The request.
    pub request_id: Option<&'a str>,
    /// The address it came from.
    pub ip: Option<&'a str>,
}

impl Canonical<'_> {
    /// `SHA256(prev | entry)`. Every field goes in behind its length (or a mark for "absent"), so two different
    /// entries can never be written as the same bytes.
    pub fn hash(&self, previous: &ChainHash) -> ChainHash {
        let mut hasher = Sha256::new();
        hasher.update(b"plinth.audit.v1\0");
        hasher.update(previous);
        hasher.update(self.sequence.to_be_bytes());
        hasher.update(self.at.0.to_be_bytes());
        for text in [self.tenant, self.id, self.actor, self.action, self.target] {
            absorb(&mut hasher, Some(text));
        }
        for text in [self.before, self.after, self.request_id, self.ip] {
            absorb(&mut hasher, text);
        }
        hasher.finalize().into()
    }
}

fn absorb(hasher: &mut Sha256, text: Option<&str>) {
    match text {
        None => hasher.update([0]),
        Some(text) => {
            hasher.update([1]);
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
    }
}

/// Digest of a thing's state: SHA-256 over its JSON with sorted keys, in hexadecimal. The trail proves what a thing
/// looked like without keeping a copy of what may have to be erased.
pub fn digest(state: &Value) -> String {
    let mut hasher = Sha256::new();
    absorb_json(&mut hasher, state);
    hex(&hasher.finalize())
}

fn absorb_json(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            hasher.update(b"{");
            for key in keys {
                absorb(hasher, Some(key));
                absorb_json(hasher, &map[key]);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| absorb_json(hasher, item));
            hasher.update(b"]");
        }
        Value::String(text) => {
            hasher.update(b"\"");
            absorb(hasher, Some(text));
        }
        scalar => {
            hasher.update(b"=");
            absorb(hasher, Some(&scalar.to_string()));
        }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn entry() -> Canonical<'static> {
        Canonical {
            tenant: "tnt_1",
            sequence: 1,
            id: "aud_1",
            at: Micros(5),
            actor: "member:mbr_1",
            action: "identity.key.revoked",
            target: "key_1",
            before: Some("aa"),
            after: None,
            request_id: Some("req_1"),
            ip: None,
        }
    }

    #[test]
    fn every_field_and_the_predecessor_count() {
        let base = entry();
        let changed = [
            Canonical { tenant: "tnt_2", ..base },
            Canonical { sequence: 2, ..base },
            Canonical { id: "aud_2", ..base },
            Canonical { at: Micros(6), ..base },
            Canonical { actor: "member:mbr_2", ..base },
            Canonical { action: "identity.key.rotated", ..base },
            Canonical { target: "key_2", ..base },
            Canonical { before: None, ..base },
            Canonical { before: None, after: Some("aa"), ..base },
            Canonical { request_id: Some("req_2"), ..base },
            Canonical { ip: Some("::1"), ..base },
            Canonical { ip: Some(""), ..base },
        ];
        let mut hashes: Vec<ChainHash> = changed.iter().map(|entry| entry.hash(&GENESIS)).collect();
        hashes.push(base.hash(&GENESIS));
        hashes.push(base.hash(&[1; 32]));
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }

    #[test]
    fn a_digest_ignores_the_order_of_keys_and_nothing_else() {
        assert_eq!(digest(&json!({"a": 1, "b": [1, 2]})), digest(&json!({"b": [1, 2], "a": 1})));
        assert_ne!(digest(&json!({"a": [1, 2]})), digest(&json!({"a": [2, 1]})));
        assert_ne!(digest(&json!({"a": "1"})), digest(&json!({"a": 1})));
        assert_ne!(digest(&json!({"a": {"b": 1}})), digest(&json!({"a": {}, "b": 1})));
    }

    proptest! {
        #[test]
        fn bytes_never_move_between_fields(actor in "[a-c]{0,6}", action in "[a-c]{0,6}", cut in 0_usize..6) {
            let joined = format!("{actor}{action}");
            let (left, right) = joined.split_at(cut.min(joined.len()));
            let one = Canonical { actor: &actor, action: &action, ..entry() }.hash(&GENESIS);
            let two = Canonical { actor: left, action: right, ..entry() }.hash(&GENESIS);
            prop_assert_eq!(one == two, left == actor);
        }
    }
}
