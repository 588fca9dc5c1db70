//! Whether an answer fits a definition, and what is stored of it.

use super::definition::{Choice, Definition, Field, Kind, compile_pattern};
use crate::limits;
use plinth_kernel::FieldError;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Name of the input that people do not see and programs fill in.
pub const HONEYPOT_KEY: &str = "_website";

/// A checked answer: field id to stored value (text, choice id or boolean). Empty answers are absent.
pub type Answers = BTreeMap<String, Value>;

/// Checks `values` (field key to value) against the definition. Every fault at once, with pointers
/// `/values/<key>`.
pub fn check(definition: &Definition, values: &BTreeMap<String, Value>) -> Result<Answers, Vec<FieldError>> {
    let mut faults = Vec::new();
    for key in values.keys() {
        if key != HONEYPOT_KEY && definition.field(key).is_none() {
            faults.push(FieldError::pointer(
                at(key),
                "unknown_field",
                format!("The form has no field `{key}`."),
            ));
        }
    }
    let mut answers = Answers::new();
    for field in definition.fields() {
        match value_of(definition, field, values.get(&field.key)) {
            Ok(Some(value)) => {
                answers.insert(field.id.clone(), value);
            }
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(answers) } else { Err(faults) }
}

/// Whether a program filled in what people cannot see.
#[must_use]
pub fn is_spam(values: &BTreeMap<String, Value>) -> bool {
    match values.get(HONEYPOT_KEY) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

/// The answers as callers see them: field key to value, choices by their keys. Answers to fields that this
/// definition does not have are left out.
#[must_use]
pub fn by_key(definition: &Definition, answers: &Answers) -> Map<String, Value> {
    definition
        .fields()
        .filter_map(|field| {
            let stored = answers.get(&field.id)?;
            let shown = match (field.kind, stored) {
                (Kind::Choice, Value::String(id)) => {
                    field.choices.iter().find(|c| &c.id == id).map_or(stored.clone(), |c| json!(c.key))
                }
                _ => stored.clone(),
            };
            Some((field.key.clone(), shown))
        })
        .collect()
}

/// An answer as a person reads it, in the definition's default locale.
#[must_use]
pub fn display(definition: &Definition, field: &Field, stored: &Value) -> String {
    match (field.kind, stored) {
        (Kind::Checkbox, Value::Bool(ticked)) => if *ticked { "Yes" } else { "No" }.to_owned(),
        (Kind::Choice, Value::String(id)) => field
            .choices
            .iter()
            .find(|choice| &choice.id == id)
            .map_or_else(|| id.clone(), |choice| definition.text(&choice.label, &choice.key).to_owned()),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

fn at(key: &str) -> String {
    format!("/values/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn value_of(
    definition: &Definition,
    field: &Field,
    value: Option<&Value>,
) -> Result<Option<Value>, FieldError> {
    let fault = |code: &str, detail: String| FieldError::pointer(at(&field.key), code, detail);
    let label = definition.text(&field.label, &field.key);
    let missing = || {
        if field.required {
            Err(fault("required", format!("{label}: please fill this in.")))
        } else {
            Ok(None)
        }
    };
    match (field.kind, value) {
        (_, None | Some(Value::Null)) => missing(),
        (Kind::Checkbox, Some(Value::Bool(ticked))) => match (ticked, field.required) {
            (false, true) => Err(fault("required", format!("{label}: please tick this."))),
            _ => Ok(Some(Value::Bool(*ticked))),
        },
        // A page without JavaScript sends `on` for a ticked box and nothing for an empty one.
        (Kind::Checkbox, Some(Value::String(text))) if text == "on" || text == "true" => {
            Ok(Some(Value::Bool(true)))
        }
        (Kind::Checkbox, Some(_)) => Err(fault("invalid_type", format!("{label}: true or false."))),
        (Kind::Choice, Some(Value::String(text))) if text.is_empty() => missing(),
        (Kind::Choice, Some(Value::String(text))) => match choice(field, text) {
            Some(choice) => Ok(Some(Value::String(choice.id.clone()))),
            None => Err(fault("not_a_choice", format!("{label}: pick one of the choices."))
                .with_meta(json!({"choices": field.choices.iter().map(|c| &c.key).collect::<Vec<_>>()}))),
        },
        (_, Some(Value::String(text))) => {
            let text = normalise(text, field.kind);
            if text.is_empty() {
                missing()
            } else {
                check_text(definition, field, label, &text).map(|()| Some(Value::String(text)))
            }
        }
        (_, Some(_)) => Err(fault("invalid_type", format!("{label}: send text."))),
    }
}

fn choice<'a>(field: &'a Field, key: &str) -> Option<&'a Choice> {
    field.choices.iter().find(|choice| choice.key == key)
}

/// Outer white space is never meant; line ends become `\n`, and a one-line text has none.
fn normalise(text: &str, kind: Kind) -> String {
    let text = text.trim();
    match kind {
        Kind::LongText => text.replace("\r\n", "\n").replace('\r', "\n"),
        _ => text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "),
    }
}

fn check_text(definition: &Definition, field: &Field, label: &str, text: &str) -> Result<(), FieldError> {
    let fault = |code: &str, detail: String, meta: Value| {
        FieldError::pointer(at(&field.key), code, detail).with_meta(meta)
    };
    let length = text.chars().count();
    let max = field.max_length.unwrap_or(limits::TEXT_DEFAULT_MAX_CHARS);
    if length > max as usize {
        let detail = format!("{label}: at most {max} characters; this is {length}.");
        return Err(fault("too_long", detail, json!({"max": max, "actual": length})));
    }
    if let Some(min) = field.min_length.filter(|min| length < *min as usize) {
        let detail = format!("{label}: at least {min} characters; this is {length}.");
        return Err(fault("too_short", detail, json!({"min": min, "actual": length})));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(fault("invalid_text", format!("{label}: contains control characters."), json!({})));
    }
    if field.kind == Kind::Email && !is_email(text) {
        let detail = format!("{label}: not an e-mail address. It looks like name@example.com.");
        return Err(fault("invalid_email", detail, json!({})));
    }
    if let Some(pattern) = &field.pattern {
        // A published definition's patterns compile; one that does not is treated as not matching.
        if !compile_pattern(pattern).is_ok_and(|regex| regex.is_match(text)) {
            let message = definition.text(&field.pattern_message, "not in the expected form.");
            return Err(fault(
                "pattern_mismatch",
                format!("{label}: {message}"),
                json!({"pattern": pattern}),
            ));
        }
    }
    Ok(())
}

/// The rule of HTML's e-mail input (WHATWG HTML §4.10.5.1.5), with a dot required in the domain and RFC 5321's
/// lengths: what people type and servers deliver, not the whole of RFC 5322.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_ok = (1..=64).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    local_ok && text.len() <= 254 && domain.contains('.') && domain.split('.').all(label_ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contact() -> Definition {
        serde_json::from_value(json!({"lang": 1, "pages": [{"id": "p", "items": [
            {"id": "f1", "key": "name", "type": "text", "required": true, "min_length": 2, "max_length": 20, "label": {"en": "Name"}},
            {"id": "f2", "key": "email", "type": "email", "required": true},
            {"id": "f3", "key": "topic", "type": "choice", "choices": [{"id": "c1", "key": "role"}, {"id": "c2", "key": "other"}]},
            {"id": "f4", "key": "agree", "type": "checkbox", "required": true},
            {"id": "f5", "key": "code", "type": "text", "pattern": "[A-Z]{2}"}
        ]}]}))
        .unwrap()
    }

    fn values(value: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn answers_are_stored_under_ids() {
        let given =
            values(json!({"name": "  Ada ", "email": "ada@example.org", "topic": "role", "agree": true}));
        let answers = check(&contact(), &given).unwrap();
        assert_eq!(
            serde_json::to_value(&answers).unwrap(),
            json!({"f1": "Ada", "f2": "ada@example.org", "f3": "c1", "f4": true})
        );
        assert_eq!(
            Value::Object(by_key(&contact(), &answers)),
            json!({"name": "Ada", "email": "ada@example.org", "topic": "role", "agree": true})
        );
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let given = values(
            json!({"name": "A", "email": "nobody", "topic": "x", "agree": false, "code": "abc", "extra": 1}),
        );
        let faults = check(&contact(), &given).unwrap_err();
        let found: BTreeMap<_, _> =
            faults.iter().map(|f| (f.pointer.clone().unwrap(), f.code.as_str())).collect();
        let expected = [
            ("/values/agree", "required"),
            ("/values/code", "pattern_mismatch"),
            ("/values/email", "invalid_email"),
            ("/values/extra", "unknown_field"),
            ("/values/name", "too_short"),
            ("/values/topic", "not_a_choice"),
        ];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v)).into());
    }

    #[test]
    fn a_page_without_javascript_can_tick_a_box() {
        let given =
            values(json!({"name": "Ada", "email": "a@b.co", "agree": "on", "topic": "", "_website": ""}));
        assert_eq!(check(&contact(), &given).unwrap()["f4"], json!(true));
        assert!(!is_spam(&given));
        assert!(is_spam(&values(json!({"_website": "http://buy.example"}))));
    }

    #[test]
    fn addresses() {
        for good in ["a@b.co", "first.last+tag@sub.example.org", "x_y@ex-ample.com"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "@", "a@b", "a b@c.de", ".a@b.co", "a..b@c.de", "a@-b.co", "a@b..co", "a@b.co\n", "ü@b.co"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_reads_back_the_same(name in "[a-zA-Z]{2,20}", tick: bool) {
            let mut definition = contact();
            definition.pages[0].items[3].required = false;
            let given = values(json!({"name": name, "email": "a@b.co", "agree": tick}));
            let shown = by_key(&definition, &check(&definition, &given).unwrap());
            prop_assert_eq!(&shown["name"], &json!(name));
            prop_assert_eq!(&shown["agree"], &json!(tick));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,60}") {
            let _ = check(&contact(), &values(json!({"name": text, "email": text, "topic": text, "agree": text, "code": text})));
        }
    }
}
