//! Parameters of a pipeline: what a run is told beside its file, and how that comes into SQL.
//!
//! In SQL `{{ var('day') }}` is a literal as a whole, quotes and all, whatever the value holds: it cannot end early, and stands
//! where a value can, never inside a text, a name or a comment. In the path of files it is a part of the path that can lead
//! nowhere else.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, NaiveDate};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Pipeline;

/// Longer texts belong into a table.
const CHARS_MAX: usize = 10_000;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    String,
    Integer,
    Number,
    Boolean,
    /// `2026-11-22`.
    Date,
    /// `2026-11-22T04:00:00Z`, as RFC 3339 has it.
    Timestamp,
}

/// A parameter as the file declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    #[serde(rename = "type")]
    pub kind: ParamType,
    pub description: Option<String>,
    /// The only ones it takes, where it does not take all.
    pub values: Option<Vec<Value>>,
    /// Without one every run must be told a value.
    pub default: Option<Value>,
    /// What a run was told, or the default; `None` before that.
    pub value: Option<Value>,
}

impl Param {
    /// The value as it is kept, if the parameter takes it. Texts of other types are read, as a command line gives them.
    fn taken(&self, given: &Value) -> Result<Value, String> {
        let taken = self.read(given).ok_or_else(|| format!("`{}` is no {}", shown(given), self.kind.words()))?;
        if let Value::String(text) = &taken {
            check_text(text)?;
        }
        match &self.values {
            Some(values) if !values.iter().filter_map(|value| self.read(value)).any(|value| value == taken) => {
                let all = values.iter().map(|value| format!("`{}`", shown(value))).collect::<Vec<_>>().join(", ");
                Err(format!("`{}` is none of {all}", shown(given)))
            }
            _ => Ok(taken),
        }
    }

    fn read(&self, given: &Value) -> Option<Value> {
        let text = match given {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => given.to_string(),
            _ => return None,
        };
        Some(match self.kind {
            ParamType::String => Value::String(text),
            ParamType::Integer => Value::from(text.parse::<i64>().ok()?),
            ParamType::Number => Value::from(text.parse::<f64>().ok().filter(|number| number.is_finite())?),
            ParamType::Boolean => Value::from(text.parse::<bool>().ok()?),
            ParamType::Date => {
                let is_plain = text.len() == 10 && text.parse::<NaiveDate>().is_ok();
                Value::String(Some(text).filter(|_| is_plain)?)
            }
            ParamType::Timestamp => Value::String(DateTime::parse_from_rfc3339(&text).ok().map(|_| text)?),
        })
    }
}

impl ParamType {
    fn words(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean: `true` or `false`",
            Self::Date => "date such as `2026-11-22`",
            Self::Timestamp => "time such as `2026-11-22T04:00:00Z`",
        }
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Databases differ in what they take a backslash for, and some end a text at a zero byte.
fn check_text(text: &str) -> Result<(), String> {
    if text.chars().count() > CHARS_MAX {
        return Err(format!("a parameter has at most {CHARS_MAX} characters"));
    }
    match text.chars().find(|c| *c == '\\' || c.is_control()) {
        Some('\\') => Err("a parameter cannot hold a backslash".to_owned()),
        Some(_) => Err("a parameter cannot hold line breaks and other control characters".to_owned()),
        None => Ok(()),
    }
}

/// The declared parameters, and each that is wrong with why.
pub(super) fn declared(top: &Map<String, Value>) -> (IndexMap<String, Param>, Vec<(String, String)>) {
    let (mut params, mut wrong) = (IndexMap::new(), Vec::new());
    for (name, said) in top.get("params").and_then(Value::as_object).into_iter().flatten() {
        let kind = said.get("type").and_then(|word| serde_json::from_value(word.clone()).ok());
        // What is no type was told by the schema.
        let Some(kind) = kind else { continue };
        if !is_name(name) {
            wrong.push((name.clone(), "a parameter's name holds small letters, digits and `_`".to_owned()));
        }
        let values = said.get("values").and_then(Value::as_array).cloned();
        let description = said.get("description").and_then(Value::as_str).map(str::to_owned);
        let mut param = Param { kind, description, values, default: None, value: None };
        for value in param.values.iter().flatten().chain(said.get("default")) {
            if let Err(why) = param.taken(value) {
                wrong.push((name.clone(), why));
            }
        }
        param.default = said.get("default").and_then(|value| param.taken(value).ok());
        params.insert(name.clone(), param);
    }
    (params, wrong)
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 60 && name.chars().all(is_plain)
}

/// A `{{ var('name') }}` in a text.
#[derive(Debug, PartialEq, Eq)]
struct Use<'t> {
    name: &'t str,
    at: Range<usize>,
}

/// The name of `var('name')`.
pub(super) fn named(inside: &str) -> Option<&str> {
    let quoted = inside.trim().strip_prefix("var")?.trim_start().strip_prefix('(')?.strip_suffix(')')?.trim();
    let quote = quoted.chars().next().filter(|c| "'\"".contains(*c))?;
    quoted.strip_prefix(quote)?.strip_suffix(quote)
}

fn uses(text: &str) -> Vec<Use<'_>> {
    let (mut uses, mut from) = (Vec::new(), 0);
    while let Some(start) = text[from..].find("{{").map(|at| from + at) {
        let Some(end) = text[start..].find("}}").map(|at| start + at) else { break };
        if let Some(name) = named(&text[start + 2..end]) {
            uses.push(Use { name, at: start..end + 2 });
        }
        from = end + 2;
    }
    uses
}

/// Each use replaced by what `with` makes of its name.
fn replaced(text: &str, mut with: impl FnMut(&str) -> Result<String, String>) -> Result<String, String> {
    let (mut whole, mut from) = (String::with_capacity(text.len()), 0);
    for used in uses(text) {
        whole.push_str(&text[from..used.at.start]);
        whole.push_str(&with(used.name)?);
        from = used.at.end;
    }
    whole.push_str(&text[from..]);
    Ok(whole)
}

/// Refuses a parameter where a value cannot stand: inside a text, a name in quotes, a comment.
fn check_sql(sql: &str) -> Result<(), String> {
    // Texts that only some databases know; where one ends could not be told.
    if sql.contains(['\\', '$', '`']) {
        return Err("SQL with a parameter cannot hold `\\`, `$` or a backtick".to_owned());
    }
    let mut stand_ins = Vec::new();
    let marked = replaced(sql, |name| {
        stand_ins.push((format!("param{}stands", stand_ins.len()), name.to_owned()));
        let (stand_in, _) = &stand_ins[stand_ins.len() - 1];
        Ok(match sql.contains(stand_in.as_str()) {
            true => String::new(),
            false => format!(" {stand_in} "),
        })
    })?;
    let tokens = Tokenizer::new(&GenericDialect {}, &marked).tokenize().map_err(|error| error.message)?;
    let is_alone = |stand_in: &str| {
        let is_it =
            |token: &Token| matches!(token, Token::Word(word) if word.value == stand_in && word.quote_style.is_none());
        tokens.iter().any(is_it)
    };
    match stand_ins.iter().find(|(stand_in, _)| !is_alone(stand_in)) {
        Some((_, name)) => {
            Err(format!("`{{{{ var('{name}') }}}}` is a whole value: write it outside of quotes and comments"))
        }
        None => Ok(()),
    }
}

/// A value as SQL has it.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        // Two minus signs would begin a comment.
        Value::Number(number) if number.to_string().starts_with('-') => format!("({number})"),
        other => other.to_string(),
    }
}

/// A value as a part of a path.
fn part(name: &str, value: &Value) -> Result<String, String> {
    let text = shown(value);
    let is_plain = |c: char| c.is_alphanumeric() || "_-.:+".contains(c);
    match !text.is_empty() && !text.starts_with('.') && text.chars().all(is_plain) {
        true => Ok(text),
        false => Err(format!(
            "parameter `{name}`: `{text}` cannot be a part of a path, which takes letters, digits, `_`, `-`, `.`, `:` and `+`"
        )),
    }
}

/// Where a text of a block's settings stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Sql,
    Path,
    /// Names and words, in which no parameter can stand.
    Other,
}

/// Settings with every text as `change` makes it.
fn walk(
    value: &mut Value,
    place: Place,
    change: &mut impl FnMut(&str, Place) -> Result<String, String>,
) -> Result<(), String> {
    match value {
        Value::String(text) if text.contains("{{") => *text = change(text, place)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, place, change))?,
        Value::Object(map) => {
            let is_path = map.contains_key("path") && map.contains_key("connection");
            for (key, value) in map {
                let place = match key.as_str() {
                    // The rules of a `map`, whatever their columns are called.
                    _ if place == Place::Sql => Place::Sql,
                    "sql" | "where" | "query" | "map" => Place::Sql,
                    "path" if is_path => Place::Path,
                    _ => Place::Other,
                };
                walk(value, place, change)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What is wrong with the parameters that a block's settings name.
pub(super) fn check_uses(settings: &Value, params: &IndexMap<String, Param>) -> Result<(), String> {
    walk(&mut settings.clone(), Place::Other, &mut |text, place| {
        let uses = uses(text);
        if let Some(unknown) = uses.iter().find(|used| !params.contains_key(used.name)) {
            return Err(format!("`{}` is no parameter: declare it under `params`", unknown.name));
        }
        match place {
            Place::Sql if !uses.is_empty() => check_sql(text)?,
            Place::Other if !uses.is_empty() => {
                return Err(format!("`{text}`: a parameter can stand in SQL and in the path of files only"));
            }
            _ => {}
        }
        Ok(text.to_owned())
    })
}

impl Pipeline {
    /// The pipeline of one run: every parameter has the value that is given, or its default, and stands where it is used. What
    /// has its values already keeps them unless others are given.
    pub fn bound(mut self, given: &BTreeMap<String, Value>) -> Result<Self, String> {
        if let Some(unknown) = given.keys().find(|name| !self.params.contains_key(*name)) {
            let known = self.params.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(match known.as_str() {
                "" => format!("unknown parameter `{unknown}`: the pipeline has none"),
                known => format!("unknown parameter `{unknown}`: the pipeline has {known}"),
            });
        }
        for (name, param) in &mut self.params {
            param.value = match (given.get(name), &param.value) {
                (Some(given), _) => Some(param.taken(given).map_err(|wrong| format!("parameter `{name}`: {wrong}"))?),
                (None, Some(value)) => Some(value.clone()),
                (None, None) => param.default.clone(),
            };
            if param.value.is_none() {
                return Err(format!("parameter `{name}` is missing: it has no default"));
            }
        }
        let params = &self.params;
        let value = |name: &str| {
            let found = params.get(name).and_then(|param| param.value.as_ref());
            found.ok_or_else(|| format!("`{name}` is no parameter"))
        };
        for block in self.blocks.values_mut() {
            walk(&mut block.settings, Place::Other, &mut |text, place| match place {
                Place::Sql => replaced(text, |name| Ok(literal(value(name)?))),
                Place::Path => replaced(text, |name| part(name, value(name)?)),
                Place::Other => Ok(text.to_owned()),
            })?;
        }
        Ok(self)
    }

    /// The values of a bound pipeline's parameters.
    pub fn values(&self) -> BTreeMap<String, Value> {
        self.params.iter().filter_map(|(name, param)| Some((name.clone(), param.value.clone()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn param(kind: ParamType) -> Param {
        Param { kind, description: None, values: None, default: None, value: None }
    }

    #[test]
    fn a_parameter_takes_what_its_type_says() {
        use ParamType::{Boolean, Date, Integer, Number, String, Timestamp};
        let taken = |kind, value: Value| param(kind).taken(&value);
        assert_eq!(taken(Integer, json!("42")), Ok(json!(42)));
        assert_eq!(taken(Number, json!(1)), Ok(json!(1.0)));
        assert_eq!(taken(Boolean, json!("true")), Ok(json!(true)));
        assert_eq!(taken(Date, json!("2026-02-28")), Ok(json!("2026-02-28")));
        assert_eq!(taken(String, json!("it's")), Ok(json!("it's")));
        assert!(taken(Timestamp, json!("2026-11-22T04:00:00Z")).is_ok());
        for (kind, wrong) in [
            (Integer, json!(1.5)),
            (Integer, json!("1; drop table t")),
            (Number, json!("NaN")),
            (Boolean, json!(1)),
            (Date, json!("2026-02-30")),
            (Date, json!("2026-2-3")),
            (Timestamp, json!("2026-11-22")),
            (String, json!("a\\")),
            (String, json!("a\nb")),
            (String, json!(["a"])),
        ] {
            assert!(taken(kind, wrong.clone()).is_err(), "{kind:?} {wrong}");
        }
        let one_of = Param { values: Some(vec![json!("eu"), json!("us")]), ..param(String) };
        assert_eq!(one_of.taken(&json!("asia")), Err("`asia` is none of `eu`, `us`".to_owned()));
    }

    #[test]
    fn a_parameter_is_a_whole_value_wherever_it_stands_in_sql() {
        for good in ["a = {{ var('x') }}", "a in ({{var(\"x\")}},{{ var('y') }})", "'a' || {{ var('x') }} -- end"] {
            assert_eq!(check_sql(good), Ok(()), "{good}");
        }
        for wrong in [
            "a = '{{ var('x') }}'",
            "a like '%{{ var('x') }}%'",
            "a = 1 -- {{ var('x') }}",
            "a /* {{ var('x') }} */",
            "select \"{{ var('x') }}\"",
            "$${{ var('x') }}$$",
            "E'\\'{{ var('x') }}'",
            "select 'param0stands', {{ var('x') }}",
            "select '",
        ] {
            assert!(check_sql(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn whatever_a_value_holds_it_stays_one_literal() {
        for text in ["'", "''", "'; drop table t; --", "/*", "a' or 'a'='a", "\u{2019}", "{{ var('x') }}"] {
            let sql = format!("select {} as x", literal(&json!(text)));
            let tokens = Tokenizer::new(&GenericDialect {}, &sql).tokenize().unwrap();
            let texts: Vec<_> = tokens.iter().filter(|t| matches!(t, Token::SingleQuotedString(_))).collect();
            assert_eq!(texts, [&Token::SingleQuotedString(text.to_owned())], "{sql}");
            assert_eq!(tokens.len(), 7, "{sql}: {tokens:?}");
        }
        assert_eq!(literal(&json!(-5)), "(-5)");
        for path in ["..", "a/b", "../x", "", ".hidden", "*", "a b", "[a]", "?"] {
            assert!(part("p", &json!(path)).is_err(), "{path}");
        }
        assert_eq!(part("p", &json!("2026-11-22")).unwrap(), "2026-11-22");
    }
}
