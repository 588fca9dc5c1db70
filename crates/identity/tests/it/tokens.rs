//! End-user tokens: ours, those of the tenant's issuers, and a collection of bad ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use plinth_identity::model::jwt::TokenError;
use plinth_identity::{AuthError, Identity, JwksFetcher, NewIssuer, NewUserToken};
use plinth_kernel::ports::BoxFuture;
use plinth_kernel::{Actor, Code, Micros, Problem, TenantId};
use plinth_testkit::{TestStore, both_engines};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use serde_json::{Value, json};

use crate::support::*;

const AUTH: &str = "https://auth.acme.test/";
const JWKS_URL: &str = "https://auth.acme.test/jwks.json";

/// A sign-in service of the tenant's, with a key of each kind.
struct SignIn {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

impl SignIn {
    fn new(seed: u8) -> Self {
        let random = SystemRandom::new();
        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let ec = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self {
            ed: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(),
            ec: EcdsaKeyPair::from_pkcs8(algorithm, ec.as_ref(), &random).unwrap(),
            rsa: RsaKeyPair::from_pkcs8(include_bytes!("rsa2048.pk8")).unwrap(),
        }
    }

    fn jwks(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        let rsa: signature::RsaPublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "x": encode(self.ed.public_key().as_ref())},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "x": encode(&point[1..33]), "y": encode(&point[33..])},
            {"kty": "RSA", "kid": "rsa", "alg": "RS256", "n": encode(&rsa.n),
             "e": encode(&rsa.e)},
        ]})
    }

    /// Signs with the key that `kid` names, whatever the header says.
    fn sign(&self, kid: &str, header: &Value, claims: &Value) -> String {
        let signed =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let random = SystemRandom::new();
        let signature = match kid {
            "ed" => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
            "ec" => self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            _ => {
                let mut out = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&signature::RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut out).unwrap();
                out
            }
        };
        format!("{signed}.{}", encode(&signature))
    }

    fn token(&self, kid: &str, claims: &Value) -> String {
        let alg = match kid {
            "ed" => "EdDSA",
            "ec" => "ES256",
            _ => "RS256",
        };
        self.sign(kid, &json!({"alg": alg, "kid": kid, "typ": "JWT"}), claims)
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Serves documents from memory and counts how often it is asked.
#[derive(Default)]
struct Documents {
    by_url: Mutex<HashMap<String, Vec<u8>>>,
    asked: AtomicU32,
    hangs: std::sync::atomic::AtomicBool,
}

impl Documents {
    fn serve(&self, document: &Value) {
        self.by_url.lock().insert(JWKS_URL.into(), document.to_string().into_bytes());
    }

    fn vanish(&self) {
        self.by_url.lock().clear();
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl JwksFetcher for Documents {
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            self.by_url.lock().get(url).cloned().ok_or_else(|| "connection refused".to_owned())
        })
    }
}

async fn trust(
    store: &TestStore,
    identity: &Identity,
    tenant: &TenantId,
    new: NewIssuer,
) -> Result<plinth_identity::TokenIssuer, Problem> {
    let (identity, by) = (identity.clone(), operator(tenant));
    act(store, move |tx| identity.create_issuer(tx, &by, &new)).await
}

fn auth() -> NewIssuer {
    NewIssuer { name: "Auth".into(), issuer: AUTH.into(), jwks_url: JWKS_URL.into(), scopes: None }
}

fn new_token(user: &str) -> NewUserToken {
    NewUserToken {
        user_id: user.into(),
        expires_in_seconds: None,
        scopes: None,
        channels: vec![],
        channel_patterns: vec![],
        info: None,
    }
}

fn foreign_claims(tenant: &TenantId, now: Micros) -> Value {
    json!({"iss": AUTH, "aud": tenant, "sub": "auth0|7", "exp": now.as_seconds() + 600, "iat": now.as_seconds()})
}

fn why<T>(result: Result<T, AuthError>) -> Option<TokenError> {
    match result {
        Err(AuthError::TokenInvalid(why)) => Some(why),
        _ => None,
    }
}

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn a_minted_token_works_for_its_tenant_until_it_expires(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let mut new = new_token("user-1");
        new.expires_in_seconds = Some(60);
        new.scopes = Some(vec!["notify:inbox:read".into()]);
        let minted = identity.mint_user_token(&by, &new).await.unwrap();
        assert_eq!(minted.expires_at, store.world().now().plus_seconds(60));
        let credential = identity.bearer(&minted.token, anywhere()).await.unwrap();
        assert_eq!((&credential.tenant.id, &credential.principal.actor), (&acme.live.id, &Actor::EndUser("user-1".into())));
        assert!(credential.principal.scopes.contains("notify:inbox:read") && !credential.principal.scopes.contains("forms:submissions:create"));
        let other_node = open_again(&store).await;
        assert!(other_node.token(&minted.token).await.is_ok());
        let again = identity.mint_user_token(&by, &new).await.unwrap();
        let second = identity.token(&again.token).await.unwrap();
        assert!(Arc::ptr_eq(&credential.cells, &second.cells), "a new token does not bring fresh limits");
        store.clock().advance_ms(60_000);
        assert_eq!(why(identity.token(&minted.token).await), Some(TokenError::Expired));
        assert_eq!(why(other_node.token(&minted.token).await), Some(TokenError::Expired));
        assert_eq!(Problem::from(AuthError::TokenInvalid(TokenError::Expired)).code, Code::TokenInvalid);
    }

    with (|builder| builder.manual_clock(1))
    async fn two_signing_keys_live_during_a_rotation_and_a_compromised_one_dies_at_once(store: TestStore) {
        let identity = open(&store).await;
        let elsewhere = open_again(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let tenant = acme.live.id.clone();
        let rotate = async |immediately| {
            let (identity, by) = (identity.clone(), by.clone());
            act(&store, move |tx| identity.rotate_signing_key(tx, &by, immediately)).await
        };
        let live = async || identity.jwks(&tenant).await.unwrap()["keys"].as_array().unwrap().len();
        let old = identity.mint_user_token(&by, &new_token("u")).await.unwrap().token;
        assert!(elsewhere.token(&old).await.is_ok());
        rotate(false).await.unwrap();
        assert_eq!(live().await, 2);
        let new = identity.mint_user_token(&by, &new_token("u")).await.unwrap().token;
        assert!(identity.token(&old).await.is_ok() && identity.token(&new).await.is_ok());
        elsewhere.poll_changes().await.unwrap();
        assert!(elsewhere.token(&new).await.is_ok());
        assert_eq!(rotate(false).await.unwrap_err().code, Code::StateConflict);
        rotate(true).await.unwrap();
        assert_eq!(live().await, 1);
        for dead in [&old, &new] {
            assert_eq!(why(identity.token(dead).await), Some(TokenError::UnknownKey));
        }
        elsewhere.poll_changes().await.unwrap();
        assert_eq!(why(elsewhere.token(&new).await), Some(TokenError::UnknownKey));
        let latest = identity.mint_user_token(&by, &new_token("u")).await.unwrap().token;
        assert!(identity.token(&latest).await.is_ok());
        rotate(false).await.unwrap();
        store.clock().advance_ms(3_661_000);
        assert_eq!(live().await, 1, "the predecessor retires when its last token is dead");
        assert_eq!(identity.jwks(&store.world().id()).await.unwrap(), json!({"keys": []}));
    }

    with (|builder| builder.manual_clock(1))
    async fn tokens_of_the_tenants_own_issuer_work_with_every_algorithm(store: TestStore) {
        let (sign_in, documents) = (SignIn::new(7), Arc::new(Documents::default()));
        documents.serve(&sign_in.jwks());
        let identity = open_with(&store, documents.clone()).await;
        let acme = organisation(&store, &identity).await;
        let claims = foreign_claims(&acme.live.id, store.world().now());
        assert_eq!(why(identity.token(&sign_in.token("ed", &claims)).await), Some(TokenError::Issuer));
        trust(&store, &identity, &acme.live.id, auth()).await.unwrap();
        for kid in ["ed", "ec", "rsa"] {
            let credential = identity.token(&sign_in.token(kid, &claims)).await.unwrap();
            assert_eq!(credential.principal.actor, Actor::EndUser("auth0|7".into()), "{kid}");
        }
        assert_eq!(documents.asked(), 1, "one document serves them all");
        // `aud` as a list beside the issuer's own audience, and scopes as OAuth writes them.
        let mut listed = claims.clone();
        listed["aud"] = json!(["https://api.acme.test", acme.live.id]);
        listed["scope"] = json!("openid notify:inbox:read identity:keys:write");
        let credential = identity.token(&sign_in.token("ed", &listed)).await.unwrap();
        assert_eq!(credential.principal.scopes.iter().collect::<Vec<_>>(), ["notify:inbox:read"]);
        // The twin does not trust the issuer.
        let twin = foreign_claims(&acme.test.id, store.world().now());
        assert_eq!(why(identity.token(&sign_in.token("ed", &twin)).await), Some(TokenError::Issuer));
    }

    with (|builder| builder.manual_clock(1))
    async fn invented_key_ids_do_not_hammer_the_issuer_and_rotation_is_noticed(store: TestStore) {
        let (old, new, documents) = (SignIn::new(7), SignIn::new(8), Arc::new(Documents::default()));
        documents.serve(&old.jwks());
        let identity = open_with(&store, documents.clone()).await;
        let acme = organisation(&store, &identity).await;
        trust(&store, &identity, &acme.live.id, auth()).await.unwrap();
        let claims = |n: u32| {
            let mut claims = foreign_claims(&acme.live.id, store.world().now());
            claims["jti"] = json!(n);
            claims
        };
        assert!(identity.token(&old.token("ed", &claims(0))).await.is_ok());
        for n in 0..50 {
            let invented = old.sign("ed", &json!({"alg": "EdDSA", "kid": format!("k{n}")}), &claims(n));
            assert_eq!(why(identity.token(&invented).await), Some(TokenError::UnknownKey));
        }
        assert_eq!(documents.asked(), 1);
        // The issuer rotates to a key with a new name.
        let mut rotated = new.jwks();
        rotated["keys"][0]["kid"] = json!("ed2");
        documents.serve(&rotated);
        let fresh = new.sign("ed", &json!({"alg": "EdDSA", "kid": "ed2"}), &claims(99));
        assert_eq!(why(identity.token(&fresh).await), Some(TokenError::UnknownKey));
        store.clock().advance_ms(60_000);
        assert!(identity.token(&fresh).await.is_ok());
        assert_eq!(documents.asked(), 2);
        // The document vanishes: what is known serves on for a day, and asking goes on once a minute.
        documents.vanish();
        store.clock().advance_ms(2 * 3_600_000);
        assert!(identity.token(&new.sign("ed", &json!({"alg": "EdDSA", "kid": "ed2"}), &claims(100))).await.is_ok());
        assert!(identity.token(&new.sign("ed", &json!({"alg": "EdDSA", "kid": "ed2"}), &claims(101))).await.is_ok());
        assert_eq!(documents.asked(), 3);
        store.clock().advance_ms(23 * 3_600_000);
        assert_eq!(why(identity.token(&new.sign("ed", &json!({"alg": "EdDSA", "kid": "ed2"}), &claims(102))).await), Some(TokenError::Unavailable));
    }

    with (|builder| builder.manual_clock(1))
    async fn an_issuer_that_hangs_holds_up_one_caller_at_most(store: TestStore) {
        let (sign_in, documents) = (SignIn::new(7), Arc::new(Documents::default()));
        documents.serve(&sign_in.jwks());
        let identity = open_with(&store, documents.clone()).await;
        let acme = organisation(&store, &identity).await;
        trust(&store, &identity, &acme.live.id, auth()).await.unwrap();
        assert!(identity.token(&sign_in.token("ed", &foreign_claims(&acme.live.id, store.world().now()))).await.is_ok());
        documents.hangs.store(true, Ordering::SeqCst);
        store.clock().advance_ms(3_600_000);
        let claims = |user: &str| {
            let mut claims = foreign_claims(&acme.live.id, store.world().now());
            claims["sub"] = json!(user);
            claims
        };
        let held_up = tokio::spawn({
            let (identity, token) = (identity.clone(), sign_in.token("ed", &claims("first")));
            async move { identity.token(&token).await.is_ok() }
        });
        plinth_testkit::eventually("the document is asked for", async || (documents.asked() == 2).then_some(())).await;
        for user in ["second", "third"] {
            assert!(identity.token(&sign_in.token("rsa", &claims(user))).await.is_ok());
        }
        assert!(!held_up.is_finished());
        held_up.abort();
    }

    with (|builder| builder.manual_clock(1))
    async fn an_issuer_that_is_trusted_no_longer_is_refused_at_once(store: TestStore) {
        let (sign_in, documents) = (SignIn::new(7), Arc::new(Documents::default()));
        documents.serve(&sign_in.jwks());
        let identity = open_with(&store, documents).await;
        let acme = organisation(&store, &identity).await;
        let issuer = trust(&store, &identity, &acme.live.id, auth()).await.unwrap();
        let token = sign_in.token("ed", &foreign_claims(&acme.live.id, store.world().now()));
        assert!(identity.token(&token).await.is_ok());
        assert_eq!(trust(&store, &identity, &acme.live.id, auth()).await.unwrap_err().code, Code::Conflict);
        let (remover, by) = (identity.clone(), operator(&acme.live.id));
        act(&store, move |tx| remover.delete_issuer(tx, &by, &issuer.id)).await.unwrap();
        assert_eq!(why(identity.token(&token).await), Some(TokenError::Issuer));
        for bad in ["http://auth.acme.test/jwks", "https://user:pass@auth.acme.test/", "https://", "ftp://x/", "https://a b/", "https://a.test/#x"] {
            let problem = trust(&store, &identity, &acme.live.id, NewIssuer { jwks_url: bad.into(), ..auth() }).await.unwrap_err();
            assert_eq!(problem.errors[0].pointer.as_deref(), Some("/jwks_url"), "{bad}");
        }
        let ours = NewIssuer { issuer: ISSUER.into(), scopes: Some(vec!["identity:keys:write".into()]), ..auth() };
        let problem = trust(&store, &identity, &acme.live.id, ours).await.unwrap_err();
        assert_eq!(problem.errors.iter().map(|e| e.pointer.clone().unwrap()).collect::<Vec<_>>(), ["/issuer", "/scopes/0"]);
    }

    with (|builder| builder.manual_clock(1))
    async fn tokens_that_end_users_must_not_have_are_not_minted(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let new = NewUserToken {
            user_id: "mbr_01kb3h5f8xe7ksq2v9w6m4t0rd".into(),
            expires_in_seconds: Some(3_601),
            scopes: Some(vec!["identity:keys:write".into(), "*".into()]),
            channels: vec!["ok".into(), "tenant:ops".into(), "inbox:#other".into(), "pre*".into()],
            channel_patterns: vec!["*".into(), "tenant:*".into()],
            info: Some(json!("x".repeat(2_000))),
        };
        let problem = identity.mint_user_token(&operator(&acme.live.id), &new).await.unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().filter_map(|e| e.pointer.as_deref()).collect();
        assert_eq!(pointers, [
            "/user_id", "/channels/1", "/channels/2", "/channels/3", "/channel_patterns/0", "/channel_patterns/1",
            "/scopes/0", "/scopes/1", "/info", "/info", "/expires_in_seconds",
        ]);
    }

    with (|builder| builder.manual_clock(1))
    async fn every_bad_token_is_refused(store: TestStore) {
        let (sign_in, stranger, documents) = (SignIn::new(7), SignIn::new(8), Arc::new(Documents::default()));
        documents.serve(&sign_in.jwks());
        let identity = open_with(&store, documents).await;
        let (acme, other) = (organisation(&store, &identity).await, organisation(&store, &identity).await);
        for tenant in [&acme.live.id, &other.live.id] {
            trust(&store, &identity, tenant, auth()).await.unwrap();
        }
        let now = store.world().now();
        let good = foreign_claims(&acme.live.id, now);
        let ours = identity.mint_user_token(&operator(&acme.live.id), &new_token("u")).await.unwrap().token;
        assert!(identity.token(&sign_in.token("ed", &good)).await.is_ok() && identity.token(&ours).await.is_ok());
        let corpus = bad_tokens(&sign_in, &stranger, &good, &ours, &other.live.id, now);
        assert!(corpus.len() >= 40, "{}", corpus.len());
        for (name, token, expected) in corpus {
            let refused = why(identity.token(&token).await);
            assert_eq!(refused, Some(expected), "{name}");
            // And once more, now that it could be in memory.
            assert!(identity.token(&token).await.is_err(), "{name}, again");
        }
    }
}

type Bad = (&'static str, String, TokenError);

fn bad_tokens(
    sign_in: &SignIn,
    stranger: &SignIn,
    good: &Value,
    ours: &str,
    other: &TenantId,
    now: Micros,
) -> Vec<Bad> {
    let mut all = bad_shapes(sign_in, good, ours);
    all.extend(bad_keys(sign_in, stranger, good, ours));
    all.extend(bad_claims(sign_in, good, other, now));
    all
}

fn bad_shapes(sign_in: &SignIn, good: &Value, ours: &str) -> Vec<Bad> {
    use TokenError::*;
    let token = sign_in.token("ed", good);
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let raw = |header: &str, payload: &str| {
        format!("{}.{}.{signature}", encode(header.as_bytes()), encode(payload.as_bytes()))
    };
    let good_header = r#"{"alg":"EdDSA","kid":"ed"}"#;
    let standard = STANDARD.encode(good.to_string());
    vec![
        ("empty", String::new(), Malformed),
        ("one part", "abc".into(), Malformed),
        ("two parts", format!("{header}.{payload}"), Malformed),
        ("four parts", format!("{token}.{signature}"), Malformed),
        ("five parts, as an encrypted token has", format!("{header}.a.b.{payload}.{signature}"), Malformed),
        ("padding", format!("{header}.{payload}=.{signature}"), Malformed),
        ("the standard alphabet with padding", format!("{header}.{standard}==.{signature}"), Malformed),
        ("a space", format!(" {token}"), Malformed),
        ("a line break at the end", format!("{token}\n"), Malformed),
        ("too long", format!("{token}{}", "A".repeat(9_000)), TooLong),
        ("a header that is no JSON", raw("nonsense", &good.to_string()), Malformed),
        ("a header that is a list", raw(r#"["EdDSA","ed"]"#, &good.to_string()), Malformed),
        (
            "a header with alg twice",
            raw(r#"{"alg":"none","alg":"EdDSA","kid":"ed"}"#, &good.to_string()),
            Malformed,
        ),
        ("a header without alg", raw(r#"{"kid":"ed"}"#, &good.to_string()), Malformed),
        ("an alg that is a number", raw(r#"{"alg":1,"kid":"ed"}"#, &good.to_string()), Malformed),
        ("claims that are a list", raw(good_header, "[]"), Malformed),
        ("claims with exp twice", raw(good_header, r#"{"exp":1,"exp":9999999999}"#), Malformed),
        ("claims with a text as exp", raw(good_header, r#"{"exp":"never"}"#), Malformed),
        (
            "claims that are no UTF-8",
            format!("{}.{}.{signature}", encode(good_header.as_bytes()), encode(b"{\"sub\":\"\xff\"}")),
            Malformed,
        ),
        (
            "the signature of another token",
            format!("{}.{signature}", ours.rsplit_once('.').unwrap().0),
            Signature,
        ),
        ("no signature", format!("{header}.{payload}."), Signature),
        ("half a signature", format!("{header}.{payload}.{}", &signature[..40]), Signature),
    ]
}

fn bad_keys(sign_in: &SignIn, stranger: &SignIn, good: &Value, ours: &str) -> Vec<Bad> {
    use TokenError::*;
    let header = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid});
    let unsigned = |alg: &str| {
        format!(
            "{}.{}.",
            encode(header(alg, "ed").to_string().as_bytes()),
            encode(good.to_string().as_bytes())
        )
    };
    let hmac_with_public_key = {
        let signed = unsigned("HS256");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, sign_in.ed.public_key().as_ref());
        format!(
            "{signed}{}",
            encode(ring::hmac::sign(&key, signed.trim_end_matches('.').as_bytes()).as_ref())
        )
    };
    let mut as_ours = good.clone();
    as_ours["iss"] = json!(ISSUER);
    let our_kid: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(ours.split('.').next().unwrap()).unwrap()).unwrap();
    vec![
        ("alg none", unsigned("none"), Algorithm),
        ("alg None", unsigned("None"), Algorithm),
        ("no alg at all", unsigned(""), Algorithm),
        ("HS256 with the public key as its secret", hmac_with_public_key, Algorithm),
        ("HS512", unsigned("HS512"), Algorithm),
        ("PS256, which is not accepted", sign_in.sign("rsa", &header("PS256", "rsa"), good), Algorithm),
        ("ES256 said of an Ed25519 key", sign_in.sign("ec", &header("ES256", "ed"), good), Algorithm),
        ("RS256 said of an Ed25519 key", sign_in.sign("rsa", &header("RS256", "ed"), good), Algorithm),
        ("EdDSA said of an RSA key", sign_in.sign("ed", &header("EdDSA", "rsa"), good), Algorithm),
        ("a stranger's Ed25519 key under our issuer's name", stranger.token("ed", good), Signature),
        ("a stranger's P-256 key under our issuer's name", stranger.token("ec", good), Signature),
        ("an unknown kid", sign_in.sign("ed", &header("EdDSA", "nobody"), good), UnknownKey),
        ("a kid that is a path", sign_in.sign("ed", &header("EdDSA", "../../dev/null"), good), UnknownKey),
        ("a kid that is SQL", sign_in.sign("ed", &header("EdDSA", "x' OR '1'='1"), good), UnknownKey),
        ("no kid where there is a choice", sign_in.sign("ed", &json!({"alg": "EdDSA"}), good), UnknownKey),
        (
            "a key in the header",
            stranger.sign(
                "ed",
                &json!({"alg": "EdDSA", "kid": "ed", "jwk": stranger.jwks()["keys"][0]}),
                good,
            ),
            Signature,
        ),
        (
            "a key set's address in the header",
            stranger.sign("ed", &json!({"alg": "EdDSA", "kid": "ed", "jku": "https://evil.test"}), good),
            Signature,
        ),
        (
            "a critical extension",
            sign_in.sign("ed", &json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"]}), good),
            Critical,
        ),
        (
            "an unencoded payload",
            sign_in.sign("ed", &json!({"alg": "EdDSA", "kid": "ed", "b64": false}), good),
            Critical,
        ),
        (
            "an ID token's type",
            sign_in.sign("ed", &json!({"alg": "EdDSA", "kid": "ed", "typ": "dpop+jwt"}), good),
            Type,
        ),
        (
            "our type from a foreign issuer",
            sign_in.sign("ed", &json!({"alg": "EdDSA", "kid": "ed", "typ": "user+jwt"}), good),
            Type,
        ),
        (
            "our issuer with a foreign key",
            sign_in.sign("ed", &json!({"alg": "EdDSA", "kid": "ed", "typ": "user+jwt"}), &as_ours),
            UnknownKey,
        ),
        ("our issuer and kid with a foreign key", sign_in.sign("ed", &our_kid, &as_ours), Signature),
        (
            "our issuer without our type",
            sign_in.sign("ed", &json!({"alg": "EdDSA", "kid": our_kid["kid"]}), &as_ours),
            Type,
        ),
    ]
}

fn bad_claims(sign_in: &SignIn, good: &Value, other: &TenantId, now: Micros) -> Vec<Bad> {
    use TokenError::*;
    let now = now.as_seconds();
    let with = |changes: Value| {
        let mut claims = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        sign_in.token("ed", &claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        sign_in.token("ed", &claims)
    };
    let long = "x".repeat(129);
    vec![
        ("no audience", without("aud"), Audience),
        ("an audience that is no tenant", with(json!({"aud": "https://api.test"})), Audience),
        ("two tenants as audience", with(json!({"aud": [good["aud"], other]})), Audience),
        ("an audience that is a number", with(json!({"aud": 1})), Malformed),
        ("no issuer", without("iss"), Issuer),
        ("another issuer", with(json!({"iss": "https://evil.test/"})), Issuer),
        ("the issuer without its slash", with(json!({"iss": "https://auth.acme.test"})), Issuer),
        ("no expiry", without("exp"), Lifetime),
        ("expired", with(json!({"exp": now - 60, "iat": now - 600})), Expired),
        ("not valid yet", with(json!({"nbf": now + 120})), NotYetValid),
        ("issued in the future", with(json!({"iat": now + 120})), NotYetValid),
        ("two days of life", with(json!({"exp": now + 2 * 86_400})), Lifetime),
        ("an expiry beyond any clock", with(json!({"exp": 1e300})), Malformed),
        ("a negative expiry", with(json!({"exp": -1})), Malformed),
        ("no subject", without("sub"), Subject),
        ("an empty subject", with(json!({"sub": ""})), Subject),
        ("a member's id as subject", with(json!({"sub": "mbr_01kb3h5f8xe7ksq2v9w6m4t0rd"})), Subject),
        ("a subject with a line break", with(json!({"sub": "a\nb"})), Subject),
        ("a long subject", with(json!({"sub": long})), Subject),
        ("a reserved channel", with(json!({"channels": ["tenant:ops"]})), Grants),
        ("somebody else's inbox", with(json!({"channels": ["inbox:#mbr_1"]})), Grants),
        ("every channel", with(json!({"grants": ["*"]})), Grants),
        ("too many channels", with(json!({"channels": vec!["c"; 33]})), Grants),
        ("too many scopes", with(json!({"scope": "a ".repeat(33)})), Grants),
    ]
}
