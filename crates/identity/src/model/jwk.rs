//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037): reading an issuer's, writing ours.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::limits::{JWKS_BYTES_MAX, JWKS_KEYS_MAX};

/// A signature algorithm that is accepted. There is no symmetric one and no `none`, so a public key can never be
/// mistaken for a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 to 8192 bits.
    RS256,
}

impl Algorithm {
    /// The name in a token's header.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "EdDSA" => Some(Self::EdDSA),
            "ES256" => Some(Self::ES256),
            "RS256" => Some(Self::RS256),
            _ => None,
        }
    }
}

/// A key that verifies. Its kind fixes the algorithm; a token does not get to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// 32 bytes.
    Ed25519([u8; 32]),
    /// Uncompressed point, 65 bytes.
    P256([u8; 65]),
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// The one algorithm this key is for.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDSA,
            Self::P256(_) => Algorithm::ES256,
            Self::Rsa { .. } => Algorithm::RS256,
        }
    }

    /// Whether `signature` over `message` was made by this key's owner.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => {
                signature::UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature).is_ok()
            }
            Self::P256(point) => {
                signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            Self::Rsa { n, e } => signature::RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}

/// A verifying key with the name that tokens call it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    /// `kid`, absent in documents with a single key.
    pub kid: Option<String>,
    /// The key.
    pub key: PublicKey,
}

/// The document is not a key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON Web Key Set: {0}")]
pub struct JwksError(pub &'static str);

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// Reads an issuer's document. Keys of other kinds (encryption, symmetric, other curves) are passed over, as
/// RFC 7517 §5 asks; a document without a usable key is an error.
pub fn parse_set(document: &[u8]) -> Result<Vec<Jwk>, JwksError> {
    if document.len() > JWKS_BYTES_MAX {
        return Err(JwksError("the document is too large"));
    }
    let set: RawSet = serde_json::from_slice(document).map_err(|_| JwksError("no `keys` array"))?;
    if set.keys.len() > JWKS_KEYS_MAX {
        return Err(JwksError("too many keys"));
    }
    let keys: Vec<Jwk> =
        set.keys.into_iter().filter_map(|key| usable(serde_json::from_value(key).ok()?)).collect();
    if keys.is_empty() { Err(JwksError("no usable key (EdDSA, ES256 or RS256)")) } else { Ok(keys) }
}

fn usable(raw: RawKey) -> Option<Jwk> {
    let for_signatures = raw.usage.as_deref().is_none_or(|usage| usage == "sig")
        && raw.key_ops.as_deref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !for_signatures {
        return None;
    }
    let key = match (raw.kty.as_str(), raw.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => PublicKey::Ed25519(decode(raw.x.as_deref()?)?.try_into().ok()?),
        ("EC", Some("P-256")) => {
            let mut point = [0; 65];
            point[0] = 4;
            let (x, y) = (decode(raw.x.as_deref()?)?, decode(raw.y.as_deref()?)?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            point[1..33].copy_from_slice(&x);
            point[33..].copy_from_slice(&y);
            PublicKey::P256(point)
        }
        ("RSA", None) => rsa(decode(raw.n.as_deref()?)?, decode(raw.e.as_deref()?)?)?,
        _ => return None,
    };
    let named = raw.alg.as_deref().is_none_or(|alg| Algorithm::parse(alg) == Some(key.algorithm()));
    named.then_some(Jwk { kid: raw.kid, key })
}

fn rsa(n: Vec<u8>, e: Vec<u8>) -> Option<PublicKey> {
    let strip = |bytes: Vec<u8>| -> Vec<u8> { bytes.into_iter().skip_while(|byte| *byte == 0).collect() };
    let (n, e) = (strip(n), strip(e));
    // ring checks again; refusing here keeps a weak key out of the cache instead of failing each token.
    ((256..=1024).contains(&n.len()) && (1..=4).contains(&e.len())).then_some(PublicKey::Rsa { n, e })
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// One of our own keys as it stands in our key set.
pub fn ed25519_jwk(kid: &str, public: &[u8; 32]) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": URL_SAFE_NO_PAD.encode(public)})
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn our_own_document_reads_back() {
        let document = json!({"keys": [ed25519_jwk("k1", &[7; 32])]}).to_string();
        let keys = parse_set(document.as_bytes()).unwrap();
        assert_eq!(keys, [Jwk { kid: Some("k1".into()), key: PublicKey::Ed25519([7; 32]) }]);
    }

    #[test]
    fn keys_that_do_not_verify_signatures_are_passed_over() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let short = URL_SAFE_NO_PAD.encode([7; 128]);
        for bad in [
            json!({"kty": "oct", "k": x}),
            json!({"kty": "OKP", "crv": "X25519", "x": x}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "enc"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "key_ops": ["sign"]}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "HS256"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
            json!({"kty": "EC", "crv": "P-256", "x": x}),
            json!({"kty": "EC", "crv": "P-384", "x": x, "y": x}),
            json!({"kty": "RSA", "n": short, "e": "AQAB"}),
            json!({"kty": "RSA", "n": x}),
            json!("text"),
        ] {
            let document = json!({ "keys": [bad.clone()] }).to_string();
            assert!(parse_set(document.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse_set(b"{}").is_err() && parse_set(b"[]").is_err() && parse_set(b"").is_err());
        assert!(parse_set(&vec![b' '; JWKS_BYTES_MAX + 1]).is_err());
        let many: Vec<Value> = (0..=JWKS_KEYS_MAX).map(|n| ed25519_jwk(&n.to_string(), &[7; 32])).collect();
        assert!(parse_set(json!({ "keys": many }).to_string().as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_document_panics(document in proptest::collection::vec(any::<u8>(), 0..200)) { let _ = parse_set(&document); }
    }
}
