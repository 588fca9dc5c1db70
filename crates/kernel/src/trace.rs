//! W3C trace context (<https://www.w3.org/TR/trace-context/>), carried from the request through events, jobs
//! and attempts.

use crate::World;
use std::fmt;

/// A text that is not a trace id, span id or `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected lower-case hexadecimal as in W3C trace context")]
pub struct BadTrace;

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], BadTrace> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(BadTrace);
    }
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Ok(b - b'0'),
        b'a'..=b'f' => Ok(b - b'a' + 10),
        _ => Err(BadTrace),
    };
    let mut out = [0; N];
    for (slot, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *slot = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    // All zeros means "no id" in the specification.
    if out.iter().all(|b| *b == 0) { Err(BadTrace) } else { Ok(out) }
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Accepts lower-case hexadecimal of the exact length, not all zeros.
            pub fn parse(text: &str) -> Result<Self, BadTrace> { parse_hex(text).map(Self) }
            /// A random one.
            #[must_use]
            pub fn random(world: &World) -> Self {
                let mut bytes: [u8; $bytes] = world.bytes();
                bytes[$bytes - 1] |= 1; // never the forbidden all-zeros
                Self(bytes)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl std::str::FromStr for $name {
            type Err = BadTrace;
            fn from_str(text: &str) -> Result<Self, BadTrace> { Self::parse(text) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}

hex_id!(
    /// Names everything that one cause led to. 32 hexadecimal digits.
    TraceId, 16, "^[0-9a-f]{32}$"
);
hex_id!(
    /// Names one step of a trace. 16 hexadecimal digits.
    SpanId, 8, "^[0-9a-f]{16}$"
);

/// A trace and the step in it that we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The step.
    pub span_id: SpanId,
}

impl TraceContext {
    /// A new trace with its first step.
    #[must_use]
    pub fn root(world: &World) -> Self {
        Self { trace_id: TraceId::random(world), span_id: SpanId::random(world) }
    }

    /// A new step of the same trace.
    #[must_use]
    pub fn child(&self, world: &World) -> Self {
        Self { trace_id: self.trace_id, span_id: SpanId::random(world) }
    }

    /// Reads a `traceparent` header. Versions above 00 are read by the rules of 00, as the specification asks.
    pub fn parse(header: &str) -> Result<Self, BadTrace> {
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) = (
            parts.next(),
            parts.next().ok_or(BadTrace)?,
            parts.next().ok_or(BadTrace)?,
            parts.next().ok_or(BadTrace)?,
        );
        let known_version =
            version.is_some_and(|v| v.len() == 2 && v != "ff" && v.bytes().all(|b| b.is_ascii_hexdigit()));
        if !known_version || flags.len() != 2 || (version == Some("00") && parts.next().is_some()) {
            return Err(BadTrace);
        }
        Ok(Self { trace_id: TraceId::parse(trace)?, span_id: SpanId::parse(span)? })
    }
}

impl fmt::Display for TraceContext {
    /// Writes a `traceparent` header with the sampled flag set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace_id, self.span_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_specification_is_read() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn bad_headers_are_refused() {
        for bad in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(TraceContext::parse(bad).is_err(), "{bad}");
        }
        assert!(TraceContext::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_ok());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,80}") { let _ = TraceContext::parse(&text); }
    }
}
