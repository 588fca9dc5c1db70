//! Checks of input that several operations share. They collect, so that a caller learns every fault at once.

use plinth_kernel::{FieldError, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::NAME_CHARS_MAX;
use crate::model::email::Email;
use crate::model::origin::AllowedOrigin;

/// Faults found so far.
#[derive(Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    pub fn add(&mut self, pointer: impl Into<String>, code: &str, detail: impl Into<String>) {
        self.0.push(FieldError::pointer(pointer, code, detail));
    }

    /// Every fault, or none.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::validation(self.0)) }
    }

    /// A name that people read: trimmed, not empty, one line.
    pub fn name(&mut self, pointer: &str, text: &str) -> String {
        let text = text.trim();
        if text.is_empty() {
            self.add(pointer, "required", "A name is required.");
        } else if text.chars().count() > NAME_CHARS_MAX {
            self.add(pointer, "too_long", format!("A name may have at most {NAME_CHARS_MAX} characters."));
        } else if text.contains(char::is_control) {
            self.add(pointer, "invalid", "A name is a single line without control characters.");
        }
        text.to_owned()
    }

    pub fn email(&mut self, pointer: &str, text: &str) -> Option<Email> {
        let parsed = Email::parse(text);
        if let Err(error) = &parsed {
            self.add(pointer, "invalid_email", sentence(&error.to_string()));
        }
        parsed.ok()
    }

    pub fn origins(&mut self, pointer: &str, texts: &[String], max: usize) -> Vec<AllowedOrigin> {
        self.each(pointer, texts, max, "invalid_origin", |text| {
            AllowedOrigin::parse(text).map_err(|e| e.to_string())
        })
    }

    /// Reads every element of a list; more than `max` is a fault of the list.
    pub fn each<T: PartialEq>(
        &mut self,
        pointer: &str,
        texts: &[String],
        max: usize,
        code: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        if texts.len() > max {
            self.add(pointer, "too_many", format!("At most {max} are allowed."));
            return Vec::new();
        }
        let mut out = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match read(text) {
                Ok(value) if !out.contains(&value) => out.push(value),
                Ok(_) => {}
                Err(detail) => self.add(format!("{pointer}/{index}"), code, sentence(&detail)),
            }
        }
        out
    }
}

/// The text of an error as a sentence for people.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
}

/// At most `max` bytes of what somebody else wrote, cut at a character's edge.
pub(crate) fn clipped(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A list as its column holds it.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::internal)
}

/// A column that holds JSON of ours.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}

/// A column that holds a name of ours.
pub(crate) fn from_text<T: std::str::FromStr>(text: &str) -> Result<T, Problem>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(Problem::internal)
}
