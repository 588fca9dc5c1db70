//! Forms themselves: create, list, read, change, delete.

use super::object::FormObject;
use crate::{
    Forms, limits,
    model::definition::Definition,
    store::{self, FormRow, Hold},
    submit::{find_form, hold_form},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::{
    ApiResult, Command, Ctx, List, ListBody, NoBody, PageParams, Problems, Reply, conditional_json,
};
use plinth_kernel::{Code, FieldError, FormId, NewEvent, Problem};
use plinth_store::Tx;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// A new form.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateForm {
    /// Name, for people who manage it.
    #[schema(example = "Event registration", min_length = 1, max_length = 120)]
    name: String,
    /// Your own key, unique among your forms.
    #[serde(default)]
    #[schema(example = "event-registration", min_length = 1, max_length = 128)]
    external_id: Option<String>,
    /// The first draft. May be incomplete; publishing checks it.
    #[serde(default)]
    definition: Option<Definition>,
    /// Your own notes.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// Changes to a form. What is absent stays.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateForm {
    /// New name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// `archived` closes it for submissions; `active` opens it again.
    #[serde(default)]
    state: Option<FormState>,
    /// New notes, replacing the old.
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

/// Whether a form takes submissions.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormState {
    /// It does, once published.
    Active,
    /// It does not.
    Archived,
}

impl FormState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

/// Filter of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormFilter {
    /// Only forms in this state.
    #[serde(default)]
    #[param(inline)]
    state: Option<FormState>,
}

fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    if name.trim().is_empty() || name.chars().count() > limits::NAME_MAX_CHARS {
        let detail = format!("From 1 to {} characters, not only spaces.", limits::NAME_MAX_CHARS);
        errors.push(FieldError::pointer("/name", "invalid_length", detail));
    }
}

fn check_metadata(metadata: &BTreeMap<String, String>, errors: &mut Vec<FieldError>) {
    if metadata.len() > limits::METADATA_ENTRIES_MAX {
        let detail = format!("At most {} entries.", limits::METADATA_ENTRIES_MAX);
        errors.push(FieldError::pointer("/metadata", "too_many", detail));
    }
    for (key, value) in metadata {
        if key.is_empty()
            || key.chars().count() > limits::METADATA_KEY_MAX_CHARS
            || value.chars().count() > limits::METADATA_VALUE_MAX_CHARS
        {
            let detail = format!(
                "Keys have 1 to {} characters, values at most {}.",
                limits::METADATA_KEY_MAX_CHARS,
                limits::METADATA_VALUE_MAX_CHARS
            );
            errors.push(FieldError::pointer("/metadata", "too_long", detail));
            return;
        }
    }
}

fn check_external_id(external_id: &str, errors: &mut Vec<FieldError>) {
    let fits = (1..=limits::EXTERNAL_ID_MAX_CHARS).contains(&external_id.len());
    if !fits || !external_id.bytes().all(|b| b.is_ascii_graphic() && b != b'/') {
        let detail = format!("1 to {} visible ASCII characters without `/`.", limits::EXTERNAL_ID_MAX_CHARS);
        errors.push(FieldError::pointer("/external_id", "invalid_value", detail));
    }
}

fn valid(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() { Ok(()) } else { Err(Problem::validation(errors)) }
}

/// Lists forms
///
/// Newest first unless `order` says otherwise.
#[utoipa::path(
    get, path = "/v1/forms", operation_id = "list_forms", tag = "Forms",
    params(PageParams, FormFilter),
    responses((status = 200, description = "A page of forms.", body = ListBody<FormObject>), Problems),
    security(("secret_key" = ["forms:forms:read"]), ("session" = ["forms:forms:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_forms(
    State(forms): State<Forms>,
    ctx: Ctx,
    list: List<FormFilter>,
) -> ApiResult<axum::Json<ListBody<FormObject>>> {
    let (tenant, keyset) = (ctx.tenant().clone(), list.keyset());
    let state = list.filter.state.map(FormState::as_str);
    let rows = forms.store.read(move |tx| store::forms(tx, &tenant, state, &keyset)).await?;
    let page = list.page(rows.into_iter().map(FormObject::from).collect(), |form| form.id.to_string());
    Ok(axum::Json(page))
}

/// Creates a form
///
/// It begins as a draft: nobody can answer it until it is published.
#[utoipa::path(
    post, path = "/v1/forms", operation_id = "create_form", tag = "Forms",
    request_body = CreateForm,
    responses((status = 201, description = "The new form.", body = FormObject), Problems),
    security(("secret_key" = ["forms:forms:write"]), ("session" = ["forms:forms:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn create_form(
    State(forms): State<Forms>,
    command: Command<CreateForm>,
) -> ApiResult<Response> {
    command
        .run(&forms.store, |tx, ctx, input| {
            let mut errors = Vec::new();
            check_name(&input.name, &mut errors);
            check_metadata(&input.metadata, &mut errors);
            if let Some(external_id) = &input.external_id {
                check_external_id(external_id, &mut errors);
            }
            valid(errors)?;
            if let Some(external_id) = &input.external_id {
                refuse_duplicate(tx, ctx, external_id)?;
            }
            let definition = input.definition.clone().unwrap_or_else(empty_definition);
            let draft = draft_text(&definition)?;
            let now = tx.now();
            let form = FormRow {
                id: tx.id::<FormId>(),
                external_id: input.external_id.clone(),
                name: input.name.trim().to_owned(),
                state: "active".to_owned(),
                rev: 1,
                live_version: None,
                draft_rev: 1,
                metadata: input.metadata.clone(),
                created_at: now,
                updated_at: now,
            };
            store::insert_form(tx, ctx.tenant(), &form, &draft)?;
            emit(tx, ctx, "forms.form.created", &form.id, json!({"form_id": form.id, "name": form.name}));
            let location = format!("/v1/forms/{}", form.id);
            Ok(Reply::created(&location, &FormObject::from(form))?.with_etag(ctx, 1))
        })
        .await
}

fn refuse_duplicate(
    tx: &mut Tx<'_>,
    ctx: &plinth_api::RequestContext,
    external_id: &str,
) -> Result<(), Problem> {
    match store::form_by_external(tx, ctx.tenant(), external_id, Hold::Read)? {
        None => Ok(()),
        Some(_) => Err(Problem::new(Code::Conflict, "You already have a form with this external_id.")
            .field(FieldError::pointer("/external_id", "duplicate", "Already used."))),
    }
}

/// A draft with one empty page: what an editor begins with.
fn empty_definition() -> Definition {
    Definition {
        lang: 1,
        default_locale: "en".to_owned(),
        title: BTreeMap::new(),
        description: BTreeMap::new(),
        pages: vec![crate::model::definition::Page {
            id: "pg_1".into(),
            title: BTreeMap::new(),
            items: Vec::new(),
        }],
        settings: crate::model::definition::Settings::default(),
    }
}

/// A definition as it is stored; refuses one that is too large.
pub(super) fn draft_text(definition: &Definition) -> Result<String, Problem> {
    let text = serde_json::to_string(definition).map_err(Problem::internal)?;
    if text.len() > limits::DEFINITION_MAX_BYTES {
        let detail = format!("A definition has at most {} bytes.", limits::DEFINITION_MAX_BYTES);
        return Err(Problem::new(Code::PayloadTooLarge, detail));
    }
    Ok(text)
}

pub(super) fn emit(
    tx: &mut Tx<'_>,
    ctx: &plinth_api::RequestContext,
    kind: &'static str,
    form: &FormId,
    data: serde_json::Value,
) {
    tx.emit(NewEvent {
        tenant: ctx.tenant().clone(),
        kind,
        version: 1,
        subject: form.to_string(),
        data,
        actor: ctx.principal.actor.clone(),
        trace: ctx.trace,
        causation: None,
    });
}

/// Reads a form
#[utoipa::path(
    get, path = "/v1/forms/{id}", operation_id = "get_form", tag = "Forms",
    params(("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses(
        (status = 200, description = "The form.", body = FormObject),
        (status = 304, description = "You have it already."),
        Problems
    ),
    security(("secret_key" = ["forms:forms:read"]), ("session" = ["forms:forms:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_form(
    State(forms): State<Forms>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let tenant = ctx.tenant().clone();
    let row = forms.store.read(move |tx| find_form(tx, &tenant, &id)).await?;
    conditional_json(&ctx, &FormObject::from(row))
}

/// Changes a form
#[utoipa::path(
    patch, path = "/v1/forms/{id}", operation_id = "update_form", tag = "Forms",
    params(("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    request_body = UpdateForm,
    responses((status = 200, description = "The changed form.", body = FormObject), Problems),
    security(("secret_key" = ["forms:forms:write"]), ("session" = ["forms:forms:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn update_form(
    State(forms): State<Forms>,
    Path(id): Path<String>,
    command: Command<UpdateForm>,
) -> ApiResult<Response> {
    command
        .run(&forms.store, move |tx, ctx, input| {
            let mut form = hold_form(tx, ctx.tenant(), &id, Hold::Change)?;
            ctx.check_match(form.rev)?;
            let mut errors = Vec::new();
            if let Some(name) = &input.name {
                check_name(name, &mut errors);
                form.name = name.trim().to_owned();
            }
            if let Some(metadata) = &input.metadata {
                check_metadata(metadata, &mut errors);
                form.metadata = metadata.clone();
            }
            valid(errors)?;
            if let Some(state) = input.state {
                form.state = state.as_str().to_owned();
            }
            form.rev += 1;
            form.updated_at = tx.now();
            store::update_form(tx, ctx.tenant(), &form)?;
            let data = json!({"form_id": form.id, "name": form.name, "state": form.state});
            emit(tx, ctx, "forms.form.updated", &form.id, data);
            let rev = form.rev;
            Ok(Reply::ok(&FormObject::from(form))?.with_etag(ctx, rev))
        })
        .await
}

/// Deletes a form with its versions
///
/// Refused while it has submissions: archive it, or erase them first.
#[utoipa::path(
    delete, path = "/v1/forms/{id}", operation_id = "delete_form", tag = "Forms",
    params(("id" = String, Path, description = "Id of the form, or `ext:` and your own key.", example = "frm_01kb3h5f8xe7ksq2v9w6m4t0rd")),
    responses((status = 204, description = "It is gone."), Problems),
    security(("secret_key" = ["forms:forms:write"]), ("session" = ["forms:forms:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn delete_form(
    State(forms): State<Forms>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    command
        .run(&forms.store, move |tx, ctx, _| {
            let form = hold_form(tx, ctx.tenant(), &id, Hold::Delete)?;
            ctx.check_match(form.rev)?;
            if store::has_submissions(tx, ctx.tenant(), &form.id)? {
                let detail = "The form has submissions. Archive it, or erase them first.";
                return Err(Problem::new(Code::StateConflict, detail));
            }
            store::delete_form(tx, ctx.tenant(), &form.id)?;
            emit(tx, ctx, "forms.form.deleted", &form.id, json!({"form_id": form.id, "name": form.name}));
            Ok(Reply::no_content())
        })
        .await
}
