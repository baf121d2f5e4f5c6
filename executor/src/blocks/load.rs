//! `load`: writes a block's rows to a table or to files, made visible by one commit.

use flowetl_proto::catalogue::BlockDescription;
use flowetl_proto::pipeline::{PortType, Reference, WriteMode};
use indexmap::IndexMap;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The block whose rows are written.
    #[schemars(extend("x-input" = "block"))]
    pub load: String,
    /// Where to: `connection.schema.table`, a path or a URL.
    #[schemars(with = "Value", extend("x-reference" = "target"))]
    pub to: Reference,
    /// What happens to the rows that are there already.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("enum" = ["append", "replace", "merge"]))]
    pub write: WriteMode,
    /// The columns that name a row; needed for `merge`.
    #[serde(default, deserialize_with = "super::one_or_many")]
    #[schemars(with = "Option<super::OneOrMany>")]
    pub key: Vec<String>,
    /// The columns to write, in this order, each with its rule: a column of the block's rows, or an SQL expression over
    /// them. Left out: all columns as they are.
    #[serde(default)]
    #[schemars(extend("additionalProperties" = { "type": "string", "format": "rule" }))]
    pub map: IndexMap<String, String>,
    /// Files: the format where the ending does not say it.
    pub format: Option<String>,
    /// Files: one folder per value of these columns (`country=PL/`).
    #[serde(default, deserialize_with = "super::one_or_many")]
    #[schemars(with = "Option<super::OneOrMany>")]
    pub partition_by: Vec<String>,
    /// Files: begin a new file at about this size; the target is then a folder.
    #[schemars(extend("format" = "size"))]
    pub file_size: Option<String>,
    /// CSV: the character between values.
    pub delimiter: Option<String>,
    /// CSV: whether the first line holds the names. Default true.
    pub header: Option<bool>,
}

pub(super) fn describe() -> BlockDescription {
    BlockDescription {
        kind: "load".into(),
        keyword: "load".into(),
        with: None,
        label: "Load".into(),
        description: "Writes rows to a table or to files.".into(),
        input: Some(PortType::S3File),
        output: None,
        settings: schema_for!(Load).into(),
    }
}
