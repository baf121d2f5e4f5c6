//! Where a segment's rows go: the boundary, target or table that its last block makes, opened as often as it is needed.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use flowetl_proto::control::{AttemptId, AttemptSpec, Output};
use flowetl_proto::pipeline::Block;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::blocks::InDatabase;
use crate::boundary::BoundarySink;
use crate::connectors::systems::Systems;
use crate::connectors::{InDatabaseRequest, Sink, SinkRequest};
use crate::storage::Storage;
use crate::{Error, Result, plan};

/// What names a sink, in whichever process it is opened: there are no secrets in it, only names of connections.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Destination {
    attempt: AttemptId,
    output: Output,
    /// The segment's last block.
    root: Block,
}

impl Destination {
    /// Where the attempt's rows go.
    pub(crate) fn of(spec: &AttemptSpec) -> Result<Self> {
        Ok(Self { attempt: spec.id.clone(), output: spec.segment.output, root: root(spec)?.clone() })
    }

    /// The sink for rows that look like `schema`, which only a table made inside a database does without.
    pub(crate) async fn open(
        &self,
        storage: &Storage,
        systems: &Systems,
        schema: Option<SchemaRef>,
    ) -> Result<Arc<dyn Sink>> {
        let opened = match self.output {
            Output::Boundary => {
                let sink = BoundarySink::new(storage, &self.attempt, needed(schema)?, systems.context());
                Ok(Arc::new(sink) as _)
            }
            Output::Sink => self.load(systems, needed(schema)?).await,
            Output::Relation => self.in_database(systems).await,
            Output::Verdict => Err(Error::internal("data tests have no sink")),
        };
        opened.map_err(|e| e.in_block(&self.root.id))
    }

    /// The sink, opened only to remove what the attempt staged. What its rows looked like is not known any more, so that it
    /// is asked for what every target takes: one column, without a key.
    pub(crate) async fn open_to_discard(&self, storage: &Storage, systems: &Systems) -> Result<Arc<dyn Sink>> {
        let mut plain = self.clone();
        let mut columns = vec![Field::new("discarded", DataType::Utf8, true)];
        if self.output == Output::Sink
            && let Some(settings) = plain.root.settings.as_object_mut()
        {
            settings.remove("key");
            if settings.get("write").and_then(Value::as_str) == Some("merge") {
                settings.insert("write".into(), "append".into());
            }
            // Where a folder's files are staged depends on these, and they must be among the rows.
            let folders = match settings.get("partition_by") {
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                Some(Value::String(name)) => vec![name.as_str()],
                _ => Vec::new(),
            };
            columns.extend(folders.into_iter().map(|name| Field::new(name, DataType::Utf8, true)));
        }
        plain.open(storage, systems, Some(Arc::new(Schema::new(columns)))).await
    }

    async fn load(&self, systems: &Systems, schema: SchemaRef) -> Result<Arc<dyn Sink>> {
        let (_, load) = plan::load(&self.root)?;
        let request = SinkRequest {
            attempt: self.attempt.clone(),
            block: self.root.id.clone(),
            to: load.to.clone(),
            write: load.write,
            key: load.key,
            schema,
            options: self.root.settings.clone(),
        };
        systems.get(load.to.connection()).await?.sink(request).await
    }

    async fn in_database(&self, systems: &Systems) -> Result<Arc<dyn Sink>> {
        let block: InDatabase = plan::settings(&self.root)?;
        let request = InDatabaseRequest {
            attempt: self.attempt.clone(),
            block: self.root.id.clone(),
            connection: block.connection.clone(),
            sql: block.sql,
            to: block.to,
            made: block.made,
        };
        systems.get(&block.connection).await?.in_database(request).await
    }
}

fn needed(schema: Option<SchemaRef>) -> Result<SchemaRef> {
    schema.ok_or_else(|| Error::internal("a sink was opened without its schema"))
}

/// The last block of the segment.
pub(crate) fn root(spec: &AttemptSpec) -> Result<&Block> {
    spec.segment.blocks.last().ok_or_else(|| Error::internal("a segment without blocks"))
}
