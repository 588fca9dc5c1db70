//! Reading a question: its concepts, its clauses, what kind of answer it wants.

use super::index::{Concept, Index, Place};
use super::text::{Word, normalise, words};
use crate::limits;

/// What a right answer must contain besides words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nothing in particular.
    Anything,
    /// A number: "how much", "what was the latency of".
    Quantity,
    /// A number of these: "how many services".
    Count(String),
    /// A point in time: "when did", "in which year".
    Date,
}

/// A question, read against an index.
#[derive(Clone, Debug)]
pub struct Question {
    /// Normalised text.
    pub text: String,
    /// Its words.
    pub words: Vec<Word>,
    /// Content words and phrases of the whole question.
    pub concepts: Vec<Concept>,
    /// Fields it asks for.
    pub fields: Vec<String>,
    /// Concepts and fields of each clause, when it has more than one.
    pub clauses: Vec<Clause>,
    /// What the answer must contain.
    pub demand: Demand,
    /// It leans on what was said before ("and its bottlenecks?").
    pub follow_up: bool,
}

/// One of several questions asked in one sentence.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Its content words.
    pub concepts: Vec<Concept>,
    /// Fields it asks for.
    pub fields: Vec<String>,
}

impl Question {
    /// Reads `text` (normalised and cut to the limit on the way).
    pub fn read(index: &Index, text: &str) -> Self {
        let text = normalise(text, limits::QUESTION_CHARS_MAX);
        let words = words(&text);
        let trust_capitals = capitals_mean_names(&words);
        let ranges = clauses(&text, &words);
        let mut clauses: Vec<Clause> =
            ranges.iter().map(|&(from, to)| read_clause(index, &words[from..to], trust_capitals)).collect();
        let mut concepts: Vec<Concept> = Vec::new();
        let mut fields: Vec<String> = Vec::new();
        for clause in &clauses {
            for concept in &clause.concepts {
                if concepts.len() < limits::QUESTION_WORDS_MAX
                    && !concepts.iter().any(|c| c.raw == concept.raw)
                {
                    concepts.push(concept.clone());
                }
            }
            fields.extend(clause.fields.iter().cloned());
        }
        if clauses.len() < 2 {
            clauses.clear();
        }
        let follow_up = is_follow_up(&words, &concepts);
        Self { demand: demand(&words), text, words, concepts, fields, clauses, follow_up }
    }

    /// The concepts that count in coverage.
    pub fn weighty(&self) -> impl Iterator<Item = &Concept> {
        self.concepts.iter().filter(|concept| concept.weighty)
    }

    /// Weighted share of the question's content words that the content backs at all.
    pub fn coverage(&self) -> f32 {
        share(self.weighty().map(|concept| (concept, true)))
    }

    /// The same share, counting only concepts whose bit is set in `backs`.
    pub fn coverage_by(&self, backs: u64) -> f32 {
        share(
            self.concepts
                .iter()
                .enumerate()
                .filter(|(_, concept)| concept.weighty)
                .map(|(bit, concept)| (concept, bit < 64 && backs & (1 << bit) != 0)),
        )
    }

    /// Lower-case words, for matching fixed phrases.
    pub fn raw(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.raw.as_str()).collect()
    }

    /// Adds the words of a heading (the thing talked about before) to what is searched, without asking for them.
    pub fn lean_on(&mut self, index: &Index, title: &str) {
        let title_words = words(title);
        for mut concept in read_clause(index, &title_words, false).concepts {
            if self.concepts.len() < limits::QUESTION_WORDS_MAX
                && !self.concepts.iter().any(|c| c.raw == concept.raw)
            {
                concept.generic = true;
                concept.weighty = false;
                self.concepts.push(concept);
            }
        }
    }
}

fn share<'a>(concepts: impl Iterator<Item = (&'a Concept, bool)>) -> f32 {
    let (mut backed, mut all) = (0.0, 0.0);
    for (concept, counts) in concepts {
        all += concept.weight;
        if counts {
            backed += concept.credit * concept.weight;
        }
    }
    if all == 0.0 { 0.0 } else { backed / all }
}

fn read_clause(index: &Index, words: &[Word], trust_capitals: bool) -> Clause {
    let (mut concepts, mut fields) = (Vec::<Concept>::new(), Vec::new());
    let enumerates = words
        .iter()
        .take(2)
        .any(|word| matches!(word.raw.as_str(), "which" | "what" | "list" | "name" | "welche"));
    let mut at = 0;
    while at < words.len() {
        let Some((mut concept, asked, taken)) =
            index.concept(&words[at..], Place { first: at == 0, enumerates })
        else {
            at += 1;
            continue;
        };
        concept.named &= trust_capitals || words[at].raw.chars().any(|c| c.is_ascii_digit());
        fields.extend(asked);
        if !concepts.iter().any(|known| known.raw == concept.raw) {
            concepts.push(concept);
        }
        at += taken.max(1);
    }
    Clause { concepts, fields }
}

const QUESTION_WORDS: &[&str] = &["what", "which", "who", "whom", "whose", "where", "when", "why", "how"];
const AUXILIARIES: &[&str] =
    &["did", "does", "do", "is", "was", "are", "were", "has", "have", "had", "can", "could", "will", "would"];

/// Word ranges of the clauses: a new one starts at "and what …", "… , at which …", or after a question mark.
fn clauses(text: &str, words: &[Word]) -> Vec<(usize, usize)> {
    let mut starts = vec![0];
    for at in 2..words.len() {
        let between = &text[words[at - 1].span.1..words[at].span.0];
        let raw = words[at].raw.as_str();
        let after_mark = between.contains(['?', '!']) || between.contains(". ");
        let joined =
            words[at - 1].raw == "and" && (QUESTION_WORDS.contains(&raw) || AUXILIARIES.contains(&raw));
        let prepositional = words[at - 2].raw == "and" && QUESTION_WORDS.contains(&raw);
        if after_mark || joined || prepositional {
            starts.push(at);
        }
    }
    starts.push(words.len());
    starts.windows(2).map(|pair| (pair[0], pair[1])).filter(|(from, to)| from < to).collect()
}

/// Capitals inside a question name things, except in Title Case, in SHOUTING and in languages that capitalise nouns.
fn capitals_mean_names(words: &[Word]) -> bool {
    const FOREIGN: &[&str] = &[
        "welche", "welcher", "welches", "welchen", "wie", "hat", "mit", "und", "ist", "der", "das", "er",
        "wo", "wann", "kann", "wer", "quelle", "quels", "est", "avec", "il", "qué", "cuál", "él", "con",
        "como",
    ];
    let capitals = words.iter().skip(1).filter(|word| word.named).count();
    let foreign = words.iter().any(|word| FOREIGN.contains(&word.raw.as_str()));
    !foreign && (words.len() < 4 || capitals * 10 < words.len() * 6)
}

const MEASURES: &[&str] =
    &["many", "much", "old", "long", "large", "big", "tall", "far", "often", "high", "fast", "small"];
const METRICS: &[&str] = &[
    "latency",
    "throughput",
    "uptime",
    "percentage",
    "percent",
    "number",
    "count",
    "size",
    "headcount",
    "revenue",
    "price",
    "budget",
    "volume",
    "sla",
    "qps",
    "rps",
    "tps",
    "amount",
    "salary",
    "age",
    "accuracy",
    "score",
    "ratio",
    "rate",
    "duration",
    "speed",
    "total",
];

fn demand(words: &[Word]) -> Demand {
    let raw: Vec<&str> = words.iter().map(|word| word.raw.as_str()).collect();
    for (at, pair) in raw.windows(2).enumerate() {
        match *pair {
            ["how", "many"] if at + 2 < words.len() => return Demand::Count(words[at + 2].stem.clone()),
            ["how", measure] if MEASURES.contains(&measure) => return Demand::Quantity,
            ["wie", "viele" | "viel" | "alt" | "lange" | "oft"] => return Demand::Quantity,
            ["what" | "which", "year" | "date" | "month"] | ["since", "when"] => return Demand::Date,
            ["when" | "wann", aux]
                if (at == 0 || raw[at - 1] == "and") && (AUXILIARIES.contains(&aux) || pair[0] == "wann") =>
            {
                return Demand::Date;
            }
            ["what", "is" | "was" | "are" | "were" | "s"]
                if head_noun(&raw[at + 2..]).is_some_and(is_metric) =>
            {
                return Demand::Quantity;
            }
            ["what" | "which", metric] if is_metric(metric) => return Demand::Quantity,
            _ => {}
        }
    }
    match raw.first() {
        Some(&("combien" | "cuántos" | "cuántas" | "cuánto")) => Demand::Quantity,
        _ => Demand::Anything,
    }
}

fn is_metric(word: &str) -> bool {
    METRICS.contains(&word)
}

/// The noun a phrase is about: the last word before a preposition.
fn head_noun<'a>(words: &[&'a str]) -> Option<&'a str> {
    const PREPOSITIONS: &[&str] =
        &["of", "for", "in", "on", "at", "with", "by", "when", "that", "which", "under", "he", "and"];
    words.iter().take_while(|word| !PREPOSITIONS.contains(word)).last().copied()
}

fn is_follow_up(words: &[Word], concepts: &[Concept]) -> bool {
    let raw: Vec<&str> = words.iter().map(|word| word.raw.as_str()).collect();
    let opens = matches!(raw.as_slice(), ["and" | "also" | "then", ..] | ["what" | "how", "about", ..]);
    let leans = raw
        .iter()
        .any(|word| matches!(*word, "it" | "its" | "that" | "this" | "those" | "these" | "they" | "them"));
    let weighty = concepts.iter().filter(|concept| concept.weighty).count();
    opens || (leans && weighty <= 3) || (weighty <= 1 && words.len() <= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_for_a_number_is_told_from_a_condition() {
        assert_eq!(
            demand(&words("How many years of experience does he have?")),
            Demand::Count("year".into())
        );
        assert_eq!(demand(&words("What was the p99 latency of the notification system?")), Demand::Quantity);
        assert_eq!(demand(&words("When did he graduate?")), Demand::Date);
        assert_eq!(demand(&words("What happens when a file cannot be shown?")), Demand::Anything);
        assert_eq!(demand(&words("How does he keep latency low?")), Demand::Anything);
    }

    #[test]
    fn two_questions_in_one_sentence_are_two_clauses() {
        let text = "What did he build for notifications and which message bus did it use?";
        assert_eq!(clauses(text, &words(text)).len(), 2);
        let text = "Is he available for hire, and at which levels?";
        assert_eq!(clauses(text, &words(text)).len(), 2);
        let text = "Does he know Kafka and Redis?";
        assert_eq!(clauses(text, &words(text)).len(), 1);
    }
}
