//! From an answer to the parts of its stream, and to what is stored of it.

use plinth_kernel::ports::Passage;
use plinth_kernel::{MessageId, RunId};
use serde_json::{Value, json};

use crate::model::answer::{Answer, Plan, Refusal, quote_of};
use crate::model::gate::Intent;
use crate::model::generation::Usage;
use crate::model::index::Index;
use crate::model::ui_stream::{Part, TEXT_ID};

/// A passage offered as a source, as it is shown and stored.
#[derive(Clone, Debug)]
pub(crate) struct ShownSource {
    pub(crate) n: u32,
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) quote: String,
    pub(crate) score: f32,
}

impl ShownSource {
    pub(crate) fn new(n: u32, passage: &Passage, score: f32) -> Self {
        Self {
            n,
            id: passage.id.clone(),
            url: passage.url.clone(),
            title: passage.path.join(" › "),
            quote: quote_of(passage),
            score,
        }
    }

    pub(crate) fn part(&self) -> Part {
        Part::SourceUrl {
            source_id: self.id.clone(),
            url: self.url.clone(),
            title: self.title.clone(),
            provider_metadata: json!({"plinth": {"n": self.n, "score": rounded(self.score), "quote": self.quote}}),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({"n": self.n, "source_id": self.id, "url": self.url, "title": self.title, "quote": self.quote})
    }
}

/// Scores are for people to compare, not to compute with.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1_000.0).round() / 1_000.0
}

/// The first part of a run's stream.
pub(crate) fn start(
    answer: &MessageId,
    run: &RunId,
    provider: &str,
    model: &str,
    version: &str,
    locale: Option<&str>,
) -> Part {
    Part::Start {
        message_id: answer.to_string(),
        message_metadata: json!({
            "run_id": run.to_string(),
            "provider": provider,
            "model": model,
            "content_version": version,
            "locale": locale,
        }),
    }
}

/// The sources an extractive answer quotes.
pub(crate) fn quoted_sources(index: &Index, answer: &Answer) -> Vec<ShownSource> {
    answer
        .sources
        .iter()
        .map(|source| ShownSource::new(source.n, index.passage(source.passage), source.score))
        .collect()
}

/// Text, citations and suggestions of an extractive answer, each citation right behind its sentence.
pub(crate) fn text(sources: &[ShownSource], answer: &Answer) -> Vec<Part> {
    let mut parts = vec![Part::TextStart { id: TEXT_ID }];
    let mut citations = answer.citations.iter().enumerate().peekable();
    let mut end = 0;
    for piece in &answer.pieces {
        end += crate::model::text::utf16_len(piece);
        parts.push(Part::TextDelta { id: TEXT_ID, delta: piece.clone() });
        while let Some((at, citation)) = citations.next_if(|(_, citation)| citation.answer.1 <= end) {
            let id =
                sources.iter().find(|source| source.n == citation.n).map_or("", |source| source.id.as_str());
            parts.push(Part::citation(at + 1, citation.n, id, citation.answer, citation.source));
        }
    }
    parts.push(Part::TextEnd { id: TEXT_ID });
    if !answer.suggestions.is_empty() {
        parts.push(Part::DataSuggestions { data: answer.suggestions.clone() });
    }
    parts
}

/// What is stored of a message besides its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detail {
    pub(crate) sources: Vec<Value>,
    pub(crate) citations: Vec<Value>,
    pub(crate) suggestions: Vec<String>,
    pub(crate) grounded: bool,
    pub(crate) refused: bool,
    pub(crate) degraded: Option<&'static str>,
    pub(crate) finish_reason: &'static str,
    pub(crate) failure: Option<&'static str>,
}

impl Detail {
    /// Of an extractive answer.
    pub(crate) fn of(sources: &[ShownSource], answer: &Answer) -> Self {
        let citation = |citation: &crate::model::answer::Citation| {
            let id =
                sources.iter().find(|source| source.n == citation.n).map_or("", |source| source.id.as_str());
            json!({"n": citation.n, "source_id": id, "answer": citation.answer, "source": citation.source})
        };
        Self {
            sources: sources.iter().map(ShownSource::json).collect(),
            citations: answer.citations.iter().map(citation).collect(),
            suggestions: answer.suggestions.clone(),
            grounded: answer.grounded(),
            refused: answer.refusal.is_some(),
            degraded: None,
            finish_reason: "stop",
            failure: None,
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "sources": self.sources,
            "citations": self.citations,
            "suggestions": self.suggestions,
            "grounded": self.grounded,
            "refused": self.refused,
            "degraded": self.degraded,
            "finish_reason": self.finish_reason,
            "failure": self.failure,
        })
    }
}

/// Figures that close a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) usage: Usage,
    pub(crate) cost_micros: u64,
    pub(crate) grounded: bool,
    pub(crate) refused: bool,
    pub(crate) ttft_ms: Option<i64>,
    pub(crate) total_ms: i64,
}

/// The last part.
pub(crate) fn finish(reason: &'static str, figures: &Figures) -> Part {
    let usage = figures.usage;
    Part::Finish {
        finish_reason: reason,
        message_metadata: json!({
            "usage": {
                "input": usage.input,
                "output": usage.output,
                "cached": usage.cached,
                "source": if usage.reported { "provider" } else { "estimated" },
            },
            "cost_micros": figures.cost_micros,
            "grounded": figures.grounded,
            "refused": figures.refused,
            "ttft_ms": figures.ttft_ms,
            "total_ms": figures.total_ms,
        }),
    }
}

/// The name of an intent in records.
pub(crate) fn intent_name(plan: &Plan) -> &'static str {
    match (&plan.intent, plan.answer.refusal) {
        (_, Some(Refusal::NotStated)) => "not_stated",
        (Intent::Greeting, _) => "greeting",
        (Intent::Thanks, _) => "thanks",
        (Intent::Help, _) => "help",
        (Intent::Injection, _) => "injection",
        (Intent::Task, _) => "task",
        (Intent::Unknown(_), _) => "known_unknown",
        (Intent::Fact(_), _) => "fact",
        (Intent::Capability, _) => "capability",
        (Intent::Listing, _) => "listing",
        (Intent::Open, _) => "open",
    }
}

/// The retrieval's trace: what was found, how well it backs the question.
pub(crate) fn retrieval(index: &Index, plan: &Plan) -> Value {
    let passages: Vec<Value> = plan
        .hits
        .iter()
        .take(crate::limits::SOURCES_MAX)
        .map(|hit| json!({"id": index.passage(hit.passage).id, "score": rounded(hit.score)}))
        .collect();
    json!({
        "passages": passages,
        "coverage": rounded(plan.coverage),
        "card_coverage": rounded(plan.card_coverage),
    })
}
