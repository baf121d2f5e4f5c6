//! The steps of an attempt that take time: planning, operating one partition, preparing, publishing, removing.
//!
//! Plain async functions on the data runtime; the actor decides when each runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use flowetl_proto::code::Class;
use flowetl_proto::control::{Activity, AttemptSpec, Cost, Meter, Output, Part, Prepared, Standing};
use flowetl_proto::drift::SchemaChange;
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Block;
use flowetl_proto::trace;
use futures::TryStreamExt;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::help::Help;
use super::verdict;
use crate::boundary::{self, Ledger};
use crate::connectors::systems::Systems;
use crate::connectors::{OpenContext, Quarantine, Sink};
use crate::destination::{Destination, root};
use crate::memory::Budget;
use crate::meter::{BlockMeter, Meters};
use crate::node::Surroundings;
use crate::plan::{
    self, BATCH_BYTES, BATCH_ROWS, Compiled, HighWater, Ingredients, Needs, Team, Thrift, WriteExec, Writing, Written,
};
use crate::quarantine::{Limit, QuarantineFile};
use crate::remote::{Errand, Peers};
use crate::schema::{schema_from_json, schema_to_json};
use crate::{Error, Result};

/// For so many executors sources are cut into pieces, before it is known how many will help: finer pieces cost little.
const TEAM: usize = 4;

/// How long what a plan held may take to be given back before another one is made, and how often it is looked at.
const RELEASE_LIMIT: Duration = Duration::from_secs(3);
const RELEASE_PAUSE: Duration = Duration::from_millis(5);
/// How long the rows that a failed attempt has put aside may take to be written.
const KEEP_LIMIT: Duration = Duration::from_secs(10);

/// A planned attempt: everything its operators share.
pub(crate) struct Work {
    spec: AttemptSpec,
    root: BlockId,
    /// `None` where the segment moves no rows: data tests, statements inside a database.
    flow: Option<Flow>,
    /// `None` for data tests.
    pub(crate) sink: Option<Arc<dyn Sink>>,
    meters: Meters,
    /// The meter of what writes the rows: the load's own, or one beside that of a boundary's root, which its marker counts in.
    writer: Arc<BlockMeter>,
    cursors: BTreeMap<BlockId, (String, Arc<HighWater>)>,
    quarantines: HashMap<BlockId, Arc<QuarantineFile>>,
    schemas: BTreeMap<BlockId, SchemaRef>,
    schema_changes: Vec<SchemaChange>,
    tests: Option<Compiled>,
    /// Keeps the snapshots of the attempt open until it is prepared.
    _systems: Systems,
}

struct Flow {
    /// Writes the rows, and gives what was written.
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    /// Of the rows.
    schema: SchemaRef,
    /// The other executors that take part.
    peers: Option<Arc<Peers>>,
}

impl Work {
    pub(crate) fn partitions(&self) -> usize {
        self.flow.as_ref().map_or(0, |flow| flow.plan.output_partitioning().partition_count())
    }

    pub(crate) fn is_spread(&self) -> bool {
        self.flow.as_ref().is_some_and(|flow| flow.peers.is_some())
    }

    /// What each of its extracts reads: its columns, and how they differ from what was read before.
    pub(crate) fn sources(&self) -> (&BTreeMap<BlockId, SchemaRef>, &[SchemaChange]) {
        (&self.schemas, &self.schema_changes)
    }

    /// The block whose rows leave the segment, or whose target takes them.
    pub(crate) fn root(&self) -> &BlockId {
        &self.root
    }

    /// The counters as they stand.
    pub(crate) fn blocks(&self) -> BTreeMap<BlockId, Meter> {
        for (block, quarantine) in &self.quarantines {
            self.meters.set_quarantined(block, quarantine.rows());
        }
        if let Some(flow) = &self.flow {
            let mut spilled = plan::spilled(&flow.plan, &self.root);
            for (block, bytes) in flow.peers.iter().flat_map(|peers| peers.spilled_here()) {
                *spilled.entry(block).or_default() += bytes;
            }
            self.meters.set_spilled(&spilled);
        }
        self.meters.snapshot()
    }

    /// Writes the rows that were put aside so far, though the attempt or its plan has failed: for whoever asks why.
    pub(crate) async fn keep_quarantines(&self) {
        let kept = async {
            for quarantine in self.quarantines.values() {
                // What is too much has been said: that is why it failed.
                if let Err(error) = quarantine.finish().await {
                    tracing::debug!(error = error.message, "the quarantine of a failed attempt");
                }
            }
        };
        if timeout(KEEP_LIMIT, kept).await.is_err() {
            tracing::warn!("the quarantine of a failed attempt could not be written in time");
        }
    }

    /// The meters of its blocks.
    pub(crate) fn block_meters(&self) -> Vec<Arc<BlockMeter>> {
        self.meters.all()
    }

    /// What the other executors that take part have used for it.
    pub(crate) fn helpers_cost(&self) -> Cost {
        let peers = self.flow.as_ref().and_then(|flow| flow.peers.as_ref());
        peers.map_or_else(Cost::default, |peers| peers.cost())
    }

    /// What each operator does, on all executors; those here are of the one at `executor`.
    pub(crate) fn standing(&self, executor: &str) -> Vec<Standing> {
        let mut standing = self.meters.standing(executor);
        if self.spec.segment.output == Output::Boundary {
            standing.extend(self.writer.standing(&self.root, executor));
        }
        let peers = self.flow.as_ref().and_then(|flow| flow.peers.as_ref());
        standing.extend(peers.map(|peers| peers.standing()).unwrap_or_default());
        standing
    }

    /// Where nothing moves, in one sentence.
    pub(crate) fn whereabouts(&self) -> String {
        let peers = self.flow.as_ref().and_then(|flow| flow.peers.as_ref());
        let elsewhere = peers.map(|peers| peers.standing()).unwrap_or_default();
        if let Some(standing) = elsewhere.iter().find(|standing| standing.activity == Activity::Computing)
            && !self.meters.computes()
        {
            return format!("`{}` is computing at {}", standing.block, standing.executor);
        }
        // Between the last row and the end the target works by itself, and data tests have queries of their own.
        self.meters.whereabouts().unwrap_or_else(|| format!("`{}` is being finished", self.root))
    }
}

/// Plans the attempt and opens its staging.
pub(crate) async fn plan(spec: AttemptSpec, surroundings: &Surroundings, help: &Help, thrift: Thrift) -> Result<Work> {
    let root = root(&spec)?.clone();
    let budget = Budget::new(spec.memory)?;
    let runtime = surroundings.runtime(&spec.id.run, budget)?;
    let context = plan::session(surroundings.config.parallelism, budget.pool, thrift, runtime);
    let systems = systems(&spec, surroundings, budget);
    let mut inputs = HashMap::new();
    for (block, manifest) in &spec.inputs {
        let config = &surroundings.config;
        let table = boundary::read(&config.storage, manifest, config.parallelism).await;
        inputs.insert(block.clone(), table.map_err(|e| e.in_block(block))?);
    }
    let quarantines = quarantines(&spec, surroundings)?;
    let ingredients = Ingredients {
        context,
        systems: &systems,
        inputs,
        positions: &spec.positions,
        schemas: schemas(&spec)?,
        quarantines: quarantines.iter().map(|(b, q)| (b.clone(), Arc::clone(q) as Arc<dyn Quarantine>)).collect(),
    };
    let mut compiled = plan::compile(&spec.segment, ingredients).await?;
    let (to, storage) = (Destination::of(&spec)?, &surroundings.config.storage);
    let counts = spec.segment.output == Output::Sink;
    let writer = if counts { compiled.meters.block(&root.id) } else { Arc::default() };
    let mut work = Work {
        flow: None,
        sink: None,
        meters: Meters::default(),
        writer,
        cursors: std::mem::take(&mut compiled.cursors),
        quarantines,
        schemas: std::mem::take(&mut compiled.schemas),
        schema_changes: std::mem::take(&mut compiled.schema_changes),
        tests: None,
        _systems: systems,
        root: root.id.clone(),
        spec,
    };
    match work.spec.segment.output {
        Output::Verdict => {
            work.meters = std::mem::take(&mut compiled.meters);
            work.tests = Some(compiled);
            return Ok(work);
        }
        Output::Relation => work.sink = Some(to.open(storage, &work._systems, None).await?),
        Output::Boundary | Output::Sink => {
            let rows = compiled.leaving(&root)?;
            let schema = Arc::clone(rows.schema().inner());
            let sink = to.open(storage, &work._systems, Some(schema)).await?;
            let (block, meter) = (root.id.clone(), Arc::clone(&work.writer));
            let writing = Writing { sink: Arc::clone(&sink), root: block, meter, counts };
            let top = compiled.meters.block(&root.id);
            let flow = flow(&work.spec, surroundings, help, &compiled, &rows, (writing, top), thrift).await;
            work.flow = Some(flow.map_err(|e| e.in_block(&root.id))?);
            work.sink = Some(sink);
        }
    }
    work.meters = std::mem::take(&mut compiled.meters);
    if let Some(sink) = &work.sink {
        check_frozen(&work.spec, sink).await?;
        sink.begin().await.map_err(|e| e.in_block(&root.id))?;
    }
    Ok(work)
}

/// The plan that writes the rows, over executors that help where it reads enough to be worth it and some have room.
async fn flow(
    spec: &AttemptSpec,
    surroundings: &Surroundings,
    help: &Help,
    compiled: &Compiled,
    rows: &LogicalPlan,
    (writing, top): (Writing, Arc<BlockMeter>),
    thrift: Thrift,
) -> Result<Flow> {
    let schema = Arc::clone(rows.schema().inner());
    let alone = compiled.physical(rows).await?;
    let (config, writers) = (&surroundings.config, writing.sink.writers_max());
    if let Some(host) = &surroundings.host
        && let most = plan::helpers_worth(&alone, config.parallelism, config.share_bytes)
        && most > 0
    {
        let errand = Errand {
            attempt: spec.id.clone(),
            connections: spec.connections.clone(),
            secrets: spec.secrets.clone(),
            needs: Needs::default(),
            to: Destination::of(spec)?,
            rows: schema_to_json(&schema),
            memory: spec.memory,
            parallelism: config.parallelism,
            thrift,
            owner: None,
        };
        let named = help.ask(most).await;
        if let Some((peers, helpers)) = Peers::gather(host, &named, errand).await {
            let (members, leader, channels) = (1 + helpers.len(), peers.leader(), Arc::new(peers.ways()));
            let team = Team { leader, helpers, channels, share_bytes: config.share_bytes };
            // Its rows come in one stream; they have an order only where those of the other plan do.
            let streams = alone.output_partitioning().partition_count().min(writers);
            if let Some(spread) = compiled.spread(rows, &team, writing.clone(), streams).await? {
                peers.set_owners(plan::owners(&spread.plan, (writing.root, top)));
                tracing::info!(segment = %spec.id.segment, executors = members, "a segment is spread");
                return Ok(Flow { plan: spread.plan, context: spread.context, schema, peers: Some(peers) });
            }
        }
        if !named.is_empty() {
            help.give_back().await;
        }
    }
    let plan = Arc::new(WriteExec::new(writing, plan::narrow(alone, writers)?));
    Ok(Flow { plan, context: compiled.context.task_ctx(), schema, peers: None })
}

/// Executes one partition of the plan to its end; what writers made, here or elsewhere, that it tells of.
pub(crate) async fn operate(work: &Work, partition: usize, cancel: CancellationToken) -> Result<Vec<Written>> {
    let Some(flow) = &work.flow else {
        return Err(Error::internal("an operator was started where no rows flow"));
    };
    let mut write = trace::Work::begin(&work.spec.id, "write");
    write.label("stream", partition);
    let writing = async {
        let mut told = flow.plan.execute(partition, Arc::clone(&flow.context))?;
        let mut written = Vec::new();
        while let Some(batch) = told.try_next().await? {
            written.extend(plan::made(&batch)?);
        }
        Ok(written)
    };
    let helper_failed = async {
        match &flow.peers {
            Some(peers) => peers.failed().await,
            None => std::future::pending().await,
        }
    };
    let done = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::new(Class::Cancelled, "the run was cancelled")),
        failure = helper_failed => Err(failure.into()),
        done = writing => done,
    };
    if let Ok(written) = &done {
        write.label("rows", written.iter().map(|written| written.rows).sum::<u64>());
    }
    write.end(done.as_ref().err().map(|error| error.class));
    done
}

/// Removes what was staged, and lets go of the plan: what it is done again with is the memory that this one held.
pub(crate) async fn clear(work: Arc<Work>) -> Result<()> {
    if let Some(sink) = &work.sink {
        sink.discard().await?;
    }
    // The next plan meets the same rows again, and its file takes the place of this one.
    work.keep_quarantines().await;
    let Some(pool) = work.flow.as_ref().map(|flow| Arc::clone(flow.context.memory_pool())) else { return Ok(()) };
    drop(work);
    // Tasks that the engine has started end at their next await. Other segments of the run may hold memory for longer.
    let released = async {
        while pool.reserved() > 0 {
            sleep(RELEASE_PAUSE).await;
        }
    };
    if timeout(RELEASE_LIMIT, released).await.is_err() {
        tracing::debug!(bytes = pool.reserved(), "memory is still held when an attempt is planned again");
    }
    Ok(())
}

/// Checks that nothing is missing, makes everything durable, and says what the coordinator must know to publish it.
pub(crate) async fn prepare(work: &Work, written: Vec<Written>) -> Result<Prepared> {
    let root = root(&work.spec)?;
    let mut parts = close_ledger(work, written).map_err(|e| e.in_block(&root.id))?;
    for quarantine in work.quarantines.values() {
        quarantine.finish().await?;
    }
    let mut prepared = Prepared {
        manifest: None,
        staged: None,
        tests: Vec::new(),
        positions: BTreeMap::new(),
        schemas: work.schemas.iter().map(|(block, schema)| (block.clone(), schema_to_json(schema))).collect(),
        schema_changes: work.schema_changes.clone(),
        blocks: BTreeMap::new(),
    };
    if let Some(compiled) = &work.tests {
        let test = plan::settings(root)?;
        prepared.tests = verdict::judge(&compiled.context, &root.id, &test).await?;
    }
    if let Some(sink) = &work.sink {
        prepared.staged = Some(sink.prepare(&parts).await.map_err(|e| e.in_block(&root.id))?);
    }
    if let Some(flow) = &work.flow {
        parts.iter_mut().for_each(|part| part.note = Value::Null);
        prepared.manifest = Some(boundary::manifest(&flow.schema, parts));
    }
    for (block, (column, high_water)) in &work.cursors {
        if let Some(position) = high_water.position(column)? {
            prepared.positions.insert(block.clone(), position);
        }
    }
    prepared.blocks = work.blocks();
    Ok(prepared)
}

/// Plans every query of a `test` block, so that a wrong column is known before anything moves.
pub(crate) async fn check_tests(compiled: &Compiled, root: &Block) -> Result<()> {
    verdict::check(&compiled.context, &root.id, &plan::settings(root)?).await
}

/// Each writer reported once, and its parts hold the rows it was given.
fn close_ledger(work: &Work, written: Vec<Written>) -> Result<Vec<Part>> {
    let mut ledger = Ledger::new(work.flow.as_ref().map_or(0, |flow| plan::writers(&flow.plan)));
    let counted: Vec<u64> = written.iter().map(|w| w.rows).collect();
    for w in written {
        ledger.report(w.partition, w.parts)?;
    }
    ledger.close(&counted)
}

/// The attempt's systems, none of them opened yet.
pub(crate) fn systems(spec: &AttemptSpec, surroundings: &Surroundings, budget: Budget) -> Systems {
    let context = OpenContext {
        parallelism: surroundings.config.parallelism,
        executors: if surroundings.host.is_some() { TEAM } else { 1 },
        batch_rows: BATCH_ROWS,
        batch_bytes: BATCH_BYTES,
        row_group_bytes: budget.row_group_bytes(surroundings.config.parallelism),
    };
    let secrets = spec.secrets.over(Arc::clone(&surroundings.config.secrets));
    Systems::new(spec.connections.clone(), secrets, context)
}

/// What the extracts read last.
pub(crate) fn schemas(spec: &AttemptSpec) -> Result<BTreeMap<BlockId, SchemaRef>> {
    let read = spec.schemas.iter().map(|(block, json)| Ok((block.clone(), Arc::new(schema_from_json(json)?))));
    read.collect()
}

/// Refuses a target that would have to be made where an extract lets no table be made.
pub(crate) async fn check_frozen(spec: &AttemptSpec, sink: &Arc<dyn Sink>) -> Result<()> {
    let root = root(spec)?;
    if !spec.segment.frozen || sink.exists().await.map_err(|e| e.in_block(&root.id))? {
        return Ok(());
    }
    let to = plan::load(root)?.1.to;
    let text = format!(
        "`{to}` is not there, and `schema: {{tables: freeze}}` of an extract behind it lets no load make it; make it \
         yourself, or write `tables: evolve`"
    );
    Err(Error::user(text).in_block(&root.id))
}

fn quarantines(spec: &AttemptSpec, surroundings: &Surroundings) -> Result<HashMap<BlockId, Arc<QuarantineFile>>> {
    let mut quarantines = HashMap::new();
    for block in spec.segment.blocks.iter().filter(|b| b.kind == "extract") {
        let extract: crate::blocks::Extract = plan::settings(block)?;
        if let Some(bad_rows) = extract.bad_rows {
            let limit = Limit::from_json(&bad_rows.quarantine).map_err(|e| e.in_block(&block.id))?;
            let quarantine = QuarantineFile::new(surroundings.config.storage.clone(), &spec.id, &block.id, limit);
            quarantines.insert(block.id.clone(), Arc::new(quarantine));
        }
    }
    Ok(quarantines)
}
