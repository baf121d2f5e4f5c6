//! The engine's way to a task in this process: nothing is written, and rows are polled where they are used.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::error::Result as EngineResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::{
    CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest, GetWorkerInfoResponse, MaybeEncoded,
    SetPlanRequest, WorkerChannel, WorkerToCoordinatorMsg,
};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use tonic::codegen::http::HeaderMap;

use super::host::Host;
use super::peers::Peers;
use super::task::{Task, context_of};
use crate::Error;

pub(super) struct Near(pub(super) Arc<Peers>);

#[async_trait]
impl WorkerChannel for Near {
    async fn coordinator_channel(
        &mut self,
        _: HeaderMap,
        request: SetPlanRequest,
        wanted: BoxStream<'static, CoordinatorToWorkerMsg>,
        _: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> EngineResult<BoxStream<'static, EngineResult<WorkerToCoordinatorMsg>>> {
        let (MaybeEncoded::Decoded(plan), Some(lead)) = (request.plan, &self.0.lead) else {
            return Err(Error::internal("a task came to its own process from another").into());
        };
        let context = context_of(context, request.task_key.task_number, request.task_count);
        let owner = lead.owner(request.task_key.stage_id)?;
        let task = Arc::new(Task::new(lead.errand.attempt.clone(), plan, Arc::new(context), owner));
        lead.does_here(&task);
        let (lead, kept) = (Arc::clone(lead), self.0.host.keep(request.task_key, Arc::clone(&task)));
        let ended = async move {
            wanted.for_each(|_| std::future::ready(())).await;
            lead.did_here(&task);
            drop(kept);
        };
        Ok(ended.into_stream().filter_map(|()| std::future::ready(None)).boxed())
    }

    async fn execute_task(
        &mut self,
        _: HeaderMap,
        request: ExecuteTaskRequest,
        _: ExecutionPlanMetricsSet,
        _: &Arc<TaskContext>,
    ) -> EngineResult<Vec<BoxStream<'static, EngineResult<RecordBatch>>>> {
        let host: &Host = &self.0.host;
        let task = host.task(&request.task_key).await?;
        let mut partitions = Vec::new();
        for partition in request.target_partition_start..request.target_partition_end {
            partitions.push(task.rows(partition, request.producer_head.clone())?.boxed());
        }
        Ok(partitions)
    }

    async fn get_worker_info(&mut self, _: GetWorkerInfoRequest) -> EngineResult<GetWorkerInfoResponse> {
        Ok(GetWorkerInfoResponse { version: flowetl_proto::VERSION.to_owned() })
    }
}
