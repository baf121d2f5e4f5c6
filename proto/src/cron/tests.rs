//! Cron lines: what is refused, when they come next, what they are in words.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::{Cron, Zone};

fn cron(text: &str) -> Cron {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

fn at(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

/// The next times after a moment, as the wall clock of the zone shows them.
fn following(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let zone: Zone = zone.parse().unwrap();
    let shown = |at: i64| DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone.0).to_rfc3339();
    cron(line).following(at(after), zone, count).into_iter().map(shown).collect()
}

#[test]
fn lines_that_are_none_are_refused_and_say_why() {
    let wrong = |text: &str| text.parse::<Cron>().unwrap_err();
    assert!(wrong("0 3 * *").contains("has 4 fields"), "{}", wrong("0 3 * *"));
    assert!(wrong("60 3 * * *").starts_with("`60` is no minute; it is 0 to 59"));
    assert!(wrong("0 3 * * mun").starts_with("`mun` is no weekday; it is 0 to 7 or `sun` to `sat`"));
    assert!(wrong("0 3 30 2 *").contains("never comes"));
    for text in
        ["", "* * * * * * *", "*/0 * * * *", "5-1 * * * *", "a * * * *", "0 0 1#2 * *", "0 0 -1 * *", "+1 * * * *"]
    {
        assert!(text.parse::<Cron>().is_err(), "{text}");
    }
    assert_eq!(cron("@daily"), cron("0 0 * * *"));
    assert_eq!(cron("0 0 * * 7"), cron("0 0 * * sun"));
    assert_eq!(
        "Europe/Warsav".parse::<Zone>().unwrap_err(),
        "`Europe/Warsav` is no time zone; did you mean `Europe/Warsaw`?"
    );
}

#[test]
fn times_follow_each_other() {
    let utc = |line: &str, after: &str, count| following(line, "UTC", after, count);
    assert_eq!(utc("0 3 * * *", "2026-11-22T03:00:00Z", 1), ["2026-11-23T03:00:00+00:00"]);
    assert_eq!(utc("0 3 * * *", "2026-11-22T02:59:59.999Z", 1), ["2026-11-22T03:00:00+00:00"]);
    assert_eq!(
        utc("*/20 8-9 * * mon-fri", "2026-11-20T09:39:00Z", 3),
        ["2026-11-20T09:40:00+00:00", "2026-11-23T08:00:00+00:00", "2026-11-23T08:20:00+00:00"]
    );
    assert_eq!(
        utc("*/30 * * * * *", "2026-11-22T03:00:01Z", 2),
        ["2026-11-22T03:00:30+00:00", "2026-11-22T03:01:00+00:00"]
    );
    assert_eq!(utc("0 0 L * *", "2027-02-01T00:00:00Z", 2), ["2027-02-28T00:00:00+00:00", "2027-03-31T00:00:00+00:00"]);
    assert_eq!(utc("0 0 29 2 *", "2027-01-01T00:00:00Z", 1), ["2028-02-29T00:00:00+00:00"]);
    assert_eq!(
        utc("0 0 13 * fri", "2026-11-09T00:00:00Z", 3),
        ["2026-11-13T00:00:00+00:00", "2026-11-20T00:00:00+00:00", "2026-11-27T00:00:00+00:00"],
        "the 13th, or a Friday"
    );
    assert_eq!(following("0 3 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", 1), ["2026-01-02T03:00:00+05:30"]);
}

#[test]
fn sc_3_a_time_that_does_not_exist_comes_once_at_the_next_moment_that_does() {
    // Warsaw went from 02:00 to 03:00 on 29 March 2026.
    let warsaw = |line: &str, count| following(line, "Europe/Warsaw", "2026-03-28T12:00:00Z", count);
    assert_eq!(warsaw("30 2 * * *", 2), ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]);
    assert_eq!(
        warsaw("*/15 2 * * *", 2),
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"],
        "all four at once"
    );
    assert_eq!(
        warsaw("0,30 2,3 * * *", 3),
        ["2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00", "2026-03-30T02:00:00+02:00",]
    );
    let hourly = following("30 * * * *", "Europe/Warsaw", "2026-03-29T00:00:00Z", 2);
    assert_eq!(hourly, ["2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"], "an hour apart all the same");
    // Lord Howe Island moves its clocks by half an hour.
    let howe = following("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 2);
    assert_eq!(howe, ["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"]);
    // Samoa had no 30 December 2011 at all.
    let apia = following("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00:00Z", 2);
    assert_eq!(apia, ["2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"]);
}

#[test]
fn sc_3_a_time_that_exists_twice_comes_once() {
    // Warsaw went from 03:00 back to 02:00 on 25 October 2026.
    let warsaw = |line: &str, count| following(line, "Europe/Warsaw", "2026-10-24T12:00:00Z", count);
    assert_eq!(warsaw("30 2 * * *", 2), ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]);
    assert_eq!(warsaw("0 2,3 * * *", 2), ["2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"]);
    let between = following("30 2 * * *", "Europe/Warsaw", "2026-10-25T00:45:00Z", 1);
    assert_eq!(between, ["2026-10-26T02:30:00+01:00"], "asked between the two");
    let hourly = following("0 * * * *", "Europe/Warsaw", "2026-10-24T23:30:00Z", 4);
    assert_eq!(
        hourly,
        [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T03:00:00+01:00",
            "2026-10-25T04:00:00+01:00"
        ],
        "every hour that passes"
    );
    let twice = following("30 1 * * *", "Australia/Lord_Howe", "2026-04-04T10:00:00Z", 2);
    assert_eq!(twice, ["2026-04-05T01:30:00+11:00", "2026-04-06T01:30:00+10:30"]);
}

#[test]
fn sc_7_lines_are_told_in_words() {
    let words = |line: &str| cron(line).words(Zone::UTC);
    assert_eq!(words("0 3 * * *"), "Every day at 3:00 AM UTC");
    assert_eq!(words("30 0,12 * * *"), "Every day at 12:30 AM and 12:30 PM UTC");
    assert_eq!(words("0 9 * * mon-fri"), "Every Monday to Friday at 9:00 AM UTC");
    assert_eq!(words("0 9 * * 0,6"), "Every Sunday and Saturday at 9:00 AM UTC");
    assert_eq!(words("*/5 * * * *"), "Every 5 minutes, UTC");
    assert_eq!(words("* * * * *"), "Every minute, UTC");
    assert_eq!(words("0 * * * *"), "Every hour, UTC");
    assert_eq!(words("15 */2 * * *"), "At minute 15, every 2 hours, UTC");
    assert_eq!(words("*/10 9-17 * * mon"), "Every 10 minutes, in the hours 9:00 AM to 5:00 PM, every Monday, UTC");
    assert_eq!(words("0 0 1,L jan *"), "On day 1 and the last of the month at 12:00 AM in January UTC");
    assert_eq!(words("0 0 13 * fri"), "On day 13 of the month and every Friday at 12:00 AM UTC");
    assert_eq!(words("*/10 * * * * *"), "Every 10 seconds, UTC");
    assert_eq!(words("30 0 3 * * *"), "Every day at 3:00:30 AM UTC");
}

/// Lines of numbers, lists, ranges and steps.
fn any_line() -> impl Strategy<Value = String> {
    let field = |max: u32, min: u32| {
        prop_oneof![
            3 => Just("*".to_owned()),
            2 => (min..=max).prop_map(|n| n.to_string()),
            1 => (1..=max).prop_map(|n| format!("*/{n}")),
            1 => (min..=max, min..=max).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            1 => (min..=max, min..=max).prop_map(|(a, b)| format!("{a},{b}")),
        ]
    };
    (field(59, 0), field(23, 0), field(28, 1), field(12, 1), field(7, 0))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Against looking at every minute, in a zone that changes no clocks.
    #[test]
    fn the_next_time_is_the_first_that_fits(line in any_line(), start in 1_700_000_000_i64..1_900_000_000) {
        let (cron, after) = (cron(&line), start * 1000);
        let begin = DateTime::from_timestamp_millis(after).unwrap().naive_utc();
        let begin = begin - TimeDelta::seconds(start % 60);
        let fits = |minute: i64| {
            use chrono::Timelike;
            let local = begin + TimeDelta::minutes(minute);
            let is_time = cron.hours.holds(local.hour()) && cron.minutes.holds(local.minute());
            (is_time && cron.holds_day(local.date())).then(|| local.and_utc().timestamp_millis())
        };
        // Twenty days of minutes; what comes later is only checked not to come before.
        let expected = (1..20 * 1440).find_map(fits);
        let found = cron.next(after, Zone::UTC).unwrap();
        match expected {
            Some(expected) => prop_assert_eq!(found, expected, "{}", line),
            None => prop_assert!(found >= after + 20 * 86_400_000 - 60_000, "{}", line),
        }
    }

    /// Around changes of clocks times only grow, and none comes twice.
    #[test]
    fn times_grow_where_clocks_change(line in any_line(), spring in any::<bool>()) {
        let zone: Zone = "Europe/Warsaw".parse().unwrap();
        let start = at(if spring { "2026-03-28T20:00:00Z" } else { "2026-10-24T20:00:00Z" });
        let times = cron(&line).following(start, zone, 50);
        prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{line}: {times:?}");
        prop_assert!(!cron(&line).words(zone).is_empty());
    }

    #[test]
    fn no_text_panics(text in "[-*/,0-9a-z# ]{0,20}") {
        if let Ok(cron) = text.parse::<Cron>() {
            cron.words(Zone::UTC);
        }
    }
}
