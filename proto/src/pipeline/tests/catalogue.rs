//! A small catalogue with every word that validation knows.

use serde_json::{Value, json};

use crate::catalogue::{BlockDescription, Catalogue, ConnectorDescription, Places};
use crate::pipeline::PortType;

fn kind(kind: &str, keyword: &str, ports: [Option<PortType>; 2], settings: Value) -> BlockDescription {
    let [input, output] = ports;
    BlockDescription {
        kind: kind.into(),
        keyword: keyword.into(),
        with: (kind == "in_database").then(|| "in".into()),
        label: kind.into(),
        description: kind.into(),
        input,
        output,
        settings,
    }
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

pub(super) fn catalogue() -> Catalogue {
    let (rows, table) = (Some(PortType::S3File), Some(PortType::DbTable));
    let names = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let sync = object(
        &["cursor"],
        json!({ "cursor": { "type": "string" }, "key": names, "overlap": { "x-type": "overlap" }, "start": true }),
    );
    let extract = json!({
        "extract": { "x-reference": "source" },
        "sync": { "anyOf": [sync, { "type": "null" }] },
        "where": { "type": ["string", "null"], "format": "sql" },
        "format": { "type": ["string", "null"] },
    });
    let load = json!({
        "load": { "type": "string", "x-input": "block" },
        "to": { "x-reference": "target" },
        "write": { "type": ["string", "null"], "enum": ["append", "replace", "merge"] },
        "key": names,
        "map": { "type": "object", "additionalProperties": { "type": "string", "format": "rule" } },
        "partition_by": names,
        "format": { "type": ["string", "null"] },
    });
    let in_database = json!({
        "sql": { "type": "string", "x-input": "relations" },
        "in": { "type": "string", "x-connection": true },
        "to": { "x-reference": "target" },
    });
    let test = json!({
        "test": { "type": "string", "x-input": "block" },
        "sql": { "x-input": "sql" },
        "relationships": { "type": "object", "additionalProperties": { "type": "string", "x-input": "column" } },
    });
    let sql = json!({ "sql": { "type": "string", "x-input": "sql", "format": "sql" } });
    Catalogue {
        blocks: vec![
            kind("extract", "extract", [None, rows], object(&["extract"], extract)),
            kind("in_database", "sql", [table, table], object(&["sql", "in", "to"], in_database)),
            kind("load", "load", [rows, None], object(&["load", "to"], load)),
            kind("sql", "sql", [rows, rows], object(&["sql"], sql)),
            kind("test", "test", [rows, None], object(&["test"], test)),
        ],
        connectors: vec![
            connector("postgres", &["postgres", "postgresql"], Places::Tables),
            connector("sqlite", &["sqlite"], Places::Tables),
            connector("s3", &["s3"], Places::Paths),
            connector("file", &["file"], Places::Paths),
        ],
    }
}

fn connector(name: &str, schemes: &[&str], places: Places) -> ConnectorDescription {
    let schemes = schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
    ConnectorDescription { name: name.into(), label: name.into(), schemes, places, settings: json!({}) }
}
