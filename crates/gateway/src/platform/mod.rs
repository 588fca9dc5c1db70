//! The endpoints of what stands below the API: identity, flow, and the edge itself, as one [`System`].
//!
//! Handlers load, decide, save, answer; the rules are in `plinth-identity` and `plinth-flow`.

mod audit;
mod events;
mod jobs;
mod keys;
mod limits;
mod members;
mod requests;
mod schedules;
mod session;
mod tenants;
mod tokens;
mod traces;

use crate::{Sites, outbound::Guard, quotas::Rates, version::Versions};
use plinth_api::{Ctx, List, ListBody, RequestContext, System};
use plinth_flow::FlowError;
use plinth_identity::{By, Credential, Device, Identity, Listed, PageRequest};
use plinth_kernel::{Code, FieldError, Id, MemberId, Problem, SessionId};
use plinth_store::{Migration, Store};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the platform's endpoints work with.
pub struct PlatformConfig {
    /// Where everything is kept.
    pub store: Store,
    /// Who is who.
    pub identity: Identity,
    /// Hosts and tenants: first-run setup gives the installation's first tenant to every host.
    pub sites: Sites,
    /// Where the console is reached, for links in invitations: `https://app.example.com`.
    pub public_url: String,
    /// Rate limits, to be shown.
    pub rates: Rates,
    /// Versions, to be shown.
    pub versions: Versions,
    /// Checks destinations that tenants name.
    pub guard: Guard,
}

/// The platform's endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Platform(Arc<PlatformConfig>);

impl std::ops::Deref for Platform {
    type Target = PlatformConfig;
    fn deref(&self) -> &PlatformConfig {
        &self.0
    }
}

impl Platform {
    /// Endpoints over these parts.
    #[must_use]
    pub fn new(config: PlatformConfig) -> Self {
        Self(Arc::new(config))
    }

    /// The contract of these endpoints, before there is anything to serve them with: what a key may be granted has to
    /// be known before identity opens.
    #[must_use]
    pub fn document() -> utoipa::openapi::OpenApi {
        Self::router().into_openapi()
    }

    fn router() -> OpenApiRouter<Self> {
        OpenApiRouter::new()
            .routes(routes!(session::get_setup, session::complete_setup))
            .routes(routes!(session::get_session, session::open_session, session::end_session))
            .routes(routes!(session::switch_tenant))
            .routes(routes!(session::accept_invite))
            .routes(routes!(session::get_me))
            .routes(routes!(keys::list_api_keys, keys::create_api_key))
            .routes(routes!(keys::get_api_key, keys::revoke_api_key))
            .routes(routes!(keys::rotate_api_key))
            .routes(routes!(members::list_members, members::invite_member))
            .routes(routes!(members::get_member, members::update_member, members::remove_member))
            .routes(routes!(members::list_invites))
            .routes(routes!(members::revoke_invite))
            .routes(routes!(tenants::list_tenants, tenants::create_tenant))
            .routes(routes!(tenants::get_tenant, tenants::update_tenant))
            .routes(routes!(tokens::create_user_token))
            .routes(routes!(tokens::create_realtime_token))
            .routes(routes!(tokens::get_jwks))
            .routes(routes!(tokens::list_token_issuers, tokens::create_token_issuer))
            .routes(routes!(tokens::get_token_issuer, tokens::delete_token_issuer))
            .routes(routes!(audit::list_audit_entries))
            .routes(routes!(events::list_events))
            .routes(routes!(events::get_event))
            .routes(routes!(events::list_parked_events))
            .routes(routes!(events::replay_parked_event))
            .routes(routes!(jobs::list_jobs))
            .routes(routes!(jobs::get_job))
            .routes(routes!(jobs::replay_job))
            .routes(routes!(jobs::cancel_job))
            .routes(routes!(jobs::replay_dead_jobs))
            .routes(routes!(schedules::list_schedules))
            .routes(routes!(traces::get_trace))
            .routes(routes!(requests::list_requests))
            .routes(routes!(requests::get_request))
            .routes(routes!(limits::get_limits))
    }
}

impl System for Platform {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn migrations(&self) -> &'static [Migration] {
        crate::requests::MIGRATIONS
    }

    fn routes(&self) -> OpenApiRouter {
        Self::router().with_state(self.clone())
    }
}

/// Who acts, as identity records it.
fn by(context: &RequestContext) -> By {
    let request = Some(context.request_id.to_string());
    By::principal(&context.principal, request, Some(context.client_ip), context.trace)
}

/// The browser at the other end, as identity records it.
fn device(context: &Ctx) -> Device {
    Device {
        ip: Some(context.client_ip),
        user_agent: Some(context.user_agent.clone()).filter(|agent| !agent.is_empty()),
        request_id: Some(context.request_id.to_string()),
        trace: context.trace,
    }
}

/// Reads an id from a path: a malformed one is as unknown as a foreign one.
fn path_id<T: Id>(text: &str, noun: &str) -> Result<T, Problem> {
    T::parse(text).map_err(|_| Problem::not_found(noun))
}

/// The member and the session behind a credential.
fn session_of(credential: &Credential) -> Result<(MemberId, SessionId), Problem> {
    match (&credential.principal.actor, &credential.session) {
        (plinth_kernel::Actor::Member(member), Some(session)) => Ok((member.clone(), session.clone())),
        _ => Err(Problem::new(Code::Unauthenticated, "Sign in first.")),
    }
}

/// The page of a list of identity's.
fn page_request<F>(list: &List<F>) -> PageRequest {
    PageRequest { limit: list.limit, after: list.after.clone(), descending: list.keyset().descending }
}

/// Identity's page as the API answers it.
fn page<F, T: Clone>(list: &List<F>, found: Listed<T>, key: impl Fn(&T) -> String) -> ListBody<T> {
    let mut rows = found.data;
    // Identity has looked at the row behind the page and kept it to itself; any row in its place says the same.
    if found.has_more {
        rows.extend(rows.last().cloned());
    }
    list.page(rows, key)
}

/// What lists take that are newest first only, for the OpenAPI document.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
struct NewestParams {
    /// Most entries to return.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
}

/// Refuses the other direction.
fn newest_only<F>(list: &List<F>) -> Result<(), Problem> {
    if !list.keyset().descending {
        let detail = "This list is newest first only; leave `order` out.";
        return Err(Problem::new(Code::InvalidParameter, detail).field(FieldError::parameter(
            "order",
            "not_a_choice",
            detail,
        )));
    }
    Ok(())
}

/// The place in a list of flow's that is newest first only.
fn after_newest<T: Id, F>(list: &List<F>) -> Result<Option<T>, Problem> {
    newest_only(list)?;
    after(list)
}

fn after<T: Id, F>(list: &List<F>) -> Result<Option<T>, Problem> {
    let parse = |text: &String| {
        T::parse(text).map_err(|_| Problem::new(Code::InvalidCursor, "Start again without the cursor."))
    };
    list.after.as_ref().map(parse).transpose()
}

/// Rows that flow is asked for: one more than the page holds tells whether there are more.
fn fetch<F>(list: &List<F>) -> u32 {
    list.limit + 1
}

/// A word of a closed set in a query parameter.
fn word<T: std::str::FromStr>(name: &'static str, text: Option<&str>) -> Result<Option<T>, Problem> {
    let parse = |text: &str| {
        text.parse().map_err(|_| {
            let detail = format!("`{name}` has no such value.");
            Problem::new(Code::InvalidParameter, detail.clone()).field(FieldError::parameter(
                name,
                "not_a_choice",
                detail,
            ))
        })
    };
    text.map(parse).transpose()
}

/// Flow's error as a problem; a name for the conversion where inference needs one.
fn flow(error: FlowError) -> Problem {
    error.into()
}
