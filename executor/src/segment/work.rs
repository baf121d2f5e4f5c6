//! The steps of an attempt that take time: planning, operating one partition, preparing, publishing, removing.
//!
//! Plain async functions on the data runtime; the actor decides when each runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use flowetl_proto::code::Class;
use flowetl_proto::control::{AttemptSpec, Meter, Output, Part, Prepared};
use flowetl_proto::drift::SchemaChange;
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Block;
use futures::TryStreamExt;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::help::Help;
use super::machine::Written;
use super::verdict;
use crate::boundary::{self, BoundarySink, Ledger, schema_from_json, schema_to_json};
use crate::connectors::systems::Systems;
use crate::connectors::{InDatabaseRequest, OpenContext, Quarantine, Sink, SinkRequest};
use crate::memory::Budget;
use crate::meter::{BlockMeter, Meters};
use crate::node::Surroundings;
use crate::plan::{self, BATCH_BYTES, BATCH_ROWS, Compiled, HighWater, Ingredients, Team, Thrift};
use crate::quarantine::{Limit, QuarantineFile};
use crate::remote::{Errand, Peers};
use crate::{Error, Result};

/// A planned attempt: everything its operators share.
pub(crate) struct Work {
    spec: AttemptSpec,
    root: BlockId,
    /// `None` where the segment moves no rows: data tests, statements inside a database.
    flow: Option<Flow>,
    /// `None` for data tests.
    pub(crate) sink: Option<Arc<dyn Sink>>,
    meters: Meters,
    /// Counts the rows written to a load's target; a boundary's root is counted by its marker.
    written: Arc<BlockMeter>,
    cursors: BTreeMap<BlockId, (String, Arc<HighWater>)>,
    quarantines: HashMap<BlockId, Arc<QuarantineFile>>,
    schemas: BTreeMap<BlockId, SchemaRef>,
    schema_changes: Vec<SchemaChange>,
    tests: Option<Compiled>,
    /// Keeps the snapshots of the attempt open until it is prepared.
    _systems: Systems,
}

struct Flow {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    schema: SchemaRef,
    /// The other executors that take part.
    peers: Option<Arc<Peers>>,
}

impl Work {
    pub(crate) fn partitions(&self) -> usize {
        self.flow.as_ref().map_or(0, |flow| flow.plan.output_partitioning().partition_count())
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
        self.meters.snapshot()
    }

    /// Where nothing moves, in one sentence.
    pub(crate) fn whereabouts(&self) -> String {
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
    let written = compiled.meters.block(&root.id);
    let mut work = Work {
        flow: None,
        sink: None,
        meters: Meters::default(),
        written,
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
        Output::Relation => work.sink = Some(open_sink(&work.spec, surroundings, &work._systems, None).await?),
        Output::Boundary | Output::Sink => {
            let from = rows_of(&root)?;
            let rows = compiled.rows(&from)?.clone();
            let schema = Arc::clone(rows.schema().inner());
            let sink = open_sink(&work.spec, surroundings, &work._systems, Some(schema)).await?;
            let flow = flow(&work.spec, surroundings, help, &compiled, &rows, sink.writers_max(), thrift).await;
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

/// The plan of the rows that are written, over executors that help where it reads enough to be worth it and some have room.
async fn flow(
    spec: &AttemptSpec,
    surroundings: &Surroundings,
    help: &Help,
    compiled: &Compiled,
    rows: &LogicalPlan,
    writers: usize,
    thrift: Thrift,
) -> Result<Flow> {
    let schema = Arc::clone(rows.schema().inner());
    let alone = compiled.physical(rows).await?;
    let config = &surroundings.config;
    if let Some(host) = &surroundings.host
        && let most = plan::helpers_worth(&alone, config.parallelism, config.share_bytes)
        && most > 0
    {
        let errand = Errand {
            attempt: spec.id.clone(),
            connections: spec.connections.clone(),
            places: BTreeSet::new(),
            memory: spec.memory,
            parallelism: config.parallelism,
            thrift,
        };
        let named = help.ask(most).await;
        if let Some((peers, helpers)) = Peers::gather(host, &named, errand).await {
            let (members, leader, channels) = (1 + helpers.len(), peers.leader(), Arc::new(peers.ways()));
            let team = Team { leader, helpers, channels, share_bytes: config.share_bytes };
            if let Some(spread) = compiled.spread(rows, &team).await? {
                // Its rows come in one stream; they have an order only where those of the other plan do.
                let streams = alone.output_partitioning().partition_count().min(writers);
                let plan = plan::fan_out(spread.plan, streams)?;
                tracing::info!(segment = %spec.id.segment, executors = members, "a segment is spread");
                return Ok(Flow { plan, context: spread.context, schema, peers: Some(peers) });
            }
        }
        if !named.is_empty() {
            help.give_back().await;
        }
    }
    let plan = plan::narrow(alone, writers)?;
    Ok(Flow { plan, context: compiled.context.task_ctx(), schema, peers: None })
}

/// Moves one partition's rows from the plan to its writer.
pub(crate) async fn operate(work: &Work, partition: usize, cancel: CancellationToken) -> Result<Written> {
    let (Some(flow), Some(sink)) = (&work.flow, &work.sink) else {
        return Err(Error::internal("an operator was started where no rows flow"));
    };
    let root = &root(&work.spec)?.id;
    let counts = work.spec.segment.output == Output::Sink;
    let moving = async {
        let mut rows = flow.plan.execute(partition, Arc::clone(&flow.context))?;
        let mut writer = sink.writer(partition).await.map_err(|e| e.in_block(root))?;
        let mut written = Written { partition, ..Written::default() };
        while let Some(batch) = rows.try_next().await? {
            if batch.num_rows() == 0 {
                continue;
            }
            let (count, bytes) = (batch.num_rows() as u64, batch.get_array_memory_size() as u64);
            writer.write(batch).await.map_err(|e| e.in_block(root))?;
            written.rows += count;
            if counts {
                work.written.add_rows(count, bytes);
            }
        }
        written.parts = writer.finish().await.map_err(|e| e.in_block(root))?;
        Ok(written)
    };
    let helper_failed = async {
        match &flow.peers {
            Some(peers) => peers.failed().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::new(Class::Cancelled, "the run was cancelled")),
        failure = helper_failed => Err(failure.into()),
        done = moving => done,
    }
}

/// Checks that nothing is missing, makes everything durable, and says what the coordinator must know to publish it.
pub(crate) async fn prepare(work: &Work, written: Vec<Written>) -> Result<Prepared> {
    let root = root(&work.spec)?;
    let parts = close_ledger(work, written).map_err(|e| e.in_block(&root.id))?;
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

/// Each partition reported once, and its parts hold the rows it was given.
fn close_ledger(work: &Work, written: Vec<Written>) -> Result<Vec<Part>> {
    let mut ledger = Ledger::new(work.partitions());
    let counted: Vec<u64> = written.iter().map(|w| w.rows).collect();
    for w in written {
        ledger.report(w.partition, w.parts)?;
    }
    ledger.close(&counted)
}

/// The sink of the segment's root, opened again from the attempt alone.
pub(crate) async fn open_sink(
    spec: &AttemptSpec,
    surroundings: &Surroundings,
    systems: &Systems,
    schema: Option<SchemaRef>,
) -> Result<Arc<dyn Sink>> {
    let root = root(spec)?;
    let need_schema = || schema.clone().ok_or_else(|| Error::internal("a sink was opened without its schema"));
    let opened = match spec.segment.output {
        Output::Boundary => {
            let storage = &surroundings.config.storage;
            Ok(Arc::new(BoundarySink::new(storage, &spec.id, need_schema()?, systems.context())) as _)
        }
        Output::Sink => {
            let (_, load) = plan::load(root)?;
            let request = SinkRequest {
                attempt: spec.id.clone(),
                block: root.id.clone(),
                to: load.to.clone(),
                write: load.write,
                key: load.key.clone(),
                schema: need_schema()?,
                options: root.settings.clone(),
            };
            match systems.get(load.to.connection()).await {
                Ok(system) => system.sink(request).await,
                Err(error) => Err(error),
            }
        }
        Output::Relation => {
            let block: crate::blocks::InDatabase = plan::settings(root)?;
            let request = InDatabaseRequest {
                attempt: spec.id.clone(),
                block: root.id.clone(),
                connection: block.connection.clone(),
                sql: block.sql,
                to: block.to,
            };
            match systems.get(&block.connection).await {
                Ok(system) => system.in_database(request).await,
                Err(error) => Err(error),
            }
        }
        Output::Verdict => Err(Error::internal("data tests have no sink")),
    };
    opened.map_err(|e| e.in_block(&root.id))
}

/// The sink of the segment's root, opened only to remove what the attempt staged. What its rows looked like is not known
/// any more, so that it is asked for what every target takes: one column, without a key.
pub(crate) async fn open_to_discard(
    spec: &AttemptSpec,
    surroundings: &Surroundings,
    systems: &Systems,
) -> Result<Arc<dyn Sink>> {
    let mut spec = spec.clone();
    let mut columns = vec![Field::new("discarded", DataType::Utf8, true)];
    if spec.segment.output == Output::Sink
        && let Some(settings) = spec.segment.blocks.last_mut().and_then(|root| root.settings.as_object_mut())
    {
        settings.remove("key");
        if settings.get("write").and_then(Value::as_str) == Some("merge") {
            settings.insert("write".into(), "append".into());
        }
        // Where a folder's files are staged depends on these, and they must be among the rows.
        let folders = match settings.get("partition_by") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(name)) => vec![name.as_str()],
            _ => Vec::new(),
        };
        columns.extend(folders.into_iter().map(|name| Field::new(name, DataType::Utf8, true)));
    }
    open_sink(&spec, surroundings, systems, Some(Arc::new(Schema::new(columns)))).await
}

/// The attempt's systems, none of them opened yet.
pub(crate) fn systems(spec: &AttemptSpec, surroundings: &Surroundings, budget: Budget) -> Systems {
    let context = OpenContext {
        parallelism: surroundings.config.parallelism,
        batch_rows: BATCH_ROWS,
        batch_bytes: BATCH_BYTES,
        row_group_bytes: budget.row_group_bytes(surroundings.config.parallelism),
    };
    Systems::new(spec.connections.clone(), Arc::clone(&surroundings.config.secrets), context)
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

/// The last block of the segment.
pub(crate) fn root(spec: &AttemptSpec) -> Result<&Block> {
    spec.segment.blocks.last().ok_or_else(|| Error::internal("a segment without blocks"))
}

/// The block whose rows leave the segment: a load's input, else the root itself.
pub(crate) fn rows_of(root: &Block) -> Result<BlockId> {
    if root.kind == "load" { Ok(plan::load(root)?.0) } else { Ok(root.id.clone()) }
}
