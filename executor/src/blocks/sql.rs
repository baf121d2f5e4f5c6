//! `sql`: a query in the engine over other blocks' rows.

use flowetl_proto::catalogue::BlockDescription;
use flowetl_proto::pipeline::PortType;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    /// One select statement; other blocks are tables by their names.
    #[schemars(extend("x-input" = "sql", "format" = "sql"))]
    pub sql: String,
}

pub(super) fn describe() -> BlockDescription {
    BlockDescription {
        kind: "sql".into(),
        keyword: "sql".into(),
        with: None,
        label: "SQL".into(),
        description: "Joins, filters and aggregates rows in the engine.".into(),
        input: Some(PortType::S3File),
        output: Some(PortType::S3File),
        settings: schema_for!(Sql).into(),
    }
}
