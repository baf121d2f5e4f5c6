//! A segment spread over executors: which stages of its plan are cut into tasks, and where each task is done.
//!
//! Files are what can be shared out. A stage that reads anything else (a database, text, a source with a position) is one
//! task and stays with the executor that leads the attempt, as does the last stage, whose rows are written there. All tasks
//! of a plan are decided now and nothing is measured on the way, so that the same attempt always plans the same way.

use std::sync::Arc;

use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::error::Result as EngineResult;
use datafusion::execution::TaskContext;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use datafusion_distributed::{
    ChannelResolver, DesiredTaskCountEvent, DesiredTaskCountEventResponse, DistributedExec, DistributedExt,
    DistributedLeafExec, NetworkBoundaryExt, RouteTasksEvent, RouteTasksEventResponse, ScaleUpLeafNodeEvent,
    ScaleUpLeafNodeEventResponse, SessionStateBuilderExt, WorkerResolver,
};
use url::Url;

use super::Compiled;
use super::adapt::AdaptExec;
use super::codec::{self, MarkerCodec, file_scan};
use super::cursor::CursorExec;
use super::exchange;
use super::session::{ExchangingPlanner, MarkingPlanner};
use crate::Result;

/// A file is not cut into pieces smaller than this: in many of them no group of rows would begin.
const CUT_BYTES_MIN: u64 = 4 << 20;

/// The executors that a plan may be spread over.
pub(crate) struct Team {
    /// The one that leads.
    pub(crate) leader: Url,
    /// The others; at least one.
    pub(crate) helpers: Vec<Url>,
    pub(crate) channels: Arc<dyn ChannelResolver + Send + Sync>,
    /// Bytes of files that one stream reads before another executor is asked to read some.
    pub(crate) share_bytes: usize,
}

/// A plan and what it is to be executed in.
pub(crate) struct Spread {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
}

/// How many other executors' streams the files are worth that `plan` reads: one for each share beyond what the streams of
/// this one read.
pub(crate) fn helpers_worth(plan: &Arc<dyn ExecutionPlan>, streams: usize, share_bytes: usize) -> usize {
    let share = share_bytes.saturating_mul(streams).max(1);
    let files = file_scan(plan).into_iter().flat_map(|scan| &scan.file_groups).flat_map(|group| group.files());
    let bytes: usize = files.map(|file| file.effective_size() as usize).sum();
    let below = plan.children().into_iter().map(|child| helpers_worth(child, streams, share_bytes));
    below.fold(bytes.saturating_sub(1) / share, usize::max)
}

impl Compiled {
    /// The plan of `rows` over the executors of `team`; `None` where no stage of it has more than one task, or a stage that
    /// has holds something that cannot travel.
    pub(crate) async fn spread(&self, rows: &LogicalPlan, team: &Team) -> Result<Option<Spread>> {
        let state = session(self.context.state(), team)?;
        let plan = state.create_physical_plan(rows).await?;
        if !plan.is::<DistributedExec>() {
            return Ok(None);
        }
        let context = state.task_ctx();
        if let Err(error) = travels(&plan, &context) {
            tracing::info!(reason = error.to_failure().message, "a segment is not spread over executors");
            return Ok(None);
        }
        Ok(Some(Spread { plan, context }))
    }
}

/// `plan` with exactly `streams` output partitions, whatever it has.
pub(crate) fn fan_out(plan: Arc<dyn ExecutionPlan>, streams: usize) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.output_partitioning().partition_count() == streams {
        return Ok(plan);
    }
    Ok(exchange::install(Arc::new(RepartitionExec::try_new(plan, Partitioning::RoundRobinBatch(streams))?))?)
}

/// The engine's session, planning for a team.
fn session(state: SessionState, team: &Team) -> Result<SessionState> {
    let urls: Vec<Url> = team.helpers.iter().chain([&team.leader]).cloned().collect();
    let builder = SessionStateBuilder::new_from_existing(state)
        .with_query_planner(Arc::new(MarkingPlanner))
        .with_distributed_planner()
        .with_distributed_user_codec(MarkerCodec)
        .with_distributed_channel_resolver(Arc::clone(&team.channels))
        .with_distributed_worker_resolver(Workers(urls.clone()))
        .with_distributed_desired_task_count_handler(stays)
        .with_distributed_scale_up_leaf_node_handler(cut)
        .with_distributed_route_tasks_handler(Routes { leader: team.leader.clone(), urls })
        .with_distributed_file_scan_config_bytes_per_partition(team.share_bytes)?
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

/// Keeps with the leader what has a state that the leader needs at the end.
fn stays(event: DesiredTaskCountEvent<'_>) -> Option<EngineResult<DesiredTaskCountEventResponse>> {
    let stays = event.plan.is::<CursorExec>() || event.plan.is::<AdaptExec>();
    stays.then(|| Ok(DesiredTaskCountEventResponse::maximum(1)))
}

/// Cuts a scan of files into one for each task, of about equal bytes: by file, and large files by ranges, each of which reads
/// the groups of rows that begin in it.
fn cut(event: ScaleUpLeafNodeEvent<'_>) -> Option<EngineResult<ScaleUpLeafNodeEventResponse>> {
    let scan = file_scan(event.plan)?;
    let (streams, tasks) = (event.plan.output_partitioning().partition_count(), event.task_count);
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
    let leaf = DistributedLeafExec::try_new(Arc::clone(event.plan), scans);
    Some(leaf.map(|leaf| ScaleUpLeafNodeEventResponse::new(Arc::new(leaf))))
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
