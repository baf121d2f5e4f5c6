//! The exchange between the streams of a plan: every input's rows go to the outputs that the partitioning names.
//!
//! It stands where the engine puts its `RepartitionExec`, whose inputs spill into one chain of files per output of which
//! only the oldest is read: two inputs and an output can then wait for each other for ever (apache/datafusion#24883).
//! Here each output is one queue from which whatever lies in front is taken, in memory or on disk, so that an output
//! never waits while anything for it exists.

mod output;
mod queues;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, SpillMetrics};
use datafusion::physical_plan::repartition::{BatchPartitioner, RepartitionExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    SendableRecordBatchStream, SpillManager,
};
use datafusion_distributed::NetworkBoundaryExt;

use output::Output;
use queues::{Inputs, Queues};

/// `plan` with our exchanges instead of the engine's. One that keeps an order stays: each of its inputs has files of its
/// own, which cannot block another's. What is done by tasks of its own stays too: whoever does it calls this again.
pub(super) fn install(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_down(|node| {
        if node.is_network_boundary() {
            return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
        }
        Ok(match node.downcast_ref::<RepartitionExec>() {
            Some(theirs) if !theirs.preserve_order() => Transformed::yes(Arc::new(ExchangeExec::instead_of(theirs))),
            _ => Transformed::no(node),
        })
    })
    .data()
}

/// Whether a node only shares rows out.
pub(super) fn is_exchange(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.is::<ExchangeExec>() || node.is::<RepartitionExec>()
}

/// The node. Partitions: those of its partitioning; from one input each output keeps the input's order.
#[derive(Debug)]
struct ExchangeExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    /// Outputs of the one execution that were not asked for yet; empty before the first is.
    outputs: Mutex<Vec<Option<Output>>>,
}

impl ExchangeExec {
    fn instead_of(theirs: &RepartitionExec) -> Self {
        Self::new(Arc::clone(theirs.input()), Arc::clone(theirs.properties()))
    }

    fn new(input: Arc<dyn ExecutionPlan>, properties: Arc<PlanProperties>) -> Self {
        Self { input, properties, metrics: ExecutionPlanMetricsSet::new(), outputs: Mutex::default() }
    }

    /// All outputs over freshly opened inputs; nothing is read before the first output is polled.
    fn open(&self, context: &Arc<TaskContext>) -> Result<Vec<Option<Output>>> {
        let count = self.properties.partitioning.partition_count();
        let inputs = self.input.output_partitioning().partition_count();
        let reservation = MemoryConsumer::new("Exchange").with_can_spill(true).register(context.memory_pool());
        let spills = SpillMetrics::new(&self.metrics, 0);
        let spill = SpillManager::new(context.runtime_env(), spills, self.input.schema());
        let queues = Arc::new(Queues::new(count, inputs, reservation, spill));
        let mut streams = Vec::with_capacity(inputs);
        for input in 0..inputs {
            let timer = MetricBuilder::new(&self.metrics).subset_time("partition_time", input);
            let partitioner = BatchPartitioner::try_new(self.properties.partitioning.clone(), timer, input, inputs)?;
            streams.push((self.input.execute(input, Arc::clone(context))?, partitioner));
        }
        let inputs = Arc::new(Inputs::new(streams));
        let rows = context.session_config().batch_size();
        let output = |n| Output::new(n, Arc::clone(&queues), Arc::clone(&inputs), self.schema(), rows, &self.metrics);
        Ok((0..count).map(|n| Some(output(n))).collect())
    }
}

impl DisplayAs for ExchangeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.input.output_partitioning().partition_count();
        write!(f, "ExchangeExec: partitioning={}, input_partitions={inputs}", self.properties.partitioning)
    }
}

impl ExecutionPlan for ExchangeExec {
    fn name(&self) -> &str {
        "ExchangeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![self.input.output_partitioning().partition_count() <= 1]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let Partitioning::Hash(expressions, _) = &self.properties.partitioning else {
            return Ok(TreeNodeRecursion::Continue);
        };
        for expression in expressions {
            if visit(expression)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("an exchange has one input");
        };
        Ok(Arc::new(match options.children_properties {
            ChildrenPropertiesMode::Keep => Self::new(input, Arc::clone(&self.properties)),
            ChildrenPropertiesMode::Recompute => {
                Self::instead_of(&RepartitionExec::try_new(input, self.properties.partitioning.clone())?)
            }
        }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        if outputs.is_empty() {
            *outputs = self.open(&context)?;
        }
        match outputs.get_mut(partition).and_then(Option::take) {
            Some(output) => Ok(Box::pin(cooperative(output))),
            None => internal_err!("output {partition} of an exchange is not there, or was asked for twice"),
        }
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

#[cfg(test)]
mod tests;
