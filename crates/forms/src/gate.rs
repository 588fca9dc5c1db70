//! The port for pages that work without JavaScript.

use crate::{
    model::definition::{Definition, Field},
    store::{FormRow, Hold},
    submit::{self, Origin},
};
use plinth_api::command::{KeyRow, Reply, once_in};
use plinth_kernel::{
    Actor, Code, Problem, TenantId,
    ports::{BoxFuture, FormFieldView, FormGate, FormView, SubmissionReceipt, VisitorContext},
};
use plinth_store::{Store, Tx};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Published forms for pages.
#[derive(Clone)]
pub struct Gate {
    store: Store,
}

impl Gate {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

fn field_view(definition: &Definition, field: &Field) -> FormFieldView {
    FormFieldView {
        key: field.key.clone(),
        kind: field.kind.as_str().to_owned(),
        label: definition.text(&field.label, &field.key).to_owned(),
        help: definition.text(&field.help, "").to_owned(),
        required: field.required,
        options: field
            .choices
            .iter()
            .map(|choice| (choice.key.clone(), definition.text(&choice.label, &choice.key).to_owned()))
            .collect(),
        max_length: field
            .kind
            .is_text()
            .then_some(field.max_length.unwrap_or(crate::limits::TEXT_DEFAULT_MAX_CHARS)),
        min_length: field.min_length,
        pattern: field.pattern.clone(),
        autocomplete: field.autocomplete.clone(),
    }
}

/// A form as a page needs it.
pub(crate) fn view(form: &FormRow, version: i64, definition: &Definition) -> FormView {
    FormView {
        id: form.id.to_string(),
        title: definition.text(&definition.title, &form.name).to_owned(),
        description: definition.text(&definition.description, "").to_owned(),
        version,
        fields: definition.fields().map(|field| field_view(definition, field)).collect(),
        submit_label: definition.text(&definition.settings.submit_label, "Send").to_owned(),
        thank_you: definition.text(&definition.settings.thank_you, "Thank you. It has arrived.").to_owned(),
    }
}

fn hand_in(
    tx: &mut Tx<'_>,
    visitor: &VisitorContext,
    key: &str,
    values: &BTreeMap<String, Value>,
) -> Result<SubmissionReceipt, Problem> {
    let form = submit::hold_form(tx, &visitor.tenant, key, Hold::Answer)?;
    let origin = Origin {
        tenant: &visitor.tenant,
        actor: visitor.visitor.parse().unwrap_or(Actor::Anonymous),
        client_ip: &visitor.client_ip,
        user_agent: &visitor.user_agent,
        trace: visitor.trace,
        limited: true,
    };
    let (row, _) = submit::submit(tx, &origin, &form, values)?;
    Ok(SubmissionReceipt { submission_id: row.id.to_string(), trace_id: row.trace_id })
}

/// A reload of the page that answered the form sends the same form again: one submission, the same receipt.
fn hand_in_once(
    tx: &mut Tx<'_>,
    visitor: &VisitorContext,
    key: &str,
    values: &BTreeMap<String, Value>,
    idem_key: &str,
) -> Result<SubmissionReceipt, Problem> {
    // By address alone: a page without JavaScript has no number of its visitor's before its first answer.
    let caller = format!("@{}", visitor.client_ip);
    let row = KeyRow {
        tenant: visitor.tenant.as_ref(),
        operation: "create_submission",
        caller: &caller,
        key: idem_key,
    };
    let body = serde_json::to_vec(&(key, values)).map_err(Problem::internal)?;
    let fingerprint: [u8; 32] = Sha256::digest(&body).into();
    let reply = once_in(tx, &row, &fingerprint, &visitor.request_id, |tx| {
        let receipt = hand_in(tx, visitor, key, values)?;
        Reply::ok(&(receipt.submission_id, receipt.trace_id))
    })?;
    let (submission_id, trace_id) = serde_json::from_slice(reply.body()).map_err(Problem::internal)?;
    Ok(SubmissionReceipt { submission_id, trace_id })
}

impl FormGate for Gate {
    fn published<'a>(
        &'a self,
        tenant: &'a TenantId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<FormView>, Problem>> {
        let (tenant, key) = (tenant.clone(), key.to_owned());
        Box::pin(async move {
            let found = self
                .store
                .read(move |tx| {
                    let form = submit::find_form(tx, &tenant, &key)?;
                    let (version, definition) = submit::live(tx, &tenant, &form)?;
                    Ok::<_, Problem>(view(&form, version.number, &definition))
                })
                .await;
            match found {
                Ok(view) => Ok(Some(view)),
                Err(problem) if matches!(problem.code, Code::NotFound | Code::StateConflict) => Ok(None),
                Err(problem) => Err(problem),
            }
        })
    }

    fn submit<'a>(
        &'a self,
        visitor: VisitorContext,
        key: &'a str,
        values: BTreeMap<String, Value>,
        idempotency_key: Option<String>,
    ) -> BoxFuture<'a, Result<SubmissionReceipt, Problem>> {
        let key = key.to_owned();
        Box::pin(async move {
            self.store
                .write(move |tx| match &idempotency_key {
                    None => hand_in(tx, &visitor, &key, &values),
                    Some(idem_key) => hand_in_once(tx, &visitor, &key, &values, idem_key),
                })
                .await
        })
    }
}
