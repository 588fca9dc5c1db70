//! Driving a language model: queue for a slot, ask, guard every sentence, persist, end.
//!
//! While nothing has been shown, any failure falls back to the extractive answer in the same stream, and the reader sees a
//! normal answer. Once something has been shown nothing is spliced: the partial stands and the stream says that it broke
//! off.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use plinth_kernel::Micros;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::Inner;
use crate::hub::{Halt, Run};
use crate::limits;
use crate::model::answer::Plan;
use crate::model::budget::estimate;
use crate::model::citation::{Marked, read_markers};
use crate::model::generation::{FinishReason, GenEvent, ProviderError, Usage, Waiting};
use crate::model::grounding::{Evidence, Verdict, strip_markup};
use crate::model::index::Index;
use crate::model::prompt::{self, Prompt};
use crate::model::run::RunState;
use crate::model::text::{sentence_end, utf16_len};
use crate::model::ui_stream::{Failure, Part, TEXT_ID};
use crate::parts::{self, Detail, Figures, ShownSource};
use crate::provider::{GenRequest, GenStream, Provider};
use crate::store::{Ending, RunKeys, finish, save_progress};

/// A question for a model.
pub(crate) struct Generation {
    pub(crate) keys: RunKeys,
    pub(crate) index: Arc<Index>,
    pub(crate) plan: Plan,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) prompt: Prompt,
    pub(crate) nonce: String,
    pub(crate) output_tokens_max: u64,
    pub(crate) locale: Option<String>,
    pub(crate) admitted_at: Micros,
}

/// How the model's part ended.
enum Outcome {
    Complete(FinishReason),
    Halted(Halt),
    Abandoned,
    Failed(Failure),
    /// Nothing was shown: the extractive answer takes over, for this reason.
    Degrade(&'static str),
}

/// Runs a generation to its end. The run's log is closed and its row ended when this returns.
pub(crate) async fn generate(inner: Arc<Inner>, run: Arc<Run>, generation: Generation) {
    let mut writer = Writer::new(&run, &generation);
    writer.open();
    let outcome = drive(&inner, &run, &generation, &mut writer).await;
    conclude(&inner, &run, &generation, writer, outcome).await;
    inner.hub.retire(run);
}

/// Waits for whatever comes first: the model, the reader's stop, the readers leaving, the server's end.
async fn drive(inner: &Inner, run: &Arc<Run>, generation: &Generation, writer: &mut Writer<'_>) -> Outcome {
    tokio::select! {
        biased;
        halt = run.halted() => Outcome::Halted(halt),
        () = run.abandoned(inner.settings.disconnect_grace) => Outcome::Abandoned,
        outcome = ask(inner, generation, writer) => outcome,
    }
}

async fn ask(inner: &Inner, generation: &Generation, writer: &mut Writer<'_>) -> Outcome {
    let slot = match inner.slots.try_acquire() {
        Ok(slot) => Ok(slot),
        Err(_) => {
            writer.status(json!({"phase": "queued"}));
            match tokio::time::timeout(limits::SLOT_TIMEOUT, inner.slots.acquire()).await {
                Ok(Ok(slot)) => Ok(slot),
                _ => Err(()),
            }
        }
    };
    let Ok(_slot) = slot else { return Outcome::Degrade("busy") };
    let mut attempt = 0;
    loop {
        attempt += 1;
        let error = match start(generation).await {
            Ok(stream) => match read(inner, generation, writer, stream).await {
                Ok(outcome) => return outcome,
                Err(error) => error,
            },
            Err(error) => error,
        };
        tracing::warn!(provider = generation.provider.id(), run = %generation.keys.run, %error, "the provider failed");
        if writer.has_shown() {
            return Outcome::Failed(failure_of(&error));
        }
        if attempt >= limits::PROVIDER_ATTEMPTS_MAX || !error.retryable() {
            return Outcome::Degrade(degraded_by(&error));
        }
        writer.forget();
        tokio::time::sleep(pause(&error)).await;
    }
}

async fn start(generation: &Generation) -> Result<GenStream, ProviderError> {
    let request =
        GenRequest { prompt: generation.prompt.clone(), output_tokens_max: generation.output_tokens_max };
    generation.provider.stream(request).await
}

/// Reads one stream to its end, storing the partial answer on the way.
async fn read(
    inner: &Inner,
    generation: &Generation,
    writer: &mut Writer<'_>,
    mut stream: GenStream,
) -> Result<Outcome, ProviderError> {
    writer.accepted = true;
    let mut persist = interval(limits::PERSIST_INTERVAL);
    persist.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reason = None;
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            _ = persist.tick() => {
                save(inner, generation, writer).await;
                continue;
            }
        };
        match event {
            Some(Ok(GenEvent::Delta(text))) => match writer.write(&text, inner.world().now()) {
                Flow::On => {}
                Flow::Full => return Ok(Outcome::Complete(FinishReason::Length)),
                Flow::Blocked => return Ok(writer.blocked()),
            },
            Some(Ok(GenEvent::Usage(usage))) => writer.usage = Some(usage),
            Some(Ok(GenEvent::Finished(finished))) => reason = Some(finished),
            Some(Err(error)) => return Err(error),
            None => break,
        }
    }
    let reason = reason.ok_or_else(|| ProviderError::Interrupted("no terminal marker".to_owned()))?;
    Ok(match writer.end(inner.world().now()) {
        Flow::Blocked => writer.blocked(),
        // Every sentence was withheld, or there was none: the content's own words are the better answer.
        _ if !writer.has_shown() => Outcome::Degrade("ungrounded"),
        _ => Outcome::Complete(reason),
    })
}

/// Stores the partial answer and renews the run's lease. Losing a write here costs a second of text after a crash, no more.
async fn save(inner: &Inner, generation: &Generation, writer: &Writer<'_>) {
    let (keys, body, frames) = (generation.keys.clone(), writer.body.clone(), writer.run.log.lines_with(&[]));
    let saved = inner.store.write(move |tx| save_progress(tx, &keys, &body, &frames)).await;
    if let Err(error) = saved {
        tracing::warn!(run = %generation.keys.run, %error, "the partial answer was not stored");
    }
}

async fn conclude(
    inner: &Inner,
    run: &Arc<Run>,
    generation: &Generation,
    writer: Writer<'_>,
    outcome: Outcome,
) {
    let total_ms = inner.world().now().since(generation.admitted_at) / 1_000;
    let (ending, last) = writer.conclude(outcome, total_ms);
    let keys = generation.keys.clone();
    let stored = ending.clone();
    let result = inner.store.write(move |tx| finish(tx, &keys, &stored)).await;
    if let Err(error) = result {
        // The lease will run out and recovery will end the run; the reader gets the end that is true now.
        tracing::error!(run = %generation.keys.run, %error, "the end of a run was not stored");
    }
    run.log.close(&last);
}

fn pause(error: &ProviderError) -> Duration {
    match error {
        ProviderError::RateLimited { retry_after: Some(wait) } => (*wait).min(limits::RETRY_PAUSE_MAX),
        _ => limits::RETRY_PAUSE,
    }
}

fn failure_of(error: &ProviderError) -> Failure {
    match error {
        ProviderError::Timeout(_) => Failure::UpstreamTimeout,
        ProviderError::RateLimited { .. } | ProviderError::Overloaded { .. } => Failure::UpstreamOverloaded,
        _ => Failure::UpstreamInterrupted,
    }
}

fn degraded_by(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Timeout(Waiting::Connect) => "provider_unreachable",
        ProviderError::Timeout(_) => "provider_timeout",
        ProviderError::RateLimited { .. } | ProviderError::Overloaded { .. } => "provider_overloaded",
        _ => "provider_failed",
    }
}

/// Whether to go on writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    On,
    Full,
    Blocked,
}

/// Turns a model's text into parts, sentence by sentence.
struct Writer<'a> {
    run: &'a Arc<Run>,
    generation: &'a Generation,
    evidence: Evidence,
    sources: Vec<ShownSource>,
    /// What has come and is not a closed sentence yet.
    open: String,
    /// What has come altogether.
    received_bytes: usize,
    /// What was shown.
    body: String,
    utf16: u32,
    citations: Vec<serde_json::Value>,
    /// The last sentence ended its line.
    line_ended: bool,
    withheld: u32,
    refused: bool,
    first_at: Option<Micros>,
    /// The upstream took the request, so the prompt was paid for.
    accepted: bool,
    usage: Option<Usage>,
    /// Of attempts that were given up.
    wasted: Usage,
}

impl<'a> Writer<'a> {
    fn new(run: &'a Arc<Run>, generation: &'a Generation) -> Self {
        let index = &generation.index;
        let hits = generation.plan.hits.iter().take(limits::SOURCES_MAX);
        let sources: Vec<ShownSource> = (1..)
            .zip(hits.clone())
            .map(|(n, hit)| ShownSource::new(n, index.passage(hit.passage), hit.score))
            .collect();
        let texts = hits.flat_map(|hit| {
            let passage = index.passage(hit.passage);
            std::iter::once(passage.body.as_str()).chain(passage.path.iter().map(String::as_str))
        });
        let subject = index.snapshot().assistant.subject.as_str();
        Self {
            run,
            generation,
            evidence: Evidence::new(texts.chain(std::iter::once(subject))),
            sources,
            open: String::new(),
            received_bytes: 0,
            body: String::new(),
            utf16: 0,
            citations: Vec::new(),
            line_ended: false,
            withheld: 0,
            refused: false,
            first_at: None,
            accepted: false,
            usage: None,
            wasted: Usage::default(),
        }
    }

    fn open(&mut self) {
        let generation = self.generation;
        let provider = &generation.provider;
        let version = &generation.index.snapshot().version;
        self.push(&parts::start(
            &generation.keys.answer,
            &generation.keys.run,
            provider.id(),
            provider.model(),
            version,
            generation.locale.as_deref(),
        ));
        self.status(json!({"phase": "retrieved", "passages": self.sources.len()}));
        self.push(&Part::StartStep);
        let sources: Vec<Part> = self.sources.iter().map(ShownSource::part).collect();
        sources.iter().for_each(|part| self.push(part));
    }

    fn push(&self, part: &Part) {
        // A full log is noticed by its text, which ends the answer; a lost status or citation harms nobody.
        self.run.log.push(part);
    }

    fn status(&self, data: serde_json::Value) {
        self.push(&Part::status(data));
    }

    fn has_shown(&self) -> bool {
        !self.body.is_empty()
    }

    /// A failed attempt's text was never shown.
    fn forget(&mut self) {
        self.wasted = self.usage();
        self.open.clear();
        self.received_bytes = 0;
        self.withheld = 0;
        self.accepted = false;
        self.usage = None;
    }

    fn write(&mut self, text: &str, now: Micros) -> Flow {
        self.received_bytes += text.len();
        self.open.push_str(text);
        while let Some(end) = sentence_end(&self.open).or_else(|| too_long(&self.open)) {
            if may_still_cite(&self.open[end..]) && !self.open[..end].ends_with('\n') {
                break;
            }
            let sentence: String = self.open.drain(..end).collect();
            match self.sentence(&sentence, now) {
                Flow::On => {}
                other => return other,
            }
        }
        Flow::On
    }

    fn end(&mut self, now: Micros) -> Flow {
        let rest = std::mem::take(&mut self.open);
        if rest.trim().is_empty() { Flow::On } else { self.sentence(&rest, now) }
    }

    /// Judges a closed sentence and shows it, or not.
    fn sentence(&mut self, raw: &str, now: Micros) -> Flow {
        let clean = strip_markup(raw);
        if clean.trim().is_empty() {
            return Flow::On;
        }
        let marked = read_markers(&clean, u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        let index = &self.generation.index;
        let refusal = &index.snapshot().assistant.refusal;
        let refuses = refusal.contains(marked.plain.trim()) && marked.plain.trim().len() >= 8;
        let vocabulary = index.vocabulary();
        let plain = |word: &crate::model::text::Word| {
            vocabulary.is_function(word) || vocabulary.is_generic(word) && !word.named
        };
        match self.evidence.judge(&marked.plain, &self.generation.nonce, plain) {
            Verdict::Blocked => return Flow::Blocked,
            Verdict::Withheld(why) if !refuses => {
                tracing::debug!(run = %self.generation.keys.run, ?why, "a sentence was withheld");
                self.withheld += 1;
                return Flow::On;
            }
            _ => {}
        }
        self.refused |= refuses;
        self.show(&marked, now)
    }

    fn show(&mut self, marked: &Marked, now: Micros) -> Flow {
        let text = marked.text.trim();
        let joint = match (self.body.is_empty(), self.line_ended || marked.text.starts_with('\n')) {
            (true, _) => "",
            (false, true) => "\n",
            (false, false) => " ",
        };
        self.line_ended = marked.text.ends_with('\n');
        if self.body.chars().count() + text.chars().count() > limits::GENERATED_CHARS_MAX {
            return Flow::Full;
        }
        if self.body.is_empty() {
            self.first_at = Some(now);
            self.push(&Part::TextStart { id: TEXT_ID });
        }
        let delta = format!("{joint}{text}");
        if !self.run.log.push(&Part::TextDelta { id: TEXT_ID, delta: delta.clone() }) {
            return Flow::Full;
        }
        let from = self.utf16 + utf16_len(joint);
        let span = (from, from + utf16_len(marked.plain.trim()));
        self.utf16 += utf16_len(&delta);
        self.body.push_str(&delta);
        for n in &marked.cited {
            let Some(source) = self.sources.iter().find(|source| source.n == *n) else { continue };
            let passage =
                self.generation.index.position(&source.id).map(|at| self.generation.index.passage(at));
            let whole = (0, passage.map_or(0, |passage| utf16_len(&passage.body)));
            self.push(&Part::citation(self.citations.len() + 1, *n, &source.id, span, whole));
            self.citations.push(json!({"n": n, "source_id": source.id, "answer": span, "source": whole}));
        }
        Flow::On
    }

    /// What must not leave came up: what was shown stays, or the content's own words take over.
    fn blocked(&self) -> Outcome {
        if self.has_shown() { Outcome::Failed(Failure::OutputBlocked) } else { Outcome::Degrade("blocked") }
    }

    /// What the provider was paid for, over all attempts.
    fn usage(&self) -> Usage {
        let last = match (self.usage, self.accepted) {
            (Some(usage), _) => usage,
            (None, true) => estimate(self.generation.prompt.bytes(), self.received_bytes),
            (None, false) => return self.wasted,
        };
        Usage {
            input: last.input + self.wasted.input,
            output: last.output + self.wasted.output,
            cached: last.cached + self.wasted.cached,
            reported: last.reported && self.wasted == Usage::default(),
        }
    }

    /// The run's end for the store, and its last parts for the readers.
    fn conclude(self, outcome: Outcome, total_ms: i64) -> (Ending, Vec<Part>) {
        if let Outcome::Degrade(reason) = outcome {
            return self.extractive(reason, total_ms);
        }
        let usage = self.usage();
        let grounded = self.has_shown() && self.withheld == 0 && !self.refused;
        let figures = Figures {
            usage,
            cost_micros: self.generation.provider.price().cost(usage),
            grounded,
            refused: self.refused,
            ttft_ms: self.ttft_ms(),
            total_ms,
        };
        let (state, finish_reason, failure) = match &outcome {
            Outcome::Complete(_) if self.refused => (RunState::Refused, "stop", None),
            Outcome::Complete(FinishReason::Stop) => (RunState::Done, "stop", None),
            Outcome::Complete(FinishReason::Length) => (RunState::Done, "length", None),
            Outcome::Complete(FinishReason::Filter) => (RunState::Done, "content-filter", None),
            Outcome::Halted(Halt::Stop) => (RunState::Stopped, "other", None),
            Outcome::Abandoned => (RunState::Expired, "other", None),
            Outcome::Halted(Halt::Drain) => (RunState::Failed, "error", Some(Failure::ServerDraining)),
            Outcome::Failed(failure) => (RunState::Failed, "error", Some(*failure)),
            Outcome::Degrade(_) => (RunState::Done, "stop", None),
        };
        let suggestions =
            if failure.is_none() { self.generation.plan.answer.suggestions.clone() } else { Vec::new() };
        let mut last = Vec::new();
        if let Some(failure) = failure {
            last.extend(Part::failure(failure, self.has_shown()));
        }
        if self.has_shown() {
            last.push(Part::TextEnd { id: TEXT_ID });
        }
        match state {
            RunState::Stopped => last.push(Part::Abort { reason: "stopped by the reader".to_owned() }),
            RunState::Expired => last.push(Part::Abort { reason: "nobody was reading".to_owned() }),
            RunState::Done | RunState::Refused if !suggestions.is_empty() => {
                last.push(Part::DataSuggestions { data: suggestions.clone() });
            }
            _ => {}
        }
        if failure.is_none() {
            last.push(Part::FinishStep);
        }
        last.push(parts::finish(finish_reason, &figures));
        let detail = Detail {
            sources: self.sources.iter().map(ShownSource::json).collect(),
            citations: self.citations.clone(),
            suggestions,
            grounded,
            refused: self.refused,
            degraded: None,
            finish_reason,
            failure: failure.map(Failure::code),
        };
        self.ending(state, &detail, figures, last, failure)
    }

    /// The extractive answer in the place of the model's. Its sources come first among those shown already, with the same
    /// numbers.
    fn extractive(mut self, reason: &'static str, total_ms: i64) -> (Ending, Vec<Part>) {
        let answer = self.generation.plan.answer.clone();
        let usage = self.usage();
        self.body = answer.text();
        let figures = Figures {
            usage,
            cost_micros: self.generation.provider.price().cost(usage),
            grounded: answer.grounded(),
            refused: answer.refusal.is_some(),
            ttft_ms: Some(total_ms),
            total_ms,
        };
        let mut last = vec![Part::status(json!({"phase": "degraded", "reason": reason}))];
        last.extend(parts::text(&self.sources, &answer));
        last.push(Part::FinishStep);
        last.push(parts::finish("stop", &figures));
        let detail = Detail { degraded: Some(reason), ..Detail::of(&self.sources, &answer) };
        let state = if answer.refusal.is_some() { RunState::Refused } else { RunState::Done };
        self.ending(state, &detail, figures, last, None)
    }

    fn ending(
        &self,
        state: RunState,
        detail: &Detail,
        figures: Figures,
        last: Vec<Part>,
        failure: Option<Failure>,
    ) -> (Ending, Vec<Part>) {
        let ending = Ending {
            state,
            body: self.body.clone(),
            detail: detail.json(),
            frames: self.run.log.lines_with(&last),
            usage: figures.usage,
            cost_micros: figures.cost_micros,
            card: self.generation.plan.answer.card.clone(),
            ttft_ms: figures.ttft_ms,
            total_ms: figures.total_ms,
            failure: failure.map(Failure::code),
        };
        (ending, last)
    }

    fn ttft_ms(&self) -> Option<i64> {
        self.first_at.map(|at| at.since(self.generation.admitted_at) / 1_000)
    }
}

/// Whether what follows a full stop may become a marker of the same sentence: nothing yet, or an unfinished `[1`.
fn may_still_cite(rest: &str) -> bool {
    let rest = rest.trim_start_matches(' ');
    rest.is_empty() || (rest.len() <= 6 && rest.starts_with('[') && !rest.contains(']'))
}

/// Where to cut a sentence that does not end: at the last blank before the limit.
fn too_long(open: &str) -> Option<usize> {
    let (limit, _) = open.char_indices().nth(limits::SENTENCE_CHARS_MAX)?;
    Some(open[..limit].rfind(' ').map_or(limit, |blank| blank + 1))
}

/// Builds the prompt for the passages that will be shown as sources.
pub(crate) fn prompt_for(index: &Index, plan: &Plan, question: &str, nonce: &str) -> Prompt {
    let passages: Vec<_> =
        plan.hits.iter().take(limits::SOURCES_MAX).map(|hit| index.passage(hit.passage)).collect();
    prompt::build(&index.snapshot().assistant, &passages, question, nonce)
}
