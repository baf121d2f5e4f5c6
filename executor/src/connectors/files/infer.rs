//! Guesses the columns of text files from the first bytes of each.
//!
//! A guess never loses anything: `007` stays text, as does a number with more digits than a float holds. What the rest
//! of the file disproves is an error there, not a null.

use std::fmt;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::json::reader::infer_json_schema_from_iterator;
use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;

use super::format::{Dialect, Format};
use super::split::Cutter;

/// A float holds 17 significant digits; a number with more would change.
const FLOAT_DIGITS_MAX: usize = 17;

/// What the values of a column have been so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Empty,
    Boolean,
    Integer,
    Float,
    Date,
    /// To the microsecond, or where `nanos` to the nanosecond.
    Timestamp {
        zone: bool,
        nanos: bool,
    },
    Text,
}

/// The columns that one file's sample shows, and how many rows were looked at.
#[derive(Clone, Debug)]
pub struct Guess {
    pub columns: Vec<(String, DataType)>,
    pub rows: usize,
}

/// What is wrong with a sample, with its line.
#[derive(Debug)]
pub struct BadSample(pub u64, pub String);

impl fmt::Display for BadSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.0, self.1)
    }
}

/// Guesses from a sample's whole records; `complete` says that the sample is the whole file.
pub fn guess(format: Format, dialect: &Dialect, sample: &[u8], complete: bool) -> Result<Guess, BadSample> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    match format {
        Format::Csv => guess_csv(dialect, sample, complete),
        _ => guess_json(format, sample, complete),
    }
}

fn guess_csv(dialect: &Dialect, sample: &[u8], complete: bool) -> Result<Guess, BadSample> {
    let mut records = Cutter::new(Format::Csv, dialect.delimiter).records(sample, 1);
    if !complete && records.len() > 1 {
        records.pop();
    }
    let mut records = records.into_iter();
    let Some((first, line)) = records.next() else { return Ok(Guess { columns: Vec::new(), rows: 0 }) };
    let values = fields(&sample[first], dialect.delimiter).ok_or_else(|| BadSample(line, "invalid UTF-8".into()))?;
    let names: Vec<String> = match dialect.header {
        true => {
            values.iter().enumerate().map(|(i, name)| if name.is_empty() { unnamed(i) } else { name.clone() }).collect()
        }
        false => (0..values.len()).map(unnamed).collect(),
    };
    if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        return Err(BadSample(line, format!("the header names column `{}` twice", twice.1)));
    }
    let mut kinds = vec![Kind::Empty; names.len()];
    let mut rows = 0;
    let mut look = |values: &[String]| {
        for (kind, value) in kinds.iter_mut().zip(values) {
            *kind = kind.with(Kind::of(value, dialect.null.as_deref()));
        }
    };
    if !dialect.header {
        look(&values);
        rows += 1;
    }
    for (range, _) in records {
        // Broken rows have their say when the file is read.
        if let Some(values) = fields(&sample[range], dialect.delimiter).filter(|values| values.len() == names.len()) {
            look(&values);
            rows += 1;
        }
    }
    let columns = names.into_iter().zip(kinds.into_iter().map(Kind::data_type)).collect();
    Ok(Guess { columns, rows })
}

fn guess_json(format: Format, sample: &[u8], complete: bool) -> Result<Guess, BadSample> {
    let mut sample = bytes::Bytes::copy_from_slice(sample);
    let mut cutter = Cutter::new(format, 0);
    let end = cutter.last_end(&mut sample).unwrap_or(0);
    let sample = if complete { sample } else { sample.slice(..end) };
    let mut values: Vec<Value> = Vec::new();
    for (range, _) in cutter.records(&sample, 1) {
        // Broken rows have their say when the file is read.
        values.extend(serde_json::from_slice(&sample[range]).ok().filter(Value::is_object));
    }
    let rows = values.len();
    let schema = infer_json_schema_from_iterator(values.into_iter().map(Ok::<_, ArrowError>));
    let schema = schema.map_err(|e| BadSample(1, e.to_string()))?;
    let columns = schema.fields().iter().map(|f| (f.name().clone(), settled(f.data_type()))).collect();
    Ok(Guess { columns, rows })
}

/// A column that was only ever null is text.
fn settled(data_type: &DataType) -> DataType {
    let field = |f: &Field| Field::new(f.name(), settled(f.data_type()), true);
    match data_type {
        DataType::Null => DataType::Utf8,
        DataType::List(item) => DataType::List(field(item).into()),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|f| field(f)).collect::<Fields>()),
        other => other.clone(),
    }
}

fn unnamed(index: usize) -> String {
    format!("column_{}", index + 1)
}

/// The values of one CSV record; `None` where they are not valid text.
pub fn fields(record: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    let record = record.strip_suffix(b"\r").unwrap_or(record);
    let mut values = Vec::new();
    let mut value = Vec::new();
    let (mut quoted, mut began, mut at) = (false, false, 0);
    while at < record.len() {
        let byte = record[at];
        at += 1;
        if quoted {
            match byte {
                b'"' if record.get(at) == Some(&b'"') => {
                    value.push(b'"');
                    at += 1;
                }
                b'"' => quoted = false,
                _ => value.push(byte),
            }
        } else if byte == delimiter {
            values.push(String::from_utf8(std::mem::take(&mut value)).ok()?);
            began = false;
            continue;
        } else if byte == b'"' && !began {
            quoted = true;
        } else {
            value.push(byte);
        }
        began = true;
    }
    values.push(String::from_utf8(value).ok()?);
    Some(values)
}

impl Kind {
    pub fn of(value: &str, null: Option<&str>) -> Self {
        let bytes = value.as_bytes();
        match bytes.first() {
            None => Self::Empty,
            Some(_) if null == Some(value) => Self::Empty,
            Some(b't' | b'T' | b'f' | b'F')
                if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") =>
            {
                Self::Boolean
            }
            Some(b'0'..=b'9' | b'-') => number(value).or_else(|| date(value)).unwrap_or(Self::Text),
            Some(_) => Self::Text,
        }
    }

    /// The kind that holds the values of both.
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Empty, a) | (a, Self::Empty) => a,
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Self::Float,
            (Self::Date, t @ Self::Timestamp { zone: false, .. })
            | (t @ Self::Timestamp { zone: false, .. }, Self::Date) => t,
            (Self::Timestamp { zone: a, nanos: n }, Self::Timestamp { zone: b, nanos: m }) if a == b => {
                Self::Timestamp { zone: a, nanos: n || m }
            }
            _ => Self::Text,
        }
    }

    pub fn data_type(self) -> DataType {
        match self {
            Self::Empty | Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp { zone, nanos } => {
                let unit = if nanos { TimeUnit::Nanosecond } else { TimeUnit::Microsecond };
                DataType::Timestamp(unit, zone.then(|| "UTC".into()))
            }
        }
    }
}

fn number(value: &str) -> Option<Kind> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (digits, None),
    };
    let (whole, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let numeral = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !numeral(whole) || !fraction.is_none_or(numeral) || !exponent.is_none_or(numeral) {
        return None;
    }
    if whole.len() > 1 && whole.starts_with('0') {
        // A code, not a number.
        return Some(Kind::Text);
    }
    if fraction.is_none() && exponent.is_none() {
        return Some(if value != "-0" && value.parse::<i64>().is_ok() { Kind::Integer } else { Kind::Text });
    }
    let significant = whole.len() + fraction.map_or(0, str::len);
    Some(if significant <= FLOAT_DIGITS_MAX { Kind::Float } else { Kind::Text })
}

fn date(value: &str) -> Option<Kind> {
    if value.len() == 10 {
        return NaiveDate::parse_from_str(value, "%Y-%m-%d").ok().map(|_| Kind::Date);
    }
    let separator = value.as_bytes().get(10)?;
    if !matches!(separator, b' ' | b'T') {
        return None;
    }
    let (plain, zone) = match value.strip_suffix('Z') {
        Some(plain) => (plain, true),
        None => match value.char_indices().rev().find(|(i, c)| *i > 10 && matches!(c, '+' | '-')) {
            Some((at, _)) if value[at + 1..].len() == 5 => (&value[..at], true),
            _ => (value, false),
        },
    };
    let moment = plain.replacen('T', " ", 1);
    NaiveDateTime::parse_from_str(&moment, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    let nanos = moment.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 6);
    Some(Kind::Timestamp { zone, nanos })
}

/// Joins the columns of several files by name, in the order of their first appearance. Two types that one column cannot
/// hold give its name and the two files, by position.
pub fn union<'a>(
    files: impl IntoIterator<Item = impl IntoIterator<Item = (&'a str, &'a DataType)>>,
    widen: bool,
) -> Result<Schema, Conflict> {
    let mut columns: Vec<Field> = Vec::new();
    let mut seen: indexmap::IndexMap<String, (usize, usize)> = indexmap::IndexMap::new();
    for (file, fields) in files.into_iter().enumerate() {
        for (name, data_type) in fields {
            let Some(&(at, first)) = seen.get(name) else {
                seen.insert(name.to_owned(), (columns.len(), file));
                columns.push(Field::new(name, data_type.clone(), true));
                continue;
            };
            let known = columns[at].data_type();
            if known == data_type {
                continue;
            }
            let numbers = [known, data_type].into_iter().all(|t| matches!(t, DataType::Int64 | DataType::Float64));
            if !(widen && numbers) {
                let types = [known.clone(), data_type.clone()];
                return Err(Conflict { column: name.to_owned(), files: [first, file], types });
            }
            columns[at] = Field::new(name, DataType::Float64, true);
        }
    }
    Ok(Schema::new(columns))
}

/// Two files that disagree on a column's type.
#[derive(Debug)]
pub struct Conflict {
    pub column: String,
    pub files: [usize; 2],
    pub types: [DataType; 2],
}
