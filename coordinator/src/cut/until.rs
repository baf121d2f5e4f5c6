//! A part of a pipeline: one block and all that it needs.

use std::collections::BTreeSet;

use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Pipeline;

use super::{TEST, tested};

/// The pipeline without everything that `block` does not need, or `None` where there is no such block.
///
/// Tests of a kept block stay, with what they read, so that a load is gated as it is in the whole pipeline.
pub fn until(pipeline: &Pipeline, block: &BlockId) -> Option<Pipeline> {
    pipeline.blocks.get(block)?;
    let mut kept = needs(pipeline, block);
    loop {
        let mut more = BTreeSet::new();
        for test in pipeline.blocks.values().filter(|b| b.kind == TEST && !kept.contains(&b.id)) {
            // A test that waits for the asked block comes after the end.
            if tested(test).is_some_and(|t| kept.contains(&t)) && !test.after.contains(block) {
                more.extend(needs(pipeline, &test.id));
            }
        }
        if more.is_empty() {
            break;
        }
        kept.extend(more);
    }
    let mut part = pipeline.clone();
    part.blocks.retain(|id, _| kept.contains(id));
    Some(part)
}

fn needs(pipeline: &Pipeline, block: &BlockId) -> BTreeSet<BlockId> {
    let mut found = BTreeSet::new();
    let mut stack = vec![block];
    while let Some(id) = stack.pop() {
        if found.insert(id.clone())
            && let Some(block) = pipeline.blocks.get(id)
        {
            stack.extend(block.inputs.iter().map(|i| &i.block).chain(&block.after));
        }
    }
    found
}
