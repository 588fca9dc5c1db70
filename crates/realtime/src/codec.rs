//! How messages look on the wire. JSON today; Protobuf will be a second variant of [`Encoding`] and a second field
//! of [`Encoded`]: nothing outside this module and `protocol` knows what a frame looks like inside.

use bytes::Bytes;
use serde::Serialize;

use crate::protocol::{Command, Push, PushBody, Pushed, Reason};

/// The encoding a connection asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// JSON objects, one a line.
    Json,
}

/// A frame that is not a sequence of commands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadFrame;

impl Encoding {
    /// Reads the commands of a frame: at least one.
    pub(crate) fn decode(self, frame: &[u8]) -> Result<Vec<Command>, BadFrame> {
        let Self::Json = self;
        let text = std::str::from_utf8(frame).map_err(|_| BadFrame)?;
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Command>();
        let mut commands = Vec::new();
        loop {
            let rest = text[stream.byte_offset()..].trim_start();
            // Asked here, because a derived struct would also be read from an array.
            if !rest.is_empty() && !rest.starts_with('{') {
                return Err(BadFrame);
            }
            match stream.next() {
                Some(command) => commands.push(command.map_err(|_| BadFrame)?),
                None if commands.is_empty() => return Err(BadFrame),
                None => return Ok(commands),
            }
        }
    }

    /// What stands between two messages of one frame.
    pub(crate) fn separator(self) -> &'static [u8] {
        match self {
            Self::Json => b"\n",
        }
    }

    /// A ping.
    pub(crate) fn ping(self) -> Bytes {
        match self {
            Self::Json => Bytes::from_static(b"{}"),
        }
    }
}

/// A message encoded once and shared by every connection it goes to.
#[derive(Clone)]
pub(crate) struct Encoded {
    json: Bytes,
}

impl Encoded {
    /// Encodes a reply or a push.
    pub(crate) fn new(message: &impl Serialize) -> Self {
        // Our own types serialise without fail; an empty line is skipped by clients.
        Self { json: serde_json::to_vec(message).map(Bytes::from).unwrap_or_default() }
    }

    /// Encodes a push to `channel`.
    pub(crate) fn push(channel: &str, body: PushBody<'_>) -> Self {
        Self::new(&Pushed { push: Push { channel, body } })
    }

    /// The push that ends a stream where no close frame can.
    pub(crate) fn disconnect(reason: crate::Disconnect) -> Self {
        let reason = Reason { code: reason.code.into(), reason: reason.reason };
        Self::push("", PushBody::Disconnect(reason))
    }

    /// The bytes for one connection.
    pub(crate) fn bytes(&self, encoding: Encoding) -> Bytes {
        match encoding {
            Encoding::Json => self.json.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(frame: &str) -> Result<usize, BadFrame> {
        Encoding::Json.decode(frame.as_bytes()).map(|commands| commands.len())
    }

    #[test]
    fn a_frame_holds_one_or_more_commands_and_blank_lines() {
        assert_eq!(count("{}"), Ok(1));
        assert_eq!(count("\n{\"id\":1,\"ping\":{}}\n\n{\"id\":2,\"ping\":{}}\n"), Ok(2));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert_eq!(count(r#"{"id":1,"connect":{"token":"t","flag":3,"new":[1]},"x":1}"#), Ok(1));
    }

    #[test]
    fn anything_else_is_refused() {
        for frame in ["", "\n \n", "[]", "1", "{\"id\":-1}", "{\"id\":\"1\"}", "{} x", "{\"id\":1,"] {
            assert_eq!(count(frame), Err(BadFrame), "{frame:?}");
        }
        assert!(Encoding::Json.decode(b"{\"id\":1,\"connect\":{\"token\":\"\xff\"}}").is_err());
    }

    proptest! {
        #[test]
        fn no_input_panics(frame in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Encoding::Json.decode(&frame);
        }

        #[test]
        fn no_json_panics(text in "[\\{\\}\\[\\]\",:0-9a-z\n]{0,80}") {
            let _ = Encoding::Json.decode(text.as_bytes());
        }
    }
}
