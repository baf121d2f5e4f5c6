//! What lies in a system, which files a place means, and some rows of a table to look at: read, never written, within limits of their own.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use flowetl_proto::code::Class;
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::look::{FILES_LIMIT, FileState};
use flowetl_proto::pipeline::{ConnectionSpec, Reference};
use flowetl_proto::tables::{CELL_CHARS_MAX, CUT, SAMPLE_BYTES_MAX, SAMPLE_LIMIT, Sample, Table};
use futures::StreamExt;
use indexmap::IndexMap;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Rows, TEST_LIMIT};
use crate::config::NodeConfig;
use crate::connectors::systems::Systems;
use crate::connectors::{OpenContext, SourceRequest};
use crate::memory::Budget;
use crate::node::Surroundings;
use crate::plan::{self, Thrift};
use crate::{Error, Result};

/// How long all tables of a system may take to be told: a hundred thousand of them on a slow server.
const DISCOVER_LIMIT: Duration = Duration::from_secs(600);

/// What a connection to look at is called where it has no name.
const NAME: &str = "connection";

/// Tells all tables of a system into `pages`. One that nobody can sign in to is known after [`TEST_LIMIT`].
pub(super) async fn discover(
    name: &str,
    spec: &ConnectionSpec,
    config: &NodeConfig,
    pages: &Sender<Vec<Table>>,
) -> Result<()> {
    let systems = systems(name, spec, config);
    let late = |limit: Duration| {
        let text = format!("connection `{name}` did not answer within {} s", limit.as_secs());
        Error::new(Class::SourceTransient, text)
    };
    let system = systems.get(name).await?;
    timeout(TEST_LIMIT, system.version()).await.unwrap_or_else(|_| Err(late(TEST_LIMIT)))?;
    timeout(DISCOVER_LIMIT, system.discover(pages)).await.unwrap_or_else(|_| Err(late(DISCOVER_LIMIT)))
}

fn systems(name: &str, spec: &ConnectionSpec, config: &NodeConfig) -> Systems {
    let context = OpenContext {
        parallelism: 1,
        executors: 1,
        batch_rows: plan::BATCH_ROWS,
        batch_bytes: SAMPLE_BYTES_MAX,
        row_group_bytes: plan::BATCH_BYTES,
    };
    Systems::new(IndexMap::from([(name.to_owned(), spec.clone())]), config.secrets.clone(), context)
}

/// The first `count` rows of what `from` names: as many as there are, or as [`SAMPLE_LIMIT`] and [`SAMPLE_BYTES_MAX`] allow.
pub(super) async fn sample(
    spec: &ConnectionSpec,
    from: Reference,
    count: usize,
    config: NodeConfig,
    data: Handle,
) -> Result<Sample> {
    let until = Instant::now() + SAMPLE_LIMIT;
    let late = || {
        let text = format!("its first row did not come within {} s", SAMPLE_LIMIT.as_secs());
        Error::new(Class::SourceTransient, text)
    };
    let opened = async {
        let systems = systems(from.connection(), spec, &config);
        let system = systems.get(from.connection()).await?;
        let request = SourceRequest { block: BlockId::new(NAME), from, options: Value::Null, quarantine: None };
        let table = system.source(request).await?;
        let surroundings = Surroundings::new(config, data, None);
        let budget = Budget::new(None)?;
        let runtime = surroundings.runtime(&RunId::new(NAME), budget)?;
        let context = plan::session(1, budget.pool, Thrift::Usual, runtime);
        let rows = context.read_table(table)?.limit(0, Some(count))?;
        Ok::<_, Error>((system, rows.execute_stream().await?))
    };
    // Its sessions end with the system.
    let (_system, mut batches) = timeout_at(until, opened).await.unwrap_or_else(|_| Err(late()))?;
    let schema: SchemaRef = batches.schema();
    let mut sample = Sample { columns: columns(&schema), rows: Vec::new(), incomplete: false };
    let mut bytes = 0;
    loop {
        match timeout_at(until, batches.next()).await {
            Ok(None) => break,
            Ok(Some(batch)) => {
                if !push(&mut sample, &batch?, &mut bytes)? {
                    sample.incomplete = true;
                    break;
                }
            }
            Err(_) if sample.rows.is_empty() => return Err(late()),
            Err(_) => {
                sample.incomplete = true;
                break;
            }
        }
    }
    Ok(sample)
}

/// Rows as a [`Sample`] in JSON: as many as [`SAMPLE_BYTES_MAX`] allows.
pub(super) fn written(rows: &Rows) -> Result<Vec<u8>> {
    let mut sample = Sample { columns: columns(&rows.schema), rows: Vec::new(), incomplete: false };
    let mut bytes = 0;
    for batch in &rows.batches {
        if !push(&mut sample, batch, &mut bytes)? {
            sample.incomplete = true;
            break;
        }
    }
    serde_json::to_vec(&sample).map_err(|e| Error::internal("rows as JSON").because(e))
}

/// Name and type of each column.
fn columns(schema: &SchemaRef) -> Vec<(String, String)> {
    schema.fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect()
}

/// The files that `place` means now.
pub(super) async fn files(spec: &ConnectionSpec, place: &Reference, config: &NodeConfig) -> Result<Vec<FileState>> {
    let systems = systems(place.connection(), spec, config);
    let listing = async { systems.get(place.connection()).await?.files(place).await };
    timeout(FILES_LIMIT, listing).await.unwrap_or_else(|_| {
        let text = format!("`{place}` was not listed within {} s", FILES_LIMIT.as_secs());
        Err(Error::new(Class::SourceTransient, text))
    })
}

/// Adds the rows of a batch; says whether there is room for more.
fn push(sample: &mut Sample, batch: &RecordBatch, bytes: &mut usize) -> Result<bool> {
    let options = FormatOptions::default();
    let formats = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
    let formats = formats.collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let mut cells = Vec::with_capacity(formats.len());
        for (column, format) in batch.columns().iter().zip(&formats) {
            let text = (!column.is_null(row)).then(|| format.value(row).try_to_string()).transpose()?;
            let text = text.map(cut);
            *bytes += text.as_ref().map_or(0, String::len);
            cells.push(text);
        }
        if *bytes > SAMPLE_BYTES_MAX {
            return Ok(false);
        }
        sample.rows.push(cells);
    }
    Ok(true)
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(CELL_CHARS_MAX) {
        text.truncate(end);
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests;
