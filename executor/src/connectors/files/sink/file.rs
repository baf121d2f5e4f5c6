//! One file in the making, and a partition's hand in it: the same for Parquet and for text.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder as JsonBuilder};
use tokio::sync::Mutex;

use super::super::format::{Compression, Dialect, Format};
use crate::parquet_write::{Encoder, ParquetFile, Section};
use crate::storage::{Output, Staged};
use crate::{Error, Result};

/// Text is handed to the file in pieces of about this size; each is a member of its own when compressed.
const PIECE_BYTES: usize = 1 << 20;
/// Fast and nearly as small as the default.
const GZIP_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 1;

/// How rows become bytes.
#[derive(Clone, Debug)]
pub struct Style {
    pub format: Format,
    pub compression: Compression,
    pub dialect: Dialect,
    pub schema: SchemaRef,
    /// Of Parquet, encoded.
    pub row_group_bytes: usize,
}

/// A file that several partitions write.
#[derive(Debug)]
pub enum OpenFile {
    Parquet(ParquetFile),
    Text(TextFile),
}

#[derive(Debug)]
pub struct TextFile {
    style: Style,
    file: Arc<Mutex<Written>>,
}

#[derive(Debug)]
struct Written {
    output: Output,
    rows: u64,
}

/// One partition's rows on their way into a file.
pub struct FileWriter {
    file: Arc<OpenFile>,
    hand: Hand,
    pub section: Section,
}

enum Hand {
    Parquet(Encoder),
    Text { bytes: Vec<u8>, rows: u64 },
}

impl OpenFile {
    pub fn new(style: &Style, mut output: Output) -> Result<Self> {
        if style.format == Format::Parquet {
            return Ok(Self::Parquet(ParquetFile::new(output, Arc::clone(&style.schema), style.row_group_bytes)?));
        }
        let head = style.head().map_err(refused)?;
        if !head.is_empty() {
            output.write_all(&style.compress(&head)?).map_err(failed)?;
        }
        let file = Arc::new(Mutex::new(Written { output, rows: 0 }));
        Ok(Self::Text(TextFile { style: style.clone(), file }))
    }

    pub fn writer(self: &Arc<Self>) -> FileWriter {
        let hand = match &**self {
            Self::Parquet(file) => Hand::Parquet(file.encoder()),
            Self::Text(_) => Hand::Text { bytes: Vec::new(), rows: 0 },
        };
        FileWriter { file: Arc::clone(self), hand, section: Section::default() }
    }

    /// Ends the file; all writers must be done.
    pub async fn finish(self: Arc<Self>) -> Result<Staged> {
        let file = Arc::into_inner(self).ok_or_else(|| Error::internal("a file was closed while written"))?;
        match file {
            Self::Parquet(file) => file.finish().await,
            Self::Text(TextFile { style, file }) => {
                let file = Arc::into_inner(file).ok_or_else(|| Error::internal("a file was closed while written"))?;
                let Written { mut output, rows } = file.into_inner();
                if style.format == Format::Json {
                    output.write_all(&style.compress(b"\n]\n")?).map_err(failed)?;
                }
                output.finish(rows).await
            }
        }
    }
}

impl FileWriter {
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match (&*self.file, &mut self.hand) {
            (OpenFile::Parquet(file), Hand::Parquet(encoder)) => {
                if let Some(group) = encoder.write(batch)? {
                    file.append(group, &mut self.section).await?;
                }
            }
            (OpenFile::Text(file), Hand::Text { bytes, rows }) => {
                file.style.encode(batch, bytes).map_err(refused)?;
                *rows += batch.num_rows() as u64;
                if bytes.len() >= PIECE_BYTES {
                    file.append(bytes, rows, &mut self.section).await?;
                }
            }
            _ => return Err(Error::internal("a writer met a file of another format")),
        }
        Ok(())
    }

    /// Hands everything held back to the file.
    pub async fn flush(&mut self) -> Result<()> {
        match (&*self.file, &mut self.hand) {
            (OpenFile::Parquet(file), Hand::Parquet(encoder)) => match encoder.take()? {
                Some(group) => file.append(group, &mut self.section).await,
                None => Ok(()),
            },
            (OpenFile::Text(file), Hand::Text { bytes, rows }) => file.append(bytes, rows, &mut self.section).await,
            _ => Err(Error::internal("a writer met a file of another format")),
        }
    }

    /// Bytes held back.
    pub fn bytes(&self) -> usize {
        match &self.hand {
            Hand::Parquet(encoder) => encoder.bytes(),
            Hand::Text { bytes, .. } => bytes.len(),
        }
    }

    /// The file, once everything was flushed.
    pub fn into_file(self) -> Arc<OpenFile> {
        self.file
    }
}

impl TextFile {
    async fn append(&self, bytes: &mut Vec<u8>, rows: &mut u64, section: &mut Section) -> Result<()> {
        if *rows == 0 {
            return Ok(());
        }
        let piece = self.style.compress(bytes)?;
        let mut file = Arc::clone(&self.file).lock_owned().await;
        let between =
            if self.style.format == Format::Json && file.rows > 0 { self.style.compress(b",\n")? } else { Vec::new() };
        let before = file.output.bytes();
        // Writing to a disk may block.
        let work = move || {
            file.output.write_all(&between)?;
            file.output.write_all(&piece)?;
            Ok(file)
        };
        let written = tokio::task::spawn_blocking(work).await;
        let mut file = written.map_err(|e| Error::internal("a write broke off").because(e))?.map_err(failed)?;
        section.rows += *rows;
        section.bytes += file.output.bytes() - before;
        section.crc.combine(&file.output.take_section());
        file.rows += std::mem::take(rows);
        bytes.clear();
        file.output.settle().await
    }
}

impl Style {
    /// What stands before the first row.
    fn head(&self) -> Result<Vec<u8>, ArrowError> {
        let mut head = Vec::new();
        match self.format {
            Format::Csv if self.dialect.header => {
                let csv = CsvBuilder::new().with_header(true).with_delimiter(self.dialect.delimiter);
                csv.build(&mut head).write(&RecordBatch::new_empty(Arc::clone(&self.schema)))?;
            }
            Format::Json => head.extend_from_slice(b"[\n"),
            _ => {}
        }
        Ok(head)
    }

    /// Appends a batch's rows as text.
    fn encode(&self, batch: &RecordBatch, bytes: &mut Vec<u8>) -> Result<(), ArrowError> {
        let json = JsonBuilder::new().with_explicit_nulls(true);
        match self.format {
            _ if batch.num_rows() == 0 => Ok(()),
            Format::Csv => {
                let csv = CsvBuilder::new().with_header(false).with_delimiter(self.dialect.delimiter);
                csv.build(bytes).write(batch)
            }
            Format::Json => {
                let mut writer = json.build::<_, JsonArray>(Vec::new());
                writer.write(batch)?;
                writer.finish()?;
                let array = writer.into_inner();
                if !bytes.is_empty() {
                    bytes.extend_from_slice(b",\n");
                }
                bytes.extend_from_slice(&array[1..array.len() - 1]);
                Ok(())
            }
            Format::Ndjson | Format::Parquet => json.build::<_, LineDelimited>(bytes).write(batch),
        }
    }

    fn compress(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        match self.compression {
            Compression::None => Ok(bytes.to_vec()),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
                encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(failed)
            }
            Compression::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL).map_err(failed),
        }
    }
}

fn refused(error: ArrowError) -> Error {
    Error::user("these rows cannot be written as text").because(error)
}

fn failed(error: std::io::Error) -> Error {
    crate::storage::write_error(error)
}
