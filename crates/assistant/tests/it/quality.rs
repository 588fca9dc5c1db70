//! How well questions are answered from the sample content: the bars that a change of the algorithm, the vocabulary or the
//! content must not fall below.

use std::sync::Arc;

use plinth_assistant::evaluation::{EvaluationQuestion, Expectation, Report, evaluate};
use plinth_assistant::model::answer::{Setting, plan};
use plinth_assistant::model::index::Index;
use plinth_kernel::ports::{ContentSnapshot, ContentSource};
use plinth_site::SiteContent;
use proptest::prelude::*;

#[derive(serde::Deserialize)]
struct Set {
    question: Vec<EvaluationQuestion>,
}

fn questions() -> Vec<EvaluationQuestion> {
    toml::from_str::<Set>(include_str!("../questions.toml")).unwrap().question
}

/// The content that ships with the product.
fn content() -> Arc<ContentSnapshot> {
    SiteContent::open(None, "test").unwrap().snapshot()
}

fn print(report: &Report) {
    for outcome in
        report.outcomes.iter().filter(|outcome| !outcome.right || outcome.rank.is_some_and(|rank| rank > 3))
    {
        let kind = if outcome.kind == Expectation::Answer { "answer" } else { "refuse" };
        println!(
            "{kind}, coverage {:.2?}, rank {:?}: {}\n    {}\n    {:?}",
            outcome.coverage,
            outcome.rank,
            outcome.q,
            outcome.text.replace('\n', "\n    "),
            &outcome.found
        );
    }
    println!(
        "{} to answer, {} to refuse: recall@3 {:.3}, right {:.3}, refusals {:.3}, false refusals {:.3}, {} µs median, {} µs p95",
        report.answerable,
        report.unanswerable,
        report.recall_at_3,
        report.right,
        report.refusals,
        report.false_refusals,
        report.micros_p50,
        report.micros_p95
    );
}

#[test]
fn readers_questions_are_answered_and_others_refused() {
    let report = evaluate(&Index::new(content()), &questions());
    print(&report);
    assert!(report.right >= 0.9, "right {}", report.right);
    assert!(report.refusals >= 0.94, "refusals {}", report.refusals);
    assert!(report.false_refusals <= 0.05, "false refusals {}", report.false_refusals);
}

/// A set of one's own: `PLINTH_QUESTIONS=set.json cargo test -p plinth-assistant questions_of_ones_own -- --nocapture`.
#[test]
fn questions_of_ones_own() {
    let Ok(path) = std::env::var("PLINTH_QUESTIONS") else { return };
    let questions: Vec<EvaluationQuestion> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    print(&evaluate(&Index::new(content()), &questions));
}

#[test]
fn every_passage_is_found_by_its_own_heading() {
    let index = Index::new(content());
    let cards: Vec<_> = index.cards().iter().filter(|card| card.passages.len() > 2).collect();
    for card in cards {
        let found = plan(&index, &format!("Tell me about {}", card.title), Setting::default());
        let best = &index.passage(found.hits[0].passage).card;
        assert!(
            *best == card.id
                || index.cards().iter().any(|other| other.id == *best && other.title == card.title),
            "{} found {best}",
            card.id
        );
    }
}

proptest! {
    /// Whatever is asked, the answer stays within its limits and every citation stays within its passage.
    #[test]
    fn no_question_breaks_the_answerer(question in "\\PC{0,200}") {
        thread_local!(static INDEX: Index = Index::new(content()));
        INDEX.with(|index| {
            let plan = plan(index, &question, Setting::default());
            let text: Vec<u16> = plan.answer.text().encode_utf16().collect();
            for citation in &plan.answer.citations {
                assert!(citation.answer.0 < citation.answer.1 && (citation.answer.1 as usize) < text.len());
                assert!(citation.source.0 < citation.source.1);
            }
            assert!(plan.answer.refusal.is_none() || plan.answer.sources.is_empty());
        });
    }
}
