//! A physical plan in words: which operators, under which block, and what each source is asked.

use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, displayable};
use flowetl_proto::look::Operators;

use super::marker::BlockMarkerExec;

/// The operators of `plan`, grouped by block, the root first.
pub(crate) fn operators(plan: &Arc<dyn ExecutionPlan>) -> Vec<Operators> {
    let mut groups = vec![Operators { block: None, lines: Vec::new(), partitions: partitions(plan) }];
    walk(plan, 0, 0, &mut groups);
    groups.retain(|g| g.block.is_some() || !g.lines.is_empty());
    groups
}

fn walk(plan: &Arc<dyn ExecutionPlan>, group: usize, depth: usize, groups: &mut Vec<Operators>) {
    let (group, depth) = match plan.downcast_ref::<BlockMarkerExec>() {
        Some(marker) => {
            groups.push(Operators {
                block: Some(marker.block().clone()),
                lines: Vec::new(),
                partitions: partitions(plan),
            });
            (groups.len() - 1, 0)
        }
        None => {
            let line = displayable(plan.as_ref()).one_line().to_string();
            groups[group].lines.push(format!("{}{}", "  ".repeat(depth), line.trim_end()));
            (group, depth + 1)
        }
    };
    for child in plan.children() {
        walk(child, group, depth, groups);
    }
}

fn partitions(plan: &Arc<dyn ExecutionPlan>) -> usize {
    plan.output_partitioning().partition_count()
}
