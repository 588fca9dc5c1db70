//! Instants as microseconds, and the clock that everything reads.

use std::sync::atomic::{AtomicI64, Ordering};

/// An instant: microseconds since the Unix epoch, UTC. In JSON it is RFC 3339 with milliseconds and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub i64);

/// A text that is not an RFC 3339 instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 instant such as 2026-01-31T12:00:00.000Z")]
pub struct BadInstant;

impl Micros {
    /// The instant this many milliseconds later (earlier when negative). Saturates.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }

    /// The instant this many seconds later (earlier when negative). Saturates.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_ms(seconds.saturating_mul(1_000))
    }

    /// Microseconds from `earlier` to `self`; negative when `earlier` is the later one.
    #[must_use]
    pub fn since(self, earlier: Micros) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the epoch, rounded down.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// As a [`jiff::Timestamp`]; instants outside jiff's range become the nearest end of it.
    #[must_use]
    pub fn to_timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// `2026-01-31T12:00:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.to_timestamp().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// Accepts RFC 3339 with any offset.
    pub fn parse(text: &str) -> Result<Self, BadInstant> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| BadInstant)?;
        Ok(Self(timestamp.as_microsecond()))
    }
}

impl From<jiff::Timestamp> for Micros {
    fn from(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp.as_microsecond())
    }
}

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl serde::Serialize for Micros {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> serde::Deserialize<'de> for Micros {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Micros {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .examples(["2026-01-31T12:00:00.000Z"])
            .into()
    }
}

impl utoipa::ToSchema for Micros {}

/// Where the present comes from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        jiff::Timestamp::now().into()
    }
}

/// A clock that stands still until it is moved: for tests, and for test tenants that own their time.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Micros) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Shows `now` from here on, backwards too.
    pub fn set(&self, now: Micros) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves on by so many milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms.saturating_mul(1_000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_is_rfc3339_with_milliseconds() {
        let t = Micros(1_769_860_800_123_456);
        assert_eq!(serde_json::to_string(&t).unwrap(), "\"2026-01-31T12:00:00.123Z\"");
        assert_eq!(Micros::parse("2026-01-31T13:00:00.5+01:00").unwrap(), Micros(1_769_860_800_500_000));
        assert!(Micros::parse("31.1.2026").is_err());
    }

    #[test]
    fn extremes_do_not_panic() {
        for t in [i64::MIN, -1, 0, i64::MAX] {
            let _ = Micros(t).to_rfc3339();
            let _ = Micros(t).plus_ms(i64::MAX);
        }
    }

    proptest! {
        #[test]
        fn text_round_trips_to_the_millisecond(ms in 0i64..4_102_444_800_000) {
            let t = Micros(ms * 1_000);
            prop_assert_eq!(Micros::parse(&t.to_rfc3339()), Ok(t));
        }
    }
}
