//! A segment spread over executors: which stages of its plan are cut into tasks, and where each task is done.
//!
//! Parquet files and what a connector reads in pieces ([`Shared`]) can be shared out. A stage that reads anything else (a
//! source with a position, one whose columns are adapted) is one task and stays with the executor that leads the attempt. So does the last stage, unless
//! its rows may be written from several processes: then each task writes its own. All tasks of a plan are decided now and
//! nothing is measured on the way, so that the same attempt always plans the same way.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::error::Result as EngineResult;
use datafusion::execution::TaskContext;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use datafusion_distributed::{
    ChannelResolver, DesiredTaskCountEvent, DesiredTaskCountEventResponse, DesiredTaskCountHandler, DistributedExec,
    DistributedExt, DistributedLeafExec, NetworkBoundaryExt, RouteTasksEvent, RouteTasksEventResponse,
    ScaleUpLeafNodeEvent, ScaleUpLeafNodeEventResponse, SessionStateBuilderExt, WorkerResolver,
};
use url::Url;

use super::Compiled;
use super::adapt::AdaptExec;
use super::codec::{self, PlanCodec, file_scan};
use super::cursor::CursorExec;
use super::exchange;
use super::session::{ExchangingPlanner, MarkingPlanner};
use super::write::{WriteExec, Writing, WritingPlanner};
use crate::Result;
use crate::connectors::shared;

/// A file is not cut into pieces smaller than this: in many of them no group of rows would begin.
const CUT_BYTES_MIN: u64 = 4 << 20;

/// The executors that a plan may be spread over.
pub(crate) struct Team {
    /// The one that leads.
    pub(crate) leader: Url,
    /// The others; at least one.
    pub(crate) helpers: Vec<Url>,
    pub(crate) channels: Arc<dyn ChannelResolver + Send + Sync>,
    /// Bytes that one stream reads before another executor is asked to read some.
    pub(crate) share_bytes: usize,
}

/// A plan and what it is to be executed in.
pub(crate) struct Spread {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
}

/// How many other executors' streams what `plan` reads is worth: one for each share beyond what the streams of this one read.
pub(crate) fn helpers_worth(plan: &Arc<dyn ExecutionPlan>, streams: usize, share_bytes: usize) -> usize {
    let own = bytes(plan).map_or(1, |bytes| tasks(bytes, streams, share_bytes));
    let below = plan.children().into_iter().map(|child| helpers_worth(child, streams, share_bytes));
    below.fold(own - 1, usize::max)
}

/// Bytes that a leaf reads, of those that can be shared out.
fn bytes(node: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    if let Some(scan) = shared(node) {
        return Some(scan.bytes());
    }
    let files = file_scan(node)?.file_groups.iter().flat_map(|group| group.files());
    Some(files.map(|file| file.effective_size()).sum())
}

/// How many tasks are to read so many bytes.
fn tasks(bytes: u64, streams: usize, share_bytes: usize) -> usize {
    let tasks = bytes.div_ceil((share_bytes as u64).max(1)).div_ceil(streams.max(1) as u64);
    usize::try_from(tasks).unwrap_or(usize::MAX).max(1)
}

impl Compiled {
    /// The plan that writes `rows` over the executors of `team`, in at most `streams` where only the leader may write;
    /// `None` where no stage of it has more than one task, or a stage that has holds something that cannot travel.
    pub(crate) async fn spread(
        &self,
        rows: &LogicalPlan,
        team: &Team,
        writing: Writing,
        streams: usize,
    ) -> Result<Option<Spread>> {
        let writers = writing.sink.is_shared().then(|| writing.clone());
        let is_shared = writers.is_some();
        let state = session(self.context.state(), team, writers)?;
        let mut plan = state.create_physical_plan(rows).await?;
        if !plan.is::<DistributedExec>() {
            return Ok(None);
        }
        let context = state.task_ctx();
        if !is_shared {
            plan = Arc::new(WriteExec::new(writing, fan_out(plan, streams)?));
        }
        if let Err(error) = travels(&plan, &context) {
            tracing::info!(reason = error.to_failure().message, "a segment is not spread over executors");
            return Ok(None);
        }
        Ok(Some(Spread { plan, context }))
    }
}

/// `plan` with exactly `streams` output partitions, whatever it has.
fn fan_out(plan: Arc<dyn ExecutionPlan>, streams: usize) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.output_partitioning().partition_count() == streams {
        return Ok(plan);
    }
    Ok(exchange::install(Arc::new(RepartitionExec::try_new(plan, Partitioning::RoundRobinBatch(streams))?))?)
}

/// The engine's session, planning for a team.
fn session(state: SessionState, team: &Team, writing: Option<Writing>) -> Result<SessionState> {
    let urls: Vec<Url> = team.helpers.iter().chain([&team.leader]).cloned().collect();
    let planner: Arc<dyn QueryPlanner + Send + Sync> = match writing {
        Some(writing) => Arc::new(WritingPlanner { planner: MarkingPlanner, writing }),
        None => Arc::new(MarkingPlanner),
    };
    let builder = SessionStateBuilder::new_from_existing(state)
        .with_query_planner(planner)
        .with_distributed_planner()
        .with_distributed_user_codec(PlanCodec)
        .with_distributed_channel_resolver(Arc::clone(&team.channels))
        .with_distributed_worker_resolver(Workers(urls.clone()))
        .with_distributed_desired_task_count_handler(Counts { share_bytes: team.share_bytes })
        .with_distributed_scale_up_leaf_node_handler(cut)
        .with_distributed_route_tasks_handler(Routes { leader: team.leader.clone(), urls })
        // A side that is sent to every task would be held whole by each, and a panic while it is sent could pass for its end.
        .with_distributed_broadcast_joins(false)?
        // Each input of a union is done by all tasks; one that cannot be cut keeps the others with it.
        .with_distributed_children_isolator_unions(false)?
        .with_distributed_dynamic_task_count(false)?
        // Our own meters count.
        .with_distributed_metrics_collection(false)?;
    let mut builder = builder;
    let planner = builder.query_planner().take();
    if let Some(planner) = planner {
        builder = builder.with_query_planner(Arc::new(ExchangingPlanner(planner)));
    }
    let mut state = builder.build();
    let options = state.config_mut().options_mut();
    // A join whose one side is gathered in one stream is one task.
    options.optimizer.hash_join_single_partition_threshold = 0;
    options.optimizer.hash_join_single_partition_threshold_rows = 0;
    // What one task has learned of its share of a join says nothing of the rows that another reads for a third.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    Ok(state)
}

/// How many tasks a stage is to have.
struct Counts {
    share_bytes: usize,
}

#[async_trait]
impl DesiredTaskCountHandler for Counts {
    async fn handle(&self, event: DesiredTaskCountEvent<'_>) -> Option<EngineResult<DesiredTaskCountEventResponse>> {
        // They have a state that the leader needs at the end.
        if event.plan.is::<CursorExec>() || event.plan.is::<AdaptExec>() {
            return Some(Ok(DesiredTaskCountEventResponse::maximum(1)));
        }
        let count = tasks(bytes(event.plan)?, event.session_config.target_partitions(), self.share_bytes);
        Some(Ok(DesiredTaskCountEventResponse::desired(count)))
    }
}

/// Cuts what can be shared out into a scan for each task.
fn cut(event: ScaleUpLeafNodeEvent<'_>) -> Option<EngineResult<ScaleUpLeafNodeEventResponse>> {
    let scans = match shared(event.plan) {
        Some(scan) => scan.split(event.task_count),
        None => cut_files(event.plan, event.task_count)?,
    };
    let leaf = DistributedLeafExec::try_new(Arc::clone(event.plan), scans);
    Some(leaf.map(|leaf| ScaleUpLeafNodeEventResponse::new(Arc::new(leaf))))
}

/// Scans of files of about equal bytes: by file, and large files by ranges, each of which reads the groups of rows that begin
/// in it.
fn cut_files(plan: &Arc<dyn ExecutionPlan>, tasks: usize) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    let scan = file_scan(plan)?;
    let streams = plan.output_partitioning().partition_count();
    let mut shares = vec![(0, Vec::new()); streams * tasks];
    for piece in pieces(scan, shares.len() as u64) {
        // The first of several: shares that follow each other are of different tasks.
        if let Some((bytes, files)) = shares.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += piece.effective_size();
            files.push(piece);
        }
    }
    let scans = (0..tasks).map(|task| {
        let mut scan = FileScanConfig::clone(scan);
        let mine = shares.iter().skip(task).step_by(tasks);
        scan.file_groups = mine.map(|(_, files)| FileGroup::new(files.clone())).collect();
        DataSourceExec::from_data_source(scan) as Arc<dyn ExecutionPlan>
    });
    Some(scans.collect())
}

/// The files of a scan, in pieces of at most about an equal share, largest first.
fn pieces(scan: &FileScanConfig, shares: u64) -> Vec<PartitionedFile> {
    let mut files: Vec<PartitionedFile> = Vec::new();
    for file in scan.file_groups.iter().flat_map(|group| group.files()) {
        // The streams of one executor share out whole files.
        if files.iter().all(|known| known.object_meta.location != file.object_meta.location) {
            files.push(PartitionedFile { range: None, ..file.clone() });
        }
    }
    let total: u64 = files.iter().map(|file| file.object_meta.size).sum();
    let share = (total / shares.max(1)).max(CUT_BYTES_MIN);
    let mut pieces = Vec::new();
    for file in files {
        let size = file.object_meta.size;
        let count = ((size + share / 2) / share).max(1);
        let at = |n: u64| (size * n / count) as i64;
        let range = |n| (count > 1).then(|| FileRange { start: at(n), end: at(n + 1) });
        pieces.extend((0..count).map(|n| PartitionedFile { range: range(n), ..file.clone() }));
    }
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.effective_size()));
    pieces
}

/// All that may do a task. The leader, who also does the last stage, comes last.
struct Workers(Vec<Url>);

impl WorkerResolver for Workers {
    fn get_urls(&self) -> EngineResult<Vec<Url>> {
        Ok(self.0.clone())
    }
}

/// A stage of one task is the leader's, so that it need not travel; the tasks of others are an executor's each.
struct Routes {
    leader: Url,
    urls: Vec<Url>,
}

impl datafusion_distributed::RouteTasksHandler for Routes {
    fn handle(&self, event: RouteTasksEvent<'_>) -> Option<EngineResult<RouteTasksEventResponse>> {
        Some(Ok(RouteTasksEventResponse::new(match event.task_count {
            1 => vec![self.leader.clone()],
            count => self.urls.iter().cycle().take(count).cloned().collect(),
        })))
    }
}

/// Sees that every stage of more than one task can be written for another executor.
fn travels(plan: &Arc<dyn ExecutionPlan>, context: &TaskContext) -> Result<()> {
    let mut stages = Vec::new();
    plan.apply(|node| {
        if let Some(boundary) = node.as_network_boundary()
            && boundary.input_stage().task_count() > 1
        {
            stages.extend(boundary.children().into_iter().cloned());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    for stage in stages {
        let alone = stage.transform_down(|node| {
            if node.is_network_boundary() {
                return Ok(Transformed::new(Arc::new(EmptyExec::new(node.schema())), true, TreeNodeRecursion::Jump));
            }
            let variant = node.downcast_ref::<DistributedLeafExec>().and_then(|leaf| leaf.variants().first());
            Ok(match variant.cloned() {
                Some(variant) => Transformed::yes(variant),
                None => Transformed::no(node),
            })
        });
        codec::written(alone.data()?, context)?;
    }
    Ok(())
}
