//! Checks a node against the part of JSON Schema that settings use, and says precisely what does not fit.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::pipeline::file::{Content, Node};
use crate::pipeline::problem::{At, ProblemCode, Problems, nearest, one_of};

/// More keys than this are no help in a message.
const LISTED_MAX: usize = 16;

type Schema = Map<String, Value>;

/// What the words beside JSON Schema's own (`x-...`, `format`) mean.
pub(super) trait Words {
    /// The value that `node` becomes, or `None` where `schema` says nothing beyond JSON Schema.
    fn value(&mut self, key: &str, schema: &Schema, node: &Node, problems: &mut Problems) -> Option<Value>;
}

/// One walk over one schema.
pub(super) struct Walk<'a, W> {
    /// The whole schema, for `$ref`.
    pub root: &'a Value,
    /// Keys that are allowed beside the schema's own, for the nearest word.
    pub others: &'a [&'a str],
    pub words: W,
    pub problems: &'a mut Problems,
}

impl<W: Words> Walk<'_, W> {
    /// Checks `node`, which stands under `key`, and returns it as JSON. What does not fit is among the problems.
    pub fn check(&mut self, key: &str, schema: &Value, node: &Node) -> Value {
        let Value::Object(words) = schema else { return node.to_json() };
        if let Some(value) = self.words.value(key, words, node, self.problems) {
            return value;
        }
        if let Some(target) = self.target(words) {
            return self.check(key, &target, node);
        }
        for union in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = words.get(union) {
                return self.union(key, branches, node);
            }
        }
        if !self.accepts(schema, node) {
            self.wrong_type(key, schema, node);
            return Value::Null;
        }
        self.check_value(key, words, node);
        match &node.content {
            Content::Map(_) => self.map(words, node),
            Content::List(items) => match words.get("items") {
                Some(schema) => Value::Array(items.iter().map(|item| self.check(key, schema, item)).collect()),
                None => node.to_json(),
            },
            _ => node.to_json(),
        }
    }

    fn target(&self, words: &Schema) -> Option<Value> {
        let path = words.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(path).cloned()
    }

    /// The one branch that takes such a node; where several do, the first that finds nothing wrong.
    fn union(&mut self, key: &str, branches: &[Value], node: &Node) -> Value {
        let fitting: Vec<&Value> = branches.iter().filter(|branch| self.accepts(branch, node)).collect();
        let Some((last, others)) = fitting.split_last() else {
            self.wrong_type(key, &serde_json::json!({ "anyOf": branches }), node);
            return Value::Null;
        };
        for branch in others {
            let before = self.problems.len();
            let value = self.check(key, branch, node);
            if self.problems.len() == before {
                return value;
            }
            self.problems.truncate(before);
        }
        self.check(key, last, node)
    }

    /// The JSON types that a schema takes; `None` for any.
    fn types(&self, schema: &Value) -> Option<BTreeSet<String>> {
        let words = schema.as_object()?;
        if let Some(target) = self.target(words) {
            return self.types(&target);
        }
        if let Some(Value::Array(branches)) = words.get("anyOf").or_else(|| words.get("oneOf")) {
            let mut types = BTreeSet::new();
            for branch in branches {
                types.extend(self.types(branch)?);
            }
            return Some(types);
        }
        match words.get("type")? {
            Value::String(one) => Some(BTreeSet::from([one.clone()])),
            Value::Array(many) => Some(many.iter().filter_map(|t| t.as_str().map(str::to_owned)).collect()),
            _ => None,
        }
    }

    fn accepts(&self, schema: &Value, node: &Node) -> bool {
        let Some(types) = self.types(schema) else { return true };
        let names: &[&str] = match &node.content {
            Content::Null => &["null"],
            Content::Bool(_) => &["boolean"],
            Content::Number(n) if n.is_f64() => &["number"],
            Content::Number(_) => &["integer", "number"],
            Content::Text(_) => &["string"],
            Content::List(_) => &["array"],
            Content::Map(_) => &["object"],
        };
        names.iter().any(|name| types.contains(*name))
    }

    fn wrong_type(&mut self, key: &str, schema: &Value, node: &Node) {
        let types = self.types(schema).unwrap_or_default();
        let only_list = types.contains("array") && !types.contains("string");
        let hint = match node.text() {
            Some(text) if only_list => Some(format!("write `[{text}]`")),
            _ => None,
        };
        let message = format!("`{key}` takes {}, but this is {}", type_names(&types), node.sort());
        self.problems.add_with(node.at, ProblemCode::WrongType, message, hint);
    }

    /// `enum`, `const`, `minimum` and `maximum`.
    fn check_value(&mut self, key: &str, words: &Schema, node: &Node) {
        let value = node.to_json();
        let allowed: Vec<&Value> = match (words.get("enum"), words.get("const")) {
            (Some(Value::Array(allowed)), _) => allowed.iter().collect(),
            (_, Some(only)) => vec![only],
            _ => Vec::new(),
        };
        if !allowed.is_empty() && !allowed.contains(&&value) && !node.is_null() {
            let texts: Vec<&str> = allowed.iter().filter_map(|v| v.as_str()).collect();
            let written = node.text().map_or_else(|| value.to_string(), str::to_owned);
            let message = format!("`{key}` cannot be `{written}`");
            let hint = nearest(&written, texts.iter().copied())
                .unwrap_or_else(|| format!("it is {}", one_of(texts.iter().copied())));
            self.problems.add_with(node.at, ProblemCode::WrongValue, message, Some(hint));
        }
        let Some(number) = value.as_f64() else { return };
        let bound = |word: &str| words.get(word).and_then(Value::as_f64);
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            self.problems.add(node.at, ProblemCode::WrongValue, format!("`{key}` is {value}, but at least {least}"));
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            self.problems.add(node.at, ProblemCode::WrongValue, format!("`{key}` is {value}, but at most {most}"));
        }
    }

    fn map(&mut self, words: &Schema, node: &Node) -> Value {
        let empty = Map::new();
        let properties = words.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let others = std::mem::take(&mut self.others);
        let mut map = Map::new();
        for (key, value) in node.entries() {
            match (properties.get(&key.text), words.get("additionalProperties")) {
                // An empty optional key says nothing: as if it were left out.
                (Some(schema), _)
                    if value.is_null() && self.accepts(schema, value) && !is_required(words, &key.text) => {}
                (Some(schema), _) => {
                    map.insert(key.text.clone(), self.check(&key.text, schema, value));
                }
                (None, Some(Value::Bool(false))) => {
                    let known = properties.keys().map(String::as_str).chain(others.iter().copied());
                    self.unknown_key(&key.text, key.at, known.collect());
                }
                (None, Some(schema)) => {
                    map.insert(key.text.clone(), self.check(&key.text, schema, value));
                }
                (None, None) => {
                    map.insert(key.text.clone(), value.to_json());
                }
            }
        }
        for required in words.get("required").and_then(Value::as_array).into_iter().flatten() {
            if let Some(required) = required.as_str()
                && node.get(required).is_none()
            {
                self.problems.add(node.at, ProblemCode::MissingKey, format!("the key `{required}` is missing"));
            }
        }
        Value::Object(map)
    }

    fn unknown_key(&mut self, key: &str, at: At, known: Vec<&str>) {
        let all = || (known.len() <= LISTED_MAX).then(|| format!("here can stand {}", one_of(known.iter().copied())));
        let hint = nearest(key, known.iter().copied()).or_else(all);
        self.problems.add_with(at, ProblemCode::UnknownKey, format!("unknown key `{key}`"), hint);
    }
}

fn is_required(words: &Schema, key: &str) -> bool {
    words.get("required").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(|k| k == key))
}

fn type_names(types: &BTreeSet<String>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, called) in [
        ("string", "text"),
        ("integer", "a whole number"),
        ("number", "a number"),
        ("boolean", "true or false"),
        ("array", "a list"),
        ("object", "a map"),
    ] {
        if types.contains(name) {
            names.push(called);
        }
    }
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}
