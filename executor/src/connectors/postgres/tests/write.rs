//! Writing: every mode, every place where an attempt can stop, and what must be kept when a table is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use flowetl_proto::code::Class;
use flowetl_proto::control::Position;
use flowetl_proto::pipeline::WriteMode;

use super::{Database, Loading, attempt, loading, merging, with_database};
use crate::blocks::Made;
use crate::connectors::{Committed, InDatabaseRequest, Sink};

fn batch(ids: &[Option<i32>], name: &str) -> RecordBatch {
    let names: ArrayRef = Arc::new(StringArray::from(vec![name; ids.len()]));
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(Int32Array::from(ids.to_vec())) as ArrayRef, true),
        ("name", names, true),
    ])
    .unwrap()
}

fn numbers(ids: std::ops::Range<i32>, name: &str) -> RecordBatch {
    batch(&ids.map(Some).collect::<Vec<_>>(), name)
}

/// The three modes, the merge with and without an index.
fn modes() -> Vec<Loading> {
    vec![loading("t", WriteMode::Replace), loading("t", WriteMode::Append), merging("t", &["id"])]
}

async fn content(db: &mut Database) -> String {
    db.value("select coalesce(string_agg(id || name, ',' order by id, name), '') from t").await
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_do_what_they_say_and_leave_nothing_behind() {
    with_database(|mut db| async move {
        for (mode, expected) in modes().iter().zip(["2b,3b", "1a,2a,2b,3b", "1a,2b,3b"]) {
            for (setup, key) in [("", "primary key"), ("", ""), ("create view v as select * from t;", "primary key")] {
                let key = if mode.write == WriteMode::Append { "" } else { key };
                db.run(&format!(
                    "drop table if exists t, _flowetl_commits cascade; create table t (id int {key}, name text); \
                    insert into t values (1, 'a'), (2, 'a'); {setup}"
                ))
                .await;
                let batches = [batch(&[Some(2)], "b"), batch(&[Some(3)], "b")];
                assert_eq!(db.load(&attempt("r", 1), mode, &batches).await.unwrap(), Committed::Done);
                assert_eq!(content(&mut db).await, expected, "{:?} {setup} {key}", mode.write);
                assert_eq!(db.leftovers().await, "0");
            }
            db.run("drop table t, _flowetl_commits cascade").await;
            db.load(&attempt("r", 1), mode, &[numbers(1..3, "n")]).await.unwrap();
            assert_eq!(content(&mut db).await, "1n,2n");
            assert_eq!(db.leftovers().await, "0");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_commits_of_a_schema_may_come_at_once() {
    with_database(|mut db| async move {
        for round in 1..=20 {
            db.run("drop table if exists _flowetl_commits").await;
            let mut staged = Vec::new();
            for load in 0..8 {
                let (attempt, rows) = (attempt(&format!("r{load}"), round), numbers(0..1, "n"));
                let sink = db.sink(&attempt, &loading(&format!("t{load}"), WriteMode::Append), rows.schema()).await;
                let sink = sink.unwrap();
                let notes = db.stage(&sink, &[rows]).await.unwrap();
                staged.push((sink, notes));
            }
            let commits = staged.into_iter().map(|(sink, notes)| {
                tokio::spawn(async move { sink.commit(&notes, &[]).await.map_err(|e| e.to_string()) })
            });
            for commit in futures::future::join_all(commits.collect::<Vec<_>>()).await {
                assert_eq!(commit.unwrap(), Ok(Committed::Done));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_seen_before_the_commit_and_all_is_written_once() {
    with_database(|mut db| async move {
        for mode in modes() {
            db.run("drop table if exists t, _flowetl_commits; create table t (id int primary key, name text); insert into t values (0, 'a')").await;
            let batches = [numbers(1..500, "b"), numbers(500..1000, "b")];
            // An attempt that stops before its commit leaves nothing that a discard does not remove.
            let sink = db.sink(&attempt("r", 1), &mode, batches[0].schema()).await.unwrap();
            db.stage(&sink, &batches).await.unwrap();
            assert_eq!(content(&mut db).await, "0a");
            drop(sink);
            let again = db.sink(&attempt("r", 1), &mode, batches[0].schema()).await.unwrap();
            again.discard().await.unwrap();
            again.discard().await.unwrap();
            assert_eq!((content(&mut db).await.as_str(), db.leftovers().await.as_str()), ("0a", "0"));
            // So does one that stops while it writes.
            let sink = db.sink(&attempt("r", 2), &mode, batches[0].schema()).await.unwrap();
            sink.begin().await.unwrap();
            let mut writer = sink.writer(0).await.unwrap();
            writer.write(batches[0].clone()).await.unwrap();
            sink.discard().await.unwrap();
            drop(writer);
            assert_eq!((content(&mut db).await.as_str(), db.leftovers().await.as_str()), ("0a", "0"));
            // The third commits; a second commit of its own, from another process, and of a late attempt change nothing.
            let sink = db.sink(&attempt("r", 4), &mode, batches[0].schema()).await.unwrap();
            let staged = db.stage(&sink, &batches).await.unwrap();
            let position = Position { column: "id".into(), data_type: "Int32".into(), value: "999".into() };
            assert_eq!(sink.commit(&staged, &[("orders".into(), position)]).await.unwrap(), Committed::Done);
            let total = if mode.write == WriteMode::Replace { "999" } else { "1000" };
            db.run("insert into t values (-1, 'later')").await;
            let restarted = db.sink(&attempt("r", 4), &mode, batches[0].schema()).await.unwrap();
            assert_eq!(restarted.commit(&staged, &[]).await.unwrap(), Committed::Done);
            let late = db.sink(&attempt("r", 3), &mode, batches[0].schema()).await.unwrap();
            if mode.write == WriteMode::Append {
                assert_eq!(late.commit(&staged, &[]).await.unwrap(), Committed::Done);
            } else {
                let staged = db.stage(&late, &batches).await.unwrap();
                assert_eq!(late.commit(&staged, &[]).await.unwrap(), Committed::Done);
            }
            late.discard().await.unwrap();
            assert_eq!(db.value("select count(*) from t where id >= 0").await, total);
            assert_eq!(db.value("select count(*) from t where id = -1").await, "1");
            let record = "select concat_ws(' ', pipeline, block, run, token, positions -> 'orders' ->> 'value') from _flowetl_commits";
            assert_eq!(db.value(record).await, "pipe load_block r 4 999");
            assert_eq!(db.leftovers().await, "0");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_prepared_and_is_gone_is_lost() {
    with_database(|mut db| async move {
        for mode in modes() {
            db.run("drop table if exists t, _flowetl_commits; create table t (id int primary key, name text); insert into t values (0, 'a')").await;
            let batches = [numbers(1..10, "b")];
            let sink = db.sink(&attempt("r", 1), &mode, batches[0].schema()).await.unwrap();
            let staged = db.stage(&sink, &batches).await.unwrap();
            if mode.write == WriteMode::Append {
                // The transaction went with its process.
                drop(sink);
            } else {
                sink.discard().await.unwrap();
            }
            let restarted = db.sink(&attempt("r", 1), &mode, batches[0].schema()).await.unwrap();
            assert_eq!(restarted.commit(&staged, &[]).await.unwrap(), Committed::Lost);
            assert_eq!(content(&mut db).await, "0a");
            assert_eq!(db.value("select count(*) from _flowetl_commits").await, "0");
            if mode.write == WriteMode::Merge {
                // A crash of the server empties unlogged tables.
                let sink = db.sink(&attempt("r", 2), &mode, batches[0].schema()).await.unwrap();
                let staged = db.stage(&sink, &batches).await.unwrap();
                let name = db.value("select relname from pg_class where relname like '\\_flowetl\\_%t2'").await;
                db.run(&format!("truncate \"{name}\"")).await;
                assert_eq!(sink.commit(&staged, &[]).await.unwrap(), Committed::Lost);
                sink.discard().await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_keeps_what_belongs_to_the_table() {
    with_database(|mut db| async move {
        let role = format!("flowetl_reader_{}", std::process::id());
        db.run(&format!(
            "create role {role}; create table t (id int primary key, name text default 'd' not null, extra int default 7, \
             constraint named unique (name, id), check (id < 100000)); \
             create index \"Odd Index\" on t (lower(name)) where id > 5; comment on table t is 'it''s'; \
             comment on column t.id is 'key'; comment on index \"Odd Index\" is 'odd'; \
             grant select on t to {role} with grant option; grant insert on t to public; insert into t values (1, 'a')"
        ))
        .await;
        let facts = format!(
            "select (select string_agg(indexdef, ';' order by indexdef) from pg_indexes where tablename = 't'),
                (select string_agg(conname || pg_get_constraintdef(oid), ';' order by conname) from pg_constraint where conrelid = 't'::regclass),
                obj_description('t'::regclass), col_description('t'::regclass, 1), obj_description('\"Odd Index\"'::regclass),
                has_table_privilege('{role}', 't', 'select with grant option')::text, has_table_privilege('{role}', 't', 'insert')::text,
                (select string_agg(column_name || data_type || is_nullable || coalesce(column_default, ''), ';' order by ordinal_position)
                    from information_schema.columns where table_name = 't')"
        );
        let before = db.rows(&facts).await;
        let old = db.value("select 't'::regclass::oid").await;
        db.load(&attempt("r", 1), &loading("t", WriteMode::Replace), &[numbers(1..1000, "b")]).await.unwrap();
        assert_ne!(db.value("select 't'::regclass::oid").await, old);
        assert_eq!(db.rows(&facts).await, before);
        assert_eq!(db.value("select count(*) || ' ' || sum(extra) from t").await, "999 6993");
        // What a check or a unique index refuses is refused before anything is seen.
        let load = loading("t", WriteMode::Replace);
        let error = db.load(&attempt("s", 1), &load, &[batch(&[Some(1), Some(1)], "b")]).await.unwrap_err();
        assert_eq!(error.class, Class::User, "{}", error.message);
        let error = db.load(&attempt("s", 2), &load, &[batch(&[Some(100_000)], "b")]).await.unwrap_err();
        assert_eq!(error.class, Class::User, "{}", error.message);
        assert_eq!(db.value("select count(*) from t").await, "999");
        db.run(&format!("drop owned by {role}; drop role {role}")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_others_need_is_refilled() {
    with_database(|mut db| async move {
        for (n, needs) in [
            "create view v as select id from t",
            "create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger g before update on t for each row execute function f()",
            "create table referring (id int references t)",
            "create publication p for table t",
            "alter table t enable row level security",
            "create sequence s owned by t.id",
        ]
        .iter()
        .enumerate()
        {
            db.run(&format!("create table t (id int primary key, name text); insert into t values (1, 'a'); {needs}")).await;
            let old = db.value("select 't'::regclass::oid").await;
            let load = loading("t", WriteMode::Replace);
            let sink = db.sink(&attempt(&n.to_string(), 1), &load, numbers(0..1, "").schema()).await.unwrap();
            assert!(sink.describe().contains("emptying"), "{needs}: {}", sink.describe());
            db.load(&attempt(&n.to_string(), 1), &load, &[numbers(1..4, "b")]).await.unwrap();
            assert_eq!(content(&mut db).await, "1b,2b,3b", "{needs}");
            assert_eq!(db.value("select 't'::regclass::oid").await, old, "{needs}");
            // One that appears after staging is kept as well.
            db.run("drop publication if exists p; drop table t cascade; drop function if exists f; drop table if exists referring").await;
        }
        db.run("create table t (id int, name text)").await;
        let load = loading("t", WriteMode::Replace);
        let sink = db.sink(&attempt("late", 1), &load, numbers(0..1, "").schema()).await.unwrap();
        let staged = db.stage(&sink, &[numbers(1..4, "b")]).await.unwrap();
        db.run("create view v as select id from t; alter table t add column since int default 1").await;
        assert_eq!(sink.commit(&staged, &[]).await.unwrap(), Committed::Done);
        assert_eq!(db.value("select count(*) || ' ' || sum(since) from t").await, "3 3");
        assert_eq!(db.value("select count(*) from v").await, "3");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_finds_the_table_missing_or_empty() {
    with_database(|mut db| async move {
        db.run("create table t (id int primary key, name text); insert into t select i, 'a' from generate_series(1, 999) i").await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut reader = super::client(&db.name).await;
        let seen = tokio::spawn({
            let stop = Arc::clone(&stop);
            async move {
                let mut polls = 0;
                while !stop.load(Ordering::Relaxed) {
                    let rows = reader.query("select count(*) from t").await.unwrap();
                    assert_eq!(rows[0][0].as_deref(), Some("999"));
                    polls += 1;
                }
                polls
            }
        });
        for run in 0..8 {
            if run == 4 {
                db.run("create view v as select * from t").await;
            }
            db.load(&attempt(&run.to_string(), 1), &loading("t", WriteMode::Replace), &[numbers(1..1000, "b")])
                .await
                .unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        assert!(seen.await.unwrap() > 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_take_the_last_of_equal_keys_and_refuse_none() {
    with_database(|mut db| async move {
        for key in ["primary key", ""] {
            db.run(&format!("drop table if exists t, _flowetl_commits; create table t (id int {key}, name text, kept int default 3); insert into t values (1, 'a', 9)")).await;
            let merge = merging("t", &["id"]);
            // One batch, so that one writer sees them in this order.
            let names: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
            let ids: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 1]));
            let rows = RecordBatch::try_from_iter([("id", ids), ("name", names)]).unwrap();
            db.load(&attempt("1", 1), &merge, &[rows]).await.unwrap();
            assert_eq!(content(&mut db).await, "1z,2y");
            assert_eq!(db.value("select sum(kept) from t").await, "12");
            let error = db.load(&attempt("2", 1), &merge, &[batch(&[None, Some(4), None], "b")]).await.unwrap_err();
            assert_eq!(error.class, Class::User);
            assert!(error.message.contains("2 rows") && error.message.contains("`id`"), "{}", error.message);
            assert_eq!(content(&mut db).await, "1z,2y");
            let sink = db.sink(&attempt("2", 1), &merge, numbers(0..1, "").schema()).await.unwrap();
            sink.discard().await.unwrap();
        }
        let error = db.sink(&attempt("3", 1), &merging("t", &["idd"]), numbers(0..1, "").schema()).await.unwrap_err();
        assert!(error.message.contains("did you mean `id`?"), "{}", error.message);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_added_and_those_that_do_not_fit_are_named() {
    with_database(|mut db| async move {
        for mode in modes() {
            db.run("drop table if exists t, _flowetl_commits; create table t (id int primary key); insert into t values (0)").await;
            let sink = db.sink(&attempt("r", 1), &mode, numbers(0..1, "").schema()).await.unwrap();
            assert!(sink.describe().contains("adds column `name` text"), "{}", sink.describe());
            db.load(&attempt("r", 1), &mode, &[numbers(1..3, "b")]).await.unwrap();
            assert_eq!(db.value("select count(*) from t where name = 'b'").await, "2", "{:?}", mode.write);
        }
        db.run("create table narrow (id int2, name text)").await;
        let error = db
            .sink(&attempt("r", 1), &loading("narrow", WriteMode::Append), numbers(0..1, "").schema())
            .await
            .unwrap_err();
        assert_eq!(error.class, Class::User);
        assert!(["`id`", "Int32", "`smallint`", "cast(id as smallint)"].iter().all(|s| error.message.contains(s)), "{}", error.message);
        let missing = flowetl_proto::pipeline::Reference::Table { connection: "db".into(), schema: Some("publi".into()), table: "x".into() };
        let request = crate::connectors::SinkRequest {
            attempt: attempt("r", 1), block: "b".into(), to: missing, write: WriteMode::Append, key: vec![],
            schema: numbers(0..1, "").schema(), options: serde_json::Value::Null,
        };
        let error = db.open().await.sink(request).await.unwrap_err();
        assert!(error.message.contains("did you mean `public`?"), "{}", error.message);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_becomes_a_table_inside_the_database() {
    with_database(|mut db| async move {
        db.run("create table t (id int, name text); insert into t select i, 'n' from generate_series(1, 100) i").await;
        let make = |run: &str, sql: &str| InDatabaseRequest {
            made: Made::Table,
            attempt: attempt(run, 1),
            block: "made".into(),
            connection: "db".into(),
            sql: sql.into(),
            to: super::table("made"),
        };
        let run = async |sink: Arc<dyn Sink>| {
            assert_eq!(sink.writers_max(), 0);
            sink.begin().await.unwrap();
            let staged = sink.prepare(&[]).await.unwrap();
            (sink.commit(&staged, &[]).await.unwrap(), sink.commit(&staged, &[]).await.unwrap())
        };
        let system = db.open().await;
        let sink = system.in_database(make("1", "select id, name from t where id > 90;")).await.unwrap();
        assert_eq!(run(sink).await, (Committed::Done, Committed::Done));
        db.run("alter table made add primary key (id)").await;
        let sink = system.in_database(make("2", "select id, name from t where id > 50 -- all")).await.unwrap();
        assert_eq!(run(sink).await, (Committed::Done, Committed::Done));
        assert_eq!(db.value("select count(*) from made").await, "50");
        assert_eq!(
            db.value("select count(*) from pg_indexes where tablename = 'made' and indexname = 'made_pkey'").await,
            "1"
        );
        // Another shape makes another table.
        let sink = system.in_database(make("3", "select count(*) as n from t")).await.unwrap();
        assert_eq!(run(sink).await, (Committed::Done, Committed::Done));
        assert_eq!(db.value("select n from made").await, "100");
        assert_eq!(db.leftovers().await, "0");
        assert!(system.in_database(make("4", "drop table t")).await.is_err());
        let wrong = system.in_database(make("5", "select id,\n  nane from t")).await.unwrap_err().message;
        assert!(wrong.contains("nane") && wrong.ends_with("at line 2, column 3"), "{wrong}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_becomes_a_view_and_either_takes_the_others_place() {
    with_database(|mut db| async move {
        db.run("create table t (id int, name text); insert into t select i, 'n' from generate_series(1, 100) i").await;
        let system = db.open().await;
        let make = async |run: &str, sql: &str, made| {
            let (block, connection, to) = ("made".into(), "db".into(), super::table("made"));
            let request = InDatabaseRequest { attempt: attempt(run, 1), block, connection, sql: sql.into(), to, made };
            let sink = system.in_database(request.clone()).await.unwrap();
            sink.begin().await.unwrap();
            let staged = sink.prepare(&[]).await.unwrap();
            // As another process would.
            let sink = system.in_database(request).await.unwrap();
            let committed = sink.commit(&staged, &[]).await;
            assert!(committed.is_err() || sink.commit(&staged, &[]).await.unwrap() == Committed::Done);
            sink.discard().await.unwrap();
            committed.map(|done| assert_eq!(done, Committed::Done)).map_err(|e| e.message)
        };
        make("1", "select id from t where id > 90", Made::View).await.unwrap();
        db.run("create view reader as select id from made").await;
        make("2", "select id, name from t where id > 50 -- more", Made::View).await.unwrap();
        assert_eq!(db.value("select count(*) from reader").await, "50", "what reads it goes on");
        let refused = make("3", "select count(*) as n from t", Made::View).await.unwrap_err();
        assert!(refused.contains("depend on it"), "{refused}");
        assert_eq!(db.value("select count(*) from reader").await, "50");
        db.run("drop view reader").await;
        make("4", "select count(*) as n from t", Made::View).await.unwrap();
        db.run("insert into t values (101, 'n')").await;
        assert_eq!(db.value("select n from made").await, "101", "a view shows what is there now");
        let sort = "select relkind::text from pg_class where relname = 'made'";
        make("5", "select id from t", Made::Table).await.unwrap();
        assert_eq!(db.value(sort).await, "r");
        make("6", "select id from t", Made::View).await.unwrap();
        assert_eq!(db.value(sort).await, "v");
        assert_eq!(db.leftovers().await, "0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wider_numbers_and_other_layouts_fit() {
    with_database(|mut db| async move {
        use arrow::array::*;
        db.run("create table t (a int8, b numeric, c text, d bytea, e numeric(20,4), f timestamp, g float8, h text, i text[])").await;
        let dictionary: DictionaryArray<arrow::datatypes::Int8Type> = vec!["x", "y"].into_iter().collect();
        let lists = LargeListArray::from_iter_primitive::<arrow::datatypes::Int32Type, _, _>([Some(vec![Some(1)]), None]);
        let lists = arrow::compute::cast(&lists, &arrow::datatypes::DataType::LargeList(Arc::new(
            arrow::datatypes::Field::new_list_field(arrow::datatypes::DataType::Utf8, true)))).unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("a", Arc::new(UInt32Array::from(vec![u32::MAX, 0]))),
            ("b", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
            ("c", Arc::new(StringViewArray::from(vec!["a longer text than fits inline", ""]))),
            ("d", Arc::new(LargeBinaryArray::from_vec(vec![b"\0", b""]))),
            ("e", Arc::new(Decimal128Array::from(vec![-150, 0]).with_precision_and_scale(10, 2).unwrap())),
            ("f", Arc::new(TimestampNanosecondArray::from(vec![1_000, -1_000]))),
            ("g", Arc::new(Float32Array::from(vec![0.5, f32::NAN]))),
            ("h", Arc::new(dictionary)),
            ("i", lists),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        db.load(&attempt("r", 1), &loading("t", WriteMode::Append), &[batch]).await.unwrap();
        let found = db.value("select string_agg(concat_ws('|', a, b, c, d, e, f, g, h, i), ';' order by h) from t").await;
        assert_eq!(found, "4294967295|18446744073709551615|a longer text than fits inline|\\x00|-1.5000|1970-01-01 00:00:00.000001|0.5|x|{1};\
            0|0||\\x|0.0000|1969-12-31 23:59:59.999999|NaN|y");
        let odd: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1]));
        let batch = RecordBatch::try_from_iter([("f", odd)]).unwrap();
        let error = db.load(&attempt("s", 1), &loading("t", WriteMode::Append), &[batch]).await.unwrap_err();
        assert!(error.message.contains("`f`") && error.message.contains("nanoseconds"), "{}", error.message);
        assert_eq!(db.value("select count(*) from t").await, "2");
    })
    .await;
}
