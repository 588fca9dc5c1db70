//! OpenAI's chat completion stream: bytes in, generation events out.
//!
//! Real servers differ: some send comments before the first chunk, some an extra chunk with usage and no choices, some
//! pad chunks with unknown fields, some end with `[DONE]` although they were cut short. One rule tells success from
//! failure: a `finish_reason` that means an end has arrived. Neither `[DONE]` nor the end of the stream proves it.

use serde_json::Value;

use super::generation::{FinishReason, GenEvent, ProviderError, Usage};
use super::sse::{SseEvent, SseParser};
use super::text::clip;

/// Reads one response.
#[derive(Debug, Default)]
pub struct ChatStream {
    parser: SseParser,
    finished: bool,
    done: bool,
}

impl ChatStream {
    /// Reads a chunk of the body. What was said before an error is in `out` nevertheless.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<GenEvent>) -> Result<(), ProviderError> {
        let mut events = Vec::new();
        let read = self.parser.push(bytes, &mut events);
        for event in events {
            // What a server says after `[DONE]` is not part of the answer.
            if !self.done {
                self.event(&event, out)?;
            }
        }
        read.map_err(|error| ProviderError::Interrupted(error.to_string()))
    }

    /// Whether the upstream has said everything it will say.
    pub fn is_done(&self) -> bool {
        self.done && self.finished
    }

    /// The body ended: an answer only if the terminal marker was seen.
    pub fn end(&self) -> Result<(), ProviderError> {
        if self.finished {
            Ok(())
        } else if self.done {
            Err(ProviderError::Interrupted("[DONE] came without a finish_reason".to_owned()))
        } else {
            Err(ProviderError::Interrupted("the stream ended without a finish_reason".to_owned()))
        }
    }

    fn event(&mut self, event: &SseEvent, out: &mut Vec<GenEvent>) -> Result<(), ProviderError> {
        if event.data.trim() == "[DONE]" {
            self.done = true;
            return self.end();
        }
        let chunk: Value = serde_json::from_str(&event.data)
            .map_err(|error| ProviderError::Interrupted(format!("a chunk is not JSON: {error}")))?;
        if event.event == "error" || chunk.get("error").is_some_and(|error| !error.is_null()) {
            let error = chunk.get("error").unwrap_or(&chunk);
            let message = error
                .get("message")
                .and_then(Value::as_str)
                .or_else(|| error.as_str())
                .unwrap_or("unnamed error");
            return Err(ProviderError::Interrupted(clip(message, 200)));
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            out.push(GenEvent::Usage(read_usage(usage)));
        }
        let Some(choice) = chunk.get("choices").and_then(|choices| choices.get(0)) else { return Ok(()) };
        // Some servers send the last text and the finish_reason in one chunk: text first.
        if let Some(text) = choice.pointer("/delta/content").and_then(Value::as_str)
            && !text.is_empty()
            && !self.finished
        {
            out.push(GenEvent::Delta(text.to_owned()));
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            let reason = read_reason(reason)?;
            if !std::mem::replace(&mut self.finished, true) {
                out.push(GenEvent::Finished(reason));
            }
        }
        Ok(())
    }
}

fn read_reason(raw: &str) -> Result<FinishReason, ProviderError> {
    match raw {
        "stop" | "eos" | "end_turn" => Ok(FinishReason::Stop),
        "length" => Ok(FinishReason::Length),
        "content_filter" => Ok(FinishReason::Filter),
        // "network_error", "error", and calls of tools we never offered.
        other => Err(ProviderError::Interrupted(format!("finish_reason {}", clip(other, 40)))),
    }
}

fn read_usage(usage: &Value) -> Usage {
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    Usage {
        input: count("/prompt_tokens"),
        output: count("/completion_tokens"),
        cached: count("/prompt_tokens_details/cached_tokens"),
        reported: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = concat!(
        ": ping - 2026-01-01\n\n",
        "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"obfuscation\":\"xx\"}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Grüße, \"},\"finish_reason\":null}],\"usage\":null}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"🦀\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n",
        "data: [DONE]\n\n",
    );

    fn read(
        chunks: impl Iterator<Item = Vec<u8>>,
    ) -> (Result<Vec<GenEvent>, ProviderError>, Result<(), ProviderError>) {
        let mut stream = ChatStream::default();
        let mut out = Vec::new();
        for chunk in chunks {
            if let Err(error) = stream.push(&chunk, &mut out) {
                return (Err(error), stream.end());
            }
        }
        (Ok(out), stream.end())
    }

    #[test]
    fn a_whole_answer_is_read_byte_by_byte_too() {
        let (events, end) = read(WHOLE.bytes().map(|byte| vec![byte]));
        let usage = Usage { input: 7, output: 2, cached: 3, reported: true };
        let expected = [
            GenEvent::Delta("Grüße, ".into()),
            GenEvent::Delta("🦀".into()),
            GenEvent::Finished(FinishReason::Stop),
            GenEvent::Usage(usage),
        ];
        assert_eq!(events.unwrap(), expected);
        assert_eq!(end, Ok(()));
    }

    #[test]
    fn an_end_without_a_finish_reason_is_no_end() {
        for tail in [
            "",
            "data: [DONE]\n\n",
            "data: {\"error\":{\"message\":\"boom\"}}\n\n",
            "event: error\ndata: {\"message\":\"boom\"}\n\n",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"network_error\"}]}\n\n",
            "data: {broken\n\n",
        ] {
            let text = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"half\"}}}}]}}\n\n{tail}");
            let (events, end) = read(std::iter::once(text.into_bytes()));
            assert!(events.is_err() || end.is_err(), "{tail}");
        }
    }

    proptest! {
        #[test]
        fn cuts_anywhere_make_no_difference(cuts in prop::collection::vec(0usize..900, 0..30)) {
            let bytes = WHOLE.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<Vec<u8>> = cuts.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect();
            let (events, end) = read(pieces.into_iter());
            prop_assert_eq!(events.unwrap().len(), 4);
            prop_assert_eq!(end, Ok(()));
        }

        #[test]
        fn a_stream_cut_short_is_never_taken_for_whole(cut in 0usize..600) {
            let cut = cut.min(WHOLE.find("finish_reason\":\"stop").unwrap());
            let (events, end) = read(std::iter::once(WHOLE.as_bytes()[..cut].to_vec()));
            prop_assert!(events.is_err() || end.is_err());
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut stream = ChatStream::default();
            for piece in [b"data: ".as_slice(), &bytes, b"\n\n"] {
                let _ = stream.push(piece, &mut Vec::new());
            }
            prop_assert!(stream.end().is_err());
        }
    }
}
