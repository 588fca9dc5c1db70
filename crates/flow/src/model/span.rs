//! The steps of a trace, as a timeline shows them.

use crate::model::job::words;
use plinth_kernel::{Micros, TraceId};
use serde_json::{Map, Value};
use std::{fmt, str::FromStr};

use super::job::UnknownWord;

words! {
    /// What a step of a trace is.
    SpanKind {
        /// An HTTP request.
        Request = "request",
        /// A decision that was committed.
        Command = "command",
        /// A fact that was appended to the log.
        Event = "event",
        /// A consumer's handling of an event.
        Consumer = "consumer",
        /// A job, from its enqueuing to its end.
        Job = "job",
        /// One try of a job.
        Attempt = "attempt",
        /// Something sent to realtime subscribers.
        Publication = "publication",
    }
}

words! {
    /// How a step stands.
    SpanStatus {
        /// It ended well.
        Ok = "ok",
        /// It ended badly.
        Error = "error",
        /// It is under way.
        Running = "running",
        /// It has not begun: a delayed or retrying job, a held event.
        Waiting = "waiting",
    }
}

/// One step of a trace.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TraceSpan {
    /// Its id: a W3C span id, or an event's id.
    pub id: String,
    /// The step that caused it.
    pub parent_id: Option<String>,
    /// What it is.
    pub kind: SpanKind,
    /// The operation, event type, consumer or job kind.
    pub name: String,
    /// How it stands.
    pub status: SpanStatus,
    /// When it began.
    pub started_at: Micros,
    /// When it ended; `None` while it has not.
    pub ended_at: Option<Micros>,
    /// What else is known: `job_id`, `attempt`, `error` …
    pub attributes: Map<String, Value>,
}

/// All the steps of a trace.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Timeline {
    /// Which trace.
    pub trace_id: TraceId,
    /// When its first step began.
    pub started_at: Micros,
    /// From the first beginning to the last end known.
    pub duration_ms: i64,
    /// The steps by the time they began.
    pub spans: Vec<TraceSpan>,
}

impl Timeline {
    /// Merges the steps that different parts know of; `None` when nobody knows any. Of two steps with the
    /// same id the first one given stays.
    #[must_use]
    pub fn assemble(trace_id: TraceId, parts: impl IntoIterator<Item = TraceSpan>) -> Option<Self> {
        let mut seen = std::collections::HashSet::new();
        let mut spans: Vec<TraceSpan> =
            parts.into_iter().filter(|span| seen.insert(span.id.clone())).collect();
        spans.sort_by(|a, b| (a.started_at, a.kind, &a.id).cmp(&(b.started_at, b.kind, &b.id)));
        let started_at = spans.first()?.started_at;
        let ended_at = spans.iter().map(|span| span.ended_at.unwrap_or(span.started_at)).max()?;
        Some(Self { trace_id, started_at, duration_ms: ended_at.since(started_at) / 1_000, spans })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, start: i64, end: Option<i64>) -> TraceSpan {
        TraceSpan {
            id: id.into(),
            parent_id: None,
            kind: SpanKind::Job,
            name: "x".into(),
            status: SpanStatus::Ok,
            started_at: Micros(start),
            ended_at: end.map(Micros),
            attributes: Map::new(),
        }
    }

    #[test]
    fn a_timeline_is_ordered_and_as_long_as_its_steps() {
        let trace = TraceId([1; 16]);
        let timeline = Timeline::assemble(
            trace,
            [span("b", 5_000, Some(9_000)), span("a", 1_000, None), span("b", 0, None)],
        )
        .unwrap();
        assert_eq!(timeline.spans.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((timeline.started_at, timeline.duration_ms), (Micros(1_000), 8));
        assert!(Timeline::assemble(trace, []).is_none());
    }
}
