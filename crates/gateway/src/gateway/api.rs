//! The way of an operation's request, from its route to its handler.

use super::{Inner, Journey, Transport};
use crate::{
    admission::{Permit, TenantKey},
    body::GuardedBody,
    catalog::{Endpoint, Resource},
    cors, head, limits,
    metrics::OperationMetrics,
    quotas::Charged,
    version::may_be_pinned,
};
use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use plinth_api::{
    RequestContext,
    operation::{Class, Idempotency, Operation},
    strict_json,
};
use plinth_identity::{
    Caller, Credential, RateCells,
    model::{
        csrf::{RequestOrigin, is_same_site},
        session,
    },
};
use plinth_kernel::{
    Actor, ApiVersion, Code, FieldError, Mode, Principal, PrincipalKind, Problem, ScopeSet, TenantId,
    TraceContext,
};
use std::{hash::BuildHasher, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tower_service::Service;

type Attached = Arc<OperationMetrics>;

/// What every key begins with.
const KEY_PREFIX: &str = "plk_";

/// A caller, let in or not yet.
pub(super) struct Known {
    pub principal: Principal,
    pub credential: Option<Arc<Credential>>,
    pub site: Option<Arc<crate::sites::SiteTenant>>,
}

impl Known {
    fn tenant_cells(&self) -> Option<&RateCells> {
        match (&self.credential, &self.site) {
            (Some(credential), _) => Some(&credential.tenant.cells),
            (None, Some(site)) => Some(&site.cells),
            (None, None) => None,
        }
    }

    /// Whether they hold a secret, so that they are who they say.
    fn holds_secret(&self) -> bool {
        use PrincipalKind::{EndUser, PersonalKey, SecretKey, Session};
        matches!(self.principal.kind, SecretKey | PersonalKey | Session | EndUser)
    }
}

/// A tenant id for requests that belong to none yet (first-run setup, login).
pub(super) fn no_tenant() -> TenantId {
    plinth_kernel::Id::from_uuid([0; 16])
}

impl Inner {
    /// Everything between the route and the answer's headers.
    pub(super) async fn api<B>(
        &self,
        resource: &Resource<Attached>,
        host: &str,
        parts: &mut Parts,
        body: B,
        journey: &mut Journey,
    ) -> Result<Response<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let endpoint = match resource.endpoint(&parts.method) {
            Some(endpoint) => endpoint,
            None if parts.method == Method::OPTIONS => return options(resource, parts),
            None => return Err(method_not_allowed(resource)),
        };
        let operation = &*endpoint.operation;
        self.measure(endpoint, journey);
        journey.user_agent = head::user_agent(&parts.headers);
        journey.client_request_id = head::client_request_id(&parts.headers);
        if endpoint.cross_origin {
            // Until the tenant has spoken a page may at least read why it was refused.
            journey.grant = parts.headers.get(header::ORIGIN).cloned();
        }
        let known = self.authenticate(operation, host, parts, journey).await?;
        journey.who = Some((known.principal.tenant.clone(), known.principal.actor.clone()));
        check_scope(operation, &known.principal)?;
        self.check_origin(&known, journey)?;
        self.charge(operation, &known, journey)?;
        parts.extensions.insert(Transport { secure: journey.secure });
        if let Some(credential) = &known.credential {
            parts.extensions.insert(credential.clone());
        }
        let context = self.context(endpoint, known, parts, journey)?;
        let permit = self.admit(operation, &context).await?;
        let request = self.request(operation, &context, parts, body).await?;
        self.run(operation, context, request, permit).await
    }

    async fn authenticate(
        &self,
        operation: &Operation,
        host: &str,
        parts: &Parts,
        journey: &mut Journey,
    ) -> Result<Known, Problem> {
        if let Some(bearer) = head::bearer(&parts.headers) {
            let credential = match bearer {
                Ok(text) => self.bearer(text, parts, journey).await,
                Err(problem) => Err(problem),
            };
            let credential = credential.map_err(|problem| self.refused(problem, journey))?;
            return Ok(Known {
                principal: credential.principal.clone(),
                credential: Some(credential),
                site: None,
            });
        }
        self.check_same_site(host, parts)?;
        let cookies = head::text(&parts.headers, &header::COOKIE);
        let takes = |kind| operation.scope_for(kind).is_some();
        let site = self.sites.find(host);
        let visited = site.as_ref().filter(|_| takes(PrincipalKind::Visitor));
        let mut refusal = None;
        if takes(PrincipalKind::Session)
            && let Some(token) = cookies.and_then(session::session_token)
        {
            match self.session(token, journey).await {
                // A member who may not do it for the tenant is still a visitor of its site, like anybody; and so is one
                // who works for another tenant and only reads this site.
                Ok(credential)
                    if visited.is_some_and(|site| {
                        let elsewhere =
                            site.tenant != credential.principal.tenant && !is_console(&parts.headers);
                        elsewhere || check_scope(operation, &credential.principal).is_err()
                    }) => {}
                Ok(credential) => {
                    return Ok(Known {
                        principal: credential.principal.clone(),
                        credential: Some(credential),
                        site: None,
                    });
                }
                // An old cookie does not keep anybody from what needs none.
                Err(problem) => refusal = Some(problem),
            }
        }
        if let Some(site) = visited {
            let remember = !journey.method.is_safe();
            return Ok(self.visitor(site.clone(), cookies, remember, journey));
        }
        if operation.anonymous {
            return Ok(anonymous(site));
        }
        Err(refusal.unwrap_or_else(|| {
            Problem::new(
                Code::Unauthenticated,
                "Send Authorization: Bearer with an API key or token, or sign in.",
            )
        }))
    }

    /// A key or a token. A key that is in memory costs no await and no look at the failures of its address.
    async fn bearer(&self, text: &str, parts: &Parts, journey: &Journey) -> Result<Arc<Credential>, Problem> {
        let origin = head::text(&parts.headers, &header::ORIGIN);
        let caller = Caller { ip: Some(journey.client_ip), origin };
        if !text.starts_with(KEY_PREFIX) {
            self.quotas.check_failures(journey.client_ip, journey.received_at)?;
            return Ok(self.identity.token(text).await?);
        }
        if let Some(known) = self.identity.key_cached(text, caller) {
            return known.or_else(|error| {
                self.quotas.check_failures(journey.client_ip, journey.received_at)?;
                Err(error.into())
            });
        }
        self.quotas.check_failures(journey.client_ip, journey.received_at)?;
        Ok(self.identity.key(text, caller).await?)
    }

    async fn session(&self, token: &str, journey: &Journey) -> Result<Arc<Credential>, Problem> {
        self.quotas.check_failures(journey.client_ip, journey.received_at)?;
        match self.identity.session(token).await {
            Ok(credential) => Ok(credential),
            Err(error) => Err(self.refused(error.into(), journey)),
        }
    }

    /// Counts a refused credential against its address; what is not the caller's fault is not counted.
    fn refused(&self, problem: Problem, journey: &Journey) -> Problem {
        if matches!(problem.status(), 401 | 403) {
            self.metrics.auth_failed(problem.code.as_str());
            self.quotas.note_failure(journey.client_ip, journey.received_at);
        }
        problem
    }

    /// A request without a bearer credential may come with cookies: then it must come from our own pages.
    pub(super) fn check_same_site(&self, host: &str, parts: &Parts) -> Result<(), Problem> {
        if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let origin = RequestOrigin {
            fetch_site: head::text(&parts.headers, &head::SEC_FETCH_SITE),
            origin: parts.headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null")),
            host: Some(host),
        };
        if is_same_site(origin, self.identity.trusted_origins()) {
            return Ok(());
        }
        Err(Problem::new(
            Code::CsrfRejected,
            "The request comes from another site. Send it from our own pages, or with a key.",
        ))
    }

    /// The visitor of a site; `remember` sets the cookie when there is none. It is set when a visitor first does
    /// something that must be remembered (asks the assistant, sends a form), never for reading a page.
    pub(super) fn visitor(
        &self,
        site: Arc<crate::sites::SiteTenant>,
        cookies: Option<&str>,
        remember: bool,
        journey: &mut Journey,
    ) -> Known {
        let sealed = cookies.and_then(|cookies| session::cookie(cookies, session::VISITOR_COOKIE));
        let known = sealed.and_then(|sealed| self.identity.visitor(&site.tenant, sealed)).map(str::to_owned);
        let id = known.unwrap_or_else(|| {
            let (id, sealed) = self.identity.new_visitor(&site.tenant);
            if remember {
                journey.set_cookie =
                    HeaderValue::try_from(session::visitor_cookie(&sealed, journey.secure)).ok();
            }
            id
        });
        let principal = Principal {
            tenant: site.tenant.clone(),
            mode: site.mode,
            actor: Actor::Visitor(id),
            kind: PrincipalKind::Visitor,
            scopes: ScopeSet::default(),
            role: None,
            version_pin: None,
        };
        Known { principal, credential: None, site: Some(site) }
    }

    /// Which pages may read the answer.
    fn check_origin(&self, known: &Known, journey: &mut Journey) -> Result<(), Problem> {
        let Some(origin) = journey.grant.as_ref().and_then(|value| value.to_str().ok()) else {
            return Ok(());
        };
        let allowed = match (&known.credential, known.principal.kind) {
            // A publishable key was only accepted because its origin is allowed.
            (_, PrincipalKind::PublishableKey) => true,
            (Some(credential), PrincipalKind::EndUser) => {
                credential.tenant.facts().allowed_origins.is_empty()
                    || credential.tenant.allows_origin(origin)
            }
            // Servers do not ask, and cookies do not work across origins.
            _ => {
                journey.grant = None;
                return Ok(());
            }
        };
        if allowed {
            return Ok(());
        }
        Err(Problem::new(
            Code::OriginNotAllowed,
            "Pages of this origin may not call the API. Add the origin in the console's settings.",
        ))
    }

    fn charge(&self, operation: &Operation, known: &Known, journey: &mut Journey) -> Result<(), Problem> {
        let secret = known.holds_secret();
        let charged = Charged {
            tenant: known.tenant_cells(),
            caller: known.credential.as_ref().filter(|_| secret).map(|credential| &*credential.cells),
            address: (!secret).then_some(journey.client_ip),
            is_write: operation.class == Class::Write,
            cost: operation.cost,
        };
        match self.quotas.charge(charged, journey.received_at) {
            Ok(receipt) => {
                journey.receipt = receipt;
                Ok(())
            }
            Err((problem, receipt)) => {
                journey.receipt = receipt;
                let policy =
                    problem.extensions.get("violated-policies").and_then(|v| v[0].as_str()).unwrap_or("");
                self.metrics.limited(policy);
                Err(problem)
            }
        }
    }

    /// Reads the headers that steer and makes the context that handlers see.
    fn context(
        &self,
        endpoint: &Endpoint<Attached>,
        known: Known,
        parts: &Parts,
        journey: &mut Journey,
    ) -> Result<Arc<RequestContext>, Problem> {
        let (operation, headers) = (&endpoint.operation, &parts.headers);
        let version = self.version(&known.principal, parts)?;
        journey.version = Some(version);
        let idempotency_key = match operation.idempotency {
            Idempotency::NotApplicable => None,
            Idempotency::Accepted => head::idempotency_key(headers)?,
            Idempotency::Required => Some(head::idempotency_key(headers)?.ok_or_else(|| {
                let detail = "This operation must not happen twice: send an Idempotency-Key.";
                Problem::new(Code::IdempotencyKeyRequired, detail).field(FieldError::header(
                    "idempotency-key",
                    "required",
                    detail,
                ))
            })?),
        };
        journey.idempotency_key.clone_from(&idempotency_key);
        let max = operation.body_max_bytes;
        if head::content_length(headers).is_some_and(|length| length > max as u64) {
            let detail = format!("The body of this operation is limited to {max} bytes.");
            return Err(Problem::new(Code::PayloadTooLarge, detail).header("connection", "close"));
        }
        // A caller without a secret could write into other people's traces by guessing; theirs are always new.
        if known.holds_secret()
            && let Some(parent) =
                head::text(headers, &head::TRACEPARENT).and_then(|text| TraceContext::parse(text).ok())
        {
            journey.trace.trace_id = parent.trace_id;
            journey.parent_span = Some(parent.span_id);
        }
        let header = |name| head::text(headers, &name).map(str::to_owned);
        Ok(Arc::new(RequestContext {
            request_id: journey.request_id.clone(),
            client_request_id: journey.client_request_id.clone(),
            trace: journey.trace,
            principal: known.principal,
            operation: operation.clone(),
            client_ip: journey.client_ip,
            user_agent: journey.user_agent.clone(),
            version,
            idempotency_key,
            if_match: header(header::IF_MATCH),
            if_none_match: header(header::IF_NONE_MATCH),
            received_at: journey.received_at,
            cursor_key: self.cursor_key,
            sealer: self.sealer.clone(),
        }))
    }

    fn version(&self, principal: &Principal, parts: &Parts) -> Result<ApiVersion, Problem> {
        let header = match parts.headers.get(head::PLINTH_VERSION) {
            // Not ASCII is as unknown as any other version.
            Some(value) => Some(value.to_str().unwrap_or("?")),
            None => None,
        };
        self.versions.resolve(header, principal.version_pin.filter(|_| may_be_pinned(principal.kind)))
    }

    async fn admit(&self, operation: &Operation, context: &RequestContext) -> Result<Permit, Problem> {
        let tenant: TenantKey = self.tenant_hasher.hash_one(context.tenant());
        if let Some(permit) = self.lane(operation.class).admit(tenant, operation.class).await {
            return Ok(permit);
        }
        self.metrics.shed(operation.class);
        // Spread out, or everybody who was shed comes back at once.
        let retry_after_ms = 1_000 + self.world.below(2_000);
        Err(Problem::new(
            Code::Overloaded,
            "The server has more work than it can do well. Retry after Retry-After.",
        )
        .retry_after_ms(retry_after_ms))
    }

    /// The request as the handler gets it: guarded body, context, in the newest version's form.
    async fn request<B>(
        &self,
        operation: &Operation,
        context: &Arc<RequestContext>,
        parts: &mut Parts,
        body: B,
    ) -> Result<Request<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut body = if body.is_end_stream() {
            Body::empty()
        } else {
            // The reader enforces the operation's limit with the right words; this one is for handlers that stream.
            Body::new(GuardedBody::new(
                body,
                operation.body_max_bytes.saturating_mul(2).max(1 << 20),
                self.config.body_deadline_ms,
            ))
        };
        let mut request = Request::new(Body::empty());
        *request.method_mut() = std::mem::take(&mut parts.method);
        *request.uri_mut() = std::mem::take(&mut parts.uri);
        *request.version_mut() = parts.version;
        *request.headers_mut() = std::mem::take(&mut parts.headers);
        *request.extensions_mut() = std::mem::take(&mut parts.extensions);
        request.extensions_mut().insert(context.clone());
        if !matches!(*request.method(), Method::GET | Method::HEAD)
            && self.versions.differs(context.version, &operation.id)
        {
            let mut guarded = Request::new(body);
            guarded.extensions_mut().insert(context.clone());
            body = self.body_up(operation, context, guarded).await?;
            request.headers_mut().remove(header::CONTENT_LENGTH);
        }
        *request.body_mut() = body;
        Ok(request)
    }

    async fn body_up(
        &self,
        operation: &Operation,
        context: &RequestContext,
        request: Request<Body>,
    ) -> Result<Body, Problem> {
        let bytes = plinth_api::json::read_body(request).await?;
        if bytes.is_empty() {
            return Ok(Body::empty());
        }
        let mut value: serde_json::Value = strict_json::from_slice(&bytes)?;
        self.versions.up(context.version, &operation.id, &mut value);
        Ok(Body::from(serde_json::to_vec(&value).map_err(Problem::internal)?))
    }

    /// Runs the handler within its time, and nothing it does can take the connection down.
    async fn run(
        &self,
        operation: &Operation,
        context: Arc<RequestContext>,
        request: Request<Body>,
        mut permit: Permit,
    ) -> Result<Response<Body>, Problem> {
        let started_at = self.world.now();
        let handler = AssertUnwindSafe(self.api.clone().call(request)).catch_unwind();
        let outcome = match operation.timeout_ms {
            None => handler.await,
            Some(ms) => match tokio::time::timeout(Duration::from_millis(ms), handler).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    let detail = format!(
                        "The operation took longer than {ms} ms. Retry with the same Idempotency-Key."
                    );
                    return Err(Problem::new(Code::Timeout, detail));
                }
            },
        };
        if operation.timeout_ms.is_some() {
            let now = self.world.now();
            permit.took(now, now.since(started_at));
        }
        drop(permit);
        match outcome {
            Ok(Ok(response)) => self.response_down(operation, context.version, response).await,
            Ok(Err(never)) => match never {},
            Err(panic) => {
                self.metrics.panicked();
                Err(Problem::internal(format!("{} panicked: {}", operation.id, panic_text(&*panic))))
            }
        }
    }

    async fn response_down(
        &self,
        operation: &Operation,
        version: ApiVersion,
        response: Response<Body>,
    ) -> Result<Response<Body>, Problem> {
        if !response.status().is_success() || !self.versions.differs(version, &operation.id) {
            return Ok(response);
        }
        let is_json = head::text(response.headers(), &header::CONTENT_TYPE)
            .is_some_and(|t| t.starts_with("application/json"));
        if !is_json {
            return Ok(response);
        }
        let (mut parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, limits::TRANSFORMED_BODY_BYTES_MAX)
            .await
            .map_err(Problem::internal)?;
        let mut value = serde_json::from_slice(&bytes).map_err(Problem::internal)?;
        self.versions.down(version, &operation.id, &mut value);
        parts.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(parts, Body::from(serde_json::to_vec(&value).map_err(Problem::internal)?)))
    }
}

/// Whether the console is asking: it works for the session's tenant, whatever site the host shows.
fn is_console(headers: &http::HeaderMap) -> bool {
    headers.contains_key("x-plinth-console")
}

/// Whether this kind of caller may call, and has the scope.
fn check_scope(operation: &Operation, principal: &Principal) -> Result<(), Problem> {
    let Some(scope) = operation.scope_for(principal.kind) else {
        // What nobody needs a credential for is not refused because somebody brought one.
        return if operation.anonymous {
            Ok(())
        } else {
            Err(Problem::new(Code::Forbidden, "This kind of credential may not call this operation."))
        };
    };
    if scope.is_empty() || principal.scopes.contains(scope) || principal.kind == PrincipalKind::Visitor {
        return Ok(());
    }
    let mut problem = Problem::new(Code::ScopeMissing, format!("The credential lacks the scope {scope}."));
    problem.extensions.insert("required_scope".into(), scope.into());
    Err(problem)
}

fn anonymous(site: Option<Arc<crate::sites::SiteTenant>>) -> Known {
    let (tenant, mode) =
        site.as_ref().map_or((no_tenant(), Mode::Live), |site| (site.tenant.clone(), site.mode));
    let principal = Principal {
        tenant,
        mode,
        actor: Actor::Anonymous,
        kind: PrincipalKind::Anonymous,
        scopes: ScopeSet::default(),
        role: None,
        version_pin: None,
    };
    Known { principal, credential: None, site }
}

fn method_not_allowed(resource: &Resource<Attached>) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("This path takes {}.", resource.allow))
        .header("allow", resource.allow.clone())
}

/// `OPTIONS`: what the path takes, and whether a page of another origin may call it.
fn options(resource: &Resource<Attached>, parts: &Parts) -> Result<Response<Body>, Problem> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::try_from(&resource.allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    if cors::is_preflight(&parts.method, &parts.headers) {
        let asked = head::text(&parts.headers, &header::ACCESS_CONTROL_REQUEST_METHOD);
        let asked = asked.and_then(|name| name.parse::<Method>().ok());
        let open =
            asked.and_then(|method| resource.endpoint(&method)).is_some_and(|endpoint| endpoint.cross_origin);
        let origin = parts.headers.get(header::ORIGIN).filter(|_| open);
        let Some(origin) = origin else {
            return Err(Problem::new(
                Code::OriginNotAllowed,
                "Pages of other origins may not call this operation.",
            ));
        };
        cors::grant_preflight(response.headers_mut(), origin, &resource.allow);
    }
    Ok(response)
}

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
