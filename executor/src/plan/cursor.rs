//! Incremental reading, the same for every connector: a window over a table's cursor column, and its new position.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::functions_aggregate::min_max::MaxAccumulator;
use datafusion::logical_expr::{Accumulator, Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use flowetl_proto::control::Position;
use futures::{Stream, StreamExt};

/// The greatest cursor value that has passed, and whether every partition was read to its end.
#[derive(Debug, Default)]
pub(crate) struct HighWater {
    state: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    greatest: Option<ScalarValue>,
    /// Partitions of begun scans that are not finished: a stream dropped early, or never made, stays here, and the
    /// position does not move.
    open: usize,
    finished: usize,
}

impl HighWater {
    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, partitions: usize) {
        self.lock().open += partitions;
    }

    fn finish(&self, greatest: ScalarValue) {
        let mut seen = self.lock();
        seen.open -= 1;
        seen.finished += 1;
        if !greatest.is_null() {
            let higher = match &seen.greatest {
                Some(before) => before.partial_cmp(&greatest) == Some(std::cmp::Ordering::Less),
                None => true,
            };
            if higher {
                seen.greatest = Some(greatest);
            }
        }
    }

    /// The next run's start, or `None` where nothing new came or a stream was not read to its end (a limit above it):
    /// the old position then stays.
    pub(crate) fn position(&self, column: &str) -> Result<Option<Position>> {
        let seen = self.lock();
        match &seen.greatest {
            Some(value) if seen.open == 0 && seen.finished > 0 => {
                let text = value.cast_to(&arrow::datatypes::DataType::Utf8)?;
                let ScalarValue::Utf8(Some(text)) = text else {
                    return internal_err!("a cursor value of type {} has no text", value.data_type());
                };
                Ok(Some(Position { column: column.to_owned(), data_type: value.data_type().to_string(), value: text }))
            }
            _ => Ok(None),
        }
    }
}

/// A table of which only the rows from `window` on are read, and whose greatest cursor value is kept.
#[derive(Debug)]
pub(crate) struct CursorTable {
    pub(crate) inner: Arc<dyn TableProvider>,
    /// Index of the cursor column in the inner schema.
    pub(crate) cursor: usize,
    /// The condition that opens the window; `None` reads everything.
    pub(crate) window: Option<Expr>,
    pub(crate) high_water: Arc<HighWater>,
}

#[async_trait]
impl TableProvider for CursorTable {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        self.inner.table_type()
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.inner.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let width = self.inner.schema().fields().len();
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..width).collect());
        let mut read = wanted.clone();
        let cursor = read.iter().position(|c| *c == self.cursor).unwrap_or_else(|| {
            read.push(self.cursor);
            read.len() - 1
        });
        let mut filters = filters.to_vec();
        let mut remaining = None;
        if let Some(window) = &self.window {
            filters.push(window.clone());
            if self.inner.supports_filters_pushdown(&[window])? != [TableProviderFilterPushDown::Exact] {
                remaining = Some(window.clone());
            }
        }
        // No limit goes down: the position may only move past rows that were all read.
        let mut input = self.inner.scan(state, Some(&read), &filters, None).await?;
        if let Some(window) = remaining {
            let schema = DFSchema::try_from(input.schema().as_ref().clone())?;
            input = Arc::new(FilterExec::try_new(state.create_physical_expr(window, &schema)?, input)?);
        }
        Ok(Arc::new(CursorExec::new(input, cursor, wanted.len(), Arc::clone(&self.high_water))))
    }
}

/// Keeps the greatest value of a column, and drops the column when only the cursor asked for it.
#[derive(Debug)]
pub(super) struct CursorExec {
    input: Arc<dyn ExecutionPlan>,
    /// Index in the input.
    cursor: usize,
    /// How many leading columns go on.
    width: usize,
    high_water: Arc<HighWater>,
    /// Whether any partition was asked for.
    begun: AtomicBool,
    properties: Arc<PlanProperties>,
}

impl CursorExec {
    fn new(input: Arc<dyn ExecutionPlan>, cursor: usize, width: usize, high_water: Arc<HighWater>) -> Self {
        let schema = input.schema();
        let kept = Arc::new(arrow::datatypes::Schema::new_with_metadata(
            schema.fields()[..width].to_vec(),
            schema.metadata().clone(),
        ));
        let properties = PlanProperties::clone(input.properties())
            .with_partitioning(datafusion::physical_plan::Partitioning::UnknownPartitioning(
                input.output_partitioning().partition_count(),
            ))
            .with_eq_properties(EquivalenceProperties::new(kept));
        Self { input, cursor, width, high_water, begun: AtomicBool::new(false), properties: Arc::new(properties) }
    }
}

impl DisplayAs for CursorExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor: {}", self.input.schema().field(self.cursor).name())
    }
}

impl ExecutionPlan for CursorExec {
    fn name(&self) -> &str {
        "Cursor"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => {
                Ok(Arc::new(Self::new(input, self.cursor, self.width, Arc::clone(&self.high_water))))
            }
            _ => internal_err!("a cursor has one input"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let greatest = MaxAccumulator::try_new(self.input.schema().field(self.cursor).data_type())?;
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.high_water.begin(self.input.output_partitioning().partition_count());
        }
        Ok(Box::pin(CursorStream {
            input,
            schema: self.schema(),
            cursor: self.cursor,
            greatest,
            high_water: Arc::clone(&self.high_water),
            finished: false,
        }))
    }
}

struct CursorStream {
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    cursor: usize,
    greatest: MaxAccumulator,
    high_water: Arc<HighWater>,
    finished: bool,
}

impl CursorStream {
    fn see(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        self.greatest.update_batch(&[Arc::clone(batch.column(self.cursor))])?;
        let columns = batch.columns()[..self.schema.fields().len()].to_vec();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl Stream for CursorStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.input.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(batch))) => Poll::Ready(Some(self.see(&batch))),
            Poll::Ready(None) if !self.finished => {
                self.finished = true;
                let done = self.greatest.evaluate().map(|value| self.high_water.finish(value));
                Poll::Ready(done.err().map(Err))
            }
            other => other,
        }
    }
}

impl RecordBatchStream for CursorStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

#[cfg(test)]
mod tests;
