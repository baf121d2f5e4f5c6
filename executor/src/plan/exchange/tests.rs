//! The exchange beside the engine's own, under memory pressure, errors, panics, and outputs that nobody reads.

use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::execution::context::SessionContext;
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;
use tempfile::TempDir;

use super::*;
use crate::memory::Budget;
use crate::plan::{Thrift, session};

/// No case takes more than a second.
const LIMIT: Duration = Duration::from_secs(30);

/// `batches` batches of 1000 rows: `id` counts on from `first`, `text` is 100 characters.
fn rows(first: i64, batches: i64) -> Vec<RecordBatch> {
    let batch = |n: i64| {
        let ids = first + n * 1000..first + (n + 1) * 1000;
        let text: StringArray = ids.clone().map(|id| Some(format!("{id:0100}"))).collect();
        let id: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
        RecordBatch::try_from_iter([("id", id), ("text", Arc::new(text) as ArrayRef)]).unwrap()
    };
    (0..batches).map(batch).collect()
}

/// Views instead of texts, as files are read.
fn as_views(batches: Vec<RecordBatch>) -> Vec<RecordBatch> {
    let view = |batch: RecordBatch| {
        let text = arrow::compute::cast(batch.column(1), &arrow::datatypes::DataType::Utf8View).unwrap();
        RecordBatch::try_from_iter([("id", Arc::clone(batch.column(0))), ("text", text)]).unwrap()
    };
    batches.into_iter().map(view).collect()
}

fn table(partitions: &[Vec<RecordBatch>]) -> Arc<dyn ExecutionPlan> {
    MemorySourceConfig::try_new_exec(partitions, partitions[0][0].schema(), None).unwrap()
}

fn by_id(input: Arc<dyn ExecutionPlan>, outputs: usize) -> Arc<dyn ExecutionPlan> {
    let id = col("id", &input.schema()).unwrap();
    Arc::new(RepartitionExec::try_new(input, Partitioning::Hash(vec![id], outputs)).unwrap())
}

/// A context with `pool` bytes that spills into the folder.
fn context(pool: usize) -> (SessionContext, TempDir) {
    let folder = TempDir::new().unwrap();
    let runtime = Budget { ceiling: 0, pool, buffers: 0 }.runtime(folder.path()).unwrap();
    (session(2, pool, Thrift::Usual, runtime), folder)
}

/// All outputs at once, each in a task of its own.
async fn outputs(plan: &Arc<dyn ExecutionPlan>, context: &SessionContext) -> Vec<Result<RecordBatch>> {
    let tasks = (0..plan.output_partitioning().partition_count()).map(|partition| {
        let stream = plan.execute(partition, context.task_ctx()).unwrap();
        tokio::spawn(read(stream))
    });
    let tasks: Vec<_> = tasks.collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(tokio::time::timeout(LIMIT, task).await.expect("an output hangs").unwrap());
    }
    all
}

async fn read(mut stream: SendableRecordBatchStream) -> Result<RecordBatch> {
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        batches.push(batch?);
    }
    Ok(concat_batches(&stream.schema(), &batches)?)
}

fn ids(batch: &RecordBatch) -> Vec<i64> {
    batch.column(0).as_primitive::<Int64Type>().values().to_vec()
}

fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids
}

fn spilled(plan: &Arc<dyn ExecutionPlan>) -> usize {
    plan.metrics().unwrap().spilled_bytes().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_goes_where_the_engine_sends_it() {
    let inputs = [rows(0, 40), rows(100_000, 1), rows(200_000, 25)];
    for inputs in [inputs.clone(), inputs.map(as_views)] {
        let theirs = by_id(table(&inputs), 4);
        let (roomy, _folder) = context(64 << 20);
        let expected: Vec<_> = outputs(&theirs, &roomy).await.into_iter().map(|b| sorted(ids(&b.unwrap()))).collect();
        for pool in [64 << 20, 64 << 10] {
            let (context, _folder) = context(pool);
            let ours = install(by_id(table(&inputs), 4)).unwrap();
            let all = outputs(&ours, &context).await;
            for (batch, expected) in all.into_iter().zip(&expected) {
                let batch = batch.unwrap();
                let text = arrow::compute::cast(batch.column(1), &arrow::datatypes::DataType::Utf8).unwrap();
                let is_whole = |(id, text): (&i64, Option<&str>)| text == Some(&format!("{id:0100}"));
                assert!(ids(&batch).iter().zip(text.as_string::<i32>().iter()).all(is_whole));
                assert_eq!(&sorted(ids(&batch)), expected);
            }
            assert_eq!(context.runtime_env().memory_pool.reserved(), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_output_may_wait_until_the_others_have_ended() {
    let inputs = [rows(0, 40), rows(100_000, 40)];
    let (context, _folder) = context(256 << 10);
    let plan = install(by_id(table(&inputs), 2)).unwrap();
    let late = plan.execute(1, context.task_ctx()).unwrap();
    let early = plan.execute(0, context.task_ctx()).unwrap();
    let early = tokio::time::timeout(LIMIT, read(early)).await.expect("the first output hangs").unwrap();
    assert!(spilled(&plan) > 2_000_000, "{}", spilled(&plan));
    let late = tokio::time::timeout(LIMIT, read(late)).await.expect("the second output hangs").unwrap();
    assert_eq!(early.num_rows() + late.num_rows(), 80_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_input_keeps_its_order_through_files() {
    let (context, _folder) = context(64 << 10);
    let plan = install(by_id(table(&[rows(0, 40)]), 3)).unwrap();
    let first = plan.execute(0, context.task_ctx()).unwrap();
    let rest = [plan.execute(1, context.task_ctx()).unwrap(), plan.execute(2, context.task_ctx()).unwrap()];
    let mut all = vec![read(first).await.unwrap()];
    assert!(spilled(&plan) > 0);
    for stream in rest {
        all.push(read(stream).await.unwrap());
    }
    for batch in &all {
        assert!(ids(batch).is_sorted());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_output_holds_up_nobody() {
    let (context, _folder) = context(1 << 20);
    let plan = install(by_id(table(&[rows(0, 40), rows(100_000, 40)]), 2)).unwrap();
    drop(plan.execute(0, context.task_ctx()).unwrap());
    let rest = plan.execute(1, context.task_ctx()).unwrap();
    let rest = tokio::time::timeout(LIMIT, read(rest)).await.expect("the output hangs").unwrap();
    assert!(rest.num_rows() > 30_000);
    assert_eq!(context.runtime_env().memory_pool.reserved(), 0);
    assert_eq!(spilled(&plan), 0, "rows that nobody reads were written to disk");
}

/// An input that ends badly after some rows.
#[derive(Debug)]
struct Broken {
    schema: SchemaRef,
    panics: bool,
}

impl PartitionStream for Broken {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (batches, panics) = (rows(0, 2).into_iter().map(Ok), self.panics);
        let end = futures::stream::once(async move {
            assert!(!panics, "at its end");
            Err(crate::Error::user("the source is gone").into())
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches).chain(end)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_an_input_ends_every_output() {
    for (panics, message) in [(false, "the source is gone"), (true, "panic below an exchange: at its end")] {
        let schema = rows(0, 1)[0].schema();
        let sources = (0..2).map(|_| Arc::new(Broken { schema: Arc::clone(&schema), panics }) as _).collect();
        let broken = StreamingTableExec::try_new(schema, sources, None, [], false, None).unwrap();
        let (context, _folder) = context(1 << 20);
        let plan = install(by_id(Arc::new(broken), 3)).unwrap();
        for output in outputs(&plan, &context).await {
            assert_eq!(crate::Error::from(output.unwrap_err()).message, message);
        }
    }
}

#[test]
fn it_stands_wherever_an_order_need_not_be_kept() {
    let inputs = [rows(0, 1), rows(1000, 1)];
    let ours = install(by_id(table(&inputs), 2)).unwrap();
    assert_eq!(ours.name(), "ExchangeExec");
    let over = |plan: Arc<dyn ExecutionPlan>| plan.children()[0].name().to_owned();
    let nested = install(by_id(by_id(table(&inputs), 3), 2)).unwrap();
    assert_eq!((nested.name(), over(Arc::clone(&nested)).as_str()), ("ExchangeExec", "ExchangeExec"));
    let theirs = by_id(table(&inputs), 2);
    assert_eq!(ours.output_partitioning(), theirs.output_partitioning());
    let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    let again = Arc::clone(&ours).replace_children(vec![table(&inputs)], anew).unwrap();
    assert_eq!(again.output_partitioning(), theirs.output_partitioning());
    let none = EquivalenceProperties::new(theirs.schema());
    assert_eq!(ours.equivalence_properties().output_ordering(), none.output_ordering());
}
