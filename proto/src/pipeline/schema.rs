//! The JSON Schema of a pipeline file, for editors, drawn from the catalogue.

use serde_json::{Map, Value, json};

use crate::catalogue::{BlockDescription, Catalogue};

/// The schema of the whole file.
pub fn schema(catalogue: &Catalogue) -> Value {
    let mut root = top();
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("FlowETL pipeline");
    let mut definitions = Map::new();
    let mut cases = Vec::new();
    for kind in &catalogue.blocks {
        definitions.insert(kind.kind.clone(), block(kind, &mut cases, catalogue));
    }
    let mut branches = json!({ "not": {} });
    // The last one is asked first.
    cases.sort_by_key(|case| case.rank);
    for Case { keys, kind, .. } in cases {
        branches = json!({
            "if": { "required": keys },
            "then": { "$ref": format!("#/$defs/{kind}") },
            "else": branches,
        });
    }
    root["properties"]["connections"] = connections(catalogue);
    root["properties"]["blocks"] = json!({
        "type": "object",
        "description": "What the pipeline does, by name.",
        "minProperties": 1,
        "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
        "additionalProperties": branches,
    });
    short_form(&mut root, catalogue);
    root["$defs"] = Value::Object(definitions);
    root
}

/// The schema of the keys that are neither connections nor blocks; validation uses it as well.
pub(super) fn top() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "$schema": text("Where an editor finds this schema."),
            "name": text("The pipeline's name; the file's name where it is left out."),
            "description": text("What the pipeline is for."),
            "schedule": schedule(),
            "retries": {
                "type": "object",
                "description": "How often and how patiently a failed attempt is tried again.",
                "additionalProperties": false,
                "properties": {
                    "max": { "type": "integer", "minimum": 0, "maximum": 100 },
                    "backoff": {
                        "type": "string",
                        "format": "durations",
                        "description": "The first and the longest wait: `30s..10m`.",
                    },
                },
            },
            "memory": { "type": "string", "format": "size", "description": "A ceiling for the process: `512MB`." },
            "alerts": {
                "type": "object",
                "description": "Who hears of what.",
                "additionalProperties": false,
                "required": ["on", "to"],
                "properties": {
                    "on": { "type": "array", "items": { "type": "string", "enum": ["failed", "stalled", "stale", "recovered"] } },
                    "to": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] },
                },
            },
            "params": params(),
            "priority": {
                "enum": ["low", "normal", "high"],
                "type": "string",
                "description": "Which of the runs that wait for their turn comes first.",
            },
            "freshness": { "type": "string", "format": "duration", "description": "How old the result may be: `26h`." },
        },
    })
}

/// When the service runs a pipeline.
fn schedule() -> Value {
    json!({
        "type": "object",
        "description": "When the service runs it.",
        "additionalProperties": false,
        "required": ["cron"],
        "properties": {
            "cron": { "type": "string", "format": "cron", "description": "Minute, hour, day, month, weekday; or six fields, with seconds first." },
            "timezone": {
                "type": "string",
                "format": "timezone",
                "description": "Such as `Europe/Warsaw`; UTC where it is left out.",
            },
            "missed": {
                "enum": ["skip", "run_now", "queue"],
                "type": "string",
                "description": "What becomes of a run whose time passed while nothing ran.",
            },
            "params": {
                "type": "object",
                "description": "What its runs are told, by the names of parameters.",
                "additionalProperties": { "type": ["string", "number", "boolean"] },
            },
        },
    })
}

/// What a run is told.
fn params() -> Value {
    json!({
        "type": "object",
        "description": "What a run is told. In SQL, and in paths of files, `{{ var('name') }}` is the value.",
        "additionalProperties": {
            "type": "object",
            "additionalProperties": false,
            "required": ["type"],
            "properties": {
                "type": {
                    "enum": ["string", "integer", "number", "boolean", "date", "timestamp"],
                    "type": "string",
                    "description": "What it takes; a `date` is `2026-11-22`, a `timestamp` `2026-11-22T04:00:00Z`.",
                },
                "default": {
                    "type": ["string", "number", "boolean"],
                    "description": "Without one every run must be told a value.",
                },
                "values": {
                    "type": "array",
                    "items": { "type": ["string", "number", "boolean"] },
                    "description": "The only ones it takes.",
                },
                "description": { "type": "string", "description": "What it is for." },
            },
        },
    })
}

/// How a block is known to be of a kind.
struct Case {
    /// The keys that it must have.
    keys: Vec<String>,
    kind: String,
    /// `sql` with `in` stands before `sql`, and before it also a kind that may hold the key `sql`: `test`.
    rank: usize,
}

/// The schema of one kind of block, with the keys that every block has and its own `$defs` brought along.
fn block(kind: &BlockDescription, cases: &mut Vec<Case>, catalogue: &Catalogue) -> Value {
    let mut keys = vec![kind.keyword.clone()];
    keys.extend(kind.with.clone());
    let holds = |other: &&BlockDescription| {
        other.keyword != kind.keyword && kind.settings["properties"].get(&other.keyword).is_some()
    };
    let rank = keys.len() + catalogue.blocks.iter().filter(holds).count();
    cases.push(Case { keys, kind: kind.kind.clone(), rank });
    let mut schema = moved(&kind.settings, &kind.kind);
    schema["title"] = json!(kind.label);
    schema["description"] = json!(kind.description);
    schema["properties"]["after"] = json!({
        "description": "Blocks that must be done before this one starts.",
        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
    });
    schema["properties"]["description"] = json!({ "type": "string" });
    schema["properties"]["boundary"] = json!({
        "description": "Whether the rows are made durable before their readers start.",
        "type": "string",
        "enum": ["stream", "checkpoint", "auto"],
    });
    schema
}

/// The schema with its references pointing to where it now lies; `x-` words stay for whoever reads them.
fn moved(schema: &Value, kind: &str) -> Value {
    match schema {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| match (key.as_str(), value) {
                ("$ref", Value::String(path)) => {
                    (key.clone(), json!(format!("#/$defs/{kind}{}", path.trim_start_matches('#'))))
                }
                _ => (key.clone(), moved(value, kind)),
            };
            Value::Object(map.iter().filter(|(key, _)| *key != "$schema").map(entry).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| moved(item, kind)).collect()),
        other => other.clone(),
    }
}

fn connections(catalogue: &Catalogue) -> Value {
    let schemes: Vec<&str> = catalogue.connectors.iter().flat_map(|c| &c.schemes).map(String::as_str).collect();
    let map = json!({
        "type": "object",
        "required": ["type"],
        "properties": { "type": { "enum": schemes } },
    });
    json!({
        "type": "object",
        "description": "Systems by name: a URL, or a map with `type`.",
        "additionalProperties": { "anyOf": [{ "type": "string" }, map] },
    })
}

/// Adds the keys of the three-line form.
fn short_form(root: &mut Value, catalogue: &Catalogue) {
    for (keyword, renamed) in [("load", None), ("extract", Some("from"))] {
        let Some(kind) = catalogue.block(keyword) else { continue };
        let schema = moved(&kind.settings, &kind.kind);
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            match renamed {
                Some(renamed) if key == keyword => root["properties"][renamed] = property.clone(),
                None if key == keyword => {}
                _ => root["properties"][key] = property.clone(),
            }
        }
    }
    root["anyOf"] = json!([{ "required": ["blocks"] }, { "required": ["from", "to"] }]);
}
