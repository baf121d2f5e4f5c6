//! Conditions that PostgreSQL decides exactly as DataFusion does, as SQL.
//!
//! Only what is certain is pushed down: columns and constants of equal type compared, put together with and, or, not.
//! Constants carry their type. Texts are compared by their bytes, as Arrow does, whatever the column's collation.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use arrow::array::types::{Date32Type, Time64MicrosecondType};
use arrow::temporal_conversions::{as_date, as_datetime, as_time};

use super::quote::literal;
use super::types::{Codec, SourceColumn};

/// The condition as SQL; `None` where it is not certain that PostgreSQL gives the same answer.
pub(super) fn sql(condition: &Expr, columns: &[SourceColumn]) -> Option<String> {
    match condition {
        Expr::Alias(alias) => sql(&alias.expr, columns),
        Expr::Column(_) => {
            let column = column(condition, columns)?;
            (column.codec == Codec::Bool).then(|| column.select.clone())
        }
        Expr::Literal(ScalarValue::Boolean(Some(value)), _) => Some(value.to_string()),
        Expr::Not(inner) => Some(format!("(not {})", sql(inner, columns)?)),
        Expr::IsNull(inner) => Some(format!("({} is null)", column(inner, columns)?.select)),
        Expr::IsNotNull(inner) => Some(format!("({} is not null)", column(inner, columns)?.select)),
        Expr::IsTrue(inner) => Some(format!("({} is true)", sql(inner, columns)?)),
        Expr::IsFalse(inner) => Some(format!("({} is false)", sql(inner, columns)?)),
        Expr::IsNotTrue(inner) => Some(format!("({} is not true)", sql(inner, columns)?)),
        Expr::IsNotFalse(inner) => Some(format!("({} is not false)", sql(inner, columns)?)),
        Expr::BinaryExpr(binary) => binary_sql(binary, columns),
        Expr::Between(between) => {
            let low = compared(&between.expr, ">=", &between.low, columns)?;
            let high = compared(&between.expr, "<=", &between.high, columns)?;
            let not = if between.negated { "not " } else { "" };
            Some(format!("({not}({low} and {high}))"))
        }
        Expr::InList(list) => {
            let equal =
                list.list.iter().map(|item| compared(&list.expr, "=", item, columns)).collect::<Option<Vec<_>>>()?;
            let not = if list.negated { "not " } else { "" };
            (!equal.is_empty()).then(|| format!("({not}({}))", equal.join(" or ")))
        }
        Expr::Like(like) => {
            let column = column(&like.expr, columns)?;
            let Expr::Literal(pattern, _) = &*like.pattern else { return None };
            let pattern = pattern.try_as_str()??;
            // The two engines differ on escapes at the end and on collations that ignore case.
            let is_plain = like.escape_char.is_none() && !like.case_insensitive && !pattern.contains('\\');
            if !is_plain || !is_text(column) || !column.compares_bytes {
                return None;
            }
            let not = if like.negated { "not " } else { "" };
            Some(format!("({} {not}like {})", text_of(column), literal(pattern)))
        }
        _ => None,
    }
}

fn binary_sql(binary: &BinaryExpr, columns: &[SourceColumn]) -> Option<String> {
    let BinaryExpr { left, op, right } = binary;
    let sign = match op {
        Operator::And => return Some(format!("({} and {})", sql(left, columns)?, sql(right, columns)?)),
        Operator::Or => return Some(format!("({} or {})", sql(left, columns)?, sql(right, columns)?)),
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => return None,
    };
    match (&**left, &**right) {
        (Expr::Literal(..), Expr::Column(_)) => {
            let mirrored = match sign {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                same => same,
            };
            compared(right, mirrored, left, columns)
        }
        _ => compared(left, sign, right, columns),
    }
}

fn column<'a>(expr: &Expr, columns: &'a [SourceColumn]) -> Option<&'a SourceColumn> {
    let Expr::Column(name) = expr else { return None };
    columns.iter().find(|c| *c.field.name() == name.name)
}

fn is_text(column: &SourceColumn) -> bool {
    matches!(column.codec, Codec::Text | Codec::Jsonb | Codec::NumericText) && !column.of.is_padded()
}

/// A text column's value as text of the C collation's kind: bytes.
fn text_of(column: &SourceColumn) -> String {
    let is_plain_text = column.of.is_builtin && matches!(column.of.name.as_str(), "text" | "varchar");
    let cast = if is_plain_text || column.select.ends_with("::text") { "" } else { "::text" };
    format!("{}{cast}", column.select)
}

/// `column sign constant`, or two columns of one type.
fn compared(left: &Expr, sign: &str, right: &Expr, columns: &[SourceColumn]) -> Option<String> {
    let column = column(left, columns)?;
    if is_text(column) {
        let Expr::Literal(value, _) = right else { return None };
        let value = literal(value.try_as_str()??);
        // With a collation that tells all bytes apart the column's own index can serve `=`.
        let is_equality = matches!(sign, "=" | "<>") && column.compares_bytes;
        let collation = if is_equality { "" } else { " collate \"C\"" };
        return Some(format!("({}{collation} {sign} {value})", text_of(column)));
    }
    match right {
        Expr::Literal(value, _) => Some(format!("({} {sign} {})", column.select, constant(&column.codec, value)?)),
        Expr::Column(_) => {
            let other = self::column(right, columns)?;
            (is_ordered(&column.codec) && column.codec == other.codec)
                .then(|| format!("({} {sign} {})", column.select, other.select))
        }
        _ => None,
    }
}

/// Types whose values both engines order alike. Not floating point: Arrow tells -0 from 0.
fn is_ordered(codec: &Codec) -> bool {
    matches!(
        codec,
        Codec::Bool
            | Codec::Int2
            | Codec::Int4
            | Codec::Int8
            | Codec::Oid
            | Codec::Numeric { .. }
            | Codec::Uuid
            | Codec::Bytea
            | Codec::Date
            | Codec::Timestamp
            | Codec::Timestamptz
            | Codec::Time
    )
}

/// A constant of exactly the column's type.
fn constant(codec: &Codec, value: &ScalarValue) -> Option<String> {
    use ScalarValue as S;
    Some(match (codec, value) {
        (Codec::Bool, S::Boolean(Some(v))) => v.to_string(),
        (Codec::Int2, S::Int16(Some(v))) => format!("({v})"),
        (Codec::Int4, S::Int32(Some(v))) => format!("({v})"),
        (Codec::Int8, S::Int64(Some(v))) => format!("({v})"),
        (Codec::Oid, S::UInt32(Some(v))) => format!("{v}::oid"),
        (Codec::Float4, S::Float32(Some(v))) if v.is_finite() && *v != 0.0 => format!("'{v:?}'::float4"),
        (Codec::Float8, S::Float64(Some(v))) if v.is_finite() && *v != 0.0 => format!("'{v:?}'::float8"),
        (Codec::Numeric { scale, .. }, S::Decimal128(Some(_), _, s) | S::Decimal256(Some(_), _, s)) if s == scale => {
            format!("{}::numeric", literal(&decimal_text(value)?))
        }
        (Codec::Uuid, _) => {
            let text = value.try_as_str()??;
            is_canonical_uuid(text).then(|| format!("{}::uuid", literal(text)))?
        }
        (Codec::Bytea, S::Binary(Some(bytes))) => {
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            format!("{}::bytea", literal(&format!("\\x{hex}")))
        }
        (Codec::Date, S::Date32(Some(days))) => {
            let date = as_date::<Date32Type>(i64::from(*days))?;
            is_usual_year(&date).then(|| format!("'{}'::date", date.format("%Y-%m-%d")))?
        }
        (Codec::Timestamp, S::TimestampMicrosecond(Some(t), None)) => format!("'{}'::timestamp", timestamp(*t)?),
        (Codec::Timestamptz, S::TimestampMicrosecond(Some(t), Some(_))) => {
            format!("'{}+00'::timestamptz", timestamp(*t)?)
        }
        (Codec::Time, S::Time64Microsecond(Some(t))) => {
            format!("'{}'::time", as_time::<Time64MicrosecondType>(*t)?.format("%H:%M:%S%.6f"))
        }
        _ => return None,
    })
}

fn decimal_text(value: &ScalarValue) -> Option<String> {
    let array = value.to_array().ok()?;
    arrow::util::display::array_value_to_string(&array, 0).ok()
}

fn is_usual_year(date: &impl chrono::Datelike) -> bool {
    (1..=9999).contains(&date.year())
}

fn timestamp(microseconds: i64) -> Option<String> {
    let time = as_datetime::<arrow::array::types::TimestampMicrosecondType>(microseconds)?;
    is_usual_year(&time).then(|| time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

/// The one form in which we read a uuid: in this form texts and uuids compare alike.
fn is_canonical_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}
