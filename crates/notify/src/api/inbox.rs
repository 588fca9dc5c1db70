//! A member's inbox.

use crate::{
    Notify, limits,
    store::{self, InboxRow},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::{
    ApiResult, Command, Ctx, List, ListBody, NoBody, PageParams, Problems, Reply, RequestContext,
};
use plinth_kernel::{
    Actor, Code, Id, InboxItemId, MemberId, Micros, NotificationId, Problem, TenantId, ports::Publisher,
};
use plinth_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// An item of the inbox.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InboxItem)]
pub(crate) struct InboxObject {
    /// Id.
    id: InboxItemId,
    /// Always `inbox_item`.
    #[schema(example = "inbox_item")]
    object: &'static str,
    /// The notification that it is.
    notification_id: NotificationId,
    /// Title.
    title: String,
    /// Body.
    body: String,
    /// Where it leads.
    url: Option<String>,
    /// The trace it belongs to.
    trace_id: String,
    /// When it came.
    created_at: Micros,
    /// When it was read.
    read_at: Option<Micros>,
}

impl From<InboxRow> for InboxObject {
    fn from(row: InboxRow) -> Self {
        Self {
            id: row.id,
            object: "inbox_item",
            notification_id: row.notification_id,
            title: row.title,
            body: row.body,
            url: row.url,
            trace_id: row.trace_id,
            created_at: row.created_at,
            read_at: row.read_at,
        }
    }
}

/// How full the inbox is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct InboxSummary {
    /// Always `inbox_summary`.
    #[schema(example = "inbox_summary")]
    object: &'static str,
    /// Items not read yet.
    unread: i64,
}

/// Filter of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboxFilter {
    /// Only items not read yet.
    #[serde(default)]
    #[param(default = false)]
    unread: bool,
}

/// An inbox belongs to a person: a server's key has none.
fn member(ctx: &RequestContext) -> Result<MemberId, Problem> {
    match &ctx.principal.actor {
        Actor::Member(id) => Ok(id.clone()),
        _ => Err(Problem::new(Code::Forbidden, "Only a member has an inbox: sign in to the console.")),
    }
}

fn announce(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    member: &MemberId,
    publisher: &Arc<dyn Publisher>,
) -> Result<i64, Problem> {
    let unread = store::unread(tx, tenant, member)?;
    let (channel, publisher) = (format!("{tenant}/inbox:#{member}"), publisher.clone());
    tx.after_commit(move || publisher.publish(&channel, &json!({"type": "inbox.read", "unread": unread})));
    Ok(unread)
}

/// Lists the items of your inbox
#[utoipa::path(
    get, path = "/v1/inbox", operation_id = "list_inbox", tag = "Inbox",
    params(PageParams, InboxFilter),
    responses((status = 200, description = "A page of items.", body = ListBody<InboxObject>), Problems),
    security(("session" = ["notify:inbox:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_inbox(
    State(notify): State<Notify>,
    ctx: Ctx,
    list: List<InboxFilter>,
) -> ApiResult<axum::Json<ListBody<InboxObject>>> {
    let (tenant, member, keyset) = (ctx.tenant().clone(), member(&ctx)?, list.keyset());
    let unread = list.filter.unread;
    let rows = notify.store.read(move |tx| store::inbox(tx, &tenant, &member, unread, &keyset)).await?;
    Ok(axum::Json(list.page(rows.into_iter().map(InboxObject::from).collect(), |item| item.id.to_string())))
}

/// Tells how full your inbox is
#[utoipa::path(
    get, path = "/v1/inbox/summary", operation_id = "get_inbox_summary", tag = "Inbox",
    responses((status = 200, description = "How full it is.", body = InboxSummary), Problems),
    security(("session" = ["notify:inbox:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_inbox_summary(
    State(notify): State<Notify>,
    ctx: Ctx,
) -> ApiResult<axum::Json<InboxSummary>> {
    let (tenant, member) = (ctx.tenant().clone(), member(&ctx)?);
    let unread = notify.store.read(move |tx| store::unread(tx, &tenant, &member)).await?;
    Ok(axum::Json(InboxSummary { object: "inbox_summary", unread }))
}

/// Marks an item of your inbox read
#[utoipa::path(
    post, path = "/v1/inbox/{id}/read", operation_id = "read_inbox_item", tag = "Inbox",
    params(("id" = String, Path, description = "Id of the item.", example = "inb_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The item.", body = InboxObject), Problems),
    security(("session" = ["notify:inbox:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn read_inbox_item(
    State(notify): State<Notify>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let publisher = notify.publisher.clone();
    command
        .run(&notify.store, move |tx, ctx, _| {
            let member = member(ctx)?;
            let id = InboxItemId::parse(&id).map_err(|_| Problem::not_found("inbox item"))?;
            store::mark_read(tx, ctx.tenant(), &member, &id)?;
            let item = store::inbox_item(tx, ctx.tenant(), &member, &id)?
                .ok_or_else(|| Problem::not_found("inbox item"))?;
            announce(tx, ctx.tenant(), &member, &publisher)?;
            Reply::ok(&InboxObject::from(item))
        })
        .await
}

/// Marks every item of your inbox read
#[utoipa::path(
    post, path = "/v1/inbox/read-all", operation_id = "read_all_inbox_items", tag = "Inbox",
    responses((status = 200, description = "How full it is now.", body = InboxSummary), Problems),
    security(("session" = ["notify:inbox:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn read_all_inbox_items(
    State(notify): State<Notify>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    let publisher = notify.publisher.clone();
    command
        .run(&notify.store, move |tx, ctx, _| {
            let member = member(ctx)?;
            store::mark_all_read(tx, ctx.tenant(), &member, limits::READ_ALL_MAX)?;
            let unread = announce(tx, ctx.tenant(), &member, &publisher)?;
            Reply::ok(&InboxSummary { object: "inbox_summary", unread })
        })
        .await
}
