//! A plan on its way to another executor: what is ours in it, and how it is written and read.
//!
//! Only block markers travel. What reads a source in a way of its own, keeps a position or leaves out rows is done by the
//! executor that leads the attempt, see `spread`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as EngineResult, internal_err};
use datafusion::datasource::physical_plan::FileScanConfig;
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

use super::exchange;
use super::marker::BlockMarkerExec;
use crate::connectors::Place;
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

/// Where the files lie that the plan reads.
pub(crate) fn places(plan: &Arc<dyn ExecutionPlan>) -> Result<BTreeSet<Place>> {
    let mut places = BTreeSet::new();
    plan.apply(|node| {
        if let Some(files) = file_scan(node) {
            match Place::of(&files.object_store_url) {
                Some(place) => places.insert(place),
                None => return internal_err!("`{}` is no place of files", files.object_store_url),
            };
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(places)
}

/// The scan of files that a node is.
pub(super) fn file_scan(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref()
}

/// The meters that the plan's markers count in.
pub(crate) fn meters(plan: &Arc<dyn ExecutionPlan>) -> Result<BTreeMap<BlockId, Arc<BlockMeter>>> {
    let mut meters = BTreeMap::new();
    plan.apply(|node| {
        if let Some(marker) = node.downcast_ref::<BlockMarkerExec>() {
            meters.insert(marker.block().clone(), Arc::clone(marker.meter()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(meters)
}

/// Writes and reads block markers.
#[derive(Debug)]
pub(crate) struct MarkerCodec;

impl PhysicalExtensionCodec for MarkerCodec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> EngineResult<()> {
        let Some(marker) = node.downcast_ref::<BlockMarkerExec>() else {
            return internal_err!("`{}` stays where the attempt is led", node.name());
        };
        buffer.extend_from_slice(marker.block().as_str().as_bytes());
        Ok(())
    }

    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let (Ok(block), [input]) = (std::str::from_utf8(buffer), inputs) else {
            return internal_err!("a block marker has a name and one input");
        };
        let Some(meters) = context.session_config().get_extension::<TaskMeters>() else {
            return internal_err!("a plan was read outside a task");
        };
        let block = BlockId::new(block);
        let meter = meters.block(&block);
        Ok(Arc::new(BlockMarkerExec::new(block, meter, Arc::clone(input))))
    }
}
