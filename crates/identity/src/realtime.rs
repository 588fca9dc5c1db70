//! Who may open a realtime connection, and what it may hear.

use plinth_kernel::ports::{BoxFuture, RealtimeAuth, RealtimeDenial, RealtimeHeaders, RealtimeIdentity};
use plinth_kernel::{Id, MemberId, Micros, Problem, SessionId, TenantId};
use plinth_store::args;

use crate::Identity;
use crate::authenticator::AuthError;
use crate::limits::MEMBER_TOKEN_SECONDS;
use crate::model::csrf::{RequestOrigin, may_open_socket};
use crate::model::jwt::{TokenError, TokenUse};
use crate::model::session::session_token;
use crate::tokens::Verified;

/// The channel on which a console follows its tenant's figures.
pub const TENANT_CHANNEL: &str = "tenant:ops";

/// The channel of a member's inbox.
pub fn inbox_channel(member: &MemberId) -> String {
    format!("inbox:#{member}")
}

impl RealtimeAuth for Identity {
    fn connect<'a>(
        &'a self,
        token: &'a str,
        headers: &'a RealtimeHeaders,
    ) -> BoxFuture<'a, Result<RealtimeIdentity, RealtimeDenial>> {
        Box::pin(async move {
            if token.is_empty() {
                return self.connect_by_cookie(headers).await;
            }
            // The two uses have different types in their headers; the wrong guess is refused before any IO.
            match self.verify_ours(token, TokenUse::Member).await {
                Ok(verified) => self.connect_member(verified).await,
                Err(TokenError::Type | TokenError::Issuer) => {
                    let verified = self.verify_end_user(token).await.map_err(denial)?;
                    self.connect_end_user(verified, headers).await
                }
                Err(error) => Err(denial(error)),
            }
        })
    }

    fn subscribe<'a>(
        &'a self,
        who: &'a RealtimeIdentity,
        channel: &'a str,
        token: &'a str,
    ) -> BoxFuture<'a, Result<(), RealtimeDenial>> {
        Box::pin(async move {
            if !token.is_empty() {
                let verified = self.verify_ours(token, TokenUse::Channel).await.map_err(denial)?;
                let fits = verified.tenant == who.tenant
                    && verified.claims.sub.as_deref() == Some(&who.user)
                    && verified.claims.channel.as_deref() == Some(channel);
                return if fits { Ok(()) } else { Err(RealtimeDenial::PermissionDenied) };
            }
            let granted = |pattern: &String| match pattern.strip_suffix('*') {
                Some(stem) => channel.starts_with(stem),
                None => channel == pattern,
            };
            // A channel with `#` is for the users named behind it, whatever pattern would cover it.
            let own = channel
                .split_once('#')
                .is_none_or(|(_, users)| users.split(',').any(|user| user == who.user));
            if own && who.grants.iter().chain(&who.channels).any(granted) {
                Ok(())
            } else {
                Err(RealtimeDenial::PermissionDenied)
            }
        })
    }
}

impl Identity {
    /// Without a token a console's own page may use its session cookie; a page of another site may not.
    async fn connect_by_cookie(&self, headers: &RealtimeHeaders) -> Result<RealtimeIdentity, RealtimeDenial> {
        let token = headers.cookie.as_deref().and_then(session_token).ok_or(RealtimeDenial::InvalidToken)?;
        let origin = RequestOrigin {
            origin: headers.origin.as_deref(),
            host: headers.host.as_deref(),
            fetch_site: None,
        };
        if !may_open_socket(origin, self.trusted_origins()) {
            return Err(RealtimeDenial::PermissionDenied);
        }
        let credential = self.session(token).await.map_err(|error| match error {
            AuthError::Unavailable(_) => RealtimeDenial::Unavailable,
            _ => RealtimeDenial::InvalidToken,
        })?;
        let plinth_kernel::Actor::Member(member) = &credential.principal.actor else {
            return Err(RealtimeDenial::InvalidToken);
        };
        // Looked at again as often as a token would be renewed, so that a logout ends the connection soon.
        let expires_at = self.world().now().plus_seconds(MEMBER_TOKEN_SECONDS as i64);
        Ok(member_identity(&credential.tenant.id, member, expires_at))
    }

    /// A member's token counts while the session it was minted for does, in the tenant it works in.
    async fn connect_member(&self, verified: Verified) -> Result<RealtimeIdentity, RealtimeDenial> {
        let member = verified.claims.sub.as_deref().and_then(|id| MemberId::parse(id).ok());
        let session = verified.claims.sid.as_deref().and_then(|id| SessionId::parse(id).ok());
        let (Some(member), Some(session)) = (member, session) else {
            return Err(RealtimeDenial::InvalidToken);
        };
        let (owner, tenant) = (member.clone(), verified.tenant.clone());
        let live: Option<i64> = self
            .store()
            .read(move |tx| {
                tx.opt(
                    "SELECT s.created_at FROM sessions s
                     JOIN tenants t ON t.id = s.tenant_id
                     JOIN memberships ms ON ms.organisation_id = t.organisation_id AND ms.member_id = s.member_id
                     WHERE s.id = $1 AND s.member_id = $2 AND s.tenant_id = $3",
                    args![&session, &owner, &tenant],
                )
                .map_err(Problem::from)
            })
            .await
            .map_err(|_| RealtimeDenial::Unavailable)?;
        match live {
            Some(_) => Ok(member_identity(&verified.tenant, &member, verified.expires_at)),
            None => Err(RealtimeDenial::InvalidToken),
        }
    }

    /// An end user connects from the tenant's pages: where the tenant has named its origins, only from those.
    async fn connect_end_user(
        &self,
        verified: Verified,
        headers: &RealtimeHeaders,
    ) -> Result<RealtimeIdentity, RealtimeDenial> {
        if !verified.scopes.contains("realtime:connections:create") {
            return Err(RealtimeDenial::PermissionDenied);
        }
        let tenant = self.tenant_by_id(&verified.tenant).await.map_err(|_| RealtimeDenial::Unavailable)?;
        let bound = !tenant.facts().allowed_origins.is_empty();
        if bound && headers.origin.as_deref().is_some_and(|origin| !tenant.allows_origin(origin)) {
            return Err(RealtimeDenial::PermissionDenied);
        }
        let claims = verified.claims;
        Ok(RealtimeIdentity {
            tenant: verified.tenant,
            user: claims.sub.unwrap_or_default(),
            info: claims.info,
            expires_at: Some(verified.expires_at),
            channels: claims.channels,
            grants: claims.grants,
        })
    }
}

fn member_identity(tenant: &TenantId, member: &MemberId, expires_at: Micros) -> RealtimeIdentity {
    let channels = vec![inbox_channel(member), TENANT_CHANNEL.to_owned()];
    RealtimeIdentity {
        tenant: tenant.clone(),
        user: member.to_string(),
        info: None,
        expires_at: Some(expires_at),
        grants: channels.clone(),
        channels,
    }
}

fn denial(error: TokenError) -> RealtimeDenial {
    match error {
        TokenError::Expired => RealtimeDenial::ExpiredToken,
        TokenError::Unavailable => RealtimeDenial::Unavailable,
        _ => RealtimeDenial::InvalidToken,
    }
}
