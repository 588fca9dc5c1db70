//! The search index: field-weighted BM25 (BM25F) over heading path and body, scored concept by concept.
//!
//! Each content word of a question is one *concept* with alternatives (itself, its parts, related words). A passage
//! scores a concept by its best alternative plus a little for further ones, so that a row of five synonyms cannot outweigh
//! the word that was actually asked for. Postings hold finished contributions; a search over 120 passages touches a few
//! hundred floats.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use plinth_kernel::ports::{ContentSnapshot, Passage};

use super::text::{Word, words};
use super::vocabulary::{Related, Vocabulary, phrase};
use crate::limits;

/// Saturation of term frequency.
const K1: f32 = 1.2;
/// Length normalisation of the body.
const B_BODY: f32 = 0.6;
/// Length normalisation of the heading path.
const B_PATH: f32 = 0.3;
/// Weight of a heading word against a body word.
const WEIGHT_PATH: f32 = 1.5;
/// Share of a concept's further alternatives that counts besides the best one.
const FURTHER_ALTERNATIVES: f32 = 0.25;
/// Share of its card's score that every passage gets: words of a question are often spread over one card's fields.
const CARD_SHARE: f32 = 0.5;
/// Weight of a word that says little.
const GENERIC_FACTOR: f32 = 0.3;
/// Weight of a word that asks for a field ("challenges"): it chooses within a card rather than between cards.
const FIELD_WORD_FACTOR: f32 = 0.7;
/// Weight of a related word besides the word itself.
const RELATED_BESIDES: f32 = 0.4;
/// Weight of a related word when the word itself does not occur.
const RELATED_INSTEAD: f32 = 0.7;
/// Weight of a category's members when the question asks to enumerate them.
const MEMBER_OF_ENUMERATION: f32 = 0.9;
/// Share of a word's weight that a related word earns in coverage.
const RELATED_CREDIT: f32 = 0.85;
/// Factor for a passage of the field that was asked for.
const FIELD_FACTOR: f32 = 1.35;

/// How a question's word is backed by the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// The word itself occurs.
    Direct,
    /// A misspelling of a word that occurs.
    Misspelt,
    /// Only a related word occurs.
    Related,
    /// Nothing like it occurs.
    Absent,
}

/// One content word or phrase of a question.
#[derive(Clone, Debug)]
pub struct Concept {
    /// As it was written, in lower case.
    pub raw: String,
    /// It looks like a name (capital inside the question, or a digit).
    pub named: bool,
    /// Too general for its absence to say anything.
    pub generic: bool,
    /// It counts when the share of the question that is backed is taken.
    pub weighty: bool,
    /// It asks for a field of a card.
    pub asks_for_field: bool,
    /// How the content backs it.
    pub backing: Backing,
    /// How much it weighs in coverage.
    pub weight: f32,
    /// Share of its weight that its backing earns.
    pub credit: f32,
    /// Its "stated or not" rows, of which none is in the content.
    pub unstated: bool,
    alternatives: Vec<(u32, f32)>,
}

/// One passage found.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Its position in the snapshot.
    pub passage: usize,
    /// Score; comparable within one search only.
    pub score: f32,
    /// The part of the score that is the passage's own, not its card's.
    pub own: f32,
    /// Bit `i` is set when concept `i` is backed by this passage.
    pub backs: u64,
}

/// The thing a group of passages is about.
#[derive(Clone, Debug)]
pub struct Card {
    /// `systems.forms`.
    pub id: String,
    /// Its own heading: "Scalable form builder platform".
    pub title: String,
    /// The section it stands in: "Featured systems".
    pub section: String,
    /// Its passages in page order.
    pub passages: Vec<usize>,
}

/// Terms that stand for a concept, each once, with their weights.
#[derive(Default)]
struct Alternatives(Vec<(u32, f32)>);

impl Alternatives {
    fn add(&mut self, term: Option<&u32>, weight: f32) {
        let Some(&term) = term else { return };
        match self.0.iter_mut().find(|(known, _)| *known == term) {
            Some((_, best)) => *best = best.max(weight),
            None => self.0.push((term, weight)),
        }
    }
}

/// Where in a question a word stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// It is the first word of its sentence.
    pub first: bool,
    /// The question asks to enumerate: "which databases …".
    pub enumerates: bool,
}

#[derive(Debug)]
struct Term {
    idf: f32,
    postings: Vec<(u32, f32)>,
}

/// An immutable index over one snapshot.
pub struct Index {
    snapshot: Arc<ContentSnapshot>,
    vocabulary: Vocabulary,
    terms: Vec<Term>,
    term_ids: HashMap<String, u32>,
    spellings: BTreeMap<String, u32>,
    cards: Vec<Card>,
    card_of: Vec<usize>,
    by_id: HashMap<String, usize>,
    subject: HashSet<String>,
    pairs: HashSet<(String, String)>,
    idf_absent: f32,
}

#[derive(Default)]
struct Counts {
    path: HashMap<String, u32>,
    body: HashMap<String, u32>,
    path_len: f32,
    body_len: f32,
}

impl Index {
    /// Builds the index. Cost: linear in the text, about 10 µs a passage.
    pub fn new(snapshot: Arc<ContentSnapshot>) -> Self {
        let vocabulary = Vocabulary::new(&snapshot.assistant.lexicon);
        let (cards, card_of) = collect_cards(&snapshot.passages);
        let subject = phrase(&snapshot.assistant.subject).into_iter().collect();
        let by_id = snapshot.passages.iter().enumerate().map(|(at, p)| (p.id.clone(), at)).collect();
        let mut index = Self {
            vocabulary,
            terms: Vec::new(),
            term_ids: HashMap::new(),
            spellings: BTreeMap::new(),
            cards,
            card_of,
            by_id,
            subject,
            pairs: HashSet::new(),
            idf_absent: idf(snapshot.passages.len(), 1),
            snapshot,
        };
        index.fill();
        index
    }

    fn fill(&mut self) {
        let snapshot = Arc::clone(&self.snapshot);
        let counts: Vec<Counts> = snapshot.passages.iter().map(|p| self.count(p)).collect();
        let docs = counts.len().max(1);
        let average = |len: fn(&Counts) -> f32| (counts.iter().map(len).sum::<f32>() / docs as f32).max(1.0);
        let (path_avg, body_avg) = (average(|c| c.path_len), average(|c| c.body_len));
        let mut frequencies: BTreeMap<String, Vec<(u32, f32)>> = BTreeMap::new();
        for (doc, count) in (0u32..).zip(&counts) {
            let path_norm = 1.0 - B_PATH + B_PATH * count.path_len / path_avg;
            let body_norm = 1.0 - B_BODY + B_BODY * count.body_len / body_avg;
            let all: HashSet<&String> = count.path.keys().chain(count.body.keys()).collect();
            for term in all {
                let of = |map: &HashMap<String, u32>| map.get(term).copied().unwrap_or(0) as f32;
                let tf = WEIGHT_PATH * of(&count.path) / path_norm + of(&count.body) / body_norm;
                frequencies.entry(term.clone()).or_default().push((doc, tf));
            }
        }
        for (term, mut postings) in frequencies {
            let idf = idf(docs, postings.len());
            for posting in &mut postings {
                posting.1 = idf * posting.1 * (K1 + 1.0) / (posting.1 + K1);
            }
            self.term_ids.insert(term, u32::try_from(self.terms.len()).unwrap_or(u32::MAX));
            self.terms.push(Term { idf, postings });
        }
        let term_ids = &self.term_ids;
        self.spellings = std::mem::take(&mut self.spellings)
            .into_keys()
            .filter_map(|raw| term_ids.get(&super::text::stem(&raw)).map(|&id| (raw, id)))
            .collect();
    }

    fn count(&mut self, passage: &Passage) -> Counts {
        let mut counts = Counts::default();
        for heading in &passage.path {
            let heading = words(heading);
            self.note_pairs(&heading);
            for word in heading.into_iter().filter(|word| !self.vocabulary.is_function(word)) {
                note(&mut self.spellings, &word);
                counts.path_len += 1.0;
                word.terms().for_each(|term| *counts.path.entry(term.to_owned()).or_default() += 1);
            }
        }
        let body = words(&passage.body);
        self.note_pairs(&body);
        let facets = passage.facets.iter().flat_map(|facet| words(facet));
        for word in body.into_iter().chain(facets).filter(|word| !self.vocabulary.is_function(word)) {
            note(&mut self.spellings, &word);
            counts.body_len += 1.0;
            word.terms().for_each(|term| *counts.body.entry(term.to_owned()).or_default() += 1);
        }
        counts
    }

    /// Neighbouring words, by which a phrase ("machine learning") is told from its words standing apart.
    fn note_pairs(&mut self, words: &[Word]) {
        for pair in words.windows(2) {
            self.pairs.insert((pair[0].stem.clone(), pair[1].stem.clone()));
        }
        for word in words {
            for pair in word.parts.windows(2) {
                self.pairs.insert((pair[0].clone(), pair[1].clone()));
            }
        }
    }

    /// The snapshot it was built from.
    pub fn snapshot(&self) -> &Arc<ContentSnapshot> {
        &self.snapshot
    }

    /// The vocabulary in use.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The passage at a position that a [`Hit`] named.
    pub fn passage(&self, at: usize) -> &Passage {
        &self.snapshot.passages[at]
    }

    /// Position of a passage by its id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The card a passage belongs to.
    pub fn card(&self, passage: usize) -> &Card {
        &self.cards[self.card_of[passage]]
    }

    /// All cards in page order.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// Whether a stem occurs anywhere in the content.
    pub fn contains(&self, stem: &str) -> bool {
        self.term_ids.contains_key(stem)
    }

    /// Whether the word names the person or product the site is about.
    pub fn is_subject(&self, word: &Word) -> bool {
        self.subject.contains(&word.stem)
    }

    /// Reads the words at the start of `words` as one concept; returns it with the fields it asks for and the number of
    /// words it took. `None` for a word that carries no meaning of its own.
    pub fn concept(&self, words: &[Word], place: Place) -> Option<(Concept, Vec<String>, usize)> {
        let word = words.first()?;
        let meaning = self.vocabulary.meaning(words);
        let is_phrase = meaning.as_ref().is_some_and(|m| m.len > 1);
        let joined = if is_phrase { None } else { self.joined(words) };
        if !is_phrase && joined.is_none() && (self.vocabulary.is_function(word) || self.is_subject(word)) {
            return None;
        }
        let meaning = meaning.unwrap_or_default();
        let taken = if joined.is_some() { 2 } else { meaning.len.max(1) };
        let own: Vec<&Word> = words[..taken].iter().filter(|w| !self.vocabulary.is_function(w)).collect();
        let together = !is_phrase || self.stand_together(&words[..taken]);
        let direct = joined.is_some() || (together && self.is_direct(&own));
        let mut alternatives = Alternatives::default();
        if let Some(stem) = &joined {
            alternatives.add(self.term_ids.get(stem), 1.0);
        }
        self.add_own(&own, together, &mut alternatives);
        let nearest = self.add_related(&meaning.related, direct, place.enumerates, &mut alternatives);
        let (backing, credit) = match (direct, nearest) {
            (true, _) => (Backing::Direct, 1.0),
            (false, Some(nearest)) => (Backing::Related, nearest.sqrt() * RELATED_CREDIT),
            (false, None) => match self.misspelt(&word.raw).filter(|_| taken == 1) {
                Some(term) => {
                    alternatives = Alternatives(vec![(term, 0.8)]);
                    (Backing::Misspelt, 0.9)
                }
                None => {
                    alternatives = Alternatives::default();
                    (Backing::Absent, 0.0)
                }
            },
        };
        let general = own.iter().all(|w| self.vocabulary.is_generic(w));
        let concept = Concept {
            raw: words[..taken].iter().map(|w| w.raw.as_str()).collect::<Vec<_>>().join(" "),
            named: own.iter().any(|w| w.named) && !(place.first && taken == 1),
            generic: general && !is_phrase,
            weighty: !general,
            asks_for_field: !meaning.fields.is_empty(),
            backing,
            weight: self.weight(&alternatives.0, backing),
            credit,
            unstated: backing == Backing::Absent
                && !meaning.stated.is_empty()
                && !meaning.stated.iter().any(|&row| self.states(row)),
            alternatives: alternatives.0,
        };
        Some((concept, meaning.fields, taken))
    }

    /// "front end" where the content writes "frontend".
    fn joined(&self, words: &[Word]) -> Option<String> {
        let [first, second, ..] = words else { return None };
        let stem = super::text::stem(&format!("{}{}", first.raw, second.raw));
        self.contains(&stem).then_some(stem)
    }

    /// Whether the words stand side by side somewhere in the content.
    fn stand_together(&self, words: &[Word]) -> bool {
        words.windows(2).all(|pair| self.pairs.contains(&(pair[0].stem.clone(), pair[1].stem.clone())))
    }

    /// The words themselves. The words of a known phrase mean less apart than together: "own time" is not "real-time".
    fn add_own(&self, own: &[&Word], together: bool, alternatives: &mut Alternatives) {
        let weight = if together { 1.0 } else { RELATED_BESIDES * 0.5 } / own.len().max(1) as f32;
        for word in own {
            alternatives.add(self.term_ids.get(&word.stem), weight);
            let part_weight = if self.contains(&word.stem) { 0.2 } else { 0.6 };
            word.parts.iter().for_each(|part| alternatives.add(self.term_ids.get(part), part_weight));
        }
    }

    /// Words of related meaning that the content has; answers with the nearness of the nearest. Whoever asks "which
    /// databases" wants to see databases, so the members of a category then weigh almost as much as its name.
    fn add_related(
        &self,
        related: &[Related],
        direct: bool,
        enumerates: bool,
        alternatives: &mut Alternatives,
    ) -> Option<f32> {
        let mut nearest: Option<f32> = None;
        for Related { stems, nearness, member } in related {
            let known = stems.iter().any(|stem| self.contains(stem));
            if !known || !stems.iter().all(|stem| self.contains(stem) || self.is_slight(stem)) {
                continue;
            }
            let weight = match (direct, enumerates && *member) {
                (_, true) => MEMBER_OF_ENUMERATION,
                (true, false) => RELATED_BESIDES,
                (false, false) => RELATED_INSTEAD,
            };
            for stem in stems.iter().filter(|stem| !self.is_slight(stem)) {
                alternatives.add(self.term_ids.get(stem), nearness * weight / (stems.len() as f32).sqrt());
            }
            nearest = Some(nearest.map_or(*nearness, |n| n.max(*nearness)));
        }
        nearest
    }

    fn is_direct(&self, own: &[&Word]) -> bool {
        !own.is_empty()
            && own.iter().all(|word| {
                self.contains(&word.stem)
                    || (!word.parts.is_empty() && word.parts.iter().all(|part| self.contains(part)))
            })
    }

    /// A short word of a phrase ("at least once") that the index may lack without harm.
    fn is_slight(&self, stem: &str) -> bool {
        (stem.len() < 3 || self.vocabulary.is_function_stem(stem)) && !self.contains(stem)
    }

    fn states(&self, row: usize) -> bool {
        self.vocabulary
            .stated_row(row)
            .iter()
            .any(|phrase| phrase.len() == 1 && phrase.iter().all(|stem| self.contains(stem)))
    }

    fn weight(&self, alternatives: &[(u32, f32)], backing: Backing) -> f32 {
        let best = alternatives.iter().map(|&(id, _)| self.terms[id as usize].idf).fold(0.0, f32::max);
        match backing {
            Backing::Direct => best,
            Backing::Misspelt | Backing::Related => (best + self.idf_absent) / 2.0,
            Backing::Absent => self.idf_absent,
        }
    }

    /// The indexed word that `raw` most likely misspells: one edit from six letters on, two from nine on, and the same
    /// first letter, since those are the slips people make.
    fn misspelt(&self, raw: &str) -> Option<u32> {
        let chars: Vec<char> = raw.chars().collect();
        let allowed = match chars.len() {
            6..=8 => 1,
            9..=limits::FUZZY_WORD_CHARS_MAX => 2,
            _ => return None,
        };
        if chars.iter().any(|c| !c.is_alphabetic()) {
            return None;
        }
        let first: String = chars.first()?.to_string();
        self.spellings
            .range(first.clone()..)
            .take_while(|(word, _)| word.starts_with(&first))
            .filter_map(|(word, &id)| edits(&chars, word, allowed).map(|edits| (edits, id)))
            .min_by_key(|&(edits, _)| edits)
            .map(|(_, id)| id)
    }

    /// Ranks the passages for a set of concepts. `fields` are the fields asked for, `boost` a card to prefer.
    pub fn search(
        &self,
        concepts: &[Concept],
        fields: &[String],
        locale: Option<&str>,
        boost: Option<&str>,
    ) -> Vec<Hit> {
        let docs = self.snapshot.passages.len();
        let mut total = vec![0.0f32; docs];
        let mut backs = vec![0u64; docs];
        let mut card_total = vec![0.0f32; self.cards.len()];
        let mut scratch = vec![(0.0f32, 0.0f32); docs];
        for (bit, concept) in concepts.iter().enumerate().take(limits::QUESTION_WORDS_MAX) {
            let factor = match (concept.generic, concept.asks_for_field) {
                (true, _) => GENERIC_FACTOR,
                (false, true) => FIELD_WORD_FACTOR,
                (false, false) => 1.0,
            };
            let mut touched: Vec<u32> = Vec::new();
            for &(term, weight) in &concept.alternatives {
                for &(doc, impact) in &self.terms[term as usize].postings {
                    let slot = &mut scratch[doc as usize];
                    if slot.0 == 0.0 {
                        touched.push(doc);
                    }
                    let value = weight * impact * factor;
                    slot.0 = slot.0.max(value);
                    slot.1 += value;
                }
            }
            let mut card_best: HashMap<usize, f32> = HashMap::new();
            for doc in touched {
                let at = doc as usize;
                let (best, sum) = std::mem::take(&mut scratch[at]);
                let score = best + FURTHER_ALTERNATIVES * (sum - best);
                total[at] += score;
                backs[at] |= 1 << bit;
                let card = card_best.entry(self.card_of[at]).or_default();
                *card = card.max(score);
            }
            for (card, best) in card_best {
                card_total[card] += best;
            }
        }
        let locale = self.effective_locale(locale);
        let mut hits: Vec<Hit> = (0..docs)
            .filter(|&at| total[at] > 0.0 && locale.is_none_or(|l| self.snapshot.passages[at].locale == l))
            .map(|at| {
                let passage = &self.snapshot.passages[at];
                let mut score = total[at] + CARD_SHARE * card_total[self.card_of[at]];
                if fields.contains(&passage.field) {
                    score *= FIELD_FACTOR;
                }
                if boost == Some(passage.card.as_str()) {
                    score *= FIELD_FACTOR;
                }
                Hit { passage: at, score, own: total[at], backs: backs[at] }
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
        hits
    }

    /// The locale to search: the reader's if the site speaks it (by language if need be), else no restriction.
    fn effective_locale<'a>(&'a self, wanted: Option<&'a str>) -> Option<&'a str> {
        let wanted = wanted?;
        let language = |tag: &str| tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
        let exact = self.snapshot.passages.iter().find(|p| p.locale.eq_ignore_ascii_case(wanted));
        exact
            .or_else(|| self.snapshot.passages.iter().find(|p| language(&p.locale) == language(wanted)))
            .map(|passage| passage.locale.as_str())
    }
}

/// Keeps a word for mending misspellings; its term is looked up when all are known.
fn note(spellings: &mut BTreeMap<String, u32>, word: &Word) {
    spellings.entry(word.raw.clone()).or_insert(0);
}

fn idf(docs: usize, with: usize) -> f32 {
    let (docs, with) = (docs as f32, with as f32);
    (1.0 + (docs - with + 0.5) / (with + 0.5)).ln()
}

/// Edit distance with transpositions (optimal string alignment), or `None` beyond `allowed`.
fn edits(a: &[char], b: &str, allowed: usize) -> Option<usize> {
    let b: Vec<char> = b.chars().take(limits::FUZZY_WORD_CHARS_MAX + 3).collect();
    if a.len().abs_diff(b.len()) > allowed {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (previous[j] + 1).min(row[j - 1] + 1).min(previous[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous.last().copied().filter(|&distance| distance <= allowed)
}

fn collect_cards(passages: &[Passage]) -> (Vec<Card>, Vec<usize>) {
    let mut cards: Vec<Card> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut card_of = Vec::with_capacity(passages.len());
    for (at, passage) in passages.iter().enumerate() {
        let card = *known.entry(passage.card.as_str()).or_insert_with(|| {
            let section = passage.path.first().cloned().unwrap_or_default();
            cards.push(Card {
                id: passage.card.clone(),
                title: String::new(),
                section,
                passages: Vec::new(),
            });
            cards.len() - 1
        });
        cards[card].passages.push(at);
        card_of.push(card);
    }
    for card in &mut cards {
        card.title = card_title(card, passages);
    }
    (cards, card_of)
}

/// The last heading that all passages of the card share; a card of one passage is named by its second heading.
fn card_title(card: &Card, passages: &[Passage]) -> String {
    let Some(first) = card.passages.first().map(|&at| &passages[at].path) else { return String::new() };
    let shared = card.passages.iter().fold(first.len(), |shared, &at| {
        let path = &passages[at].path;
        first.iter().zip(path).take(shared).take_while(|(a, b)| a == b).count()
    });
    let depth = if card.passages.len() == 1 { first.len().min(2) } else { shared.max(1) };
    first.get(depth.saturating_sub(1)).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slips_of_the_finger_are_one_edit() {
        let chars: Vec<char> = "kuberntes".chars().collect();
        assert_eq!(edits(&chars, "kubernetes", 2), Some(1));
        let swapped: Vec<char> = "kakfa".chars().collect();
        assert_eq!(edits(&swapped, "kafka", 1), Some(1));
        assert_eq!(edits(&chars, "terraform", 2), None);
    }

    proptest! {
        #[test]
        fn edit_distance_is_symmetric_and_bounded(a in "[a-d]{0,8}", b in "[a-d]{0,8}") {
            let (ca, cb): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(edits(&ca, &b, 20), edits(&cb, &a, 20));
            prop_assert!(edits(&ca, &b, 20).unwrap() <= ca.len().max(cb.len()));
            prop_assert_eq!(edits(&ca, &a, 20), Some(0));
        }
    }
}
