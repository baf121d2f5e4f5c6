//! The engine's session for one attempt: fixed settings, so that the same attempt always plans the same way.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::error::Result as EngineResult;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::{SessionConfig, SessionContext};
use serde::{Deserialize, Serialize};

use super::exchange;
use super::marker::MarkerPlanner;
use super::yielding::Yielding;
use crate::memory::Lane;

/// How much an attempt may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Thrift {
    /// As fast as the ceiling allows.
    Usual,
    /// After the memory was not enough: joins that spill, half the streams but two at least, small batches.
    Frugal,
}

/// Rows per batch aimed at.
pub(crate) const BATCH_ROWS: usize = 8192;
/// Bytes per batch aimed at, which wide rows reach first.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// A session for `parallelism` streams within `pool_bytes` of memory.
pub(crate) fn session(
    parallelism: usize,
    pool_bytes: usize,
    thrift: Thrift,
    runtime: Arc<RuntimeEnv>,
) -> SessionContext {
    let (partitions, batch_rows) = match thrift {
        Thrift::Usual => (parallelism, BATCH_ROWS),
        // In one stream the engine always joins by hash, which does not spill. Each sort, and each part of an exchange,
        // must hold a few batches of its share of the pool before it can spill: small batches fit.
        Thrift::Frugal => ((parallelism / 2).max(2), BATCH_ROWS / 8),
    };
    // A thrifty attempt has fewer streams and no more memory.
    let lane = if thrift == Thrift::Usual { Lane::new(pool_bytes, partitions) } else { Lane::Narrow };
    let mut config = SessionConfig::new()
        .with_extension(Arc::new(lane))
        .with_target_partitions(partitions)
        .with_batch_size(batch_rows)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(true);
    let options = config.options_mut();
    options.optimizer.prefer_hash_join = thrift == Thrift::Usual;
    // A sort sets this aside for its merge, per stream, before the first row: it must fit a small pool.
    options.execution.sort_spill_reservation_bytes = (pool_bytes / (8 * partitions)).clamp(256 << 10, 10 << 20);
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
    let builder = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features();
    let builder = builder.with_physical_optimizer_rule(Arc::new(Yielding));
    #[cfg(test)]
    let builder = crate::tests::odd::with_functions(builder);
    let planner = Arc::new(ExchangingPlanner(Arc::new(MarkingPlanner)));
    SessionContext::new_with_state(builder.with_query_planner(planner).build())
}

/// The engine's planner, taught about block markers.
#[derive(Debug)]
pub(super) struct MarkingPlanner;

#[async_trait]
impl QueryPlanner for MarkingPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(MarkerPlanner)]);
        planner.create_physical_plan(plan, session).await
    }
}

/// Another planner, with our exchanges instead of the engine's.
#[derive(Debug)]
pub(super) struct ExchangingPlanner(pub(super) Arc<dyn QueryPlanner + Send + Sync>);

#[async_trait]
impl QueryPlanner for ExchangingPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        exchange::install(self.0.create_physical_plan(plan, session).await?)
    }
}
