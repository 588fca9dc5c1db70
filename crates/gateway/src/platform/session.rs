//! First-run setup, console sessions, and who the caller is.

use super::{Platform, by, device, session_of};
use crate::Transport;
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use plinth_api::{ApiResult, Ctx, Json, Problems};
use plinth_identity::{
    AcceptInvite, Credential, CurrentSession, OpenedSession, Secret, SetupRequest, model::session as cookies,
};
use plinth_kernel::{Mode, PrincipalKind, Problem, Role, TenantId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whether the installation waits for its first owner.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Setup {
    /// Whether it does.
    needed: bool,
}

/// The first owner and their organisation.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompleteSetup {
    /// The token that the terminal printed.
    #[schema(max_length = 128)]
    token: String,
    /// Address to log in with.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// A password of 10 characters or more.
    #[schema(format = Password, min_length = 10, max_length = 256)]
    password: String,
    /// Name for people.
    #[schema(example = "Ada Lovelace", max_length = 120)]
    name: String,
    /// Name of the organisation.
    #[schema(example = "Analytical Engines", max_length = 120)]
    organisation: String,
}

/// Credentials of a member.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenSession {
    /// Address.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// Password.
    #[schema(format = Password, max_length = 256)]
    password: String,
}

/// The tenant to work in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchTenant {
    /// One of the session's `tenants`.
    tenant_id: String,
}

/// An invitation taken up.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptInviteBody {
    /// The token of the link.
    #[schema(max_length = 128)]
    token: String,
    /// A new password, or the existing one of whoever has an account under this address.
    #[schema(format = Password, max_length = 256)]
    password: String,
    /// Name for people; ignored for an existing account.
    #[schema(example = "Grace Hopper", max_length = 120)]
    name: String,
}

/// The caller, as the credential says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Me {
    /// Always `me`.
    #[schema(example = "me")]
    object: &'static str,
    /// `key:…`, `member:…`, `user:…`.
    #[schema(example = "key:key_01kb3h5f8xe7ksq2v9w6m4t0rd")]
    actor: String,
    /// Kind of credential: `secret_key`, `publishable_key`, `personal_key`, `session` or `user_token`.
    #[schema(example = "secret_key")]
    credential: &'static str,
    /// The tenant.
    tenant_id: TenantId,
    /// Live or test.
    mode: Mode,
    /// The member's role.
    role: Option<Role>,
    /// What the caller may do.
    scopes: Vec<String>,
    /// The version that this request was answered in.
    #[schema(example = "2026-11-01")]
    version: String,
}

/// The answer that opens a session: who it is, and the cookie.
async fn opened(platform: &Platform, transport: Transport, session: OpenedSession) -> ApiResult<Response> {
    let cookie = cookies::open_cookie(session.token.reveal(), transport.secure);
    let current = current(platform, session.member, session.tenant).await?;
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], axum::Json(current)).into_response())
}

async fn current(
    platform: &Platform,
    member: plinth_kernel::MemberId,
    tenant: TenantId,
) -> Result<CurrentSession, Problem> {
    let identity = platform.identity.clone();
    platform.store.read(move |tx| identity.current_session(tx, &member, &tenant)).await
}

/// Tells whether the installation needs its first owner
#[utoipa::path(
    get, path = "/v1/setup", operation_id = "get_setup", tag = "Session",
    responses((status = 200, description = "Whether it does.", body = Setup), Problems),
    security(()),
)]
pub(super) async fn get_setup(State(platform): State<Platform>) -> ApiResult<axum::Json<Setup>> {
    Ok(axum::Json(Setup { needed: platform.identity.setup_needed().await? }))
}

/// Makes the first owner
///
/// Works once, with the token that the server printed at its first start. Sets the session cookie.
#[utoipa::path(
    post, path = "/v1/setup", operation_id = "complete_setup", tag = "Session",
    request_body = CompleteSetup,
    responses((status = 201, description = "The owner's session.", body = CurrentSession), Problems),
    security(()),
    extensions(("x-plinth" = json!({"idempotency": "none"}))),
)]
pub(super) async fn complete_setup(
    State(platform): State<Platform>,
    Extension(transport): Extension<Transport>,
    ctx: Ctx,
    Json(body): Json<CompleteSetup>,
) -> ApiResult<Response> {
    let CompleteSetup { token, email, password, name, organisation } = body;
    let request = SetupRequest { token, email, password: Secret::new(password), name, organisation };
    let session = platform.identity.complete_setup(request, device(&ctx)).await?;
    // From here on the site has somebody to belong to.
    platform.sites.set_default(session.tenant.clone(), Mode::Live);
    opened(&platform, transport, session).await
}

/// Logs in
///
/// Sets the session cookie. Repeated failures make the next attempt wait (429 with `Retry-After`).
#[utoipa::path(
    post, path = "/v1/session", operation_id = "open_session", tag = "Session",
    request_body = OpenSession,
    responses((status = 201, description = "The session.", body = CurrentSession), Problems),
    security(()),
    extensions(("x-plinth" = json!({"idempotency": "none", "cost": 5}))),
)]
pub(super) async fn open_session(
    State(platform): State<Platform>,
    Extension(transport): Extension<Transport>,
    ctx: Ctx,
    Json(body): Json<OpenSession>,
) -> ApiResult<Response> {
    let session = platform.identity.login(&body.email, &Secret::new(body.password), device(&ctx)).await?;
    opened(&platform, transport, session).await
}

/// Reads the session
#[utoipa::path(
    get, path = "/v1/session", operation_id = "get_session", tag = "Session",
    responses((status = 200, description = "Who is signed in, and where.", body = CurrentSession), Problems),
    security(("session" = [])),
)]
pub(super) async fn get_session(
    State(platform): State<Platform>,
    Extension(credential): Extension<Arc<Credential>>,
) -> ApiResult<axum::Json<CurrentSession>> {
    let (member, _) = session_of(&credential)?;
    Ok(axum::Json(current(&platform, member, credential.principal.tenant.clone()).await?))
}

/// Logs out
#[utoipa::path(
    delete, path = "/v1/session", operation_id = "end_session", tag = "Session",
    responses((status = 204, description = "The session is over."), Problems),
    security(("session" = [])),
    extensions(("x-plinth" = json!({"idempotency": "none"}))),
)]
pub(super) async fn end_session(
    State(platform): State<Platform>,
    Extension(transport): Extension<Transport>,
    Extension(credential): Extension<Arc<Credential>>,
    ctx: Ctx,
) -> ApiResult<Response> {
    let (member, session) = session_of(&credential)?;
    let (identity, by) = (platform.identity.clone(), by(&ctx));
    platform.store.write(move |tx| identity.end_session(tx, &by, &member, &session)).await?;
    let cookie = cookies::close_cookie(transport.secure);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Switches the session to another tenant
///
/// The session gets a new cookie: the old one no longer works.
#[utoipa::path(
    post, path = "/v1/session/tenant", operation_id = "switch_tenant", tag = "Session",
    request_body = SwitchTenant,
    responses((status = 201, description = "The session in its new tenant.", body = CurrentSession), Problems),
    security(("session" = [])),
    extensions(("x-plinth" = json!({"idempotency": "none"}))),
)]
pub(super) async fn switch_tenant(
    State(platform): State<Platform>,
    Extension(transport): Extension<Transport>,
    Extension(credential): Extension<Arc<Credential>>,
    Json(body): Json<SwitchTenant>,
) -> ApiResult<Response> {
    let (_, session) = session_of(&credential)?;
    let tenant: TenantId = super::path_id(&body.tenant_id, "tenant")?;
    let identity = platform.identity.clone();
    let session = platform.store.write(move |tx| identity.switch_tenant(tx, &session, &tenant)).await?;
    opened(&platform, transport, session).await
}

/// Accepts an invitation
///
/// Sets the session cookie.
#[utoipa::path(
    post, path = "/v1/invites/accept", operation_id = "accept_invite", tag = "Session",
    request_body = AcceptInviteBody,
    responses((status = 201, description = "The new member's session.", body = CurrentSession), Problems),
    security(()),
    extensions(("x-plinth" = json!({"idempotency": "none", "cost": 5}))),
)]
pub(super) async fn accept_invite(
    State(platform): State<Platform>,
    Extension(transport): Extension<Transport>,
    ctx: Ctx,
    Json(body): Json<AcceptInviteBody>,
) -> ApiResult<Response> {
    let accept = AcceptInvite { token: body.token, password: Secret::new(body.password), name: body.name };
    let session = platform.identity.accept_invite(accept, device(&ctx)).await?;
    opened(&platform, transport, session).await
}

/// Tells the caller who they are
#[utoipa::path(
    get, path = "/v1/me", operation_id = "get_me", tag = "Session",
    responses((status = 200, description = "The caller.", body = Me), Problems),
    security(("secret_key" = []), ("publishable_key" = []), ("session" = []), ("user_token" = [])),
)]
pub(super) async fn get_me(ctx: Ctx) -> axum::Json<Me> {
    let principal = &ctx.principal;
    axum::Json(Me {
        object: "me",
        actor: principal.actor.to_string(),
        credential: match principal.kind {
            PrincipalKind::SecretKey => "secret_key",
            PrincipalKind::PublishableKey => "publishable_key",
            PrincipalKind::PersonalKey => "personal_key",
            PrincipalKind::Session => "session",
            PrincipalKind::EndUser => "user_token",
            PrincipalKind::Visitor | PrincipalKind::Anonymous | PrincipalKind::System => "none",
        },
        tenant_id: principal.tenant.clone(),
        mode: principal.mode,
        role: principal.role,
        scopes: principal.scopes.iter().map(str::to_owned).collect(),
        version: ctx.version.to_string(),
    })
}
