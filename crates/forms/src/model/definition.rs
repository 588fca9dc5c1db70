//! The definition of a form: pages of fields, as data.
//!
//! Every page, field and choice has an immutable `id`; `key` is the renameable name that callers and exports use.
//! `lang` names the version of this language, so that later ones can add to it without changing what is stored.

use crate::limits;
use plinth_kernel::FieldError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Text in several languages: BCP 47 tag to text.
pub type Translations = BTreeMap<String, String>;

/// A whole definition. A draft may break every limit; publishing says which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Version of the definition language. Always 1 today.
    #[schema(value_type = u64)]
    pub lang: u32,
    /// Language of texts that a locale does not translate.
    #[serde(default = "english")]
    #[schema(example = "en")]
    pub default_locale: String,
    /// Heading.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub title: Translations,
    /// Below the heading.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub description: Translations,
    /// Pages in order.
    pub pages: Vec<Page>,
    /// Everything else.
    #[serde(default)]
    pub settings: Settings,
}

fn english() -> String {
    "en".to_owned()
}

/// A page of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FormPage)]
pub struct Page {
    /// Immutable id, unique in the definition.
    #[schema(example = "pg_1")]
    pub id: String,
    /// Heading.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub title: Translations,
    /// Fields in order.
    pub items: Vec<Field>,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FormField)]
pub struct Field {
    /// Immutable id, unique in the definition: answers are stored under it.
    #[schema(example = "fl_email")]
    pub id: String,
    /// Name of the value in the API and in exports; may change without touching answers.
    #[schema(example = "email")]
    pub key: String,
    /// What kind of answer.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Label.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub label: Translations,
    /// Help below the label.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub help: Translations,
    /// Whether an answer must be given. A required checkbox must be ticked.
    #[serde(default)]
    pub required: bool,
    /// Shortest text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub min_length: Option<u32>,
    /// Longest text, in characters. 1,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub max_length: Option<u32>,
    /// Regular expression that the whole text must match. Linear-time syntax: no look-around, no back-references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "[A-Z]{2}[0-9]{4}")]
    pub pattern: Option<String>,
    /// What to say when the pattern does not match.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub pattern_message: Translations,
    /// The choices of a `choice` field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// HTML's `autocomplete` token for the renderer, at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "email")]
    pub autocomplete: Option<String>,
}

/// The kinds of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FormFieldType)]
pub enum Kind {
    /// One line of text.
    Text,
    /// Several lines of text.
    LongText,
    /// An e-mail address.
    Email,
    /// One of several choices.
    Choice,
    /// Yes or no.
    Checkbox,
}

impl Kind {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::LongText => "long_text",
            Self::Email => "email",
            Self::Choice => "choice",
            Self::Checkbox => "checkbox",
        }
    }

    /// Whether the answer is text with a length.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::LongText | Self::Email)
    }
}

/// A choice of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FormChoice)]
pub struct Choice {
    /// Immutable id, unique in the definition: what is stored.
    #[schema(example = "ch_role")]
    pub id: String,
    /// Value in the API and in exports.
    #[schema(example = "role")]
    pub key: String,
    /// Label.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub label: Translations,
}

/// Everything about a form that is not a field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FormSettings)]
pub struct Settings {
    /// Label of the button.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub submit_label: Translations,
    /// Shown after a successful submission.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub thank_you: Translations,
}

/// The text for `locale`: exact tag, then its language, then the default locale, then `fallback`.
#[must_use]
pub fn translate<'a>(
    texts: &'a Translations,
    locale: &str,
    default_locale: &str,
    fallback: &'a str,
) -> &'a str {
    let language = locale.split('-').next().unwrap_or(locale);
    [locale, language, default_locale].iter().find_map(|tag| texts.get(*tag)).map_or(fallback, String::as_str)
}

impl Definition {
    /// Every field, in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.pages.iter().flat_map(|page| &page.items)
    }

    /// The field with this key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields().find(|field| field.key == key)
    }

    /// Text in the default locale.
    #[must_use]
    pub fn text<'a>(&'a self, texts: &'a Translations, fallback: &'a str) -> &'a str {
        translate(texts, &self.default_locale, &self.default_locale, fallback)
    }

    /// Everything wrong with it, each with a pointer into the definition below `base`. Empty means publishable.
    #[must_use]
    pub fn faults(&self, base: &str) -> Vec<FieldError> {
        let mut check =
            Check { base: base.to_owned(), faults: Vec::new(), ids: BTreeSet::new(), keys: BTreeSet::new() };
        check.definition(self);
        check.faults
    }
}

/// Compiles a pattern that must match the whole text. Matching takes time linear in the text.
pub fn compile_pattern(pattern: &str) -> Result<regex::Regex, String> {
    let compile = |pattern: &str| {
        regex::RegexBuilder::new(pattern)
            .size_limit(limits::PATTERN_MAX_COMPILED_BYTES)
            .dfa_size_limit(limits::PATTERN_MAX_COMPILED_BYTES)
            .build()
            .map_err(|error| {
                error.to_string().lines().last().unwrap_or("not a regular expression").to_owned()
            })
    };
    // By itself first: `a)|(b` is no expression, but would become one between our own parentheses.
    compile(pattern)?;
    compile(&format!("^(?:{pattern})$"))
}

/// A walk over a definition that collects faults.
struct Check {
    base: String,
    faults: Vec<FieldError>,
    ids: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Check {
    fn fault(&mut self, pointer: &str, code: &str, detail: impl Into<String>) {
        self.faults.push(FieldError::pointer(format!("{}{pointer}", self.base), code, detail));
    }

    fn definition(&mut self, definition: &Definition) {
        if definition.lang != 1 {
            self.fault("/lang", "unsupported", "This server speaks definition language 1.");
        }
        if !is_locale(&definition.default_locale) {
            self.fault("/default_locale", "invalid_locale", "Give a BCP 47 tag such as `en` or `pt-BR`.");
        }
        self.texts("/title", &definition.title);
        self.texts("/description", &definition.description);
        self.texts("/settings/submit_label", &definition.settings.submit_label);
        self.texts("/settings/thank_you", &definition.settings.thank_you);
        if definition.pages.len() > limits::PAGES_MAX {
            self.fault("/pages", "too_many", format!("At most {} pages.", limits::PAGES_MAX));
        }
        if definition.fields().filter(|field| field.pattern.is_some()).count() > limits::PATTERNS_MAX {
            self.fault(
                "/pages",
                "too_many",
                format!("At most {} fields with a pattern.", limits::PATTERNS_MAX),
            );
        }
        let fields = definition.fields().count();
        if fields == 0 {
            self.fault("/pages", "no_fields", "A form needs at least one field.");
        }
        if fields > limits::FIELDS_MAX {
            self.fault("/pages", "too_many", format!("At most {} fields.", limits::FIELDS_MAX));
            return;
        }
        for (p, page) in definition.pages.iter().enumerate().take(limits::PAGES_MAX) {
            let at = format!("/pages/{p}");
            self.id(&at, &page.id);
            self.texts(&format!("{at}/title"), &page.title);
            for (i, field) in page.items.iter().enumerate() {
                self.field(&format!("{at}/items/{i}"), field);
            }
        }
    }

    fn field(&mut self, at: &str, field: &Field) {
        self.id(at, &field.id);
        self.key(at, &field.key);
        if !self.keys.insert(field.key.clone()) {
            self.fault(
                &format!("{at}/key"),
                "duplicate_key",
                format!("Two fields have the key `{}`.", field.key),
            );
        }
        self.texts(&format!("{at}/label"), &field.label);
        self.texts(&format!("{at}/help"), &field.help);
        self.texts(&format!("{at}/pattern_message"), &field.pattern_message);
        if field.autocomplete.as_ref().is_some_and(|token| token.chars().count() > limits::KEY_MAX_CHARS) {
            let detail = format!("At most {} characters.", limits::KEY_MAX_CHARS);
            self.fault(&format!("{at}/autocomplete"), "too_long", detail);
        }
        if field.kind.is_text() {
            self.text_rules(at, field);
        } else if field.min_length.is_some() || field.max_length.is_some() || field.pattern.is_some() {
            let detail = format!("Length and pattern do not apply to a {} field.", field.kind.as_str());
            self.fault(at, "not_applicable", detail);
        }
        self.choices(at, field);
    }

    fn text_rules(&mut self, at: &str, field: &Field) {
        let max = field.max_length.unwrap_or(limits::TEXT_DEFAULT_MAX_CHARS);
        if max == 0 || max > limits::TEXT_MAX_CHARS {
            let detail = format!("From 1 to {} characters.", limits::TEXT_MAX_CHARS);
            self.fault(&format!("{at}/max_length"), "out_of_range", detail);
        }
        if field.min_length.is_some_and(|min| min > max) {
            self.fault(&format!("{at}/min_length"), "out_of_range", "No text is that long and that short.");
        }
        if let Some(pattern) = &field.pattern {
            let fault = if pattern.chars().count() > limits::PATTERN_MAX_CHARS {
                Some(format!("At most {} characters.", limits::PATTERN_MAX_CHARS))
            } else {
                compile_pattern(pattern).err()
            };
            if let Some(detail) = fault {
                self.fault(&format!("{at}/pattern"), "invalid_pattern", detail);
            }
        }
    }

    fn choices(&mut self, at: &str, field: &Field) {
        if field.kind != Kind::Choice {
            if !field.choices.is_empty() {
                self.fault(&format!("{at}/choices"), "not_applicable", "Only a choice field has choices.");
            }
            return;
        }
        if field.choices.is_empty() || field.choices.len() > limits::CHOICES_MAX {
            let detail = format!("A choice field has 1 to {} choices.", limits::CHOICES_MAX);
            self.fault(&format!("{at}/choices"), "out_of_range", detail);
        }
        let mut keys = BTreeSet::new();
        for (c, choice) in field.choices.iter().enumerate().take(limits::CHOICES_MAX) {
            let at = format!("{at}/choices/{c}");
            self.id(&at, &choice.id);
            self.key(&at, &choice.key);
            if !keys.insert(&choice.key) {
                self.fault(
                    &format!("{at}/key"),
                    "duplicate_key",
                    format!("Two choices have the key `{}`.", choice.key),
                );
            }
            self.texts(&format!("{at}/label"), &choice.label);
        }
    }

    fn id(&mut self, at: &str, id: &str) {
        if !is_name(id) {
            self.fault(&format!("{at}/id"), "invalid_id", "1 to 64 letters, digits, `_` or `-`.");
        } else if !self.ids.insert(id.to_owned()) {
            self.fault(&format!("{at}/id"), "duplicate_id", format!("The id `{id}` is used twice."));
        }
    }

    fn key(&mut self, at: &str, key: &str) {
        // A leading underscore is kept for the renderer's own inputs, such as the honeypot.
        if !is_name(key) || key.starts_with('_') {
            let detail = "1 to 64 letters, digits, `_` or `-`, not beginning with `_`.";
            self.fault(&format!("{at}/key"), "invalid_key", detail);
        }
    }

    fn texts(&mut self, at: &str, texts: &Translations) {
        if texts.len() > limits::LOCALES_MAX {
            self.fault(at, "too_many", format!("At most {} locales.", limits::LOCALES_MAX));
        }
        for (locale, text) in texts.iter().take(limits::LOCALES_MAX) {
            if !is_locale(locale) {
                self.fault(
                    at,
                    "invalid_locale",
                    format!("`{locale}` is not a BCP 47 tag such as `en` or `pt-BR`."),
                );
            }
            if text.chars().count() > limits::LABEL_MAX_CHARS {
                let detail = format!("At most {} characters.", limits::LABEL_MAX_CHARS);
                self.fault(&format!("{at}/{locale}"), "too_long", detail);
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=limits::KEY_MAX_CHARS).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts
        .next()
        .is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    language
        && text.len() <= 35
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition(items: serde_json::Value) -> Definition {
        serde_json::from_value(json!({"lang": 1, "pages": [{"id": "pg_1", "items": items}]})).unwrap()
    }

    #[test]
    fn each_fault_is_found_where_it_is() {
        let cases = [
            (json!([]), "/pages", "no_fields"),
            (
                json!([{"id": "a", "key": "x", "type": "text"}, {"id": "b", "key": "x", "type": "text"}]),
                "/pages/0/items/1/key",
                "duplicate_key",
            ),
            (
                json!([{"id": "a", "key": "x", "type": "text"}, {"id": "a", "key": "y", "type": "text"}]),
                "/pages/0/items/1/id",
                "duplicate_id",
            ),
            (json!([{"id": "a", "key": "_x", "type": "text"}]), "/pages/0/items/0/key", "invalid_key"),
            (
                json!([{"id": "a", "key": "x", "type": "text", "pattern": "(a"}]),
                "/pages/0/items/0/pattern",
                "invalid_pattern",
            ),
            (
                json!([{"id": "a", "key": "x", "type": "text", "pattern": "(?=a)b"}]),
                "/pages/0/items/0/pattern",
                "invalid_pattern",
            ),
            (
                json!([{"id": "a", "key": "x", "type": "text", "min_length": 9, "max_length": 3}]),
                "/pages/0/items/0/min_length",
                "out_of_range",
            ),
            (
                json!([{"id": "a", "key": "x", "type": "text", "max_length": 0}]),
                "/pages/0/items/0/max_length",
                "out_of_range",
            ),
            (json!([{"id": "a", "key": "x", "type": "choice"}]), "/pages/0/items/0/choices", "out_of_range"),
            (
                json!([{"id": "a", "key": "x", "type": "checkbox", "max_length": 3}]),
                "/pages/0/items/0",
                "not_applicable",
            ),
            (
                json!([{"id": "a", "key": "x", "type": "text", "label": {"english": "X"}}]),
                "/pages/0/items/0/label",
                "invalid_locale",
            ),
        ];
        for (items, pointer, code) in cases {
            let faults = definition(items.clone()).faults("");
            assert!(
                faults.iter().any(|f| f.pointer.as_deref() == Some(pointer) && f.code == code),
                "{items}: {faults:?}"
            );
        }
    }

    #[test]
    fn a_pattern_that_would_explode_is_refused() {
        assert!(compile_pattern("(a{1000}){1000}").is_err());
        let evil = compile_pattern("(a+)+b").unwrap();
        assert!(!evil.is_match(&"a".repeat(20_000)), "linear time: this returns at once");
    }

    #[test]
    fn a_pattern_covers_the_whole_text() {
        let pattern = compile_pattern("a|b").unwrap();
        assert!(compile_pattern("a)|(b").is_err(), "it cannot leave its parentheses");
        assert!(pattern.is_match("a") && pattern.is_match("b"));
        assert!(!pattern.is_match("ab") && !pattern.is_match("xa"));
    }

    #[test]
    fn texts_fall_back_from_region_to_language_to_default() {
        let texts = Translations::from([("en".into(), "Name".into()), ("de".into(), "Name (de)".into())]);
        assert_eq!(translate(&texts, "de-AT", "en", "-"), "Name (de)");
        assert_eq!(translate(&texts, "fr", "en", "-"), "Name");
        assert_eq!(translate(&Translations::new(), "fr", "en", "-"), "-");
    }
}
