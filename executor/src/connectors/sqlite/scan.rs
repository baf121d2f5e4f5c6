//! The plan node that reads from SQLite.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as EngineResult, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, RecordBatchStream,
    ReplaceChildrenOptions,
};
use futures::Stream;
use tokio::sync::oneshot;

use super::Database;
use super::decode::Layout;
use super::snapshot::{Scan, Snapshot, ended};
use crate::Result;

/// Batches that are read ahead of the plan: one being made while one is being used.
pub(super) const REQUESTS_MAX: usize = 2;

/// Reads one statement, or one a partition over ranges of rowids.
#[derive(Debug)]
pub(super) struct SqliteScan {
    /// Keeps the snapshot.
    _database: Arc<Database>,
    /// Only running scans hold the snapshot itself, so that a commit into the same file need not wait for the plan's end.
    snapshot: Weak<Snapshot>,
    /// The statement without the ranges.
    shown: String,
    statements: Vec<String>,
    layout: Arc<Layout>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SqliteScan {
    pub(super) fn new(
        database: &Arc<Database>,
        snapshot: &Arc<Snapshot>,
        shown: String,
        statements: Vec<String>,
        layout: Layout,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&layout.schema)),
            Partitioning::UnknownPartitioning(statements.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Self {
            _database: Arc::clone(database),
            snapshot: Arc::downgrade(snapshot),
            shown,
            statements,
            layout: Arc::new(layout),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for SqliteScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = self.shown.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "SqliteScan: {one_line}")
    }
}

impl ExecutionPlan for SqliteScan {
    fn name(&self) -> &str {
        "SqliteScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let Some(statement) = self.statements.get(partition) else {
            return internal_err!("SqliteScan has no partition {partition}");
        };
        let Some(snapshot) = self.snapshot.upgrade() else {
            return internal_err!("SqliteScan runs after the database's read transaction has ended");
        };
        let scan = snapshot.open(partition, statement.clone(), Arc::clone(&self.layout));
        Ok(Box::pin(Batches {
            schema: Arc::clone(&self.layout.schema),
            scan: Some(scan),
            asked: VecDeque::with_capacity(REQUESTS_MAX),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A scan's batches in order.
struct Batches {
    schema: SchemaRef,
    /// Gone at the end, and after an error.
    scan: Option<Scan>,
    asked: VecDeque<oneshot::Receiver<Result<Option<RecordBatch>>>>,
    metrics: BaselineMetrics,
}

impl Stream for Batches {
    type Item = EngineResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(scan) = &this.scan else { return Poll::Ready(None) };
        while this.asked.len() < REQUESTS_MAX {
            this.asked.push_back(scan.next());
        }
        let Some(first) = this.asked.front_mut() else { return Poll::Ready(None) };
        let answer = ready!(Pin::new(first).poll(context)).unwrap_or_else(|_| Err(ended()));
        this.asked.pop_front();
        let item = match answer {
            Ok(Some(batch)) => Some(Ok(batch)),
            Ok(None) => None,
            Err(error) => Some(Err(error.into())),
        };
        if !matches!(item, Some(Ok(_))) {
            this.scan = None;
        }
        this.metrics.record_poll(Poll::Ready(item))
    }
}

impl RecordBatchStream for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
