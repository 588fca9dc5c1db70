//! The contact form as it is shown, and as it comes back without JavaScript.

use plinth_kernel::{
    Problem,
    ports::{FormFieldView, FormView, VisitorContext},
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

/// A field that people do not see and programs fill in. The underscore keeps it apart from a form's own fields.
pub const HONEYPOT: &str = "_website";

/// The form and where its reader stands.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FormState {
    /// The published form; `None` when there is none or it cannot be had.
    pub view: Option<FormView>,
    /// What was typed.
    pub values: BTreeMap<String, String>,
    /// Field → what is wrong with it.
    pub errors: BTreeMap<String, String>,
    /// What is wrong with the whole.
    pub problem: Option<String>,
    /// Sent; the reference of the message, where there is one.
    pub sent: Option<String>,
}

impl FormState {
    /// The untouched form.
    #[must_use]
    pub fn pristine(view: Option<FormView>) -> Self {
        Self { view, ..Self::default() }
    }

    /// Tells two published forms apart, for the page cache.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Some(view) = &self.view {
            serde_json::to_string(view).unwrap_or_default().hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Shows a refusal next to the fields it names.
    pub fn refuse(&mut self, problem: &Problem) {
        for error in &problem.errors {
            let key = error.pointer.as_deref().and_then(|p| p.rsplit('/').next()).unwrap_or_default();
            if self.view.as_ref().is_some_and(|view| view.fields.iter().any(|f| f.key == key)) {
                self.errors.entry(key.to_owned()).or_insert_with(|| error.detail.clone());
            }
        }
        self.problem = Some(if self.errors.is_empty() {
            problem.detail.clone()
        } else {
            "The message was not sent yet. Please look at the marked fields.".to_owned()
        });
    }
}

/// Values in the types that the form's fields have. Names that the form does not know are dropped: a browser
/// sends the honeypot along with everything else.
#[must_use]
pub fn typed_values(view: &FormView, typed: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    view.fields.iter().filter_map(|field| Some((field.key.clone(), typed_value(field, typed)?))).collect()
}

fn typed_value(field: &FormFieldView, typed: &BTreeMap<String, String>) -> Option<Value> {
    let text = typed.get(&field.key);
    if field.kind == "checkbox" {
        return Some(Value::Bool(text.is_some()));
    }
    // Browsers end lines with CR LF, whatever the reader typed.
    text.map(|t| t.replace("\r\n", "\n")).filter(|t| !t.trim().is_empty()).map(Value::String)
}

/// One reader sending the same words twice sends one message: a double click or a reload is not a second one. Who it is
/// tells the address and the browser; a number from a cookie is only given with the first answer.
#[must_use]
pub fn idempotency_key(visitor: &VisitorContext, form: &str, values: &BTreeMap<String, Value>) -> String {
    let reader = (&visitor.client_ip, &visitor.user_agent);
    let text = serde_json::to_string(&(reader, form, values)).unwrap_or_default();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).fold("site-".to_owned(), |key, byte| format!("{key}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::{FieldError, TraceContext, World};

    fn field(key: &str, kind: &str) -> FormFieldView {
        FormFieldView {
            key: key.into(),
            kind: kind.into(),
            label: key.into(),
            help: String::new(),
            required: true,
            options: vec![],
            max_length: None,
            min_length: None,
            pattern: None,
            autocomplete: None,
        }
    }

    fn view() -> FormView {
        FormView {
            id: "frm_1".into(),
            title: "Contact".into(),
            description: String::new(),
            version: 1,
            fields: vec![
                field("email", "email"),
                field("message", "long_text"),
                field("consent", "checkbox"),
            ],
            submit_label: "Send".into(),
            thank_you: "Thanks".into(),
        }
    }

    #[test]
    fn values_get_the_types_of_their_fields_and_strangers_are_dropped() {
        let typed = [("email", "a@b.c"), ("message", "x\r\ny"), ("consent", "on"), ("_website", "spam")];
        let typed = typed.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let values = typed_values(&view(), &typed);
        assert_eq!(
            serde_json::json!(values),
            serde_json::json!({"consent": true, "email": "a@b.c", "message": "x\ny"})
        );
    }

    #[test]
    fn the_same_message_of_one_reader_has_one_key() {
        let values = typed_values(&view(), &BTreeMap::from([("email".to_owned(), "a@b.c".to_owned())]));
        let (world, _) = World::manual(1);
        let reader = VisitorContext {
            tenant: world.id(),
            request_id: "req".into(),
            trace: TraceContext::root(&world),
            visitor: "visitor:v1".into(),
            client_ip: "192.0.2.1".into(),
            user_agent: "browser".into(),
        };
        let key = |reader: &VisitorContext| idempotency_key(reader, "contact", &values);
        let before_the_cookie = VisitorContext { visitor: "visitor:v2".into(), ..reader.clone() };
        let elsewhere = VisitorContext { client_ip: "192.0.2.2".into(), ..reader.clone() };
        assert_eq!(key(&reader), key(&before_the_cookie));
        assert_ne!(key(&reader), key(&elsewhere));
    }

    #[test]
    fn a_refusal_is_shown_at_the_fields_it_names() {
        let mut state = FormState::pristine(Some(view()));
        let error = FieldError::pointer("/values/email", "invalid_email", "Write an e-mail address.");
        state.refuse(&Problem::validation(vec![error]));
        assert_eq!(state.errors["email"], "Write an e-mail address.");
    }
}
