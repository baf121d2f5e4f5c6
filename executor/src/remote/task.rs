//! One task of an attempt on this executor: a plan of which others read partitions.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion_distributed::{DistributedTaskContext, ProducerHead};
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptId, Standing};
use flowetl_proto::id::BlockId;
use tokio_util::sync::CancellationToken;

use super::guard::Guarded;
use super::share::Share;
use crate::memory::Lane;
use crate::meter::{BlockMeter, Counts, MeteredStream, TaskMeters, panic_text};
use crate::plan::Owner;
use crate::{Error, Result, plan};

/// A plan with the context that it is executed in. Each partition is read once.
pub(super) struct Task {
    pub(super) attempt: AttemptId,
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    meters: Arc<TaskMeters>,
    /// Whom it works for above its own markers.
    owner: Owner,
    /// The plan as its first reader wants its rows shared out; all want the same.
    headed: Mutex<Option<Result<Arc<dyn ExecutionPlan>, Failure>>>,
    /// Ends every stream of its rows.
    pub(super) end: CancellationToken,
}

impl Task {
    pub(super) fn new(
        attempt: AttemptId,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
        owner: Owner,
    ) -> Self {
        let meters = context.session_config().get_extension::<TaskMeters>().unwrap_or_default();
        Self { attempt, plan, context, meters, owner, headed: Mutex::default(), end: CancellationToken::new() }
    }

    /// The rows of one partition. Reading begins with the first poll.
    pub(super) fn rows(&self, partition: usize, head: ProducerHead) -> Result<Guarded> {
        let executed = catch_unwind(AssertUnwindSafe(|| {
            let plan = self.headed(head)?;
            let partitions = plan.output_partitioning().partition_count();
            if partition >= partitions {
                return Err(Error::internal(format!("partition {partition} of a task that has {partitions}")));
            }
            let rows = plan.execute(partition, Arc::clone(&self.context))?;
            if plan::is_marked(&plan) {
                return Ok(rows);
            }
            let (block, meter) = self.owner.clone();
            Ok(Box::pin(MeteredStream::below(rows, block, meter)) as SendableRecordBatchStream)
        }));
        let rows = executed.unwrap_or_else(|panic| {
            let text = format!("panic in an operator: {}", panic_text(panic.as_ref()));
            Err(Error::new(Class::Panic, text))
        })?;
        Ok(Guarded::new(rows, self.end.clone().cancelled_owned()))
    }

    /// The memory of one stream of its rows.
    pub(super) fn share(&self) -> Result<Share> {
        Share::outgoing(self.context.memory_pool(), Lane::of(&self.context))
    }

    pub(super) fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.plan.schema()
    }

    fn headed(&self, head: ProducerHead) -> Result<Arc<dyn ExecutionPlan>> {
        let mut headed = self.headed.lock().unwrap_or_else(PoisonError::into_inner);
        let made = headed.get_or_insert_with(|| {
            plan::headed(Arc::clone(&self.plan), head, &self.context).map_err(|e| e.to_failure())
        });
        made.clone().map_err(Error::from)
    }

    /// The meters of its blocks.
    pub(super) fn block_meters(&self) -> Vec<Arc<BlockMeter>> {
        self.meters.all()
    }

    /// What its blocks have counted so far.
    pub(super) fn counts(&self) -> BTreeMap<BlockId, Counts> {
        for (block, bytes) in self.spilled() {
            self.meters.block(&block).set_spilled(bytes);
        }
        self.meters.counts()
    }

    /// Bytes that its operators have spilled, by block.
    pub(super) fn spilled(&self) -> BTreeMap<BlockId, u64> {
        let headed = self.headed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*headed {
            Some(Ok(plan)) => plan::spilled(plan, &self.owner.0),
            _ => BTreeMap::new(),
        }
    }

    /// What each of its operators does, as those of the executor at `executor`.
    pub(super) fn standing(&self, executor: &str) -> Vec<Standing> {
        self.meters.standing(executor)
    }
}

/// `context` for one of `count` tasks that share a plan.
pub(super) fn context_of(context: &TaskContext, number: usize, count: usize) -> TaskContext {
    let place = DistributedTaskContext { task_index: number, task_count: count };
    let config = context.session_config().clone().with_extension(Arc::new(place));
    TaskContext::new(
        context.task_id(),
        context.session_id(),
        config,
        context.scalar_functions().clone(),
        context.higher_order_functions().clone(),
        context.aggregate_functions().clone(),
        context.window_functions().clone(),
        context.runtime_env(),
    )
}
