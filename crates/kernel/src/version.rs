//! Dated API versions.

use std::fmt;

/// A version of the API's contract: a date, `2026-11-01`. Later dates are newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is not a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a version such as 2026-11-01")]
pub struct BadVersion;

impl ApiVersion {
    /// The version of this date. Meant for constants: the date is not checked against the calendar.
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }

    /// Accepts `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Self, BadVersion> {
        let date: jiff::civil::Date = text.parse().map_err(|_| BadVersion)?;
        if text.len() != 10 {
            return Err(BadVersion);
        }
        let year = u16::try_from(date.year()).map_err(|_| BadVersion)?;
        Ok(Self { year, month: date.month().unsigned_abs(), day: date.day().unsigned_abs() })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::str::FromStr for ApiVersion {
    type Err = BadVersion;
    fn from_str(text: &str) -> Result<Self, BadVersion> {
        Self::parse(text)
    }
}

impl serde::Serialize for ApiVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ApiVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dates_and_sort_as_such() {
        let old = ApiVersion::parse("2025-12-31").unwrap();
        let new = ApiVersion::parse("2026-11-01").unwrap();
        assert!(old < new);
        assert_eq!(new.to_string(), "2026-11-01");
        for bad in ["", "2026", "2026-13-01", "2026-02-30", "2026-11-01T00:00", "20261101"] {
            assert!(ApiVersion::parse(bad).is_err(), "{bad}");
        }
    }
}
