//! From the blocks of a segment to one DataFusion plan. The only room that plans.
//!
//! Every block's plan is wrapped in a marker and registered as a view under the block's name; SQL that names it gets it
//! inlined, so projections, filters and limits travel through all blocks down to the sources' own queries.

mod adapt;
mod belonging;
mod codec;
mod cursor;
mod drift;
mod exchange;
mod explain;
mod extract;
mod mapping;
mod marker;
mod session;
mod spread;
mod write;
mod yielding;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use datafusion::prelude::SessionContext;
use flowetl_proto::control::{Position, Segment};
use flowetl_proto::drift::SchemaChange;
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Block;
use serde::de::DeserializeOwned;

pub(crate) use belonging::{Owner, is_marked, owners, spilled};
pub(crate) use codec::{Needs, Opened, PlanCodec, headed, meters, needs, read, written};
pub(crate) use cursor::HighWater;
pub(crate) use explain::operators;
pub(crate) use session::{BATCH_BYTES, BATCH_ROWS, Thrift, session};
pub(crate) use spread::{Team, helpers_worth};
pub(crate) use write::{WriteExec, Writing, Written, made, writers};

use self::extract::Start;
use crate::blocks::{Extract, Load, Sql};
use crate::connectors::systems::Systems;
use crate::connectors::{Quarantine, SourceRequest};
use crate::meter::Meters;
use crate::{Error, Result};

/// What a segment's plan is made from.
pub(crate) struct Ingredients<'a> {
    pub(crate) context: SessionContext,
    pub(crate) systems: &'a Systems,
    /// The boundaries the segment reads, as tables.
    pub(crate) inputs: HashMap<BlockId, Arc<dyn TableProvider>>,
    pub(crate) positions: &'a BTreeMap<BlockId, Position>,
    /// What each extract read last; one that is missing takes its source as it is.
    pub(crate) schemas: BTreeMap<BlockId, SchemaRef>,
    /// Where each extract puts rows it cannot read, for those that ask for it.
    pub(crate) quarantines: HashMap<BlockId, Arc<dyn Quarantine>>,
}

/// One segment as a plan.
pub(crate) struct Compiled {
    pub(crate) context: SessionContext,
    /// The rows of each block, marked; of inputs too.
    rows: HashMap<BlockId, LogicalPlan>,
    pub(crate) meters: Meters,
    /// Of each incremental extract: its cursor column and how far it was read.
    pub(crate) cursors: BTreeMap<BlockId, (String, Arc<HighWater>)>,
    /// What each extract reads of its source, before its `columns`.
    pub(crate) schemas: BTreeMap<BlockId, SchemaRef>,
    /// How that differs from what it read last.
    pub(crate) schema_changes: Vec<SchemaChange>,
}

impl Compiled {
    /// The rows of `block`: schema as the engine sees it, partitions not yet decided.
    pub(crate) fn rows(&self, block: &BlockId) -> Result<&LogicalPlan> {
        self.rows.get(block).ok_or_else(|| Error::internal(format!("block `{block}` has no rows in this segment")))
    }

    /// The optimised physical plan of `rows`.
    pub(crate) async fn physical(&self, rows: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.context.state().create_physical_plan(rows).await?)
    }
}

/// Plans every block of `segment` that gives rows.
pub(crate) async fn compile(segment: &Segment, ingredients: Ingredients<'_>) -> Result<Compiled> {
    let mut compiled = Compiled {
        context: ingredients.context.clone(),
        rows: HashMap::new(),
        meters: Meters::default(),
        cursors: BTreeMap::new(),
        schemas: BTreeMap::new(),
        schema_changes: Vec::new(),
    };
    let mut arrivals = HashMap::new();
    for (block, table) in ingredients.inputs.clone() {
        let scan = LogicalPlanBuilder::scan(block.as_str(), provider_as_source(table), None)?.build()?;
        let meter = Arc::default();
        arrivals.insert(block.clone(), Arc::clone(&meter));
        compiled.add(&block, marker::mark(&block, meter, scan))?;
    }
    for block in &segment.blocks {
        let plan = match block.kind.as_str() {
            "extract" => compiled.extract(segment, block, &ingredients).await,
            "sql" => select(&compiled.context, &settings::<Sql>(block)?.sql).await,
            _ => {
                for input in &block.inputs {
                    feed(&mut compiled.meters, &arrivals, &input.block, &block.id);
                }
                continue;
            }
        };
        let plan = plan.map_err(|e| e.in_block(&block.id))?;
        for input in &block.inputs {
            feed(&mut compiled.meters, &arrivals, &input.block, &block.id);
        }
        let meter = compiled.meters.block(&block.id);
        compiled.add(&block.id, marker::mark(&block.id, meter, plan))?;
    }
    Ok(compiled)
}

impl Compiled {
    /// The rows of an extract, once the changes in its source's columns are judged.
    async fn extract(
        &mut self,
        segment: &Segment,
        block: &Block,
        ingredients: &Ingredients<'_>,
    ) -> Result<LogicalPlan> {
        let settings: Extract = settings(block)?;
        let request = SourceRequest {
            block: block.id.clone(),
            from: settings.extract.clone(),
            options: block.settings.clone(),
            quarantine: ingredients.quarantines.get(&block.id).map(Arc::clone),
        };
        let high_water = Arc::new(HighWater::default());
        if let Some(sync) = &settings.sync {
            self.cursors.insert(block.id.clone(), (sync.cursor.clone(), Arc::clone(&high_water)));
        }
        let table = ingredients.systems.get(settings.extract.connection()).await?.source(request).await?;
        let remembered = ingredients.schemas.get(&block.id).map(AsRef::as_ref);
        let drift = drift::drift(&block.id, &settings, remembered, &table.schema())?;
        let table = adapt::adapt(table, &drift, self.meters.block(&block.id));
        self.schemas.insert(block.id.clone(), drift.schema);
        self.schema_changes.extend(drift.changes);
        let start =
            Start { position: ingredients.positions.get(&block.id), rereads: segment.rereads.contains(&block.id) };
        extract::plan(&self.context, &block.id, &settings, table, start, &high_water)
    }

    fn add(&mut self, block: &BlockId, plan: LogicalPlan) -> Result<()> {
        let view = ViewTable::new(plan.clone(), None);
        self.context.register_table(TableReference::bare(block.as_str()), Arc::new(view))?;
        self.rows.insert(block.clone(), plan);
        Ok(())
    }
}

fn feed(
    meters: &mut Meters,
    arrivals: &HashMap<BlockId, Arc<crate::meter::BlockMeter>>,
    from: &BlockId,
    block: &BlockId,
) {
    let meter = arrivals.get(from).map_or_else(|| meters.block(from), Arc::clone);
    meters.feeds(from, meter, block);
}

/// One select statement over the registered blocks.
pub(crate) async fn select(context: &SessionContext, text: &str) -> Result<LogicalPlan> {
    let plan = context.state().create_logical_plan(text).await?;
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    read_only.verify_plan(&plan)?;
    Ok(plan)
}

/// All rows of a table, marked as the output of so many blocks, each on top of the other.
#[cfg(feature = "bench")]
pub(crate) fn marked(table: Arc<dyn TableProvider>, blocks: usize) -> Result<LogicalPlan> {
    let scan = LogicalPlanBuilder::scan("rows", provider_as_source(table), None)?.build()?;
    let block = |n: usize| BlockId::new(format!("block_{n}"));
    Ok((0..blocks).fold(scan, |plan, n| marker::mark(&block(n), Arc::default(), plan)))
}

/// `plan` with at most `writers` output partitions.
pub(crate) fn narrow(plan: Arc<dyn ExecutionPlan>, writers: usize) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(exchange::install(narrowed(plan, writers)?)?)
}

/// The same with the engine's own exchange.
fn narrowed(plan: Arc<dyn ExecutionPlan>, writers: usize) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.output_partitioning().partition_count() <= writers {
        return Ok(plan);
    }
    Ok(match writers {
        1 => Arc::new(CoalescePartitionsExec::new(plan)),
        n => Arc::new(RepartitionExec::try_new(plan, Partitioning::RoundRobinBatch(n))?),
    })
}

/// A block's settings as its kind has them. Validation has seen them before: a mismatch is our own fault.
pub(crate) fn settings<S: DeserializeOwned>(block: &Block) -> Result<S> {
    serde_json::from_value(block.settings.clone()).map_err(|e| {
        Error::internal(format!("the settings of a validated `{}` block cannot be read", block.kind))
            .because(e)
            .in_block(&block.id)
    })
}

/// The block whose rows a `load` takes, and the load's settings.
pub(crate) fn load(block: &Block) -> Result<(BlockId, Load)> {
    let load: Load = settings(block)?;
    Ok((BlockId::new(&load.load), load))
}

#[cfg(test)]
mod tests;
