//! Writes Parquet: row groups encoded in parallel, appended to one file one after the other.
//!
//! Encoding is where the time goes, so each partition has its own [`Encoder`] and needs the file only for the moment
//! in which a finished row group is appended. Waiting for that moment is the back-pressure: a partition holds at most
//! one row group in the making and one in the hand.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use crc32fast::Hasher;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use tokio::sync::Mutex;

use crate::storage::{Output, Staged, write_error};
use crate::{Error, Result};

/// Rows per row group at most: readers work by row groups, and every open one costs memory here.
const GROUP_ROWS_MAX: usize = 131_072;
/// A dictionary beyond this is given up: columns with few values stay far below it, others only lose time.
const DICTIONARY_BYTES_MAX: usize = 256 << 10;
/// Pages of this size compress well and keep readers' buffers small.
const PAGE_BYTES: usize = 256 << 10;

/// One Parquet file that several partitions write.
#[derive(Debug)]
pub struct ParquetFile {
    factory: Arc<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
    group_bytes: usize,
    file: Arc<Mutex<Appender>>,
}

#[derive(Debug)]
struct Appender {
    writer: SerializedFileWriter<Output>,
    rows: u64,
}

/// What one partition gave to a file.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub rows: u64,
    pub bytes: u64,
    pub crc: Hasher,
}

impl ParquetFile {
    /// Begins a file; the Arrow schema is embedded. A row group has at most about `group_bytes`, encoded.
    pub fn new(output: Output, schema: SchemaRef, group_bytes: usize) -> Result<Self> {
        let writer = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties()?)).map_err(refused)?;
        let (writer, factory) = writer.into_serialized_writer().map_err(refused)?;
        let file = Arc::new(Mutex::new(Appender { writer, rows: 0 }));
        Ok(Self { factory: Arc::new(factory), schema, group_bytes, file })
    }

    /// Appends a row group; `section` grows by it.
    pub async fn append(&self, group: RowGroup, section: &mut Section) -> Result<()> {
        let mut file = Arc::clone(&self.file).lock_owned().await;
        let rows = group.rows;
        // Writing to a disk may block.
        let work = move || file.append(group).map(|(bytes, crc)| (file, bytes, crc));
        let (mut file, bytes, crc) = tokio::task::spawn_blocking(work)
            .await
            .map_err(|e| Error::internal("a Parquet write broke off").because(e))??;
        section.rows += rows;
        section.bytes += bytes;
        section.crc.combine(&crc);
        file.writer.inner_mut().settle().await
    }

    /// Writes the footer and makes the private file durable. All encoders must be done.
    pub async fn finish(self) -> Result<Staged> {
        let file =
            Arc::into_inner(self.file).ok_or_else(|| Error::internal("a Parquet file was closed while written"))?;
        let Appender { writer, rows } = file.into_inner();
        writer.into_inner().map_err(failed)?.finish(rows).await
    }

    /// The encoder of one partition.
    pub fn encoder(&self) -> Encoder {
        let (factory, schema) = (Arc::clone(&self.factory), Arc::clone(&self.schema));
        Encoder { factory, schema, group_bytes: self.group_bytes, columns: Vec::new(), rows: 0 }
    }
}

impl Appender {
    /// Writes a row group; gives its bytes and their checksum.
    fn append(&mut self, group: RowGroup) -> Result<(u64, Hasher)> {
        let before = self.writer.inner_mut().bytes();
        let mut into = self.writer.next_row_group().map_err(failed)?;
        for chunk in group.chunks {
            chunk.append_to_row_group(&mut into).map_err(failed)?;
        }
        into.close().map_err(failed)?;
        self.writer.flush().map_err(|e| failed(e.into()))?;
        self.rows += group.rows;
        let output = self.writer.inner_mut();
        let crc = output.take_section();
        Ok((output.bytes() - before, crc))
    }
}

/// A row group, encoded and not yet in a file.
#[derive(Debug)]
pub struct RowGroup {
    chunks: Vec<ArrowColumnChunk>,
    rows: u64,
}

/// Turns batches into row groups.
#[derive(Debug)]
pub struct Encoder {
    factory: Arc<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
    group_bytes: usize,
    /// Empty between row groups.
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
}

impl Encoder {
    /// Encodes a batch; gives the row group that it filled, if it did.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<Option<RowGroup>> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        if self.columns.is_empty() {
            self.columns = self.factory.create_column_writers(0).map_err(failed)?;
        }
        let mut leaves = self.columns.iter_mut();
        for (field, column) in self.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, column).map_err(failed)? {
                let writer = leaves.next().ok_or_else(|| Error::internal("a batch has more columns than its file"))?;
                writer.write(&leaf).map_err(failed)?;
            }
        }
        self.rows += batch.num_rows();
        if self.rows >= GROUP_ROWS_MAX || self.bytes() >= self.group_bytes { self.take() } else { Ok(None) }
    }

    /// The row group in the making, if it has rows.
    pub fn take(&mut self) -> Result<Option<RowGroup>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let rows = std::mem::take(&mut self.rows) as u64;
        let mut chunks = Vec::with_capacity(self.columns.len());
        for column in std::mem::take(&mut self.columns) {
            chunks.push(column.close().map_err(failed)?);
        }
        Ok(Some(RowGroup { chunks, rows }))
    }

    /// Bytes held for the row group in the making.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(ArrowColumnWriter::memory_size).sum()
    }
}

/// Chosen for the writer's CPU: chunk statistics prune whole row groups, page indexes and bloom filters are not worth
/// their time in files that are mostly read once and whole.
fn properties() -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(1).map_err(failed)?;
    Ok(WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(concat!("flowetl ", env!("CARGO_PKG_VERSION")).into())
        .build())
}

/// A schema that Parquet has no words for.
fn refused(error: ParquetError) -> Error {
    Error::user("these columns cannot be written as Parquet").because(error)
}

fn failed(error: ParquetError) -> Error {
    if let ParquetError::External(inner) = error {
        return match inner.downcast::<std::io::Error>() {
            Ok(io) => write_error(*io),
            Err(other) => Error::internal("cannot write Parquet").because(other),
        };
    }
    Error::internal("cannot write Parquet").because(error)
}
