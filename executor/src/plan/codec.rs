//! A plan on its way to another executor: what is ours in it, and how it is written and read.
//!
//! Block markers travel, shares of what a connector reads, and writers. What keeps a position or leaves out rows is done by
//! the executor that leads the attempt, see `spread`. Whatever reads a plan opens first what it [`needs`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as EngineResult, internal_err};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion_distributed::{DistributedCodec, ProducerHead};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_proto_converter, physical_plan_to_bytes_with_proto_converter,
};
use datafusion_proto::physical_plan::{
    DeduplicatingProtoConverter, PhysicalExtensionCodec, PhysicalProtoConverterExtension,
};
use flowetl_proto::id::BlockId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exchange;
use super::marker::BlockMarkerExec;
use super::write::{WriteExec, Writing};
use crate::connectors::{Place, Sink, System, shared};
use crate::meter::{BlockMeter, TaskMeters};
use crate::{Error, Result};

/// `plan` as bytes, for a process of the same version.
pub(crate) fn written(plan: Arc<dyn ExecutionPlan>, context: &TaskContext) -> Result<Vec<u8>> {
    let codec = DistributedCodec::new_combined_with_user(context.session_config());
    let converter = DeduplicatingProtoConverter::default();
    Ok(physical_plan_to_bytes_with_proto_converter(plan, &codec, &converter)?.to_vec())
}

/// The plan that was written; its markers count in the context's [`TaskMeters`].
pub(crate) fn read(bytes: &[u8], context: &TaskContext) -> Result<Arc<dyn ExecutionPlan>> {
    let codec = DistributedCodec::new_combined_with_user(context.session_config());
    let converter = DeduplicatingProtoConverter::default();
    Ok(physical_plan_from_bytes_with_proto_converter(bytes, context, &codec, &converter)?)
}

/// The plan of a task as it is done: shared out as `head` says, and with our exchanges.
pub(crate) fn headed(
    plan: Arc<dyn ExecutionPlan>,
    head: ProducerHead,
    context: &TaskContext,
) -> Result<Arc<dyn ExecutionPlan>> {
    let headed = match head {
        ProducerHead::None => plan,
        ProducerHead::RepartitionExec { partitioning } => {
            let input = plan.downcast_ref::<RepartitionExec>().map_or(&plan, RepartitionExec::input);
            let partitioning = partitioning.decode(input.schema(), context)?;
            Arc::new(RepartitionExec::try_new(Arc::clone(input), partitioning)?)
        }
        ProducerHead::BroadcastExec { .. } => return Err(Error::internal("no rows are sent to every task")),
    };
    Ok(exchange::install(headed)?)
}

/// What a plan names and does not hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Needs {
    /// Where files lie that it reads.
    pub(crate) places: BTreeSet<Place>,
    /// Connections that it reads shares through.
    pub(crate) systems: BTreeSet<String>,
    /// Whether it writes.
    pub(crate) sink: bool,
}

/// What a plan names, opened.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) systems: BTreeMap<String, Arc<dyn System>>,
    pub(crate) sink: Option<Arc<dyn Sink>>,
}

/// What must be opened before the plan is read elsewhere.
pub(crate) fn needs(plan: &Arc<dyn ExecutionPlan>) -> Result<Needs> {
    let mut needs = Needs::default();
    plan.apply(|node| {
        if let Some(files) = file_scan(node) {
            match Place::of(&files.object_store_url) {
                Some(place) => needs.places.insert(place),
                None => return internal_err!("`{}` is no place of files", files.object_store_url),
            };
        }
        needs.systems.extend(shared(node).map(|scan| scan.connection().to_owned()));
        needs.sink |= node.is::<WriteExec>();
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(needs)
}

/// The scan of files that a node is.
pub(super) fn file_scan(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref()
}

/// The meters that the plan counts in.
pub(crate) fn meters(plan: &Arc<dyn ExecutionPlan>) -> Result<BTreeMap<BlockId, Arc<BlockMeter>>> {
    let mut meters = BTreeMap::new();
    plan.apply(|node| {
        if let Some(marker) = node.downcast_ref::<BlockMarkerExec>() {
            meters.insert(marker.block().clone(), Arc::clone(marker.meter()));
        }
        if let Some(Writing { root, meter, counts: true, .. }) = node.downcast_ref().map(WriteExec::writing) {
            meters.insert(root.clone(), Arc::clone(meter));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(meters)
}

/// A node of ours on its way.
#[derive(Serialize, Deserialize)]
enum Node {
    Marker { block: BlockId },
    Share { connection: String, share: Value },
    Write { root: BlockId, counts: bool },
}

/// Writes and reads nodes of ours.
#[derive(Debug)]
pub(crate) struct PlanCodec;

impl PhysicalExtensionCodec for PlanCodec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> EngineResult<()> {
        let ours = if let Some(marker) = node.downcast_ref::<BlockMarkerExec>() {
            Node::Marker { block: marker.block().clone() }
        } else if let Some(scan) = shared(&node) {
            Node::Share { connection: scan.connection().to_owned(), share: scan.write()? }
        } else if let Some(write) = node.downcast_ref::<WriteExec>() {
            Node::Write { root: write.writing().root.clone(), counts: write.writing().counts }
        } else {
            return internal_err!("`{}` stays where the attempt is led", node.name());
        };
        serde_json::to_writer(buffer, &ours).map_err(|e| DataFusionError::External(Box::new(e)))
    }

    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let ours = serde_json::from_slice(buffer).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let config = context.session_config();
        let (Some(meters), Some(opened)) = (config.get_extension::<TaskMeters>(), config.get_extension::<Opened>())
        else {
            return internal_err!("a plan was read outside a task");
        };
        match (ours, inputs) {
            (Node::Marker { block }, [input]) => {
                let meter = meters.block(&block);
                Ok(Arc::new(BlockMarkerExec::new(block, meter, Arc::clone(input))))
            }
            (Node::Share { connection, share }, []) => match opened.systems.get(&connection) {
                Some(system) => Ok(system.share(share)?),
                None => internal_err!("connection `{connection}` was not opened"),
            },
            (Node::Write { root, counts }, [input]) => {
                let Some(sink) = opened.sink.clone() else { return internal_err!("`{root}` was not opened") };
                let meter = if counts { meters.block(&root) } else { Arc::default() };
                Ok(Arc::new(WriteExec::new(Writing { sink, root, meter, counts }, Arc::clone(input))))
            }
            _ => internal_err!("a node of ours came with {} inputs", inputs.len()),
        }
    }
}
