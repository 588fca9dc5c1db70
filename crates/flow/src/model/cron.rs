//! When a schedule fires next: cron expressions of five or six fields in an IANA time zone.
//!
//! The reading of the fields and the walk over the calendar are `croner`'s. Around a change of clocks it
//! follows Vixie cron, and so do we:
//! - a *fixed* time (one hour, one minute) that a spring change skips fires at the first instant after the
//!   gap; one that an autumn change repeats fires the first time only;
//! - an *interval* (`*/15 * * * *`) fires at every instant whose wall clock matches: never inside a gap,
//!   twice in a repeated hour.

use crate::limits;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use plinth_kernel::Micros;

/// The furthest look back for missed firings: about ten years.
const LOOK_BACK_S_MAX: i64 = 10 * 366 * 86_400;

/// Why a timetable is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTimetable {
    /// Not a cron expression of five or six fields.
    #[error("not a cron expression of 5 or 6 fields: {0}")]
    Expression(String),
    /// Not an IANA time zone.
    #[error("{0:?} is not an IANA time zone")]
    Zone(String),
    /// Such a date never comes, for example 30 February.
    #[error("the expression never fires")]
    Never,
}

/// A cron expression and the zone whose wall clock it means.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: croner::Cron,
    zone: TimeZone,
}

impl Timetable {
    /// Reads an expression and a zone. `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` are
    /// expressions too.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, BadTimetable> {
        let bad = |detail: &str| BadTimetable::Expression(detail.to_owned());
        if expression.len() > limits::CRON_LEN_MAX {
            return Err(bad("it is too long"));
        }
        // The parser upper-cases and replaces names; in ASCII that cannot change the meaning of a byte.
        if !expression.is_ascii() {
            return Err(bad("it holds characters outside ASCII"));
        }
        let cron = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build()
            .parse(expression)
            .map_err(|error| bad(&error.to_string()))?;
        let zone = TimeZone::get(zone).map_err(|_| BadTimetable::Zone(zone.to_owned()))?;
        let timetable = Self { cron, zone };
        // 2026-01-01: from any day on, the calendar repeats all its combinations.
        timetable.next_after(Micros(1_767_225_600_000_000)).map(|_| timetable).ok_or(BadTimetable::Never)
    }

    /// The first firing strictly after `instant`; `None` when there is none before the year 5000.
    #[must_use]
    pub fn next_after(&self, instant: Micros) -> Option<Micros> {
        let start = instant.to_timestamp().to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&start, false).ok()?;
        let next = Micros::from(next.timestamp());
        (next > instant).then_some(next)
    }

    /// The firings that are due at `now` when the next one was to be `next`: the latest `max` of them, in
    /// order, and the first one after `now`.
    #[must_use]
    pub fn due(&self, next: Micros, now: Micros, max: usize) -> (Vec<Micros>, Option<Micros>) {
        let mut due = std::collections::VecDeque::new();
        // A long silence and a timetable of seconds: look at the end of the silence only.
        let skip_to = self.far_enough_back(now, max).filter(|from| *from > next);
        let mut at = match skip_to {
            Some(from) => self.next_after(from),
            None => Some(next),
        };
        while let Some(firing) = at.filter(|firing| *firing <= now) {
            if due.len() >= max.max(1) {
                due.pop_front();
            }
            due.push_back(firing);
            at = self.next_after(firing);
        }
        (due.into(), at)
    }

    /// An instant with at least `max` firings between it and `now`, found by looking back ever further.
    fn far_enough_back(&self, now: Micros, max: usize) -> Option<Micros> {
        let looks = std::iter::successors(Some(60i64), |seconds| Some(seconds * 4));
        looks
            .take_while(|seconds| *seconds < LOOK_BACK_S_MAX)
            .map(|seconds| now.plus_seconds(-seconds))
            .find(|from| self.count_up_to(*from, now, max) >= max)
    }

    fn count_up_to(&self, from: Micros, now: Micros, max: usize) -> usize {
        let mut at = from;
        (0..max)
            .take_while(|_| match self.next_after(at).filter(|next| *next <= now) {
                Some(next) => {
                    at = next;
                    true
                }
                None => false,
            })
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn firings(expression: &str, zone: &str, from: &str, n: usize) -> Vec<String> {
        let timetable = Timetable::parse(expression, zone).unwrap();
        let mut at = Micros::parse(from).unwrap();
        (0..n)
            .map(|_| {
                at = timetable.next_after(at).unwrap();
                at.to_rfc3339().replace(":00.000Z", "Z")
            })
            .collect()
    }

    #[test]
    fn five_and_six_fields_are_read_and_nothing_else() {
        for good in ["* * * * *", "*/10 * * * * *", "0 9 * * MON-FRI", "@daily", "0 0 L * *", "0 0 29 2 *"] {
            assert!(Timetable::parse(good, "Europe/Berlin").is_ok(), "{good}");
        }
        for bad in ["", "* * * *", "* * * * * * *", "61 * * * *", "a b c d e", "*/0 * * * *", "0 0 * * ٣"] {
            assert!(
                matches!(Timetable::parse(bad, "UTC"), Err(BadTimetable::Expression(_))),
                "{bad}: {:?}",
                Timetable::parse(bad, "UTC")
            );
        }
        assert_eq!(Timetable::parse("0 0 30 2 *", "UTC").unwrap_err(), BadTimetable::Never);
        assert_eq!(
            Timetable::parse("@daily", "Mars/Base").unwrap_err(),
            BadTimetable::Zone("Mars/Base".into())
        );
        assert!(Timetable::parse(&"*,".repeat(200), "UTC").is_err());
    }

    #[test]
    fn a_fixed_time_in_the_spring_gap_fires_right_after_it() {
        // Berlin skips 02:00–03:00 on 2026-03-29; 03:00 CEST is 01:00 UTC.
        assert_eq!(
            firings("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
            ["2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"]
        );
    }

    #[test]
    fn an_interval_skips_the_gap_and_runs_in_both_passes_of_a_repeated_hour() {
        assert_eq!(
            firings("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:29:00Z", 4),
            ["2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z", "2026-03-29T02:00Z"]
        );
        assert_eq!(
            firings("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59:00Z", 5),
            [
                "2026-10-25T00:00Z",
                "2026-10-25T00:30Z",
                "2026-10-25T01:00Z",
                "2026-10-25T01:30Z",
                "2026-10-25T02:00Z"
            ]
        );
    }

    #[test]
    fn a_fixed_time_in_a_repeated_hour_fires_once() {
        // Berlin repeats 02:00–03:00 on 2026-10-25: the first 02:30 is 00:30 UTC.
        assert_eq!(
            firings("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]
        );
        // Lord Howe repeats half an hour only.
        assert_eq!(
            firings("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", 2),
            ["2026-04-04T14:45Z", "2026-04-05T15:15Z"]
        );
    }

    #[test]
    fn a_midnight_that_does_not_exist_fires_at_the_first_instant_of_the_day() {
        // Santiago goes from 2026-09-05 24:00 straight to 01:00.
        assert_eq!(
            firings("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", 2),
            ["2026-09-06T04:00Z", "2026-09-07T03:00Z"]
        );
    }

    #[test]
    fn a_silence_owes_the_latest_firings() {
        let timetable = Timetable::parse("0 * * * *", "UTC").unwrap();
        let next = Micros::parse("2026-01-01T01:00:00Z").unwrap();
        let now = Micros::parse("2026-01-01T04:30:00Z").unwrap();
        let (due, after) = timetable.due(next, now, 100);
        assert_eq!(due.len(), 4);
        assert_eq!(after, Micros::parse("2026-01-01T05:00:00Z").ok());
        let (due, _) = timetable.due(next, now, 1);
        assert_eq!(due, [Micros::parse("2026-01-01T04:00:00Z").unwrap()]);
        let (due, after) = timetable.due(now.plus_ms(1_800_000), now, 5);
        assert_eq!((due.len(), after), (0, Some(now.plus_ms(1_800_000))));
    }

    #[test]
    fn a_year_of_silence_with_a_timetable_of_seconds_is_cheap() {
        let timetable = Timetable::parse("* * * * * *", "UTC").unwrap();
        let next = Micros::parse("2025-01-01T00:00:00Z").unwrap();
        let now = Micros::parse("2026-01-01T00:00:00Z").unwrap();
        let (due, after) = timetable.due(next, now, 100);
        assert_eq!((due.len(), due.last().copied()), (100, Some(now)));
        assert_eq!(after, Some(now.plus_ms(1_000)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn parsing_never_panics(text in "[-0-9*/,?LW# @A-Za-z]{0,40}", zone in "\\PC{0,20}") {
            let _ = Timetable::parse(&text, &zone);
            let _ = Timetable::parse(&text, "Europe/Warsaw");
        }

        /// An oracle that needs no cleverness: walk second by second over the instants of two days around a
        /// change of clocks and ask jiff for the wall clock.
        #[test]
        fn intervals_agree_with_the_wall_clock(step in 1u32..31, offset in 0i64..200_000) {
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let timetable = Timetable::parse(&format!("*/{step} * * * *"), "Europe/Berlin").unwrap();
            for base in ["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"] {
                let from = Micros::parse(base).unwrap().plus_seconds(offset);
                let expected = (1..).map(|s| from.plus_seconds(s)).find(|at| {
                    let wall = at.to_timestamp().to_zoned(zone.clone());
                    wall.second() == 0 && (wall.minute() as u32).is_multiple_of(step)
                });
                prop_assert_eq!(timetable.next_after(from), expected);
            }
        }
    }
}
