//! Submissions: hand in, list, read, erase, export.

use super::object::SubmissionObject;
use crate::{
    Forms,
    csv_export::Export,
    model::definition::Definition,
    store::{self, Hold, SubmissionFilter, SubmissionRow},
    submit::{self, Origin, find_form, hold_form, live},
};
use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use plinth_api::{
    ApiResult, Command, Ctx, List, ListBody, NoBody, PageParams, Problems, Reply, conditional_json,
};
use plinth_kernel::{Code, FieldError, FormId, Id, NewEvent, PrincipalKind, Problem, SubmissionId, TenantId};
use plinth_store::Tx;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// An answer.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateSubmission {
    /// The values by the keys of the form's fields.
    #[schema(value_type = std::collections::HashMap<String, Value>, example = json!({"name": "Ada", "email": "ada@example.org"}))]
    values: BTreeMap<String, Value>,
}

/// Filter of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmissionListFilter {
    /// Only answers to this form.
    #[serde(default)]
    #[param(pattern = "^frm_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd")]
    form_id: Option<String>,
    /// `completed` or `spam`. Completed ones when absent.
    #[serde(default)]
    #[param(inline)]
    state: Option<SubmissionState>,
    /// Only answers that contain this text.
    #[serde(default)]
    #[param(max_length = 200)]
    q: Option<String>,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SubmissionState {
    /// It was taken.
    Completed,
    /// A program handed it in.
    Spam,
}

/// Longest search text, in characters.
const SEARCH_MAX_CHARS: usize = 200;

/// Hands in an answer to a published form
///
/// Every fault comes back at once, with pointers `/values/<key>`. A page may call this with a publishable key.
#[utoipa::path(
    post, path = "/v1/forms/{id}/submissions", operation_id = "create_submission", tag = "Submissions",
    params(("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "ext:contact")),
    request_body = CreateSubmission,
    responses((status = 201, description = "The submission.", body = SubmissionObject), Problems),
    security(
        ("publishable_key" = ["forms:submissions:create"]), ("visitor" = ["forms:submissions:create"]),
        ("user_token" = ["forms:submissions:create"]),
        ("secret_key" = ["forms:submissions:create"]), ("session" = ["forms:submissions:create"])
    ),
    extensions(("x-plinth" = json!({"class": "write", "body_max_bytes": 262144})))
)]
pub(crate) async fn create_submission(
    State(forms): State<Forms>,
    Path(id): Path<String>,
    command: Command<CreateSubmission>,
) -> ApiResult<Response> {
    command
        .run(&forms.store, move |tx, ctx, input| {
            let form = hold_form(tx, ctx.tenant(), &id, Hold::Answer)?;
            let client_ip = ctx.client_ip.to_string();
            let origin = Origin {
                tenant: ctx.tenant(),
                actor: ctx.principal.actor.clone(),
                client_ip: &client_ip,
                user_agent: &ctx.user_agent,
                trace: ctx.trace,
                limited: !matches!(ctx.principal.kind, PrincipalKind::SecretKey | PrincipalKind::PersonalKey),
            };
            let (mut row, definition) = submit::submit(tx, &origin, &form, &input.values)?;
            if origin.limited {
                row.state = "completed".to_owned(); // a program is not told that it was found out
            }
            let location = format!("/v1/submissions/{}", row.id);
            Reply::created(&location, &SubmissionObject::new(row, &definition)?)
        })
        .await
}

/// Lists submissions
#[utoipa::path(
    get, path = "/v1/submissions", operation_id = "list_submissions", tag = "Submissions",
    params(PageParams, SubmissionListFilter),
    responses((status = 200, description = "A page of submissions.", body = ListBody<SubmissionObject>), Problems),
    security(("secret_key" = ["forms:submissions:read"]), ("session" = ["forms:submissions:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_submissions(
    State(forms): State<Forms>,
    ctx: Ctx,
    list: List<SubmissionListFilter>,
) -> ApiResult<axum::Json<ListBody<SubmissionObject>>> {
    let filter = read_filter(&list.filter)?;
    let (tenant, keyset) = (ctx.tenant().clone(), list.keyset());
    let objects = forms
        .store
        .read(move |tx| {
            let rows = store::submissions(tx, &tenant, &filter, &keyset)?;
            let mut definitions = Definitions::default();
            rows.into_iter()
                .map(|row| definitions.object(tx, &tenant, row))
                .collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(axum::Json(list.page(objects, |submission| submission.id.to_string())))
}

fn read_filter(given: &SubmissionListFilter) -> Result<SubmissionFilter, Problem> {
    let bad = |name: &str, detail: &str| {
        Problem::new(Code::InvalidParameter, detail).field(FieldError::parameter(
            name,
            "invalid_value",
            detail,
        ))
    };
    if given.q.as_ref().is_some_and(|q| q.chars().count() > SEARCH_MAX_CHARS) {
        return Err(bad("q", "At most 200 characters."));
    }
    let form_id = match given.form_id.as_deref().map(FormId::parse) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return Err(bad("form_id", "`form_id` is the id of a form, frm_….")),
    };
    let state = match given.state.unwrap_or(SubmissionState::Completed) {
        SubmissionState::Completed => "completed",
        SubmissionState::Spam => "spam",
    };
    Ok(SubmissionFilter {
        form_id,
        state: Some(state.to_owned()),
        contains: given.q.clone().filter(|q| !q.is_empty()),
    })
}

/// The definitions that a page of submissions answers, each read once.
#[derive(Default)]
struct Definitions(HashMap<(FormId, i64), Definition>);

impl Definitions {
    fn object(
        &mut self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        row: SubmissionRow,
    ) -> Result<SubmissionObject, Problem> {
        let key = (row.form_id.clone(), row.version);
        if !self.0.contains_key(&key) {
            let version = store::version(tx, tenant, &row.form_id, row.version)?
                .ok_or_else(|| Problem::internal("a submission's version is missing"))?;
            self.0.insert(key.clone(), version.parsed()?);
        }
        let definition = self.0.get(&key).ok_or_else(|| Problem::internal("just inserted"))?;
        SubmissionObject::new(row, definition)
    }
}

fn find(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<SubmissionRow, Problem> {
    let found = match SubmissionId::parse(id) {
        Ok(id) => store::submission(tx, tenant, &id)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Problem::not_found("submission"))
}

/// Reads a submission
#[utoipa::path(
    get, path = "/v1/submissions/{id}", operation_id = "get_submission", tag = "Submissions",
    params(("id" = String, Path, description = "Id of the submission.", example = "sub_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses(
        (status = 200, description = "The submission.", body = SubmissionObject),
        (status = 304, description = "You have it already."),
        Problems
    ),
    security(("secret_key" = ["forms:submissions:read"]), ("session" = ["forms:submissions:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_submission(
    State(forms): State<Forms>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let tenant = ctx.tenant().clone();
    let object = forms
        .store
        .read(move |tx| {
            let row = find(tx, &tenant, &id)?;
            Definitions::default().object(tx, &tenant, row)
        })
        .await?;
    conditional_json(&ctx, &object)
}

/// Erases a submission for good
#[utoipa::path(
    delete, path = "/v1/submissions/{id}", operation_id = "delete_submission", tag = "Submissions",
    params(("id" = String, Path, description = "Id of the submission.", example = "sub_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 204, description = "It is gone."), Problems),
    security(("secret_key" = ["forms:submissions:write"]), ("session" = ["forms:submissions:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn delete_submission(
    State(forms): State<Forms>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    command
        .run(&forms.store, move |tx, ctx, _| {
            let row = find(tx, ctx.tenant(), &id)?;
            ctx.check_match(row.rev)?;
            store::delete_submission(tx, ctx.tenant(), &row.id)?;
            tx.emit(NewEvent {
                tenant: ctx.tenant().clone(),
                kind: "forms.submission.erased",
                version: 1,
                subject: row.id.to_string(),
                data: json!({"submission_id": row.id, "form_id": row.form_id}),
                actor: ctx.principal.actor.clone(),
                trace: ctx.trace,
                causation: None,
            });
            Ok(Reply::no_content())
        })
        .await
}

/// Exports the submissions of a form as CSV
///
/// Streamed: memory does not grow with the number of rows. Columns are the fields of the live version.
#[utoipa::path(
    get, path = "/v1/forms/{id}/submissions.csv", operation_id = "export_submissions", tag = "Submissions",
    params(("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 200, description = "The file.", body = String, content_type = "text/csv"), Problems),
    security(("secret_key" = ["forms:submissions:read"]), ("session" = ["forms:submissions:read"])),
    extensions(("x-plinth" = json!({"class": "bulk", "cost": 10, "timeout_ms": null})))
)]
pub(crate) async fn export_submissions(
    State(forms): State<Forms>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let tenant = ctx.tenant().clone();
    let (form, columns) = forms
        .store
        .read(move |tx| {
            let form = find_form(tx, &tenant, &id)?;
            let columns = match live(tx, &tenant, &form) {
                Ok((_, definition)) => definition,
                // Archived or never published: the draft's columns still tell what there would be.
                Err(_) => {
                    let text =
                        store::draft(tx, &tenant, &form.id)?.ok_or_else(|| Problem::not_found("form"))?;
                    serde_json::from_str(&text).map_err(Problem::internal)?
                }
            };
            Ok::<_, Problem>((form, columns))
        })
        .await?;
    let export = Export::new(forms.store.clone(), ctx.tenant().clone(), form.id.clone(), columns);
    let parts = futures_util::stream::try_unfold(export, |mut export| async move {
        Ok::<_, std::io::Error>(
            export.next().await.map_err(std::io::Error::other)?.map(|part| (part, export)),
        )
    });
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{}.csv\"", form.id))
        .map_err(Problem::internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}
