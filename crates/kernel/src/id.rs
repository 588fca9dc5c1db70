//! Prefixed, sortable ids: `frm_01kb3…` is `frm`, an underscore and a UUIDv7 in 26 characters of lower-case
//! Crockford base32 (the TypeID layout, <https://github.com/jetify-com/typeid>).
//!
//! An id is kept and stored as text. Its order is the order of creation to the millisecond, and it gives the
//! creation time away: public links use [`World::token`](crate::World::token) instead.

use std::fmt;

/// Characters of an id after its prefix and underscore.
pub const SUFFIX_LEN: usize = 26;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A text that is not an id of the expected kind. At the edge this is the same 404 as an unknown id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct BadId;

/// One kind of id.
pub trait Id: Sized + Clone + Eq + Ord + fmt::Display + Send + Sync + 'static {
    /// Two to four lower-case letters, unique in the table of this module.
    const PREFIX: &'static str;
    /// The whole text, prefix included.
    fn as_str(&self) -> &str;
    /// Accepts exactly what [`Id::from_uuid`] writes.
    fn parse(text: &str) -> Result<Self, BadId>;
    /// The id of these 16 bytes.
    fn from_uuid(bytes: [u8; 16]) -> Self;
}

/// Writes 16 bytes as 26 characters: 130 bits with the two highest always zero.
fn encode(bytes: [u8; 16]) -> [u8; SUFFIX_LEN] {
    let mut value = u128::from_be_bytes(bytes);
    let mut out = [b'0'; SUFFIX_LEN];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    out
}

/// Whether `suffix` is what [`encode`] can have written: 26 characters of the alphabet, no overflow.
fn is_suffix(suffix: &str) -> bool {
    let bytes = suffix.as_bytes();
    bytes.len() == SUFFIX_LEN && bytes[0] <= b'7' && bytes.iter().all(|b| ALPHABET.contains(b))
}

fn build(prefix: &str, bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LEN);
    text.push_str(prefix);
    text.push('_');
    text.extend(encode(bytes).iter().map(|b| *b as char));
    text
}

fn matches(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).is_some_and(is_suffix)
}

/// Declares every id of the product in one table, so that two kinds cannot share a prefix unnoticed.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(String);

            impl Id for $name {
                const PREFIX: &'static str = $prefix;
                fn as_str(&self) -> &str { &self.0 }
                fn parse(text: &str) -> Result<Self, BadId> {
                    if matches($prefix, text) { Ok(Self(text.to_owned())) } else { Err(BadId) }
                }
                fn from_uuid(bytes: [u8; 16]) -> Self { Self(build($prefix, bytes)) }
            }
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
            }
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
            }
            impl AsRef<str> for $name { fn as_ref(&self) -> &str { &self.0 } }
            impl std::str::FromStr for $name {
                type Err = BadId;
                fn from_str(text: &str) -> Result<Self, BadId> { Self::parse(text) }
            }
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(&self.0) }
            }
            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                    let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                    Self::parse(&text).map_err(|_| serde::de::Error::custom(concat!("expected an id that begins with ", $prefix, "_")))
                }
            }
            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                    utoipa::openapi::ObjectBuilder::new()
                        .schema_type(utoipa::openapi::schema::Type::String)
                        .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                        .examples([concat!($prefix, "_01kb3h5f8xe7ksq2v9w6m4t0rd")])
                        .into()
                }
            }
            impl utoipa::ToSchema for $name {}
        )+

        /// Every registered prefix.
        pub const PREFIXES: &[&str] = &[$($prefix),+];
    };
}

ids! {
    /// A tenant: one project in live or in test mode. Every row belongs to one.
    TenantId = "tnt";
    /// An organisation: owns a live tenant and its test twin.
    OrganisationId = "org";
    /// A person who works in the console.
    MemberId = "mbr";
    /// An API key.
    KeyId = "key";
    /// A console session.
    SessionId = "ses";
    /// An invitation to become a member.
    InviteId = "inv";
    /// A token issuer that a tenant brought along.
    IssuerId = "iss";
    /// A key that signs end-user tokens.
    SigningKeyId = "sgk";
    /// An entry of the audit trail.
    AuditId = "aud";
    /// One HTTP request.
    RequestId = "req";
    /// An event of the log.
    EventId = "evt";
    /// A job.
    JobId = "job";
    /// One try of a job.
    AttemptId = "att";
    /// A schedule.
    ScheduleId = "sch";
    /// A form.
    FormId = "frm";
    /// A published version of a form.
    FormVersionId = "fv";
    /// A submission of a form.
    SubmissionId = "sub";
    /// A notification workflow.
    WorkflowId = "wf";
    /// One notification: a workflow run for an event.
    NotificationId = "ntf";
    /// An item of a member's inbox.
    InboxItemId = "inb";
    /// A mail in the file outbox.
    MailId = "eml";
    /// A conversation with the assistant.
    ConversationId = "cnv";
    /// A message of a conversation.
    MessageId = "msg";
    /// One run of the assistant: a question and its answer.
    RunId = "run";
    /// A knowledge source of the assistant.
    SourceId = "src";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes_are_unique_lower_case_and_short() {
        let mut seen = std::collections::BTreeSet::new();
        for prefix in PREFIXES {
            assert!(seen.insert(prefix), "{prefix} is registered twice");
            assert!((2..=4).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_lowercase()));
        }
    }

    #[test]
    fn the_extremes_are_written_as_typeid_says() {
        // The extremes, as the specification of TypeID gives them.
        assert_eq!(FormId::from_uuid([0; 16]).as_str(), "frm_00000000000000000000000000");
        assert_eq!(FormId::from_uuid([255; 16]).as_str(), "frm_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }

    #[test]
    fn a_foreign_prefix_or_a_malformed_text_is_refused() {
        let good = FormId::from_uuid([7; 16]);
        for bad in [
            "",
            "frm",
            "frm_",
            "sub_00000000000000000000000000",
            "frm_80000000000000000000000000",
            "frm_0000000000000000000000000O",
        ] {
            assert_eq!(FormId::parse(bad), Err(BadId), "{bad}");
        }
        assert_eq!(FormId::parse(&good.as_str().to_uppercase()), Err(BadId));
        assert_eq!(FormId::parse(&format!("{good}0")), Err(BadId));
    }

    proptest! {
        #[test]
        fn order_of_bytes_is_order_of_text(a: [u8; 16], b: [u8; 16]) {
            let (x, y) = (EventId::from_uuid(a), EventId::from_uuid(b));
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
            prop_assert_eq!(EventId::parse(x.as_str()), Ok(x));
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,40}") { let _ = TenantId::parse(&text); }
    }
}
