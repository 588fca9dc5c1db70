//! The file outbox: what would have been sent, while no mail server is configured.

use crate::{
    Notify, limits,
    store::{self, MailRow},
};
use axum::extract::{Path, State};
use plinth_api::{ApiResult, Ctx, List, ListBody, PageParams, Problems};
use plinth_kernel::{Id, MailId, Micros, NotificationId, Problem};
use serde::Serialize;

/// A mail in the file outbox.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Mail)]
pub(crate) struct MailObject {
    /// Id.
    id: MailId,
    /// Always `mail`.
    #[schema(example = "mail")]
    object: &'static str,
    /// The notification that it is.
    notification_id: NotificationId,
    /// Sender.
    from: String,
    /// Receiver.
    to: String,
    /// Subject.
    subject: String,
    /// The trace it belongs to.
    trace_id: String,
    /// When it was written.
    created_at: Micros,
}

/// A mail with its parts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MailDetail {
    /// The mail.
    #[serde(flatten)]
    mail: MailObject,
    /// Plain text.
    text: String,
    /// HTML part.
    html: Option<String>,
    /// The file as it stands; absent when it was removed or is on another machine.
    raw: Option<String>,
}

impl From<&MailRow> for MailObject {
    fn from(row: &MailRow) -> Self {
        Self {
            id: row.id.clone(),
            object: "mail",
            notification_id: row.notification_id.clone(),
            from: row.sender.clone(),
            to: row.recipient.clone(),
            subject: row.subject.clone(),
            trace_id: row.trace_id.clone(),
            created_at: row.created_at,
        }
    }
}

/// Lists the mails of the file outbox
#[utoipa::path(
    get, path = "/v1/mails", operation_id = "list_mails", tag = "Mails",
    params(PageParams),
    responses((status = 200, description = "A page of mails.", body = ListBody<MailObject>), Problems),
    security(("secret_key" = ["notify:mails:read"]), ("session" = ["notify:mails:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_mails(
    State(notify): State<Notify>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<MailObject>>> {
    let (tenant, keyset) = (ctx.tenant().clone(), list.keyset());
    let rows = notify.store.read(move |tx| store::mails(tx, &tenant, &keyset)).await?;
    Ok(axum::Json(list.page(rows.iter().map(MailObject::from).collect(), |mail| mail.id.to_string())))
}

/// Reads a mail of the file outbox
#[utoipa::path(
    get, path = "/v1/mails/{id}", operation_id = "get_mail", tag = "Mails",
    params(("id" = String, Path, description = "Id of the mail.", example = "eml_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The mail.", body = MailDetail), Problems),
    security(("secret_key" = ["notify:mails:read"]), ("session" = ["notify:mails:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_mail(
    State(notify): State<Notify>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<MailDetail>> {
    let tenant = ctx.tenant().clone();
    let row = notify
        .store
        .read(move |tx| {
            let id = MailId::parse(&id).map_err(|_| Problem::not_found("mail"))?;
            store::mail(tx, &tenant, &id)?.ok_or_else(|| Problem::not_found("mail"))
        })
        .await?;
    let raw = read_raw(&notify, &row.file_name).await;
    Ok(axum::Json(MailDetail { mail: MailObject::from(&row), text: row.text_body, html: row.html_body, raw }))
}

/// The name comes from our own row and is an id with a suffix: it cannot lead out of the folder.
async fn read_raw(notify: &Notify, file_name: &str) -> Option<String> {
    let path = notify.mailer.outbox()?.join(file_name);
    if tokio::fs::metadata(&path).await.ok()?.len() > limits::RAW_MAIL_MAX_BYTES {
        return None;
    }
    String::from_utf8(tokio::fs::read(&path).await.ok()?).ok()
}
