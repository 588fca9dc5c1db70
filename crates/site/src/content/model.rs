//! What a content file may say. Unknown keys are refused everywhere.

use super::markdown::Body;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Spanned;

/// `site.toml`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    /// Public address without a trailing slash; empty: taken from the request.
    #[serde(default)]
    pub url: String,
    /// BCP 47 language of the texts.
    pub locale: String,
    /// The person.
    pub person: Person,
    /// Groups of the focus section.
    #[serde(default)]
    pub focus: Vec<Focus>,
    /// A sentence below each section's heading.
    #[serde(default)]
    pub sections: SectionIntros,
    /// The contact section.
    pub contact: Contact,
}

/// Whom the site is about.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name.
    pub name: String,
    /// What they are, in a few words.
    pub headline: String,
    /// Short phrases below the headline.
    #[serde(default)]
    pub taglines: Vec<String>,
    /// What they are open to.
    pub availability: String,
    /// One or two sentences.
    pub summary: String,
}

/// One group of the focus section.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Focus {
    /// Last part of the passage id.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Points.
    pub points: Vec<String>,
}

/// Sentences below the headings of the sections.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SectionIntros {
    /// Below "Systems".
    pub systems: String,
    /// Below "Design".
    pub design: String,
    /// Below "Skills".
    pub skills: String,
    /// Below "Experience".
    pub experience: String,
    /// Below "Notes".
    pub notes: String,
}

/// The contact section.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Key (external id) of the form that is rendered.
    pub form: String,
    /// What to write about.
    pub purpose: String,
    /// What happens to a message.
    #[serde(default)]
    pub detail: String,
}

/// How deep a skill goes. Shown as text, never as colour or bars alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// What the person is hired for.
    Primary,
    /// Used well and often.
    Strong,
    /// Enough to get things done.
    Working,
}

/// Front matter of `skills/*.md`; the body is the aim.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// Heading.
    pub title: String,
    /// Position.
    pub order: u32,
    /// How deep it goes.
    pub depth: Depth,
    /// What it consists of.
    pub points: Vec<String>,
    /// Technologies; a qualifier in brackets is kept: `Go (working)`.
    pub stack: Vec<String>,
}

/// Front matter of `systems/*.md`; the body is the summary.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Heading.
    pub title: String,
    /// For breadcrumbs and lists.
    pub short: String,
    /// Position.
    pub order: u32,
    /// What the person did.
    pub role: String,
    /// What had to be solved.
    pub problem: String,
    /// How it is put together.
    pub architecture: Vec<String>,
    /// What was hard.
    pub challenges: Vec<String>,
    /// What lets it grow.
    pub scalability: Vec<String>,
    /// Technologies.
    pub stack: Vec<String>,
    /// Which live system demonstrates it.
    #[serde(default)]
    pub demo: Option<String>,
    /// The drawing.
    #[serde(default, skip_serializing)]
    pub diagram: Option<Diagram>,
}

/// A drawing as data: boxes on a grid and arrows between them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagram {
    /// One sentence that says what it shows.
    pub caption: String,
    /// Boxes.
    pub nodes: Vec<Node>,
    /// Arrows.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Name in `edges`.
    pub id: Spanned<String>,
    /// Text.
    pub label: String,
    /// Smaller text below.
    #[serde(default)]
    pub note: String,
    /// What it is.
    pub kind: NodeKind,
    /// Column and row, from 0.
    pub at: (u32, u32),
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A person or whatever starts things.
    Person,
    /// Code that runs.
    Service,
    /// Something that keeps data.
    Store,
    /// Something that passes data on, in order.
    Queue,
    /// Somebody else's system.
    External,
}

/// An arrow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Id of a node.
    pub from: Spanned<String>,
    /// Id of a node.
    pub to: Spanned<String>,
    /// Text on the arrow.
    #[serde(default)]
    pub label: String,
}

/// Front matter of `design/*.md`; the body is the overview.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Heading.
    pub title: String,
    /// Position.
    pub order: u32,
    /// What matters most.
    pub theme: String,
    /// What scales.
    pub scaling: Vec<String>,
    /// What breaks first.
    pub bottlenecks: Vec<String>,
    /// What is traded; ` vs ` separates the two sides.
    pub trade_offs: Vec<String>,
    /// Slugs of systems that were built this way.
    #[serde(default)]
    pub related: Vec<Spanned<String>>,
}

/// Front matter of `experience/*.md`; the body is optional.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Experience {
    /// Kind of work.
    pub kind: String,
    /// Title held.
    pub title: String,
    /// When, in words.
    pub when: String,
    /// Position.
    pub order: u32,
    /// What was done.
    pub points: Vec<String>,
}

/// State of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoteStatus {
    /// Listed with its state, without a text of its own on the site.
    Draft,
    /// Complete.
    Published,
}

/// Front matter of `notes/*.md`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Heading.
    pub title: String,
    /// Topic.
    pub topic: String,
    /// Position.
    pub order: u32,
    /// State.
    pub status: NoteStatus,
    /// One or two sentences.
    pub summary: String,
    /// What it covers.
    pub covers: Vec<String>,
    /// Date of publication, `YYYY-MM-DD`; feeds use the file's own date when it is missing.
    #[serde(default)]
    pub date: Option<Spanned<String>>,
}

/// `assistant.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssistantFile {
    /// Name of the assistant.
    pub name: String,
    /// Whom it speaks about.
    pub subject: String,
    /// Where to reach a person.
    pub contact_url: String,
    /// Reply to a greeting.
    pub greeting: String,
    /// Reply to thanks.
    pub thanks: String,
    /// Reply to "what can you do".
    pub help: String,
    /// Said when the content does not hold the answer.
    pub refusal: String,
    /// Questions to begin with.
    pub suggestions: Vec<String>,
    /// A question answered on the page itself.
    #[serde(default)]
    pub example: Option<Example>,
    /// Answers written down.
    #[serde(default, rename = "fact")]
    pub facts: Vec<FactRow>,
    /// What is not told.
    #[serde(default, rename = "unknown")]
    pub unknowns: Vec<UnknownRow>,
    /// The owner's vocabulary.
    #[serde(default)]
    pub lexicon: BTreeMap<String, Vec<String>>,
}

/// A question with the passage that answers it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The question.
    pub question: String,
    /// Id of a passage.
    pub source: Spanned<String>,
}

/// A typed fact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRow {
    /// Stable name.
    pub id: String,
    /// Rows of words.
    pub terms: Spanned<Vec<Vec<String>>>,
    /// The answer.
    pub answer: String,
    /// Id of the passage that says so.
    pub source: Spanned<String>,
}

/// A known unknown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownRow {
    /// Rows of words.
    pub terms: Spanned<Vec<Vec<String>>>,
    /// What to say instead.
    pub reply: String,
}

/// A Markdown file with front matter of type `F`.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<F> {
    /// File name without extension.
    pub slug: String,
    /// Path below the content folder.
    #[serde(skip)]
    pub file: String,
    /// Front matter text, to find lines again.
    #[serde(skip)]
    pub front_text: String,
    /// Front matter.
    #[serde(flatten)]
    pub front: F,
    /// Text below it.
    pub body: Body,
    /// Seconds since the Unix epoch of the file's last change.
    pub modified_s: Option<u64>,
}
