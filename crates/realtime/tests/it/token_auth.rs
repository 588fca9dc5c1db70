//! A host for tests: a token is a JSON text that says who its bearer is. Also used by the example server.

use plinth_kernel::ports::{BoxFuture, RealtimeAuth, RealtimeDenial, RealtimeHeaders, RealtimeIdentity};
use plinth_kernel::{Id, TenantId, World};
use serde::Deserialize;
use serde_json::Value;

/// One of the tenants that tests use.
pub fn tenant(number: u8) -> TenantId {
    TenantId::from_uuid([number; 16])
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Token {
    tenant: u8,
    user: String,
    info: Option<Value>,
    channels: Vec<String>,
    grants: Vec<String>,
    ttl_ms: Option<i64>,
    deny: String,
    issued_at_ms: Option<i64>,
}

/// Reads tokens of tests. An empty token is an anonymous visitor of tenant 0, unless a cookie names a user.
pub struct TokenAuth {
    pub world: World,
}

fn denial(name: &str) -> Option<RealtimeDenial> {
    match name {
        "invalid" => Some(RealtimeDenial::InvalidToken),
        "expired" => Some(RealtimeDenial::ExpiredToken),
        "permission" => Some(RealtimeDenial::PermissionDenied),
        "unknown" => Some(RealtimeDenial::UnknownChannel),
        "unavailable" => Some(RealtimeDenial::Unavailable),
        _ => None,
    }
}

impl RealtimeAuth for TokenAuth {
    fn connect<'a>(
        &'a self,
        token: &'a str,
        headers: &'a RealtimeHeaders,
    ) -> BoxFuture<'a, Result<RealtimeIdentity, RealtimeDenial>> {
        Box::pin(async move {
            let mut read = match token {
                "" => Token::default(),
                token => serde_json::from_str::<Token>(token).map_err(|_| RealtimeDenial::InvalidToken)?,
            };
            if let Some(user) = headers.cookie.as_deref().and_then(|cookie| cookie.strip_prefix("user=")) {
                read.user = user.to_owned();
            }
            if let Some(denial) = denial(&read.deny) {
                return Err(denial);
            }
            let now_ms = read.issued_at_ms.unwrap_or(self.world.now().as_millis());
            Ok(RealtimeIdentity {
                tenant: tenant(read.tenant),
                user: read.user,
                info: read.info,
                expires_at: read.ttl_ms.map(|ttl_ms| plinth_kernel::Micros((now_ms + ttl_ms) * 1_000)),
                channels: read.channels,
                grants: read.grants,
            })
        })
    }

    fn subscribe<'a>(
        &'a self,
        _who: &'a RealtimeIdentity,
        channel: &'a str,
        token: &'a str,
    ) -> BoxFuture<'a, Result<(), RealtimeDenial>> {
        Box::pin(async move {
            if let Some(denial) = denial(token) {
                return Err(denial);
            }
            match channel.contains(":private") && token != channel {
                true => Err(RealtimeDenial::PermissionDenied),
                false => Ok(()),
            }
        })
    }
}
