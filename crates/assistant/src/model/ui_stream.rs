//! The stream a reader gets: AI SDK "UI message stream" version 1 over server-sent events, with sequence numbers.
//!
//! A frame is `id: <seq>` and one line of JSON. The last frame is `data: [DONE]` without an id. Every stream ends with a
//! `finish` part, since clients take a bare end of stream for success.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// The header that names the protocol.
pub const PROTOCOL_HEADER: &str = "x-vercel-ai-ui-message-stream";
/// Its version.
pub const PROTOCOL_VERSION: &str = "v1";
/// The last frame.
pub const DONE: &[u8] = b"data: [DONE]\n\n";
/// A heartbeat: a comment that clients ignore and proxies count as traffic.
pub const HEARTBEAT: &[u8] = b": hb\n\n";

/// A part of the stream.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Part {
    /// The message begins.
    Start {
        /// Its id.
        message_id: String,
        /// Run, provider, model, content version, locale.
        message_metadata: Value,
    },
    /// How it is going.
    DataStatus {
        /// `phase` and more.
        data: Value,
        /// Not kept in the message.
        transient: bool,
    },
    /// A step begins.
    StartStep,
    /// A passage the answer draws on.
    SourceUrl {
        /// The passage's id.
        source_id: String,
        /// Where it can be read.
        url: String,
        /// Its heading path.
        title: String,
        /// Number, score and quotation.
        provider_metadata: Value,
    },
    /// The text begins.
    TextStart {
        /// The text part's id.
        id: &'static str,
    },
    /// Text is added.
    TextDelta {
        /// The text part's id.
        id: &'static str,
        /// The text.
        delta: String,
    },
    /// The text is complete.
    TextEnd {
        /// The text part's id.
        id: &'static str,
    },
    /// A quotation in the text.
    DataCitation {
        /// `c1`, `c2`, …
        id: String,
        /// Number, passage and spans.
        data: Value,
    },
    /// Questions to ask next.
    DataSuggestions {
        /// The questions.
        data: Vec<String>,
    },
    /// The step is complete.
    FinishStep,
    /// What went wrong, for programs.
    DataError {
        /// Code, whether to retry, whether a partial answer stands.
        data: Value,
    },
    /// What went wrong, for people.
    Error {
        /// `<code>: text`.
        error_text: String,
    },
    /// The reader stopped it.
    Abort {
        /// Why.
        reason: String,
    },
    /// The message is complete.
    Finish {
        /// `stop`, `length`, `content-filter`, `error` or `other`.
        finish_reason: &'static str,
        /// Usage, cost, times.
        message_metadata: Value,
    },
}

/// The one text part of an answer.
pub const TEXT_ID: &str = "t1";

impl Part {
    /// A transient status.
    pub fn status(data: Value) -> Self {
        Self::DataStatus { data, transient: true }
    }

    /// A citation; spans are in UTF-16 units.
    pub fn citation(index: usize, n: u32, source_id: &str, answer: (u32, u32), source: (u32, u32)) -> Self {
        let data = json!({
            "n": n,
            "sourceId": source_id,
            "answer": [answer.0, answer.1],
            "source": [source.0, source.1],
            "verified": true,
        });
        Self::DataCitation { id: format!("c{index}"), data }
    }

    /// The two parts that say what went wrong.
    pub fn failure(failure: Failure, partial: bool) -> [Self; 2] {
        let data = json!({
            "code": failure.code(),
            "retryable": failure.retryable(),
            "retry_after_ms": failure.retry_after_ms(),
            "partial": partial,
        });
        let error_text = format!("{}: {}", failure.code(), failure.text());
        [Self::DataError { data }, Self::Error { error_text }]
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_else(|_| r#"{"type":"error","errorText":"internal"}"#.to_owned())
    }
}

/// A frame of the stream.
pub fn frame(seq: u64, json: &str) -> Bytes {
    Bytes::from(format!("id: {seq}\ndata: {json}\n\n"))
}

/// What can go wrong once the stream has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider's stream broke off.
    UpstreamInterrupted,
    /// The provider took too long.
    UpstreamTimeout,
    /// The provider has too much to do.
    UpstreamOverloaded,
    /// The output may not be shown.
    OutputBlocked,
    /// The server is going down.
    ServerDraining,
}

impl Failure {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UpstreamInterrupted => "upstream_interrupted",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamOverloaded => "upstream_overloaded",
            Self::OutputBlocked => "output_blocked",
            Self::ServerDraining => "server_draining",
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::UpstreamInterrupted => {
                "The answer broke off. What was written so far is kept; ask again to get a whole one."
            }
            Self::UpstreamTimeout => {
                "The answer took too long and was ended. What was written so far is kept; ask again."
            }
            Self::UpstreamOverloaded => "The language model is busy. Ask again in a moment.",
            Self::OutputBlocked => {
                "The rest of the answer was withheld because it could not be shown safely."
            }
            Self::ServerDraining => {
                "The server is restarting. What was written so far is kept; ask again in a moment."
            }
        }
    }

    /// Whether asking again may help.
    pub fn retryable(self) -> bool {
        self != Self::OutputBlocked
    }

    /// When to ask again.
    pub fn retry_after_ms(self) -> Option<u64> {
        self.retryable().then_some(match self {
            Self::ServerDraining | Self::UpstreamOverloaded => 5_000,
            _ => 1_000,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_the_names_the_protocol_gives_them() {
        let json = |part: Part| part.json();
        assert_eq!(json(Part::StartStep), r#"{"type":"start-step"}"#);
        assert_eq!(
            json(Part::TextDelta { id: TEXT_ID, delta: "a\nb".into() }),
            r#"{"type":"text-delta","id":"t1","delta":"a\nb"}"#
        );
        assert!(
            json(Part::status(json!({"phase": "degraded"})))
                .starts_with(r#"{"type":"data-status","data":{"phase":"degraded"},"transient":true"#)
        );
        assert!(
            json(Part::Start { message_id: "msg_1".into(), message_metadata: json!({}) })
                .contains(r#""messageId":"msg_1""#)
        );
        assert!(
            json(Part::Finish { finish_reason: "stop", message_metadata: json!({}) })
                .contains(r#""finishReason":"stop""#)
        );
        let source = Part::SourceUrl {
            source_id: "a".into(),
            url: "/b".into(),
            title: "c".into(),
            provider_metadata: json!({}),
        };
        assert!(json(source).starts_with(r#"{"type":"source-url","sourceId":"a""#));
        assert_eq!(frame(3, "{}"), Bytes::from_static(b"id: 3\ndata: {}\n\n"));
    }
}
