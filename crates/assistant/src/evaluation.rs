//! Measuring the assistant on a set of questions: does it find, does it answer, does it refuse.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::model::answer::{Setting, plan};
use crate::model::index::Index;

/// What should come of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// An answer.
    Answer,
    /// "The site does not say."
    Refuse,
}

/// One question of an evaluation set.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EvaluationQuestion {
    /// The question.
    pub q: String,
    /// What should come of it.
    pub kind: Expectation,
    /// Words that a right answer contains, whatever their case.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Passages of which any is a hit.
    #[serde(default)]
    pub gold: Vec<String>,
    /// Words that no answer may contain.
    #[serde(default)]
    pub must_not: Vec<String>,
}

/// How one question went.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The question.
    pub q: String,
    /// What should have come of it.
    pub kind: Expectation,
    /// It was refused.
    pub refused: bool,
    /// For a question to answer: facts are in the answer, or a gold passage is quoted. For one to refuse: it was refused.
    pub right: bool,
    /// Place (from 1) of the first gold passage found, for questions that name some.
    pub rank: Option<usize>,
    /// Passages found, best first.
    pub found: Vec<String>,
    /// The answer's text.
    pub text: String,
    /// Time to the composed answer.
    pub micros: u64,
    /// Coverage of the question by the content, and by the best card.
    pub coverage: (f32, f32),
}

/// Figures over a whole set; shares are between 0 and 1.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Questions that have an answer.
    pub answerable: usize,
    /// Questions that have none.
    pub unanswerable: usize,
    /// Share of questions with gold passages that have one among the first three found.
    pub recall_at_3: f32,
    /// Share of answerable questions that were answered rightly.
    pub right: f32,
    /// Share of unanswerable questions that were refused.
    pub refusals: f32,
    /// Share of answerable questions that were refused.
    pub false_refusals: f32,
    /// Median and 95th percentile of the time to the composed answer, in microseconds.
    pub micros_p50: u64,
    /// See `micros_p50`.
    pub micros_p95: u64,
    /// Every question.
    pub outcomes: Vec<Outcome>,
}

/// Asks every question once, as a first question on the home page, with the extractive answerer.
pub fn evaluate(index: &Index, questions: &[EvaluationQuestion]) -> Report {
    let outcomes: Vec<Outcome> = questions
        .iter()
        .take(limits::EVALUATION_QUESTIONS_MAX)
        .map(|question| ask(index, question))
        .collect();
    let of = |kind: Expectation| outcomes.iter().filter(move |outcome| outcome.kind == kind);
    let (answerable, unanswerable) = (of(Expectation::Answer).count(), of(Expectation::Refuse).count());
    let ranked = questions.iter().filter(|q| q.kind == Expectation::Answer && !q.gold.is_empty()).count();
    let in_three =
        of(Expectation::Answer).filter(|outcome| outcome.rank.is_some_and(|rank| rank <= 3)).count();
    let mut micros: Vec<u64> = outcomes.iter().map(|outcome| outcome.micros).collect();
    micros.sort_unstable();
    let percentile = |p: usize| micros.get((micros.len().max(1) - 1) * p / 100).copied().unwrap_or(0);
    Report {
        answerable,
        unanswerable,
        recall_at_3: share(in_three, ranked),
        right: share(of(Expectation::Answer).filter(|o| o.right).count(), answerable),
        refusals: share(of(Expectation::Refuse).filter(|o| o.right).count(), unanswerable),
        false_refusals: share(of(Expectation::Answer).filter(|o| o.refused).count(), answerable),
        micros_p50: percentile(50),
        micros_p95: percentile(95),
        outcomes,
    }
}

fn ask(index: &Index, question: &EvaluationQuestion) -> Outcome {
    let started = Instant::now();
    let plan = plan(index, &question.q, Setting::default());
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let text = plan.answer.text();
    let refused = plan.answer.refusal.is_some();
    let found: Vec<String> =
        plan.hits.iter().take(8).map(|hit| index.passage(hit.passage).id.clone()).collect();
    let quoted =
        |id: &String| plan.answer.sources.iter().any(|source| index.passage(source.passage).id == *id);
    let low = text.to_lowercase();
    let says = |words: &String| low.contains(&words.to_lowercase());
    let facts = if question.facts.is_empty() {
        question.gold.is_empty() || question.gold.iter().any(quoted)
    } else {
        question.facts.iter().all(says)
    };
    let clean = !question.must_not.iter().any(says);
    let right = match question.kind {
        Expectation::Answer => !refused && facts && clean,
        Expectation::Refuse => refused && clean,
    };
    let rank = found.iter().position(|id| question.gold.contains(id)).map(|at| at + 1);
    Outcome {
        q: question.q.clone(),
        kind: question.kind,
        refused,
        right,
        rank,
        found,
        text,
        micros,
        coverage: (plan.coverage, plan.card_coverage),
    }
}

fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 1.0 } else { part as f32 / whole as f32 }
}
