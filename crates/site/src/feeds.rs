//! Dates in feeds.

use plinth_kernel::Micros;

const MICROS_A_SECOND: i64 = 1_000_000;

/// The moment a note is dated: its own date, or its file's.
#[must_use]
pub fn updated(date: Option<&str>, modified_s: Option<u64>) -> String {
    match (date, modified_s) {
        (Some(date), _) => format!("{date}T00:00:00Z"),
        (None, Some(seconds)) => rfc3339(seconds),
        // Atom requires a date; the epoch says plainly that none is known.
        (None, None) => "1970-01-01T00:00:00Z".to_owned(),
    }
}

/// Seconds since the Unix epoch as RFC 3339.
#[must_use]
pub fn rfc3339(seconds: u64) -> String {
    Micros(i64::try_from(seconds).unwrap_or(0).saturating_mul(MICROS_A_SECOND)).to_rfc3339()
}
