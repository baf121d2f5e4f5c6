//! Reading: push-down, slices, one snapshot, cancelling, names that are odd or wrong.

use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::TableProvider;
use datafusion::physical_plan::{displayable, execute_stream};
use flowetl_proto::code::Class;
use flowetl_proto::pipeline::Reference;
use futures::StreamExt;

use super::{engine, query, rows, select, source, table, texts, with_database};

/// A table of several slices: 300,000 rows in some 40 MB.
const WIDE: &str = "create table t as select i as id, repeat('x', 100) as filler, (i % 7)::int2 as week \
    from generate_series(1, 300000) i; analyze t";

#[tokio::test(flavor = "multi_thread")]
async fn slices_read_every_row_once() {
    with_database(|mut db| async move {
        db.run(WIDE).await;
        let provider = db.source(table("t")).await.unwrap();
        let frame = engine(provider).sql("select count(*), count(distinct id), sum(id) from t").await.unwrap();
        let plan = frame.clone().create_physical_plan().await.unwrap();
        let text = displayable(&*plan).indent(false).to_string();
        assert!(text.contains("PostgresScan: select \"id\" from \"public\".\"t\", slices="), "{text}");
        assert!(!text.contains("slices=1\n"), "{text}");
        let found = texts(&frame.collect().await.unwrap());
        assert_eq!(found, [["300000", "300000", "45000150000"]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_are_found_through_an_index() {
    with_database(|mut db| async move {
        db.run(&format!("{WIDE}; create index on t (id); analyze t")).await;
        let cases = [
            ("id between 1000 and 2000", true, "1001"),
            ("id > 1000", false, "299000"),
            // No index helps here.
            ("week = 9", false, "0"),
        ];
        for (condition, in_one, expected) in cases {
            let provider = db.source(table("t")).await.unwrap();
            let frame = engine(provider).sql(&format!("select count(id) from t where {condition}")).await.unwrap();
            let plan = frame.clone().create_physical_plan().await.unwrap();
            let text = displayable(&*plan).indent(false).to_string();
            assert_eq!(text.contains("slices=1\n"), in_one, "{condition}: {text}");
            assert_eq!(texts(&frame.collect().await.unwrap()), [[expected]], "{condition}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_and_heirs_are_read_once() {
    with_database(|mut db| async move {
        db.run(
            "create table t (id int, part int) partition by list (part); \
             create table t1 partition of t for values in (1); create table t2 (part int, id int); \
             alter table t attach partition t2 for values in (2); \
             insert into t select i, 1 + i % 2 from generate_series(1, 1000) i; \
             create table parent (id int); create table child (more int) inherits (parent); \
             insert into parent values (1); insert into child values (2, 2); \
             create view v as select * from t where part = 2",
        )
        .await;
        for (name, expected) in [("t", "1000"), ("parent", "2"), ("v", "500")] {
            let provider = db.source(table(name)).await.unwrap();
            assert_eq!(
                texts(&select(provider, "select count(distinct id) from t").await.unwrap()),
                [[expected]],
                "{name}"
            );
            assert_eq!(rows(&db.read(table(name)).await).to_string(), expected, "{name}");
        }
    })
    .await;
}

/// Conditions and whether the server decides them. Every one must select the same rows as DataFusion does by itself.
const CONDITIONS: &[(&str, bool)] = &[
    ("id = 5", true),
    ("id <> 5 and id > 2 or id is null", true),
    ("not (id between 2 and 4)", true),
    ("id in (1, 2, 3)", true),
    ("id not in (1, 2, 3, 4)", true),
    ("5 > id", true),
    ("id = other", true),
    ("flag", true),
    ("not flag", true),
    ("flag is not true", true),
    ("name = 'Zoë'", true),
    ("name < 'a'", true),
    ("name >= 'ä'", true),
    ("name like 'a%'", true),
    ("name not like '%b_'", true),
    ("name ilike 'A%'", false),
    ("name = e'it\\'s'", true),
    ("price = 1.50", true),
    ("price > -2.25", true),
    ("ratio > 0.5", true),
    ("ratio = 0.0", false),
    ("ratio > 0.0", false),
    ("born = date '2024-02-29'", true),
    ("born < date '1969-12-31'", true),
    ("seen >= timestamp '2024-01-01 00:00:00.000001'", true),
    ("seen_at > timestamp '2024-01-01T00:00:00Z'", true),
    ("token = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", true),
    ("token = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", false),
    ("token > 'b'", false),
    ("padded = 'ab'", false),
    ("padded = 'ab   '", false),
    ("doc = '{\"a\": 1}'", true),
    ("address = '10.0.0.1'", true),
    ("id + 1 = 6", false),
    ("upper(name) = 'ABC'", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn conditions_select_the_same_rows_wherever_they_are_decided() {
    with_database(|mut db| async move {
        db.run(
            "create table t (id int, other int, flag bool, name text, price numeric(9,2), ratio float8, born date, \
             seen timestamp, seen_at timestamptz, token uuid, padded char(5), doc jsonb, address inet); \
             insert into t values \
             (1, 1, true, 'abc', 1.5, 0.5, '2024-02-29', '2024-01-01', '2024-01-01 00:00+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ab', '{\"a\":1}', '10.0.0.1'), \
             (2, 3, false, 'Zoë', -2.25, '-0', '1969-12-30', '2024-01-01 00:00:00.000001', '2024-01-01 01:00+01', 'c0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'abc', '{}', '::1'), \
             (5, 5, null, 'it''s', 0, 'NaN', '9999-12-31', '9999-12-31', '9999-12-31 00:00+00', null, '', null, null), \
             (null, null, true, 'ä', 3, '-infinity', null, null, null, null, null, null, null), \
             (7, 6, true, 'Abba', 100, 0, '2024-02-28', '1900-01-01', '1900-01-01 00:00+00', null, 'x', '[]', '10.0.0.2')",
        )
        .await;
        let everything = db.read(table("t")).await;
        let plain = datafusion::datasource::MemTable::try_new(everything[0].schema(), vec![everything]).unwrap();
        let plain = engine(std::sync::Arc::new(plain));
        let system = db.open().await;
        for (condition, is_pushed) in CONDITIONS {
            let sql = format!("select * from t where {condition}");
            let expected = plain.sql(&sql).await.unwrap().collect().await.unwrap();
            let frame = engine(source(&*system, table("t")).await.unwrap()).sql(&sql).await.unwrap();
            let plan = frame.clone().create_physical_plan().await.unwrap();
            let text = displayable(&*plan).indent(false).to_string();
            assert_eq!(!text.contains("FilterExec"), *is_pushed, "{condition}: {text}");
            assert_eq!(texts(&frame.collect().await.unwrap()), texts(&expected), "{condition}: {text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_reads_of_a_system_see_one_state() {
    with_database(|mut db| async move {
        db.run("create table a (x int); create table b (x int); insert into a values (1); insert into b values (1)")
            .await;
        let system = db.open().await;
        let a = source(&*system, table("a")).await.unwrap();
        let b = source(&*system, table("b")).await.unwrap();
        let sql = "select sum(x) from t";
        assert_eq!(texts(&select(a.clone(), sql).await.unwrap()), [["1"]]);
        db.run("update a set x = 2; update b set x = 2; insert into b values (3)").await;
        for provider in [&a, &b] {
            assert_eq!(texts(&select(provider.clone(), sql).await.unwrap()), [["1"]]);
        }
        // The reads hold no lock, and the state goes with the system.
        db.run("set lock_timeout = '5s'; drop table a").await;
        drop((system, a, b));
        db.until(
            "select count(*) from pg_stat_activity where application_name = 'flowetl' and datname = current_database() \
             and state <> 'idle'",
            "0",
        )
        .await;
        assert_eq!(texts(&select(db.source(table("b")).await.unwrap(), sql).await.unwrap()), [["5"]]);
    })
    .await;
}

/// Reads a table's first batch and lets go of the stream.
async fn first_batch(provider: Arc<dyn TableProvider>) {
    let engine = engine(provider);
    let frame = engine.sql("select * from t").await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let mut stream = execute_stream(plan, engine.task_ctx()).unwrap();
    assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
    drop(stream);
    drop(engine);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stream_leaves_no_query_behind() {
    with_database(|mut db| async move {
        db.run(WIDE).await;
        for from in [table("t"), query("select i, pg_sleep(0.0005)::text from generate_series(1, 1000000) i")] {
            let provider = db.source(from).await.unwrap();
            first_batch(provider).await;
            db.until("select count(*) from pg_stat_activity where application_name = 'flowetl' and datname = current_database() and state <> 'idle'", "0").await;
        }
        // Also one that has not yet given any row.
        let provider = db.source(query("select pg_sleep(600)::text as slept")).await.unwrap();
        let slow = select(provider, "select * from t");
        assert!(tokio::time::timeout(Duration::from_millis(300), slow).await.is_err());
        db.until("select count(*) from pg_stat_activity where query like 'copy%' and datname = current_database()", "0").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_rows_pass_in_batches_of_bounded_bytes() {
    with_database(|mut db| async move {
        db.run("create table t as select i as id, repeat(chr(96 + i), 10000000) as big from generate_series(1, 12) i")
            .await;
        let provider = db.source(table("t")).await.unwrap();
        let batches = select(provider.clone(), "select * from t").await.unwrap();
        assert_eq!((rows(&batches), batches.len()), (12, 12));
        let found = select(provider, "select sum(length(big)), min(big) = repeat('a', 10000000) from t").await.unwrap();
        assert_eq!(texts(&found), [["120000000", "true"]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_are_quoted_and_limits_reach_the_server() {
    with_database(|mut db| async move {
        db.run(
            "create schema \"Sch\"\"ema\"; create table \"Sch\"\"ema\".\"Ta.ble\" (\"sel ect\" int, \"a\"\"b\" text); \
             insert into \"Sch\"\"ema\".\"Ta.ble\" select i, 'x' from generate_series(1, 10) i",
        )
        .await;
        let from = Reference::Table { connection: "db".into(), schema: Some("Sch\"ema".into()), table: "Ta.ble".into() };
        let provider = db.source(from).await.unwrap();
        let frame = engine(provider).sql("select \"a\"\"b\" from t where \"sel ect\" > 3 limit 2").await.unwrap();
        let plan = frame.clone().create_physical_plan().await.unwrap();
        let text = displayable(&*plan).indent(false).to_string();
        let sql = "PostgresScan: select \"a\"\"b\" from \"Sch\"\"ema\".\"Ta.ble\" where (\"sel ect\" > (3)) limit 2, slices=1";
        assert!(text.contains(sql), "{text}");
        assert_eq!(rows(&frame.collect().await.unwrap()), 2);
        let counted = db.source(query("select 1 as one -- a comment")).await.unwrap();
        assert_eq!(texts(&select(counted, "select count(*) from t").await.unwrap()), [["1"]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named_with_its_neighbour() {
    with_database(|mut db| async move {
        db.run("create table orders (id int)").await;
        let missing = |schema: &str, table: &str| Reference::Table {
            connection: "db".into(),
            schema: Some(schema.into()),
            table: table.into(),
        };
        for (from, says) in [
            (missing("public", "order"), "did you mean `orders`?"),
            (missing("publik", "orders"), "did you mean `public`?"),
            (query("select idd from orders"), "column \"idd\" does not exist"),
            (query("select 1 as a, 2 as a"), "two columns `a`"),
            (query("create table x (y int)"), "gives no rows"),
        ] {
            let error = db.source(from).await.unwrap_err();
            assert_eq!(error.class, Class::User);
            assert!(error.message.contains(says), "{}", error.message);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached_is_transient_and_a_wrong_password_is_not_shown() {
    let mut connection = super::connection("");
    connection.port = Some(1);
    let system = crate::connectors::Connector::open(&super::Postgres, connection, super::context()).await.unwrap();
    let error = system.version().await.unwrap_err();
    assert_eq!(error.class, Class::SourceTransient, "{}", error.message);
    let mut connection = super::connection("no_such_database");
    connection.password = Some(flowetl_proto::pipeline::Secret::new("tell-nobody"));
    let system = crate::connectors::Connector::open(&super::Postgres, connection, super::context()).await.unwrap();
    let error = system.version().await.unwrap_err();
    assert_eq!(error.class, Class::User, "{}", error.message);
    assert!(!format!("{error:?} {system:?}").contains("tell-nobody"));
}
