//! Writing, and what a crash at each step leaves.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arrow::array::{ArrayRef, BinaryArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use flowetl_proto::code::Class;
use flowetl_proto::control::{Part, Position};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::connectors::{Committed, Sink};

/// Both kinds of storage, so that every promise is tried on each.
async fn places(parallelism: usize) -> Vec<(Option<TempDir>, Arc<dyn System>, Connection)> {
    let dir = TempDir::new().unwrap();
    let local = folder_connection(dir.path());
    let remote = s3_connection();
    vec![
        (Some(dir), open(local.clone(), parallelism).await, local),
        (None, open(remote.clone(), parallelism).await, remote),
    ]
}

fn rows(from: i64, count: i64) -> RecordBatch {
    let ids = from..from + count;
    let columns: [(&str, ArrayRef); 5] = [
        ("id", Arc::new(Int64Array::from_iter_values(ids.clone()))),
        ("name", Arc::new(StringArray::from_iter(ids.clone().map(|i| (i % 7 != 0).then(|| format!("n{i}, \"q\"")))))),
        ("total", Arc::new(Float64Array::from_iter_values(ids.clone().map(|i| i as f64 / 8.0)))),
        ("day", Arc::new(Date32Array::from_iter_values(ids.clone().map(|i| 19_000 + (i % 3) as i32)))),
        ("country", Arc::new(StringArray::from_iter(ids.map(|i| ["PL", "D/E"].get(i as usize % 3).copied())))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, name != "id"))).unwrap()
}

/// Writes with as many writers as the sink takes, side by side.
async fn fill(sink: &dyn Sink, batches: Vec<RecordBatch>) -> Result<Value> {
    sink.begin().await?;
    let writers = sink.writers_max();
    let mut shares = vec![Vec::new(); writers];
    for (at, batch) in batches.into_iter().enumerate() {
        shares[at % writers].push(batch);
    }
    let work = shares.into_iter().enumerate().map(|(partition, share)| async move {
        let mut writer = sink.writer(partition).await?;
        for batch in share {
            writer.write(batch).await?;
        }
        writer.finish().await
    });
    let parts: Vec<Part> = futures::future::try_join_all(work).await?.into_iter().flatten().collect();
    sink.prepare(&parts).await
}

fn sample(batches: usize) -> Vec<RecordBatch> {
    (0..batches as i64).map(|i| rows(i * 10_000, 10_000)).collect()
}

async fn sink(
    system: &Arc<dyn System>,
    run: &str,
    token: i64,
    to: &str,
    write: WriteMode,
    options: Value,
) -> Result<Arc<dyn Sink>> {
    system.sink(sink_request(attempt(run, token), to, write, &rows(0, 1), options)).await
}

async fn count(system: &Arc<dyn System>, from: &str) -> Result<(i64, i64)> {
    let table = table(system, from, Value::Null, None).await?;
    let found = query(table, "select count(*) as n, coalesce(sum(id), 0) as s from t").await?;
    let number = |at: usize| found[0].column(at).as_any().downcast_ref::<Int64Array>().unwrap().value(0);
    Ok((number(0), number(1)))
}

fn expected(rows: i64) -> (i64, i64) {
    (rows, rows * (rows - 1) / 2)
}

/// Names of all files below a folder, hidden ones included.
async fn left(connection: &Connection) -> BTreeSet<String> {
    let storage = crate::storage::Storage::open(connection).unwrap();
    storage.list("", crate::storage::Side::Read).await.unwrap().into_iter().map(|f| f.name).collect()
}

#[tokio::test]
async fn every_format_comes_back_as_it_went() {
    for parallelism in [1, 4] {
        for (_dir, system, _) in places(parallelism).await {
            for name in
                ["a.parquet", "a.csv", "a.json", "a.ndjson", "b.csv.gz", "b.csv.zst", "b.json.gz", "b.ndjson.zst"]
            {
                let sink = sink(&system, "r1", 1, name, WriteMode::Replace, Value::Null).await.unwrap();
                let staged = fill(&*sink, sample(7)).await.unwrap();
                assert!(count(&system, name).await.is_err(), "{name} is visible before its commit");
                assert_eq!(sink.commit(&staged, &[]).await.unwrap(), Committed::Done);
                assert_eq!(count(&system, name).await.unwrap(), expected(70_000), "{name}");
                let back = table(&system, name, json!({"types": {"day": "date32"}}), None).await;
                let back = match back {
                    Ok(table) => table,
                    Err(_) => table(&system, name, Value::Null, None).await.unwrap(),
                };
                let session = SessionContext::new();
                session
                    .register_batch("o", arrow::compute::concat_batches(&sample(1)[0].schema(), &sample(7)).unwrap())
                    .unwrap();
                session.register_table("t", back).unwrap();
                let sql = "select count(*) from o join t on o.id = t.id and o.total = t.total and o.day = t.day \
                           and (o.name is not distinct from t.name) and (o.country is not distinct from t.country)";
                let same = session.sql(sql).await.unwrap().collect().await.unwrap();
                assert_eq!(same[0].column(0).as_ref(), &Int64Array::from(vec![70_000]), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn empty_input_is_an_empty_table() {
    for (_dir, system, _) in places(4).await {
        for name in ["a.parquet", "a.csv", "a.json", "a.ndjson", "folder/"] {
            let sink = sink(&system, "r1", 1, name, WriteMode::Replace, Value::Null).await.unwrap();
            let staged = fill(&*sink, vec![]).await.unwrap();
            assert_eq!(sink.commit(&staged, &[]).await.unwrap(), Committed::Done);
            if name.contains("json") {
                let error =
                    table(&system, name, Value::Null, None).await.expect_err("an empty JSON file has no columns");
                assert!(message(&error).contains("has no columns"), "{}", message(&error));
            } else {
                let table = table(&system, name, Value::Null, None).await.unwrap();
                assert_eq!(table.schema().fields().len(), 5, "{name}");
                let rows = query(table, "select * from t").await.unwrap();
                assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
            }
        }
    }
}

/// Drops the attempt after each step; another process discards it and nothing is left but what was there before.
#[tokio::test]
async fn a_crash_leaves_only_private_names() {
    for (_dir, system, connection) in places(4).await {
        for to in ["x/a.parquet", "x/f/"] {
            let first = sink(&system, "r0", 1, to, WriteMode::Replace, Value::Null).await.unwrap();
            let staged = fill(&*first, sample(2)).await.unwrap();
            first.commit(&staged, &[]).await.unwrap();
            let before = left(&connection).await;
            for step in 0..5 {
                let open = || sink(&system, "r1", 7, to, WriteMode::Replace, Value::Null);
                let dying = open().await.unwrap();
                if step > 0 {
                    dying.begin().await.unwrap();
                }
                if step > 1 {
                    let mut writer = dying.writer(0).await.unwrap();
                    writer.write(rows(0, 300_000)).await.unwrap();
                    if step > 2 {
                        let parts = writer.finish().await.unwrap();
                        if step > 3 {
                            dying.prepare(&parts).await.unwrap();
                        }
                    }
                }
                drop(dying);
                assert_eq!(count(&system, to).await.unwrap(), expected(20_000), "step {step}");
                let cleaner = open().await.unwrap();
                cleaner.discard().await.unwrap();
                cleaner.discard().await.unwrap();
                assert_eq!(left(&connection).await, before, "{to} step {step}");
            }
        }
    }
}

/// Every commit is played twice, by two processes, also with the record or the manifest of the first still missing.
#[tokio::test]
async fn commit_is_once_whoever_does_it() {
    for (_dir, system, connection) in places(2).await {
        for (to, write) in [("a.parquet", WriteMode::Replace), ("f/", WriteMode::Replace), ("g/", WriteMode::Append)] {
            for run in ["r1", "r2"] {
                let first = sink(&system, run, 3, to, write, Value::Null).await.unwrap();
                let staged = fill(&*first, sample(3)).await.unwrap();
                let position = Position { column: "id".into(), data_type: "Int64".into(), value: "29999".into() };
                let positions = [("orders".into(), position)];
                let again = sink(&system, run, 3, to, write, Value::Null).await.unwrap();
                assert_eq!(again.commit(&staged, &positions).await.unwrap(), Committed::Done);
                let times = if to == "g/" && run == "r2" { 2 } else { 1 };
                let whole = (expected(30_000).0 * times, expected(30_000).1 * times);
                assert_eq!(count(&system, to).await.unwrap(), whole, "{to}");
                let state = left(&connection).await;
                assert!(state.iter().all(|name| !name.contains("/staging/")), "{state:?}");
                // As if the first had died just before its record.
                let storage = crate::storage::Storage::open(&connection).unwrap();
                let record = state.iter().find(|name| {
                    name.ends_with(&format!("p.load.{run}.json")) && name.trim_start_matches('.').starts_with(to)
                });
                storage.remove(record.unwrap()).await.unwrap();
                for _ in 0..2 {
                    let third = sink(&system, run, 3, to, write, Value::Null).await.unwrap();
                    assert_eq!(third.commit(&staged, &positions).await.unwrap(), Committed::Done, "{to}");
                    assert_eq!(count(&system, to).await.unwrap(), whole, "{to}");
                    third.discard().await.unwrap();
                    assert_eq!(left(&connection).await, state);
                }
            }
        }
    }
}

#[tokio::test]
async fn lost_staging_is_lost() {
    for (_dir, system, connection) in places(2).await {
        for to in ["a.parquet", "f/"] {
            let first = sink(&system, "r1", 1, to, WriteMode::Replace, Value::Null).await.unwrap();
            let staged = fill(&*first, sample(1)).await.unwrap();
            first.discard().await.unwrap();
            assert_eq!(first.commit(&staged, &[]).await.unwrap(), Committed::Lost);
            assert!(left(&connection).await.iter().all(|name| !name.ends_with(".parquet")));
        }
    }
}

#[tokio::test]
async fn st_2_replace_leaves_the_new_and_append_adds() {
    for (_dir, system, connection) in places(4).await {
        let by = json!({"partition_by": ["country", "day"]});
        for (run, count_now) in [("r1", 3), ("r2", 2)] {
            let sink = sink(&system, run, 1, "d", WriteMode::Replace, by.clone()).await.unwrap();
            let staged = fill(&*sink, sample(count_now)).await.unwrap();
            sink.commit(&staged, &[]).await.unwrap();
            assert_eq!(count(&system, "d").await.unwrap(), expected(count_now as i64 * 10_000));
        }
        let names = left(&connection).await;
        assert!(names.iter().any(|name| name.starts_with("d/country=D%2FE/day=2022-01-0")), "{names:?}");
        assert!(names.iter().any(|name| name.starts_with("d/country=__HIVE_DEFAULT_PARTITION__/day=")), "{names:?}");
        assert!(names.iter().all(|name| !name.ends_with(".parquet") || name.contains("/r2-t1-")), "{names:?}");
        let more = sink(&system, "r3", 1, "d", WriteMode::Append, by).await.unwrap();
        let staged = fill(&*more, vec![rows(20_000, 5)]).await.unwrap();
        more.commit(&staged, &[]).await.unwrap();
        assert_eq!(count(&system, "d").await.unwrap(), expected(20_005));
        let back = table(&system, "d", Value::Null, None).await.unwrap();
        let found =
            query(back, "select country, min(day) as day, count(*) as n from t group by country order by 1").await;
        insta::assert_snapshot!("folders_come_back", shown(&found.unwrap()));
        let sized = json!({"file_size": "64KB", "format": "csv"});
        let sized = sink(&system, "r4", 1, "sized", WriteMode::Replace, sized).await.unwrap();
        let staged = fill(&*sized, sample(20)).await.unwrap();
        sized.commit(&staged, &[]).await.unwrap();
        assert_eq!(count(&system, "sized/").await.unwrap(), expected(200_000));
        assert!(left(&connection).await.iter().filter(|name| name.starts_with("sized/r4")).count() > 8);
    }
}

#[tokio::test]
async fn refuses_what_files_cannot() {
    let dir = TempDir::new().unwrap();
    let system = open(folder_connection(dir.path()), 2).await;
    let said = |result: Result<Arc<dyn Sink>>| {
        let error = result.expect_err("is refused");
        assert_eq!((error.class, error.block.as_ref().unwrap().as_str()), (Class::User, "load"));
        message(&error).replace(&dir.path().display().to_string(), "DIR")
    };
    let first = sink(&system, "r1", 1, "a.csv", WriteMode::Append, Value::Null).await.unwrap();
    let staged = fill(&*first, sample(1)).await.unwrap();
    first.commit(&staged, &[]).await.unwrap();
    let open = |to: &'static str, write, options| sink(&system, "r2", 1, to, write, options);
    let cases = [
        said(open("a.csv", WriteMode::Append, Value::Null).await),
        said(open("a.csv", WriteMode::Merge, Value::Null).await),
        said(open("*.csv", WriteMode::Replace, Value::Null).await),
        said(open("a", WriteMode::Replace, Value::Null).await),
        said(open("a.parquet.gz", WriteMode::Replace, Value::Null).await),
        said(open("d/", WriteMode::Replace, json!({"partition_by": "nope"})).await),
        said(open("d/", WriteMode::Replace, json!({"file_size": "much"})).await),
    ];
    insta::assert_snapshot!("refused_targets", cases.join("\n"));
    // What this run itself made is no obstacle.
    assert_eq!(first.commit(&staged, &[]).await.unwrap(), Committed::Done);
    sink(&system, "r1", 1, "a.csv", WriteMode::Append, Value::Null).await.unwrap();
}

#[tokio::test]
async fn full_disks_are_named() {
    // A size limit stands for the full disk where no small file system can be made.
    let full = Path::new("/dev/full");
    let error = fs::OpenOptions::new().write(true).open(full).and_then(|mut f| std::io::Write::write_all(&mut f, b"x"));
    let storage = crate::storage::Storage::open(&folder_connection(Path::new("/lake"))).unwrap();
    let error = storage.io_error(crate::storage::Side::Write, "cannot write", "a.parquet", error.unwrap_err());
    assert_eq!(error.class, Class::Resource);
    assert!(message(&error).starts_with("cannot write `/lake/a.parquet`: No space left"), "{}", message(&error));
}

#[tokio::test]
async fn large_values_and_wide_rows() {
    for (_dir, system, _) in places(2).await {
        let value = vec![7_u8; 10 << 20];
        let large = RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ("v", Arc::new(BinaryArray::from_iter_values([&value]))),
        ]);
        let large = large.unwrap();
        let request = sink_request(attempt("r1", 1), "large.parquet", WriteMode::Replace, &large, Value::Null);
        let sink = system.sink(request).await.unwrap();
        let staged = fill(&*sink, vec![large; 6]).await.unwrap();
        sink.commit(&staged, &[]).await.unwrap();
        assert_eq!(count(&system, "large.parquet").await.unwrap(), (6, 6));
        let wide = (0..500).map(|i| {
            let values = Decimal128Array::from_iter_values((0..5_000).map(|r| r * i)).with_precision_and_scale(20, 4);
            (if i == 0 { "id".to_owned() } else { format!("c{i}") }, Arc::new(values.unwrap()) as ArrayRef)
        });
        let wide = RecordBatch::try_from_iter(wide).unwrap();
        let request = sink_request(attempt("r1", 1), "wide.parquet", WriteMode::Replace, &wide, Value::Null);
        let sink = system.sink(request).await.unwrap();
        let staged = fill(&*sink, vec![wide.slice(0, 2_500), wide.slice(2_500, 2_500)]).await.unwrap();
        sink.commit(&staged, &[]).await.unwrap();
        let back = table(&system, "wide.parquet", Value::Null, None).await.unwrap();
        let found = query(back, "select count(*) as n, sum(c499) as s from t").await.unwrap();
        insta::assert_snapshot!("wide_rows", shown(&found));
    }
}

#[tokio::test]
async fn no_secret_is_told() {
    let mut connection = s3_connection();
    connection.options.insert("secret_key".into(), Secret::new("hunter2hunter2"));
    let system = open(connection.clone(), 1).await;
    let error = system.version().await.expect_err("the key is wrong");
    let told = format!("{} {error:?} {system:?} {connection:?}", message(&error));
    assert!(!told.contains("hunter2"), "{told}");
    assert_eq!(error.class, Class::User, "{told}");
}
