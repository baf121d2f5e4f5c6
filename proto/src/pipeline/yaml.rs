//! Writes a document as YAML that a person would write, and that reads back as the same document.

use std::fmt::Write;

use serde_json::{Map, Value};

/// A map in one line is no longer than this.
const LINE_CHARS_MAX: usize = 100;
/// What other readers of YAML take for something else than text.
const WORDS: [&str; 11] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"];

/// The text of a map.
pub fn write(map: &Map<String, Value>) -> String {
    let mut text = String::new();
    entries(map, 0, &mut text);
    text
}

fn entries(map: &Map<String, Value>, depth: usize, out: &mut String) {
    for (key, value) in map {
        indent(depth, out);
        scalar(key, out);
        out.push(':');
        below(value, depth + 1, out);
    }
}

/// A value after `key:` or `-`, and the end of the line.
fn below(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::String(text) if is_block(text) => {
            out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in text.lines() {
                if !line.is_empty() {
                    indent(depth, out);
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        Value::Object(map) if !is_short(value, depth) => {
            out.push('\n');
            entries(map, depth, out);
        }
        Value::Array(items) if !is_short(value, depth) => {
            out.push('\n');
            for item in items {
                indent(depth, out);
                out.push('-');
                below(item, depth + 1, out);
            }
        }
        value => {
            out.push(' ');
            flow(value, out);
            out.push('\n');
        }
    }
}

/// A value in one line.
fn flow(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => scalar(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                flow(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                scalar(key, out);
                out.push_str(": ");
                flow(item, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn scalar(text: &str, out: &mut String) {
    if is_plain(text) {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Writing to a text cannot fail.
            c if is_unseen(c) => drop(write!(out, "\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether a text needs no quotes, also inside brackets.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || "_/".contains(c))
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./- *=<>()+%".contains(c))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a text of several lines can stand as they are.
fn is_block(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    text.trim_end_matches('\n').contains('\n')
        && !text.ends_with("\n\n")
        && !first.is_empty()
        && !first.starts_with([' ', '\t'])
        && text.lines().all(|line| !line.trim().is_empty() || line.is_empty())
        && !text.chars().any(|c| c != '\n' && is_unseen(c))
}

/// Whether a character is to be written by its number: what no one sees, and what some readers take for a line's end.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' | '\u{e000}'..='\u{f8ff}')
}

/// Whether a list or a map stands well in one line: what is neither deep nor long.
fn is_short(value: &Value, depth: usize) -> bool {
    let levels = levels(value);
    if levels == 1 {
        return true;
    }
    let mut line = String::new();
    flow(value, &mut line);
    depth > 1 && levels <= 4 && line.chars().count() + 2 * depth <= LINE_CHARS_MAX && !line.contains("\\n")
}

/// How deep a value is; nothing is inside an empty one.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(levels).max().unwrap_or(0),
        _ => 1,
    }
}

fn indent(depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::pipeline::file;
    use crate::pipeline::problem::Problems;

    fn back(text: &str) -> Value {
        let mut problems = Problems::new("x");
        let read = file::read(text, &mut problems);
        read.map(|node| node.to_json()).unwrap_or_else(|| panic!("{:?}\n{text}", problems.into_sorted()))
    }

    #[test]
    fn what_is_written_is_as_a_person_writes_it() {
        let document = json!({
            "connections": { "shop": "postgres://${env:USER}@h/shop" },
            "memory": "512MB",
            "blocks": {
                "orders": { "extract": "shop.public.orders", "sync": { "cursor": "at", "key": ["id"] } },
                "all": { "sql": "select *\nfrom orders\n", "boundary": "yes", "part": 1.5, "none": null },
                "$odd": {},
            },
        });
        let text = write(document.as_object().unwrap());
        assert_eq!(
            text,
            "connections:\n  shop: \"postgres://${env:USER}@h/shop\"\nmemory: \"512MB\"\nblocks:\n  \
             orders: {extract: shop.public.orders, sync: {cursor: at, key: [id]}}\n  all:\n    sql: |\n      select *\n      \
             from orders\n    boundary: \"yes\"\n    part: 1.5\n    none: null\n  \"$odd\": {}\n"
        );
        assert_eq!(back(&text), document);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "\\PC{0,12}",
            "[a-z \\n\\t:#'\"\\\\{}\\[\\],&*!|>%@`-]{0,20}",
            "(a|  b|\\n|select x|\\r|\u{85}|\u{2028}|\u{feff}|\u{e001}){0,6}",
            prop::sample::select(vec![
                "null", "~", "true", "0x1f", "1e3", "-", "---", "...", "? a", "12", ".5", "+1", "="
            ])
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map("[a-z$ :]{0,5}", inner, 0..5)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn every_document_reads_back_as_itself(value in any_value()) {
            let map = Map::from_iter([("a".to_owned(), value), ("z".to_owned(), json!(1))]);
            let text = write(&map);
            prop_assert_eq!(back(&text), Value::Object(map), "{}", text);
        }
    }
}
