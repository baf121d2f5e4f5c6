//! Times that come again, as a cron line and a time zone say them: reading, the next one, and the same in words.
//!
//! A line has five fields (minute, hour, day, month, weekday) or six, with seconds first. Where both the day and the weekday
//! are restricted, either will do, as cron has always had it. When clocks change:
//!
//! - a time of day that does not exist comes once, at the next moment that does;
//! - a time of day that exists twice comes once, the first time;
//! - a line whose hour begins with `*` goes by the clock on the wall as it passes: it leaves out the hour that is left out,
//!   and comes again in the hour that comes again.

mod field;
mod next;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::str::FromStr;

use chrono_tz::{TZ_VARIANTS, Tz};

use self::field::{DAY, Field, HOUR, MINUTE, MONTH, SECOND, WEEKDAY};
use crate::pipeline::nearest_word;

/// Short names of whole lines.
const NAMED: [(&str, &str); 6] = [
    ("@yearly", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// The days of each month, January first; in a leap year.
const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A cron line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    seconds: Field,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// A time zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    pub const UTC: Self = Self(Tz::UTC);

    /// `Europe/Warsaw`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            let near = nearest_word(text, TZ_VARIANTS.iter().map(|zone| zone.name()));
            let hint =
                near.map_or_else(|| "write for example `Europe/Warsaw`".to_owned(), |n| format!("did you mean `{n}`?"));
            format!("`{text}` is no time zone; {hint}")
        })
    }
}

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = NAMED.iter().find(|(name, _)| *name == text.trim());
        let fields: Vec<&str> = named.map_or(text, |(_, line)| line).split_whitespace().collect();
        let (second, rest) = match fields.as_slice() {
            [second, rest @ ..] if rest.len() == 5 => (*second, rest),
            rest if rest.len() == 5 => ("0", rest),
            other => {
                let count = other.len();
                return Err(format!(
                    "`{text}` has {count} fields; a cron line has five: minute, hour, day, month, weekday; or six, \
                     with seconds first"
                ));
            }
        };
        let cron = Self {
            seconds: SECOND.read(second)?,
            minutes: MINUTE.read(rest[0])?,
            hours: HOUR.read(rest[1])?,
            days: DAY.read(rest[2])?,
            months: MONTH.read(rest[3])?,
            weekdays: WEEKDAY.read(rest[4])?,
        };
        match cron.exists() {
            true => Ok(cron),
            false => Err(format!("`{text}` never comes: no such month has such a day")),
        }
    }
}

impl Cron {
    /// Whether there is such a day in any year.
    fn exists(&self) -> bool {
        let has_day = |month: u32| self.days.last || (1..=LONGEST[month as usize - 1]).any(|day| self.days.holds(day));
        !self.weekdays.any || self.days.any || (1..=12).any(|month| self.months.holds(month) && has_day(month))
    }
}
