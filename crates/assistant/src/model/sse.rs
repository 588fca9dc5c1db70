//! A parser for `text/event-stream` (WHATWG HTML, §9.2.6), for reading what upstreams send.
//!
//! It works on bytes, so that a chunk may end anywhere: inside a character, between CR and LF, in the byte order mark.
//! Lines and events have a limit; an upstream that exceeds it is cut off rather than buffered.

use crate::limits;

/// One dispatched event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// Event type, `message` unless the upstream named one.
    pub event: String,
    /// Data lines joined by newlines.
    pub data: String,
    /// Last event id seen so far.
    pub id: String,
}

/// A line or an event was longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream sent a line or an event beyond the limit")]
pub struct TooLong;

/// The parser's state between chunks.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    after_cr: bool,
    first_line_done: bool,
    data: String,
    has_data: bool,
    event: String,
    id: String,
}

impl SseParser {
    /// Reads a chunk; complete events are appended to `out`. An event still open when the stream ends is discarded, as
    /// the specification says.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<SseEvent>) -> Result<(), TooLong> {
        let mut rest = chunk;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            self.extend(&rest[..end])?;
            let is_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if is_cr {
                match rest.first() {
                    Some(b'\n') => rest = &rest[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            self.end_line(out)?;
        }
        self.extend(rest)
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + bytes.len() > limits::SSE_LINE_BYTES_MAX {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, out: &mut Vec<SseEvent>) -> Result<(), TooLong> {
        let line = std::mem::take(&mut self.line);
        let mut bytes = line.as_slice();
        if !std::mem::replace(&mut self.first_line_done, true) {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        if bytes.is_empty() {
            self.dispatch(out);
            return Ok(());
        }
        let text = String::from_utf8_lossy(bytes);
        let (field, value) = match text.split_once(':') {
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (text.as_ref(), ""),
        };
        match field {
            "data" => {
                if self.data.len() + value.len() >= limits::SSE_EVENT_BYTES_MAX {
                    return Err(TooLong);
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // "retry" concerns reconnecting, which is not ours to do; a comment has an empty field name.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, out: &mut Vec<SseEvent>) {
        let event = std::mem::take(&mut self.event);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            let event = if event.is_empty() { "message".to_owned() } else { event };
            out.push(SseEvent { event, data, id: self.id.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(chunks: &[&[u8]]) -> Vec<SseEvent> {
        let (mut parser, mut out) = (SseParser::default(), Vec::new());
        for chunk in chunks {
            parser.push(chunk, &mut out).unwrap();
        }
        out
    }

    fn data(chunks: &[&[u8]]) -> Vec<String> {
        parse(chunks).into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn the_examples_of_the_specification() {
        assert_eq!(data(&[b"data: YHOO\ndata: +2\ndata: 10\n\n"]), ["YHOO\n+2\n10"]);
        let events = parse(&[
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        ]);
        assert_eq!(
            events.iter().map(|e| (e.data.as_str(), e.id.as_str())).collect::<Vec<_>>(),
            [("first event", "1"), ("second event", ""), (" third event", "")]
        );
        assert_eq!(data(&[b"data\n\ndata\ndata\n\ndata:"]), ["", "\n"]);
        assert_eq!(data(&[b"data:test\n\ndata: test\n\n"]), ["test", "test"]);
        assert_eq!(parse(&[b"event: add\ndata: 1\n\n"])[0].event, "add");
    }

    #[test]
    fn a_byte_order_mark_is_dropped_once_and_only_at_the_start() {
        assert_eq!(data(&[b"\xef\xbb", b"\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n"]), ["a", "c"]);
    }

    #[test]
    fn a_line_without_end_is_cut_off() {
        let (mut parser, mut out) = (SseParser::default(), Vec::new());
        let chunk = vec![b'x'; 64 * 1024];
        let results: Vec<_> = (0..17).map(|_| parser.push(&chunk, &mut out)).collect();
        assert_eq!(results[15], Ok(()));
        assert_eq!(results[16], Err(TooLong));
    }

    proptest! {
        #[test]
        fn chunk_borders_do_not_matter(
            lines in prop::collection::vec("(data|event|id|retry|x|)(: ?)?[a-zé🦀\u{feff} :]{0,6}", 0..12),
            ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n"]), 12),
            cuts in prop::collection::vec(0usize..400, 0..20),
        ) {
            let text: String = lines.iter().zip(&ends).map(|(line, end)| format!("{line}{end}")).collect();
            let whole = parse(&[text.as_bytes()]);
            let singles: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            prop_assert_eq!(&whole, &parse(&singles));
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&whole, &parse(&pieces));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = SseParser::default().push(&bytes, &mut Vec::new());
        }
    }
}
