//! What words mean to each other: stop words, synonyms, concepts, and which words ask for which field.
//!
//! A general vocabulary ships with the crate (`vocabulary/general.txt`); the site's own lexicon is added to it. Everything
//! is kept by stem, and phrases are found by their first stem, so that reading a question costs one look-up a word.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::text::{Word, words};

const GENERAL: &str = include_str!("vocabulary/general.txt");

/// A word or phrase of the vocabulary and what it leads to.
#[derive(Clone, Debug, Default)]
struct Entry {
    stems: Vec<String>,
    related: Vec<Related>,
    fields: Vec<String>,
    stated: Vec<usize>,
}

/// A word or phrase of related meaning, as its stems.
#[derive(Clone, Debug, PartialEq)]
pub struct Related {
    /// Its stems.
    pub stems: Vec<String>,
    /// How near it is: 1 for another name of the same thing, less for a neighbour.
    pub nearness: f32,
    /// It is an instance of what was asked for: PostgreSQL is a database.
    pub member: bool,
}

/// Nearness of two terms that share a row of the site's lexicon without either being its concept.
const NEIGHBOUR: f32 = 0.4;

/// The general vocabulary together with a site's own lexicon.
#[derive(Debug, Default)]
pub struct Vocabulary {
    function: HashSet<String>,
    generic: HashSet<String>,
    by_first: HashMap<String, Vec<Entry>>,
    stated_rows: Vec<Vec<Vec<String>>>,
}

/// What the vocabulary says about the words at one place of a question.
#[derive(Debug, Default)]
pub struct Meaning {
    /// How many words it took.
    pub len: usize,
    /// Words or phrases of related meaning.
    pub related: Vec<Related>,
    /// Fields asked for.
    pub fields: Vec<String>,
    /// Rows of "stated or not" words it belongs to.
    pub stated: Vec<usize>,
}

impl Vocabulary {
    /// The general vocabulary and `lexicon`: a concept leads to its terms, a term to its concept and, less, to the
    /// row's other terms. Readers may thus use any word of a row, whichever of them the pages use.
    pub fn new(lexicon: &BTreeMap<String, Vec<String>>) -> Self {
        let mut vocabulary = Self::default();
        for line in GENERAL.lines() {
            vocabulary.read(line);
        }
        for (concept, terms) in lexicon {
            let concept = phrase(concept);
            let terms: Vec<Vec<String>> =
                terms.iter().map(|term| phrase(term)).filter(|term| *term != concept).collect();
            for term in &terms {
                vocabulary.relate(&concept, term, 1.0);
                vocabulary.relate(term, &concept, 1.0);
                for neighbour in terms.iter().filter(|other| *other != term) {
                    vocabulary.relate(term, neighbour, NEIGHBOUR);
                }
            }
        }
        vocabulary
    }

    fn read(&mut self, line: &str) {
        let Some((mark, rest)) = line.split_once(' ') else { return };
        let phrases = |text: &str| -> Vec<Vec<String>> { text.split_whitespace().map(phrase).collect() };
        match mark {
            "-" => self.function.extend(rest.split_whitespace().map(|w| w.replace('\'', ""))),
            "~" => self.generic.extend(rest.split_whitespace().flat_map(phrase)),
            "=" => {
                let group = phrases(rest);
                for member in &group {
                    for other in group.iter().filter(|other| *other != member) {
                        self.relate(member, other, 1.0);
                    }
                }
            }
            ">" => {
                let Some((from, to)) = rest.split_once(" : ") else { return };
                let targets = phrases(to);
                for concept in phrases(from) {
                    for target in &targets {
                        self.relate(&concept, target, 1.0);
                        let related = &mut self.entry(&concept).related;
                        related.iter_mut().filter(|r| r.stems == *target).for_each(|r| r.member = true);
                    }
                }
            }
            "@" => {
                let Some((field, asked_by)) = rest.split_once(" : ") else { return };
                for word in phrases(asked_by) {
                    self.entry(&word).fields.push(field.to_owned());
                }
            }
            "?" => {
                let row = self.stated_rows.len();
                let group = phrases(rest);
                for member in &group {
                    self.entry(member).stated.push(row);
                }
                self.stated_rows.push(group);
            }
            _ => {}
        }
    }

    fn relate(&mut self, from: &[String], to: &[String], nearness: f32) {
        if from.is_empty() || to.is_empty() || from == to {
            return;
        }
        let related = &mut self.entry(from).related;
        match related.iter_mut().find(|known| known.stems == to) {
            Some(known) => known.nearness = known.nearness.max(nearness),
            None => related.push(Related { stems: to.to_vec(), nearness, member: false }),
        }
    }

    fn entry(&mut self, stems: &[String]) -> &mut Entry {
        let first = stems.first().cloned().unwrap_or_default();
        let entries = self.by_first.entry(first).or_default();
        let at = entries.iter().position(|entry| entry.stems == stems).unwrap_or_else(|| {
            entries.push(Entry { stems: stems.to_vec(), ..Entry::default() });
            // The longest phrase wins.
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.stems.len()));
            entries.iter().position(|entry| entry.stems == stems).unwrap_or(0)
        });
        &mut entries[at]
    }

    /// Whether the word only carries grammar.
    pub fn is_function(&self, word: &Word) -> bool {
        self.function.contains(&word.raw)
    }

    /// As [`Self::is_function`], by stem.
    pub fn is_function_stem(&self, stem: &str) -> bool {
        self.function.contains(stem)
    }

    /// Whether the word is too general for its absence to say anything.
    pub fn is_generic(&self, word: &Word) -> bool {
        self.generic.contains(&word.stem)
    }

    /// The meaning of the longest known phrase that starts at the first of `words`; single words count as phrases.
    pub fn meaning(&self, words: &[Word]) -> Option<Meaning> {
        let entries = self.by_first.get(&words.first()?.stem)?;
        let longest = entries.iter().find(|entry| matches(&entry.stems, words))?;
        let mut meaning = Meaning {
            len: longest.stems.len(),
            related: longest.related.clone(),
            fields: longest.fields.clone(),
            stated: longest.stated.clone(),
        };
        if meaning.len > 1
            && let Some(single) = entries.iter().find(|entry| entry.stems.len() == 1)
        {
            meaning.fields.extend(single.fields.iter().cloned());
        }
        Some(meaning)
    }

    /// The words of one "stated or not" row, each as its stems.
    pub fn stated_row(&self, row: usize) -> &[Vec<String>] {
        self.stated_rows.get(row).map_or(&[], Vec::as_slice)
    }
}

fn matches(stems: &[String], words: &[Word]) -> bool {
    stems.len() <= words.len() && stems.iter().zip(words).all(|(stem, word)| *stem == word.stem)
}

/// A word or an underscore-joined or blank-separated phrase, as its stems.
pub fn phrase(text: &str) -> Vec<String> {
    words(&text.replace('_', " ")).into_iter().map(|word| word.stem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_wins_over_its_first_word() {
        let vocabulary = Vocabulary::new(&BTreeMap::new());
        let meaning = vocabulary.meaning(&words("own time projects")).unwrap();
        assert_eq!(meaning.len, 2);
        assert!(meaning.related.iter().any(|related| related.stems == ["side", "project"]));
    }

    #[test]
    fn the_sites_lexicon_leads_to_its_terms() {
        let lexicon = BTreeMap::from([("turbo".to_owned(), vec!["quiet hours".to_owned()])]);
        let vocabulary = Vocabulary::new(&lexicon);
        let meaning = vocabulary.meaning(&words("turbo")).unwrap();
        assert_eq!(meaning.related, [Related { stems: phrase("quiet_hours"), nearness: 1.0, member: false }]);
        let back = vocabulary.meaning(&words("quiet hours")).unwrap();
        assert!(back.related.iter().any(|related| related.stems == ["turbo"]));
    }
}
