//! A router behind a stand-in for the gateway: gives each request a context and renders problems. For tests of
//! systems; the real edge is tested in its own crate.
#![allow(clippy::expect_used)] // a test that cannot even be set up should stop at once

use crate::{
    context::{RequestContext, Sealer},
    operation::{Class, Idempotency, Operation},
    problem,
};
use axum::{Router, body::Body, response::Response};
use http::{HeaderMap, Method, Request, StatusCode, header};
use plinth_kernel::{
    Actor, ApiVersion, Mode, Principal, PrincipalKind, Problem, ScopeSet, TenantId, TraceContext, World,
};
use serde_json::Value;
use std::{net::IpAddr, sync::Arc};
use tower_service::Service;

/// A caller of a router.
#[derive(Clone)]
pub struct Caller {
    router: Router,
    world: World,
    /// Who calls.
    pub principal: Principal,
    /// Where from.
    pub client_ip: IpAddr,
    /// What seals stored answers.
    pub sealer: Sealer,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A header as text; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The problem's code; empty when it is none.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }
}

impl Caller {
    /// A server with a secret key that may do everything in a tenant of its own.
    #[must_use]
    pub fn secret_key(router: Router, world: &World) -> Self {
        let principal = Principal {
            tenant: world.id::<TenantId>(),
            mode: Mode::Test,
            actor: Actor::Key(world.id()),
            kind: PrincipalKind::SecretKey,
            scopes: ScopeSet::all(),
            role: None,
            version_pin: None,
        };
        Self {
            router,
            world: world.clone(),
            principal,
            client_ip: IpAddr::from([127, 0, 0, 1]),
            sealer: Sealer::default(),
        }
    }

    /// The same router, called by another tenant's server.
    #[must_use]
    pub fn stranger(&self) -> Self {
        Self::secret_key(self.router.clone(), &self.world)
    }

    /// The same tenant, called by a visitor of its site.
    #[must_use]
    pub fn visitor(&self, id: &str) -> Self {
        let mut visitor = self.clone();
        visitor.principal.actor = Actor::Visitor(id.to_owned());
        visitor.principal.kind = PrincipalKind::Visitor;
        visitor
    }

    /// Calls without a body.
    pub async fn get(&self, uri: &str) -> Answer {
        self.send(Method::GET, uri, &[], Vec::new()).await
    }

    /// Calls with a JSON body and further headers.
    pub async fn json(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send(method, uri, headers, body).await
    }

    /// Calls with any body. A non-empty one is called JSON.
    pub async fn send(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(&method).uri(uri);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).expect("a well-formed request");
        let context = Arc::new(self.context(&method, uri, headers));
        request.extensions_mut().insert(context.clone());
        let response = match self.router.clone().as_service::<Body>().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        read(response, &context).await
    }

    fn context(&self, method: &Method, uri: &str, headers: &[(&str, &str)]) -> RequestContext {
        let header = |name: &str| {
            headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| (*value).to_owned())
        };
        RequestContext {
            request_id: self.world.id(),
            client_request_id: None,
            trace: TraceContext::root(&self.world),
            principal: self.principal.clone(),
            operation: Arc::new(operation(method, uri)),
            client_ip: self.client_ip,
            user_agent: "test".to_owned(),
            version: ApiVersion::new(2026, 11, 1),
            idempotency_key: header("idempotency-key"),
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            received_at: self.world.now(),
            cursor_key: [7; 32],
            sealer: self.sealer.clone(),
        }
    }
}

/// Names the operation by method and path, which is all that idempotency and cursors need of it.
fn operation(method: &Method, uri: &str) -> Operation {
    let path = uri.split('?').next().unwrap_or(uri);
    Operation {
        id: format!("{method} {path}"),
        method: method.to_string(),
        path: path.to_owned(),
        callers: Vec::new(),
        anonymous: false,
        class: Class::Write,
        cost: 1,
        body_max_bytes: crate::limits::JSON_BODY_MAX_BYTES,
        timeout_ms: None,
        idempotency: Idempotency::Accepted,
    }
}

async fn read(mut response: Response, context: &RequestContext) -> Answer {
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        let replay: Vec<_> = response.headers().iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        response = problem::render(&problem, &context.request_id);
        response.headers_mut().extend(replay.into_iter().filter(|(name, _)| name != header::CONTENT_LENGTH));
    }
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("the body can be read").to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}
