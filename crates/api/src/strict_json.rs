//! Strict JSON: what `serde_json` lets pass and a contract should not.
//!
//! Refused before a type sees the document: invalid UTF-8, a byte order mark, repeated keys (RFC 8259 §4 leaves
//! their meaning open, so two readers may disagree), nesting beyond [`JSON_DEPTH_MAX`] and U+0000 in strings,
//! which PostgreSQL cannot store. Faults of the type come back with a JSON Pointer.

use crate::limits::JSON_DEPTH_MAX;
use plinth_kernel::{Code, FieldError, Problem};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::{collections::HashSet, fmt};

/// Reads `bytes` as a `T`. An empty pointer names the whole document.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        Problem::new(Code::InvalidJson, format!("The body is not UTF-8 at byte {}.", e.valid_up_to()))
    })?;
    check(text)?;
    // A derived struct would read an array by position; a body is always an object.
    if !text.trim_start().starts_with('{') {
        let detail = "The body is a JSON object.";
        return Err(Problem::validation(vec![FieldError::pointer("", "invalid_type", detail)]));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| explain(&error))
}

/// Walks the document once without building it.
fn check(text: &str) -> Result<(), Problem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Walk { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|e| Problem::new(Code::InvalidJson, format!("The body is not acceptable JSON: {e}.")))
}

struct Walk {
    depth: usize,
}

impl Walk {
    fn deeper<E: serde::de::Error>(&self) -> Result<Walk, E> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(E::custom(format_args!("nested deeper than {JSON_DEPTH_MAX} levels")));
        }
        Ok(Walk { depth: self.depth + 1 })
    }
}

fn no_nul<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom("U+0000 is not allowed in strings")) } else { Ok(()) }
}

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        no_nul(text)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.deeper::<A::Error>()?)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            no_nul(&key)?;
            entries.next_value_seed(self.deeper::<A::Error>()?)?;
            if let Some(repeated) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("the key {repeated:?} occurs twice")));
            }
        }
        Ok(())
    }
}

/// Turns the path of `serde_path_to_error` into a JSON Pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => out.push_str(&format!("/{index}")),
            Segment::Map { key } => push_key(&mut out, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    out
}

fn push_key(out: &mut String, key: &str) {
    out.push('/');
    out.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

/// The name between the first pair of backticks: serde quotes fields so.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let message = error.inner().to_string();
    // serde_json appends " at line 1 column 20"; the pointer says it better.
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    let mut at = pointer(error.path());
    if message.starts_with("unknown field") {
        let name = quoted(&message).unwrap_or("?").to_owned();
        // The path already ends in the field for structs read as maps, but not for every shape.
        let mut segment = String::new();
        push_key(&mut segment, &name);
        if !at.ends_with(&segment) {
            at.push_str(&segment);
        }
        let detail = format!("This operation has no field `{name}`.");
        return Problem::new(Code::UnknownField, detail.clone()).field(FieldError::pointer(
            at,
            "unknown_field",
            detail,
        ));
    }
    if message.starts_with("missing field") {
        push_key(&mut at, quoted(&message).unwrap_or("?"));
        return Problem::validation(vec![FieldError::pointer(at, "required", "This field is required.")]);
    }
    let code = match () {
        () if message.starts_with("unknown variant") => "not_a_choice",
        () if message.starts_with("invalid type") => "invalid_type",
        () if message.starts_with("invalid length") => "invalid_length",
        () => "invalid_value",
    };
    let mut sentence = message;
    if let Some(first) = sentence.get(..1) {
        sentence = first.to_uppercase() + &sentence[1..];
    }
    Problem::validation(vec![FieldError::pointer(at, code, format!("{sentence}."))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Order {
        name: String,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Line {
        qty: u32,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Gift,
    }

    fn fault(body: &str) -> (Code, Option<String>, String) {
        let problem = from_slice::<Order>(body.as_bytes()).unwrap_err();
        let error = problem.errors.first().cloned().unwrap_or_default();
        (problem.code, error.pointer, error.code)
    }

    #[test]
    fn each_fault_names_its_place() {
        let cases = [
            (
                r#"{"name":"a","lines":[{"qty":1},{"qty":"2"}]}"#,
                Code::ValidationFailed,
                "/lines/1/qty",
                "invalid_type",
            ),
            (r#"{"name":"a","lines":[{}]}"#, Code::ValidationFailed, "/lines/0/qty", "required"),
            (r#"{"nam":"a"}"#, Code::UnknownField, "/nam", "unknown_field"),
            (
                r#"{"name":"a","lines":[{"qty":1,"x/y":2}]}"#,
                Code::UnknownField,
                "/lines/0/x~1y",
                "unknown_field",
            ),
            (r#"{"name":"a","lines":[{"qty":-1}]}"#, Code::ValidationFailed, "/lines/0/qty", "invalid_value"),
            (
                r#"{"name":"a","lines":[{"qty":1,"kind":"loan"}]}"#,
                Code::ValidationFailed,
                "/lines/0/kind",
                "not_a_choice",
            ),
            (r#"[]"#, Code::ValidationFailed, "", "invalid_type"),
        ];
        for (body, code, pointer, name) in cases {
            assert_eq!(fault(body), (code, Some(pointer.to_owned()), name.to_owned()), "{body}");
        }
    }

    #[test]
    fn what_readers_may_disagree_on_is_refused() {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        for body in [
            "",
            "{",
            "{} x",
            "\u{feff}{}",
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a\u0000"}"#,
            &deep,
            "NaN",
            r#"{"name":"\ud800"}"#,
        ] {
            assert_eq!(
                from_slice::<serde_json::Value>(body.as_bytes()).unwrap_err().code,
                Code::InvalidJson,
                "{body}"
            );
        }
        assert_eq!(from_slice::<Order>(b"{\"name\":\"\xff\"}").unwrap_err().code, Code::InvalidJson);
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = from_slice::<Order>(&bytes);
        }
    }
}
