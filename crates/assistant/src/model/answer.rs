//! Composing an answer from passages: choose, quote, cite. No word of it is new, apart from the connecting phrases here.

use std::collections::BTreeSet;

use plinth_kernel::ports::Passage;

use super::gate::{Intent, intent};
use super::index::{Backing, Card, Concept, Hit, Index};
use super::question::{Demand, Question};
use super::text::{clip, sentences, states_quantity, utf16_len, words};
use crate::limits;

/// Below this coverage of the question by the content as a whole the site does not say.
const COVERAGE_MIN: f32 = 0.37;
/// Below this coverage by the best card alone the site does not say.
const CARD_COVERAGE_MIN: f32 = 0.31;
/// Below this coverage a request for instructions ("how do I install …") is not for this site.
const HOW_TO_COVERAGE_MIN: f32 = 0.52;
/// From this coverage on a refusal names the nearest topic.
const NEAREST_COVERAGE_MIN: f32 = 0.25;
/// A further passage of the best card is quoted from this share of the best passage's own score on.
const SAME_CARD_SHARE: f32 = 0.3;
/// A passage of another card is quoted from this share of the best score on.
const OTHER_CARD_SHARE: f32 = 0.8;
/// Passages quoted in one answer.
const QUOTED_MAX: usize = 3;
/// Short passages (bullets) of one card quoted in one answer.
const BULLETS_MAX: usize = 5;
/// A passage up to this many characters counts as a bullet.
const BULLET_CHARS_MAX: usize = 90;
/// Cards named in a listing.
const LISTED_MAX: usize = 6;

/// A quotation inside an answer, in UTF-16 units on both sides (the unit in which browsers count).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// The number shown, `1` for `[1]`.
    pub n: u32,
    /// Where it stands in the answer.
    pub answer: (u32, u32),
    /// Where it stands in the passage.
    pub source: (u32, u32),
}

/// A passage an answer draws on.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The number shown.
    pub n: u32,
    /// Position of the passage in the snapshot.
    pub passage: usize,
    /// Its score in the search; `1.0` for a passage the owner named.
    pub score: f32,
}

/// Why nothing was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The owner has said that this is not told.
    KnownUnknown,
    /// The content does not hold it.
    NotStated,
    /// It was an attempt to command the assistant.
    Injection,
    /// It asked for work, not for information.
    Task,
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Pieces in order, each a sentence or a line; together they are the text.
    pub pieces: Vec<String>,
    /// Quotations.
    pub citations: Vec<Citation>,
    /// Passages by number.
    pub sources: Vec<Source>,
    /// Questions to ask next.
    pub suggestions: Vec<String>,
    /// Why it is not an answer, if it is not.
    pub refusal: Option<Refusal>,
    /// The thing it is about, for follow-up questions.
    pub card: Option<String>,
}

impl Answer {
    /// The whole text.
    pub fn text(&self) -> String {
        self.pieces.concat()
    }

    /// Whether every statement in it is a citation of the content.
    pub fn grounded(&self) -> bool {
        self.refusal.is_none() && !self.sources.is_empty()
    }
}

/// What was looked up for a question, and what came of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What kind of question it is.
    pub intent: Intent,
    /// Passages found, best first.
    pub hits: Vec<Hit>,
    /// Share of the question the content backs.
    pub coverage: f32,
    /// Share of the question the best card backs.
    pub card_coverage: f32,
    /// The extractive answer.
    pub answer: Answer,
}

impl Plan {
    /// Whether a language model may be asked: only when the content holds something to say.
    pub fn answerable(&self) -> bool {
        self.answer.refusal.is_none()
            && !matches!(self.intent, Intent::Greeting | Intent::Thanks | Intent::Help)
    }
}

/// Where the reader comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting<'a> {
    /// BCP 47 locale of the page.
    pub locale: Option<&'a str>,
    /// Path of the page being read.
    pub page: Option<&'a str>,
    /// Card of the previous answer in this conversation.
    pub previous_card: Option<&'a str>,
}

/// Answers a question from the content.
pub fn plan(index: &Index, text: &str, setting: Setting<'_>) -> Plan {
    let mut question = Question::read(index, text);
    let context = context_card(index, &question, setting);
    if let Some(card) = context {
        question.lean_on(index, &card.title);
    }
    let intent = intent(index, &question);
    let boost = context.or_else(|| named_card(index, &question)).map(|card| card.id.as_str());
    let hits = rank(index, &question, setting.locale, boost);
    let coverage = question.coverage();
    let card_coverage =
        hits.first().map_or(0.0, |hit| question.coverage_by(card_backs(index, &hits, hit.passage)));
    let composer = Composer {
        index,
        question: &question,
        hits: &hits,
        coverage,
        card_coverage,
        leaning: context.is_some(),
    };
    let answer = composer.answer(&intent);
    let hits = promote(index, hits, &answer);
    Plan { intent, hits, coverage, card_coverage, answer }
}

/// A follow-up is about the thing talked about last, or about the page being read.
fn context_card<'a>(index: &'a Index, question: &Question, setting: Setting<'_>) -> Option<&'a Card> {
    if !question.follow_up {
        return None;
    }
    let by_id = |id: &str| index.cards().iter().find(|card| card.id == id);
    setting.previous_card.and_then(by_id).or_else(|| {
        let page = setting.page.filter(|page| page.len() > 1)?.trim_end_matches('/');
        index.cards().iter().find(|card| {
            card.passages.first().is_some_and(|&at| {
                let url = index.passage(at).url.as_str();
                url.split('#').next() == Some(page)
            })
        })
    })
}

/// The card whose whole title, of two words or more, stands in the question.
fn named_card<'a>(index: &'a Index, question: &Question) -> Option<&'a Card> {
    let asked: Vec<&str> = question.words.iter().map(|word| word.stem.as_str()).collect();
    let named = index.cards().iter().filter_map(|card| {
        let title: Vec<String> = words(&card.title).into_iter().map(|word| word.stem).collect();
        let stands = title.len() > 1 && asked.windows(title.len()).any(|window| window == title);
        stands.then_some((title.len(), card))
    });
    named.max_by_key(|(len, _)| *len).map(|(_, card)| card)
}

/// Ranks for the whole question; with several clauses, the best passage of each follows right behind the best of all.
fn rank(index: &Index, question: &Question, locale: Option<&str>, boost: Option<&str>) -> Vec<Hit> {
    let mut hits = index.search(&question.concepts, &question.fields, locale, boost);
    let Some(best) = hits.first().copied() else { return hits };
    let card = index.card(best.passage).id.clone();
    for clause in &question.clauses {
        let found = index.search(&clause.concepts, &clause.fields, locale, Some(&card));
        let Some(top) = found
            .iter()
            .find(|hit| index.card(hit.passage).id == card || hit.score >= best.score * OTHER_CARD_SHARE)
        else {
            continue;
        };
        if let Some(hit) = hits.iter_mut().find(|hit| hit.passage == top.passage) {
            hit.score = hit.score.max(best.score * 0.95);
        }
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
    hits
}

/// Which concepts any passage of the same card backs.
fn card_backs(index: &Index, hits: &[Hit], passage: usize) -> u64 {
    let card = &index.card(passage).id;
    hits.iter().filter(|hit| index.card(hit.passage).id == *card).fold(0, |backs, hit| backs | hit.backs)
}

/// Passages that are quoted come first among those found.
fn promote(index: &Index, hits: Vec<Hit>, answer: &Answer) -> Vec<Hit> {
    let quoted: BTreeSet<usize> = answer.sources.iter().map(|source| source.passage).collect();
    let top = hits.first().map_or(1.0, |hit| hit.score);
    let mut ranked: Vec<Hit> = answer
        .sources
        .iter()
        .filter(|source| source.passage < index.snapshot().passages.len())
        .map(|source| {
            let known = hits.iter().find(|hit| hit.passage == source.passage);
            known.copied().unwrap_or(Hit { passage: source.passage, score: top, own: top, backs: 0 })
        })
        .collect();
    ranked.extend(hits.into_iter().filter(|hit| !quoted.contains(&hit.passage)));
    ranked
}

struct Composer<'a> {
    index: &'a Index,
    question: &'a Question,
    hits: &'a [Hit],
    coverage: f32,
    card_coverage: f32,
    leaning: bool,
}

impl Composer<'_> {
    fn answer(&self, intent: &Intent) -> Answer {
        let profile = &self.index.snapshot().assistant;
        match *intent {
            Intent::Greeting => self.canned(&profile.greeting),
            Intent::Thanks => self.canned(&profile.thanks),
            Intent::Help => self.canned(&profile.help),
            Intent::Injection => self.refuse(Refusal::Injection, &profile.refusal),
            Intent::Task => self.refuse(Refusal::Task, &profile.refusal),
            Intent::Unknown(row) => {
                let reply =
                    profile.unknowns.get(row).map_or(profile.refusal.as_str(), |unknown| &unknown.reply);
                self.refuse(Refusal::KnownUnknown, reply)
            }
            Intent::Fact(at) => self.fact(at).unwrap_or_else(|| self.open(None)),
            Intent::Listing => self.listing().unwrap_or_else(|| self.open(None)),
            Intent::Capability => self.open(Some("Yes. ")),
            Intent::Open => self.open(None),
        }
    }

    fn canned(&self, line: &str) -> Answer {
        let suggestions = self
            .index
            .snapshot()
            .assistant
            .suggestions
            .iter()
            .take(limits::SUGGESTIONS_MAX)
            .cloned()
            .collect();
        Answer { pieces: vec![line.to_owned()], suggestions, ..Answer::default() }
    }

    fn refuse(&self, refusal: Refusal, line: &str) -> Answer {
        Answer { refusal: Some(refusal), ..self.canned(line) }
    }

    /// "The site does not say", naming what is missing and the nearest thing it does tell.
    fn not_stated(&self) -> Answer {
        let profile = &self.index.snapshot().assistant;
        let mut line = profile.refusal.clone();
        let nearest = self.hits.first().filter(|_| self.coverage >= NEAREST_COVERAGE_MIN);
        let mut suggestions = Vec::new();
        if let Some(hit) = nearest {
            let card = self.index.card(hit.passage);
            if !card.title.is_empty() {
                line.push_str(&format!(" The nearest topic is “{}”.", card.title));
                suggestions = self.follow_ups(card, &[]);
            }
        }
        let mut answer = self.refuse(Refusal::NotStated, &line);
        if !suggestions.is_empty() {
            answer.suggestions = suggestions;
        }
        answer
    }

    fn fact(&self, at: usize) -> Option<Answer> {
        let fact = self.index.snapshot().assistant.facts.get(at)?;
        let passage = self.index.position(&fact.source)?;
        let mut draft = Draft::default();
        draft.quote("", &fact.answer, passage, 1.0, (0, utf16_len(&self.index.passage(passage).body)));
        Some(self.finish(draft, passage))
    }

    /// "Which systems use Redis": the cards that name it, each with the line that does.
    fn listing(&self) -> Option<Answer> {
        let concept = self.question.weighty().find(|concept| self.is_facet(concept))?;
        let others =
            self.question.weighty().any(|other| other.raw != concept.raw && !self.is_section_word(other));
        if others {
            return None;
        }
        let stem = super::text::stem(&concept.raw.replace(' ', ""));
        let mut cards: Vec<&str> = Vec::new();
        let mut draft = Draft::default();
        let section = self
            .question
            .words
            .iter()
            .find(|word| self.index.cards().iter().any(|card| section_of(&card.id) == word.stem));
        for card in self.index.cards() {
            if section.is_some_and(|word| section_of(&card.id) != word.stem) || cards.len() == LISTED_MAX {
                continue;
            }
            let names = |at: &&usize| {
                let passage = self.index.passage(**at);
                words(&passage.body).iter().any(|word| word.terms().any(|term| term == stem))
            };
            let preferred = card.passages.iter().filter(names).min_by_key(|at| {
                let field = self.index.passage(**at).field.as_str();
                usize::from(!matches!(field, "stack" | "tools"))
            });
            if let Some(&at) = preferred {
                let lead = format!("{}{}: ", if cards.is_empty() { "" } else { "\n" }, card.title);
                let (from, to) = self.excerpt(at, 140);
                draft.quote_span(&lead, self.index.passage(at), at, 1.0, (from, to));
                cards.push(&card.id);
            }
        }
        let first = draft.sources.first()?.passage;
        (cards.len() > 1).then(|| self.finish(draft, first))
    }

    fn is_facet(&self, concept: &Concept) -> bool {
        let wanted = super::text::stem(&concept.raw.replace(' ', ""));
        concept.backing == Backing::Direct
            && self.index.snapshot().passages.iter().any(|passage| {
                passage
                    .facets
                    .iter()
                    .any(|facet| words(facet).iter().any(|word| word.terms().any(|term| term == wanted)))
            })
    }

    fn is_section_word(&self, concept: &Concept) -> bool {
        let stem = super::text::stem(&concept.raw);
        self.index.cards().iter().any(|card| section_of(&card.id) == stem)
    }

    fn open(&self, lead: Option<&str>) -> Answer {
        if !self.leaning && self.question.concepts.iter().all(|concept| concept.generic) {
            return self.general();
        }
        if !self.holds_an_answer() {
            return self.not_stated();
        }
        let chosen = self.choose();
        let Some(&Hit { passage: first, .. }) = chosen.first() else { return self.not_stated() };
        if !self.meets_demand(&chosen) {
            return self.not_stated();
        }
        let main = self.index.card(first);
        let mut draft = Draft::default();
        let several = chosen.len() > 1;
        let room = (limits::EXTRACT_CHARS_MAX / chosen.len()).min(limits::EXCERPT_CHARS_MAX);
        for (at, hit) in chosen.iter().enumerate() {
            let lead = match at {
                0 => format!(
                    "{}On {}:{}",
                    lead.unwrap_or(""),
                    in_a_sentence(&main.title),
                    if several { "\n" } else { " " }
                ),
                _ => "\n".to_owned(),
            };
            let lead = format!("{lead}{}", self.label(hit.passage, main, several));
            let span = self.excerpt(hit.passage, room);
            draft.quote_span(&lead, self.index.passage(hit.passage), hit.passage, hit.score, span);
            if draft.chars >= limits::EXTRACT_CHARS_MAX {
                break;
            }
        }
        self.finish(draft, first)
    }

    fn is_about_the_subject(&self) -> bool {
        const NAMES: &[&str] = &[
            "he",
            "him",
            "his",
            "she",
            "her",
            "they",
            "them",
            "their",
            "you",
            "your",
            "guy",
            "man",
            "woman",
            "person",
            "engineer",
            "developer",
            "candidate",
            "owner",
        ];
        self.question
            .words
            .iter()
            .any(|word| NAMES.contains(&word.raw.as_str()) || self.index.is_subject(word))
    }

    /// "How do I …", "how to …": about the reader's work rather than the content.
    fn asks_how_to(&self) -> bool {
        matches!(self.question.raw().as_slice(), ["how", "to", ..] | ["how", _, "i" | "we" | "one", ..])
    }

    /// A question of general words only: "which systems has he built" lists them, "what is he best at" gets the first
    /// thing the site says, and anything else ("can he work there") is not stated.
    fn general(&self) -> Answer {
        let asks = |raw: &str| {
            matches!(raw, "what" | "which" | "who" | "tell" | "list" | "name" | "describe" | "show" | "how")
        };
        let opens = self.question.words.first().is_some_and(|word| asks(&word.raw));
        if !opens || !self.is_about_the_subject() || self.question.demand != Demand::Anything {
            return self.not_stated();
        }
        self.section().unwrap_or_else(|| self.overview())
    }

    /// The cards of a section that the question names.
    fn section(&self) -> Option<Answer> {
        let of_section = |stem: &str| {
            self.index.cards().iter().filter(move |card| section_of(&card.id) == stem).collect::<Vec<_>>()
        };
        let cards =
            self.question.words.iter().map(|word| of_section(&word.stem)).find(|cards| cards.len() > 1)?;
        let mut draft = Draft::default();
        for card in cards.into_iter().take(LISTED_MAX) {
            let &passage = card.passages.first()?;
            let lead = format!("{}{}: ", if draft.sources.is_empty() { "" } else { "\n" }, card.title);
            let span = self.excerpt(passage, BULLET_CHARS_MAX);
            draft.quote_span(&lead, self.index.passage(passage), passage, 1.0, span);
        }
        let first = draft.sources.first()?.passage;
        Some(self.finish(draft, first))
    }

    /// "What is he best at": the first thing the site says.
    fn overview(&self) -> Answer {
        let Some(card) = self.index.cards().first() else { return self.not_stated() };
        let mut draft = Draft::default();
        for (at, &passage) in card.passages.iter().take(QUOTED_MAX).enumerate() {
            let span = self.excerpt(passage, limits::EXTRACT_CHARS_MAX / 2);
            draft.quote_span(
                if at == 0 { "" } else { "\n" },
                self.index.passage(passage),
                passage,
                1.0,
                span,
            );
        }
        self.finish(draft, card.passages.first().copied().unwrap_or_default())
    }

    /// The gate on what was found: enough of the question must stand in the content, and in one place of it.
    fn holds_an_answer(&self) -> bool {
        if self.hits.is_empty() {
            return false;
        }
        if self.question.weighty().next().is_none() {
            // Only general words ("and how was it built?", "in his own time"): what was said before, or a phrase that the
            // vocabulary knows, gives them a meaning.
            return true;
        }
        let needed = if self.asks_how_to() { HOW_TO_COVERAGE_MIN } else { COVERAGE_MIN };
        let names_something_else = self
            .question
            .weighty()
            .any(|concept| concept.unstated || (concept.named && concept.backing == Backing::Absent));
        !names_something_else && self.coverage >= needed && self.card_coverage >= CARD_COVERAGE_MIN
    }

    /// The best passage, more of its card, then others that are nearly as good; each must add something.
    fn choose(&self) -> Vec<Hit> {
        let Some(best) = self.hits.first().copied() else { return Vec::new() };
        let card = &self.index.card(best.passage).id;
        let mut chosen = vec![best];
        let same = self.hits[1..].iter().filter(|hit| self.index.card(hit.passage).id == *card);
        let same = same.filter(|hit| hit.own >= best.own * SAME_CARD_SHARE);
        let other = self.hits[1..].iter().filter(|hit| self.index.card(hit.passage).id != *card);
        let other = other.filter(|hit| hit.score >= best.score * OTHER_CARD_SHARE);
        let mut candidates: Vec<Hit> = same.chain(other).copied().collect();
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
        let is_bullet = |hit: &Hit| self.index.passage(hit.passage).body.chars().count() <= BULLET_CHARS_MAX;
        let bullets = is_bullet(&best)
            && candidates.iter().all(|hit| is_bullet(hit) && self.index.card(hit.passage).id == *card);
        chosen.extend(candidates.into_iter().take(if bullets { BULLETS_MAX } else { QUOTED_MAX } - 1));
        chosen
    }

    fn meets_demand(&self, chosen: &[Hit]) -> bool {
        let says = |test: fn(&str) -> bool| {
            chosen
                .iter()
                .any(|hit| words(&self.index.passage(hit.passage).body).iter().any(|word| test(&word.raw)))
        };
        match &self.question.demand {
            Demand::Anything => true,
            Demand::Count(noun) => {
                chosen.iter().any(|hit| counts(&self.index.passage(hit.passage).body, noun))
            }
            Demand::Quantity => says(states_quantity),
            Demand::Date => {
                says(is_date) || chosen.iter().any(|hit| is_period(self.index.passage(hit.passage)))
            }
        }
    }

    /// How a line of the answer is introduced: the field's heading, and the card's when it is another one.
    fn label(&self, passage: usize, main: &Card, several: bool) -> String {
        let card = self.index.card(passage);
        let heading = self.index.passage(passage).path.last().map_or("", String::as_str);
        let heading = if heading == card.title { "" } else { heading };
        match (card.id == main.id, heading.is_empty()) {
            (true, true) => String::new(),
            (true, false) if several => format!("{heading}: "),
            (true, false) => String::new(),
            (false, true) => format!("{}: ", card.title),
            (false, false) => format!("{}, {}: ", card.title, in_a_sentence(heading)),
        }
    }

    /// The part of a passage to quote: all of it, or the sentences around the one that answers best.
    fn excerpt(&self, passage: usize, chars_max: usize) -> (usize, usize) {
        let body = self.index.passage(passage).body.as_str();
        let spans = sentences(body);
        let (Some(&(start, _)), Some(&(_, end))) = (spans.first(), spans.last()) else {
            return (0, body.len());
        };
        if body[start..end].chars().count() <= chars_max {
            return (start, end);
        }
        let asked: BTreeSet<String> = self
            .question
            .words
            .iter()
            .flat_map(|word| word.terms().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let hits = |span: &(usize, usize)| {
            words(&body[span.0..span.1])
                .iter()
                .filter(|word| word.terms().any(|term| asked.contains(term)))
                .count()
        };
        let best = (0..spans.len()).max_by_key(|&at| (hits(&spans[at]), std::cmp::Reverse(at))).unwrap_or(0);
        let (mut from, mut to) = (best, best);
        let fits = |from: usize, to: usize| body[spans[from].0..spans[to].1].chars().count() <= chars_max;
        while to + 1 < spans.len() && fits(from, to + 1) {
            to += 1;
        }
        while from > 0 && fits(from - 1, to) {
            from -= 1;
        }
        (spans[from].0, spans[to].1)
    }

    fn finish(&self, draft: Draft, about: usize) -> Answer {
        let card = self.index.card(about);
        let quoted: Vec<usize> = draft.sources.iter().map(|source| source.passage).collect();
        let mut suggestions = self.follow_ups(card, &quoted);
        let general = self.index.snapshot().assistant.suggestions.iter();
        for suggestion in general.filter(|suggestion| !suggestion.eq_ignore_ascii_case(&self.question.text)) {
            if suggestions.len() < limits::SUGGESTIONS_MAX && !suggestions.contains(suggestion) {
                suggestions.push(suggestion.clone());
            }
        }
        Answer {
            pieces: draft.pieces,
            citations: draft.citations,
            sources: draft.sources,
            suggestions,
            refusal: None,
            card: Some(card.id.clone()),
        }
    }

    /// Questions on the other fields of the same card.
    fn follow_ups(&self, card: &Card, quoted: &[usize]) -> Vec<String> {
        let subject = &self.index.snapshot().assistant.subject;
        card.passages
            .iter()
            .filter(|at| !quoted.contains(at))
            .filter_map(|&at| follow_up(&self.index.passage(at).field, &in_a_sentence(&card.title), subject))
            .take(limits::SUGGESTIONS_MAX)
            .collect()
    }
}

/// An answer in the making.
#[derive(Default)]
struct Draft {
    pieces: Vec<String>,
    citations: Vec<Citation>,
    sources: Vec<Source>,
    utf16: u32,
    chars: usize,
}

impl Draft {
    fn quote_span(&mut self, lead: &str, passage: &Passage, at: usize, score: f32, span: (usize, usize)) {
        let text = &passage.body[span.0..span.1];
        let source = (utf16_len(&passage.body[..span.0]), utf16_len(&passage.body[..span.1]));
        self.quote(lead, text, at, score, source);
    }

    fn quote(&mut self, lead: &str, text: &str, passage: usize, score: f32, source: (u32, u32)) {
        let n = u32::try_from(self.sources.len() + 1).unwrap_or(u32::MAX);
        let from = self.utf16 + utf16_len(lead);
        let piece = format!("{lead}{text} [{n}]");
        self.utf16 += utf16_len(&piece);
        self.chars += piece.chars().count();
        self.citations.push(Citation { n, answer: (from, from + utf16_len(text)), source });
        self.sources.push(Source { n, passage, score });
        self.pieces.push(piece);
    }
}

fn section_of(card: &str) -> String {
    super::text::stem(card.split('.').next().unwrap_or(card))
}

/// A heading inside a sentence: its first letter small unless it begins a name or an abbreviation.
fn in_a_sentence(title: &str) -> String {
    let mut chars = title.chars();
    let (Some(first), Some(second)) = (chars.next(), chars.clone().next()) else { return title.to_owned() };
    if first.is_uppercase() && second.is_lowercase() {
        first.to_lowercase().chain(chars).collect()
    } else {
        title.to_owned()
    }
}

fn follow_up(field: &str, title: &str, subject: &str) -> Option<String> {
    let the = if title.ends_with('s') { title.to_owned() } else { format!("the {title}") };
    Some(match field {
        "problem" => format!("What problem did {the} solve?"),
        "architecture" => format!("How is {the} built?"),
        "challenges" => format!("What was hard about {the}?"),
        "scalability" => format!("How does {the} scale?"),
        "scaling" => format!("How would {subject} scale {the}?"),
        "stack" => format!("Which technologies does {the} use?"),
        "bottlenecks" => format!("What are the bottlenecks of {the}?"),
        "trade_offs" | "trade-offs" => format!("Which trade-offs matter in {the}?"),
        "role" => format!("What was {subject}'s role on {the}?"),
        _ => return None,
    })
}

/// Whether a text counts these things: a number shortly before the noun.
fn counts(text: &str, noun: &str) -> bool {
    let words = words(text);
    words.iter().enumerate().any(|(at, word)| {
        states_quantity(&word.raw) && words[at..].iter().skip(1).take(3).any(|next| next.stem == noun)
    })
}

fn is_date(raw: &str) -> bool {
    const MONTHS: &[&str] = &[
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    (raw.len() == 4 && raw.parse::<u32>().is_ok_and(|year| (1900..=2199).contains(&year)))
        || MONTHS.contains(&raw)
}

fn is_period(passage: &Passage) -> bool {
    matches!(passage.field.as_str(), "when" | "period" | "date" | "dates")
}

/// A short form of a passage for the list of sources.
pub fn quote_of(passage: &Passage) -> String {
    clip(&passage.body, limits::QUOTE_CHARS_MAX)
}
