//! The way of everything that is not an operation: pages, files, sockets.

use super::{Inner, Journey, Measured, api::panic_text};
use crate::{body::GuardedBody, head, limits, quotas::PAGES, sanity};
use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response, header, request::Parts};
use plinth_api::RequestContext;
use plinth_kernel::{Code, Problem};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tower_service::Service;

impl Inner {
    pub(super) async fn page<B>(
        &self,
        host: &str,
        parts: Parts,
        body: B,
        journey: &mut Journey,
    ) -> Result<Response<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !sanity::method_is_known(&parts.method) {
            return Err(Problem::new(Code::MethodNotAllowed, "This path takes GET and HEAD.")
                .header("allow", "GET, HEAD"));
        }
        journey.measured = Some(Measured::start(&self.web_metrics, &self.world, journey.received_at));
        journey.user_agent = head::user_agent(&parts.headers);
        self.quotas
            .charge_page(journey.client_ip, journey.received_at)
            .inspect_err(|_| self.metrics.limited(PAGES))?;
        let is_safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let checks_itself =
            self.cross_site_prefixes.iter().any(|prefix| parts.uri.path().starts_with(prefix));
        if !is_safe && !checks_itself {
            self.check_same_site(host, &parts)?;
        }
        if head::content_length(&parts.headers)
            .is_some_and(|length| length > limits::WEB_BODY_BYTES_MAX as u64)
        {
            let detail = format!("The body is limited to {} bytes.", limits::WEB_BODY_BYTES_MAX);
            return Err(Problem::new(Code::PayloadTooLarge, detail).header("connection", "close"));
        }
        let request = self.page_request(host, parts, body, !is_safe && !checks_itself, journey)?;
        let handler = AssertUnwindSafe(self.web.clone().call(request)).catch_unwind();
        match tokio::time::timeout(Duration::from_millis(limits::WRITE_TIMEOUT_MS), handler).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(panic)) => {
                self.metrics.panicked();
                Err(Problem::internal(format!("{} panicked: {}", journey.path, panic_text(&*panic))))
            }
            Err(_) => Err(Problem::new(Code::Timeout, "The page took too long.")),
        }
    }

    fn page_request<B>(
        &self,
        host: &str,
        parts: Parts,
        body: B,
        remember: bool,
        journey: &mut Journey,
    ) -> Result<Request<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(GuardedBody::new(body, limits::WEB_BODY_BYTES_MAX, self.config.body_deadline_ms))
        };
        let idempotency_key = head::idempotency_key(&parts.headers)?;
        let mut request = Request::from_parts(parts, body);
        // Without a tenant there is no site to visit; handlers that need one say so themselves.
        let Some(site) = self.sites.find(host) else { return Ok(request) };
        let cookies = head::text(request.headers(), &header::COOKIE).map(str::to_owned);
        let known = self.visitor(site, cookies.as_deref(), remember, journey);
        journey.who = Some((known.principal.tenant.clone(), known.principal.actor.clone()));
        let context = Arc::new(RequestContext {
            request_id: journey.request_id.clone(),
            client_request_id: None,
            trace: journey.trace,
            principal: known.principal,
            operation: self.web_operation.clone(),
            client_ip: journey.client_ip,
            user_agent: journey.user_agent.clone(),
            version: self.versions.current(),
            idempotency_key,
            if_match: None,
            if_none_match: head::text(request.headers(), &header::IF_NONE_MATCH).map(str::to_owned),
            received_at: journey.received_at,
            cursor_key: self.cursor_key,
            sealer: self.sealer.clone(),
        });
        request.extensions_mut().insert(context.visitor());
        request.extensions_mut().insert(context);
        Ok(request)
    }
}
