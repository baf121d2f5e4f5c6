//! What every source must do. Plain DataFusion over the same rows in memory is the oracle.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::{SessionConfig, SessionContext};
use flowetl_proto::code::Class;
use flowetl_proto::id::BlockId;
use futures::StreamExt;
use serde_json::Value;

use super::{Fixture, batch, booleans, context, integers, lines, open, reals, texts};
use crate::connectors::{SourceRequest, System};

/// How long a system may go on after its reader is gone.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

pub fn request(fixture: &dyn Fixture, name: &str) -> SourceRequest {
    SourceRequest {
        block: BlockId::new("orders"),
        from: fixture.place(name),
        options: Value::Object(serde_json::Map::new()),
        quarantine: None,
    }
}

pub async fn query(provider: Arc<dyn TableProvider>, sql: &str) -> Vec<RecordBatch> {
    let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    session.register_table("t", provider).expect("a free name");
    session.sql(sql).await.expect("a plan").collect().await.expect("rows")
}

async fn read(system: &dyn System, fixture: &dyn Fixture, name: &str) -> Vec<RecordBatch> {
    let provider = system.source(request(fixture, name)).await.expect("the place is there");
    query(provider, "select * from t").await
}

fn people() -> RecordBatch {
    batch([
        ("id", integers([Some(1), Some(2), Some(3), Some(4), Some(i64::MAX), None])),
        ("name", texts([Some("Ann"), Some("ann"), Some("Zoë"), Some(""), Some("it's"), None])),
        ("score", reals([Some(1.5), Some(-2.25), Some(0.0), Some(1e300), None, Some(0.1)])),
        ("active", booleans([Some(true), Some(false), None, Some(true), Some(false), Some(true)])),
    ])
}

pub async fn reads_all_rows_with_their_types(fixture: &dyn Fixture) {
    let rows = people();
    fixture.make("people", &rows).await;
    let provider = open(fixture).await.source(request(fixture, "people")).await.expect("the place is there");
    let types = |schema: &arrow::datatypes::Schema| -> Vec<_> {
        schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
    };
    assert_eq!(types(&provider.schema()), types(&rows.schema()));
    assert_eq!(lines(&query(provider, "select * from t").await), lines(&[rows]));
}

/// Projections, filters and limits give the same wherever they are judged.
pub async fn gives_what_the_engine_would_give(fixture: &dyn Fixture) {
    let rows = people();
    fixture.make("people", &rows).await;
    let system = open(fixture).await;
    let filters = [
        "id = 1",
        "id <> 1",
        "id < 3",
        "id >= 3",
        "id in (1, 3, 99)",
        "id not in (1, 3)",
        "id between 2 and 4",
        "id is null",
        "name is not null",
        "name = 'ann'",
        "name <> 'ann'",
        "name > 'a'",
        "name <= 'Zoë'",
        "name in ('Ann', '')",
        "name like 'a%'",
        "score > 0",
        "score <= 0.1",
        "score = 1.5",
        "score <> 1.5",
        "active",
        "not active",
        "active = false",
        "active is null",
        "id = 1 or name = 'it''s'",
        "(id > 1 and score < 1) or active is null",
        "not (id > 2)",
        "id + 1 = 2",
        "upper(name) = 'ANN'",
        "id = 2.0",
        "name = null",
        "id > 9223372036854775806",
    ];
    for filter in filters {
        for columns in ["*", "name, id", "count(*)"] {
            let sql = format!("select {columns} from t where {filter}");
            let memory = MemTable::try_new(rows.schema(), vec![vec![rows.clone()]]).expect("one schema");
            let expected = lines(&query(Arc::new(memory), &sql).await);
            let provider = system.source(request(fixture, "people")).await.expect("the place is there");
            assert_eq!(lines(&query(provider, &sql).await), expected, "{sql}");
        }
    }
    for (sql, count) in [
        ("select * from t limit 2", 2),
        ("select id from t where id > 1 limit 3", 3),
        ("select id from t where active limit 100", 3),
        ("select id from t limit 2 offset 5", 1),
    ] {
        let provider = system.source(request(fixture, "people")).await.expect("the place is there");
        assert_eq!(lines(&query(provider, sql).await).len(), count, "{sql}");
    }
}

pub async fn reads_an_empty_place(fixture: &dyn Fixture) {
    if fixture.lacks().empty {
        return;
    }
    fixture.make("empty", &people().slice(0, 0)).await;
    let provider = open(fixture).await.source(request(fixture, "empty")).await.expect("the place is there");
    assert_eq!(provider.schema().fields().len(), 4);
    assert_eq!(lines(&query(provider, "select * from t").await), Vec::<String>::new());
}

pub async fn names_what_is_missing(fixture: &dyn Fixture) {
    fixture.make("people", &people()).await;
    let error = open(fixture).await.source(request(fixture, "peopel")).await.expect_err("no such place");
    assert_eq!(error.class, Class::User);
    let message = error.to_failure().message;
    assert!(message.contains("peopel") && message.contains("`people`"), "{message}");
}

pub async fn reads_odd_names(fixture: &dyn Fixture) {
    let rows = batch([
        ("Order", integers([1, 2])),
        ("a \"b\"", texts(["x", "y"])),
        ("zażółć", texts(["p", "q"])),
        ("it's", integers([3, 4])),
    ]);
    let name = "odd \"näme\" it's; --";
    fixture.make(name, &rows).await;
    let system = open(fixture).await;
    assert_eq!(lines(&read(system.as_ref(), fixture, name).await), lines(std::slice::from_ref(&rows)));
    let provider = system.source(request(fixture, name)).await.expect("the place is there");
    let found = query(provider, r#"select "zażółć" from t where "a ""b""" = 'y' and "it's" = 4 and "Order" > 1"#).await;
    assert_eq!(lines(&found), ["q"]);
}

pub async fn reads_large_values_in_small_batches(fixture: &dyn Fixture) {
    let large: Vec<String> = (0..5).map(|number| format!("{number}").repeat(700_000)).collect();
    let rows = batch([("id", integers(0..5)), ("text", texts(large.iter().map(String::as_str)))]);
    fixture.make("large", &rows).await;
    let system = open(fixture).await;
    let batches = read(system.as_ref(), fixture, "large").await;
    assert_eq!(lines(&batches), lines(&[rows]));
    // One more value may come in before a batch is seen to be full.
    assert!(batches.iter().all(|batch| batch.num_rows() <= 2), "batches are bounded by bytes");
    drop(system);
    let rows = many();
    fixture.make("many", &rows).await;
    let system = open(fixture).await;
    let mut stream = stream(system.as_ref(), fixture, "many").await;
    let mut count = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch.expect("rows");
        assert!(batch.num_rows() <= context().batch_rows, "batches are bounded by rows");
        count += batch.num_rows();
    }
    assert_eq!(count, rows.num_rows());
}

fn many() -> RecordBatch {
    let names: Vec<String> = (0..60_000).map(|number| format!("name {number}")).collect();
    batch([("id", integers(0..60_000)), ("name", texts(names.iter().map(String::as_str)))])
}

async fn stream(system: &dyn System, fixture: &dyn Fixture, name: &str) -> SendableRecordBatchStream {
    let session = SessionContext::new();
    let provider = system.source(request(fixture, name)).await.expect("the place is there");
    let plan = provider.scan(&session.state(), None, &[], None).await.expect("a plan");
    let partitions = 0..plan.output_partitioning().partition_count();
    let streams: Vec<_> = partitions.map(|p| plan.execute(p, session.task_ctx()).expect("a stream")).collect();
    Box::pin(RecordBatchStreamAdapter::new(plan.schema(), futures::stream::iter(streams).flatten()))
}

pub async fn stops_when_dropped(fixture: &dyn Fixture) {
    fixture.make("many", &many()).await;
    let system = open(fixture).await;
    let mut stream = stream(system.as_ref(), fixture, "many").await;
    stream.next().await.expect("a batch").expect("rows");
    drop((stream, system));
    let stopped = async {
        while fixture.is_busy().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(STOP_TIMEOUT, stopped).await.expect("the system does nothing more for a reader that is gone");
}

pub async fn sees_one_moment(fixture: &dyn Fixture) {
    if fixture.lacks().snapshot {
        return;
    }
    let before = batch([("id", integers([1, 2, 3]))]);
    let after = batch([("id", integers([4]))]);
    fixture.make("first", &before).await;
    fixture.make("second", &before).await;
    let system = open(fixture).await;
    let second = system.source(request(fixture, "second")).await.expect("the place is there");
    assert_eq!(lines(&read(system.as_ref(), fixture, "first").await), ["1", "2", "3"]);
    fixture.add("second", &after).await;
    assert_eq!(lines(&query(second, "select * from t").await), ["1", "2", "3"]);
    assert_eq!(lines(&read(open(fixture).await.as_ref(), fixture, "second").await), ["1", "2", "3", "4"]);
}
