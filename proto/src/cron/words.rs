//! A cron line in words: `Every day at 3:00 AM UTC`.

use super::field::Field;
use super::{Cron, Zone};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Times of day that are named one by one; more are told by their fields.
const TIMES_MAX: usize = 6;

impl Cron {
    /// What the line means, for people.
    pub fn words(&self, zone: Zone) -> String {
        let days = self.days_in_words();
        let months = match self.months.any {
            true => String::new(),
            false => format!(" in {}", listed(&self.months, |month| MONTHS[month as usize - 1].to_owned())),
        };
        let text = match self.times() {
            Some(times) => format!("{} at {times}{months} {zone}", days.unwrap_or_else(|| "every day".to_owned())),
            None => {
                let days = days.map(|days| format!(", {days}")).unwrap_or_default();
                format!("{}{days}{months}, {zone}", self.rhythm())
            }
        };
        let mut letters = text.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// `3:00 AM and 3:00 PM`, where that is short.
    fn times(&self) -> Option<String> {
        let second = self.seconds.only()?;
        let hours: Vec<u32> = self.hours.numbers().collect();
        let minutes: Vec<u32> = self.minutes.numbers().collect();
        if self.hours.any || self.minutes.any || hours.len() * minutes.len() > TIMES_MAX {
            return None;
        }
        let times = hours.iter().flat_map(|hour| minutes.iter().map(|minute| time(*hour, *minute, second)));
        Some(joined(times.collect()))
    }

    /// `every 5 minutes, from 9:00 AM to 5:59 PM`.
    fn rhythm(&self) -> String {
        let mut parts = Vec::new();
        match (self.seconds.only(), self.seconds.step) {
            (Some(0), _) => {}
            (Some(second), _) => parts.push(format!("at second {second}")),
            (None, step) => parts.push(every("second", &self.seconds, step)),
        }
        let is_hourly = self.minutes.only() == Some(0) && self.hours.any && parts.is_empty();
        if !is_hourly && (!self.minutes.is_every() || parts.is_empty()) {
            parts.push(match self.minutes.only() {
                Some(minute) => format!("at minute {minute}"),
                None => every("minute", &self.minutes, self.minutes.step),
            });
        }
        let wants_hours = is_hourly || self.minutes.only().is_some() || !self.hours.is_every();
        if wants_hours && self.hours.any {
            parts.push(every("hour", &self.hours, self.hours.step));
        } else if wants_hours {
            parts.push(format!("in the hours {}", listed(&self.hours, |hour| time(hour, 0, 0))));
        }
        parts.join(", ")
    }

    /// `None` where it is every day.
    fn days_in_words(&self) -> Option<String> {
        let weekdays = (!self.weekdays.any)
            .then(|| format!("every {}", listed(&self.weekdays, |day| WEEKDAYS[day as usize].to_owned())));
        let days = match (self.days.any, self.days.step) {
            (true, None) => None,
            (true, Some(step)) => Some(format!("every {step} days of the month")),
            (false, _) => {
                let mut named: Vec<String> = ranges(&self.days, |day| day.to_string());
                named.extend(self.days.last.then(|| "the last".to_owned()));
                Some(format!("on day {} of the month", joined(named)))
            }
        };
        match (days, weekdays) {
            (Some(days), Some(weekdays)) if !self.days.any => Some(format!("{days} and {weekdays}")),
            (Some(days), Some(weekdays)) => Some(format!("{weekdays}, {days}")),
            (days, weekdays) => days.or(weekdays),
        }
    }
}

/// `every 5 minutes`, `every minute`, or the numbers.
fn every(unit: &str, field: &Field, step: Option<u32>) -> String {
    match step {
        Some(step) => format!("every {step} {unit}s"),
        None if field.any => format!("every {unit}"),
        None => format!("at {unit}s {}", listed(field, |number| number.to_string())),
    }
}

/// By the clock of twelve hours.
fn time(hour: u32, minute: u32, second: u32) -> String {
    let half = if hour < 12 { "AM" } else { "PM" };
    let seconds = if second == 0 { String::new() } else { format!(":{second:02}") };
    format!("{}:{minute:02}{seconds} {half}", (hour + 11) % 12 + 1)
}

fn listed(field: &Field, name: impl Fn(u32) -> String) -> String {
    joined(ranges(field, name))
}

/// Each number, or three and more in a row as a range.
fn ranges(field: &Field, name: impl Fn(u32) -> String) -> Vec<String> {
    let mut rows: Vec<(u32, u32)> = Vec::new();
    for number in field.numbers() {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => rows.push((number, number)),
        }
    }
    let mut names = Vec::new();
    for (first, last) in rows {
        match last - first {
            0 => names.push(name(first)),
            1 => names.extend([name(first), name(last)]),
            _ => names.push(format!("{} to {}", name(first), name(last))),
        }
    }
    names
}

/// `a, b and c`.
fn joined(mut names: Vec<String>) -> String {
    match names.pop() {
        None => String::new(),
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
    }
}
