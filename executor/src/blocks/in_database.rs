//! `sql` with `in`: a query that the database runs itself, into a table of its own, or keeps as a view.

use flowetl_proto::catalogue::BlockDescription;
use flowetl_proto::pipeline::{PortType, Reference};
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InDatabase {
    /// One select statement in the database's own dialect; `{{ ref('block') }}` names another block of this kind.
    #[schemars(extend("x-input" = "relations"))]
    pub sql: String,
    /// The connection whose database runs it.
    #[serde(rename = "in")]
    #[schemars(extend("x-connection" = true))]
    pub connection: String,
    /// The table it becomes: `schema.table` in the same database.
    #[schemars(with = "Value", extend("x-reference" = "target"))]
    pub to: Reference,
    /// `table` (default) keeps the rows as they are now; `view` only the query, which is run whenever it is read.
    #[serde(default, rename = "as")]
    #[schemars(with = "Option<String>", extend("enum" = ["table", "view"]))]
    pub made: Made,
}

/// What a query becomes inside a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    #[default]
    Table,
    View,
}

pub(super) fn describe() -> BlockDescription {
    BlockDescription {
        kind: "in_database".into(),
        keyword: "sql".into(),
        with: Some("in".into()),
        label: "SQL in the database".into(),
        description: "Creates a table or a view from a query inside the database; no data moves.".into(),
        input: Some(PortType::DbTable),
        output: Some(PortType::DbTable),
        settings: schema_for!(InDatabase).into(),
    }
}
