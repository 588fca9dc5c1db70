//! A workflow: on which event, whom to tell, through which channels, in which words.

use crate::limits;
use plinth_kernel::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// What starts a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkflowTrigger)]
pub struct Trigger {
    /// Kind of the event.
    #[schema(example = "forms.submission.completed", max_length = 120)]
    pub event: String,
    /// All of these must hold. None: every such event.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub conditions: Vec<Condition>,
}

/// A condition on the event's data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkflowCondition)]
pub struct Condition {
    /// JSON Pointer into the event's data.
    #[schema(example = "/form_key", max_length = 200)]
    pub pointer: String,
    /// The value that must stand there.
    #[schema(value_type = Value, example = "contact")]
    pub equals: Value,
}

/// A step: one channel, some recipients, the words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "channel", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = WorkflowStep)]
pub enum Step {
    /// An e-mail.
    Email {
        /// Name of the step, unique in the workflow.
        #[schema(example = "mail_team", max_length = 64)]
        id: String,
        /// Who gets it.
        to: Audience,
        /// Template of the subject.
        #[schema(max_length = 50000)]
        subject: String,
        /// Template of the plain text.
        #[schema(max_length = 50000)]
        text: String,
        /// Template of the HTML part; values are escaped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(max_length = 50000)]
        html: Option<String>,
    },
    /// An item in the inbox of members, at once.
    InApp {
        /// Name of the step, unique in the workflow.
        #[schema(example = "tell_team", max_length = 64)]
        id: String,
        /// Who gets it.
        to: Audience,
        /// Template of the title.
        #[schema(max_length = 50000)]
        title: String,
        /// Template of the body.
        #[schema(max_length = 50000)]
        body: String,
        /// Template of where it leads, a path in the console.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(max_length = 50000)]
        url: Option<String>,
    },
}

/// Who gets something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = WorkflowAudience)]
pub enum Audience {
    /// Members of the tenant.
    Members(Members),
    /// One address. E-mail only.
    #[schema(example = "team@example.org")]
    Address(String),
}

/// Which members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WorkflowMembers)]
pub enum Members {
    /// All of them.
    All,
    /// Owners and admins.
    Admins,
}

impl Step {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Email { id, .. } | Self::InApp { id, .. } => id,
        }
    }

    /// Its channel, as tables and answers name it.
    #[must_use]
    pub fn channel(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::InApp { .. } => "in_app",
        }
    }

    /// Who gets it.
    #[must_use]
    pub fn audience(&self) -> &Audience {
        match self {
            Self::Email { to, .. } | Self::InApp { to, .. } => to,
        }
    }

    /// Its templates, with their names.
    fn templates(&self) -> Vec<(&'static str, &str)> {
        let parts = match self {
            Self::Email { subject, text, html, .. } => {
                [Some(("subject", subject)), Some(("text", text)), html.as_ref().map(|html| ("html", html))]
            }
            Self::InApp { title, body, url, .. } => {
                [Some(("title", title)), Some(("body", body)), url.as_ref().map(|url| ("url", url))]
            }
        };
        parts.into_iter().flatten().map(|(name, text)| (name, text.as_str())).collect()
    }
}

impl Trigger {
    /// Whether an event with this data starts the workflow. The kind is compared by whoever looks the workflow up.
    #[must_use]
    pub fn matches(&self, data: &Value) -> bool {
        self.conditions.iter().all(|condition| data.pointer(&condition.pointer) == Some(&condition.equals))
    }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Everything wrong with a trigger and its steps, with pointers into the request.
#[must_use]
pub fn faults(trigger: &Trigger, steps: &[Step]) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let kind_ok = (3..=120).contains(&trigger.event.len())
        && trigger.event.contains('.')
        && trigger
            .event
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'_');
    // A workflow on its own events would never come to rest.
    if !kind_ok || trigger.event.starts_with("notify.") {
        let detail = "The kind of an event such as `forms.submission.completed`, not one of `notify.`.";
        faults.push(FieldError::pointer("/trigger/event", "invalid_value", detail));
    }
    if trigger.conditions.len() > limits::CONDITIONS_MAX {
        let detail = format!("At most {} conditions.", limits::CONDITIONS_MAX);
        faults.push(FieldError::pointer("/trigger/conditions", "too_many", detail));
    }
    for (i, condition) in trigger.conditions.iter().enumerate() {
        if !condition.pointer.starts_with('/') || condition.pointer.len() > 200 {
            let detail = "A JSON Pointer such as `/form_key`.";
            faults.push(FieldError::pointer(
                format!("/trigger/conditions/{i}/pointer"),
                "invalid_value",
                detail,
            ));
        }
    }
    if steps.is_empty() || steps.len() > limits::STEPS_MAX {
        let detail = format!("From 1 to {} steps.", limits::STEPS_MAX);
        faults.push(FieldError::pointer("/steps", "out_of_range", detail));
    }
    let mut ids = BTreeSet::new();
    for (i, step) in steps.iter().enumerate().take(limits::STEPS_MAX) {
        step_faults(&format!("/steps/{i}"), step, &mut ids, &mut faults);
    }
    faults
}

fn step_faults<'a>(at: &str, step: &'a Step, ids: &mut BTreeSet<&'a str>, faults: &mut Vec<FieldError>) {
    if !is_name(step.id()) || !ids.insert(step.id()) {
        let detail = "1 to 64 letters, digits, `_` or `-`, unique in the workflow.";
        faults.push(FieldError::pointer(format!("{at}/id"), "invalid_id", detail));
    }
    match (step, step.audience()) {
        (Step::InApp { .. }, Audience::Address(_)) => {
            let detail = "An in-app item goes to members.";
            faults.push(FieldError::pointer(format!("{at}/to"), "not_applicable", detail));
        }
        (_, Audience::Address(address))
            if address.parse::<lettre::Address>().is_err() || address.len() > 254 =>
        {
            faults.push(FieldError::pointer(
                format!("{at}/to/address"),
                "invalid_email",
                "Not an e-mail address.",
            ));
        }
        _ => {}
    }
    for (name, text) in step.templates() {
        let fault = if text.chars().count() > limits::TEMPLATE_MAX_CHARS {
            Some(format!("At most {} characters.", limits::TEMPLATE_MAX_CHARS))
        } else {
            super::render::check(text).err()
        };
        if let Some(detail) = fault {
            faults.push(FieldError::pointer(format!("{at}/{name}"), "invalid_template", detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workflow(event: &str, steps: Value) -> Vec<String> {
        let trigger = serde_json::from_value(json!({"event": event})).unwrap();
        let steps: Vec<Step> = serde_json::from_value(steps).unwrap();
        faults(&trigger, &steps).into_iter().filter_map(|fault| fault.pointer).collect()
    }

    #[test]
    fn faults_name_their_place() {
        let mail = json!({"channel": "email", "id": "m", "to": {"members": "all"}, "subject": "Hi", "text": "{{ data.x }}"});
        assert_eq!(workflow("forms.submission.completed", json!([mail])), Vec::<String>::new());
        assert_eq!(workflow("notify.notification.sent", json!([mail])), ["/trigger/event"]);
        assert_eq!(workflow("forms.x", json!([])), ["/steps"]);
        assert_eq!(workflow("forms.x", json!([mail, mail])), ["/steps/1/id"]);
        let bad =
            json!({"channel": "email", "id": "m", "to": {"address": "nobody"}, "subject": "{{", "text": ""});
        assert_eq!(workflow("forms.x", json!([bad])), ["/steps/0/to/address", "/steps/0/subject"]);
        let bad = json!({"channel": "in_app", "id": "m", "to": {"address": "a@b.co"}, "title": "", "body": "{% for %}"});
        assert_eq!(workflow("forms.x", json!([bad])), ["/steps/0/to", "/steps/0/body"]);
    }

    #[test]
    fn conditions_compare_values_not_texts() {
        let trigger: Trigger =
            serde_json::from_value(json!({"event": "a.b", "conditions": [{"pointer": "/n", "equals": 1}]}))
                .unwrap();
        assert!(trigger.matches(&json!({"n": 1})));
        assert!(!trigger.matches(&json!({"n": "1"})));
        assert!(!trigger.matches(&json!({})));
    }
}
