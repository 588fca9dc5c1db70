//! Members and invitations.

use super::{Platform, by, page, page_request, path_id};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::conditional::conditional_json_at;
use plinth_api::{ApiResult, Command, Ctx, List, ListBody, NoBody, PageParams, Problems, Reply};
use plinth_identity::{Invite, Member, NewInvite};
use plinth_kernel::{InviteId, MemberId, Role};
use serde::{Deserialize, Serialize};

/// An invitation that was just made, with its link: the one time it can be read.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NewInviteBody {
    #[serde(flatten)]
    invite: Invite,
    /// The link to send. Whoever opens it first is in.
    #[schema(example = "https://app.example.com/console/#invite=…")]
    url: String,
}

/// Changes to a member.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateMember {
    /// The new role.
    role: Role,
}

/// Lists members
#[utoipa::path(
    get, path = "/v1/members", operation_id = "list_members", tag = "Members",
    params(PageParams),
    responses((status = 200, description = "A page of members.", body = ListBody<Member>), Problems),
    security(("secret_key" = ["identity:members:read"]), ("session" = ["identity:members:read"])),
)]
pub(super) async fn list_members(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<Member>>> {
    let (identity, tenant, request) = (platform.identity.clone(), ctx.tenant().clone(), page_request(&list));
    let found = platform.store.read(move |tx| identity.list_members(tx, &tenant, &request)).await?;
    Ok(axum::Json(page(&list, found, |member| member.id.to_string())))
}

/// Invites a member
///
/// Answers with the link to send, once.
#[utoipa::path(
    post, path = "/v1/members", operation_id = "invite_member", tag = "Members",
    request_body(content = NewInvite, example = json!({"email": "grace@example.com", "role": "developer"})),
    responses((status = 201, description = "The invitation.", body = NewInviteBody), Problems),
    security(("secret_key" = ["identity:members:write"]), ("session" = ["identity:members:write"])),
)]
pub(super) async fn invite_member(
    State(platform): State<Platform>,
    command: Command<NewInvite>,
) -> ApiResult<Response> {
    let (identity, console) =
        (platform.identity.clone(), platform.public_url.trim_end_matches('/').to_owned());
    command
        .run(&platform.store, move |tx, ctx, new| {
            let issued = identity.create_invite(tx, &by(ctx), new)?;
            let location = format!("/v1/invites/{}", issued.invite.id);
            // In the fragment, which browsers keep to themselves: the token is in no server's log.
            let url = format!("{console}/console/#invite={}", issued.token.reveal());
            Ok(Reply::created(&location, &NewInviteBody { invite: issued.invite, url })?.sealed())
        })
        .await
}

/// Reads a member
#[utoipa::path(
    get, path = "/v1/members/{id}", operation_id = "get_member", tag = "Members",
    params(("id" = String, Path, description = "Id of the member.", example = "mbr_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The member.", body = Member), Problems),
    security(("secret_key" = ["identity:members:read"]), ("session" = ["identity:members:read"])),
)]
pub(super) async fn get_member(
    State(platform): State<Platform>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let id: MemberId = path_id(&id, "member")?;
    let (identity, tenant) = (platform.identity.clone(), ctx.tenant().clone());
    let member = platform.store.read(move |tx| identity.get_member(tx, &tenant, &id)).await?;
    conditional_json_at(&ctx, member.rev, &member)
}

/// Changes a member's role
#[utoipa::path(
    patch, path = "/v1/members/{id}", operation_id = "update_member", tag = "Members",
    params(("id" = String, Path, description = "Id of the member.", example = "mbr_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    request_body = UpdateMember,
    responses((status = 200, description = "The member.", body = Member), Problems),
    security(("secret_key" = ["identity:members:write"]), ("session" = ["identity:members:write"])),
)]
pub(super) async fn update_member(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<UpdateMember>,
) -> ApiResult<Response> {
    let id: MemberId = path_id(&id, "member")?;
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, input| {
            ctx.check_match(identity.get_member(tx, ctx.tenant(), &id)?.rev)?;
            let member = identity.set_member_role(tx, &by(ctx), &id, input.role)?;
            Ok(Reply::ok(&member)?.with_etag(ctx, member.rev))
        })
        .await
}

/// Removes a member
///
/// Their sessions and personal keys stop working at once.
#[utoipa::path(
    delete, path = "/v1/members/{id}", operation_id = "remove_member", tag = "Members",
    params(("id" = String, Path, description = "Id of the member.", example = "mbr_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 204, description = "They are no longer a member."), Problems),
    security(("secret_key" = ["identity:members:write"]), ("session" = ["identity:members:write"])),
)]
pub(super) async fn remove_member(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let id: MemberId = path_id(&id, "member")?;
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, _| {
            ctx.check_match(identity.get_member(tx, ctx.tenant(), &id)?.rev)?;
            identity.remove_member(tx, &by(ctx), &id)?;
            Ok(Reply::no_content())
        })
        .await
}

/// Lists invitations
#[utoipa::path(
    get, path = "/v1/invites", operation_id = "list_invites", tag = "Members",
    params(PageParams),
    responses((status = 200, description = "A page of invitations.", body = ListBody<Invite>), Problems),
    security(("secret_key" = ["identity:members:read"]), ("session" = ["identity:members:read"])),
)]
pub(super) async fn list_invites(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<Invite>>> {
    let (identity, tenant, request) = (platform.identity.clone(), ctx.tenant().clone(), page_request(&list));
    let found = platform.store.read(move |tx| identity.list_invites(tx, &tenant, &request)).await?;
    Ok(axum::Json(page(&list, found, |invite| invite.id.to_string())))
}

/// Takes an invitation back
#[utoipa::path(
    delete, path = "/v1/invites/{id}", operation_id = "revoke_invite", tag = "Members",
    params(("id" = String, Path, description = "Id of the invitation.", example = "inv_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 204, description = "Its link no longer works."), Problems),
    security(("secret_key" = ["identity:members:write"]), ("session" = ["identity:members:write"])),
)]
pub(super) async fn revoke_invite(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let id: InviteId = path_id(&id, "invitation")?;
    let identity = platform.identity.clone();
    command
        .run(&platform.store, move |tx, ctx, _| {
            identity.revoke_invite(tx, &by(ctx), &id)?;
            Ok(Reply::no_content())
        })
        .await
}
