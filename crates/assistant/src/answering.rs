//! From a request to a run: plan, admit, answer at once or start a model; and what else can be done with a run.

use std::sync::Arc;
use std::time::Duration;

use plinth_kernel::{
    Actor, Code, ConversationId, FieldError, Id, MessageId, Problem, RunId, TenantId, TraceContext,
};
use plinth_store::{Error, Tx};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::generating::{self, Generation};
use crate::hub::{Halt, Run};
use crate::limits;
use crate::model::answer::{Plan, Setting, plan};
use crate::model::generation::Usage;
use crate::model::index::Index;
use crate::model::request::{ChatRequest, Trigger};
use crate::model::run::RunState;
use crate::model::ui_stream::Part;
use crate::parts::{self, Detail, Figures};
use crate::provider::Provider;
use crate::recovery;
use crate::store::{self, Access, Admission, Admitted, Caps, Ending, Refused, RunKeys, RunRow, Spend};
use crate::{Assistant, Inner};

/// Name of the answerer without a model.
pub(crate) const EXTRACTIVE: &str = "extractive";

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) access: Access,
    pub(crate) actor: Actor,
    pub(crate) trace: TraceContext,
    pub(crate) idempotency_key: Option<String>,
}

impl Assistant {
    /// Admits a question and starts its answer. The run's stream can be read at once.
    pub(crate) async fn ask(&self, asker: Asker, request: ChatRequest) -> Result<Arc<Run>, Problem> {
        let inner = &self.inner;
        if inner.is_draining() {
            return Err(Problem::new(Code::Unavailable, "The server is restarting.").retry_after_ms(5_000));
        }
        if inner.hub.active_count() >= limits::ACTIVE_RUNS_MAX {
            return Err(
                Problem::new(Code::Overloaded, "Too many answers are being written.").retry_after_ms(1_000)
            );
        }
        let provider = inner.provider_for(&request)?;
        let background = inner.background(&asker.access, &request).await?;
        let question = match request.trigger {
            Trigger::Submit => request.text.clone(),
            Trigger::Regenerate => {
                background.question.clone().ok_or_else(|| Problem::not_found("question to answer again"))?
            }
        };
        let index = inner.index();
        let setting = Setting {
            locale: request.locale.as_deref(),
            page: request.page.as_deref(),
            previous_card: background.card.as_deref(),
        };
        let plan = plan(&index, &question, setting);
        let provider = provider.filter(|_| plan.answerable());
        let job = Job { asker, request, question, index, plan, provider };
        job.start(inner).await
    }

    /// A run whose stream can be replayed or followed: in this process, or as it was stored.
    pub(crate) async fn find_run(
        &self,
        access: &Access,
        conversation: &str,
        run: Option<RunId>,
    ) -> Result<Option<Arc<Run>>, Problem> {
        let conversation = self.conversation(access, conversation).await?;
        let Some(row) = self.inner.stored_run(&access.tenant, &conversation, run).await? else {
            return Ok(None);
        };
        if let Some(run) = self.inner.hub.get(&access.tenant, &row.id) {
            return Ok(Some(run));
        }
        let now = self.inner.world().now();
        if row.is_alive(now) {
            // Another node writes it: its stream cannot be followed from here.
            return Ok(None);
        }
        let replay_us = i64::try_from(limits::REPLAY_WINDOW.as_micros()).unwrap_or(i64::MAX);
        let fresh = row.finished_at.is_some_and(|at| now.since(at) <= replay_us) && !row.frames.is_empty();
        Ok(fresh.then(|| Run::replay(access.tenant.clone(), row.id, row.conversation_id, &row.frames)))
    }

    /// Stops the run of a conversation, if there is one and it is the one meant.
    pub(crate) async fn stop(
        &self,
        access: &Access,
        conversation: &str,
        run: Option<RunId>,
    ) -> Result<(), Problem> {
        let found = self.conversation(access, conversation).await?;
        if let Some(active) = self.inner.hub.active(&access.tenant, &found)
            && run.is_none_or(|run| run == active.id)
        {
            active.halt(Halt::Stop);
        }
        Ok(())
    }

    /// Our id of a conversation.
    pub(crate) async fn conversation(&self, access: &Access, id: &str) -> Result<ConversationId, Problem> {
        let (access, id) = (access.clone(), id.to_owned());
        let found =
            self.inner.store.read(move |tx| store::find(tx, &access, &id)).await.map_err(Problem::from)?;
        found.map(|row| row.id).ok_or_else(|| Problem::not_found("conversation"))
    }
}

impl Inner {
    /// The model to ask, if any; an unknown name is the caller's mistake.
    fn provider_for(&self, request: &ChatRequest) -> Result<Option<Arc<dyn Provider>>, Problem> {
        match request.provider.as_deref() {
            None => Ok(self.provider.clone()),
            Some(EXTRACTIVE) => Ok(None),
            Some(name) => match &self.provider {
                Some(provider) if provider.id() == name => Ok(Some(Arc::clone(provider))),
                _ => {
                    let detail = "There is no such provider here; see GET /v1/assistant/config.";
                    Err(Problem::validation(vec![FieldError::pointer("/provider", "not_a_choice", detail)]))
                }
            },
        }
    }

    /// What was said before, for conversations that exist.
    async fn background(&self, access: &Access, request: &ChatRequest) -> Result<store::Background, Problem> {
        let Some(id) = request.id.clone() else {
            return match request.trigger {
                Trigger::Submit => Ok(store::Background::default()),
                Trigger::Regenerate => Err(Problem::not_found("conversation")),
            };
        };
        let access = access.clone();
        let found =
            self.store.read(move |tx| store::background(tx, &access, &id)).await.map_err(Problem::from)?;
        Ok(found.unwrap_or_default())
    }

    /// A run as it is stored: the one named, or the one in progress. A run whose process is gone is closed first.
    async fn stored_run(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        run: Option<RunId>,
    ) -> Result<Option<RunRow>, Problem> {
        let (owner, at) = (tenant.clone(), conversation.clone());
        let find = move |tx: &mut Tx<'_>| -> Result<Option<RunRow>, Error> {
            match &run {
                Some(id) => store::run(tx, &owner, &at, id),
                None => store::active_run(tx, &owner, &at),
            }
        };
        let Some(row) = self.store.read(find).await? else { return Ok(None) };
        if row.run_state().is_terminal() || row.is_alive(self.world().now()) {
            return Ok(Some(row));
        }
        let (tenant, conversation) = (tenant.clone(), conversation.clone());
        let closed = self.store.write(move |tx| -> Result<Option<RunRow>, Error> {
            recovery::close_lost(tx, &tenant, &row)?;
            store::run(tx, &tenant, &conversation, &row.id)
        });
        Ok(closed.await?)
    }

    fn caps(&self) -> Caps {
        let budget = &self.settings.budget;
        Caps {
            visitor_questions_per_day: i64::from(budget.visitor_questions_per_day),
            visitor_micros_per_day: budget.visitor_micros_per_day,
            tenant_micros_per_day: budget.tenant_micros_per_day,
            tenant_micros_per_month: budget.tenant_micros_per_month,
        }
    }
}

/// A planned question.
struct Job {
    asker: Asker,
    request: ChatRequest,
    question: String,
    index: Arc<Index>,
    plan: Plan,
    provider: Option<Arc<dyn Provider>>,
}

impl Job {
    async fn start(self, inner: &Arc<Inner>) -> Result<Arc<Run>, Problem> {
        let world = inner.world();
        let began = world.now();
        let (run_id, answer_id): (RunId, MessageId) = (world.id(), world.id());
        let nonce = world.token();
        let prompt = generating::prompt_for(&self.index, &self.plan, &self.question, &nonce);
        let spend = self.provider.as_ref().map(|provider| {
            let once = provider.price().most(prompt.bytes(), limits::OUTPUT_TOKENS_MAX);
            Spend {
                provider: provider.id().to_owned(),
                model: provider.model().to_owned(),
                // Every attempt may have to be paid.
                reserve: once.saturating_mul(u64::from(limits::PROVIDER_ATTEMPTS_MAX)),
                caps: inner.caps(),
            }
        });
        let admission = self.admission(run_id.clone(), answer_id.clone(), spend);
        let extractive = Extractive::new(&self, &run_id, &answer_id, world.now().since(began) / 1_000);
        let admitted = admit(inner, admission.clone(), extractive).await?;
        match admitted {
            Admitted::Existing(run, conversation) => {
                attach(inner, &self.asker.access.tenant, run, conversation).await
            }
            Admitted::Complete(conversation, ending) => {
                let run = Run::replay(admission.access.tenant.clone(), run_id, conversation, &ending.frames);
                inner.hub.retire(Arc::clone(&run));
                Ok(run)
            }
            Admitted::Generating(conversation) => {
                let Some(provider) = self.provider else {
                    return Err(Problem::internal("a run without a provider"));
                };
                let run = Run::new(admission.access.tenant.clone(), run_id, conversation.clone());
                inner.hub.insert(Arc::clone(&run));
                let generation = Generation {
                    keys: RunKeys::of(&admission, &conversation),
                    index: self.index,
                    plan: self.plan,
                    provider,
                    prompt,
                    nonce,
                    output_tokens_max: limits::OUTPUT_TOKENS_MAX,
                    locale: self.request.locale,
                    admitted_at: began,
                };
                inner.tasks.spawn(generating::generate(Arc::clone(inner), Arc::clone(&run), generation));
                Ok(run)
            }
        }
    }

    fn admission(&self, run: RunId, answer: MessageId, spend: Option<Spend>) -> Admission {
        Admission {
            access: self.asker.access.clone(),
            actor: self.asker.actor.clone(),
            trace: self.asker.trace,
            conversation: self.request.id.clone(),
            question: self.question.clone(),
            regenerate: self.request.trigger == Trigger::Regenerate,
            locale: self.request.locale.clone(),
            run,
            answer,
            idempotency_key: self.asker.idempotency_key.clone(),
            request_hash: request_hash(&self.request),
            content_version: self.index.snapshot().version.clone(),
            intent: parts::intent_name(&self.plan),
            retrieval: parts::retrieval(&self.index, &self.plan),
            spend,
        }
    }
}

/// What an idempotency key is bound to.
fn request_hash(request: &ChatRequest) -> String {
    let mut hash = Sha256::new();
    let trigger = format!("{:?}", request.trigger);
    for part in [
        request.id.as_deref(),
        Some(&request.text),
        Some(&trigger),
        request.locale.as_deref(),
        request.page.as_deref(),
        request.provider.as_deref(),
    ] {
        let part = part.unwrap_or("\u{0}");
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Admits in one unit of work. A unique violation is a concurrent twin that has just committed: the second try finds it.
async fn admit(inner: &Inner, admission: Admission, extractive: Extractive) -> Result<Admitted, Problem> {
    let (admission, extractive) = (Arc::new(admission), Arc::new(extractive));
    let mut tries = 0;
    loop {
        tries += 1;
        let (admission, extractive) = (Arc::clone(&admission), Arc::clone(&extractive));
        let admitted = inner
            .store
            .write(move |tx| store::admit(tx, &admission, &|degraded| extractive.ending(degraded)));
        match admitted.await {
            Ok(admitted) => return Ok(admitted),
            Err(Refused::Store(Error::Unique { .. })) if tries < 3 => {}
            Err(refused) => return Err(refused.into()),
        }
    }
}

/// The run of an earlier request with the same idempotency key.
async fn attach(
    inner: &Inner,
    tenant: &TenantId,
    run: RunId,
    conversation: ConversationId,
) -> Result<Arc<Run>, Problem> {
    // Between a twin's commit and its entry in the hub there is a moment in which the run is only in the store.
    for _ in 0..ATTACH_TRIES {
        if let Some(run) = inner.hub.get(tenant, &run) {
            return Ok(run);
        }
        let row = inner.stored_run(tenant, &conversation, Some(run.clone())).await?;
        match row {
            Some(row) if row.run_state().is_terminal() && !row.frames.is_empty() => {
                return Ok(Run::replay(tenant.clone(), row.id, row.conversation_id, &row.frames));
            }
            Some(row) if row.run_state().is_terminal() => {
                let detail = "The answer to this request is in the transcript; its stream is no longer kept.";
                return Err(Problem::new(Code::Gone, detail));
            }
            _ => tokio::time::sleep(ATTACH_PAUSE).await,
        }
    }
    let detail = "The first request with this key is still under way on another node.";
    Err(Problem::new(Code::IdempotencyInFlight, detail).retry_after_ms(1_000))
}

/// How often and how long to wait for a twin's run to appear.
const ATTACH_TRIES: u32 = 50;
const ATTACH_PAUSE: Duration = Duration::from_millis(20);

/// The extractive answer, ready to be stored together with the question.
struct Extractive {
    before: Vec<Part>,
    after: Vec<Part>,
    body: String,
    detail: Detail,
    figures: Figures,
    card: Option<String>,
}

impl Extractive {
    fn new(job: &Job, run: &RunId, answer_id: &MessageId, elapsed_ms: i64) -> Self {
        let answer = &job.plan.answer;
        let sources = parts::quoted_sources(&job.index, answer);
        let version = &job.index.snapshot().version;
        let figures = Figures {
            usage: Usage::default(),
            cost_micros: 0,
            grounded: answer.grounded(),
            refused: answer.refusal.is_some(),
            ttft_ms: Some(elapsed_ms),
            total_ms: elapsed_ms,
        };
        let start =
            parts::start(answer_id, run, EXTRACTIVE, EXTRACTIVE, version, job.request.locale.as_deref());
        let mut after = vec![
            Part::status(
                json!({"phase": "retrieved", "passages": job.plan.hits.len().min(limits::SOURCES_MAX)}),
            ),
            Part::StartStep,
        ];
        after.extend(sources.iter().map(parts::ShownSource::part));
        after.extend(parts::text(&sources, answer));
        after.push(Part::FinishStep);
        after.push(parts::finish("stop", &figures));
        Self {
            before: vec![start],
            after,
            body: answer.text(),
            detail: Detail::of(&sources, answer),
            figures,
            card: answer.card.clone(),
        }
    }

    fn ending(&self, degraded: Option<&'static str>) -> Ending {
        let status = degraded.map(|reason| Part::status(json!({"phase": "degraded", "reason": reason})));
        let mut frames = String::new();
        for part in self.before.iter().chain(status.iter()).chain(&self.after) {
            frames.push_str(&part.json());
            frames.push('\n');
        }
        let detail = Detail { degraded, ..self.detail.clone() };
        Ending {
            state: if detail.refused { RunState::Refused } else { RunState::Done },
            body: self.body.clone(),
            detail: detail.json(),
            frames,
            usage: self.figures.usage,
            cost_micros: 0,
            card: self.card.clone(),
            ttft_ms: self.figures.ttft_ms,
            total_ms: self.figures.total_ms,
            failure: None,
        }
    }
}

/// Reads a run id from a client; anything else is no run of ours.
pub(crate) fn run_id(text: &str) -> Option<RunId> {
    RunId::parse(text).ok()
}
