//! Just enough of SQL's lexical rules to split a migration into statements and to replace words in it.

use crate::Engine;

/// One statement of a script.
pub(crate) struct Statement<'s> {
    /// Without the semicolon and without what stands around it.
    pub text: &'s str,
    /// From a comment `-- only: …` before it.
    pub only: Option<Engine>,
    /// From a comment `-- without-rowid` before it.
    pub without_rowid: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    /// A literal or quoted name: never looked into.
    Quoted,
    Comment,
    Space,
    Other,
}

/// Splits off the first token: its kind and length in bytes.
fn token(text: &str) -> (Kind, usize) {
    let bytes = text.as_bytes();
    let until =
        |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    let run = |class: fn(&u8) -> bool| bytes.iter().take_while(|byte| class(byte)).count();
    match bytes[0] {
        b'-' if text.starts_with("--") => (Kind::Comment, until("\n", 0)),
        b'/' if text.starts_with("/*") => (Kind::Comment, until("*/", 2)),
        b'\'' => (Kind::Quoted, until("'", 1)),
        b'"' => (Kind::Quoted, until("\"", 1)),
        b'$' => match dollar_tag(text) {
            Some(tag) => (Kind::Quoted, until(tag, tag.len())),
            None => (Kind::Other, 1),
        },
        b if b.is_ascii_whitespace() => (Kind::Space, run(u8::is_ascii_whitespace)),
        b if b.is_ascii_alphanumeric() || b == b'_' => {
            (Kind::Word, run(|b| b.is_ascii_alphanumeric() || *b == b'_'))
        }
        _ => (Kind::Other, text.chars().next().map_or(1, char::len_utf8)),
    }
}

/// `$$` or `$name$` at the start of `text`.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = 1 + text[1..].find('$')?;
    let name = &text[1..end];
    let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| &text[..=end])
}

/// The tokens of a text, each with its offset.
fn tokens(text: &str) -> impl Iterator<Item = (Kind, usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let (kind, len) = token(rest);
        let start = at;
        at += len;
        Some((kind, start, &rest[..len]))
    })
}

/// The statements of a script. A semicolon inside the body of a trigger does not end it.
pub(crate) fn statements(script: &str) -> impl Iterator<Item = Statement<'_>> {
    let mut rest = script;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = end_of_statement(rest);
            let raw = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or("");
            if let Some(statement) = parse(raw) {
                return Some(statement);
            }
        }
        None
    })
}

fn end_of_statement(text: &str) -> usize {
    let (mut words, mut is_trigger, mut depth) = (0, false, 0_u32);
    for (kind, at, token) in tokens(text) {
        match (kind, token) {
            (Kind::Word, word) => {
                words += 1;
                // CREATE TRIGGER, CREATE TEMP TRIGGER, CREATE CONSTRAINT TRIGGER
                is_trigger |= words <= 3 && word.eq_ignore_ascii_case("trigger");
                if is_trigger && (word.eq_ignore_ascii_case("begin") || word.eq_ignore_ascii_case("case")) {
                    depth += 1;
                } else if is_trigger && word.eq_ignore_ascii_case("end") {
                    depth = depth.saturating_sub(1);
                }
            }
            (Kind::Other, ";") if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Reads the steering comments in front of a statement; `None` when there is nothing but comments.
fn parse(raw: &str) -> Option<Statement<'_>> {
    let (mut only, mut without_rowid) = (None, false);
    for (kind, at, token) in tokens(raw) {
        match kind {
            Kind::Space => {}
            Kind::Comment => match token.trim_start_matches('-').trim() {
                "only: sqlite" => only = Some(Engine::Sqlite),
                "only: postgres" => only = Some(Engine::Postgres),
                "without-rowid" => without_rowid = true,
                _ => {}
            },
            _ => return Some(Statement { text: raw[at..].trim_end(), only, without_rowid }),
        }
    }
    None
}

/// Whether it creates an ordinary table.
pub(crate) fn is_create_table(statement: &str) -> bool {
    let mut words = tokens(statement).filter(|(kind, ..)| *kind == Kind::Word).map(|(_, _, word)| word);
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("create"))
        && words.next().is_some_and(|word| word.eq_ignore_ascii_case("table"))
}

/// Where the parenthesis around the columns of a `CREATE TABLE` has closed.
pub(crate) fn end_of_columns(statement: &str) -> usize {
    let mut depth = 0_u32;
    for (kind, at, token) in tokens(statement) {
        match (kind, token) {
            (Kind::Other, "(") => depth += 1,
            (Kind::Other, ")") if depth == 1 => return at + 1,
            (Kind::Other, ")") => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    statement.len()
}

/// Replaces words. `map` sees a word and the one after it, in capitals, and answers the replacement and whether it
/// stands for both.
pub(crate) fn map_words(
    text: &str,
    map: impl Fn(&str, Option<&str>) -> Option<(&'static str, bool)>,
) -> String {
    let all: Vec<_> = tokens(text).collect();
    let mut out = String::with_capacity(text.len());
    let mut skip_to = 0;
    for (index, (kind, _, token)) in all.iter().enumerate() {
        if index < skip_to {
            continue;
        }
        if *kind != Kind::Word {
            out.push_str(token);
            continue;
        }
        let next = (index + 1..all.len()).find(|at| all[*at].0 != Kind::Space);
        let next_word = next.filter(|at| all[*at].0 == Kind::Word).map(|at| all[at].2.to_ascii_uppercase());
        match map(&token.to_ascii_uppercase(), next_word.as_deref()) {
            Some((replacement, both)) => {
                out.push_str(replacement);
                skip_to = if both { next.map_or(index + 1, |at| at + 1) } else { index + 1 };
            }
            None => out.push_str(token),
        }
    }
    out
}
