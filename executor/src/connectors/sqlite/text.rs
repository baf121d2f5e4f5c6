//! Dates, times and decimals as the text that SQLite keeps: parsed strictly, printed so that it is read back the same.

use chrono::{DateTime, NaiveDate, NaiveTime, Timelike};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days since 1970 of `2025-01-31`.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = digits(&bytes[..4])?;
    let date = NaiveDate::from_ymd_opt(year as i32, digits(&bytes[5..7])?, digits(&bytes[8..])?)?;
    Some(date.to_epoch_days())
}

/// Microseconds since midnight of `23:59`, `23:59:59` or `23:59:59.123456`.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 5 || bytes[2] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&bytes[..2])?, digits(&bytes[3..5])?);
    let (second, micros) = match &bytes[5..] {
        [] => (0, 0),
        [b':', rest @ ..] if rest.len() >= 2 => (digits(&rest[..2])?, fraction(&rest[2..])?),
        _ => return None,
    };
    let fits = hour < 24 && minute < 60 && second < 60;
    fits.then(|| i64::from(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + i64::from(micros))
}

/// Microseconds since 1970 of a date, or of a date and a time with a space or `T` between, and perhaps a zone (`Z`,
/// `+02:00`), which is applied.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    let days = parse_date(text.get(..10)?)?;
    let midnight = i64::from(days) * MICROS_PER_DAY;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(midnight);
    }
    let (time, offset_minutes) = split_zone(rest.strip_prefix([' ', 'T'])?)?;
    Some(midnight + parse_time(time)? - offset_minutes * 60 * MICROS_PER_SECOND)
}

fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time.trim_end(), 0));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, 0)) };
    let (time, zone) = text.split_at(at);
    let bytes = zone.as_bytes();
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&bytes[1..3])?, digits(&bytes[4..])?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours * 60 + minutes);
    Some((time.trim_end(), if bytes[0] == b'-' { -offset } else { offset }))
}

/// `""` or `.5` to `.500000`; further digits only where they are zero.
fn fraction(bytes: &[u8]) -> Option<u32> {
    let Some((b'.', digits_after)) = bytes.split_first() else {
        return bytes.is_empty().then_some(0);
    };
    let kept = digits_after.len().min(6);
    if kept == 0 || digits_after[kept..].iter().any(|b| *b != b'0') {
        return None;
    }
    Some(digits(&digits_after[..kept])? * 10u32.pow(6 - kept as u32))
}

/// At most nine digits.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0')))
}

/// `None` outside the years 0 to 9999, which is as far as ISO text reaches.
pub(super) fn format_date(days: i32) -> Option<String> {
    let date = NaiveDate::from_epoch_days(days)?;
    in_iso_years(date).then(|| date.format("%Y-%m-%d").to_string())
}

pub(super) fn format_time(micros: i64) -> Option<String> {
    let seconds = u32::try_from(micros.div_euclid(MICROS_PER_SECOND)).ok()?;
    let nanos = micros.rem_euclid(MICROS_PER_SECOND) as u32 * 1000;
    Some(format_clock(NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)?))
}

/// An instant ends in `+00:00`, which sorts before a fraction, so that such texts sort by time.
pub(super) fn format_timestamp(micros: i64, instant: bool) -> Option<String> {
    let moment = DateTime::from_timestamp_micros(micros)?.naive_utc();
    let zone = if instant { "+00:00" } else { "" };
    in_iso_years(moment.date())
        .then(|| format!("{} {}{zone}", moment.date().format("%Y-%m-%d"), format_clock(moment.time())))
}

fn format_clock(time: NaiveTime) -> String {
    let micros = time.nanosecond() / 1000;
    let whole = time.format("%H:%M:%S");
    if micros == 0 { whole.to_string() } else { format!("{whole}.{micros:06}") }
}

fn in_iso_years(date: NaiveDate) -> bool {
    (0..=9999).contains(&chrono::Datelike::year(&date))
}

/// `-12.340` as an integer of `10^-scale`; `None` where it has more digits than that holds.
pub(super) fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let part = part.trim_end_matches('0');
    let scale = scale as usize;
    if (whole.is_empty() && part.is_empty()) || part.len() > scale {
        return None;
    }
    let zeros = std::iter::repeat_n(b'0', scale - part.len());
    let value = whole.bytes().chain(part.bytes()).chain(zeros).try_fold(0i128, |sum, b| {
        if b.is_ascii_digit() { sum.checked_mul(10)?.checked_add(i128::from(b - b'0')) } else { None }
    })?;
    let value = if negative { -value } else { value };
    fits(value, precision).then_some(value)
}

/// Whether an unscaled decimal has at most that many digits.
pub(super) fn fits(value: i128, precision: u8) -> bool {
    value.unsigned_abs() < 10u128.pow(u32::from(precision))
}

/// Below this, decimals and the floating numbers nearest to them are one to one: 15 digits.
pub(super) const EXACT_IN_REAL: i128 = 1_000_000_000_000_000;
/// The greatest power of ten that a floating number holds exactly.
pub(super) const EXACT_POWER: i8 = 22;

/// The floating number nearest to a decimal, where it stands for that decimal alone.
pub(super) fn decimal_to_real(value: i128, scale: i8) -> Option<f64> {
    let exact = value.abs() < EXACT_IN_REAL && scale <= EXACT_POWER;
    exact.then(|| value as f64 / 10f64.powi(i32::from(scale)))
}

/// The decimal that a floating number is shown as; `None` where that has more digits than the decimal holds.
pub(super) fn real_to_decimal(real: f64, precision: u8, scale: i8) -> Option<i128> {
    let scaled = (real * 10f64.powi(i32::from(scale))).round();
    if scaled.abs() < EXACT_IN_REAL as f64 && decimal_to_real(scaled as i128, scale) == Some(real) {
        return fits(scaled as i128, precision).then_some(scaled as i128);
    }
    if real.is_finite() { parse_decimal(&real.to_string(), precision, scale) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_iso_allows_is_a_moment() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        for text in ["1970-1-2", "2023-02-29", "2024-02-30", "1970-01-02 ", "", "19700102", "1970-01-0x"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for (text, micros) in [
            ("1970-01-01", 0),
            ("1970-01-01 00:01", 60_000_000),
            ("1970-01-01T00:00:01.5", 1_500_000),
            ("1970-01-01 00:00:00.000001000", 1),
            ("1970-01-01T02:00:00+02:00", 0),
            ("1970-01-01 00:00:00 Z", 0),
            ("1969-12-31 23:59:59.999999", -1),
        ] {
            assert_eq!(parse_timestamp(text), Some(micros), "{text}");
        }
        for text in
            ["1970-01-01 24:00", "1970-01-01 00:00:00.0000001", "1970-01-01 00:00:00+2", "1970-01-01x", "é970-01-01"]
        {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn a_real_is_a_decimal_only_as_it_is_shown() {
        assert_eq!(real_to_decimal(12.34, 10, 2), Some(1234));
        assert_eq!(real_to_decimal(0.1 + 0.2, 10, 2), None);
        assert_eq!(real_to_decimal(1e20, 38, 2), Some(10i128.pow(22)));
        assert_eq!(real_to_decimal(1234.5, 4, 1), None);
        assert_eq!(real_to_decimal(f64::NAN, 10, 2), None);
        assert_eq!(parse_decimal("-0012.500", 10, 2), Some(-1250));
        for text in ["", "-", ".", "1.234", "1e3", "1 ", "--1", "12345678901"] {
            assert_eq!(parse_decimal(text, 10, 2), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn moments_survive_their_text(micros in -62_167_219_200_000_000i64..253_402_300_800_000_000) {
            for instant in [false, true] {
                let text = format_timestamp(micros, instant).expect("a year within 0 to 9999");
                prop_assert_eq!(parse_timestamp(&text), Some(micros));
            }
            let days = micros.div_euclid(MICROS_PER_DAY) as i32;
            prop_assert_eq!(parse_date(&format_date(days).expect("the same years")), Some(days));
            let clock = micros.rem_euclid(MICROS_PER_DAY);
            prop_assert_eq!(parse_time(&format_time(clock).expect("within a day")), Some(clock));
        }

        #[test]
        fn decimals_survive_a_real_where_they_are_written_as_one(value in -EXACT_IN_REAL..EXACT_IN_REAL, scale in 0i8..=EXACT_POWER) {
            let real = decimal_to_real(value, scale);
            prop_assert_eq!(real.and_then(|real| real_to_decimal(real, 38, scale)), if value.abs() < EXACT_IN_REAL { Some(value) } else { None });
        }
    }
}
