//! Words: normalisation, tokenisation, stemming.
//!
//! Technical prose is full of joined words (`Node.js`, `real-time`, `CI/CD`, `S3-compatible`). A joined word is indexed
//! both as one term (`nodejs`) and by its parts (`node`, `js`), so that readers may write it any way they like.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Lower case, joiners removed: `nodejs`.
    pub raw: String,
    /// Stem of `raw`.
    pub stem: String,
    /// For a joined word, the stems of its parts; empty otherwise.
    pub parts: Vec<String>,
    /// It was written with a capital or contains a digit: probably a name.
    pub named: bool,
    /// Byte range in the text that was split.
    pub span: (usize, usize),
}

impl Word {
    /// Every term under which this word is indexed.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.stem.as_str())
            .chain(self.parts.iter().filter(|part| part.chars().count() > 1).map(String::as_str))
    }
}

/// NFKC with control characters (including invisible "tag" characters, which hide instructions) and repeated blanks
/// removed, cut to `chars_max`.
pub fn normalise(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars_max * 4));
    let mut count = 0;
    let mut blank = true;
    for c in text.nfkc() {
        if count >= chars_max {
            break;
        }
        if c.is_whitespace() {
            if !blank {
                out.push(' ');
                count += 1;
            }
            blank = true;
        } else if !is_invisible(c) {
            out.push(c);
            count += 1;
            blank = false;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Characters nobody sees and no question needs: controls, direction marks, zero-width characters and tags.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// Stem of one lower-case English word (Porter 2). Words of other languages mostly pass unharmed.
pub fn stem(word: &str) -> String {
    if word.chars().count() < 3 || word.chars().any(|c| c.is_ascii_digit()) {
        return word.to_owned();
    }
    // The published stemmer keeps these apart; technical prose uses each pair as one word.
    match word {
        "scalability" | "scalable" => return "scale".to_owned(),
        "versus" => return "vs".to_owned(),
        _ => {}
    }
    Stemmer::create(Algorithm::English).stem(word).into_owned()
}

/// Splits a text into words.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start: Option<usize> = None;
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        if c.is_alphanumeric() || (start.is_some() && continues(text, at, c, next)) {
            start.get_or_insert(at);
            end = at + c.len_utf8();
        } else if let Some(from) = start.take() {
            push_word(text, from, end, &mut found);
        }
    }
    if let Some(from) = start {
        push_word(text, from, end, &mut found);
    }
    found
}

/// Whether a punctuation character belongs to the word it follows: a joiner between letters, or the end of `C++`, `C#`.
fn continues(text: &str, at: usize, c: char, next: Option<char>) -> bool {
    match c {
        '.' | '-' | '_' | '/' | '\'' | '’' | '&' | '\u{2010}' | '\u{2011}' => {
            next.is_some_and(char::is_alphanumeric)
        }
        '+' | '#' => {
            let before = text[..at].chars().next_back();
            before.is_some_and(|b| b.is_alphabetic() || b == '+') && !next.is_some_and(char::is_alphanumeric)
        }
        '@' => next.is_some_and(char::is_alphanumeric),
        _ => false,
    }
}

fn push_word(text: &str, from: usize, to: usize, out: &mut Vec<Word>) {
    let written = &text[from..to];
    let named = written.chars().any(|c| c.is_uppercase() || c.is_ascii_digit());
    let folded = written.to_lowercase().replace('’', "'");
    let folded = folded.strip_suffix("'s").unwrap_or(&folded);
    let pieces: Vec<&str> = folded
        .split(['.', '-', '_', '/', '\'', '&', '@', '\u{2010}', '\u{2011}'])
        .filter(|piece| !piece.is_empty())
        .collect();
    let raw: String = pieces.concat();
    if raw.is_empty() {
        return;
    }
    let parts = if pieces.len() > 1 && !folded.contains('\'') {
        pieces.iter().map(|piece| stem(piece)).collect()
    } else {
        Vec::new()
    };
    out.push(Word { stem: stem(&raw), raw, parts, named, span: (from, to) });
}

/// Length in UTF-16 code units, the unit in which browsers count.
pub fn utf16_len(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The first `chars_max` characters, cut at a word when that loses little.
pub fn clip(text: &str, chars_max: usize) -> String {
    let Some((limit, _)) = text.char_indices().nth(chars_max) else { return text.to_owned() };
    let head = &text[..limit];
    let cut = head.rfind(' ').filter(|&at| at * 2 > limit).unwrap_or(limit);
    format!("{}…", head[..cut].trim_end())
}

/// Byte ranges of the sentences of a text, trailing blanks excluded.
pub fn sentences(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let to = sentence_end(&text[from..]).map_or(text.len(), |end| from + end);
        let piece = &text[from..to];
        let lead = piece.len() - piece.trim_start().len();
        let body = piece.trim();
        if !body.is_empty() {
            spans.push((from + lead, from + lead + body.len()));
        }
        from = to;
    }
    spans
}

/// Where the first sentence of `text` ends (after its closing mark and any marker such as ` [1]` that follows), or
/// `None` while it is still open. A full stop closes a sentence only before a blank, so `Node.js` stays whole.
pub fn sentence_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let after = at + c.len_utf8();
        let closes = match c {
            '\n' => return Some(after),
            '.' => {
                let next_blank = bytes.get(after).is_some_and(u8::is_ascii_whitespace);
                next_blank && !is_abbreviation(&text[..at])
            }
            '!' | '?' => bytes.get(after).is_some_and(u8::is_ascii_whitespace),
            '。' | '！' | '？' => true,
            _ => false,
        };
        if closes {
            return Some(skip_markers(text, after));
        }
    }
    None
}

fn is_abbreviation(before: &str) -> bool {
    let last = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    matches!(last.to_ascii_lowercase().as_str(), "e.g" | "i.e" | "etc" | "vs" | "dr" | "mr" | "ms" | "approx")
        || (last.len() == 1 && last.chars().all(char::is_uppercase))
}

/// Citation markers written after the full stop belong to the sentence before them.
fn skip_markers(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start_matches(' ');
        let Some(inner) = trimmed.strip_prefix('[') else { return at };
        let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 || digits > 3 || !inner[digits..].starts_with(']') {
            return at;
        }
        at += rest.len() - trimmed.len() + digits + 2;
    }
}

/// Whether a lower-case word states a quantity: `12`, `40k`, `99.9`, `twelve`, `dozens`. Names with digits are none.
pub fn states_quantity(raw: &str) -> bool {
    const NUMBERS: &[&str] = &[
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "fifteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "hundred",
        "hundreds",
        "thousand",
        "thousands",
        "million",
        "millions",
        "billion",
        "dozen",
        "dozens",
        "half",
        "twice",
    ];
    let digits = raw.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &raw[digits.len()..];
    let counted = !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit())
        && matches!(
            unit,
            "" | "k"
                | "m"
                | "bn"
                | "ms"
                | "s"
                | "min"
                | "h"
                | "x"
                | "kb"
                | "mb"
                | "gb"
                | "tb"
                | "rps"
                | "qps"
        );
    counted || NUMBERS.contains(&raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(text: &str) -> Vec<String> {
        words(text).iter().flat_map(|w| w.terms().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn joined_words_are_found_whole_and_by_part() {
        assert_eq!(terms("Node.js"), ["nodej", "node", "js"]);
        assert!(terms("real-time").contains(&"realtim".to_owned()));
        assert_eq!(terms("CI/CD."), ["cicd", "ci", "cd"]);
        assert_eq!(terms("C++ and C#"), ["c++", "and", "c#"]);
        assert_eq!(terms("Rajkumar's"), ["rajkumar"]);
    }

    #[test]
    fn scale_scaling_and_scalability_are_one_word() {
        assert_eq!(stem("scaling"), stem("scale"));
        assert_eq!(stem("scalability"), stem("scale"));
    }

    #[test]
    fn invisible_instructions_are_dropped() {
        assert_eq!(normalise("a\u{e0049}\u{200b}b \n\t c", 100), "ab c");
        assert_eq!(normalise("abcdef", 3), "abc");
    }

    #[test]
    fn a_full_stop_inside_a_word_does_not_end_a_sentence() {
        let text = "Uses Node.js, e.g. for APIs. [1] [2] Next one! Open";
        let found: Vec<&str> = sentences(text).into_iter().map(|(a, b)| &text[a..b]).collect();
        assert_eq!(found, ["Uses Node.js, e.g. for APIs. [1] [2]", "Next one!", "Open"]);
    }

    proptest! {
        #[test]
        fn spans_are_always_valid(text in ".{0,200}") {
            for word in words(&text) {
                prop_assert!(text.get(word.span.0..word.span.1).is_some());
                prop_assert!(!word.raw.is_empty());
            }
            for (from, to) in sentences(&text) {
                prop_assert!(text.get(from..to).is_some_and(|s| !s.is_empty()));
            }
            prop_assert!(normalise(&text, 50).chars().count() <= 50);
        }
    }
}
