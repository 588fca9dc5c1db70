//! Workflows: create, list, read, change, delete.

use crate::{
    Notify, limits,
    model::workflow::{Step, Trigger, faults},
    store::{self, WorkflowDefinition, WorkflowRow},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use plinth_api::{
    ApiResult, Command, Ctx, List, ListBody, NoBody, PageParams, Problems, Reply, RequestContext, Versioned,
    conditional_json,
};
use plinth_kernel::{Code, FieldError, Id, Micros, NewEvent, Problem, TenantId, WorkflowId};
use plinth_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A workflow.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Workflow)]
pub(crate) struct WorkflowObject {
    /// Id.
    id: WorkflowId,
    /// Always `workflow`.
    #[schema(example = "workflow")]
    object: &'static str,
    /// Your own key.
    external_id: Option<String>,
    /// Name.
    name: String,
    /// Whether events start it.
    enabled: bool,
    /// What starts it.
    trigger: Trigger,
    /// What it does, in order.
    steps: Vec<Step>,
    /// Revision.
    rev: i64,
    /// When it was created.
    created_at: Micros,
    /// When it was last changed.
    updated_at: Micros,
}

impl Versioned for WorkflowObject {
    fn rev(&self) -> i64 {
        self.rev
    }
}

impl TryFrom<WorkflowRow> for WorkflowObject {
    type Error = Problem;
    fn try_from(row: WorkflowRow) -> Result<Self, Problem> {
        let definition = row.parsed()?;
        Ok(Self {
            id: row.id,
            object: "workflow",
            external_id: row.external_id,
            name: row.name,
            enabled: row.enabled,
            trigger: definition.trigger,
            steps: definition.steps,
            rev: row.rev,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A new workflow.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWorkflow {
    /// Name.
    #[schema(example = "Contact message to the team", min_length = 1, max_length = 120)]
    name: String,
    /// Your own key, unique among your workflows.
    #[serde(default)]
    #[schema(example = "contact-to-team", min_length = 1, max_length = 128)]
    external_id: Option<String>,
    /// Whether events start it at once.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
    /// What starts it.
    trigger: Trigger,
    /// What it does.
    #[schema(min_items = 1, max_items = 30)]
    steps: Vec<Step>,
}

fn yes() -> bool {
    true
}

/// Changes to a workflow. What is absent stays.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateWorkflow {
    /// New name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// Whether events start it.
    #[serde(default)]
    enabled: Option<bool>,
    /// New trigger.
    #[serde(default)]
    trigger: Option<Trigger>,
    /// New steps, replacing the old.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 30)]
    steps: Option<Vec<Step>>,
}

fn name_faults(name: &str) -> Option<FieldError> {
    let bad = name.trim().is_empty() || name.chars().count() > limits::NAME_MAX_CHARS;
    let detail = format!("From 1 to {} characters, not only spaces.", limits::NAME_MAX_CHARS);
    bad.then(|| FieldError::pointer("/name", "invalid_length", detail))
}

fn key_faults(key: &str) -> Option<FieldError> {
    let fits = (1..=limits::EXTERNAL_ID_MAX_CHARS).contains(&key.len());
    let good = fits && key.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    let detail = format!("1 to {} visible ASCII characters without `/`.", limits::EXTERNAL_ID_MAX_CHARS);
    (!good).then(|| FieldError::pointer("/external_id", "invalid_value", detail))
}

fn find(tx: &mut Tx<'_>, tenant: &TenantId, key: &str) -> Result<WorkflowRow, Problem> {
    let found = match WorkflowId::parse(key) {
        Ok(id) => store::workflow(tx, tenant, &id)?,
        Err(_) => match key.strip_prefix("ext:") {
            Some(external) => store::workflow_by_external(tx, tenant, external)?,
            None => None,
        },
    };
    found.ok_or_else(|| Problem::not_found("workflow"))
}

fn emit(tx: &mut Tx<'_>, ctx: &RequestContext, kind: &'static str, row: &WorkflowRow) {
    tx.emit(NewEvent {
        tenant: ctx.tenant().clone(),
        kind,
        version: 1,
        subject: row.id.to_string(),
        data: json!({"workflow_id": row.id, "name": row.name, "enabled": row.enabled}),
        actor: ctx.principal.actor.clone(),
        trace: ctx.trace,
        causation: None,
    });
}

/// Lists workflows
#[utoipa::path(
    get, path = "/v1/workflows", operation_id = "list_workflows", tag = "Workflows",
    params(PageParams),
    responses((status = 200, description = "A page of workflows.", body = ListBody<WorkflowObject>), Problems),
    security(("secret_key" = ["notify:workflows:read"]), ("session" = ["notify:workflows:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn list_workflows(
    State(notify): State<Notify>,
    ctx: Ctx,
    list: List,
) -> ApiResult<axum::Json<ListBody<WorkflowObject>>> {
    let (tenant, keyset) = (ctx.tenant().clone(), list.keyset());
    let rows = notify.store.read(move |tx| store::workflows(tx, &tenant, &keyset)).await?;
    let objects = rows.into_iter().map(WorkflowObject::try_from).collect::<Result<Vec<_>, Problem>>()?;
    Ok(axum::Json(list.page(objects, |workflow| workflow.id.to_string())))
}

/// Creates a workflow
///
/// Templates see `event` (id, kind, created_at, trace_id) and `data`, the event's own data.
#[utoipa::path(
    post, path = "/v1/workflows", operation_id = "create_workflow", tag = "Workflows",
    request_body = CreateWorkflow,
    responses((status = 201, description = "The new workflow.", body = WorkflowObject), Problems),
    security(("secret_key" = ["notify:workflows:write"]), ("session" = ["notify:workflows:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn create_workflow(
    State(notify): State<Notify>,
    command: Command<CreateWorkflow>,
) -> ApiResult<Response> {
    command
        .run(&notify.store, |tx, ctx, input| {
            let mut errors = faults(&input.trigger, &input.steps);
            errors.extend(name_faults(&input.name));
            errors.extend(input.external_id.as_deref().and_then(key_faults));
            if !errors.is_empty() {
                return Err(Problem::validation(errors));
            }
            if store::workflow_count(tx, ctx.tenant())? >= limits::WORKFLOWS_PER_TENANT_MAX as i64 {
                let detail = format!("At most {} workflows.", limits::WORKFLOWS_PER_TENANT_MAX);
                return Err(Problem::new(Code::StateConflict, detail));
            }
            if let Some(key) = &input.external_id
                && store::workflow_by_external(tx, ctx.tenant(), key)?.is_some()
            {
                return Err(Problem::new(
                    Code::Conflict,
                    "You already have a workflow with this external_id.",
                )
                .field(FieldError::pointer("/external_id", "duplicate", "Already used.")));
            }
            let definition =
                WorkflowDefinition { trigger: input.trigger.clone(), steps: input.steps.clone() };
            let now = tx.now();
            let row = WorkflowRow {
                id: tx.id(),
                external_id: input.external_id.clone(),
                name: input.name.trim().to_owned(),
                enabled: input.enabled,
                definition: serde_json::to_string(&definition).map_err(Problem::internal)?,
                rev: 1,
                created_at: now,
                updated_at: now,
            };
            store::insert_workflow(tx, ctx.tenant(), &row, &definition.trigger.event)?;
            emit(tx, ctx, "notify.workflow.created", &row);
            let location = format!("/v1/workflows/{}", row.id);
            Ok(Reply::created(&location, &WorkflowObject::try_from(row)?)?.with_etag(ctx, 1))
        })
        .await
}

/// Reads a workflow
#[utoipa::path(
    get, path = "/v1/workflows/{id}", operation_id = "get_workflow", tag = "Workflows",
    params(("id" = String, Path, description = "Id of the workflow, or `ext:` and your own key.", example = "ext:contact")),
    responses(
        (status = 200, description = "The workflow.", body = WorkflowObject),
        (status = 304, description = "You have it already."),
        Problems
    ),
    security(("secret_key" = ["notify:workflows:read"]), ("session" = ["notify:workflows:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
pub(crate) async fn get_workflow(
    State(notify): State<Notify>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let tenant = ctx.tenant().clone();
    let row = notify.store.read(move |tx| find(tx, &tenant, &id)).await?;
    conditional_json(&ctx, &WorkflowObject::try_from(row)?)
}

/// Changes a workflow
///
/// Notifications already planned keep their words. `If-Match` is required.
#[utoipa::path(
    patch, path = "/v1/workflows/{id}", operation_id = "update_workflow", tag = "Workflows",
    params(
        ("id" = String, Path, description = "Id of the workflow, or `ext:` and your own key.", example = "ext:contact"),
        ("If-Match" = Option<String>, Header, description = "ETag of the workflow that was changed. Required: without it the answer is 428.")
    ),
    request_body = UpdateWorkflow,
    responses((status = 200, description = "The changed workflow.", body = WorkflowObject), Problems),
    security(("secret_key" = ["notify:workflows:write"]), ("session" = ["notify:workflows:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn update_workflow(
    State(notify): State<Notify>,
    Path(id): Path<String>,
    command: Command<UpdateWorkflow>,
) -> ApiResult<Response> {
    command
        .run(&notify.store, move |tx, ctx, input| {
            let mut row = find(tx, ctx.tenant(), &id)?;
            ctx.require_match(row.rev)?;
            let mut definition = row.parsed()?;
            definition.trigger = input.trigger.clone().unwrap_or(definition.trigger);
            definition.steps = input.steps.clone().unwrap_or(definition.steps);
            let mut errors = faults(&definition.trigger, &definition.steps);
            if let Some(name) = &input.name {
                errors.extend(name_faults(name));
                row.name = name.trim().to_owned();
            }
            if !errors.is_empty() {
                return Err(Problem::validation(errors));
            }
            row.enabled = input.enabled.unwrap_or(row.enabled);
            row.definition = serde_json::to_string(&definition).map_err(Problem::internal)?;
            row.rev += 1;
            row.updated_at = tx.now();
            store::update_workflow(tx, ctx.tenant(), &row, &definition.trigger.event)?;
            emit(tx, ctx, "notify.workflow.updated", &row);
            let rev = row.rev;
            Ok(Reply::ok(&WorkflowObject::try_from(row)?)?.with_etag(ctx, rev))
        })
        .await
}

/// Deletes a workflow
///
/// Notifications already planned are still delivered.
#[utoipa::path(
    delete, path = "/v1/workflows/{id}", operation_id = "delete_workflow", tag = "Workflows",
    params(("id" = String, Path, description = "Id of the workflow, or `ext:` and your own key.", example = "ext:contact")),
    responses((status = 204, description = "It is gone."), Problems),
    security(("secret_key" = ["notify:workflows:write"]), ("session" = ["notify:workflows:write"])),
    extensions(("x-plinth" = json!({"class": "write"})))
)]
pub(crate) async fn delete_workflow(
    State(notify): State<Notify>,
    Path(id): Path<String>,
    command: Command<NoBody>,
) -> ApiResult<Response> {
    command
        .run(&notify.store, move |tx, ctx, _| {
            let row = find(tx, ctx.tenant(), &id)?;
            ctx.check_match(row.rev)?;
            store::delete_workflow(tx, ctx.tenant(), &row.id)?;
            emit(tx, ctx, "notify.workflow.deleted", &row);
            Ok(Reply::no_content())
        })
        .await
}
