//! The top of a plan whose rows are written: each partition goes to a writer of its own, and what that made comes out.
//!
//! So writers run wherever the plan below them does, also on several executors, and only what they made travels. Delta's
//! and Iceberg's committers in Sail have the same shape.

use std::fmt;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PhysicalExpr, PlanProperties,
};
use datafusion_distributed::{DistributedTaskContext, NetworkBoundaryExt};
use flowetl_proto::control::{Activity, Part};
use flowetl_proto::id::BlockId;
use futures::{TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::connectors::Sink;
use crate::meter::{BlockMeter, Shift};
use crate::{Error, Result};

/// What one writer made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// Among those of all executors.
    pub(crate) partition: usize,
    /// Rows handed to the writer; its parts must add up to as many.
    pub(crate) rows: u64,
    pub(crate) parts: Vec<Part>,
}

/// Where rows are written to.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    pub(crate) sink: Arc<dyn Sink>,
    /// The block that writes.
    pub(crate) root: BlockId,
    /// Of what the writers do.
    pub(crate) meter: Arc<BlockMeter>,
    /// Whether that is the block's own; the rows of a boundary's root are counted by its marker.
    pub(crate) counts: bool,
}

/// Writes the rows of its input; gives one row of [`Written`] for each partition.
#[derive(Debug)]
pub(crate) struct WriteExec {
    writing: Writing,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl WriteExec {
    pub(crate) fn new(writing: Writing, input: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(report()),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { writing, input, properties: Arc::new(properties) }
    }

    pub(crate) fn writing(&self) -> &Writing {
        &self.writing
    }

    fn writers(&self) -> usize {
        self.input.output_partitioning().partition_count()
    }
}

/// Writers of a plan, on all executors.
pub(crate) fn writers(plan: &Arc<dyn ExecutionPlan>) -> usize {
    fn below(plan: &Arc<dyn ExecutionPlan>, tasks: usize) -> usize {
        if let Some(write) = plan.downcast_ref::<WriteExec>() {
            return tasks * write.writers();
        }
        let tasks = plan.as_network_boundary().map_or(tasks, |boundary| boundary.input_stage().task_count());
        plan.children().into_iter().map(|child| below(child, tasks)).sum()
    }
    below(plan, 1)
}

/// What the rows of a [`WriteExec`] say.
pub(crate) fn made(batch: &RecordBatch) -> Result<Vec<Written>> {
    let column = batch.column(0).as_string_opt::<i32>();
    let column = column.ok_or_else(|| Error::internal("a writer told nothing of what it made"))?;
    let read =
        |text: &str| serde_json::from_str(text).map_err(|e| Error::internal("a writer is not understood").because(e));
    column.iter().flatten().map(read).collect()
}

/// The columns of what writers tell.
fn report() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("written", DataType::Utf8, false)]))
}

async fn write(writing: Writing, partition: usize, mut rows: SendableRecordBatchStream) -> Result<RecordBatch> {
    let Writing { sink, root, meter, .. } = writing;
    let mut shift = Shift::begin(Arc::clone(&meter));
    shift.turn(Activity::Writing);
    let mut writer = sink.writer(partition).await.map_err(|e| e.in_block(&root))?;
    let mut written = Written { partition, ..Written::default() };
    loop {
        shift.turn(Activity::Waiting);
        let Some(batch) = rows.try_next().await? else { break };
        if batch.num_rows() == 0 {
            continue;
        }
        shift.turn(Activity::Writing);
        let (count, bytes) = (batch.num_rows() as u64, batch.get_array_memory_size() as u64);
        writer.write(batch).await.map_err(|e| e.in_block(&root))?;
        written.rows += count;
        meter.add_rows(count, bytes);
    }
    shift.turn(Activity::Finishing);
    written.parts = writer.finish().await.map_err(|e| e.in_block(&root))?;
    let text =
        serde_json::to_string(&written).map_err(|e| Error::internal("a writer cannot tell what it made").because(e))?;
    Ok(RecordBatch::try_new(report(), vec![Arc::new(StringArray::from_iter_values([text]))])?)
}

impl DisplayAs for WriteExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteExec: {}", self.writing.sink.describe())
    }
}

impl ExecutionPlan for WriteExec {
    fn name(&self) -> &str {
        "WriteExec"
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
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(self.writing.clone(), input))),
            _ => internal_err!("what is written is one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let task = DistributedTaskContext::from_ctx(&context).task_index;
        let rows = self.input.execute(partition, context)?;
        let writing = write(self.writing.clone(), task * self.writers() + partition, rows);
        let made = stream::once(async move { writing.await.map_err(DataFusionError::from) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), made)))
    }
}

/// Another planner, with the rows of its plans written.
#[derive(Debug)]
pub(super) struct WritingPlanner<P> {
    pub(super) planner: P,
    pub(super) writing: Writing,
}

#[async_trait]
impl<P: QueryPlanner + Send + Sync> QueryPlanner for WritingPlanner<P> {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let rows = self.planner.create_physical_plan(plan, session).await?;
        let rows = super::narrowed(rows, self.writing.sink.writers_max())?;
        Ok(Arc::new(WriteExec::new(self.writing.clone(), rows)))
    }
}
