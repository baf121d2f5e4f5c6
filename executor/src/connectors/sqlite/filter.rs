//! Filters that SQLite judges as the engine does.
//!
//! A value that does not fit its column must still arrive, to be named in an error or quarantined. SQLite orders values
//! by storage class, null < numbers < text < blobs, so each condition lets through the classes that do not belong in its
//! column: `>= ''` is every text and blob, `>= x''` every blob. Both can use an index.

use arrow::datatypes::{Decimal128Type, DecimalType};
use datafusion::common::ScalarValue;

use super::text::{EXACT_IN_REAL, format_date};
use super::types::Kind;
use crate::connectors::sql_text::{Comparison, Condition, Judge, identifier, literal};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// What is known of one column for filtering.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub name: String,
    /// `None` where SQLite may compare otherwise than the engine: the type was asked for or found by looking.
    pub kind: Option<Kind>,
    /// Holds values of its kind only, by the database's own rule.
    pub strict: bool,
    /// Texts are compared byte by byte.
    pub binary: bool,
    /// And in UTF-8, so that their order is the engine's.
    pub ordered: bool,
}

#[derive(Clone, Debug)]
pub(super) struct SqliteJudge {
    pub columns: Vec<Judged>,
}

impl Judge for SqliteJudge {
    fn compare(&self, column: &str, comparison: Comparison, value: &ScalarValue) -> Option<Condition> {
        let column = self.columns.iter().find(|known| known.name == column)?;
        let name = identifier(&column.name);
        match (column.kind?, value) {
            (Kind::Integer, ScalarValue::Int64(Some(number))) if *number != i64::MIN => {
                Some(exact(number_condition(column, comparison, &number.to_string())))
            }
            // Zero has two signs in the engine and one in SQLite.
            (Kind::Real, ScalarValue::Float64(Some(number))) if number.is_finite() && *number != 0.0 => {
                Some(exact(number_condition(column, comparison, &format!("{number:?}"))))
            }
            (Kind::Boolean, ScalarValue::Boolean(Some(wanted))) => {
                let excluded = match comparison {
                    Comparison::Equal => !wanted,
                    Comparison::NotEqual => *wanted,
                    _ => return None,
                };
                Some(exact(format!("{name} <> {}", u8::from(excluded))))
            }
            (
                Kind::Text,
                ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)),
            ) => text_condition(column, comparison, text),
            (Kind::Date, ScalarValue::Date32(Some(days))) => {
                let date = literal(&format_date(*days)?);
                Some(exact(format!("({name} {} {date} or date({name}) is not {name})", comparison.sql())))
            }
            (Kind::Timestamp { .. }, ScalarValue::TimestampMicrosecond(Some(micros), _)) => {
                timestamp_condition(&name, comparison, *micros)
            }
            (Kind::Decimal { .. }, ScalarValue::Decimal128(Some(value), _, scale))
                if value.abs() < EXACT_IN_REAL && *scale >= 0 =>
            {
                decimal_condition(column, comparison, *value, *scale)
            }
            _ => None,
        }
    }
}

fn exact(sql: String) -> Condition {
    Condition { sql, exact: true }
}

/// Text and blobs are greater than every number, so only comparisons that look downwards would miss them.
fn number_condition(column: &Judged, comparison: Comparison, number: &str) -> String {
    let name = identifier(&column.name);
    let sql = format!("{name} {} {number}", comparison.sql());
    if column.strict || !looks_down(comparison) { sql } else { format!("({sql} or {name} >= '')") }
}

fn text_condition(column: &Judged, comparison: Comparison, text: &str) -> Option<Condition> {
    let orders = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    if !column.binary || text.contains('\0') || (orders && !column.ordered) {
        return None;
    }
    let name = identifier(&column.name);
    let sql = format!("{name} {} {}", comparison.sql(), literal(text));
    let guarded = !column.strict && looks_down(comparison);
    Some(exact(if guarded { format!("({sql} or {name} >= x'')") } else { sql }))
}

/// Moments are written in several ways, with zones of up to 14 hours, so whole days are compared, one more on each side;
/// what is not written in the usual way passes.
fn timestamp_condition(name: &str, comparison: Comparison, micros: i64) -> Option<Condition> {
    let day = i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?;
    let from = format!("{name} >= {}", literal(&format_date(day - 1)?));
    let to = format!("{name} < {} or {name} >= x''", literal(&format_date(day + 2)?));
    let unusual = format!("datetime({name}) is not substr(replace({name}, 'T', ' '), 1, 19)");
    let sql = match comparison {
        Comparison::Greater | Comparison::GreaterOrEqual => format!("({from} or {unusual})"),
        Comparison::Less | Comparison::LessOrEqual => format!("({to} or {unusual})"),
        Comparison::Equal => format!("(({from} and ({to})) or {unusual})"),
        Comparison::NotEqual => return None,
    };
    Some(Condition { sql, exact: false })
}

/// Decimals lie as floating numbers, so the bounds themselves are let through.
fn decimal_condition(column: &Judged, comparison: Comparison, value: i128, scale: i8) -> Option<Condition> {
    let wider = match comparison {
        Comparison::Less | Comparison::LessOrEqual => Comparison::LessOrEqual,
        Comparison::Greater | Comparison::GreaterOrEqual => Comparison::GreaterOrEqual,
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => return None,
    };
    let number = Decimal128Type::format_decimal(value, 38, scale);
    Some(Condition { sql: number_condition(column, wider, &number), exact: false })
}

fn looks_down(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Equal | Comparison::Less | Comparison::LessOrEqual)
}
