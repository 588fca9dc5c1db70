//! TOML front matter between two `+++` lines, with every fault on its line.

use super::error::Fault;
use serde::de::DeserializeOwned;

const FENCE: &str = "+++";

/// A file cut in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The TOML text.
    pub front: &'a str,
    /// The Markdown text.
    pub body: &'a str,
    /// Lines before the front matter's first line.
    pub front_offset: usize,
    /// Lines before the body's first line.
    pub body_offset: usize,
}

/// Cuts a file at its fences.
pub fn split<'a>(file: &str, text: &'a str) -> Result<Parts<'a>, Fault> {
    let Some(rest) = text.strip_prefix("+++\n") else {
        return Err(Fault::at(file, 1, "must begin with a line `+++` and TOML front matter"));
    };
    let mut offset = 0;
    for (i, line) in rest.split_inclusive('\n').enumerate() {
        if line.trim_end() == FENCE {
            let body = &rest[offset + line.len()..];
            return Ok(Parts { front: &rest[..offset], body, front_offset: 1, body_offset: i + 2 });
        }
        offset += line.len();
    }
    Err(Fault::at(file, 1, "the front matter is not closed: a second line `+++` is missing"))
}

/// Parses TOML. `lines_before` is what stands above `text` in the file.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str, lines_before: usize) -> Result<T, Fault> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start)) + lines_before;
        Fault::at(file, line, error.message().trim().replace('\n', "; "))
    })
}

/// The line of a byte offset, counted from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Front {
        #[allow(dead_code)]
        title: String,
        #[serde(default)]
        #[allow(dead_code)]
        order: u32,
    }

    #[test]
    fn an_unknown_key_is_refused_on_its_line() {
        let text = "title = \"x\"\n\ncolour = \"red\"\n";
        let fault = parse::<Front>("a.md", text, 1).unwrap_err();
        assert_eq!(fault.line, Some(4), "{fault}");
        assert!(fault.message.contains("colour"), "{fault}");
    }

    #[test]
    fn a_wrong_type_and_broken_syntax_are_reported_on_their_lines() {
        let fault = parse::<Front>("a.md", "title = \"x\"\norder = \"one\"\n", 1).unwrap_err();
        assert_eq!(fault.line, Some(3), "{fault}");
        let fault = parse::<Front>("a.md", "title = \"x\"\norder = [\n\n", 1).unwrap_err();
        assert!(fault.line.is_some_and(|line| line >= 3), "{fault}");
    }

    #[test]
    fn body_lines_are_counted_from_the_top_of_the_file() {
        let parts = split("a.md", "+++\ntitle = \"x\"\n+++\nfirst\n").unwrap();
        assert_eq!((parts.front, parts.body, parts.body_offset), ("title = \"x\"\n", "first\n", 3));
    }

    #[test]
    fn missing_fences_are_explained() {
        assert!(split("a.md", "# Title").unwrap_err().message.contains("must begin"));
        assert!(split("a.md", "+++\ntitle = 1\n").unwrap_err().message.contains("not closed"));
    }

    proptest! {
        #[test]
        fn any_text_is_either_split_or_refused(text in "(\\+\\+\\+\n)?[a-z=+\n\"]{0,60}") {
            if let Ok(parts) = split("a.md", &text) {
                let rebuilt = format!("+++\n{}", parts.front);
                prop_assert!(text.starts_with(&rebuilt));
                prop_assert!(text.ends_with(parts.body));
                prop_assert_eq!(text[..text.len() - parts.body.len()].matches('\n').count()
                    + usize::from(!text[..text.len() - parts.body.len()].ends_with('\n')), parts.body_offset);
            }
        }
    }
}
