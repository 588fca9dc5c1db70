//! Templates to words, bounded in time and size.
//!
//! A template sees `event` (id, kind, time) and `data`, the event's own data. What is absent renders as nothing: a
//! notification with a gap is better than none. HTML is escaped; subject and title lose their line breaks, so that a
//! value cannot add a header.

use super::workflow::Step;
use crate::limits;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use plinth_kernel::Event;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "channel", rename_all = "snake_case")]
#[schema(as = NotificationContent)]
pub enum Content {
    /// An e-mail.
    Email {
        /// Subject.
        subject: String,
        /// Plain text.
        text: String,
        /// HTML part.
        #[serde(skip_serializing_if = "Option::is_none")]
        html: Option<String>,
    },
    /// An inbox item.
    InApp {
        /// Title.
        title: String,
        /// Body.
        body: String,
        /// Where it leads.
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
}

fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(limits::TEMPLATE_FUEL));
    environment
}

/// Whether a template can be read and names only what exists. Filters and functions are looked up when a template is
/// rendered, so it is, with nothing in it; what fails for want of data is no fault of the template.
pub fn check(template: &str) -> Result<(), String> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| told(&error))?;
    match parsed.render(()) {
        Err(error) if is_unknown_name(error.kind()) => Err(told(&error)),
        _ => Ok(()),
    }
}

/// What is wrong and in which line, without the engine's own name for a template that has none.
fn told(error: &minijinja::Error) -> String {
    let text = error.to_string();
    let sentence = text.split(" (in <string>").next().unwrap_or(&text);
    match error.line() {
        Some(line) => format!("Line {line}: {sentence}."),
        None => format!("{sentence}."),
    }
}

fn is_unknown_name(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnknownFilter
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownMethod
    )
}

fn render(template: &str, context: &Value, escape: bool) -> Result<String, String> {
    let mut environment = environment();
    environment.set_auto_escape_callback(move |_| if escape { AutoEscape::Html } else { AutoEscape::None });
    let text = environment
        .render_str(template, minijinja::Value::from(minijinja::value::Serde(context)))
        .map_err(|error| error.to_string())?;
    if text.len() > limits::RENDERED_MAX_BYTES {
        return Err(format!("it renders to more than {} bytes", limits::RENDERED_MAX_BYTES));
    }
    Ok(text)
}

/// One line, not too long.
fn line(text: &str) -> String {
    let joined =
        text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    joined.trim().chars().take(limits::SUBJECT_MAX_CHARS).collect()
}

/// A path in the console or an https address; anything else (`javascript:` …) leads nowhere.
fn safe_url(text: &str) -> Option<String> {
    let text = line(text);
    let ok = (text.starts_with('/') && !text.starts_with("//")) || text.starts_with("https://");
    ok.then_some(text)
}

/// Renders a step for an event.
pub fn content(step: &Step, event: &Event) -> Result<Content, String> {
    let context = json!({
        "event": {"id": event.id, "kind": event.kind, "created_at": event.created_at, "trace_id": event.trace.trace_id},
        "data": event.data,
    });
    match step {
        Step::Email { subject, text, html, .. } => Ok(Content::Email {
            subject: line(&render(subject, &context, false)?),
            text: render(text, &context, false)?,
            html: html.as_ref().map(|html| render(html, &context, true)).transpose()?,
        }),
        Step::InApp { title, body, url, .. } => Ok(Content::InApp {
            title: line(&render(title, &context, false)?),
            body: render(body, &context, false)?,
            url: match url {
                None => None,
                Some(url) => safe_url(&render(url, &context, false)?),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::{Actor, Micros, TraceContext, World};
    use proptest::prelude::*;

    fn event(data: Value) -> Event {
        let (world, _) = World::manual(1);
        Event {
            id: world.id(),
            partition: 0,
            sequence: 1,
            tenant: world.id(),
            kind: "forms.submission.completed".into(),
            version: 1,
            subject: "s".into(),
            data,
            actor: Actor::Anonymous,
            trace: TraceContext::root(&world),
            causation: None,
            created_at: Micros(0),
        }
    }

    fn email(subject: &str, text: &str, html: &str) -> Step {
        serde_json::from_value(json!({"channel": "email", "id": "m", "to": {"members": "all"}, "subject": subject, "text": text, "html": html})).unwrap()
    }

    #[test]
    fn a_value_cannot_add_a_header_or_markup() {
        let step = email("From {{ data.name }}", "{{ data.name }}", "<p>{{ data.name }}</p>");
        let rendered = content(&step, &event(json!({"name": "Eve\r\nBcc: all@example.org <b>"}))).unwrap();
        let Content::Email { subject, html, .. } = rendered else { panic!("an e-mail") };
        assert_eq!(subject, "From Eve Bcc: all@example.org <b>");
        assert!(html.unwrap().contains("&lt;b&gt;"));
    }

    #[test]
    fn an_endless_template_is_stopped() {
        let step =
            email("x", "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "");
        assert!(content(&step, &event(json!({}))).is_err());
    }

    #[test]
    fn what_is_absent_renders_as_nothing() {
        let step = email("[{{ data.a.b.c }}]", "", "");
        let Content::Email { subject, .. } = content(&step, &event(json!({}))).unwrap() else {
            panic!("an e-mail")
        };
        assert_eq!(subject, "[]");
    }

    #[test]
    fn a_template_that_names_what_does_not_exist_is_refused() {
        assert!(check("{{ data.x | shout }}").is_err());
        assert!(check("{{ shout(data.x) }}").is_err());
        assert_eq!(check("{{ data.x.y | upper }} {{ data.list[:3] }}"), Ok(()));
    }

    #[test]
    fn links_lead_into_the_console_or_to_https() {
        assert_eq!(safe_url("/console/x"), Some("/console/x".into()));
        for bad in ["javascript:alert(1)", "//evil.example", "http://a", ""] {
            assert_eq!(safe_url(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_template_panics(text in "\\PC{0,60}") {
            let _ = check(&text);
            let _ = render(&text, &json!({}), true);
        }
    }
}
