//! `extract`: reads a table, a query or files.

use flowetl_proto::catalogue::BlockDescription;
use flowetl_proto::drift::SchemaPolicy;
use flowetl_proto::pipeline::{PortType, Reference};
use indexmap::IndexMap;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// Where to read: `connection.schema.table`, `{connection: shop, query: "select ..."}`, a path or a URL.
    #[schemars(with = "Value", extend("x-reference" = "source"))]
    pub extract: Reference,
    /// Read only what is new since the last run.
    pub sync: Option<Sync>,
    /// Which columns, and under which names.
    #[serde(default)]
    pub columns: Columns,
    /// Read only rows for which this SQL condition holds.
    #[schemars(extend("format" = "sql"))]
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// What becomes of changes in the source's columns, and whether its loads may make their tables.
    #[serde(default)]
    pub schema: Policies,
    /// What to do with rows that cannot be read. Left out: the first one ends the run.
    pub bad_rows: Option<BadRows>,
    /// The files' format where the ending does not say it: `parquet`, `csv`, `json`, `ndjson`.
    pub format: Option<String>,
    /// Types of columns by name, instead of what is inferred: `{id: int64, born: date32}`.
    #[serde(default)]
    pub types: IndexMap<String, String>,
    /// CSV: the character between values.
    pub delimiter: Option<String>,
    /// CSV: whether the first line holds the names. Default true.
    pub header: Option<bool>,
    /// CSV: the text that stands for null, besides the empty text.
    pub null: Option<String>,
}

/// Incremental reading.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// A column that grows with every change. Rows in which it is null come with a full read only.
    pub cursor: String,
    /// The columns that name a row.
    #[serde(default, deserialize_with = "super::one_or_many")]
    #[schemars(with = "Option<super::OneOrMany>")]
    pub key: Vec<String>,
    /// How far before the last position to read again, so that rows committed late are caught: `10m`, or a number. Left
    /// out, rows with the last value itself are read again and merged; before a load that appends they are not.
    #[schemars(with = "Option<Value>", extend("x-type" = "overlap"))]
    pub overlap: Option<Value>,
    /// Where the first run starts; the beginning where it is left out.
    #[schemars(with = "Option<Value>")]
    pub start: Option<Value>,
}

/// Column selection.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// Only these, in this order.
    pub include: Option<Vec<String>>,
    /// All but these; they are never read.
    pub exclude: Vec<String>,
    /// Replaced by the hexadecimal SHA-256 of their text.
    pub hash: Vec<String>,
    /// New names by old ones.
    pub rename: IndexMap<String, String>,
}

/// What becomes of a change since the last run whose rows were published, be it that of a person who wrote another query
/// or `types`. The first run takes the source as it is, and so does a full refresh.
///
/// `evolve` takes the change. `freeze` and `pause` end the run. `discard_value` gives the rows as they were: without a new
/// column, with nulls for a column that is gone and for values that do not fit their old type. `discard_row` does the
/// same, but leaves out rows that would lose a value.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// Targets of the loads that this feeds: `evolve` makes those that are missing, `freeze` ends the run. There is
    /// nothing to discard in a table that is not there, so that no other word fits.
    #[schemars(with = "Option<String>", extend("enum" = ["evolve", "freeze"]))]
    pub tables: SchemaPolicy,
    /// Columns that are new or gone.
    #[schemars(with = "Option<String>", extend("enum" = ["evolve", "freeze", "discard_value", "discard_row", "pause"]))]
    pub columns: SchemaPolicy,
    /// Columns whose type is another, even one that holds all values of the old.
    #[schemars(with = "Option<String>", extend("enum" = ["evolve", "freeze", "discard_value", "discard_row", "pause"]))]
    pub types: SchemaPolicy,
}

/// The quarantine's limit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadRows {
    /// A share (`0.1%`) or a number of rows; above it the run fails.
    #[schemars(with = "Value", extend("format" = "percent"))]
    pub quarantine: Value,
}

pub(super) fn describe() -> BlockDescription {
    BlockDescription {
        kind: "extract".into(),
        keyword: "extract".into(),
        with: None,
        label: "Extract".into(),
        description: "Reads a table, a query or files.".into(),
        input: None,
        output: Some(PortType::S3File),
        settings: schema_for!(Extract).into(),
    }
}
