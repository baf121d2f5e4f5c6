//! A boundary as a sink: the same life as any target's, and a commit that is the coordinator's own.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use flowetl_proto::control::{AttemptId, Part, Position};
use flowetl_proto::id::BlockId;
use serde_json::Value;

use super::write::{BoundaryWriter, PartWriter, remove};
use crate::Result;
use crate::connectors::{Committed, OpenContext, Sink, SinkWriter};
use crate::storage::Storage;

/// Writes the boundary of one attempt. Its parts become visible when the coordinator makes the attempt the winner.
#[derive(Debug)]
pub(crate) struct BoundarySink {
    storage: Storage,
    attempt: AttemptId,
    writer: BoundaryWriter,
    writers: usize,
}

impl BoundarySink {
    /// Rows look like `schema`.
    pub(crate) fn new(storage: &Storage, attempt: &AttemptId, schema: SchemaRef, context: &OpenContext) -> Self {
        let writer = BoundaryWriter::new(storage.clone(), attempt, schema, context.row_group_bytes);
        Self { storage: storage.clone(), attempt: attempt.clone(), writer, writers: context.parallelism }
    }
}

#[async_trait]
impl Sink for BoundarySink {
    fn writers_max(&self) -> usize {
        self.writers
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn exists(&self) -> Result<bool> {
        Ok(true)
    }

    async fn begin(&self) -> Result<()> {
        Ok(())
    }

    async fn writer(&self, partition: usize) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(self.writer.partition(partition)))
    }

    async fn prepare(&self, _: &[Part]) -> Result<Value> {
        Ok(Value::Null)
    }

    async fn commit(&self, _: &Value, _: &[(BlockId, Position)]) -> Result<Committed> {
        Ok(Committed::Done)
    }

    async fn discard(&self) -> Result<()> {
        remove(&self.storage, &self.attempt).await
    }

    fn describe(&self) -> String {
        format!("boundary {}", self.storage.label(&super::folder(&self.attempt)))
    }
}

#[async_trait]
impl SinkWriter for PartWriter {
    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        Self::write(self, &batch).await
    }

    async fn finish(self: Box<Self>) -> Result<Vec<Part>> {
        Self::finish(*self).await
    }
}
