//! The output guard: what a model wrote is shown only as far as the evidence backs it.
//!
//! The guard does not trust the model at all; it must hold even when the model obeys an attacker. It works sentence by
//! sentence: most content words of a sentence, and every number, address and name in it, must occur in the passages
//! that the model was given. Words of the question alone back nothing, or an attacker could dictate the answer.

use std::collections::HashSet;

use super::text::{is_invisible, states_quantity, words};

/// Least share of a sentence's content words that must occur in the evidence.
const SUPPORT_MIN: f32 = 0.6;

/// What may be said.
#[derive(Debug, Default)]
pub struct Evidence {
    stems: HashSet<String>,
    raw: HashSet<String>,
    text: String,
}

/// What becomes of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be shown.
    Backed,
    /// It is left out: it says something the evidence does not.
    Withheld(Withheld),
    /// The whole answer ends here: it carries what must not leave.
    Blocked,
}

/// Why a sentence is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// A number that is not in the evidence.
    Number,
    /// An address (e-mail, URL) that is not in the evidence.
    Address,
    /// A name that is not in the evidence.
    Name,
    /// Too few of its words are in the evidence.
    Support,
}

impl Evidence {
    /// From the texts of passages and their headings.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut evidence = Self::default();
        for text in texts {
            for word in words(text) {
                evidence.stems.extend(word.terms().map(str::to_owned));
                evidence.raw.insert(word.raw.clone());
            }
            evidence.text.push_str(&text.to_lowercase());
            evidence.text.push('\n');
        }
        evidence
    }

    /// Judges one sentence. `canary` is the nonce of the prompt, which no honest answer contains; `is_plain` tells words
    /// that carry no claim of their own.
    pub fn judge(
        &self,
        sentence: &str,
        canary: &str,
        is_plain: impl Fn(&super::text::Word) -> bool,
    ) -> Verdict {
        if (!canary.is_empty() && sentence.contains(canary)) || holds_a_secret(sentence) {
            return Verdict::Blocked;
        }
        if addresses(sentence).any(|address| !self.text.contains(&address)) {
            return Verdict::Withheld(Withheld::Address);
        }
        let (mut backed, mut all) = (0.0, 0.0);
        for (at, word) in words(sentence).iter().enumerate() {
            let known = word.terms().any(|term| self.stems.contains(term));
            let number = states_quantity(&word.raw) || word.raw.chars().any(|c| c.is_ascii_digit());
            if number && !self.has_number(&word.raw) {
                return Verdict::Withheld(Withheld::Number);
            }
            if number || is_plain(word) {
                continue;
            }
            // A capital inside a sentence is a name; at its start it says nothing.
            if word.named && at > 0 && !known {
                return Verdict::Withheld(Withheld::Name);
            }
            all += 1.0;
            backed += f32::from(u8::from(known));
        }
        if all > 0.0 && backed / all < SUPPORT_MIN {
            Verdict::Withheld(Withheld::Support)
        } else {
            Verdict::Backed
        }
    }

    /// Whether a number occurs, as digits or as a word.
    fn has_number(&self, raw: &str) -> bool {
        const WORDS: &[(&str, &str)] = &[
            ("two", "2"),
            ("three", "3"),
            ("four", "4"),
            ("five", "5"),
            ("six", "6"),
            ("seven", "7"),
            ("eight", "8"),
            ("nine", "9"),
            ("ten", "10"),
            ("eleven", "11"),
            ("twelve", "12"),
            ("twenty", "20"),
            ("thirty", "30"),
            ("hundred", "100"),
            ("thousand", "1000"),
        ];
        let other =
            WORDS.iter().find_map(
                |&(word, digits)| {
                    if raw == word { Some(digits) } else { (raw == digits).then_some(word) }
                },
            );
        self.raw.contains(raw) || other.is_some_and(|other| self.raw.contains(other))
    }
}

/// E-mail addresses, URLs and bare host names of a sentence, in lower case.
fn addresses(sentence: &str) -> impl Iterator<Item = String> + '_ {
    const HOSTS: &[&str] = &[".com", ".org", ".net", ".io", ".dev", ".example", ".co", ".ai", ".app"];
    sentence
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | '"' | '\'' | '[' | ']'))
        .filter_map(|token| {
            let token =
                token.trim_matches(|c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '?')).to_lowercase();
            let mail = token.contains('@') && token.contains('.');
            let url = token.contains("://")
                || token.starts_with("www.")
                || token.starts_with("mailto:")
                || token.starts_with("javascript:");
            let host = HOSTS.iter().any(|end| token.ends_with(end) && token.len() > end.len() + 1);
            (mail || url || host).then_some(token)
        })
}

/// Shapes of secrets: our own keys, and those of common providers.
fn holds_a_secret(text: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "plk_live_",
        "plk_test_",
        "sk-",
        "sk_live_",
        "sk_test_",
        "ghp_",
        "gho_",
        "AKIA",
        "xoxb-",
        "xoxp-",
        "-----BEGIN",
    ];
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | ',' | '=')).any(
        |token| {
            PREFIXES.iter().any(|prefix| {
                token.starts_with(prefix) && token.len() >= prefix.len() + 8
                    || token.starts_with("-----BEGIN")
            })
        },
    )
}

/// Takes markup out of a model's text: HTML tags, images, link targets, emphasis and invisible characters. What stays is
/// plain text, so that nothing in it can load, run or hide.
pub fn strip_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = html_tag(rest) {
            rest = after;
        } else if let Some((label, after)) = markdown_link(rest) {
            out.push_str(&strip_markup(label));
            rest = after;
        } else {
            if !matches!(c, '*' | '`') && (c == '\n' || !is_invisible(c)) {
                out.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn html_tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?;
    let first = inner.chars().next()?;
    if !(first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) {
        return None;
    }
    Some(inner.find('>').map_or("", |end| &inner[end + 1..]))
}

/// `[label](target)` keeps its label, `![alt](target)` goes altogether.
fn markdown_link(text: &str) -> Option<(&str, &str)> {
    let (image, inner) = match text.strip_prefix("![") {
        Some(inner) => (true, inner),
        None => (false, text.strip_prefix('[')?),
    };
    let label_end = inner.find(']')?;
    let target = inner[label_end + 1..].strip_prefix('(')?;
    let end = target.find(')')?;
    let label = &inner[..label_end];
    // A label with a bracket of its own could nest without end.
    if label.contains('[') {
        return None;
    }
    Some((if image { "" } else { label }, &target[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(sentence: &str) -> Verdict {
        let evidence = Evidence::new([
            "The pipeline runs over Kafka with a delivery log for idempotency and replay.",
            "Four systems, partitioned topics. Write to hello@site.example.",
        ]);
        let plain = |word: &crate::model::text::Word| {
            matches!(
                word.raw.as_str(),
                "the" | "it" | "uses" | "he" | "a" | "and" | "is" | "for" | "has" | "of" | "with" | "to"
            )
        };
        evidence.judge(sentence, "n0nce", plain)
    }

    #[test]
    fn only_what_the_evidence_says_may_be_said() {
        assert_eq!(judge("It uses Kafka and a delivery log."), Verdict::Backed);
        assert_eq!(judge("He has 12 systems."), Verdict::Withheld(Withheld::Number));
        assert_eq!(judge("He has 4 systems."), Verdict::Backed);
        assert_eq!(judge("The pipeline runs over Pulsar."), Verdict::Withheld(Withheld::Name));
        assert_eq!(judge("Write to evil@bad.example."), Verdict::Withheld(Withheld::Address));
        assert_eq!(judge("Write to hello@site.example."), Verdict::Backed);
        assert_eq!(judge("See https://bad.example/x for replay."), Verdict::Withheld(Withheld::Address));
        assert_eq!(
            judge("The man is lazy and was fired for stealing."),
            Verdict::Withheld(Withheld::Support)
        );
        assert_eq!(judge("My instructions are n0nce."), Verdict::Blocked);
        assert_eq!(judge("Use sk-abcdefghijkl for Kafka."), Verdict::Blocked);
    }

    #[test]
    fn markup_cannot_load_run_or_hide() {
        assert_eq!(
            strip_markup("a <img src=x onerror=y>b **c** ![d](http://e/f) [g](http://h) i < j [1]"),
            "a b c  g i < j [1]"
        );
        assert_eq!(strip_markup("x<script"), "x");
    }

    proptest! {
        #[test]
        fn no_target_survives(text in "[a-z<>!\\[\\]() /:]{0,60}") {
            let out = strip_markup(&text);
            prop_assert!(out.len() <= text.len());
            prop_assert!(!out.contains("<a") || !out.contains('>') || out.find('>') < out.find("<a"));
        }
    }
}
