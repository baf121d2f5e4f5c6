//! A transformation as it is kept, wished for and shown.

use std::collections::BTreeMap;
use std::str::FromStr;

use flowetl_proto::pipeline::Reference;
use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::turn::Priority;

/// What becomes of the rows of a transformation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Materialization {
    /// Only the query is kept, and runs whenever the view is read.
    #[default]
    View,
    /// All of them, made anew by each run.
    Table,
    /// Each run adds those that are new and changes those whose `unique_key` is there.
    Incremental,
    /// Nothing: its SQL stands in those that refer to it.
    Ephemeral,
}

impl Materialization {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Table => "table",
            Self::Incremental => "incremental",
            Self::Ephemeral => "ephemeral",
        }
    }
}

impl FromStr for Materialization {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::View, Self::Table, Self::Incremental, Self::Ephemeral];
        let found = all.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is no materialization"))
    }
}

/// What an incremental transformation knows its rows by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Incremental {
    pub unique_key: Vec<String>,
    /// `None` where every run reads all rows.
    pub cursor: Option<String>,
}

/// SQL that is kept by name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transformation {
    pub id: String,
    pub organization: String,
    /// Also that of its table or view.
    pub name: String,
    pub description: Option<String>,
    pub sql_body: String,
    pub materialization: Materialization,
    pub connection: String,
    /// A schema of the connection, or a layer of the built-in warehouse.
    pub schema_name: String,
    pub incremental: Incremental,
    pub tests: Map<String, Value>,
    pub params: Map<String, Value>,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Transformation {
    /// What its runs are called.
    pub(crate) fn run_name(&self) -> String {
        format!("transformation.{}.{}", self.name, self.id)
    }

    /// As the audit log has it.
    pub(crate) fn document(&self) -> Value {
        let Self { name, materialization, connection, schema_name, revision, .. } = self;
        json!({ "name": name, "materialization": materialization, "connection": connection,
                "schema_name": schema_name, "revision": revision })
    }
}

/// Where a transformation stands among others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    pub id: String,
    pub name: String,
    /// What its runs are called.
    pub run_name: String,
    /// Its table or view; `None` for what is ephemeral.
    pub makes: Option<Reference>,
    pub reads: Vec<Reference>,
    /// The ids of the ephemeral ones that stand in it.
    pub holds: Vec<String>,
}

/// A transformation that is to be made or changed. What is left out of a change stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransformationWish {
    /// 1 to 50 letters, digits and `_`; its table or view is called so.
    pub name: Option<String>,
    pub description: Option<String>,
    /// One query in the database's own dialect. `{{ ref('orders_clean') }}` is another transformation,
    /// `{{ source('raw', 'orders') }}` a table that a pipeline has loaded, `{{ var('day') }}` a parameter.
    pub sql_body: Option<String>,
    /// `view` where it is left out of a new one.
    pub materialization: Option<Materialization>,
    /// `warehouse` where it is left out of a new one.
    pub connection: Option<String>,
    /// `staging` where it is left out of a new one in the built-in warehouse, whose schemas are `raw`, `staging` and `marts`.
    pub schema_name: Option<String>,
    /// Incremental: the columns that name a row.
    pub unique_key: Option<Vec<String>>,
    /// Incremental: a column that grows, so that each run reads only what is new in it; empty to read everything each time.
    pub cursor: Option<String>,
    /// What is tested of its rows after each run, as the `test` block of pipelines has it: `unique`, `not_null`,
    /// `accepted_values`, `relationships` to others as `name.column`, `rows`, `sql`, `severity`.
    #[schema(value_type = Option<Object>)]
    pub tests: Option<Map<String, Value>>,
    /// The parameters that its SQL names, as the `params` of a pipeline file.
    #[schema(value_type = Option<Object>)]
    pub params: Option<Map<String, Value>>,
}

/// A transformation as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TransformationItem {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub sql_body: String,
    pub materialization: Materialization,
    pub connection: String,
    pub schema_name: String,
    pub unique_key: Vec<String>,
    pub cursor: Option<String>,
    #[schema(value_type = Object)]
    pub tests: Map<String, Value>,
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
    /// The names of those that its SQL refers to.
    pub depends_on: Vec<String>,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be compiled in place of what is kept.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompileWish {
    /// SQL that is not saved yet.
    pub sql_body: Option<String>,
    /// Values of the parameters; of those that are left out, their defaults.
    #[schema(value_type = Option<Object>)]
    pub params: Option<BTreeMap<String, Value>>,
}

/// Which rows are to be seen, of what is kept or of what is sent in its place.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransformationPreviewWish {
    /// SQL that is not saved yet.
    pub sql_body: Option<String>,
    /// Values of the parameters; of those that are left out, their defaults.
    #[schema(value_type = Option<Object>)]
    pub params: Option<BTreeMap<String, Value>>,
    /// How many: 100 where it is left out, never more than 1000.
    pub limit: Option<usize>,
}

/// SQL as the database gets it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CompiledSql {
    pub sql: String,
    /// What it makes: `connection.schema.name`; null for what is ephemeral.
    pub relation: Option<String>,
    /// The transformations that it refers to.
    pub depends_on: Vec<String>,
    /// The tables that it reads as sources: `source.table`.
    pub sources: Vec<String>,
}

/// How a transformation is to be run.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransformationRunWish {
    /// Incremental ones read everything again.
    #[serde(default)]
    pub full_refresh: bool,
    /// Which of the organization's runs that wait for their turn comes first.
    pub priority: Option<Priority>,
    /// Values of the parameters; of those that are left out, their defaults.
    #[schema(value_type = Option<Object>)]
    pub params: Option<BTreeMap<String, Value>>,
}
