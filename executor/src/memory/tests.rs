//! Work several times larger than its memory: it spills, or it says that memory is not enough; it never hangs.

use std::time::Duration;

use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use flowetl_proto::code::Class;
use futures::StreamExt;
use tempfile::TempDir;

use super::*;
use crate::plan::{Thrift, select, session};

const LIMIT: Duration = Duration::from_secs(20);

/// Rows of a query in `partitions` streams within `pool` bytes, every partition in a task of its own as operators are.
async fn rows(sql: &str, partitions: usize, pool: usize, thrift: Thrift) -> Result<u64> {
    let folder = TempDir::new().unwrap();
    let budget = Budget { ceiling: 0, pool, buffers: 0 };
    let context = session(partitions, pool, thrift, budget.runtime(folder.path())?);
    let plan = select(&context, sql).await?;
    let plan = context.state().create_physical_plan(&plan).await?;
    let counted = tokio::time::timeout(LIMIT, count(plan, context.task_ctx())).await;
    let counted = counted.unwrap_or_else(|_| panic!("hangs in {partitions} partitions of {} MiB: {sql}", pool >> 20));
    drop(context);
    // What runs on a thread of its own gives its files back a moment later.
    let empty = || std::fs::read_dir(folder.path()).unwrap().next().is_none();
    let emptied = async {
        while !empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, emptied).await.unwrap_or_else(|_| panic!("the spill folder is not empty after {sql}"));
    counted
}

async fn count(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Result<u64> {
    let mut tasks = tokio::task::JoinSet::new();
    for partition in 0..plan.output_partitioning().partition_count() {
        let (plan, context) = (Arc::clone(&plan), Arc::clone(&context));
        tasks.spawn(async move {
            let mut stream = plan.execute(partition, context)?;
            let mut rows = 0;
            while let Some(batch) = stream.next().await {
                rows += batch?.num_rows() as u64;
            }
            Ok::<_, Error>(rows)
        });
    }
    let mut sum = 0;
    while let Some(rows) = tasks.join_next().await {
        sum += rows.unwrap()?;
    }
    Ok(sum)
}

/// About 30 MB of rows.
const WIDE: &str = "select v as id, v % 97 as g, arrow_cast(md5(v::varchar), 'Utf8') as a,
                           arrow_cast(md5((v + 1)::varchar), 'Utf8') as b
                    from generate_series(1, 200000) as t(v)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn larger_than_memory_spills_or_says_so() {
    let cases = [
        (format!("select * from ({WIDE}) order by a"), 200_000),
        (format!("select a, count(*) as n, min(b) as b from ({WIDE}) group by a"), 200_000),
        (format!("select x.id, y.a from ({WIDE}) x join ({WIDE}) y on x.a = y.a"), 200_000),
        (format!("select id, row_number() over (partition by g order by a) as n from ({WIDE})"), 200_000),
    ];
    let mut refused = Vec::new();
    for (sql, expected) in &cases {
        for partitions in [1, 2, 4] {
            for pool in [2 << 20, 16 << 20] {
                for thrift in [Thrift::Usual, Thrift::Frugal] {
                    match rows(sql, partitions, pool, thrift).await {
                        Ok(rows) => assert_eq!(rows, *expected, "{sql}"),
                        Err(error) => {
                            assert_eq!(error.class, Class::Resource, "{error}: {sql}");
                            refused.push((pool >> 20, thrift, partitions, sql));
                        }
                    }
                }
            }
        }
    }
    // Two megabytes are too few for some; a thrifty try of the size that the smallest ceiling gives must work.
    let must_work = |(pool, thrift, partitions, _): &&(usize, Thrift, usize, &String)| {
        *pool == 16 && *thrift == Thrift::Frugal && *partitions <= 2
    };
    let wrong: Vec<_> = refused.iter().filter(must_work).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_that_does_not_fit_works_thriftily() {
    let sql = format!("select x.id, y.b from ({WIDE}) x join ({WIDE}) y on x.a = y.a");
    let error = rows(&sql, 2, 10 << 20, Thrift::Usual).await.unwrap_err();
    assert_eq!(error.class, Class::Resource, "{error}");
    assert_eq!(rows(&sql, 2, 10 << 20, Thrift::Frugal).await.unwrap(), 200_000);
}

/// A shape that hangs engines whose exchange reads its spilled files one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spilling_exchange_does_not_hang() {
    let sql = "select g, count(distinct trace) as n
               from (select v % 13 as g, md5(cast(v % 337 as varchar)) as trace from generate_series(1, 400000) as s(v))
               group by g";
    for _ in 0..6 {
        match rows(sql, 2, 2 << 20, Thrift::Usual).await {
            Ok(rows) => assert_eq!(rows, 13),
            Err(error) => assert_eq!(error.class, Class::Resource, "{error}"),
        }
    }
}

#[test]
fn the_ceiling_is_shared_out() {
    assert!(Budget::new(Some(SMALLEST_CEILING - 1)).unwrap_err().message.starts_with("`memory` is 95 MB"));
    for ceiling in [SMALLEST_CEILING, 128_000_000, 192 << 20, DEFAULT_CEILING, 64 << 30] {
        let budget = Budget::new(Some(ceiling)).unwrap();
        assert_eq!(budget.pool as u64 + budget.buffers as u64 + BASE_BYTES, ceiling);
        assert!(budget.pool >= 16 << 20 && budget.buffers >= 14_000_000, "{budget:?}");
        assert!(budget.buffers <= budget.pool && budget.buffers <= 256 << 20, "{budget:?}");
    }
    assert_eq!(Budget::new(None).unwrap().ceiling, DEFAULT_CEILING);
}

#[test]
fn row_groups_fit_their_share_of_the_ceiling() {
    let bytes = |ceiling, writers| Budget::new(ceiling).unwrap().row_group_bytes(writers);
    assert_eq!(bytes(None, 2), 8 << 20);
    assert_eq!(bytes(Some(96_000_000), 64), 1 << 20);
    let budget = Budget::new(Some(128_000_000)).unwrap();
    assert!(budget.row_group_bytes(2) * 2 * 2 <= budget.buffers / 2, "{budget:?}");
}
