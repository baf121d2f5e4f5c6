//! What transformations read: the tables that pipelines have loaded, found again as sources.

use std::collections::BTreeMap;

use flowetl_proto::pipeline::{Reference, write_yaml};
use flowetl_proto::run::Timestamp;
use flowetl_proto::tables::Column;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::Result;
use crate::accounts::Tenant;
use crate::store::Store;

/// Sources in one file: more than anybody's pipelines load.
pub(super) const SOURCES_MAX: i64 = 10_000;

/// A table that a pipeline has loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoadedTable {
    pub id: String,
    pub connection: String,
    /// `None` where it is the connection's own, and nobody has said which that is.
    pub schema: Option<String>,
    /// What the organization's schemas begin with, where the connection is the built-in warehouse.
    pub prefix: Option<String>,
    pub table: String,
    /// The name of the pipeline.
    pub pipeline: String,
    pub pipeline_id: Option<String>,
    pub run: String,
    pub rows: Option<i64>,
    pub loaded_at: Timestamp,
    /// As they were discovered last; none where nobody has looked.
    pub columns: Vec<Column>,
}

impl LoadedTable {
    pub(super) fn place(&self) -> Reference {
        Reference::Table { connection: self.connection.clone(), schema: self.schema.clone(), table: self.table.clone() }
    }

    /// What `source('name', 'table')` calls the schema: the layer in the built-in warehouse, else `connection_schema`.
    pub(crate) fn source(&self) -> String {
        let schema = self.schema.as_deref().unwrap_or_default();
        let layer = self.prefix.as_deref().and_then(|prefix| schema.strip_prefix(prefix)?.strip_prefix('_'));
        match (layer, &self.schema) {
            (Some(layer), _) => layer.to_owned(),
            (None, Some(schema)) => format!("{}_{schema}", self.connection),
            (None, None) => self.connection.clone(),
        }
    }
}

/// A table that transformations may read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SourceItem {
    pub id: String,
    /// As `{{ source('raw', 'orders') }}` names its schema.
    pub source: String,
    /// As it names the table.
    pub table: String,
    pub connection: String,
    /// Null where it is the connection's own.
    pub schema: Option<String>,
    /// The pipeline that loaded it last.
    pub pipeline: String,
    /// Null where that is not kept.
    pub pipeline_id: Option<String>,
    pub run_id: String,
    /// Rows that the last load has written; null where the database has made the table by itself.
    pub rows: Option<i64>,
    pub loaded_at: Timestamp,
    /// As they were discovered last; none where nobody has looked.
    pub columns: Vec<SourceColumn>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SourceColumn {
    pub name: String,
    /// As the system writes it: `numeric(15,2)`.
    #[serde(rename = "type")]
    pub declared: String,
    pub nullable: bool,
}

impl From<LoadedTable> for SourceItem {
    fn from(loaded: LoadedTable) -> Self {
        let column = |Column { name, declared, nullable, .. }| SourceColumn { name, declared, nullable };
        Self {
            source: loaded.source(),
            id: loaded.id,
            table: loaded.table,
            connection: loaded.connection,
            schema: loaded.schema,
            pipeline: loaded.pipeline,
            pipeline_id: loaded.pipeline_id,
            run_id: loaded.run,
            rows: loaded.rows,
            loaded_at: loaded.loaded_at,
            columns: loaded.columns.into_iter().map(column).collect(),
        }
    }
}

/// The sources of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sources {
    store: Store,
}

impl Sources {
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Those behind the one of the id `after`, first loaded first.
    pub(crate) async fn list(&self, tenant: &Tenant, after: &str, limit: i64) -> Result<Vec<SourceItem>> {
        let found = self.loaded(tenant, after, limit).await?;
        Ok(found.into_iter().map(SourceItem::from).collect())
    }

    /// All of them as dbt's `sources.yml`.
    pub(crate) async fn file(&self, tenant: &Tenant) -> Result<String> {
        let loaded = self.loaded(tenant, "", SOURCES_MAX).await?;
        Ok(write_yaml(&document(loaded)))
    }

    pub(super) async fn loaded(&self, tenant: &Tenant, after: &str, limit: i64) -> Result<Vec<LoadedTable>> {
        self.store.directory().await?.loaded_tables(&tenant.organization.id, after, limit).await
    }
}

fn document(loaded: Vec<LoadedTable>) -> Map<String, Value> {
    let mut sources = BTreeMap::<String, Vec<LoadedTable>>::new();
    for table in loaded {
        sources.entry(table.source()).or_default().push(table);
    }
    let sources = sources.into_iter().map(|(name, mut tables)| {
        tables.sort_by(|one, other| one.table.cmp(&other.table));
        let first = &tables[0];
        let mut source = Map::new();
        source.insert("name".to_owned(), json!(name));
        source.insert("description".to_owned(), json!(format!("Tables of connection `{}`", first.connection)));
        if let Some(schema) = &first.schema {
            source.insert("schema".to_owned(), json!(schema));
        }
        source.insert("tables".to_owned(), tables.into_iter().map(table).collect());
        Value::Object(source)
    });
    let mut document = Map::new();
    document.insert("version".to_owned(), json!(2));
    document.insert("sources".to_owned(), sources.collect());
    document
}

fn table(loaded: LoadedTable) -> Value {
    let mut table = Map::new();
    table.insert("name".to_owned(), json!(loaded.table));
    table.insert("description".to_owned(), json!(format!("Loaded by pipeline `{}`", loaded.pipeline)));
    let mut meta = Map::new();
    meta.insert("loaded_at".to_owned(), json!(loaded.loaded_at));
    if let Some(rows) = loaded.rows {
        meta.insert("rows".to_owned(), json!(rows));
    }
    table.insert("meta".to_owned(), Value::Object(meta));
    if !loaded.columns.is_empty() {
        let column = |column: &Column| {
            let description = if column.nullable { "May be null" } else { "Never null" };
            json!({ "name": column.name, "data_type": column.declared, "description": description })
        };
        table.insert("columns".to_owned(), loaded.columns.iter().map(column).collect());
    }
    Value::Object(table)
}
