//! The engine's way to a task on another executor: its plan over our own service, its rows over Arrow Flight.

use std::collections::BTreeMap;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::{
    CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest, GetWorkerInfoResponse, MaybeEncoded,
    ProducerHead, SetPlanRequest, TaskKey, WorkerChannel, WorkerToCoordinatorMsg,
};
use flowetl_proto::id::BlockId;
use flowetl_proto::trust::{Subject, about};
use flowetl_proto::wire::v1;
use flowetl_proto::wire::v1::hosting::What;
use flowetl_proto::wire::v1::tasks_client::TasksClient;
use futures::future::try_join_all;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, stream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::codegen::http::HeaderMap;
use tonic::{Status, Streaming};
use url::Url;

use super::hosting::wire_key;
use super::peers::{Lead, Peers, Told};
use super::share::Share;
use super::{Errand, GOODBYE_LIMIT, OPEN_LIMIT, PLAN_PIECE_BYTES, failure, incoming};
use crate::memory::Lane;
use crate::meter::{BlockMeter, Counts};
use crate::{Error, Result, plan};

pub(super) struct Far {
    pub(super) peers: Arc<Peers>,
    pub(super) url: Url,
}

#[async_trait]
impl WorkerChannel for Far {
    async fn coordinator_channel(
        &mut self,
        _: HeaderMap,
        request: SetPlanRequest,
        wanted: BoxStream<'static, CoordinatorToWorkerMsg>,
        _: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> EngineResult<BoxStream<'static, EngineResult<WorkerToCoordinatorMsg>>> {
        let Some(lead) = &self.peers.lead else {
            return Err(Error::internal("a task was handed on").into());
        };
        let hosted = self.host(lead, request, wanted, context).await.map_err(|error| {
            // The engine looks at it only when everything else has ended.
            lead.fail(error.to_failure());
            DataFusionError::from(error)
        })?;
        let lead = Arc::clone(lead);
        Ok(async move { hosted.listen(&lead).await }.into_stream().filter_map(|()| ready(None)).boxed())
    }

    async fn execute_task(
        &mut self,
        _: HeaderMap,
        request: ExecuteTaskRequest,
        _: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> EngineResult<Vec<BoxStream<'static, EngineResult<RecordBatch>>>> {
        let partitioning = match request.producer_head {
            ProducerHead::None => Vec::new(),
            ProducerHead::RepartitionExec { partitioning } => partitioning.encode(context)?,
            ProducerHead::BroadcastExec { .. } => return Err(Error::internal("no rows are sent to every task").into()),
        };
        let lane = Lane::of(context);
        let link = self.peers.host.link(&self.url, lane).await?;
        let opened = (request.target_partition_start..request.target_partition_end).map(|partition| {
            let (task, partitioning) = (Some(wire_key(&request.task_key)), partitioning.clone());
            let ticket = v1::Ticket { task, partition: partition as u64, partitioning };
            let share = Share::incoming(context.memory_pool(), lane, self.url.as_str());
            let (url, link, attempt) = (self.url.as_str(), link.clone(), &self.peers.attempt);
            async move { incoming::open(url, link, attempt, ticket, share?).await }
        });
        Ok(try_join_all(opened).await?)
    }

    async fn get_worker_info(&mut self, _: GetWorkerInfoRequest) -> EngineResult<GetWorkerInfoResponse> {
        // Only executors of the same version are named to each other.
        Ok(GetWorkerInfoResponse { version: flowetl_proto::VERSION.to_owned() })
    }
}

impl Far {
    /// Sends the task and its plan, and keeps the stream open until `wanted` ends.
    async fn host(
        &self,
        lead: &Lead,
        request: SetPlanRequest,
        wanted: BoxStream<'static, CoordinatorToWorkerMsg>,
        context: &TaskContext,
    ) -> Result<Hosted> {
        let MaybeEncoded::Decoded(plan) = request.plan else {
            return Err(Error::internal("a plan came written"));
        };
        let (mut meters, needs) = (plan::meters(&plan)?, plan::needs(&plan)?);
        let (owner, meter) = lead.owner(request.task_key.stage_id)?;
        meters.insert(owner.clone(), meter);
        let plan = plan::written(plan, context)?;
        let errand = serde_json::to_string(&Errand { needs, owner: Some(owner), ..lead.errand.clone() });
        let task = v1::Task {
            key: Some(wire_key(&request.task_key)),
            count: request.task_count as u64,
            errand_json: errand.map_err(|e| Error::internal("an errand cannot be written").because(e))?,
            plan_bytes: plan.len() as u64,
        };
        let over = CancellationToken::new();
        let hosting = hosting(task, &plan, wanted, over.clone());
        let link = self.peers.host.link(&self.url, Lane::of(context)).await?;
        let url = self.url.as_str();
        let asked = about(Subject::from(&self.peers.attempt), hosting);
        let counts = match timeout(OPEN_LIMIT, TasksClient::new(link).host(asked)).await {
            Ok(answer) => answer.map_err(|status| failure::error(url, &status))?.into_inner(),
            Err(_) => return Err(failure::lost(url, &format!("it did not answer within {} s", OPEN_LIMIT.as_secs()))),
        };
        Ok(Hosted { url: self.url.clone(), task: request.task_key, counts, meters, over })
    }
}

/// What is told to whoever does a task: the task, its plan, and then nothing until no more rows are `wanted`, and it is `over`.
fn hosting(
    task: v1::Task,
    plan: &[u8],
    wanted: BoxStream<'static, CoordinatorToWorkerMsg>,
    over: CancellationToken,
) -> Hosting {
    let pieces: Vec<_> = plan.chunks(PLAN_PIECE_BYTES).map(|piece| What::Plan(piece.to_vec())).collect();
    let told = stream::iter([What::Task(task)].into_iter().chain(pieces));
    let open = async move {
        wanted.for_each(|_| ready(())).await;
        over.cancel();
    };
    let told = told.map(|what| v1::Hosting { what: Some(what) });
    Hosting(told.chain(open.into_stream().filter_map(|()| ready(None))).boxed())
}

/// A stream whose type has a name: of one that has none the compiler cannot see that it may be sent between threads.
struct Hosting(BoxStream<'static, v1::Hosting>);

impl Stream for Hosting {
    type Item = v1::Hosting;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

/// A task that another executor does.
struct Hosted {
    url: Url,
    task: TaskKey,
    counts: Streaming<v1::Hosted>,
    /// Ours, which its counters are added to.
    meters: BTreeMap<BlockId, Arc<BlockMeter>>,
    /// None of its rows are wanted any more.
    over: CancellationToken,
}

impl Hosted {
    /// Adds what the task counts to our own meters until it is over, or fails the attempt because it is lost.
    async fn listen(mut self, lead: &Lead) {
        let mut told: BTreeMap<BlockId, Counts> = BTreeMap::new();
        let over = self.over.clone();
        let late = async {
            over.cancelled().await;
            sleep(GOODBYE_LIMIT).await;
        };
        tokio::pin!(late);
        loop {
            let message = tokio::select! {
                message = self.counts.message() => message,
                () = &mut late => Err(Status::deadline_exceeded("its last counters are late")),
            };
            match message {
                Ok(Some(message)) => self.add(&message, lead, &mut told),
                Ok(None) => return,
                // All its rows are here: only counters are missing.
                Err(status) if over.is_cancelled() => {
                    tracing::warn!(url = %self.url, %status, "an executor did not tell its last counters");
                    return;
                }
                Err(status) => return lead.fail(failure::error(self.url.as_str(), &status).to_failure()),
            }
        }
    }

    fn add(&self, message: &v1::Hosted, lead: &Lead, told: &mut BTreeMap<BlockId, Counts>) {
        let read = || -> serde_json::Result<(BTreeMap<BlockId, Counts>, Told)> {
            let cost = serde_json::from_str(&message.cost_json)?;
            let standing = serde_json::from_str(&message.standing_json)?;
            Ok((serde_json::from_str(&message.counts_json)?, Told { cost, standing }))
        };
        let (counts, news) = match read() {
            Ok(read) => read,
            Err(error) => return tracing::warn!(%error, "counters of another executor cannot be read"),
        };
        lead.heard(self.task, news);
        for (block, now) in counts {
            let before = told.insert(block.clone(), now).unwrap_or_default();
            if let Some(meter) = self.meters.get(&block) {
                meter.add(&now, &before);
            }
        }
    }
}
