//! Quantities as people write them: durations, sizes, shares and expectations.

use std::time::Duration;

/// `500ms`, `30s`, `10m`, `26h`, `7d`, `1h30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write for example `30s`, `10m`, `26h` or `7d`");
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let (number, after) = split_number(rest).ok_or_else(wrong)?;
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let milliseconds = match &after[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let whole: u64 = number.parse().map_err(|_| wrong())?;
        let part = whole.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &after[end..];
    }
    Ok(total)
}

/// `30s..10m`: a first and a last duration; one alone is both.
pub fn durations(text: &str) -> Result<(Duration, Duration), String> {
    let Some((first, last)) = text.split_once("..") else {
        return duration(text).map(|d| (d, d));
    };
    let (first, last) = (duration(first)?, duration(last)?);
    if first > last {
        return Err(format!("`{text}` begins with the longer duration"));
    }
    Ok((first, last))
}

/// Bytes of `512MB`, `1.5GB` (powers of 1000) or `1GiB` (powers of 1024).
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write for example `512MB` or `1GiB`");
    let (number, unit) = split_number(text.trim()).ok_or_else(wrong)?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(wrong()),
    };
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(factor).ok_or_else(wrong)?,
        Err(_) => (number.parse::<f64>().map_err(|_| wrong())? * factor as f64) as u64,
    };
    if bytes == 0 { Err(format!("`{text}` is no room at all")) } else { Ok(bytes) }
}

/// A limit for rows that cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Share {
    /// Of all rows read; from 0 to 1.
    Ratio(f64),
    Rows(u64),
}

/// `0.1%`, or a number of rows.
pub fn share(text: &str) -> Result<Share, String> {
    let wrong = || format!("`{text}` is neither a share such as `0.1%` nor a number of rows");
    let text = text.trim();
    let Some(percent) = text.strip_suffix('%') else {
        return text.parse().map(Share::Rows).map_err(|_| wrong());
    };
    match percent.trim().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Share::Ratio(percent / 100.0)),
        _ => Err(wrong()),
    }
}

/// What a number of rows must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    comparison: &'static str,
    rows: u64,
}

impl Expectation {
    pub fn holds(self, rows: u64) -> bool {
        match self.comparison {
            ">=" => rows >= self.rows,
            "<=" => rows <= self.rows,
            "!=" => rows != self.rows,
            ">" => rows > self.rows,
            "<" => rows < self.rows,
            _ => rows == self.rows,
        }
    }
}

/// `> 0`, `>= 10`, `= 3`, `!= 0`, `< 1000`.
pub fn expectation(text: &str) -> Result<Expectation, String> {
    let wrong = || format!("`{text}` is no expectation; write for example `> 0`, `>= 10` or `= 3`");
    let trimmed = text.trim();
    // Longer signs first: `>=` also begins with `>`.
    for comparison in [">=", "<=", "!=", ">", "<", "="] {
        if let Some(number) = trimmed.strip_prefix(comparison) {
            return number.trim().parse().map(|rows| Expectation { comparison, rows }).map_err(|_| wrong());
        }
    }
    Err(wrong())
}

/// A number's text and what follows it.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
