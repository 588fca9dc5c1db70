//! The assistant's tables: conversations, messages, runs, budgets. Every statement that touches them stands here.

use plinth_kernel::{
    Actor, Code, ConversationId, Id, MessageId, Micros, NewEvent, Problem, RunId, TenantId, TraceContext,
};
use plinth_store::{Error, Migration, Sql, Tx, args, row, sql};
use serde_json::{Value, json};

use crate::limits;
use crate::model::budget::Bucket;
use crate::model::generation::Usage;
use crate::model::run::RunState;
use crate::model::text::clip;

/// The schema.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "assistant", sql: include_str!("migrations/0001_assistant.sql") },
    Migration { number: 2, name: "handover", sql: include_str!("migrations/0002_handover.sql") },
];

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct ConversationRow {
    pub(crate) id: ConversationId,
    pub(crate) owner: String,
    pub(crate) external_id: Option<String>,
    pub(crate) title: String,
    pub(crate) message_count: i64,
    pub(crate) created_at: Micros,
    pub(crate) updated_at: Micros,
}
row!(ConversationRow { id, owner, external_id, title, message_count, created_at, updated_at });

/// Selects conversations; the tail is the rest of the statement.
macro_rules! select_conversation {
    ($tail:literal) => {
        concat!(
            "SELECT id, owner, external_id, title, message_count, created_at, updated_at \
             FROM assistant_conversations ",
            $tail
        )
    };
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct MessageRow {
    pub(crate) id: MessageId,
    pub(crate) role: String,
    pub(crate) body: String,
    pub(crate) run_id: Option<RunId>,
    pub(crate) detail: Value,
    pub(crate) rating: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: Micros,
}
row!(MessageRow { id, role, body, run_id, detail, rating, reason, created_at });

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    pub(crate) id: RunId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) answer_id: MessageId,
    pub(crate) state: String,
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) content_version: String,
    pub(crate) intent: String,
    pub(crate) retrieval: Value,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) cost_micros: i64,
    pub(crate) ttft_ms: Option<i64>,
    pub(crate) total_ms: Option<i64>,
    pub(crate) failure: Option<String>,
    pub(crate) frames: String,
    pub(crate) lease_until: Micros,
    pub(crate) trace_id: String,
    pub(crate) created_at: Micros,
    pub(crate) finished_at: Option<Micros>,
}
row!(RunRow {
    id,
    conversation_id,
    answer_id,
    state,
    provider,
    model,
    content_version,
    intent,
    retrieval,
    input_tokens,
    output_tokens,
    cost_micros,
    ttft_ms,
    total_ms,
    failure,
    frames,
    lease_until,
    trace_id,
    created_at,
    finished_at
});

/// Selects runs; the tail is the rest of the statement.
macro_rules! select_run {
    ($tail:literal) => {
        concat!(
            "SELECT id, conversation_id, answer_id, state, provider, model, content_version, intent, retrieval, \
             input_tokens, output_tokens, cost_micros, ttft_ms, total_ms, failure, frames, lease_until, trace_id, \
             created_at, finished_at FROM assistant_runs ",
            $tail
        )
    };
}

impl RunRow {
    /// Its state; a name from a newer version counts as ended.
    pub(crate) fn run_state(&self) -> RunState {
        RunState::parse(&self.state).unwrap_or(RunState::Failed)
    }

    /// Whether its process still renews it.
    pub(crate) fn is_alive(&self, now: Micros) -> bool {
        !self.run_state().is_terminal() && self.lease_until > now
    }
}

/// Who asks, and what they may see.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) tenant: TenantId,
    /// Conversations are private to the one who began them.
    pub(crate) owner: String,
    /// May see every conversation of the tenant: its own servers and members.
    pub(crate) privileged: bool,
}

/// A conversation by our id, or by the owner's own. What is not theirs is not there.
pub(crate) fn find(tx: &mut Tx<'_>, access: &Access, id: &str) -> Result<Option<ConversationRow>, Error> {
    let Ok(id) = ConversationId::parse(id) else {
        let statement = select_conversation!("WHERE tenant_id = $1 AND owner = $2 AND external_id = $3");
        return tx.opt(statement, args![&access.tenant, &access.owner, id]);
    };
    let statement = select_conversation!("WHERE tenant_id = $1 AND id = $2");
    let found: Option<ConversationRow> = tx.opt(statement, args![&access.tenant, &id])?;
    Ok(found.filter(|row| access.privileged || row.owner == access.owner))
}

/// What a new question needs to know of its conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Background {
    /// The card of the last answer.
    pub(crate) card: Option<String>,
    /// The last question, to be answered again.
    pub(crate) question: Option<String>,
}

/// Reads the background of a question.
pub(crate) fn background(tx: &mut Tx<'_>, access: &Access, id: &str) -> Result<Option<Background>, Error> {
    let Some(conversation) = find(tx, access, id)? else { return Ok(None) };
    let keys = args![&access.tenant, &conversation.id];
    let card: Option<(Option<String>,)> = tx.opt(
        "SELECT card FROM assistant_runs WHERE tenant_id = $1 AND conversation_id = $2 AND card IS NOT NULL \
         ORDER BY id DESC LIMIT 1",
        keys,
    )?;
    let question = last_question(tx, &access.tenant, &conversation.id)?;
    Ok(Some(Background { card: card.and_then(|(card,)| card), question }))
}

/// The last question of a conversation.
pub(crate) fn last_question(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Option<String>, Error> {
    let question: Option<(String,)> = tx.opt(
        "SELECT body FROM assistant_messages WHERE tenant_id = $1 AND conversation_id = $2 AND role = 'user' \
         ORDER BY position DESC LIMIT 1",
        args![tenant, id],
    )?;
    Ok(question.map(|(body,)| body))
}

/// Notes that a person was asked for; `false` when that is known already.
pub(crate) fn hand_over(tx: &mut Tx<'_>, tenant: &TenantId, id: &ConversationId) -> Result<bool, Error> {
    let now = tx.now();
    let first = tx.exec(
        "UPDATE assistant_conversations SET handover_at = $3 WHERE tenant_id = $1 AND id = $2 AND handover_at IS NULL",
        args![tenant, id, now],
    )?;
    Ok(first == 1)
}

/// Caps of the budgets, in micro-units of currency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) visitor_questions_per_day: i64,
    pub(crate) visitor_micros_per_day: u64,
    pub(crate) tenant_micros_per_day: u64,
    pub(crate) tenant_micros_per_month: u64,
}

/// A call to a model that is to be paid for.
#[derive(Clone, Debug)]
pub(crate) struct Spend {
    pub(crate) provider: String,
    pub(crate) model: String,
    /// The most it can cost.
    pub(crate) reserve: u64,
    pub(crate) caps: Caps,
}

/// A question on its way in.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    pub(crate) access: Access,
    pub(crate) actor: Actor,
    pub(crate) trace: TraceContext,
    /// The conversation, as the client names it.
    pub(crate) conversation: Option<String>,
    pub(crate) question: String,
    pub(crate) regenerate: bool,
    pub(crate) locale: Option<String>,
    pub(crate) run: RunId,
    pub(crate) answer: MessageId,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) request_hash: String,
    pub(crate) content_version: String,
    pub(crate) intent: &'static str,
    pub(crate) retrieval: Value,
    /// `None` when no model is to be asked.
    pub(crate) spend: Option<Spend>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) state: RunState,
    pub(crate) body: String,
    pub(crate) detail: Value,
    pub(crate) frames: String,
    pub(crate) usage: Usage,
    pub(crate) cost_micros: u64,
    pub(crate) card: Option<String>,
    pub(crate) ttft_ms: Option<i64>,
    pub(crate) total_ms: i64,
    pub(crate) failure: Option<&'static str>,
}

/// What became of a question.
#[derive(Clone, Debug)]
pub(crate) enum Admitted {
    /// The same request was admitted before.
    Existing(RunId, ConversationId),
    /// Answered in this very unit of work.
    Complete(ConversationId, Box<Ending>),
    /// A model is to be asked; its cost is reserved.
    Generating(ConversationId),
}

/// Why a question was not admitted.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Told to the caller.
    Problem(Box<Problem>),
    /// The store's error; a unique violation is a concurrent twin of this request.
    Store(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Problem(problem) => *problem,
            Refused::Store(error) => error.into(),
        }
    }
}

/// Admits a question: conversation, messages, budget, run and events in one unit of work. When no model is asked, or none
/// may be for want of budget, the answer that `extractive` gives is stored in the same unit.
pub(crate) fn admit(
    tx: &mut Tx<'_>,
    admission: &Admission,
    extractive: &dyn Fn(Option<&'static str>) -> Ending,
) -> Result<Admitted, Refused> {
    if let Some((run, conversation)) = replayed(tx, admission)? {
        return Ok(Admitted::Existing(run, conversation));
    }
    let conversation = conversation(tx, admission)?;
    refuse_second_run(tx, admission, &conversation.id)?;
    let position = ask(tx, admission, &conversation)?;
    let degraded = match &admission.spend {
        Some(spend) => reserve(tx, admission, spend)?,
        None => None,
    };
    let spend = admission.spend.as_ref().filter(|_| degraded.is_none());
    insert_answer(tx, admission, &conversation.id, position + 1)?;
    insert_run(tx, admission, &conversation.id, spend)?;
    if spend.is_some() {
        emit(tx, admission, &conversation.id, RunState::Admitted, json!({}));
        return Ok(Admitted::Generating(conversation.id));
    }
    let ending = extractive(degraded);
    let keys = RunKeys::of(admission, &conversation.id);
    finish(tx, &keys, &ending)?;
    Ok(Admitted::Complete(conversation.id, Box::new(ending)))
}

/// The run of an earlier request with the same key.
fn replayed(tx: &mut Tx<'_>, admission: &Admission) -> Result<Option<(RunId, ConversationId)>, Refused> {
    let Some(key) = &admission.idempotency_key else { return Ok(None) };
    let known: Option<(RunId, ConversationId, String)> = tx.opt(
        "SELECT id, conversation_id, request_hash FROM assistant_runs \
         WHERE tenant_id = $1 AND owner = $2 AND idempotency_key = $3",
        args![&admission.access.tenant, &admission.access.owner, key],
    )?;
    match known {
        Some((_, _, hash)) if hash != admission.request_hash => {
            let detail = "This idempotency key was used with another question. Use a new key.";
            Err(Problem::new(Code::IdempotencyKeyReused, detail).into())
        }
        Some((run, conversation, _)) => Ok(Some((run, conversation))),
        None => Ok(None),
    }
}

fn conversation(tx: &mut Tx<'_>, admission: &Admission) -> Result<ConversationRow, Refused> {
    let access = &admission.access;
    let external_id = match admission.conversation.as_deref() {
        Some(id) => match find(tx, access, id)? {
            Some(found) if found.message_count + 2 > limits::CONVERSATION_MESSAGES_MAX => {
                let detail = "This conversation has reached its length limit. Begin a new one.";
                return Err(Problem::new(Code::StateConflict, detail).into());
            }
            Some(found) => return Ok(found),
            // An id of our own form that does not exist is a mistake; any other is a name for a new one.
            None if id.starts_with("cnv_") => return Err(Problem::not_found("conversation").into()),
            None => Some(id.to_owned()),
        },
        None => None,
    };
    if admission.regenerate {
        return Err(Problem::not_found("conversation").into());
    }
    let now = tx.now();
    let row = ConversationRow {
        id: tx.id(),
        owner: access.owner.clone(),
        external_id,
        title: clip(&admission.question, 80),
        message_count: 0,
        created_at: now,
        updated_at: now,
    };
    tx.exec(
        "INSERT INTO assistant_conversations \
         (tenant_id, id, owner, external_id, title, locale, message_count, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)",
        args![&access.tenant, &row.id, &row.owner, &row.external_id, &row.title, &admission.locale, now],
    )?;
    Ok(row)
}

/// One answer at a time in a conversation; a run whose process is gone does not count and is closed on the way.
fn refuse_second_run(tx: &mut Tx<'_>, admission: &Admission, id: &ConversationId) -> Result<(), Refused> {
    let Some(run) = active_run(tx, &admission.access.tenant, id)? else { return Ok(()) };
    if run.is_alive(tx.now()) {
        let mut problem = Problem::new(
            Code::RunActive,
            "An answer is being written in this conversation. Wait or stop it.",
        );
        problem.extensions.insert("run_id".to_owned(), json!(run.id.to_string()));
        return Err(problem.retry_after_ms(1_000).into());
    }
    crate::recovery::close_lost(tx, &admission.access.tenant, &run)?;
    Ok(())
}

/// Stores the question, or finds the one to be answered again; answers with its position.
fn ask(tx: &mut Tx<'_>, admission: &Admission, conversation: &ConversationRow) -> Result<i64, Refused> {
    let tenant = &admission.access.tenant;
    let now = tx.now();
    let position = if admission.regenerate {
        let last: Option<(i64,)> = tx.opt(
            "SELECT position FROM assistant_messages WHERE tenant_id = $1 AND conversation_id = $2 AND role = 'user' \
             ORDER BY position DESC LIMIT 1",
            args![tenant, &conversation.id],
        )?;
        let (last,) = last.ok_or_else(|| Problem::not_found("question to answer again"))?;
        tx.exec(
            "DELETE FROM assistant_messages WHERE tenant_id = $1 AND conversation_id = $2 AND position > $3",
            args![tenant, &conversation.id, last],
        )?;
        last
    } else {
        let position = conversation.message_count + 1;
        let id: MessageId = tx.id();
        tx.exec(
            "INSERT INTO assistant_messages \
             (tenant_id, id, conversation_id, position, role, body, run_id, detail, created_at) \
             VALUES ($1, $2, $3, $4, 'user', $5, $6, '{}', $7)",
            args![tenant, &id, &conversation.id, position, &admission.question, &admission.run, now],
        )?;
        position
    };
    tx.exec(
        "UPDATE assistant_conversations SET message_count = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2",
        args![tenant, &conversation.id, position + 1, now],
    )?;
    Ok(position)
}

fn insert_answer(
    tx: &mut Tx<'_>,
    admission: &Admission,
    id: &ConversationId,
    position: i64,
) -> Result<(), Error> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO assistant_messages \
         (tenant_id, id, conversation_id, position, role, body, run_id, detail, created_at) \
         VALUES ($1, $2, $3, $4, 'assistant', '', $5, '{}', $6)",
        args![&admission.access.tenant, &admission.answer, id, position, &admission.run, now],
    )?;
    Ok(())
}

fn insert_run(
    tx: &mut Tx<'_>,
    admission: &Admission,
    id: &ConversationId,
    spend: Option<&Spend>,
) -> Result<(), Error> {
    let now = tx.now();
    let (provider, model) =
        spend.map_or(("extractive", "extractive"), |s| (s.provider.as_str(), s.model.as_str()));
    let reserve = spend.map_or(0, |spend| signed(spend.reserve));
    let retrieval = admission.retrieval.to_string();
    tx.exec(
        "INSERT INTO assistant_runs \
         (tenant_id, id, conversation_id, answer_id, owner, idempotency_key, request_hash, state, provider, model, \
          content_version, intent, retrieval, input_tokens, output_tokens, cached_tokens, usage_reported, cost_micros, \
          reserved_micros, budget_day, frames, lease_until, trace_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'admitted', $8, $9, $10, $11, $12, 0, 0, 0, FALSE, 0, $13, $14, '', $15, \
                 $16, $17)",
        args![
            &admission.access.tenant,
            &admission.run,
            id,
            &admission.answer,
            &admission.access.owner,
            &admission.idempotency_key,
            &admission.request_hash,
            provider,
            model,
            &admission.content_version,
            admission.intent,
            &retrieval,
            reserve,
            &day(now),
            now.plus_ms(limits::RUN_LEASE_MS),
            &admission.trace.trace_id.to_string(),
            now
        ],
    )?;
    Ok(())
}

/// `2026-11-22`, UTC.
fn day(now: Micros) -> String {
    now.to_rfc3339().chars().take(10).collect()
}

/// Counts and amounts fit: they are bounded by configuration far below 2⁶³.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The three buckets a call is paid from, each with its period.
fn buckets(owner: &str, day: &str) -> [(String, String); 3] {
    let month: String = day.chars().take(7).collect();
    [
        (format!("visitor:{owner}"), day.to_owned()),
        ("tenant".to_owned(), day.to_owned()),
        ("tenant".to_owned(), month),
    ]
}

/// Locks a bucket row for the rest of the unit; on SQLite there is one writer anyway.
const BUCKET_FOR_UPDATE: Sql = sql!(
    lite: "SELECT questions, reserved_micros, spent_micros FROM assistant_budgets \
           WHERE tenant_id = $1 AND bucket = $2 AND period = $3",
    pg: "SELECT questions, reserved_micros, spent_micros FROM assistant_budgets \
         WHERE tenant_id = $1 AND bucket = $2 AND period = $3 FOR UPDATE",
);

/// Reads a bucket and locks it; a new one begins empty.
fn lock_bucket(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    bucket: &str,
    period: &str,
) -> Result<(i64, Bucket), Error> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO assistant_budgets (tenant_id, bucket, period, questions, reserved_micros, spent_micros, updated_at) \
         VALUES ($1, $2, $3, 0, 0, 0, $4) ON CONFLICT (tenant_id, bucket, period) DO NOTHING",
        args![tenant, bucket, period, now],
    )?;
    let (questions, reserved, spent): (i64, i64, i64) =
        tx.one(BUCKET_FOR_UPDATE, args![tenant, bucket, period])?;
    let amount = |value: i64| u64::try_from(value).unwrap_or(0);
    Ok((questions, Bucket { reserved: amount(reserved), spent: amount(spent) }))
}

fn save_bucket(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (bucket, period): (&str, &str),
    questions: i64,
    state: Bucket,
) -> Result<(), Error> {
    let now = tx.now();
    tx.exec(
        "UPDATE assistant_budgets SET questions = $4, reserved_micros = $5, spent_micros = $6, updated_at = $7 \
         WHERE tenant_id = $1 AND bucket = $2 AND period = $3",
        args![tenant, bucket, period, questions, signed(state.reserved), signed(state.spent), now],
    )?;
    Ok(())
}

/// Reserves the cost of a call in every bucket, or in none and says why.
fn reserve(tx: &mut Tx<'_>, admission: &Admission, spend: &Spend) -> Result<Option<&'static str>, Error> {
    let tenant = &admission.access.tenant;
    let day = day(tx.now());
    let mut next = Vec::new();
    let caps = [
        spend.caps.visitor_micros_per_day,
        spend.caps.tenant_micros_per_day,
        spend.caps.tenant_micros_per_month,
    ];
    for ((bucket, period), cap) in buckets(&admission.access.owner, &day).into_iter().zip(caps) {
        let (questions, state) = lock_bucket(tx, tenant, &bucket, &period)?;
        let is_visitor = bucket != "tenant";
        if is_visitor && questions >= spend.caps.visitor_questions_per_day {
            return Ok(Some("budget"));
        }
        let Some(state) = state.reserve(spend.reserve, cap) else { return Ok(Some("budget")) };
        next.push((bucket, period, questions + i64::from(is_visitor), state));
    }
    for (bucket, period, questions, state) in next {
        save_bucket(tx, tenant, (&bucket, &period), questions, state)?;
    }
    Ok(None)
}

/// Which run, and what its events say about it.
#[derive(Clone, Debug)]
pub(crate) struct RunKeys {
    pub(crate) tenant: TenantId,
    pub(crate) run: RunId,
    pub(crate) answer: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) actor: Actor,
    pub(crate) trace: TraceContext,
}

impl RunKeys {
    pub(crate) fn of(admission: &Admission, conversation: &ConversationId) -> Self {
        Self {
            tenant: admission.access.tenant.clone(),
            run: admission.run.clone(),
            answer: admission.answer.clone(),
            conversation: conversation.clone(),
            actor: admission.actor.clone(),
            trace: admission.trace,
        }
    }
}

/// Ends a run, once: answer, budget, event. `false` when it had ended before.
pub(crate) fn finish(tx: &mut Tx<'_>, keys: &RunKeys, ending: &Ending) -> Result<bool, Error> {
    let paid: Option<(String, i64, String)> = tx.opt(
        "SELECT owner, reserved_micros, budget_day FROM assistant_runs WHERE tenant_id = $1 AND id = $2",
        args![&keys.tenant, &keys.run],
    )?;
    let Some((owner, reserved, day)) = paid else { return Ok(false) };
    let now = tx.now();
    let cost_micros = ending.cost_micros.min(u64::try_from(reserved).unwrap_or(0));
    // The state in the WHERE clause makes this the one place where a run can end, and it ends once.
    let ended = tx.exec(
        "UPDATE assistant_runs SET state = $3, card = $4, input_tokens = $5, output_tokens = $6, cached_tokens = $7, \
         usage_reported = $8, cost_micros = $9, ttft_ms = $10, total_ms = $11, failure = $12, frames = $13, \
         finished_at = $14, reserved_micros = 0 \
         WHERE tenant_id = $1 AND id = $2 AND state IN ('admitted', 'generating')",
        args![
            &keys.tenant,
            &keys.run,
            ending.state.as_str(),
            &ending.card,
            signed(ending.usage.input),
            signed(ending.usage.output),
            signed(ending.usage.cached),
            ending.usage.reported,
            signed(cost_micros),
            &ending.ttft_ms,
            ending.total_ms,
            ending.failure,
            &ending.frames,
            now
        ],
    )?;
    if ended == 0 {
        return Ok(false);
    }
    settle(tx, &keys.tenant, &owner, &day, reserved, cost_micros)?;
    let detail = ending.detail.to_string();
    tx.exec(
        "UPDATE assistant_messages SET body = $3, detail = $4 WHERE tenant_id = $1 AND id = $2",
        args![&keys.tenant, &keys.answer, &ending.body, &detail],
    )?;
    let data = json!({
        "cost_micros": cost_micros,
        "input_tokens": ending.usage.input,
        "output_tokens": ending.usage.output,
        "ttft_ms": ending.ttft_ms,
        "total_ms": ending.total_ms,
        "failure": ending.failure,
    });
    emit_for(tx, keys, ending.state, data);
    Ok(true)
}

/// Commits what a call cost and releases the rest, in the buckets that reserved it.
fn settle(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    owner: &str,
    day: &str,
    reserved: i64,
    cost: u64,
) -> Result<(), Error> {
    let Ok(reserved @ 1..) = u64::try_from(reserved) else { return Ok(()) };
    for (bucket, period) in buckets(owner, day) {
        let (questions, state) = lock_bucket(tx, tenant, &bucket, &period)?;
        save_bucket(tx, tenant, (&bucket, &period), questions, state.commit(reserved, cost))?;
    }
    Ok(())
}

fn emit(tx: &mut Tx<'_>, admission: &Admission, conversation: &ConversationId, state: RunState, data: Value) {
    emit_for(tx, &RunKeys::of(admission, conversation), state, data);
}

/// Announces a state. Questions and answers stay out of events: whoever may read events may not read conversations.
fn emit_for(tx: &mut Tx<'_>, keys: &RunKeys, state: RunState, mut data: Value) {
    data["run_id"] = json!(keys.run.to_string());
    data["conversation_id"] = json!(keys.conversation.to_string());
    data["state"] = json!(state.as_str());
    tx.emit(NewEvent {
        tenant: keys.tenant.clone(),
        kind: state.event(),
        version: 1,
        subject: keys.conversation.to_string(),
        data,
        actor: keys.actor.clone(),
        trace: keys.trace,
        causation: None,
    });
}

/// Stores how far a run has come and renews it; `false` when it has ended meanwhile.
pub(crate) fn save_progress(
    tx: &mut Tx<'_>,
    keys: &RunKeys,
    body: &str,
    frames: &str,
) -> Result<bool, Error> {
    let lease = tx.now().plus_ms(limits::RUN_LEASE_MS);
    let alive = tx.exec(
        "UPDATE assistant_runs SET state = 'generating', frames = $3, lease_until = $4 \
         WHERE tenant_id = $1 AND id = $2 AND state IN ('admitted', 'generating')",
        args![&keys.tenant, &keys.run, frames, lease],
    )?;
    if alive == 1 {
        tx.exec(
            "UPDATE assistant_messages SET body = $3 WHERE tenant_id = $1 AND id = $2",
            args![&keys.tenant, &keys.answer, body],
        )?;
    }
    Ok(alive == 1)
}

/// The run of a conversation that has not ended.
pub(crate) fn active_run(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Option<RunRow>, Error> {
    let statement = select_run!(
        "WHERE tenant_id = $1 AND conversation_id = $2 AND state IN ('admitted', 'generating') LIMIT 1"
    );
    tx.opt(statement, args![tenant, id])
}

/// A run of a conversation by its id.
pub(crate) fn run(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    conversation: &ConversationId,
    id: &RunId,
) -> Result<Option<RunRow>, Error> {
    let statement = select_run!("WHERE tenant_id = $1 AND id = $2 AND conversation_id = $3");
    tx.opt(statement, args![tenant, id, conversation])
}

/// Runs of every tenant whose process is gone.
pub(crate) fn lost_runs(
    tx: &mut Tx<'_>,
    limit: i64,
) -> Result<Vec<(TenantId, RunId, ConversationId)>, Error> {
    let now = tx.now();
    tx.all(
        "SELECT tenant_id, id, conversation_id FROM assistant_runs \
         WHERE state IN ('admitted', 'generating') AND lease_until < $1 ORDER BY lease_until LIMIT $2",
        args![now, limit],
    )
}

/// Who owned a run, for the events of its recovery.
pub(crate) fn body_of(tx: &mut Tx<'_>, tenant: &TenantId, message: &MessageId) -> Result<String, Error> {
    let body: Option<(String,)> = tx.opt(
        "SELECT body FROM assistant_messages WHERE tenant_id = $1 AND id = $2",
        args![tenant, message],
    )?;
    Ok(body.map(|(body,)| body).unwrap_or_default())
}

/// The messages of a conversation in order.
pub(crate) fn messages(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Vec<MessageRow>, Error> {
    tx.all(
        "SELECT id, role, body, run_id, detail, rating, reason, created_at FROM assistant_messages \
         WHERE tenant_id = $1 AND conversation_id = $2 ORDER BY position",
        args![tenant, id],
    )
}

/// One message of a conversation.
pub(crate) fn message(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    conversation: &ConversationId,
    id: &MessageId,
) -> Result<Option<MessageRow>, Error> {
    tx.opt(
        "SELECT id, role, body, run_id, detail, rating, reason, created_at FROM assistant_messages \
         WHERE tenant_id = $1 AND id = $2 AND conversation_id = $3",
        args![tenant, id, conversation],
    )
}

/// The runs of a conversation in order.
pub(crate) fn runs(tx: &mut Tx<'_>, tenant: &TenantId, id: &ConversationId) -> Result<Vec<RunRow>, Error> {
    let statement = select_run!("WHERE tenant_id = $1 AND conversation_id = $2 ORDER BY id LIMIT 1000");
    tx.all(statement, args![tenant, id])
}

/// Conversations newest first or oldest first, after a sort key.
pub(crate) fn conversations(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (after, descending, limit): (&str, bool, i64),
) -> Result<Vec<ConversationRow>, Error> {
    let statement = if descending {
        select_conversation!("WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
    } else {
        select_conversation!("WHERE tenant_id = $1 AND id > $2 ORDER BY id ASC LIMIT $3")
    };
    tx.all(statement, args![tenant, after, limit])
}

/// Rates an answer; `false` when there is no such answer.
pub(crate) fn rate(
    tx: &mut Tx<'_>,
    (tenant, conversation, message): (&TenantId, &ConversationId, &MessageId),
    rating: i64,
    reason: Option<&str>,
) -> Result<bool, Error> {
    let rated = tx.exec(
        "UPDATE assistant_messages SET rating = $4, reason = $5 \
         WHERE tenant_id = $1 AND conversation_id = $2 AND id = $3 AND role = 'assistant'",
        args![tenant, conversation, message, rating, reason],
    )?;
    Ok(rated == 1)
}

/// Erases a conversation with all it holds.
pub(crate) fn erase(tx: &mut Tx<'_>, tenant: &TenantId, id: &ConversationId) -> Result<(), Error> {
    tx.exec(
        "DELETE FROM assistant_messages WHERE tenant_id = $1 AND conversation_id = $2",
        args![tenant, id],
    )?;
    tx.exec("DELETE FROM assistant_runs WHERE tenant_id = $1 AND conversation_id = $2", args![tenant, id])?;
    tx.exec("DELETE FROM assistant_conversations WHERE tenant_id = $1 AND id = $2", args![tenant, id])?;
    Ok(())
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Conversations beyond the retention time.
    pub conversations: u64,
    /// Streams beyond the replay window.
    pub streams: u64,
    /// Budget rows of long ago.
    pub budgets: u64,
}

impl Swept {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            conversations: self.conversations + other.conversations,
            streams: self.streams + other.streams,
            budgets: self.budgets + other.budgets,
        }
    }
}

/// One pass of the retention sweep over all tenants.
pub(crate) fn sweep(
    tx: &mut Tx<'_>,
    conversations_before: Micros,
    streams_before: Micros,
) -> Result<Swept, Error> {
    let old: Vec<(TenantId, ConversationId)> = tx.all(
        "SELECT tenant_id, id FROM assistant_conversations WHERE updated_at < $1 ORDER BY updated_at LIMIT $2",
        args![conversations_before, limits::SWEEP_BATCH],
    )?;
    for (tenant, id) in &old {
        erase(tx, tenant, id)?;
    }
    let streams = tx.exec(
        "UPDATE assistant_runs SET frames = '' WHERE (tenant_id, id) IN \
         (SELECT tenant_id, id FROM assistant_runs WHERE frames <> '' AND finished_at < $1 ORDER BY finished_at LIMIT $2)",
        args![streams_before, limits::SWEEP_BATCH],
    )?;
    let budgets_before = tx.now().plus_ms(-limits::BUDGET_KEPT_MS);
    // A reservation that is still open keeps its bucket.
    let budgets = tx.exec(
        "DELETE FROM assistant_budgets WHERE (tenant_id, bucket, period) IN \
         (SELECT tenant_id, bucket, period FROM assistant_budgets WHERE updated_at < $1 AND reserved_micros = 0 \
          ORDER BY updated_at LIMIT $2)",
        args![budgets_before, limits::SWEEP_BATCH],
    )?;
    Ok(Swept { conversations: old.len() as u64, streams, budgets })
}
