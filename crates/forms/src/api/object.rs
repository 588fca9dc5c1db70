//! Forms, versions and submissions as callers see them.

use crate::{
    model::{answer, definition::Definition},
    store::{FormRow, SubmissionRow, VersionRow},
};
use plinth_api::Versioned;
use plinth_kernel::{FormId, FormVersionId, Micros, Problem, SubmissionId};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A form.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Form)]
pub(crate) struct FormObject {
    /// Id.
    pub id: FormId,
    /// Always `form`.
    #[schema(example = "form")]
    pub object: &'static str,
    /// The caller's own key.
    pub external_id: Option<String>,
    /// Name, for people who manage it.
    pub name: String,
    /// `active` or `archived`. An archived form takes no submissions.
    pub state: String,
    /// Number of the published version, if there is one.
    pub live_version: Option<i64>,
    /// Revision of the draft.
    pub draft_rev: i64,
    /// Revision of the form.
    pub rev: i64,
    /// The caller's own notes.
    pub metadata: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Micros,
    /// When it was last changed.
    pub updated_at: Micros,
}

impl From<FormRow> for FormObject {
    fn from(row: FormRow) -> Self {
        Self {
            id: row.id,
            object: "form",
            external_id: row.external_id,
            name: row.name,
            state: row.state,
            live_version: row.live_version,
            draft_rev: row.draft_rev,
            rev: row.rev,
            metadata: row.metadata,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Versioned for FormObject {
    fn rev(&self) -> i64 {
        self.rev
    }
}

/// The draft of a form.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FormDraft)]
pub(crate) struct DraftObject {
    /// Always `form_draft`.
    #[schema(example = "form_draft")]
    pub object: &'static str,
    /// The form.
    pub form_id: FormId,
    /// Revision of the draft: the ETag that a change must match.
    pub rev: i64,
    /// The definition.
    pub definition: Definition,
    /// What keeps it from being published. Empty when nothing does.
    pub faults: Vec<plinth_kernel::FieldError>,
}

impl DraftObject {
    pub fn new(form_id: FormId, rev: i64, definition: Definition) -> Self {
        let faults = definition.faults("/definition");
        Self { object: "form_draft", form_id, rev, definition, faults }
    }
}

impl Versioned for DraftObject {
    fn rev(&self) -> i64 {
        self.rev
    }
}

/// A published version of a form. It never changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FormVersion)]
pub(crate) struct VersionObject {
    /// Id.
    pub id: FormVersionId,
    /// Always `form_version`.
    #[schema(example = "form_version")]
    pub object: &'static str,
    /// The form.
    pub form_id: FormId,
    /// 1, 2, 3 …
    pub number: i64,
    /// SHA-256 of the definition.
    pub hash: String,
    /// What changed, in the publisher's words.
    pub note: String,
    /// Who published it.
    #[schema(example = "member:mbr_01kb3h5f8xe7ksq2v9w6m4t0rd")]
    pub published_by: String,
    /// When it was published.
    pub created_at: Micros,
    /// The definition.
    pub definition: Definition,
}

impl VersionObject {
    pub fn new(form_id: FormId, row: VersionRow) -> Result<Self, Problem> {
        let definition = row.parsed()?;
        Ok(Self {
            id: row.id,
            object: "form_version",
            form_id,
            number: row.number,
            hash: row.hash,
            note: row.note,
            published_by: row.published_by,
            created_at: row.published_at,
            definition,
        })
    }
}

/// The published form, as a renderer needs it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PublishedForm {
    /// Always `published_form`.
    #[schema(example = "published_form")]
    pub object: &'static str,
    /// The form.
    pub form_id: FormId,
    /// Number of the version.
    pub version: i64,
    /// SHA-256 of the definition.
    pub hash: String,
    /// The definition.
    pub definition: Definition,
}

/// A submission.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Submission)]
pub(crate) struct SubmissionObject {
    /// Id.
    pub id: SubmissionId,
    /// Always `submission`.
    #[schema(example = "submission")]
    pub object: &'static str,
    /// The form.
    pub form_id: FormId,
    /// The version that it answers.
    pub version: i64,
    /// `completed` or `spam`.
    #[schema(example = "completed")]
    pub state: String,
    /// The answers by the keys of that version.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub values: serde_json::Map<String, Value>,
    /// The answers as a person reads them, in order.
    pub fields: Vec<SubmissionField>,
    /// Who handed it in.
    #[schema(example = "anonymous")]
    pub actor: String,
    /// What the client called itself.
    pub user_agent: String,
    /// The trace of everything it led to.
    pub trace_id: String,
    /// Revision.
    pub rev: i64,
    /// When it was handed in.
    pub created_at: Micros,
    /// When it was last changed.
    pub updated_at: Micros,
}

/// An answer as a person reads it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SubmissionField {
    /// Key of the field.
    pub key: String,
    /// Its label.
    pub label: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The answer.
    pub display: String,
}

impl SubmissionObject {
    pub fn new(row: SubmissionRow, definition: &Definition) -> Result<Self, Problem> {
        let answers = row.answers()?;
        let fields = definition
            .fields()
            .filter_map(|field| {
                let stored = answers.get(&field.id)?;
                Some(SubmissionField {
                    key: field.key.clone(),
                    label: definition.text(&field.label, &field.key).to_owned(),
                    kind: field.kind.as_str().to_owned(),
                    display: answer::display(definition, field, stored),
                })
            })
            .collect();
        Ok(Self {
            id: row.id,
            object: "submission",
            form_id: row.form_id,
            version: row.version,
            state: row.state,
            values: answer::by_key(definition, &answers),
            fields,
            actor: row.actor,
            user_agent: row.user_agent,
            trace_id: row.trace_id,
            rev: row.rev,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Versioned for SubmissionObject {
    fn rev(&self) -> i64 {
        self.rev
    }
}
