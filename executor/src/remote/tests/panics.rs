//! A panic in each of our own nodes of a plan: whoever reads its rows, here or on another executor, is told of it.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as EngineResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use datafusion_distributed::ProducerHead;
use flowetl_proto::code::Class;
use flowetl_proto::control::{AttemptId, Output};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Block, ConnectionSpec};
use futures::{StreamExt, TryStreamExt};
use indexmap::IndexMap;
use serde_json::json;

use super::super::task::Task;
use crate::tests::world::{World, block, extract, place, sql};
use crate::{Error, Result};

/// Gives the rows of its input and panics instead of the last of them. To whoever is above it, it is the input that does.
#[derive(Debug)]
struct Trap(Arc<dyn ExecutionPlan>);

impl DisplayAs for Trap {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trap")
    }
}

impl ExecutionPlan for Trap {
    fn name(&self) -> &str {
        "Trap"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.0.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.0]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self(children.remove(0))))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let rows = self.0.execute(partition, context)?.peekable();
        let trapped = futures::stream::unfold(rows, |mut rows| async move {
            let next = rows.next().await?;
            assert!(std::pin::Pin::new(&mut rows).peek().await.is_some(), "this node is a trap");
            Some((next, rows))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), trapped)))
    }
}

/// What a segment is made of.
struct Case {
    /// The node that becomes a trap.
    node: &'static str,
    blocks: Vec<Block>,
    /// What `rows` had read before.
    schema: Option<Schema>,
}

impl Case {
    fn new(node: &'static str, rows: Block, query: &str) -> Self {
        Self { node, blocks: vec![rows, sql("out", &["rows"], query)], schema: None }
    }
}

fn cases() -> Vec<Case> {
    let orders = || extract("rows", "shop", "orders");
    let with = |settings| block("rows", "extract", &[], settings);
    let all = "select * from rows";
    let query = json!({"query": {"connection": "server", "query": "select n from generate_series(1, 20000) n"}});
    let sync = json!({"extract": place("shop", "orders"), "sync": {"cursor": "id", "key": "id"}});
    let adapted = json!({"extract": place("shop", "orders"), "schema": {"types": "discard_value"}});
    let schema = Schema::new(vec![Field::new("total", DataType::Int32, true)]);
    vec![
        Case::new("SqliteScan", orders(), all),
        Case::new("PostgresScan", with(json!({"extract": query})), all),
        Case::new("TextScan", extract("rows", "lake", "rows.csv"), all),
        Case::new("Block", orders(), all),
        Case::new("ExchangeExec", orders(), "select customer_id, count(*) as n from rows group by customer_id"),
        Case::new("Cursor", with(sync), all),
        Case { schema: Some(schema), ..Case::new("Adapt", with(adapted), all) },
    ]
}

/// The world with a connection `server` to PostgreSQL and a file of text.
async fn world() -> World {
    let mut world = World::new(2).await;
    let url = std::env::var("FLOWETL_TEST_POSTGRES")
        .expect("`FLOWETL_TEST_POSTGRES` names no PostgreSQL server for this test; `deploy/test.sh` starts one");
    let url = url::Url::parse(&url).unwrap();
    let server = ConnectionSpec {
        scheme: "postgres".into(),
        host: url.host_str().map(|host| host.into()),
        port: url.port(),
        user: Some(url.username().into()),
        password: url.password().map(|password| password.into()),
        path: url.path().trim_start_matches('/').into(),
        options: IndexMap::new(),
    };
    world.connections.insert("server".into(), server);
    let lines = (0..20_000).map(|n| format!("{n},line {n}\n")).collect::<String>();
    std::fs::write(world.folder.path().join("lake/rows.csv"), format!("n,text\n{lines}")).unwrap();
    world
}

/// The plan of a case with its trap, and what to execute it in.
async fn trapped(world: &World, case: &Case) -> (Arc<dyn ExecutionPlan>, Arc<TaskContext>) {
    let remembered = case.schema.iter().map(|schema| (BlockId::new("rows"), Arc::new(schema.clone()))).collect();
    let compiled = world.compile_after(case.blocks.clone(), remembered).await.unwrap();
    let plan = compiled.physical(compiled.rows(&BlockId::new("out")).unwrap()).await.unwrap();
    let mut traps = 0;
    let plan = plan.transform_up(|node| {
        if node.name() != case.node {
            return Ok(Transformed::no(node));
        }
        traps += 1;
        Ok(Transformed::yes(Arc::new(Trap(node))))
    });
    let plan = plan.data().unwrap();
    assert!(traps > 0, "there is no `{}` in the plan", case.node);
    (plan, compiled.context.task_ctx())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_tells_of_a_panic_in_any_node() {
    let world = world().await;
    for case in cases() {
        let (plan, context) = trapped(&world, &case).await;
        let partitions = plan.output_partitioning().partition_count();
        let attempt: AttemptId = world.attempt("r", 1, case.blocks.clone(), Output::Boundary).id;
        let task = Arc::new(Task::new(attempt, plan, context, (BlockId::new("out"), Arc::default())));
        let read = (0..partitions).map(|partition| {
            let task = Arc::clone(&task);
            async move { Ok(task.rows(partition, ProducerHead::None)?.try_for_each(|_| async { Ok(()) }).await?) }
        });
        is_told(&case, futures::future::join_all(read).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leads_tells_of_a_panic_in_any_node() {
    let world = world().await;
    for case in cases() {
        let (plan, context) = trapped(&world, &case).await;
        let read = (0..plan.output_partitioning().partition_count()).map(|partition| {
            let (plan, context) = (Arc::clone(&plan), Arc::clone(&context));
            // As an operator does.
            tokio::spawn(async move { Ok(plan.execute(partition, context)?.try_for_each(|_| async { Ok(()) }).await?) })
        });
        let ends = futures::future::join_all(read).await.into_iter();
        let ends = ends.map(|end| end.unwrap_or_else(|e| Err(Error::from(crate::operator::ended_early(e)))));
        is_told(&case, ends.collect());
    }
}

/// Some reader has heard of it, and none of anything else.
fn is_told(case: &Case, ends: Vec<Result<()>>) {
    let failures: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
    assert!(!failures.is_empty(), "the panic in `{}` went unheard", case.node);
    for failure in failures {
        assert_eq!(failure.class, Class::Panic, "`{}`: {failure:?}", case.node);
        assert!(failure.message.contains("this node is a trap"), "`{}`: {failure:?}", case.node);
    }
}
