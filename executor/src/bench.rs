//! The engine's inside as `benches` measures it: COPY's codecs, scans below markers, boundaries, rows between executors. Behind the feature
//! `bench`, and no part of the interface.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use flowetl_proto::control::{AttemptId, Manifest};
use flowetl_proto::id::RunId;
use futures::TryStreamExt;

use crate::boundary::{self, BoundarySink};
pub use crate::connectors::Copy;
use crate::connectors::{OpenContext, Sink};
use crate::memory::Budget;
use crate::plan::{self, Thrift};
pub use crate::remote::bench::{Exchange, Offer, messages};
use crate::storage::Storage;
use crate::{Error, Result};

/// Memory for the sorts and joins of what is measured, which has none.
const POOL_BYTES: usize = 64 << 20;
/// One stream: what is measured is the work, not how it is spread.
const PARALLELISM: usize = 1;

/// A table being read from its begin to its end in one stream.
#[derive(Debug)]
pub struct Scan {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
}

impl Scan {
    /// Every row and column, through so many blocks that only pass them on.
    pub async fn new(table: Arc<dyn TableProvider>, blocks: usize) -> Result<Self> {
        let session = plan::session(PARALLELISM, POOL_BYTES, Thrift::Usual, Arc::default());
        let marked = plan::marked(table, blocks)?;
        let plan = session.state().create_physical_plan(&marked).await?;
        Ok(Self { plan, context: session.task_ctx() })
    }

    /// Reads all and gives the number of rows.
    pub async fn drain(&self) -> Result<usize> {
        let mut batches = execute_stream(Arc::clone(&self.plan), Arc::clone(&self.context))?;
        let mut rows = 0;
        while let Some(batch) = batches.try_next().await? {
            rows += batch.num_rows();
        }
        Ok(rows)
    }
}

/// Writes a boundary with one writer.
pub async fn write_boundary(storage: &Storage, attempt: &AttemptId, batches: &[RecordBatch]) -> Result<Manifest> {
    let first = batches.first().ok_or_else(|| Error::internal("a boundary without rows is not measured"))?;
    let row_group_bytes = Budget::new(None)?.row_group_bytes(PARALLELISM);
    let context = OpenContext {
        parallelism: PARALLELISM,
        executors: 1,
        batch_rows: plan::BATCH_ROWS,
        batch_bytes: plan::BATCH_BYTES,
        row_group_bytes,
    };
    let sink = BoundarySink::new(storage, attempt, first.schema(), &context);
    let mut writer = sink.writer(0).await?;
    for batch in batches {
        writer.write(batch.clone()).await?;
    }
    Ok(boundary::manifest(&first.schema(), writer.finish().await?))
}

/// Opens a boundary, checks it as every reader does, reads it and gives the number of rows.
pub async fn read_boundary(storage: &Storage, manifest: &Manifest) -> Result<usize> {
    let table = boundary::read(storage, manifest, PARALLELISM).await?;
    Scan::new(table, 0).await?.drain().await
}

/// Removes every boundary of a run.
pub async fn forget_boundaries(storage: &Storage, run: &RunId) -> Result<()> {
    boundary::forget(storage, run).await
}
