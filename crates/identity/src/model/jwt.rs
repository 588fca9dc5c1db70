//! JSON Web Tokens (RFC 7519) in compact form, read the way RFC 8725 recommends: the algorithm follows from the
//! key, the token's type is explicit, every claim that is relied on is required.
//!
//! [`Unverified::parse`] reads a token's claims in order to find the key that could have signed it; they become
//! [`Claims`] only through [`Unverified::verify`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plinth_kernel::Micros;
use ring::signature::Ed25519KeyPair;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::limits::{
    CHANNEL_BYTES_MAX, CLOCK_SKEW_SECONDS, JWT_BYTES_MAX, SUBJECT_BYTES_MAX, TOKEN_CHANNELS_MAX,
    TOKEN_SCOPES_MAX,
};
use crate::model::jwk::{Algorithm, PublicKey};

/// Why a token is refused. The caller learns no more than "invalid" or "expired"; this is for the log and the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than a token may be.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url, or not the JSON that belongs there.
    #[error("the token is malformed")]
    Malformed,
    /// An algorithm that is not accepted, or not the one of the key.
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// It demands an extension (`crit`) that is not supported.
    #[error("the token demands an unknown extension")]
    Critical,
    /// A token for another purpose.
    #[error("the token is of another type")]
    Type,
    /// No known key has its `kid`.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature does not fit")]
    Signature,
    /// Its issuer is not one of the tenant's.
    #[error("the token's issuer is unknown")]
    Issuer,
    /// It is not addressed to exactly one tenant.
    #[error("the token is not addressed to one tenant")]
    Audience,
    /// It has no usable subject.
    #[error("the token's subject is missing or not allowed")]
    Subject,
    /// Expired.
    #[error("the token has expired")]
    Expired,
    /// Not valid yet, or issued in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It has no expiry or lives for too long.
    #[error("the token has no expiry or lives too long")]
    Lifetime,
    /// It names too many, too long or reserved channels or scopes.
    #[error("the token's channels or scopes are not allowed")]
    Grants,
    /// What it belongs to has ended: a session, a key.
    #[error("the token was revoked")]
    Revoked,
    /// The issuer's keys, or our store, could not be asked.
    #[error("the token cannot be checked now")]
    Unavailable,
}

/// What a token is for. Written into the header's `typ`, so that one kind can never stand in for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// An end user of a tenant, on the API and on realtime connections.
    EndUser,
    /// A member's realtime connection, minted for a session.
    Member,
    /// One channel for one user (a subscription token).
    Channel,
}

impl TokenUse {
    fn as_str(self) -> &'static str {
        match self {
            Self::EndUser => "user+jwt",
            Self::Member => "member+jwt",
            Self::Channel => "channel+jwt",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
    b64: Option<Value>,
}

/// The claims that are understood; others are ignored, as RFC 7519 §4 asks.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: Option<String>,
    /// The tenant's own id of the user, or the member's id.
    pub sub: Option<String>,
    /// Whom it is for: must contain one tenant's id.
    #[serde(default)]
    pub aud: Audience,
    /// Expiry, seconds.
    #[serde(default, deserialize_with = "numeric_date")]
    pub exp: Option<i64>,
    /// Not before, seconds.
    #[serde(default, deserialize_with = "numeric_date")]
    pub nbf: Option<i64>,
    /// Issued at, seconds.
    #[serde(default, deserialize_with = "numeric_date")]
    pub iat: Option<i64>,
    /// Scopes as an array.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Scopes as OAuth writes them: one text, separated by spaces.
    pub scope: Option<String>,
    /// Channels the server subscribes the connection to.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Channel patterns the connection may subscribe to.
    #[serde(default)]
    pub grants: Vec<String>,
    /// The one channel of a channel token.
    pub channel: Option<String>,
    /// Shown to others in presence.
    pub info: Option<Value>,
    /// The console session behind a member's token.
    pub sid: Option<String>,
}

/// `aud`: one text or several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// Absent.
    #[default]
    Nobody,
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    /// Every name in it.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::Nobody => [].iter(),
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(many) => many.iter(),
        }
        .map(String::as_str)
    }
}

/// RFC 7519 §2 allows fractions of a second; they are rounded down. Anything beyond what a clock can show is refused.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    const LATEST: f64 = 253_402_300_799.0; // the end of the year 9999
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    match number.as_f64() {
        Some(seconds) if (0.0..=LATEST).contains(&seconds) => Ok(Some(seconds.floor() as i64)),
        _ => Err(D::Error::custom("not a date")),
    }
}

/// A token that was read but not yet believed.
pub struct Unverified<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Reads a token; any text is fine, none panics.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > JWT_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let header: Header = part(header)?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(TokenError::Critical);
        }
        let algorithm = Algorithm::parse(&header.alg).ok_or(TokenError::Algorithm)?;
        let claims = part(payload)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        Ok(Self { algorithm, kid: header.kid, typ: header.typ, claims, signed, signature })
    }

    /// Which key it says signed it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether it says to be of this type.
    pub fn is(&self, wanted: TokenUse) -> bool {
        self.typ.as_deref() == Some(wanted.as_str())
    }

    /// Whether its type is one that other issuers write for access tokens: none, `JWT` or `at+jwt` (RFC 9068).
    pub fn is_foreign_access_token(&self) -> bool {
        self.typ.as_deref().is_none_or(|typ| {
            ["jwt", "at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known))
        })
    }

    /// What it claims. For finding the key; not to be believed.
    pub fn claimed(&self) -> &Claims {
        &self.claims
    }

    /// The claims, if `key` signed them. The algorithm must be the key's.
    pub fn verify(self, key: &PublicKey) -> Result<Claims, TokenError> {
        if self.algorithm != key.algorithm() {
            return Err(TokenError::Algorithm);
        }
        if !key.verify(self.signed.as_bytes(), &self.signature) {
            return Err(TokenError::Signature);
        }
        Ok(self.claims)
    }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed)?;
    // A JSON array would fill a struct field by field: only an object will do.
    if bytes.first() != Some(&b'{') {
        return Err(TokenError::Malformed);
    }
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

impl Claims {
    /// Checks expiry, start and length of life. `life_seconds_max` bounds what an issuer may hand out.
    pub fn check_times(
        &self,
        now: Micros,
        life_seconds_max: i64,
        skew_seconds: i64,
    ) -> Result<i64, TokenError> {
        let now = now.as_seconds();
        let exp = self.exp.ok_or(TokenError::Lifetime)?;
        if exp.saturating_add(skew_seconds) <= now {
            return Err(TokenError::Expired);
        }
        let from = self.nbf.into_iter().chain(self.iat).max().unwrap_or(now);
        if from > now.saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(TokenError::NotYetValid);
        }
        let issued = self.iat.unwrap_or(now.min(from));
        if exp.saturating_sub(issued) > life_seconds_max.saturating_add(CLOCK_SKEW_SECONDS) || exp <= from {
            return Err(TokenError::Lifetime);
        }
        Ok(exp)
    }

    /// The subject, if it is one that an end user may have.
    pub fn end_user(&self) -> Result<&str, TokenError> {
        let subject = self.sub.as_deref().ok_or(TokenError::Subject)?;
        if subject_is_allowed(subject) { Ok(subject) } else { Err(TokenError::Subject) }
    }

    /// Scopes in either spelling.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let spaced = self.scope.as_deref().unwrap_or_default().split(' ').filter(|scope| !scope.is_empty());
        self.scopes.iter().map(String::as_str).chain(spaced)
    }

    /// Checks number and names of channels, patterns and scopes of an end user's token.
    pub fn check_grants(&self) -> Result<(), TokenError> {
        let user = self.end_user()?;
        let few = self.channels.len() + self.grants.len() <= TOKEN_CHANNELS_MAX
            && self.scopes().count() <= TOKEN_SCOPES_MAX;
        let named =
            self.channels.iter().all(|channel| channel_is_allowed(channel, user) && !channel.contains('*'))
                && self.grants.iter().all(|pattern| pattern_is_allowed(pattern, user));
        if few && named { Ok(()) } else { Err(TokenError::Grants) }
    }
}

/// Whether a text may name an end user: visible, not too long, and never one of our own member ids, by which the
/// console's channels know people.
pub fn subject_is_allowed(subject: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&subject.len())
        && !subject.contains(|c: char| c.is_control() || c.is_whitespace())
        && !subject.starts_with("mbr_")
}

/// Whether an end user may be given this channel. `tenant:` belongs to members, and a channel with `#` belongs to
/// the user named after it.
pub fn channel_is_allowed(channel: &str, user: &str) -> bool {
    let owner = channel.split_once('#').map(|(_, owner)| owner);
    (1..=CHANNEL_BYTES_MAX).contains(&channel.len())
        && !channel.contains(|c: char| c.is_control() || c.is_whitespace())
        && !channel.starts_with("tenant:")
        && !channel.starts_with('$')
        && owner.is_none_or(|owner| owner.split(',').any(|name| name == user))
}

/// Whether an end user may be given this pattern: a channel, or a whole namespace by a `*` at the end
/// (`preview:*`). A bare `*` or half a namespace (`ten*`) would reach what is reserved.
pub fn pattern_is_allowed(pattern: &str, user: &str) -> bool {
    match pattern.strip_suffix('*') {
        None => channel_is_allowed(pattern, user) && !pattern.contains('*'),
        Some(stem) => {
            stem.contains(':') && !stem.contains('#') && !stem.contains('*') && channel_is_allowed(stem, user)
        }
    }
}

/// Signs `claims` with one of our keys.
pub fn sign(key: &Ed25519KeyPair, kid: &str, token_use: TokenUse, claims: &Value) -> String {
    let header = json!({"alg": "EdDSA", "typ": token_use.as_str(), "kid": kid});
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature.as_ref()));
    token
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ring::signature::KeyPair;

    const NOW: Micros = Micros(1_767_225_600_000_000);

    fn key() -> (Ed25519KeyPair, PublicKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let public = PublicKey::Ed25519(pair.public_key().as_ref().try_into().unwrap());
        (pair, public)
    }

    fn claims(value: Value) -> Claims {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_we_sign_we_can_read() {
        let (pair, public) = key();
        let token = sign(&pair, "k1", TokenUse::EndUser, &json!({"sub": "u1", "aud": "tnt_1", "exp": 5.9}));
        let read = Unverified::parse(&token).unwrap();
        assert!(read.is(TokenUse::EndUser) && !read.is(TokenUse::Member) && !read.is_foreign_access_token());
        assert_eq!(read.kid(), Some("k1"));
        let claims = read.verify(&public).unwrap();
        assert_eq!((claims.sub.as_deref(), claims.exp), (Some("u1"), Some(5)));
        assert_eq!(claims.aud.iter().collect::<Vec<_>>(), ["tnt_1"]);
    }

    #[test]
    fn times_are_checked_from_every_side() {
        let now = NOW.as_seconds();
        let check = |value: Value| claims(value).check_times(NOW, 3600, 60);
        assert_eq!(check(json!({"exp": now + 3600, "iat": now})), Ok(now + 3600));
        assert_eq!(check(json!({"exp": now - 59})), Err(TokenError::Lifetime), "within skew but backwards");
        assert_eq!(check(json!({"exp": now - 59, "iat": now - 600})), Ok(now - 59));
        for (value, why) in [
            (json!({}), TokenError::Lifetime),
            (json!({"exp": now - 60, "iat": now - 600}), TokenError::Expired),
            (json!({"exp": now + 600, "nbf": now + 61}), TokenError::NotYetValid),
            (json!({"exp": now + 600, "iat": now + 61}), TokenError::NotYetValid),
            (json!({"exp": now + 3661, "iat": now}), TokenError::Lifetime),
            (json!({"exp": now + 3661}), TokenError::Lifetime),
            (json!({"exp": 253_402_300_799_i64, "iat": 0}), TokenError::Lifetime),
        ] {
            assert_eq!(check(value.clone()), Err(why), "{value}");
        }
        for bad in [json!({"exp": "1"}), json!({"exp": -1}), json!({"exp": 1e300}), json!({"iat": []})] {
            assert!(serde_json::from_value::<Claims>(bad).is_err());
        }
    }

    #[test]
    fn reserved_subjects_and_channels_stay_ours() {
        assert!(subject_is_allowed("user-1|auth0"));
        for bad in ["", "mbr_01kb3h5f8xe7ksq2v9w6m4t0rd", "a b", "a\nb", &"x".repeat(129)] {
            assert!(!subject_is_allowed(bad), "{bad}");
        }
        for good in ["news", "preview:file1", "inbox:#u1", "dialog:#u1,u2"] {
            assert!(channel_is_allowed(good, "u1"), "{good}");
        }
        for bad in ["", "tenant:ops", "inbox:#u2", "$private", "a b", &"x".repeat(256)] {
            assert!(!channel_is_allowed(bad, "u1"), "{bad}");
        }
        for good in ["preview:*", "news"] {
            assert!(pattern_is_allowed(good, "u1"), "{good}");
        }
        for bad in ["*", "ten*", "tenant:*", "inbox:#*", "inbox:#u1*", "a*:b", "a:*:*"] {
            assert!(!pattern_is_allowed(bad, "u1"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A-Za-z0-9_.=-]{0,200}") { prop_assert!(Unverified::parse(&text).is_err()); }

        #[test]
        fn one_changed_byte_is_noticed(at in 0_usize..200, with in "[A-Za-z0-9_-]") {
            let (pair, public) = key();
            let token = sign(&pair, "k1", TokenUse::EndUser, &json!({"sub": "u1", "aud": "tnt_1", "exp": 5}));
            let at = at % token.len();
            let mut changed = token.clone();
            changed.replace_range(at..=at, &with);
            let accepted = Unverified::parse(&changed).is_ok_and(|read| read.verify(&public).is_ok());
            prop_assert_eq!(accepted, changed == token);
        }
    }
}
