//! A scan of text files shared out among executors: each reads some of the files.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::DateTime;
use datafusion::common::ScalarValue;
use datafusion::physical_plan::ExecutionPlan;
use object_store::ObjectMeta;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::format::{Compression, Dialect, Format};
use super::text::{Reading, TextFile, TextScan, TextTable, What};
use crate::connectors::Shared;
use crate::schema::{schema_from_json, schema_to_json};
use crate::storage::{Storage, Stored};
use crate::{Error, Result};

/// A scan on its way to another executor, which opens the connection by itself.
#[derive(Serialize, Deserialize)]
struct Share {
    connection: String,
    format: Format,
    dialect: Dialect,
    files: Vec<File>,
    /// The columns that are read.
    schema: Value,
    shown: String,
    guessed_from: usize,
    partitions: usize,
    batch_rows: usize,
}

#[derive(Serialize, Deserialize)]
struct File {
    name: String,
    location: String,
    size: u64,
    /// Of the file as it was listed, where the store knows such.
    e_tag: Option<String>,
    version: Option<String>,
    /// Milliseconds since 1970.
    modified: i64,
    compression: Compression,
    schema: Value,
    /// The columns that its folders name, with their types and texts.
    folders: Value,
    values: Vec<Option<String>>,
}

/// The scan, where other executors can read some of its files: rows that cannot be read go where the attempt is led, and a
/// limit is for all files together.
pub(in crate::connectors) fn shared(node: &Arc<dyn ExecutionPlan>) -> Option<&dyn Shared> {
    let scan = node.downcast_ref::<TextScan>()?;
    (scan.what.quarantine.is_none() && scan.what.limit.is_none()).then_some(scan as _)
}

impl Shared for TextScan {
    fn connection(&self) -> &str {
        &self.what.connection
    }

    fn bytes(&self) -> u64 {
        // One file is cut where it is read.
        if self.what.files.len() < 2 {
            return 0;
        }
        self.what.files.iter().map(|reading| reading.file.file.meta.size).sum()
    }

    fn split(&self, shares: usize) -> Vec<Arc<dyn ExecutionPlan>> {
        let mut largest_first: Vec<&Reading> = self.what.files.iter().collect();
        largest_first.sort_by_key(|reading| std::cmp::Reverse(reading.file.file.meta.size));
        let mut piles = vec![(0, Vec::new()); shares];
        for reading in largest_first {
            if let Some((bytes, files)) = piles.iter_mut().min_by_key(|(bytes, _)| *bytes) {
                *bytes += reading.file.file.meta.size;
                files.push(reading.clone());
            }
        }
        let partitions = self.properties().partitioning.partition_count();
        let share = |(_, files): (u64, Vec<Reading>)| {
            let what = What { files: files.into(), ..What::clone(&self.what) };
            let rows = self.rows / shares;
            Arc::new(Self::new(what, self.schema(), self.shown.clone(), rows, partitions)) as _
        };
        piles.into_iter().map(share).collect()
    }

    fn write(&self) -> Result<Value> {
        let what = &self.what;
        let share = Share {
            connection: what.connection.clone(),
            format: what.format,
            dialect: what.dialect.clone(),
            files: what.files.iter().map(|reading| written(&reading.file)).collect::<Result<_>>()?,
            schema: schema_to_json(&self.schema()),
            shown: self.shown.clone(),
            guessed_from: what.guessed_from,
            partitions: self.properties().partitioning.partition_count(),
            batch_rows: what.batch_rows,
        };
        serde_json::to_value(share).map_err(|e| Error::internal("a share cannot be written").because(e))
    }
}

fn written(file: &TextFile) -> Result<File> {
    let meta = &file.file.meta;
    let fields = file.folders.iter().map(|(name, value)| Field::new(name, value.data_type(), true));
    let folders = Schema::new(fields.collect::<Vec<_>>());
    let text = |value: &ScalarValue| match value.cast_to(&DataType::Utf8)? {
        ScalarValue::Utf8(text) => Ok(text),
        other => Err(Error::internal(format!("the name of a folder is {other}"))),
    };
    Ok(File {
        name: file.file.name.clone(),
        location: meta.location.to_string(),
        size: meta.size,
        e_tag: meta.e_tag.clone(),
        version: meta.version.clone(),
        modified: meta.last_modified.timestamp_millis(),
        compression: file.compression,
        schema: schema_to_json(&file.schema),
        folders: schema_to_json(&folders),
        values: file.folders.iter().map(|(_, value)| text(value)).collect::<Result<_>>()?,
    })
}

/// The scan that another executor wrote.
pub(super) fn read(storage: &Storage, written: Value) -> Result<Arc<dyn ExecutionPlan>> {
    let share: Share =
        serde_json::from_value(written).map_err(|e| Error::internal("a share cannot be read").because(e))?;
    let schema: SchemaRef = Arc::new(schema_from_json(&share.schema)?);
    let table = TextTable {
        connection: share.connection,
        storage: storage.clone(),
        format: share.format,
        dialect: share.dialect,
        files: share.files.into_iter().map(file).collect::<Result<_>>()?,
        schema: Arc::clone(&schema),
        columns: share.shown,
        quarantine: None,
        guessed_from: share.guessed_from,
        rows: 0,
        parallelism: share.partitions,
        batch_rows: share.batch_rows,
    };
    Ok(Arc::new(table.reader(&schema, None)?))
}

fn file(file: File) -> Result<TextFile> {
    let wrong = |what: &str| Error::internal(format!("a file of a share has no usable {what}"));
    let meta = ObjectMeta {
        location: Path::parse(&file.location).map_err(|e| wrong("place").because(e))?,
        last_modified: DateTime::from_timestamp_millis(file.modified).ok_or_else(|| wrong("time"))?,
        size: file.size,
        e_tag: file.e_tag,
        version: file.version,
    };
    let folders = schema_from_json(&file.folders)?;
    let values = folders.fields().iter().zip(file.values).map(|(field, text)| {
        let value = match text {
            None => ScalarValue::try_from(field.data_type()),
            Some(text) => ScalarValue::try_from_string(text, field.data_type()),
        };
        Ok((field.name().clone(), value?))
    });
    Ok(TextFile {
        file: Stored { name: file.name, meta },
        compression: file.compression,
        schema: Arc::new(schema_from_json(&file.schema)?),
        folders: values.collect::<Result<_>>()?,
    })
}
