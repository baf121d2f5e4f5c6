//! `test`: data tests of another block's rows. They gate every load behind that block.

use flowetl_proto::catalogue::BlockDescription;
use flowetl_proto::control::Severity;
use flowetl_proto::pipeline::PortType;
use indexmap::IndexMap;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The block whose rows are tested.
    #[schemars(extend("x-input" = "block"))]
    pub test: String,
    /// Columns that hold no value twice; a list inside the list is a combination of columns.
    #[serde(default)]
    #[schemars(with = "Vec<super::OneOrMany>")]
    pub unique: Vec<super::OneOrMany>,
    /// Columns that hold no null.
    #[serde(default)]
    pub not_null: Vec<String>,
    /// Columns by name, each with the only values it may hold. Null is not judged here.
    #[serde(default)]
    pub accepted_values: IndexMap<String, Vec<Value>>,
    /// Columns by name, each with the `block.column` in which every value must be found. Null is not judged here.
    #[serde(default)]
    #[schemars(extend("additionalProperties" = {"type": "string", "x-input": "column"}))]
    pub relationships: IndexMap<String, String>,
    /// How many rows there must be: `> 0`, `>= 10`, `= 3`, `< 1000`.
    #[schemars(extend("format" = "rows"))]
    pub rows: Option<String>,
    /// A query, or several, whose every row is a failure.
    #[serde(default, deserialize_with = "super::one_or_many")]
    #[schemars(with = "Option<super::OneOrMany>", extend("x-input" = "sql", "format" = "sql"))]
    pub sql: Vec<String>,
    /// `error` stops the loads; `warn` only reports.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("enum" = ["error", "warn"]))]
    pub severity: Severity,
}

pub(super) fn describe() -> BlockDescription {
    BlockDescription {
        kind: "test".into(),
        keyword: "test".into(),
        with: None,
        label: "Test".into(),
        description: "Checks rows; a failed check stops every load behind them.".into(),
        input: Some(PortType::S3File),
        output: None,
        settings: schema_for!(Test).into(),
    }
}
