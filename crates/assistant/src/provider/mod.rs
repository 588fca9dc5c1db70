//! Language models. The extractive answerer is none of them: it cannot fail, costs nothing and is what every run falls back
//! to while nothing has been shown yet.

mod openai_compat;

use std::pin::Pin;

use futures_util::Stream;

use crate::model::budget::Price;
use crate::model::generation::{GenEvent, ProviderError};
use crate::model::prompt::Prompt;

pub use openai_compat::{BadSettings, OpenAiCompat, OpenAiSettings};

/// What a model is asked for.
#[derive(Clone, Debug)]
pub struct GenRequest {
    /// The prompt.
    pub prompt: Prompt,
    /// Most tokens it may write.
    pub output_tokens_max: u64,
}

/// A generation under way. Dropping it cancels it upstream.
pub type GenStream = Pin<Box<dyn Stream<Item = Result<GenEvent, ProviderError>> + Send>>;

/// A language model behind some wire format.
///
/// An implementation must not end its stream well unless the upstream's own terminal marker has arrived, and must bound every
/// wait and every buffer.
#[async_trait::async_trait]
pub trait Provider: Send + Sync {
    /// Name in settings, requests and records.
    fn id(&self) -> &str;

    /// The model asked.
    fn model(&self) -> &str;

    /// What it costs.
    fn price(&self) -> Price;

    /// Whether questions leave this machine; the site tells its readers so.
    fn is_remote(&self) -> bool;

    /// Starts a generation.
    async fn stream(&self, request: GenRequest) -> Result<GenStream, ProviderError>;
}
