//! The writers of one partition: into a shared file, or into files of its own.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use flowetl_proto::control::Part;
use flowetl_proto::id::BlockId;
use serde_json::Value;

use super::super::find::{NULL_FOLDER, encode};
use super::file::{FileWriter, OpenFile, Style};
use crate::connectors::SinkWriter;
use crate::parquet_write::Section;
use crate::storage::{Staged, Storage};
use crate::{Error, Result};

/// Files that one partition keeps open: each holds a row group in the making.
const OPEN_MAX: usize = 64;
/// Bytes held back over all open files of a partition; above it the largest is handed to its file.
const HELD_BYTES_MAX: usize = 24 << 20;

/// Rows into the one file that all partitions share.
pub struct SharedWriter {
    pub writer: FileWriter,
    pub name: String,
    pub block: BlockId,
}

#[async_trait]
impl SinkWriter for SharedWriter {
    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.writer.write(&batch).await.map_err(|e| e.in_block(&self.block))
    }

    async fn finish(mut self: Box<Self>) -> Result<Vec<Part>> {
        self.writer.flush().await.map_err(|e| e.in_block(&self.block))?;
        Ok(vec![part(&self.name, &self.writer.section)])
    }
}

fn part(name: &str, section: &Section) -> Part {
    let crc = section.crc.clone().finalize();
    Part { uri: name.to_owned(), rows: section.rows, bytes: section.bytes, crc, note: Value::Null }
}

/// Rows into files of the partition's own, one or more per value of the partition columns.
pub struct FolderWriter {
    pub storage: Storage,
    pub style: Style,
    pub block: BlockId,
    pub folder: String,
    pub staging: String,
    /// Unique to attempt and partition: `RUN-t7-0`.
    pub stem: String,
    /// Indices of the columns that become folders.
    pub by: Vec<usize>,
    pub file_bytes: Option<u64>,
    pub open: HashMap<String, Opened>,
    pub files: usize,
    pub clock: u64,
    pub parts: Vec<Part>,
}

pub struct Opened {
    writer: FileWriter,
    used: u64,
}

#[async_trait]
impl SinkWriter for FolderWriter {
    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let block = self.block.clone();
        self.spread(batch).await.map_err(|e| e.in_block(&block))
    }

    async fn finish(mut self: Box<Self>) -> Result<Vec<Part>> {
        let mut folders: Vec<String> = self.open.keys().cloned().collect();
        folders.sort();
        for folder in folders {
            self.close(&folder).await.map_err(|e| e.in_block(&self.block))?;
        }
        Ok(std::mem::take(&mut self.parts))
    }
}

impl FolderWriter {
    async fn spread(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.by.is_empty() {
            return self.put(String::new(), &batch).await;
        }
        let kept: Vec<usize> = (0..batch.num_columns()).filter(|at| !self.by.contains(at)).collect();
        let rows = batch.project(&kept)?;
        for (folder, indices) in self.folders_of(&batch)? {
            let rows = take_record_batch(&rows, &UInt32Array::from(indices))?;
            self.put(folder, &rows).await?;
        }
        Ok(())
    }

    /// The rows of each folder, folders in the order of their first row.
    fn folders_of(&self, batch: &RecordBatch) -> Result<Vec<(String, Vec<u32>)>> {
        let options = FormatOptions::default();
        let mut columns = Vec::with_capacity(self.by.len());
        for &at in &self.by {
            let array = batch.column(at);
            let name = encode(batch.schema_ref().field(at).name());
            columns.push((name, array, ArrayFormatter::try_new(array, &options)?));
        }
        let mut order: HashMap<String, usize> = HashMap::new();
        let mut folders: Vec<(String, Vec<u32>)> = Vec::new();
        for row in 0..batch.num_rows() {
            let parts = columns.iter().map(|(name, array, format)| match array.is_null(row) {
                true => format!("{name}={NULL_FOLDER}/"),
                false => format!("{name}={}/", encode(&format.value(row).to_string())),
            });
            let folder: String = parts.collect();
            let at = *order.entry(folder).or_insert_with_key(|folder| {
                folders.push((folder.clone(), Vec::new()));
                folders.len() - 1
            });
            folders[at].1.push(row as u32);
        }
        Ok(folders)
    }

    async fn put(&mut self, folder: String, rows: &RecordBatch) -> Result<()> {
        if !self.open.contains_key(&folder) {
            self.make_room().await?;
            let writer = self.create(&folder).await?;
            self.open.insert(folder.clone(), Opened { writer, used: 0 });
        }
        self.clock += 1;
        let Some(opened) = self.open.get_mut(&folder) else { return Err(Error::internal("a file vanished")) };
        opened.used = self.clock;
        opened.writer.write(rows).await?;
        let size = opened.writer.section.bytes + opened.writer.bytes() as u64;
        if self.file_bytes.is_some_and(|most| size >= most) {
            self.close(&folder).await?;
        }
        let held: usize = self.open.values().map(|o| o.writer.bytes()).sum();
        if held > HELD_BYTES_MAX
            && let Some(largest) = self.open.values_mut().max_by_key(|o| o.writer.bytes())
        {
            largest.writer.flush().await?;
        }
        Ok(())
    }

    async fn make_room(&mut self) -> Result<()> {
        if self.open.len() < OPEN_MAX {
            return Ok(());
        }
        let idle = self.open.iter().min_by_key(|(_, opened)| opened.used).map(|(folder, _)| folder.clone());
        match idle {
            Some(folder) => self.close(&folder).await,
            None => Ok(()),
        }
    }

    async fn create(&mut self, folder: &str) -> Result<FileWriter> {
        let (stem, n) = (&self.stem, self.files);
        let ending = format!("{}{}", self.style.format.ending(), self.style.compression.ending());
        let name = super::super::manifest::join(&self.folder, &format!("{folder}{stem}-{n}.{ending}"));
        self.files += 1;
        let output = self.storage.create(&name, &format!("{}/{stem}-{n}", self.staging)).await?;
        Ok(Arc::new(OpenFile::new(&self.style, output)?).writer())
    }

    async fn close(&mut self, folder: &str) -> Result<()> {
        let Some(Opened { mut writer, .. }) = self.open.remove(folder) else { return Ok(()) };
        writer.flush().await?;
        let staged = writer.into_file().finish().await?;
        let note = serde_json::to_value(&staged).map_err(|e| Error::internal("cannot note a file").because(e))?;
        let Staged { name: uri, rows, bytes, crc, .. } = staged;
        self.parts.push(Part { uri, rows, bytes, crc, note });
        Ok(())
    }
}
