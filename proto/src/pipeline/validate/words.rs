//! The texts whose form the catalogue names by `format`: durations, sizes, shares, conditions, rules and the like.

use serde_json::{Map, Value};

use super::walk::Words;
use crate::cron::{Cron, Zone};
use crate::pipeline::file::{Content, Node};
use crate::pipeline::problem::{ProblemCode, Problems};
use crate::pipeline::{quantity, sql};

/// Checks `format` and `x-type`; the value stays as it was written.
pub(super) struct Formats;

impl Words for Formats {
    fn value(&mut self, key: &str, schema: &Map<String, Value>, node: &Node, problems: &mut Problems) -> Option<Value> {
        let format = schema.get("x-type").or_else(|| schema.get("format"))?.as_str()?;
        let text = match &node.content {
            Content::Text(text) => text.text.clone(),
            Content::Number(number) if matches!(format, "percent" | "overlap") => {
                number_is_positive(key, number.as_f64(), node, problems);
                return Some(node.to_json());
            }
            // A number where a quantity needs its unit.
            Content::Number(number) => number.to_string(),
            // Another type of value: the schema's own `type` speaks where it has one.
            _ if schema.contains_key("type") => return None,
            _ if node.is_null() => return None,
            _ => {
                let wanted = if format == "percent" { "a share or a number" } else { "a duration or a number" };
                let message = format!("`{key}` takes {wanted}, but this is {}", node.sort());
                problems.add(node.at, ProblemCode::WrongType, message);
                return Some(Value::Null);
            }
        };
        let checked = match format {
            "duration" | "overlap" => quantity::duration(&text).map(drop),
            "durations" => quantity::durations(&text).map(drop),
            "size" => quantity::size(&text).map(drop),
            "percent" => quantity::share(&text).map(drop),
            "rows" => quantity::expectation(&text).map(drop),
            "cron" => text.parse::<Cron>().map(drop),
            "timezone" => text.parse::<Zone>().map(drop),
            "sql" => return Some(told(sql::check_condition(&text), text, "", node, problems)),
            "rule" => return Some(told(sql::check_rule(&text), text, &format!("`{key}`: "), node, problems)),
            _ => return None,
        };
        if let Err(wrong) = checked {
            problems.add(node.at, ProblemCode::WrongValue, format!("`{key}`: {wrong}"));
        }
        Some(node.to_json())
    }
}

/// SQL, also where it is written as a number; what is wrong with it is told where it stands.
fn told(
    checked: Result<(), sql::SqlProblem>,
    text: String,
    prefix: &str,
    node: &Node,
    problems: &mut Problems,
) -> Value {
    if let Err(sql::SqlProblem { line, column, message }) = checked {
        problems.add(node.inside(line, column), ProblemCode::WrongSql, format!("{prefix}{message}"));
    }
    Value::String(text)
}

fn number_is_positive(key: &str, number: Option<f64>, node: &Node, problems: &mut Problems) {
    if number.is_some_and(|n| n < 0.0) {
        problems.add(node.at, ProblemCode::WrongValue, format!("`{key}` is below zero"));
    }
}
