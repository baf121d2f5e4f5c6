//! What is SQLite's own in writing: every type and back, the table's rules, queries inside the database.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, ListArray,
    RecordBatch, StringDictionaryBuilder, StringViewArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{Int32Type, SchemaRef};
use flowetl_proto::code::Class;
use flowetl_proto::control::{AttemptId, Position};
use flowetl_proto::id::{BlockId, RunId, SegmentId, Token};
use flowetl_proto::pipeline::WriteMode;
use serde_json::Value;

use super::{SqliteFixture, fixture};
use crate::blocks::Made;
use crate::connectors::suite::source_suite::{query, request};
use crate::connectors::suite::{Fixture, batch, booleans, integers, lines, open, texts};
use crate::connectors::{Committed, InDatabaseRequest, Sink, SinkRequest, System};
use crate::{Error, Result};

fn attempt(run: i64) -> AttemptId {
    AttemptId {
        pipeline: "shop".into(),
        run: RunId::new(format!("run-{run}")),
        segment: SegmentId::new("publish"),
        token: Token(run),
    }
}

fn sink_request(fixture: &SqliteFixture, schema: SchemaRef, write: WriteMode, run: i64) -> SinkRequest {
    SinkRequest {
        attempt: attempt(run),
        block: BlockId::new("publish"),
        to: fixture.place("t"),
        write,
        key: vec!["id".into()],
        schema,
        options: Value::Null,
    }
}

async fn stage(sink: &dyn Sink, rows: &RecordBatch) -> Result<Value> {
    sink.begin().await?;
    let mut writer = sink.writer(0).await?;
    writer.write(rows.clone()).await?;
    sink.prepare(&writer.finish().await?).await
}

async fn load(fixture: &SqliteFixture, rows: &RecordBatch, write: WriteMode, run: i64) -> Result<Committed> {
    let sink = open(fixture).await.sink(sink_request(fixture, rows.schema(), write, run)).await?;
    let staged = stage(sink.as_ref(), rows).await?;
    sink.commit(&staged, &[]).await
}

async fn refusal(fixture: &SqliteFixture, rows: &RecordBatch, write: WriteMode) -> String {
    let error: Error = load(fixture, rows, write, 1).await.expect_err("the rows are refused");
    assert_eq!(error.class, Class::User, "{error}");
    error.to_failure().message
}

fn one_column(array: ArrayRef) -> RecordBatch {
    batch([("c", array)])
}

/// A column of every type, with the values at its edges.
fn edges() -> RecordBatch {
    let decimal = |values: &[Option<i128>], precision, scale| -> ArrayRef {
        let array = Decimal128Array::from_iter(values.iter().copied());
        Arc::new(array.with_precision_and_scale(precision, scale).expect("a decimal type"))
    };
    let largest = 10i128.pow(38) - 1;
    let moments =
        [Some(0), Some(-1), Some(253_402_300_799_999_999), Some(-62_167_219_200_000_000), None, Some(1_500_000)];
    batch([
        ("i", integers([Some(i64::MIN), Some(i64::MAX), Some(0), Some(-1), None, Some(1 << 53)])),
        (
            "r",
            Arc::new(Float64Array::from(vec![
                Some(0.1),
                Some(f64::MAX),
                Some(f64::INFINITY),
                Some(f64::MIN_POSITIVE),
                None,
                Some(1e15),
            ])),
        ),
        ("s", texts([Some("a\0b"), Some(""), Some("007"), Some("it's ünï"), None, Some("1e5")])),
        (
            "b",
            Arc::new(BinaryArray::from_opt_vec(vec![
                Some(b"\x00\xff"),
                Some(b""),
                Some(b"12"),
                Some(b"x"),
                None,
                Some(b"y"),
            ])),
        ),
        ("f", booleans([Some(true), Some(false), Some(true), None, None, Some(false)])),
        (
            "d",
            Arc::new(Date32Array::from(vec![Some(0), Some(-719_528), Some(2_932_896), Some(-1), None, Some(19_000)])),
        ),
        (
            "c",
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(0),
                Some(86_399_999_999),
                Some(1),
                Some(60_000_000),
                None,
                Some(5),
            ])),
        ),
        ("at", Arc::new(TimestampMicrosecondArray::from_iter(moments))),
        ("z", Arc::new(TimestampMicrosecondArray::from_iter(moments).with_timezone("UTC"))),
        ("p", decimal(&[Some(1234), Some(-1), Some(0), Some(999_999_999), None, Some(100)], 9, 2)),
        (
            "large",
            decimal(
                &[Some(largest), Some(-largest), Some(1), Some(123_456_789_012_345_678), None, Some(10i128.pow(20))],
                38,
                4,
            ),
        ),
        ("whole", decimal(&[Some(largest), Some(1 << 62), Some(-1), Some(0), None, Some(10)], 38, 0)),
    ])
}

/// What is written is read back as the same Arrow values, of the same Arrow types.
#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let rows = edges();
    for (run, write) in [(1, WriteMode::Replace), (2, WriteMode::Replace)] {
        let fixture = fixture("wal");
        if run == 2 {
            // Into the table that a first load made.
            load(&fixture, &rows.slice(0, 1), write, 1).await.expect("loaded");
        }
        load(&fixture, &rows, write, run).await.expect("loaded");
        let provider = open(&fixture).await.source(request(&fixture, "t")).await.expect("the table is there");
        let found = query(provider, "select * from t").await;
        let types = |schema: SchemaRef| schema.fields().iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
        assert_eq!(types(found[0].schema()), types(rows.schema()));
        assert_eq!(lines(&found), lines(std::slice::from_ref(&rows)));
    }
}

#[tokio::test]
async fn narrow_and_encoded_types_are_widened() {
    let fixture = fixture("wal");
    let mut words = StringDictionaryBuilder::<Int32Type>::new();
    words.extend([Some("x"), None, Some("x")]);
    let rows = batch([
        ("i", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]))),
        ("r", Arc::new(Float32Array::from(vec![1.5, 0.25, -2.0]))),
        ("v", Arc::new(StringViewArray::from(vec!["a", "b", "c"]))),
        ("w", Arc::new(words.finish())),
        ("n", Arc::new(TimestampNanosecondArray::from(vec![1000, 2000, 0]))),
    ]);
    load(&fixture, &rows, WriteMode::Replace, 1).await.expect("loaded");
    let provider = open(&fixture).await.source(request(&fixture, "t")).await.expect("the table is there");
    assert_eq!(
        lines(&query(provider, "select i, u, r, v, w, cast(n as bigint) from t").await),
        ["1|18446744073709551615|1.5|a|x|1", "2|0|0.25|b|null|2", "3|1|-2.0|c|x|0"]
    );
}

#[tokio::test]
async fn what_would_be_lost_is_refused_by_name() {
    let fixture = fixture("wal");
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
    for (rows, reason) in [
        (one_column(Arc::new(Float64Array::from(vec![f64::NAN]))), "SQLite keeps no NaN"),
        (one_column(Arc::new(TimestampNanosecondArray::from(vec![1]))), "column `c` holds nanoseconds"),
        (one_column(Arc::new(Date32Array::from(vec![3_000_000]))), "outside the years 0 to 9999"),
        (one_column(Arc::new(list)), "SQLite has no type for List"),
        (batch([("c", integers([1])), ("C", integers([2]))]), "takes the columns `c` and `C` for the same"),
    ] {
        let message = refusal(&fixture, &rows, WriteMode::Replace).await;
        assert!(message.contains(reason), "{message}");
    }
    fixture.execute(
        "create table t (id integer, c integer, d numeric, must text not null default 'x', g integer as (id + 1)); \
         create view v as select 1 as id",
    );
    for (rows, reason) in [
        (batch([("id", integers([1])), ("c", texts(["5"]))]), "is `INTEGER`, but the rows bring Utf8"),
        (batch([("id", integers([1])), ("d", texts(["007"]))]), "the text `007` would become a number"),
        (batch([("id", integers([1])), ("g", integers([1]))]), "is computed by the table itself"),
        (batch([("idd", integers([1]))]), "the key column `id` is not among the rows"),
    ] {
        let message = refusal(&fixture, &rows, WriteMode::Merge).await;
        assert!(message.contains(reason), "{message}");
    }
    let mut request = sink_request(&fixture, one_column(integers([1])).schema(), WriteMode::Append, 1);
    request.to = fixture.place("v");
    let error = open(&fixture).await.sink(request).await.expect_err("a view takes no rows");
    assert_eq!(error.to_string(), "`v` of `shop` is a view; rows can be loaded into tables only");
    assert_eq!(fixture.rows("t").await, Some(Vec::new()));
}

/// A row that the table refuses at the commit leaves nothing of the load behind.
#[tokio::test]
async fn the_tables_own_rules_hold() {
    let fixture = fixture("wal");
    fixture.execute("create table t (id integer, name text unique, check (id < 100)); insert into t values (1, 'a')");
    for rows in [
        batch([("id", integers([2, 3])), ("name", texts(["b", "a"]))]),
        batch([("id", integers([2, 200])), ("name", texts(["b", "c"]))]),
    ] {
        let message = refusal(&fixture, &rows, WriteMode::Append).await;
        assert!(message.contains("constraint failed"), "{message}");
        assert_eq!(fixture.rows("t").await, Some(vec!["1|a".into()]));
    }
}

/// Replacing keeps the table's definition, its indexes and triggers, and rows of other tables that refer to it.
#[tokio::test]
async fn replacing_keeps_what_belongs_to_the_table() {
    let fixture = fixture("delete");
    fixture.execute(
        "pragma foreign_keys = on; create table t (id integer primary key, name text not null default 'none'); \
         create index by_name on t (name); create view v as select count(*) as n from t; create table log (id integer); \
         create trigger noted after insert on t begin insert into log values (new.id); end; \
         insert into t values (1, 'a'), (2, 'b'); \
         create table child (t_id integer references t (id) on delete cascade); insert into child values (1)",
    );
    let rows = batch([("id", integers([1, 3])), ("name", texts(["A", "c"]))]);
    load(&fixture, &rows, WriteMode::Replace, 1).await.expect("replaced");
    assert_eq!(fixture.rows("t").await, Some(vec!["1|A".into(), "3|c".into()]));
    assert_eq!(fixture.rows("child").await, Some(vec!["1".into()]));
    assert_eq!(fixture.rows("v").await, Some(vec!["2".into()]));
    let message = refusal_in_run(&fixture, &rows.slice(1, 1), 2).await;
    assert!(message.contains("break a foreign key"), "{message}");
    assert_eq!(fixture.rows("t").await, Some(vec!["1|A".into(), "3|c".into()]));
    // Other columns: the table is made anew, with what still fits it.
    let other = batch([("id", integers([1])), ("name", texts(["x"])), ("more", booleans([true]))]);
    load(&fixture, &other, WriteMode::Replace, 3).await.expect("replaced");
    let narrow = batch([("id", integers([1])), ("name", texts(["y"]))]);
    let sink = open(&fixture).await.sink(sink_request(&fixture, narrow.schema(), WriteMode::Replace, 4)).await;
    let shown = sink.expect("a sink").describe();
    assert_eq!(shown, "`t` of `shop`: replaces all rows, rebuilds the table: drops column more");
    load(&fixture, &narrow, WriteMode::Replace, 4).await.expect("replaced");
    fixture.execute("insert into t values (9, 'z'); drop index by_name");
    assert_eq!(fixture.rows("log").await.map(|rows| rows.len()), Some(2 + 2 + 1 + 1 + 1));
}

async fn refusal_in_run(fixture: &SqliteFixture, rows: &RecordBatch, run: i64) -> String {
    load(fixture, rows, WriteMode::Replace, run).await.expect_err("refused").to_failure().message
}

/// Without a write-ahead log a commit waits for readers; the reads of the same system end once all rows are staged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_loaded_into_the_file_it_was_read_from() {
    let fixture = fixture("delete");
    let rows = batch([("id", integers([1, 2])), ("name", texts(["a", "b"]))]);
    fixture.make("t", &rows).await;
    let system: Arc<dyn System> = open(&fixture).await;
    let provider = system.source(request(&fixture, "t")).await.expect("the table is there");
    let sink = system.sink(sink_request(&fixture, rows.schema(), WriteMode::Append, 1)).await.expect("a sink");
    let read = query(Arc::clone(&provider), "select * from t").await;
    let staged = stage(sink.as_ref(), &read[0]).await.expect("staged");
    let position = Position { column: "id".into(), data_type: "Int64".into(), value: "2".into() };
    let positions = [(BlockId::new("orders"), position)];
    assert_eq!(sink.commit(&staged, &positions).await.expect("committed"), Committed::Done);
    assert_eq!(fixture.rows("t").await.map(|rows| rows.len()), Some(4));
    let record = fixture.rows("_flowetl_commits").await.expect("the commits").remove(0);
    let expected = r#"shop|publish|run-1|1|2|{"orders":{"column":"id","data_type":"Int64","value":"2"}}|"#;
    assert!(record.starts_with(expected), "{record}");
}

#[tokio::test]
async fn a_query_inside_the_database_becomes_a_table() {
    let fixture = fixture("wal");
    fixture.execute(
        "create table t (id integer, p decimal(9,2), d date); \
         insert into t values (1, 1.25, '2024-01-01'), (2, 20.5, '2024-01-02'), (3, null, null)",
    );
    for (run, sql, expected) in [
        (1, "select id, p, d, id * 2 as double from t where p > 2", vec!["2|20.50|2024-01-02|4"]),
        (2, "select id, p, d, id * 2 as double from t where id = 3;", vec!["3|null|null|6"]),
        (3, "select id from t -- all of it", vec!["1", "2", "3"]),
    ] {
        let request_of = || InDatabaseRequest {
            attempt: attempt(run),
            block: BlockId::new("big"),
            connection: "shop".into(),
            sql: sql.into(),
            to: fixture.place("big"),
            made: Made::Table,
        };
        let sink = open(&fixture).await.in_database(request_of()).await.expect("a sink");
        assert_eq!(sink.writers_max(), 0);
        let before = fixture.rows("big").await;
        sink.begin().await.expect("begun");
        let staged = sink.prepare(&[]).await.expect("the query runs");
        assert_eq!(fixture.rows("big").await, before);
        drop(sink);
        let sink = open(&fixture).await.in_database(request_of()).await.expect("a sink");
        for _ in 0..2 {
            assert_eq!(sink.commit(&staged, &[]).await.expect("committed"), Committed::Done);
        }
        sink.discard().await.expect("discarded");
        let provider = open(&fixture).await.source(request(&fixture, "big")).await.expect("the table is there");
        assert_eq!(lines(&query(provider, "select * from t").await), expected);
        assert_eq!(fixture.leftovers().await, Vec::<String>::new());
    }
    let bad = |sql: &str, made| InDatabaseRequest {
        attempt: attempt(9),
        block: BlockId::new("big"),
        connection: "shop".into(),
        sql: sql.into(),
        to: fixture.place("big"),
        made,
    };
    let error = open(&fixture).await.in_database(bad("drop table t", Made::Table)).await.expect_err("not a select");
    assert_eq!(error.to_string(), "the query on `shop` must be one select statement");
    let error = open(&fixture).await.in_database(bad("select 1", Made::View)).await.expect_err("no views");
    assert_eq!(error.to_string(), "views are made in PostgreSQL only: leave `as: view` out");
}
