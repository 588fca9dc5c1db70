//! OpenAI's chat completions, as OpenAI, Ollama, vLLM, llama.cpp, LM Studio and many others serve them.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::header;
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use super::{GenRequest, GenStream, Provider};
use crate::limits;
use crate::model::budget::Price;
use crate::model::generation::{GenEvent, ProviderError, Waiting};
use crate::model::openai::ChatStream;
use crate::model::text::clip;

/// How to reach an OpenAI-compatible server. All of it is the operator's configuration; no tenant can name a destination.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAiSettings {
    /// Base address up to and including the version: `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// Model to ask for.
    pub model: String,
    /// Bearer token, if the server wants one.
    #[serde(default)]
    pub api_key: Option<String>,
    /// What it costs; nothing by default, as for a model of one's own.
    #[serde(default)]
    pub price: Price,
    /// Most tokens of an answer.
    #[serde(default = "output_tokens_default")]
    pub output_tokens_max: u64,
}

fn output_tokens_default() -> u64 {
    400
}

impl fmt::Debug for OpenAiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiSettings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Waits, apart from connecting. Tests shorten them.
#[derive(Clone, Copy, Debug)]
struct Waits {
    first_byte: Duration,
    idle: Duration,
    total: Duration,
}

/// The provider.
pub struct OpenAiCompat {
    client: reqwest::Client,
    settings: OpenAiSettings,
    url: reqwest::Url,
    waits: Waits,
}

/// Settings that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// The base address is not an address.
    #[error("assistant provider: base_url {0:?} is not an http(s) address such as http://127.0.0.1:11434/v1")]
    BaseUrl(String),
    /// The client cannot be built.
    #[error("assistant provider: the HTTP client cannot be built: {0}")]
    Client(reqwest::Error),
}

impl OpenAiCompat {
    /// A provider for these settings.
    pub fn new(settings: OpenAiSettings) -> Result<Self, BadSettings> {
        let url = format!("{}/chat/completions", settings.base_url.trim_end_matches('/'));
        let url = reqwest::Url::parse(&url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| BadSettings::BaseUrl(settings.base_url.clone()))?;
        // Another part of the process may have installed a provider already; either serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(limits::CONNECT_TIMEOUT)
            // A redirect could lead anywhere, with our key.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(BadSettings::Client)?;
        let waits = Waits {
            first_byte: limits::FIRST_BYTE_TIMEOUT,
            idle: limits::IDLE_TIMEOUT,
            total: limits::TOTAL_TIMEOUT,
        };
        Ok(Self { client, settings, url, waits })
    }

    /// The same with other waits: first byte, idle, total.
    #[must_use]
    pub fn with_waits(mut self, first_byte: Duration, idle: Duration, total: Duration) -> Self {
        self.waits = Waits { first_byte, idle, total };
        self
    }

    fn request(&self, request: &GenRequest) -> reqwest::RequestBuilder {
        let body = json!({
            "model": self.settings.model,
            "messages": [
                {"role": "system", "content": request.prompt.system},
                {"role": "user", "content": request.prompt.user},
            ],
            "stream": true,
            "stream_options": {"include_usage": true},
            "temperature": 0,
            "max_tokens": request.output_tokens_max.min(self.settings.output_tokens_max),
        });
        let post = self
            .client
            .post(self.url.clone())
            .header(header::ACCEPT, "text/event-stream")
            // A compressed stream is a buffered stream.
            .header(header::ACCEPT_ENCODING, "identity")
            .json(&body);
        match &self.settings.api_key {
            Some(key) => post.bearer_auth(key),
            None => post,
        }
    }
}

#[async_trait::async_trait]
impl Provider for OpenAiCompat {
    fn id(&self) -> &str {
        "openai_compat"
    }

    fn model(&self) -> &str {
        &self.settings.model
    }

    fn price(&self) -> Price {
        self.settings.price
    }

    fn is_remote(&self) -> bool {
        !matches!(self.url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
    }

    async fn stream(&self, request: GenRequest) -> Result<GenStream, ProviderError> {
        let started = Instant::now();
        let response = timeout(self.waits.first_byte, self.request(&request).send())
            .await
            .map_err(|_| ProviderError::Timeout(Waiting::FirstByte))?
            .map_err(|error| transport(&error))?;
        let response = check_status(response).await?;
        let reading = Reading {
            body: Box::pin(response.bytes_stream()),
            stream: ChatStream::default(),
            ready: Vec::new().into_iter(),
            first_byte_by: Some(started + self.waits.first_byte),
            idle: self.waits.idle,
            ends_by: started + self.waits.total,
            failed: None,
            over: false,
        };
        Ok(Box::pin(futures_util::stream::unfold(reading, Reading::next)))
    }
}

fn transport(error: &reqwest::Error) -> ProviderError {
    if error.is_timeout() || error.is_connect() {
        return ProviderError::Timeout(Waiting::Connect);
    }
    // The error's own text carries the address, which is the operator's business; readers never see it.
    ProviderError::Interrupted(clip(&error.to_string(), 200))
}

async fn check_status(response: reqwest::Response) -> Result<reqwest::Response, ProviderError> {
    let status = response.status();
    if status.is_success() {
        let encoding = response.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        return match encoding {
            None | Some("identity") => Ok(response),
            Some(other) => {
                Err(ProviderError::Interrupted(format!("the answer is encoded as {}", clip(other, 20))))
            }
        };
    }
    let retry_after =
        response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let code = status.as_u16();
    Err(match code {
        429 => ProviderError::RateLimited { retry_after: retry_after.map(Duration::from_secs) },
        401 | 403 => ProviderError::Auth { status: code },
        408 | 500..=599 => ProviderError::Overloaded { status: code },
        _ => ProviderError::BadRequest { status: code, message: error_body(response).await },
    })
}

/// The beginning of an error's body, for the operator's log.
async fn error_body(response: reqwest::Response) -> String {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Ok(Some(Ok(chunk))) = timeout(limits::CONNECT_TIMEOUT, chunks.next()).await {
        body.extend_from_slice(&chunk);
        if body.len() >= limits::UPSTREAM_ERROR_BYTES_MAX {
            break;
        }
    }
    clip(&String::from_utf8_lossy(&body), 300)
}

struct Reading<S> {
    body: S,
    stream: ChatStream,
    ready: std::vec::IntoIter<GenEvent>,
    /// Until the first byte has come.
    first_byte_by: Option<Instant>,
    idle: Duration,
    ends_by: Instant,
    failed: Option<ProviderError>,
    over: bool,
}

impl<S: Stream<Item = reqwest::Result<Bytes>> + Unpin> Reading<S> {
    async fn next(mut self) -> Option<(Result<GenEvent, ProviderError>, Self)> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some((Ok(event), self));
            }
            // An error is told after what came before it.
            if let Some(error) = self.failed.take() {
                self.over = true;
                return Some((Err(error), self));
            }
            if self.over || self.stream.is_done() {
                return None;
            }
            match self.read().await {
                Ok(more) => self.over = !more,
                Err(error) => self.failed = Some(error),
            }
        }
    }

    /// Reads one chunk; `false` at a good end.
    async fn read(&mut self) -> Result<bool, ProviderError> {
        let (by, waiting) = match self.first_byte_by {
            Some(by) => (by, Waiting::FirstByte),
            // Comments and pings are bytes too, so they keep the stream alive.
            None => (Instant::now() + self.idle, Waiting::Idle),
        };
        let (by, waiting) = if self.ends_by < by { (self.ends_by, Waiting::Total) } else { (by, waiting) };
        match timeout_at(by, self.body.next()).await {
            // After the terminal marker the answer is whole, however the connection ends.
            Err(_) => self.stream.end().map(|()| false).map_err(|_| ProviderError::Timeout(waiting)),
            Ok(None) => self.stream.end().map(|()| false),
            Ok(Some(Err(error))) => self.stream.end().map(|()| false).map_err(|_| transport(&error)),
            Ok(Some(Ok(bytes))) => {
                self.first_byte_by = None;
                let mut events = Vec::new();
                let pushed = self.stream.push(&bytes, &mut events);
                self.ready = events.into_iter();
                pushed.map(|()| true)
            }
        }
    }
}
