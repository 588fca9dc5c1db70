//! Drafts and versions.

use super::{
    forms::{draft_text, emit},
    object::{DraftObject, PublishedForm, VersionObject},
};
use crate::{
    Forms,
    model::definition::Definition,
    seed::definition_hash,
    store::{self, Hold, VersionRow},
    submit::{find_form, hold_form, live},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::{
    ApiResult, Command, Ctx, List, ListBody, PageParams, Problems, Reply, conditional::conditional_json_at,
    conditional_json,
};
use plinth_kernel::{Code, FormVersionId, Problem};
use serde::Deserialize;
use serde_json::json;

/// Longest note of a version, in characters.
const NOTE_MAX_CHARS: usize = 500;

/// A new draft.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaveFormDraft {
    /// The whole definition. May be incomplete; the answer says what keeps it from being published.
    definition: Definition,
}

/// A publication.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishForm {
    /// What changed.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

/// Reads the draft of a form
#[utoipa::path(
    get, path = "/v1/forms/{id}/draft", operation_id = "get_form_draft", tag = "Forms",
    params(("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses(
        (status = 200, description = "The draft. Its ETag goes into If-Match of a change.", body = DraftObject),
        (status = 304, description = "You have it already."),
        Problems
    ),
    security(("secret_key" = ["forms:forms:read"]), ("session" = ["forms:forms:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_form_draft(
    State(forms): State<Forms>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let tenant = ctx.tenant().clone();
    let draft = forms
        .store
        .read(move |tx| {
            let form = find_form(tx, &tenant, &id)?;
            let text = store::draft(tx, &tenant, &form.id)?.ok_or_else(|| Problem::not_found("form"))?;
            let definition = serde_json::from_str(&text).map_err(Problem::internal)?;
            Ok::<_, Problem>(DraftObject::new(form.id, form.draft_rev, definition))
        })
        .await?;
    conditional_json(&ctx, &draft)
}

/// Saves the draft of a form
///
/// `If-Match` with the draft's ETag is required, so that two editors cannot overwrite each other.
#[utoipa::path(
    put, path = "/v1/forms/{id}/draft", operation_id = "save_form_draft", tag = "Forms",
    params(
        ("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd"),
        ("If-Match" = Option<String>, Header, description = "ETag of the draft that was changed. Required: without it the answer is 428.")
    ),
    request_body = SaveFormDraft,
    responses((status = 200, description = "The saved draft.", body = DraftObject), Problems),
    security(("secret_key" = ["forms:forms:write"]), ("session" = ["forms:forms:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn save_form_draft(
    State(forms): State<Forms>,
    Path(id): Path<String>,
    command: Command<SaveFormDraft>,
) -> ApiResult<Response> {
    command
        .run(&forms.store, move |tx, ctx, input| {
            let form = hold_form(tx, ctx.tenant(), &id, Hold::Change)?;
            ctx.require_match(form.draft_rev)?;
            let rev = form.draft_rev + 1;
            store::save_draft(tx, ctx.tenant(), &form.id, &draft_text(&input.definition)?, rev)?;
            emit(tx, ctx, "forms.draft.saved", &form.id, json!({"form_id": form.id, "rev": rev}));
            Ok(Reply::ok(&DraftObject::new(form.id, rev, input.definition.clone()))?.with_etag(ctx, rev))
        })
        .await
}

/// Publishes the draft as a new version
///
/// The version is checked first: every fault comes back with a pointer into the definition. Published versions never
/// change; a definition equal to the live one is not published again.
#[utoipa::path(
    post, path = "/v1/forms/{id}/publish", operation_id = "publish_form", tag = "Forms",
    params(
        ("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd"),
        ("If-Match" = Option<String>, Header, description = "ETag of the draft to publish. Required: without it the answer is 428.")
    ),
    request_body = PublishForm,
    responses((status = 201, description = "The new version.", body = VersionObject), Problems),
    security(("secret_key" = ["forms:forms:write"]), ("session" = ["forms:forms:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn publish_form(
    State(forms): State<Forms>,
    Path(id): Path<String>,
    command: Command<PublishForm>,
) -> ApiResult<Response> {
    command
        .run(&forms.store, move |tx, ctx, input| {
            let mut form = hold_form(tx, ctx.tenant(), &id, Hold::Change)?;
            ctx.require_match(form.draft_rev)?;
            if input.note.chars().count() > NOTE_MAX_CHARS {
                return Err(Problem::validation(vec![plinth_kernel::FieldError::pointer(
                    "/note",
                    "too_long",
                    format!("At most {NOTE_MAX_CHARS} characters."),
                )]));
            }
            let text = store::draft(tx, ctx.tenant(), &form.id)?.ok_or_else(|| Problem::not_found("form"))?;
            let definition: Definition = serde_json::from_str(&text).map_err(Problem::internal)?;
            let faults = definition.faults("/definition");
            if !faults.is_empty() {
                return Err(Problem::validation(faults));
            }
            let version = VersionRow {
                number: form.live_version.unwrap_or(0) + 1,
                id: tx.id::<FormVersionId>(),
                hash: definition_hash(&text),
                definition: text,
                note: input.note.clone(),
                published_by: ctx.principal.actor.to_string(),
                published_at: tx.now(),
            };
            refuse_unchanged(tx, ctx, &form, &version)?;
            store::insert_version(tx, ctx.tenant(), &form.id, &version)?;
            form.live_version = Some(version.number);
            form.rev += 1;
            form.updated_at = version.published_at;
            store::update_form(tx, ctx.tenant(), &form)?;
            let data = json!({"form_id": form.id, "version": version.number, "hash": version.hash});
            emit(tx, ctx, "forms.version.published", &form.id, data);
            let location = format!("/v1/forms/{}/versions/{}", form.id, version.number);
            Reply::created(&location, &VersionObject::new(form.id, version)?)
        })
        .await
}

fn refuse_unchanged(
    tx: &mut plinth_store::Tx<'_>,
    ctx: &plinth_api::RequestContext,
    form: &store::FormRow,
    new: &VersionRow,
) -> Result<(), Problem> {
    let Some(live) = form.live_version else { return Ok(()) };
    match store::version(tx, ctx.tenant(), &form.id, live)? {
        Some(old) if old.hash == new.hash => Err(Problem::new(
            Code::StateConflict,
            format!("The draft is the same as version {live}, which is live."),
        )),
        _ => Ok(()),
    }
}

/// Lists the versions of a form
#[utoipa::path(
    get, path = "/v1/forms/{id}/versions", operation_id = "list_form_versions", tag = "Forms",
    params(
        ("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd"),
        PageParams
    ),
    responses((status = 200, description = "A page of versions.", body = ListBody<VersionObject>), Problems),
    security(("secret_key" = ["forms:forms:read"]), ("session" = ["forms:forms:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_form_versions(
    State(forms): State<Forms>,
    ctx: Ctx,
    Path(id): Path<String>,
    list: List,
) -> ApiResult<axum::Json<ListBody<VersionObject>>> {
    let (tenant, keyset) = (ctx.tenant().clone(), list.keyset());
    let versions = forms
        .store
        .read(move |tx| {
            let form = find_form(tx, &tenant, &id)?;
            store::versions(tx, &tenant, &form.id, &keyset)?
                .into_iter()
                .map(|row| VersionObject::new(form.id.clone(), row))
                .collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(axum::Json(list.page(versions, |version| version.id.to_string())))
}

/// Reads a version of a form
#[utoipa::path(
    get, path = "/v1/forms/{id}/versions/{number}", operation_id = "get_form_version", tag = "Forms",
    params(
        ("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd"),
        ("number" = String, Path, description = "Number of the version.", example = "1")
    ),
    responses(
        (status = 200, description = "The version.", body = VersionObject),
        (status = 304, description = "You have it already."),
        Problems
    ),
    security(("secret_key" = ["forms:forms:read"]), ("session" = ["forms:forms:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_form_version(
    State(forms): State<Forms>,
    ctx: Ctx,
    Path((id, number)): Path<(String, String)>,
) -> ApiResult<Response> {
    let tenant = ctx.tenant().clone();
    // A number that is none is an unknown version, as a malformed id is an unknown thing.
    let number: i64 = number.parse().map_err(|_| Problem::not_found("version"))?;
    let version = forms
        .store
        .read(move |tx| {
            let form = find_form(tx, &tenant, &id)?;
            let row = store::version(tx, &tenant, &form.id, number)?
                .ok_or_else(|| Problem::not_found("version"))?;
            VersionObject::new(form.id, row)
        })
        .await?;
    conditional_json_at(&ctx, number, &version)
}

/// Reads the published form, for a renderer
///
/// A page may call this with a publishable key.
#[utoipa::path(
    get, path = "/v1/forms/{id}/published", operation_id = "get_published_form", tag = "Forms",
    params(("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "ext:contact")),
    responses(
        (status = 200, description = "The published definition.", body = PublishedForm),
        (status = 304, description = "You have it already."),
        Problems
    ),
    security(
        ("publishable_key" = ["forms:published:read"]), ("visitor" = ["forms:published:read"]),
        ("user_token" = ["forms:published:read"]),
        ("secret_key" = ["forms:published:read"]), ("session" = ["forms:published:read"])
    ),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_published_form(
    State(forms): State<Forms>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let tenant = ctx.tenant().clone();
    let published = forms
        .store
        .read(move |tx| {
            let form = find_form(tx, &tenant, &id)?;
            let (version, definition) = live(tx, &tenant, &form)?;
            Ok::<_, Problem>(PublishedForm {
                object: "published_form",
                form_id: form.id,
                version: version.number,
                hash: version.hash,
                definition,
            })
        })
        .await?;
    conditional_json_at(&ctx, published.version, &published)
}
