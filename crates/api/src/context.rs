//! What is known about a request once the gateway has let it in.

use crate::{operation::Operation, problem::ApiError};
use axum::extract::FromRequestParts;
use http::request::Parts;
use plinth_identity::{Identity, vault::Vault};
use plinth_kernel::{
    ApiVersion, Micros, Principal, Problem, RequestId, TenantId, TraceContext, ports::VisitorContext,
};
use std::{net::IpAddr, ops::Deref, sync::Arc};

/// Everything about a request but its body. The gateway makes it once and puts it into the extensions.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Our id of the request, `req_…`.
    pub request_id: RequestId,
    /// The caller's own id (`X-Request-Id`), at most 128 visible characters.
    pub client_request_id: Option<String>,
    /// The trace, and the span of this request in it.
    pub trace: TraceContext,
    /// Who asks.
    pub principal: Principal,
    /// What is asked.
    pub operation: Arc<Operation>,
    /// Address of the client, after trusted proxies.
    pub client_ip: IpAddr,
    /// What the client calls itself, cut to 256 characters.
    pub user_agent: String,
    /// Version of the contract that the caller speaks.
    pub version: ApiVersion,
    /// `Idempotency-Key`, unquoted and checked.
    pub idempotency_key: Option<String>,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// When the request came.
    pub received_at: Micros,
    /// Signs cursors; the same on every node of an installation.
    pub cursor_key: [u8; 32],
    /// Seals stored answers that hold a secret.
    pub sealer: Sealer,
}

/// Seals what must not stand in the database in clear. Without identity (in a test) nothing can be sealed.
#[derive(Clone, Default)]
pub struct Sealer(Option<Identity>);

impl Sealer {
    /// Seals with the installation's master key.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self(Some(identity))
    }

    /// Seals `plain` for this place only: it cannot be opened for another.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Problem> {
        self.vault()?.seal(place, plain).map_err(Problem::internal)
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Problem> {
        self.vault()?.open(place, sealed).map(|plain| plain.reveal().clone()).map_err(Problem::internal)
    }

    fn vault(&self) -> Result<&Vault, Problem> {
        self.0
            .as_ref()
            .map(Identity::vault)
            .ok_or_else(|| Problem::internal("there is nothing to seal secrets with"))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl RequestContext {
    /// The caller's tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.principal.tenant
    }

    /// The caller's text in idempotency rows: shared by all keys and sessions of a tenant, but a visitor or end
    /// user only ever meets their own.
    #[must_use]
    pub fn idempotency_caller(&self) -> String {
        use plinth_kernel::PrincipalKind::{Anonymous, EndUser, PublishableKey, Visitor};
        match self.principal.kind {
            EndUser | Visitor => self.principal.actor.to_string(),
            // A publishable key is public: two strangers who pick the same key must not see each other's answer.
            PublishableKey | Anonymous => format!("{}@{}", self.principal.actor, self.client_ip),
            _ => String::new(),
        }
    }

    /// As ports that serve visitors want it.
    #[must_use]
    pub fn visitor(&self) -> VisitorContext {
        VisitorContext {
            tenant: self.principal.tenant.clone(),
            request_id: self.request_id.to_string(),
            trace: self.trace,
            visitor: self.principal.actor.to_string(),
            client_ip: self.client_ip.to_string(),
            user_agent: self.user_agent.clone(),
        }
    }
}

/// Extracts the [`RequestContext`].
#[derive(Debug, Clone)]
pub struct Ctx(pub Arc<RequestContext>);

impl Deref for Ctx {
    type Target = RequestContext;
    fn deref(&self) -> &RequestContext {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Arc<RequestContext>>()
            .cloned()
            .map(Ctx)
            .ok_or_else(|| Problem::internal("the route is served without the gateway in front of it").into())
    }
}
