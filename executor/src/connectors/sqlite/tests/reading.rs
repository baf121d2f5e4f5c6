//! What is SQLite's own in reading: types by declaration, values that break it, filters, queries, threads.

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::{ExecutionPlanProperties, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use flowetl_proto::code::Class;
use flowetl_proto::pipeline::Reference;
use futures::StreamExt;
use serde_json::{Value, json};

use super::{SqliteFixture, fixture};
use crate::connectors::suite::source_suite::{query, request};
use crate::connectors::suite::{Fixture, lines, open};
use crate::connectors::{Quarantine, SourceRequest};
use crate::{Error, Result};

/// Remembers what could not be read.
#[derive(Debug, Default)]
struct Kept {
    refused: Mutex<Vec<(String, String, String)>>,
    read: Mutex<u64>,
}

impl Quarantine for Kept {
    fn put(&self, location: String, row: String, reason: String) -> Result<()> {
        self.refused.lock().expect("not poisoned").push((location, row, reason));
        Ok(())
    }

    fn read(&self, rows: u64) {
        *self.read.lock().expect("not poisoned") += rows;
    }
}

async fn try_source(fixture: &SqliteFixture, request: SourceRequest) -> Result<Arc<dyn TableProvider>> {
    open(fixture).await.source(request).await
}

async fn source(fixture: &SqliteFixture, options: Value) -> Arc<dyn TableProvider> {
    let request = SourceRequest { options, ..request(fixture, "t") };
    try_source(fixture, request).await.expect("the table is there")
}

async fn try_query(provider: Arc<dyn TableProvider>, sql: &str) -> Result<Vec<RecordBatch>> {
    let session = SessionContext::new();
    session.register_table("t", provider)?;
    Ok(session.sql(sql).await?.collect().await?)
}

async fn plan(provider: Arc<dyn TableProvider>, sql: &str) -> String {
    let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    session.register_table("t", provider).expect("a free name");
    let plan = session.sql(sql).await.expect("a plan").create_physical_plan().await.expect("a plan");
    displayable(plan.as_ref()).indent(false).to_string()
}

fn by_query(fixture: &SqliteFixture, sql: &str) -> SourceRequest {
    let from = Reference::Query { connection: "shop".into(), query: sql.into() };
    SourceRequest { from, ..request(fixture, "t") }
}

#[tokio::test]
async fn values_take_the_declared_type() {
    let fixture = fixture("wal");
    fixture.execute(
        "create table t (i bigint, r double, s varchar(9), b blob, f boolean, d date, at datetime, z timestamptz, \
           c time, p decimal(12,2), n numeric, u); \
         insert into t values (-9223372036854775808, 1.5, 'ä', x'00ff', 1, '0001-02-03', '2024-02-29T12:30:00.25Z', \
           '2024-02-29 12:30:00+02:00', '23:59:59.000001', 12.34, 7, 'x'); \
         insert into t values (0, 2, '', x'', 0, '9999-12-31', '2024-02-29', '2024-02-29 12:30', '00:00', -5, 1.5, 2)",
    );
    let provider = source(&fixture, json!({})).await;
    let types: Vec<String> =
        provider.schema().fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    assert_eq!(
        types,
        [
            "i Int64",
            "r Float64",
            "s Utf8",
            "b Binary",
            "f Boolean",
            "d Date32",
            "at Timestamp(µs)",
            "z Timestamp(µs, \"UTC\")",
            "c Time64(µs)",
            "p Decimal128(12, 2)",
            "n Float64",
            "u Utf8",
        ]
    );
    assert_eq!(
        lines(&query(provider, "select * from t").await),
        [
            "-9223372036854775808|1.5|ä|00ff|true|0001-02-03|2024-02-29T12:30:00.250|2024-02-29T10:30:00Z|23:59:59.000001|12.34|7.0|x",
            "0|2.0|||false|9999-12-31|2024-02-29T00:00:00|2024-02-29T12:30:00Z|00:00:00|-5.00|1.5|2",
        ]
    );
}

/// Each value breaks its column's type; each is named, and read with the override that the error proposes.
#[tokio::test]
async fn a_value_that_does_not_fit_is_named_and_never_changed() {
    for (declared, value, shown, fitting) in [
        ("integer", "'x'", "the text `x`", "utf8"),
        ("integer", "1.5", "the real `1.5`", "utf8"),
        ("real", "'1,5'", "the text `1,5`", "utf8"),
        ("text", "x'ff'", "a blob of 1 bytes", "binary"),
        ("text", "cast(x'ff' as text)", "a text of 1 bytes that is not UTF-8", "binary"),
        ("blob", "'x'", "the text `x`", "utf8"),
        ("boolean", "2", "the integer `2`", "utf8"),
        ("date", "'2024-02-30'", "the text `2024-02-30`", "utf8"),
        ("date", "20240101", "the integer `20240101`", "utf8"),
        ("datetime", "'yesterday'", "the text `yesterday`", "utf8"),
        ("decimal(5,2)", "1.001", "the real `1.001`", "utf8"),
        ("decimal(5,2)", "1000", "the integer `1000`", "utf8"),
        ("decimal(5,2)", "0.1 + 0.2", "the real `0.30000000000000004`", "utf8"),
    ] {
        let fixture = fixture("wal");
        fixture.execute(&format!(
            "create table t (id integer, c {declared}); insert into t (rowid, id, c) values (41, 1, null), (42, 2, {value})"
        ));
        let error = try_query(source(&fixture, json!({})).await, "select * from t").await.expect_err("a misfit");
        assert_eq!(error.class, Class::User);
        let message = error.to_failure().message;
        let start = format!("`t` of `shop` rowid 42: column `c` holds {shown}, which is not ");
        assert!(message.starts_with(&start), "{declared}: {message}");
        assert!(message.ends_with(&format!("; `types: {{c: {fitting}}}` reads it")), "{declared}: {message}");
        let read = try_query(source(&fixture, json!({"types": {"c": fitting}})).await, "select c from t").await;
        assert_eq!(lines(&read.expect("the override reads it")).len(), 2);
        let kept = Arc::new(Kept::default());
        let quarantine = SourceRequest { quarantine: Some(kept.clone()), ..request(&fixture, "t") };
        let provider = try_source(&fixture, quarantine).await.expect("the table is there");
        assert_eq!(
            lines(&query(provider, "select id from t limit 1").await),
            ["1"],
            "only what is asked for is judged"
        );
        let quarantine = SourceRequest { quarantine: Some(kept.clone()), ..request(&fixture, "t") };
        let provider = try_source(&fixture, quarantine).await.expect("the table is there");
        assert_eq!(lines(&query(provider, "select * from t").await), ["1|null"]);
        let refused = kept.refused.lock().expect("not poisoned");
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].0, "`t` of `shop` rowid 42");
    }
}

/// Dirty values of every storage class in every column: with any filter they come through to be named.
#[tokio::test]
async fn filters_hide_no_broken_value() {
    for (declared, filters) in [
        ("integer", vec!["c = 5", "c < 5", "c <= 5", "c > 5", "c <> 5", "c in (1, 2)", "c between 1 and 9"]),
        ("real", vec!["c = 5.5", "c < 5.5", "c > 5.5", "c <> 5.5"]),
        ("text", vec!["c = 'm'", "c < 'm'", "c > 'm'", "c <> 'm'"]),
        ("boolean", vec!["c", "not c", "c = true", "c <> true"]),
        ("date", vec!["c = date '2024-05-05'", "c < date '2024-05-05'", "c > date '2024-05-05'"]),
        (
            "datetime",
            vec![
                "c = timestamp '2024-05-05 12:00:00'",
                "c < timestamp '2024-05-05 12:00:00'",
                "c > timestamp '2024-05-05 12:00:00'",
            ],
        ),
        ("decimal(9,2)", vec!["c = 5.25", "c < 5.25", "c > 5.25"]),
    ] {
        for broken in ["'zz'", "''", "x'00'", "x'ff'", "'2024-13-01'", "'0000'", "x'323032342d30312d3031'"] {
            let fixture = fixture("wal");
            fixture.execute(&format!("create table t (c {declared}); insert into t values ({broken})"));
            if try_query(source(&fixture, json!({})).await, "select * from t").await.is_ok() {
                continue;
            }
            for filter in &filters {
                let sql = format!("select * from t where {filter}");
                let found = try_query(source(&fixture, json!({})).await, &sql).await;
                assert!(found.is_err(), "{declared} {broken}: {filter} hides it");
            }
        }
    }
}

/// Moments are written in several ways and decimals lie as floating numbers; filters judge what they mean.
#[tokio::test]
async fn filters_judge_what_values_mean() {
    let fixture = fixture("wal");
    fixture.execute(
        "create table t (at datetime, p decimal(20,4), d date, name text collate nocase, u); insert into t values \
           ('2024-05-05T12:00:00', 10, '2024-05-05', 'Ann', 1), ('2024-05-05 12:00', 10.0001, '2024-05-06', 'ann', 2), \
           ('2024-05-06T01:00:00+14:00', 9.9999, null, 'bob', 3), ('2024-05-05 12:00:00.000001', -10, '2024-05-04', '', 4), \
           ('2024-05-05', 0.1, '2023-05-05', null, 5), (null, null, '0001-01-01', 'ANN', 6)",
    );
    let mut literals = Vec::new();
    for operator in ["=", "<>", "<", "<=", ">", ">="] {
        literals.push(format!("at {operator} timestamp '2024-05-05 12:00:00'"));
        literals.push(format!("at {operator} timestamp '2024-05-05 11:00:00'"));
        literals.push(format!("p {operator} cast(10 as decimal(20,4))"));
        literals.push(format!("p {operator} cast('0.1' as decimal(20,4))"));
        literals.push(format!("d {operator} date '2024-05-05'"));
        literals.push(format!("name {operator} 'ann'"));
        literals.push(format!("u {operator} 3"));
    }
    let all = query(source(&fixture, json!({})).await, "select * from t").await;
    for filter in literals {
        let sql = format!("select * from t where {filter}");
        let memory = datafusion::datasource::MemTable::try_new(all[0].schema(), vec![all.clone()]).expect("one schema");
        let expected = lines(&query(Arc::new(memory), &sql).await);
        assert_eq!(lines(&query(source(&fixture, json!({})).await, &sql).await), expected, "{filter}");
    }
}

#[tokio::test]
async fn plans_show_the_statement() {
    let fixture = fixture("wal");
    fixture.execute("create table t (id integer primary key, name text, score real, d date)");
    for (sql, expected) in [
        ("select name from t", r#"SqliteScan: select "name", rowid from "t""#),
        (
            "select name from t where id < 5 and score > 1.5 limit 3",
            r#"SqliteScan: select "name", rowid from "t" where "id" < 5 and "score" > 1.5 limit 3"#,
        ),
        (
            "select id from t where name = 'x' or d is null",
            r#"SqliteScan: select "id", rowid from "t" where (("name" = 'x' or "name" >= x'') or "d" is null)"#,
        ),
    ] {
        let found = plan(source(&fixture, json!({})).await, sql).await;
        assert_eq!(found.trim().trim_start_matches("GlobalLimitExec: skip=0, fetch=3\n").trim(), expected);
    }
    let upper = plan(source(&fixture, json!({})).await, "select name from t where upper(name) = 'X' limit 3").await;
    assert!(upper.contains("FilterExec: upper(name@0) = X") && !upper.contains("limit 3"), "{upper}");
    let provider = try_source(&fixture, by_query(&fixture, "select id, name from t -- all")).await.expect("a query");
    let found = plan(provider, "select name from t where id is not null").await;
    let expected = r#"SqliteScan: with "query"("id", "name") as ( select id, name from t -- all ) select "name" from "query" where "id" is not null"#;
    assert_eq!(found.trim(), expected);
}

#[tokio::test]
async fn queries_are_read_like_tables() {
    let fixture = fixture("wal");
    fixture.execute(
        "create table t (id integer, p decimal(9,2), d date); \
         insert into t values (1, 1.25, '2024-01-01'), (2, 2.5, '2024-01-02'), (3, null, null)",
    );
    let sql = "with big as (select * from t where id > 1) select id as \"the id\", p, d, count(*), 'x' || id from big group by 1;";
    let provider = try_source(&fixture, by_query(&fixture, sql)).await.expect("a query");
    let types: Vec<_> = provider.schema().fields().iter().map(|f| f.data_type().to_string()).collect();
    assert_eq!(types, ["Int64", "Decimal128(9, 2)", "Date32", "Int64", "Utf8"]);
    assert_eq!(lines(&query(provider, "select * from t").await), ["2|2.50|2024-01-02|1|x2", "3|null|null|1|x3"]);
    for (sql, reason) in [
        ("select id, id from t", "two columns `id`"),
        ("delete from t", "must be one select statement"),
        ("select absent from t", "no such column: absent"),
        ("select 1; select 2", "refused"),
    ] {
        let error = try_source(&fixture, by_query(&fixture, sql)).await.expect_err("no such query");
        assert_eq!(error.class, Class::User);
        assert!(error.to_failure().message.contains(reason), "{}", error.to_failure().message);
    }
}

/// A column without a declared type has the type of its first values; a later one that differs is named.
#[tokio::test]
async fn undeclared_columns_take_the_type_of_their_first_values() {
    let fixture = fixture("wal");
    fixture.execute(
        "create table t (c); with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500) \
         insert into t select i from n; insert into t values (1.5)",
    );
    let provider = source(&fixture, json!({})).await;
    assert_eq!(provider.schema().field(0).data_type().to_string(), "Int64");
    let error = try_query(provider, "select * from t").await.expect_err("a real among integers");
    assert!(error.to_failure().message.contains("`types: {c: utf8}` reads it"), "{error}");
    let read = query(source(&fixture, json!({"types": {"c": "float64"}})).await, "select sum(c) from t").await;
    assert_eq!(lines(&read), ["1125751.5"]);
    for (types, reason) in [
        (json!({"c": "int"}), "names no type of SQLite"),
        (json!({"cc": "utf8"}), "names the column `cc`, which `t` of `shop` lacks"),
    ] {
        let request = SourceRequest { options: json!({"types": types}), ..request(&fixture, "t") };
        let error = try_source(&fixture, request).await.expect_err("no such type or column");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn threads_read_disjoint_ranges_that_hold_every_row() {
    let fixture = fixture("wal");
    fixture.execute(
        "create table t (id integer primary key, v text); \
         with recursive n(i) as (select -70000 union all select i + 1 from n where i < 70000) \
         insert into t select i, 'v' || i from n where i % 3 <> 0; insert into t values (9223372036854775807, 'last')",
    );
    let provider = source(&fixture, json!({})).await;
    let session = SessionContext::new();
    let plan = provider.scan(&session.state(), None, &[], None).await.expect("a plan");
    assert_eq!(plan.output_partitioning().partition_count(), 2);
    let found = query(provider, "select count(*), count(distinct id), min(id), max(v) from t").await;
    assert_eq!(lines(&found), ["93335|93335|-70000|v9998"]);
}

/// The query has no end of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_stream_ends_a_statement_in_the_middle() {
    let fixture = fixture("delete");
    fixture.execute("create table t (id integer)");
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select cast(i as integer) as i \
         from n where i = 0 or i in (select id from t)";
    let system = open(&fixture).await;
    let request = SourceRequest { options: json!({"types": {"i": "int64"}}), ..by_query(&fixture, endless) };
    let provider = system.source(request).await.expect("a query");
    let session = SessionContext::new();
    let plan = provider.scan(&session.state(), None, &[], None).await.expect("a plan");
    let mut stream = plan.execute(0, session.task_ctx()).expect("a stream");
    assert!(futures::poll!(stream.next()).is_pending());
    drop((stream, plan, provider, system));
    let ended = async {
        while fixture.is_busy().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), ended).await.expect("the read transaction ends");
}

#[tokio::test]
async fn a_missing_file_and_a_foreign_schema_are_named() {
    let fixture = fixture("wal");
    let mut connection = fixture.connection();
    connection.path.push_str("-missing");
    let system = fixture.connector().open(connection, crate::connectors::suite::context()).await.expect("opens lazily");
    let error: Error = system.version().await.expect_err("no such file");
    assert!(error.to_string().ends_with("shop.db-missing` does not exist"), "{error}");
    let from = Reference::Table { connection: "shop".into(), schema: Some("public".into()), table: "t".into() };
    let error =
        try_source(&fixture, SourceRequest { from, ..request(&fixture, "t") }).await.expect_err("no such schema");
    assert_eq!(error.to_string(), "`shop.public.t`: SQLite has only the schema `main`; write `shop.t`");
}
