//! What connectors to SQL databases share: quoting, the nearest name, and filters as SQL text.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use flowetl_proto::pipeline::nearest_word;

/// Longest `in (...)` list that is sent; longer ones are cheaper to judge in the engine than to parse in the database.
const LIST_MAX: usize = 200;

/// A name in double quotes, whatever it holds.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in double quotes, with commas between.
pub fn identifiers<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(identifier).collect::<Vec<_>>().join(", ")
}

/// A text in single quotes.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A select statement without what may follow it, fit to stand inside parentheses.
///
/// The line break ends a comment at the statement's end.
pub fn as_subquery(statement: &str) -> String {
    format!("(\n{}\n)", statement.trim().trim_end_matches([';', ' ', '\n', '\t', '\r']))
}

/// `, did you mean `x`?` where a candidate is close to `word`, else nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest_word(word, candidates).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

/// A filter in a database's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub sql: String,
    /// Whether it keeps exactly the rows that the engine's filter keeps. Otherwise it keeps those and perhaps more.
    pub exact: bool,
}

/// A comparison of a column with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The comparison with its sides exchanged.
    fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    fn of(operator: Operator) -> Option<Self> {
        Some(match operator {
            Operator::Eq => Self::Equal,
            Operator::NotEq => Self::NotEqual,
            Operator::Lt => Self::Less,
            Operator::LtEq => Self::LessOrEqual,
            Operator::Gt => Self::Greater,
            Operator::GtEq => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// What a database can judge as the engine does.
pub trait Judge {
    /// The comparison as SQL, or `None` where the database might judge otherwise. `value` is never null.
    fn compare(&self, column: &str, comparison: Comparison, value: &ScalarValue) -> Option<Condition>;

    /// The column as SQL, for `is null`; `None` where a null of the database is not a null of the engine.
    fn nullable(&self, column: &str) -> Option<String> {
        Some(identifier(column))
    }
}

/// The engine's filter as SQL, as far as every part of it can be judged by the database.
pub fn condition(filter: &Expr, judge: &dyn Judge) -> Option<Condition> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            Some(joined(condition(left, judge)?, "and", condition(right, judge)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(joined(condition(left, judge)?, "or", condition(right, judge)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) => {
                compare(judge, &column.name, Comparison::of(*op)?, value)
            }
            (Expr::Literal(value, _), Expr::Column(column)) => {
                compare(judge, &column.name, Comparison::of(*op)?.flipped(), value)
            }
            _ => None,
        },
        Expr::Between(between) if !between.negated => {
            let (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) =
                (between.expr.as_ref(), between.low.as_ref(), between.high.as_ref())
            else {
                return None;
            };
            let from = compare(judge, &column.name, Comparison::GreaterOrEqual, low)?;
            Some(joined(from, "and", compare(judge, &column.name, Comparison::LessOrEqual, high)?))
        }
        Expr::InList(list) if list.list.len() <= LIST_MAX => {
            let Expr::Column(column) = list.expr.as_ref() else { return None };
            let (comparison, word) =
                if list.negated { (Comparison::NotEqual, "and") } else { (Comparison::Equal, "or") };
            let mut whole: Option<Condition> = None;
            for item in &list.list {
                let Expr::Literal(value, _) = item else { return None };
                let one = compare(judge, &column.name, comparison, value)?;
                whole = Some(match whole {
                    Some(before) => joined(before, word, one),
                    None => one,
                });
            }
            whole
        }
        Expr::IsNull(inner) => null_test(inner, "is null", judge),
        Expr::IsNotNull(inner) => null_test(inner, "is not null", judge),
        Expr::Column(column) => judge.compare(&column.name, Comparison::Equal, &ScalarValue::Boolean(Some(true))),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::Column(column) => judge.compare(&column.name, Comparison::Equal, &ScalarValue::Boolean(Some(false))),
            _ => None,
        },
        _ => None,
    }
}

fn compare(judge: &dyn Judge, column: &str, comparison: Comparison, value: &ScalarValue) -> Option<Condition> {
    if value.is_null() { None } else { judge.compare(column, comparison, value) }
}

fn null_test(inner: &Expr, test: &str, judge: &dyn Judge) -> Option<Condition> {
    let Expr::Column(column) = inner else { return None };
    Some(Condition { sql: format!("{} {test}", judge.nullable(&column.name)?), exact: true })
}

fn joined(left: Condition, word: &str, right: Condition) -> Condition {
    Condition { sql: format!("({} {word} {})", left.sql, right.sql), exact: left.exact && right.exact }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    /// Compares numbers only, and orders without certainty.
    struct Numbers;

    impl Judge for Numbers {
        fn compare(&self, column: &str, comparison: Comparison, value: &ScalarValue) -> Option<Condition> {
            let ScalarValue::Int64(Some(number)) = value else { return None };
            let sql = format!("{} {} {number}", identifier(column), comparison.sql());
            Some(Condition { sql, exact: comparison == Comparison::Equal })
        }
    }

    #[track_caller]
    fn check(filter: Expr, expected: Option<(&str, bool)>) {
        let found = condition(&filter, &Numbers);
        assert_eq!(found, expected.map(|(sql, exact)| Condition { sql: sql.into(), exact }));
    }

    #[test]
    fn filters_become_sql_only_as_a_whole() {
        check(col("a").eq(lit(1i64)), Some((r#""a" = 1"#, true)));
        check(lit(1i64).lt(col("a")), Some((r#""a" > 1"#, false)));
        check(col("a").eq(lit("x")), None);
        check(col("a").eq(lit(1i64)).or(col("a").eq(lit("x"))), None);
        check(col("a").eq(lit(1i64)).and(col("b").is_null()), Some((r#"("a" = 1 and "b" is null)"#, true)));
        check(col("a").in_list(vec![lit(1i64), lit(2i64)], false), Some((r#"("a" = 1 or "a" = 2)"#, true)));
        check(col("a").between(lit(1i64), lit(2i64)), Some((r#"("a" >= 1 and "a" <= 2)"#, false)));
        check(col("a").eq(lit(ScalarValue::Int64(None))), None);
    }

    #[test]
    fn names_are_quoted_and_the_nearest_is_named() {
        assert_eq!(identifier(r#"a "b""#), r#""a ""b""""#);
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(did_you_mean("ordes", ["customers", "orders"]), ", did you mean `orders`?");
        assert_eq!(did_you_mean("visits", ["customers", "orders"]), "");
    }
}
