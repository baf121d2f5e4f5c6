//! Which block the nodes of a physical plan work for: the one whose marker stands next above them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion_distributed::NetworkBoundaryExt;
use flowetl_proto::id::BlockId;

use super::exchange;
use super::marker::BlockMarkerExec;
use super::write::WriteExec;
use crate::meter::BlockMeter;

/// A block with its meter.
pub(crate) type Owner = (BlockId, Arc<BlockMeter>);

/// Bytes that operators of the plan have spilled, by block; `top` is whom those above all markers work for. What is done by
/// tasks of its own is not in it.
pub(crate) fn spilled(plan: &Arc<dyn ExecutionPlan>, top: &BlockId) -> BTreeMap<BlockId, u64> {
    let mut spilled = BTreeMap::new();
    add_spilled(plan, top, &mut spilled);
    spilled
}

fn add_spilled(node: &Arc<dyn ExecutionPlan>, owner: &BlockId, spilled: &mut BTreeMap<BlockId, u64>) {
    let owner = node.downcast_ref::<BlockMarkerExec>().map_or(owner, BlockMarkerExec::block);
    if let Some(bytes) = node.metrics().and_then(|metrics| metrics.spilled_bytes()) {
        *spilled.entry(owner.clone()).or_default() += bytes as u64;
    }
    if !node.is_network_boundary() {
        node.children().into_iter().for_each(|child| add_spilled(child, owner, spilled));
    }
}

/// Whom each stage of a spread plan works for above its own markers, by the stage's number.
pub(crate) fn owners(plan: &Arc<dyn ExecutionPlan>, top: Owner) -> HashMap<usize, Owner> {
    let mut owners = HashMap::new();
    add_owners(plan, &top, &mut owners);
    owners
}

fn add_owners(node: &Arc<dyn ExecutionPlan>, owner: &Owner, owners: &mut HashMap<usize, Owner>) {
    let marked = node.downcast_ref::<BlockMarkerExec>().map(|m| (m.block().clone(), Arc::clone(m.meter())));
    let owner = marked.as_ref().unwrap_or(owner);
    match node.as_network_boundary().map(|boundary| boundary.input_stage()) {
        Some(stage) => {
            owners.insert(stage.num(), owner.clone());
            if let Some(plan) = stage.local_plan() {
                add_owners(plan, owner, owners);
            }
        }
        None => node.children().into_iter().for_each(|child| add_owners(child, owner, owners)),
    }
}

/// Whether the streams of the top tell by themselves all that happens there: it is a marker, but for sharing out its rows, or
/// it writes.
pub(crate) fn is_marked(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<BlockMarkerExec>()
        || plan.is::<WriteExec>()
        || (exchange::is_exchange(plan) && plan.children().into_iter().all(is_marked))
}
