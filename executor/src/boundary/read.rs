//! A committed boundary as a table: exactly the rows of its manifest, or an error that names the part.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use flowetl_proto::control::{Manifest, Part};
use futures::{StreamExt, TryStreamExt, stream};

use crate::connectors::{ParquetFile, ParquetTable, Place, footer};
use crate::schema::schema_from_json;
use crate::storage::{Side, Storage};
use crate::{Error, Result};

/// Parts looked at side by side: hides round trips, bounds open connections.
const LOOKS_AT_ONCE: usize = 8;

/// The rows of a boundary. Every part's length and row count is checked now, in a local folder also its checksum: Parquet
/// itself would not notice a flipped bit. `parallelism` is how many partitions a scan has at most.
pub async fn read(storage: &Storage, manifest: &Manifest, parallelism: usize) -> Result<Arc<dyn TableProvider>> {
    let schema = Arc::new(schema_from_json(&manifest.schema)?);
    let parts = manifest.parts.clone();
    let looks =
        stream::iter(parts).map(|part| look(storage.clone(), part, Arc::clone(&schema))).buffered(LOOKS_AT_ONCE);
    let files = looks.try_collect().await?;
    Ok(Arc::new(ParquetTable::new(&Place::Boundaries, storage.clone(), files, schema, parallelism)?))
}

async fn look(storage: Storage, part: Part, schema: Arc<Schema>) -> Result<ParquetFile> {
    let label = storage.label(&part.uri);
    let damaged = |what: String| Error::internal(format!("boundary part `{label}` {what}"));
    let Some(file) = storage.look(&part.uri, Side::Read).await? else { return Err(damaged("is gone".into())) };
    if file.meta.size != part.bytes {
        return Err(damaged(format!("has {} bytes instead of {}", file.meta.size, part.bytes)));
    }
    // Cheap where the disk's cache still has it; over a network it would double the traffic.
    if storage.local_path(&part.uri).is_some() && storage.crc(&file, Side::Read).await? != part.crc {
        return Err(damaged("is damaged: its checksum is wrong".into()));
    }
    let (metadata, _) =
        footer(storage.clone(), file.clone()).await.map_err(|e| damaged("is damaged".into()).because(e))?;
    let rows = metadata.file_metadata().num_rows() as u64;
    if rows != part.rows {
        return Err(damaged(format!("has {rows} rows instead of {}", part.rows)));
    }
    let mut statistics = Statistics::new_unknown(&schema);
    statistics.num_rows = Precision::Exact(rows as usize);
    Ok(ParquetFile { file, statistics: Arc::new(statistics), folders: Vec::new() })
}
