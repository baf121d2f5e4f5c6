//! Joins that make many batches of few rows let others have their thread in between.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result as EngineResult;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{CrossJoinExec, NestedLoopJoinExec};

/// The engine's sources yield, and so does whoever polls them; these joins make millions of batches without polling any, in
/// which time nobody can cancel them.
#[derive(Debug)]
pub(super) struct Yielding;

impl PhysicalOptimizerRule for Yielding {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let wrap = |node: Arc<dyn ExecutionPlan>| {
            let multiplies = node.is::<CrossJoinExec>() || node.is::<NestedLoopJoinExec>();
            Ok(if multiplies {
                Transformed::yes(Arc::new(CooperativeExec::new(node)) as _)
            } else {
                Transformed::no(node)
            })
        };
        plan.transform_up(wrap).data()
    }

    fn name(&self) -> &'static str {
        "yielding"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
