//! WebSocket frames (RFC 6455 §5), without IO: bytes in, messages out, and messages into bytes.
//!
//! A reader keeps nothing between messages; an idle connection therefore owns no buffer. Sockets are read into a
//! buffer shared by all connections of a thread, whole messages are taken straight out of it, and only an
//! incomplete tail is copied.

use std::collections::VecDeque;

use crate::limits;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const CONTROL_BYTES_MAX: usize = 125;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;
/// Longest header of a frame that a server sends: two bytes and a 64-bit length.
const HEADER_BYTES_MAX: usize = 10;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A whole message.
    Message(Vec<u8>),
    /// A ping, to be answered with the same bytes.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The closing handshake, with the code to answer.
    Close(u16),
}

/// Why a frame cannot be accepted; the value is the close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub u16);

const PROTOCOL_ERROR: Violation = Violation(1002);
const INVALID_TEXT: Violation = Violation(1007);
const TOO_BIG: Violation = Violation(1009);

/// Puts messages together.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    /// Start of a frame whose rest has not arrived.
    tail: Vec<u8>,
    /// Message whose last fragment has not arrived, and whether it is text.
    fragments: Option<(Vec<u8>, bool)>,
}

/// A frame's header.
struct Header {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Bytes of the header itself.
    bytes: usize,
    payload_bytes: usize,
}

impl FrameReader {
    /// Takes in bytes from the socket and appends what they complete.
    pub(crate) fn read(&mut self, chunk: &[u8], out: &mut VecDeque<Incoming>) -> Result<(), Violation> {
        if self.tail.is_empty() {
            let used = self.take_frames(chunk, out)?;
            self.tail = chunk[used..].to_vec();
            return Ok(());
        }
        let mut joined = std::mem::take(&mut self.tail);
        joined.extend_from_slice(chunk);
        let used = self.take_frames(&joined, out)?;
        joined.drain(..used);
        // An emptied buffer is given back; a connection that goes idle must not keep it.
        self.tail = if joined.is_empty() { Vec::new() } else { joined };
        Ok(())
    }

    fn take_frames(&mut self, bytes: &[u8], out: &mut VecDeque<Incoming>) -> Result<usize, Violation> {
        let mut used = 0;
        while let Some(header) = parse_header(&bytes[used..])? {
            self.check(&header)?;
            let start = used + header.bytes;
            let Some(payload) = bytes.get(start..start + header.payload_bytes) else { break };
            used = start + header.payload_bytes;
            self.take_frame(&header, unmask(payload, header.mask), out)?;
        }
        Ok(used)
    }

    /// Refuses a frame by its header, before its payload is waited for.
    fn check(&self, header: &Header) -> Result<(), Violation> {
        let fits = match header.opcode {
            CLOSE | PING | PONG => header.fin && header.payload_bytes <= CONTROL_BYTES_MAX,
            CONTINUATION => self.fragments.is_some(),
            TEXT | BINARY => self.fragments.is_none(),
            _ => false,
        };
        if !fits {
            return Err(PROTOCOL_ERROR);
        }
        let held = self.fragments.as_ref().map_or(0, |(held, _)| held.len());
        if held + header.payload_bytes > limits::CLIENT_MESSAGE_BYTES_MAX {
            return Err(TOO_BIG);
        }
        Ok(())
    }

    fn take_frame(
        &mut self,
        header: &Header,
        payload: Vec<u8>,
        out: &mut VecDeque<Incoming>,
    ) -> Result<(), Violation> {
        match header.opcode {
            PING => out.push_back(Incoming::Ping(payload)),
            PONG => out.push_back(Incoming::Pong),
            CLOSE => out.push_back(Incoming::Close(close_code(&payload)?)),
            opcode => {
                let (mut message, text) = self.fragments.take().unwrap_or((Vec::new(), opcode == TEXT));
                if message.is_empty() {
                    message = payload;
                } else {
                    message.extend_from_slice(&payload);
                }
                if !header.fin {
                    self.fragments = Some((message, text));
                } else if text && std::str::from_utf8(&message).is_err() {
                    return Err(INVALID_TEXT);
                } else {
                    out.push_back(Incoming::Message(message));
                }
            }
        }
        Ok(())
    }
}

/// Reads a header, if all of it is there.
fn parse_header(bytes: &[u8]) -> Result<Option<Header>, Violation> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    // No extension is negotiated, so no reserved bit means anything; and clients must mask (§5.1).
    if first & RESERVED != 0 || second & MASKED == 0 {
        return Err(PROTOCOL_ERROR);
    }
    let (payload_bytes, rest, length_bytes) = match second & !MASKED {
        LENGTH_16 => match rest {
            [a, b, rest @ ..] => (u64::from(u16::from_be_bytes([*a, *b])), rest, 2),
            _ => return Ok(None),
        },
        LENGTH_64 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest, 8),
            None => return Ok(None),
        },
        short => (u64::from(short), rest, 0),
    };
    let payload_bytes = usize::try_from(payload_bytes).map_err(|_| TOO_BIG)?;
    if payload_bytes > limits::CLIENT_MESSAGE_BYTES_MAX {
        return Err(TOO_BIG);
    }
    let Some(mask) = rest.first_chunk::<4>() else { return Ok(None) };
    Ok(Some(Header {
        fin: first & FIN != 0,
        opcode: first & 0x0f,
        mask: *mask,
        bytes: 2 + length_bytes + 4,
        payload_bytes,
    }))
}

fn unmask(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
}

/// The code to answer a close frame with: the client's own, or 1000 when it gave none (§7.4).
fn close_code(payload: &[u8]) -> Result<u16, Violation> {
    match payload {
        [] => Ok(1000),
        [a, b, reason @ ..] => {
            let code = u16::from_be_bytes([*a, *b]);
            let defined = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !defined {
                return Err(PROTOCOL_ERROR);
            }
            std::str::from_utf8(reason).map_err(|_| INVALID_TEXT)?;
            Ok(code)
        }
        [_] => Err(PROTOCOL_ERROR),
    }
}

/// Writes frames into a buffer. Replies that leave together share one text message, one on a line.
pub(crate) struct FrameWriter<'b> {
    out: &'b mut Vec<u8>,
    /// Where the header of the open message begins.
    open_at: Option<usize>,
}

impl<'b> FrameWriter<'b> {
    pub(crate) fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out, open_at: None }
    }

    /// Adds a reply to the open text message.
    pub(crate) fn text(&mut self, reply: &[u8], separator: &[u8]) {
        if self.open_at.is_some() {
            self.out.extend_from_slice(separator);
        } else {
            self.open_at = Some(self.out.len());
            self.out.extend_from_slice(&[0; HEADER_BYTES_MAX]);
        }
        self.out.extend_from_slice(reply);
    }

    /// Adds a ping.
    pub(crate) fn ping(&mut self) {
        self.finish();
        self.out.extend_from_slice(&[FIN | PING, 0]);
    }

    /// Adds the answer to a ping.
    pub(crate) fn pong(&mut self, payload: &[u8]) {
        self.control(PONG, payload);
    }

    /// Adds a close frame.
    pub(crate) fn close(&mut self, code: u16, reason: &str) {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        self.control(CLOSE, &payload[..payload.len().min(CONTROL_BYTES_MAX)]);
    }

    fn control(&mut self, opcode: u8, payload: &[u8]) {
        self.finish();
        self.out.extend_from_slice(&[FIN | opcode, payload.len() as u8]);
        self.out.extend_from_slice(payload);
    }

    /// Ends the open message: its length is known now, so its header is written and the room kept for a longer
    /// one is closed up.
    pub(crate) fn finish(&mut self) {
        let Some(at) = self.open_at.take() else { return };
        let payload_at = at + HEADER_BYTES_MAX;
        let payload_bytes = self.out.len() - payload_at;
        self.out[at] = FIN | TEXT;
        let header_bytes = match payload_bytes {
            0..=CONTROL_BYTES_MAX => {
                self.out[at + 1] = payload_bytes as u8;
                2
            }
            126..=0xffff => {
                self.out[at + 1] = LENGTH_16;
                self.out[at + 2..at + 4].copy_from_slice(&(payload_bytes as u16).to_be_bytes());
                4
            }
            _ => {
                self.out[at + 1] = LENGTH_64;
                self.out[at + 2..payload_at].copy_from_slice(&(payload_bytes as u64).to_be_bytes());
                HEADER_BYTES_MAX
            }
        };
        self.out.copy_within(payload_at.., at + header_bytes);
        self.out.truncate(at + header_bytes + payload_bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(MASKED | short as u8),
            medium @ 126..=0xffff => {
                bytes.push(MASKED | LENGTH_16);
                bytes.extend((medium as u16).to_be_bytes());
            }
            long => {
                bytes.push(MASKED | LENGTH_64);
                bytes.extend((long as u64).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(unmask(payload, mask));
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Incoming>, Violation> {
        let mut out = VecDeque::new();
        FrameReader::default().read(bytes, &mut out).map(|()| out.into())
    }

    fn message(payload: &[u8]) -> Incoming {
        Incoming::Message(payload.to_vec())
    }

    #[test]
    fn fragments_make_one_message_and_control_frames_may_come_between() {
        let bytes = [
            frame(TEXT, "sch\u{f6}".as_bytes().split_at(4).0),
            frame(FIN | PING, b"?"),
            frame(CONTINUATION, "\u{f6}".as_bytes().split_at(1).1),
            frame(FIN | CONTINUATION, b"n"),
        ]
        .concat();
        assert_eq!(read(&bytes), Ok(vec![Incoming::Ping(b"?".to_vec()), message("sch\u{f6}n".as_bytes())]));
    }

    #[test]
    fn what_the_standard_forbids_is_refused_with_its_code() {
        let unmasked = vec![FIN | TEXT, 2, b'{', b'}'];
        let cases = [
            (unmasked, 1002),
            (frame(FIN | TEXT | 0x40, b"{}"), 1002),
            (frame(FIN | 0x3, b""), 1002),
            (frame(FIN | 0xB, b""), 1002),
            (frame(PING, b""), 1002),
            (frame(FIN | PING, &[0; 126]), 1002),
            (frame(FIN | CONTINUATION, b"{}"), 1002),
            ([frame(TEXT, b"{"), frame(FIN | TEXT, b"}")].concat(), 1002),
            (frame(FIN | CLOSE, b"\x03"), 1002),
            (frame(FIN | CLOSE, &1005u16.to_be_bytes()), 1002),
            (frame(FIN | CLOSE, b"\x03\xe8\xff"), 1007),
            (frame(FIN | TEXT, b"\xff\xfe"), 1007),
            (frame(FIN | TEXT, &[b'x'; limits::CLIENT_MESSAGE_BYTES_MAX + 1]), 1009),
            (vec![FIN | TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 1009),
        ];
        for (bytes, code) in cases {
            assert_eq!(read(&bytes), Err(Violation(code)), "{:?}", &bytes[..bytes.len().min(16)]);
        }
        let half = vec![b'x'; limits::CLIENT_MESSAGE_BYTES_MAX / 2 + 1];
        assert_eq!(
            read(&[frame(TEXT, &half), frame(FIN | CONTINUATION, &half)].concat()),
            Err(Violation(1009))
        );
    }

    #[test]
    fn a_close_is_answered_with_its_own_code() {
        assert_eq!(read(&frame(FIN | CLOSE, b"")), Ok(vec![Incoming::Close(1000)]));
        assert_eq!(read(&frame(FIN | CLOSE, &3001u16.to_be_bytes())), Ok(vec![Incoming::Close(3001)]));
    }

    #[test]
    fn replies_that_leave_together_share_one_message() {
        let mut out = Vec::new();
        let mut writer = FrameWriter::new(&mut out);
        writer.text(b"{}", b"\n");
        writer.text(b"[]", b"\n");
        writer.ping();
        writer.text(b"1", b"\n");
        writer.close(3001, "shutdown");
        assert_eq!(out, b"\x81\x05{}\n[]\x89\x00\x81\x011\x88\x0a\x0b\xb9shutdown");
    }

    #[test]
    fn each_length_has_its_shortest_header() {
        for (length, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let mut out = Vec::new();
            let mut writer = FrameWriter::new(&mut out);
            writer.text(&vec![b'x'; length], b"");
            writer.finish();
            assert_eq!(out.len(), header + length);
            assert!(out[header..].iter().all(|byte| *byte == b'x'));
        }
    }

    proptest! {
        #[test]
        fn how_bytes_are_cut_into_chunks_changes_nothing(
            payloads in proptest::collection::vec(proptest::collection::vec(0u8..128, 0..300), 1..6),
            cuts in proptest::collection::vec(1usize..50, 1..40),
        ) {
            let bytes: Vec<u8> = payloads.iter().flat_map(|payload| frame(FIN | TEXT, payload)).collect();
            let mut reader = FrameReader::default();
            let mut out = VecDeque::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                let (chunk, later) = rest.split_at((*cut).min(rest.len()));
                prop_assert!(reader.read(chunk, &mut out).is_ok());
                rest = later;
                if rest.is_empty() { break }
            }
            let expected: Vec<_> = payloads.iter().map(|payload| message(payload)).collect();
            prop_assert_eq!(Vec::from(out), expected);
            prop_assert_eq!(reader.tail.capacity(), 0, "an idle reader owns no buffer");
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
