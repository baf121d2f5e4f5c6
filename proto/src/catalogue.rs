//! What executors announce: the kinds of block and the connectors they have, as plain data.
//!
//! Validation, `flowetl schema`, the API and the console's forms are drawn from this alone, so that a new block or
//! connector needs no change outside the executor.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pipeline::PortType;

/// Everything an executor can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    pub blocks: Vec<BlockDescription>,
    pub connectors: Vec<ConnectorDescription>,
}

impl Catalogue {
    pub fn block(&self, kind: &str) -> Option<&BlockDescription> {
        self.blocks.iter().find(|b| b.kind == kind)
    }

    pub fn connector_for_scheme(&self, scheme: &str) -> Option<&ConnectorDescription> {
        self.connectors.iter().find(|c| c.schemes.iter().any(|s| s == scheme))
    }
}

/// One kind of block.
///
/// `settings` is the JSON Schema (an object, `additionalProperties: false`) of the block's own keys, the keyword
/// included. Keys that every block has (`after`, `boundary`, `description`) are added by validation. Besides JSON
/// Schema's words these are understood on a property:
///
/// - `"x-input": "block"`: the text is the id of a block whose output comes in here;
/// - `"x-input": "sql"`: the text is SQL; every table it names is a block whose output comes in here;
/// - `"x-input": "column"`: the text is `block.column`, and that block's output comes in here;
/// - `"x-input": "relations"`: the text is SQL for the database itself; only `{{ ref('block') }}` names a block;
/// - `"x-reference": "source"` or `"target"`: a place, replaced by its [`crate::pipeline::Reference`] as JSON;
/// - `"x-connection": true`: the name of a connection;
/// - `"format"`: `duration` (`10m`), `size` (`512MB`), `percent` (`0.1%`), `rows` (`> 0`), `sql` (a condition): text with a
///   checked form;
/// - `"x-type": "overlap"`: a duration or a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockDescription {
    /// The name of the kind: `extract`, `sql`, `in_database`, `test`, `load`.
    pub kind: String,
    /// The key that makes a block this kind: `extract`, `sql`, `test`, `load`.
    pub keyword: String,
    /// A second key that must stand beside the keyword: `in` makes `sql` an `in_database` block.
    pub with: Option<String>,
    pub label: String,
    pub description: String,
    /// What every input port takes; `None` where the block has no input.
    pub input: Option<PortType>,
    /// What the block gives; `None` where it is an end (load, test).
    pub output: Option<PortType>,
    pub settings: Value,
}

/// One kind of system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectorDescription {
    pub name: String,
    pub label: String,
    /// URL schemes it answers to, the usual one first.
    pub schemes: Vec<String>,
    /// Whether its places are tables or paths.
    pub places: Places,
    /// JSON Schema of a connection's keys in map form (`type`, `host`, ...) and of its URL's query options. Secrets are
    /// `writeOnly`: a service keeps them sealed, and shows them to nobody.
    pub settings: Value,
}

impl ConnectorDescription {
    /// The keys of a connection that are secrets: those that its settings call `writeOnly`, or a password by their format.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let known = self.settings["properties"].as_object().into_iter().flatten();
        let is_secret = |property: &Value| property["writeOnly"] == true || property["format"] == "password";
        known.filter(move |(_, property)| is_secret(property)).map(|(key, _)| key.as_str())
    }

    /// An option of a URL as its settings mean it. In a URL everything is text: where no text is wanted, what looks like a
    /// number or a truth is one.
    pub fn meant(&self, option: &str, text: &str) -> Value {
        let types = &self.settings["properties"][option]["type"];
        let wants_text = types.is_null() || types.to_string().contains("string");
        match serde_json::from_str(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) if !wants_text => value,
            _ => Value::String(text.to_owned()),
        }
    }
}

/// How a connector's places are written after the connection's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Places {
    /// `connection.schema.table`
    Tables,
    /// `connection/path/with*.glob`
    Paths,
}
