//! Tokens: minting ours, verifying ours and those of the tenant's issuers; and the visitor's cookie.

use std::sync::Arc;

use plinth_kernel::{
    Actor, FieldError, Id, MemberId, Micros, Principal, PrincipalKind, Problem, ScopeSet, SessionId, TenantId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Identity;
use crate::authenticator::{AuthError, token_hash};
use crate::by::By;
use crate::check::Faults;
use crate::credential::{Credential, TenantRecord};
use crate::limits::{
    CLOCK_SKEW_SECONDS, FOREIGN_TOKEN_SECONDS_MAX, MEMBER_TOKEN_SECONDS, TOKEN_CHANNELS_MAX,
    TOKEN_INFO_BYTES_MAX, TOKEN_SCOPES_MAX, USER_TOKEN_SECONDS_DEFAULT, USER_TOKEN_SECONDS_MAX,
};
use crate::model::jwt::{
    Claims, TokenError, TokenUse, Unverified, channel_is_allowed, pattern_is_allowed, sign,
    subject_is_allowed,
};
use crate::model::scope::{self, END_USER_SCOPES};
use crate::tenants::{facts, home};

/// A token to mint for an end user.
#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUserToken {
    /// The tenant's own id of the user.
    pub user_id: String,
    /// How long it works, 1 to 3600 seconds; 900 if left out.
    #[serde(default)]
    pub expires_in_seconds: Option<u64>,
    /// What the user may do; everything that end users may have if left out.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Realtime channels that the user's connections are subscribed to.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Realtime channels, or namespaces such as `preview:*`, that the user may subscribe to.
    #[serde(default)]
    pub channel_patterns: Vec<String>,
    /// Shown to others in presence.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub info: Option<Value>,
}

/// A minted token. It is meant to be handed on to the user's browser, so it is shown like any other field.
#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UserToken {
    /// Always `user_token`.
    pub object: &'static str,
    /// The token.
    pub token: String,
    /// When it ends.
    pub expires_at: Micros,
}

impl std::fmt::Debug for UserToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A verified token with what realtime connections need of it.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    pub tenant: TenantId,
    pub claims: Claims,
    pub expires_at: Micros,
    pub scopes: ScopeSet,
}

impl Identity {
    /// Mints a token for one of the tenant's users.
    pub async fn mint_user_token(&self, by: &By, new: &NewUserToken) -> Result<UserToken, Problem> {
        let seconds = new.expires_in_seconds.unwrap_or(USER_TOKEN_SECONDS_DEFAULT);
        check_new_token(new, seconds)?;
        let scopes =
            new.scopes.clone().unwrap_or_else(|| END_USER_SCOPES.iter().map(|s| (*s).to_owned()).collect());
        let claims = json!({
            "sub": new.user_id, "scopes": scopes, "channels": new.channels, "grants": new.channel_patterns,
            "info": new.info,
        });
        self.mint(&by.tenant, TokenUse::EndUser, claims, seconds).await
    }

    /// Mints the token with which a member's console opens its realtime connection. It ends with the session.
    pub async fn mint_member_token(
        &self,
        tenant: &TenantId,
        member: &MemberId,
        session: &SessionId,
    ) -> Result<UserToken, Problem> {
        let claims = json!({"sub": member, "sid": session});
        self.mint(tenant, TokenUse::Member, claims, MEMBER_TOKEN_SECONDS).await
    }

    /// Mints a subscription token: one channel for one user. The caller has decided that the user may hear it.
    pub async fn mint_channel_token(
        &self,
        tenant: &TenantId,
        user: &str,
        channel: &str,
    ) -> Result<UserToken, Problem> {
        let claims = json!({"sub": user, "channel": channel});
        self.mint(tenant, TokenUse::Channel, claims, USER_TOKEN_SECONDS_DEFAULT).await
    }

    async fn mint(
        &self,
        tenant: &TenantId,
        token_use: TokenUse,
        mut claims: Value,
        seconds: u64,
    ) -> Result<UserToken, Problem> {
        let set = self.signing_set(tenant).await?;
        let key = set.active().ok_or_else(|| Problem::not_found("tenant"))?;
        let issued = self.world().now().as_seconds();
        let expires = issued + seconds as i64;
        claims["iss"] = json!(self.issuer());
        claims["aud"] = json!(tenant);
        claims["iat"] = json!(issued);
        claims["exp"] = json!(expires);
        claims["jti"] = json!(self.world().token());
        let token = sign(&key.pair, key.id.as_str(), token_use, &claims);
        Ok(UserToken { object: "user_token", token, expires_at: Micros(expires * 1_000_000) })
    }

    /// An end user's token, from memory or by verifying it.
    pub async fn token(&self, token: &str) -> Result<Arc<Credential>, AuthError> {
        let hash = token_hash(token);
        let now = self.world().now();
        if let Some(known) = self.caches().tokens.get(&hash) {
            let expired = known.expires_at.is_some_and(|end| now >= end);
            return if expired { Err(TokenError::Expired.into()) } else { Ok(known) };
        }
        let epoch = self.caches().tokens.epoch();
        let verified = self.verify_end_user(token).await?;
        let credential = Arc::new(self.end_user_credential(verified).await?);
        self.caches().tokens.insert_loaded(epoch, hash, credential.clone());
        Ok(credential)
    }

    async fn end_user_credential(&self, verified: Verified) -> Result<Credential, AuthError> {
        let tenant = self.tenant_by_id(&verified.tenant).await?;
        let user = verified.claims.end_user()?.to_owned();
        Ok(Credential {
            cells: self.caches().cells(format!("user:{}:{user}", tenant.id)),
            principal: Principal {
                tenant: tenant.id.clone(),
                mode: tenant.mode,
                actor: Actor::EndUser(user),
                kind: PrincipalKind::EndUser,
                scopes: verified.scopes,
                role: None,
                version_pin: None,
            },
            tenant,
            key: None,
            session: None,
            expires_at: Some(verified.expires_at),
        })
    }

    /// The one record of a tenant, read from the store unless a credential in memory holds it already.
    pub async fn tenant_by_id(&self, id: &TenantId) -> Result<Arc<TenantRecord>, Problem> {
        let wanted = id.clone();
        let (home, facts) = self
            .store()
            .read(move |tx| {
                let home = home(tx, &wanted)?;
                let facts = facts(tx, &wanted)?.ok_or_else(|| Problem::not_found("tenant"))?;
                Ok::<_, Problem>((home, facts))
            })
            .await?;
        Ok(self.caches().tenant(id.clone(), home.organisation, home.mode, facts))
    }

    /// Verifies an end user's token of ours or of one of the tenant's issuers.
    pub(crate) async fn verify_end_user(&self, token: &str) -> Result<Verified, TokenError> {
        let unverified = Unverified::parse(token)?;
        let tenant = addressee(unverified.claimed())?;
        let verified = if unverified.claimed().iss.as_deref() == Some(self.issuer()) {
            self.verify_own(unverified, tenant, TokenUse::EndUser).await?
        } else {
            self.verify_foreign(unverified, tenant).await?
        };
        verified.claims.end_user()?;
        verified.claims.check_grants()?;
        Ok(verified)
    }

    /// Verifies a token that we signed for this use.
    pub(crate) async fn verify_ours(&self, token: &str, token_use: TokenUse) -> Result<Verified, TokenError> {
        let unverified = Unverified::parse(token)?;
        let tenant = addressee(unverified.claimed())?;
        if unverified.claimed().iss.as_deref() != Some(self.issuer()) {
            return Err(TokenError::Issuer);
        }
        self.verify_own(unverified, tenant, token_use).await
    }

    async fn verify_own(
        &self,
        unverified: Unverified<'_>,
        tenant: TenantId,
        token_use: TokenUse,
    ) -> Result<Verified, TokenError> {
        if !unverified.is(token_use) {
            return Err(TokenError::Type);
        }
        let now = self.world().now();
        let set = self.signing_set(&tenant).await.map_err(|_| TokenError::Unavailable)?;
        let key = unverified.kid().and_then(|kid| set.verifying(kid, now)).ok_or(TokenError::UnknownKey)?;
        let claims = unverified.verify(&key)?;
        // Signed and checked by the same clock, give or take a node: no grace after the expiry.
        let exp = claims.check_times(now, USER_TOKEN_SECONDS_MAX as i64, 0)?;
        let scopes = scope::end_user(claims.scopes());
        Ok(Verified { tenant, claims, expires_at: Micros(exp.saturating_mul(1_000_000)), scopes })
    }

    async fn verify_foreign(
        &self,
        unverified: Unverified<'_>,
        tenant: TenantId,
    ) -> Result<Verified, TokenError> {
        if !unverified.is_foreign_access_token() {
            return Err(TokenError::Type);
        }
        let issuers = self.issuer_set(&tenant).await.map_err(|_| TokenError::Unavailable)?;
        let name = unverified.claimed().iss.clone().ok_or(TokenError::Issuer)?;
        let trusted = issuers.by_name.get(&name).ok_or(TokenError::Issuer)?.clone();
        let now = self.world().now();
        // Worth a fetch only if nothing but the signature is left to doubt.
        unverified.claimed().check_times(now, FOREIGN_TOKEN_SECONDS_MAX, CLOCK_SKEW_SECONDS)?;
        let key = trusted.key(unverified.kid(), self.jwks_fetcher(), now).await?;
        let claims = unverified.verify(&key)?;
        let exp = claims.check_times(now, FOREIGN_TOKEN_SECONDS_MAX, CLOCK_SKEW_SECONDS)?;
        let named = claims.scopes().next().is_some();
        let asked: Vec<&str> =
            if named { claims.scopes().collect() } else { trusted.scopes.iter().collect() };
        let scopes = scope::end_user(asked.into_iter().filter(|scope| trusted.scopes.contains(scope)));
        let expires_at = Micros(exp.saturating_add(CLOCK_SKEW_SECONDS).saturating_mul(1_000_000));
        Ok(Verified { tenant, expires_at, scopes, claims })
    }

    /// Names a visitor: the id, and the signed value for the cookie.
    pub fn new_visitor(&self, tenant: &TenantId) -> (String, String) {
        let id = self.world().token();
        let signed = self.visitors().sign(tenant.as_str(), &id);
        (id, signed)
    }

    /// The visitor's id in a cookie that we signed for this tenant.
    pub fn visitor<'a>(&self, tenant: &TenantId, cookie: &'a str) -> Option<&'a str> {
        self.visitors().verify(tenant.as_str(), cookie)
    }
}

/// The one tenant a token is addressed to. Other audiences may stand beside it; a second tenant may not.
fn addressee(claims: &Claims) -> Result<TenantId, TokenError> {
    let mut tenants = claims.aud.iter().filter_map(|name| TenantId::parse(name).ok());
    match (tenants.next(), tenants.next()) {
        (Some(tenant), None) => Ok(tenant),
        _ => Err(TokenError::Audience),
    }
}

fn check_new_token(new: &NewUserToken, seconds: u64) -> Result<(), Problem> {
    let mut faults = Faults::default();
    let user = new.user_id.as_str();
    if !subject_is_allowed(user) {
        faults.add("/user_id", "invalid", "Write 1 to 128 visible characters that do not begin with mbr_.");
    }
    faults.each("/channels", &new.channels, TOKEN_CHANNELS_MAX, "channel_not_allowed", |channel| {
        let allowed = channel_is_allowed(channel, user) && !channel.contains('*');
        if allowed { Ok(()) } else { Err("This channel cannot be given to an end user".to_owned()) }
    });
    let patterns_max = TOKEN_CHANNELS_MAX.saturating_sub(new.channels.len());
    faults.each("/channel_patterns", &new.channel_patterns, patterns_max, "channel_not_allowed", |pattern| {
        let allowed = pattern_is_allowed(pattern, user);
        if allowed { Ok(()) } else { Err("This pattern cannot be given to an end user".to_owned()) }
    });
    if let Some(scopes) = &new.scopes {
        faults.each("/scopes", scopes, TOKEN_SCOPES_MAX, "scope_not_allowed", |scope| {
            let allowed = END_USER_SCOPES.contains(&scope);
            if allowed { Ok(()) } else { Err(format!("End users cannot have {scope}")) }
        });
    }
    if new.info.as_ref().is_some_and(|info| !info.is_object()) {
        faults.add("/info", "invalid_type", "Must be an object.".to_owned());
    }
    if new.info.as_ref().is_some_and(|info| info.to_string().len() > TOKEN_INFO_BYTES_MAX) {
        faults.add(
            "/info",
            "too_large",
            format!("At most {TOKEN_INFO_BYTES_MAX} bytes of JSON are allowed."),
        );
    }
    let mut problem = faults.finish();
    if !(1..=USER_TOKEN_SECONDS_MAX).contains(&seconds) {
        let detail = format!("A token lives 1 to {USER_TOKEN_SECONDS_MAX} seconds.");
        let fault = FieldError::pointer("/expires_in_seconds", "out_of_range", detail)
            .with_meta(json!({"min": 1, "max": USER_TOKEN_SECONDS_MAX}));
        problem = Err(match problem {
            Ok(()) => Problem::validation(vec![fault]),
            Err(problem) => problem.field(fault),
        });
    }
    problem
}
