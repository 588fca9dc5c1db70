//! What callers see of conversations and messages.

use plinth_kernel::{ConversationId, MessageId, Micros, RunId};
use serde::Serialize;
use serde_json::{Value, json};

use crate::store::{ConversationRow, MessageRow, RunRow};

/// A passage an answer draws on.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct SourceObject {
    /// Its number in the text.
    n: u64,
    /// The passage's id, which is its anchor in the page.
    source_id: String,
    /// Where to read it.
    url: String,
    /// Its headings.
    title: String,
    /// Its own words, cut short.
    quote: String,
}

/// A quotation in an answer. Spans count UTF-16 units.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct CitationObject {
    /// The number of the source.
    n: u64,
    /// The passage's id.
    source_id: String,
    /// Start and end in the answer.
    answer: Vec<u64>,
    /// Start and end in the passage.
    source: Vec<u64>,
}

/// A message of a conversation. `parts` is what AI SDK clients read.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MessageObject {
    /// Its id.
    #[schema(value_type = String, example = "msg_01kb3q5n8e7x9a2c4d6f8g0h1j")]
    id: MessageId,
    /// Always `message`.
    #[schema(example = "message")]
    object: &'static str,
    /// `user` or `assistant`.
    role: String,
    /// The text.
    text: String,
    /// The text as AI SDK's UI message has it.
    #[schema(value_type = Vec<Object>)]
    parts: Vec<Value>,
    /// The run that it belongs to.
    #[schema(value_type = Option<String>)]
    run_id: Option<RunId>,
    /// Passages the answer draws on.
    sources: Vec<SourceObject>,
    /// Quotations in it.
    citations: Vec<CitationObject>,
    /// Questions to ask next.
    suggestions: Vec<String>,
    /// Whether every statement stands in the content.
    grounded: bool,
    /// Whether the content does not hold the answer.
    refused: bool,
    /// How it ended: `stop`, `length`, `content-filter`, `error`, `other`; null while it is being written.
    finish_reason: Option<String>,
    /// What went wrong.
    failure: Option<String>,
    /// Why it is not a language model's answer although one is configured.
    degraded: Option<String>,
    /// The reader's rating.
    rating: Option<i64>,
    /// The reader's reason.
    reason: Option<String>,
    /// When it was written.
    #[schema(value_type = String)]
    created_at: Micros,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn numbers(value: &Value, name: &str) -> Vec<u64> {
    list(value, name).filter_map(Value::as_u64).collect()
}

impl MessageObject {
    pub(crate) fn new(row: MessageRow) -> Self {
        let detail = &row.detail;
        let optional = |name: &str| detail[name].as_str().map(str::to_owned);
        let source = |source: &Value| SourceObject {
            n: source["n"].as_u64().unwrap_or_default(),
            source_id: text(source, "source_id"),
            url: text(source, "url"),
            title: text(source, "title"),
            quote: text(source, "quote"),
        };
        let citation = |citation: &Value| CitationObject {
            n: citation["n"].as_u64().unwrap_or_default(),
            source_id: text(citation, "source_id"),
            answer: numbers(citation, "answer"),
            source: numbers(citation, "source"),
        };
        Self {
            object: "message",
            parts: vec![json!({"type": "text", "text": row.body})],
            sources: list(detail, "sources").map(source).collect(),
            citations: list(detail, "citations").map(citation).collect(),
            suggestions: list(detail, "suggestions").filter_map(|s| s.as_str().map(str::to_owned)).collect(),
            grounded: detail["grounded"].as_bool().unwrap_or_default(),
            refused: detail["refused"].as_bool().unwrap_or_default(),
            finish_reason: optional("finish_reason"),
            failure: optional("failure"),
            degraded: optional("degraded"),
            id: row.id,
            role: row.role,
            text: row.body,
            run_id: row.run_id,
            rating: row.rating,
            reason: row.reason,
            created_at: row.created_at,
        }
    }
}

/// A conversation.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ConversationObject {
    /// Its id.
    #[schema(value_type = String, example = "cnv_01kb3q5n8e7x9a2c4d6f8g0h1j")]
    pub(crate) id: ConversationId,
    /// Always `conversation`.
    #[schema(example = "conversation")]
    object: &'static str,
    /// The client's own name for it.
    external_id: Option<String>,
    /// The beginning of its first question.
    title: String,
    /// Who began it: `visitor:…`, `user:…`, `key:…`, `member:…`.
    owner: String,
    /// How many messages it has.
    message_count: i64,
    /// When it began.
    #[schema(value_type = String)]
    created_at: Micros,
    /// When something was last said.
    #[schema(value_type = String)]
    updated_at: Micros,
}

impl ConversationObject {
    pub(crate) fn new(row: ConversationRow) -> Self {
        Self {
            id: row.id,
            object: "conversation",
            external_id: row.external_id,
            title: row.title,
            owner: row.owner,
            message_count: row.message_count,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A conversation with its messages.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TranscriptObject {
    /// The conversation.
    #[serde(flatten)]
    pub(crate) conversation: ConversationObject,
    /// Its messages in order.
    pub(crate) messages: Vec<MessageObject>,
}

/// How an answer came about.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunObject {
    /// Its id.
    #[schema(value_type = String)]
    id: RunId,
    /// Always `run`.
    #[schema(example = "run")]
    object: &'static str,
    /// `admitted`, `generating`, `done`, `refused`, `stopped`, `failed` or `expired`.
    state: String,
    /// Who answered.
    provider: String,
    /// Which model.
    model: String,
    /// The content it was answered from.
    content_version: String,
    /// What kind of question it was taken for.
    intent: String,
    /// Passages found with their scores, and how well they back the question.
    #[schema(value_type = Object)]
    retrieval: Value,
    /// Tokens read.
    input_tokens: i64,
    /// Tokens written.
    output_tokens: i64,
    /// What it cost, in millionths of a currency unit.
    cost_micros: i64,
    /// Time to the first words.
    ttft_ms: Option<i64>,
    /// Time to the end.
    total_ms: Option<i64>,
    /// What went wrong.
    failure: Option<String>,
    /// The trace it belongs to.
    trace_id: String,
    /// When it was admitted.
    #[schema(value_type = String)]
    created_at: Micros,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    finished_at: Option<Micros>,
}

impl RunObject {
    pub(crate) fn new(row: RunRow) -> Self {
        Self {
            id: row.id,
            object: "run",
            state: row.state,
            provider: row.provider,
            model: row.model,
            content_version: row.content_version,
            intent: row.intent,
            retrieval: row.retrieval,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            cost_micros: row.cost_micros,
            ttft_ms: row.ttft_ms,
            total_ms: row.total_ms,
            failure: row.failure,
            trace_id: row.trace_id,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// A conversation as the console shows it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ConversationDetail {
    /// The conversation with its messages.
    #[serde(flatten)]
    pub(crate) transcript: TranscriptObject,
    /// How each answer came about.
    pub(crate) runs: Vec<RunObject>,
}
