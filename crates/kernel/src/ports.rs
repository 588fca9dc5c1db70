//! Ports: how systems meet without knowing one another. One side implements the trait, the composition root
//! hands it to the other.

use crate::{Micros, Problem, TenantId, TraceContext};
use serde_json::Value;
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

/// A boxed future, for traits that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One citable piece of content: a field, a bullet or a section.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Passage {
    /// Stable id, which is also the anchor in the page: `systems.forms.scalability`.
    pub id: String,
    /// Where to read it: `/systems/forms#systems.forms.scalability`.
    pub url: String,
    /// Headings above it, outermost first.
    pub path: Vec<String>,
    /// The text, as the owner wrote it.
    pub body: String,
    /// The thing it belongs to: `systems.forms`.
    pub card: String,
    /// Which field of that thing: `scalability`, `problem`, `stack`, `summary` …
    pub field: String,
    /// Technologies and tags.
    pub facets: Vec<String>,
    /// BCP 47 language.
    pub locale: String,
}

/// An answer that the owner wrote down, with the words that ask for it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fact {
    /// Stable name.
    pub id: String,
    /// It is asked for when all words of any row occur.
    pub terms: Vec<Vec<String>>,
    /// The answer.
    pub answer: String,
    /// Id of the passage that says so.
    pub source: String,
}

/// Something the owner has chosen not to say.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Unknown {
    /// It is asked for when all words of any row occur.
    pub terms: Vec<Vec<String>>,
    /// What to answer instead.
    pub reply: String,
}

/// How the assistant presents itself; part of the content.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct AssistantProfile {
    /// The assistant's name.
    pub name: String,
    /// Whom or what it speaks about.
    pub subject: String,
    /// Questions to begin with.
    pub suggestions: Vec<String>,
    /// The owner's vocabulary: a concept and the words that stand for it.
    pub lexicon: BTreeMap<String, Vec<String>>,
    /// Answers written down.
    pub facts: Vec<Fact>,
    /// What is not told.
    pub unknowns: Vec<Unknown>,
    /// Reply to a greeting.
    pub greeting: String,
    /// Reply to thanks.
    pub thanks: String,
    /// Reply to "what can you do".
    pub help: String,
    /// Where to reach a person.
    pub contact_url: String,
    /// Said when the content does not hold the answer.
    pub refusal: String,
}

/// The content at one moment.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct ContentSnapshot {
    /// Hash of everything below.
    pub version: String,
    /// Every passage, in page order.
    pub passages: Vec<Passage>,
    /// The assistant's part of the content.
    pub assistant: AssistantProfile,
}

/// Where content comes from.
pub trait ContentSource: Send + Sync {
    /// The content now. Cheap; a pointer comparison tells whether it changed.
    fn snapshot(&self) -> Arc<ContentSnapshot>;
}

/// Speaks to whoever is listening now; nothing durable.
pub trait Publisher: Send + Sync {
    /// Publishes to a full channel name, `<tenant>/<channel>`. Call it after the commit.
    fn publish(&self, channel: &str, data: &Value);
}

/// A published form as a page needs it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FormView {
    /// Id of the form.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Below the heading.
    pub description: String,
    /// Number of the published version.
    pub version: i64,
    /// Fields in order.
    pub fields: Vec<FormFieldView>,
    /// Label of the button.
    pub submit_label: String,
    /// Shown after a successful submission.
    pub thank_you: String,
}

/// A field of a [`FormView`].
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FormFieldView {
    /// Name of the value.
    pub key: String,
    /// `text`, `long_text`, `email`, `choice` or `checkbox`.
    pub kind: String,
    /// Label.
    pub label: String,
    /// Help below the label.
    pub help: String,
    /// Whether a value must be given.
    pub required: bool,
    /// Value and label of each choice.
    pub options: Vec<(String, String)>,
    /// Longest text, in characters.
    pub max_length: Option<u32>,
    /// Shortest text, in characters.
    pub min_length: Option<u32>,
    /// Pattern that the whole text must match, in the syntax of HTML's `pattern`.
    pub pattern: Option<String>,
    /// HTML's `autocomplete` token.
    pub autocomplete: Option<String>,
}

/// A visitor of a site, as the gateway knows them.
#[derive(Debug, Clone)]
pub struct VisitorContext {
    /// Tenant of the site.
    pub tenant: TenantId,
    /// Id of this request.
    pub request_id: String,
    /// Trace of this request.
    pub trace: TraceContext,
    /// The visitor's id from our signed cookie.
    pub visitor: String,
    /// Address of the client.
    pub client_ip: String,
    /// What the browser calls itself, cut to a sane length.
    pub user_agent: String,
}

/// What a visitor gets for a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionReceipt {
    /// Id of the submission.
    pub submission_id: String,
    /// Trace of everything that it leads to.
    pub trace_id: String,
}

/// Published forms, for pages that work without JavaScript.
pub trait FormGate: Send + Sync {
    /// The published form with this key (its `external_id`) or id.
    fn published<'a>(
        &'a self,
        tenant: &'a TenantId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<FormView>, Problem>>;

    /// Hands in an answer. Field faults come back with pointers `/values/<key>`.
    fn submit<'a>(
        &'a self,
        visitor: VisitorContext,
        key: &'a str,
        values: BTreeMap<String, Value>,
        idempotency_key: Option<String>,
    ) -> BoxFuture<'a, Result<SubmissionReceipt, Problem>>;
}

/// An answer of the assistant, complete.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AnswerView {
    /// The text, with `[n]` where passage n is cited.
    pub text: String,
    /// The passages cited.
    pub citations: Vec<CitationView>,
    /// Whether the content holds the answer.
    pub grounded: bool,
    /// Questions to go on with.
    pub suggestions: Vec<String>,
}

/// A passage cited by an [`AnswerView`].
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CitationView {
    /// Its number in the text.
    pub n: u32,
    /// Its headings.
    pub title: String,
    /// Where to read it.
    pub url: String,
    /// Its own words.
    pub quote: String,
}

/// The assistant, for pages that work without JavaScript.
pub trait AnswerGate: Send + Sync {
    /// Answers `question` from the content.
    fn answer<'a>(
        &'a self,
        visitor: VisitorContext,
        question: &'a str,
    ) -> BoxFuture<'a, Result<AnswerView, Problem>>;
}

/// Why a realtime client is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealtimeDenial {
    /// The token is not one of ours, or was tampered with.
    InvalidToken,
    /// The token was good once.
    ExpiredToken,
    /// The client may not do this.
    PermissionDenied,
    /// There is no such channel.
    UnknownChannel,
    /// The question could not be answered now.
    Unavailable,
}

/// Headers that realtime authentication looks at.
#[derive(Debug, Clone, Default)]
pub struct RealtimeHeaders {
    /// `Cookie`.
    pub cookie: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Host`.
    pub host: Option<String>,
    /// Address of the client.
    pub client_ip: Option<String>,
}

/// A realtime client, once known.
#[derive(Debug, Clone, PartialEq)]
pub struct RealtimeIdentity {
    /// The tenant whose channels it sees.
    pub tenant: TenantId,
    /// Its user, empty when anonymous.
    pub user: String,
    /// Shown to others in presence.
    pub info: Option<Value>,
    /// When the connection must be refreshed.
    pub expires_at: Option<Micros>,
    /// Channels it is subscribed to by the server.
    pub channels: Vec<String>,
    /// Channel patterns it may subscribe to: exact names, or a prefix ending in `*`.
    pub grants: Vec<String>,
}

/// What a realtime hub asks its host.
pub trait RealtimeAuth: Send + Sync {
    /// Who is this?
    fn connect<'a>(
        &'a self,
        token: &'a str,
        headers: &'a RealtimeHeaders,
    ) -> BoxFuture<'a, Result<RealtimeIdentity, RealtimeDenial>>;

    /// May they hear this channel? `token` is empty unless the client brought a subscription token.
    fn subscribe<'a>(
        &'a self,
        who: &'a RealtimeIdentity,
        channel: &'a str,
        token: &'a str,
    ) -> BoxFuture<'a, Result<(), RealtimeDenial>>;
}
