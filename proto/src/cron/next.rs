//! The next time of a cron line, also where clocks change.

use chrono::{DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

use super::{Cron, Zone};

/// Days that are looked through: the 29th of February on one weekday comes every 28 years, 40 around a century without it.
const DAYS_MAX: u64 = 41 * 366;
/// No change of clocks that is still made moves them by more; so far around a time its like may lie.
const CHANGE_HOURS: u32 = 3;
/// A gap may be a whole day, where a country went over the date line.
const GAP_MINUTES_MAX: i64 = 25 * 60;

impl Cron {
    /// The first time after `after`; both in milliseconds since 1970. `None` where there is none for decades.
    pub fn next(&self, after: i64, zone: Zone) -> Option<i64> {
        let moment = DateTime::from_timestamp_millis(after)?;
        let local = moment.with_timezone(&zone.0).naive_local();
        let begin = local.checked_sub_signed(TimeDelta::hours(CHANGE_HOURS.into()))?;
        let mut found: Option<i64> = None;
        // Once one is found, hours that might hold an earlier one.
        let mut left = 2 * CHANGE_HOURS;
        for date in begin.date().iter_days().take(DAYS_MAX as usize) {
            let first = if date == begin.date() { begin.hour() } else { 0 };
            if !self.holds_day(date) {
                if found.is_some() {
                    left = left.saturating_sub(24 - first);
                }
                if left == 0 { break } else { continue }
            }
            for hour in first..24 {
                if self.hours.holds(hour)
                    && let Some(start) = date.and_hms_opt(hour, 0, 0)
                {
                    found = [found, self.next_in_hour(start, after, zone.0)].into_iter().flatten().min();
                }
                if found.is_some() {
                    left = left.saturating_sub(1);
                }
            }
            if left == 0 {
                break;
            }
        }
        found
    }

    /// The next times after `after`, `count` at most.
    pub fn following(&self, after: i64, zone: Zone, count: usize) -> Vec<i64> {
        std::iter::successors(self.next(after, zone), |at| self.next(*at, zone)).take(count).collect()
    }

    pub(super) fn holds_day(&self, date: NaiveDate) -> bool {
        if !self.months.holds(date.month()) {
            return false;
        }
        let is_last = || date.checked_add_days(Days::new(1)).is_none_or(|next| next.month() != date.month());
        let day = self.days.holds(date.day()) || (self.days.last && is_last());
        let weekday = self.weekdays.holds(date.weekday().num_days_from_sunday());
        match (self.days.any, self.weekdays.any) {
            (false, false) => day || weekday,
            _ => day && weekday,
        }
    }

    /// The first time after `after` in the hour of the wall clock that begins at `start`.
    fn next_in_hour(&self, start: NaiveDateTime, after: i64, zone: Tz) -> Option<i64> {
        let times = self.minutes.numbers().flat_map(|m| self.seconds.numbers().map(move |s| i64::from(m * 60 + s)));
        if let Some(begin) = steady(start, zone) {
            return times.map(|second| begin + second * 1000).find(|at| *at > after);
        }
        let mut found: Vec<i64> =
            times.flat_map(|second| self.moments(start + TimeDelta::seconds(second), zone)).collect();
        found.retain(|at| *at > after);
        found.into_iter().min()
    }

    /// When the wall clock shows `local`, as far as the line means it.
    fn moments(&self, local: NaiveDateTime, zone: Tz) -> Vec<i64> {
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => vec![at.timestamp_millis()],
            MappedLocalTime::Ambiguous(first, second) if self.hours.any => {
                vec![first.timestamp_millis(), second.timestamp_millis()]
            }
            MappedLocalTime::Ambiguous(first, _) => vec![first.timestamp_millis()],
            MappedLocalTime::None if self.hours.any => Vec::new(),
            MappedLocalTime::None => end_of_gap(local, zone).into_iter().collect(),
        }
    }
}

/// When an hour of the wall clock begins, where clocks do not change in it.
fn steady(start: NaiveDateTime, zone: Tz) -> Option<i64> {
    let at = |local: NaiveDateTime| zone.from_local_datetime(&local).single().map(|at| at.timestamp_millis());
    let (begin, end) = (at(start)?, at(start + TimeDelta::seconds(3599))?);
    (end - begin == 3_599_000).then_some(begin)
}

/// The first moment after a time that does not exist.
fn end_of_gap(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    let minute = local.with_second(0)?;
    let later = (1..=GAP_MINUTES_MAX).map(|minutes| minute + TimeDelta::minutes(minutes));
    later.filter_map(|local| zone.from_local_datetime(&local).earliest()).map(|at| at.timestamp_millis()).next()
}
