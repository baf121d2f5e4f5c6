//! Writes one attempt's rows as Parquet parts under names that no other attempt uses.
//!
//! Parts need no staging of their own: nobody reads a part that no manifest names.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use flowetl_proto::control::{AttemptId, Part};
use flowetl_proto::id::{RunId, SegmentId, Token};
use serde_json::Value;

use crate::Result;
use crate::parquet_write::{Encoder, ParquetFile, Section};
use crate::storage::{Staged, Storage};

/// A part is closed above this, so that a reader can share a partition's rows out and a damaged part costs little.
const PART_BYTES: u64 = 256 << 20;

/// The folder of all boundaries.
pub(super) const RUNS: &str = "runs";

/// The folder of an attempt's parts: `runs/RUN/SEGMENT/tTOKEN`.
pub fn folder(attempt: &AttemptId) -> String {
    folder_of(&attempt.run, &attempt.segment, attempt.token)
}

pub(super) fn folder_of(run: &RunId, segment: &SegmentId, token: Token) -> String {
    format!("{RUNS}/{run}/{segment}/t{token}")
}

/// Removes all that an attempt wrote; may be called twice.
pub async fn remove(storage: &Storage, attempt: &AttemptId) -> Result<()> {
    remove_folder(storage, &folder(attempt)).await
}

pub(super) async fn remove_folder(storage: &Storage, folder: &str) -> Result<()> {
    storage.unstage(&format!("{folder}/_private")).await?;
    storage.remove_folder(folder).await?;
    let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
    storage.remove_empty(above, "").await
}

/// Removes every boundary of a run that nobody will read again; a run of which nothing is left is no error.
pub async fn forget(storage: &Storage, run: &RunId) -> Result<()> {
    storage.remove_folder(&format!("{RUNS}/{run}")).await
}

/// Writes the boundary of one attempt.
#[derive(Clone, Debug)]
pub struct BoundaryWriter {
    storage: Storage,
    folder: String,
    schema: SchemaRef,
    row_group_bytes: usize,
}

impl BoundaryWriter {
    pub fn new(storage: Storage, attempt: &AttemptId, schema: SchemaRef, row_group_bytes: usize) -> Self {
        Self { storage, folder: folder(attempt), schema, row_group_bytes }
    }

    /// The writer of one partition. Opens a file with its first row: an empty partition has no part.
    pub fn partition(&self, partition: usize) -> PartWriter {
        PartWriter { boundary: self.clone(), partition, open: None, parts: Vec::new() }
    }

    async fn open(&self, partition: usize, n: usize) -> Result<Open> {
        let Self { storage, folder, schema, row_group_bytes } = self;
        let name = format!("part-{partition}-{n}.parquet");
        let output = storage.create(&format!("{folder}/{name}"), &format!("{folder}/_private/{name}")).await?;
        let file = ParquetFile::new(output, Arc::clone(schema), *row_group_bytes)?;
        let encoder = file.encoder();
        Ok(Open { file, encoder, section: Section::default() })
    }
}

/// Writes the parts of one partition.
#[derive(Debug)]
pub struct PartWriter {
    boundary: BoundaryWriter,
    partition: usize,
    open: Option<Open>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Open {
    file: ParquetFile,
    encoder: Encoder,
    section: Section,
}

impl PartWriter {
    /// Returns when the next batch may come; what is held is bounded by a row group.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.boundary.open(self.partition, self.parts.len()).await?,
        };
        if let Some(group) = open.encoder.write(batch)? {
            open.file.append(group, &mut open.section).await?;
        }
        let full = open.section.bytes >= PART_BYTES;
        self.open = Some(open);
        if full { self.close().await } else { Ok(()) }
    }

    /// The durable parts; their rows add up to the rows that were given.
    pub async fn finish(mut self) -> Result<Vec<Part>> {
        self.close().await?;
        Ok(self.parts)
    }

    async fn close(&mut self) -> Result<()> {
        let Some(Open { file, mut encoder, mut section }) = self.open.take() else { return Ok(()) };
        if let Some(group) = encoder.take()? {
            file.append(group, &mut section).await?;
        }
        let staged = file.finish().await?;
        self.boundary.storage.publish(&staged).await?;
        let Staged { name: uri, rows, bytes, crc, .. } = staged;
        self.parts.push(Part { uri, rows, bytes, crc, note: Value::Null });
        Ok(())
    }
}
