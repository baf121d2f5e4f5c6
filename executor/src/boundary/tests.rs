//! Boundaries written and read for real, and damaged on purpose.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use datafusion::prelude::{SessionConfig, SessionContext};
use flowetl_proto::code::Class;
use flowetl_proto::control::{AttemptId, BoundaryFolder, Manifest, Part};
use flowetl_proto::id::{RunId, Token};
use flowetl_proto::pipeline::{Connection, Secret};
use indexmap::IndexMap;
use serde_json::Value;
use tempfile::TempDir;

use super::write::{BoundaryWriter, remove};
use super::*;
use crate::schema::{schema_from_json, schema_to_json};
use crate::storage::Storage;
use crate::{Error, Result};

fn folder_storage(dir: &TempDir) -> Storage {
    let path = dir.path().display().to_string();
    let (name, scheme, options) = ("storage".into(), "file".into(), IndexMap::new());
    Storage::open(&Connection { name, scheme, host: None, port: None, user: None, password: None, path, options })
        .unwrap()
}

fn bucket_storage() -> Storage {
    let text =
        std::env::var("FLOWETL_TEST_S3").expect("set FLOWETL_TEST_S3 to s3://bucket?endpoint=...&access_key=...");
    let url = url::Url::parse(&text).unwrap();
    let options = url.query_pairs().map(|(name, value)| (name.into_owned(), Secret::new(value))).collect();
    let (name, scheme, host) = ("storage".into(), "s3".into(), url.host_str().map(str::to_owned));
    let path = format!("test-{}", uuid::Uuid::now_v7());
    Storage::open(&Connection { name, scheme, host, port: None, user: None, password: None, path, options }).unwrap()
}

fn attempt(token: i64) -> AttemptId {
    AttemptId { pipeline: "p".into(), run: RunId::new("r1"), segment: "features".into(), token: Token(token) }
}

fn rows(from: i64, count: i64) -> RecordBatch {
    let ids = from..from + count;
    let lists = ids.clone().map(|i| (i % 3 > 0).then(|| vec![Some(i as i32), None]));
    let zone = TimestampMicrosecondArray::from_iter_values(ids.clone()).with_timezone("Europe/Warsaw");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids.clone())),
        Arc::new(StringArray::from_iter_values(ids.clone().map(|i| format!("n{i}")))),
        Arc::new(StringViewArray::from_iter(ids.map(|i| (i % 2 > 0).then(|| format!("a longer text {i}"))))),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists)),
        Arc::new(zone),
    ];
    let names = ["id", "name", "view", "list", "at"];
    let fields = names.iter().zip(&columns).enumerate().map(|(at, (name, column))| {
        let field = Field::new(*name, column.data_type().clone(), at > 0);
        field.with_metadata([("comment".to_owned(), format!("column {at}"))].into())
    });
    let schema =
        Schema::new_with_metadata(fields.collect::<Vec<_>>(), [("origin".to_owned(), "shop".to_owned())].into());
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

async fn write(storage: &Storage, token: i64, partitions: usize, batches: i64) -> Result<Manifest> {
    let schema = rows(0, 1).schema();
    let boundary = BoundaryWriter::new(storage.clone(), &attempt(token), Arc::clone(&schema), 1 << 20);
    let mut ledger = Ledger::new(partitions);
    let mut counted = vec![0; partitions];
    for (partition, counted) in counted.iter_mut().enumerate() {
        let mut writer = boundary.partition(partition);
        for at in (0..batches).filter(|at| *at as usize % partitions == partition) {
            writer.write(&rows(at * 1_000, 1_000)).await?;
            *counted += 1_000;
        }
        ledger.report(partition, writer.finish().await?)?;
    }
    Ok(manifest(&schema, ledger.close(&counted)?))
}

async fn query(storage: &Storage, manifest: &Manifest, sql: &str) -> Result<Vec<RecordBatch>> {
    let table = read(storage, manifest, 2).await?;
    assert_eq!(*table.schema(), *rows(0, 1).schema());
    let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    session.register_table("t", table)?;
    Ok(session.sql(sql).await?.collect().await?)
}

#[test]
fn a_schema_with_dictionaries_comes_back() {
    let words = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let list = DataType::List(Arc::new(Field::new("item", words(), true)));
    let schema = Schema::new(vec![Field::new("a", words(), true), Field::new("b", list, false)]);
    assert_eq!(schema_from_json(&schema_to_json(&schema)).unwrap(), schema);
}

#[tokio::test]
async fn comes_back_as_it_went() {
    let dir = TempDir::new().unwrap();
    for storage in [folder_storage(&dir), bucket_storage()] {
        for (token, partitions, batches) in [(1, 1, 3), (2, 4, 9), (3, 4, 2), (4, 2, 0)] {
            let manifest = write(&storage, token, partitions, batches).await.unwrap();
            let manifest: Manifest = serde_json::from_value(serde_json::to_value(&manifest).unwrap()).unwrap();
            assert_eq!(manifest.rows(), batches as u64 * 1_000);
            let found = query(&storage, &manifest, "select * from t order by id").await.unwrap();
            let found = arrow::compute::concat_batches(&rows(0, 1).schema(), &found).unwrap();
            assert_eq!(found, rows(0, batches * 1_000));
        }
        for token in [1, 1, 2, 3, 4] {
            remove(&storage, &attempt(token)).await.unwrap();
        }
        assert_eq!(storage.list("", crate::storage::Side::Read).await.unwrap(), []);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_damaged_part_is_named() {
    let dir = TempDir::new().unwrap();
    let storage = folder_storage(&dir);
    let said = |result: Result<Vec<RecordBatch>>| {
        let error: Error = result.expect_err("is damaged");
        error.to_failure().message.replace(&dir.path().display().to_string(), "DIR")
    };
    let manifest = write(&storage, 1, 2, 4).await.unwrap();
    let part = dir.path().join(&manifest.parts[0].uri);
    let whole = std::fs::read(&part).unwrap();
    let sql = "select count(name), sum(id), count(view), count(list), count(at) from t";
    std::fs::write(&part, &whole[..whole.len() - 1]).unwrap();
    let short = said(query(&storage, &manifest, sql).await);
    assert!(short.starts_with("boundary part `DIR/runs/r1/features/t1/part-0-0.parquet` has "), "{short}");
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 0x10;
    std::fs::write(&part, &flipped).unwrap();
    let flipped = said(query(&storage, &manifest, sql).await);
    assert!(flipped.contains("part-0-0.parquet` is damaged"), "{flipped}");
    std::fs::remove_file(&part).unwrap();
    let gone = said(query(&storage, &manifest, sql).await);
    assert_eq!(gone, "boundary part `DIR/runs/r1/features/t1/part-0-0.parquet` is gone");
    std::fs::write(&part, &whole).unwrap();
    let mut wrong = manifest.clone();
    wrong.parts[0].rows += 1;
    assert!(said(query(&storage, &wrong, sql).await).ends_with("has 2000 rows instead of 2001"));
    query(&storage, &manifest, sql).await.unwrap();
}

#[test]
fn the_ledger_misses_nothing() {
    let part = |rows| Part { uri: "x".into(), rows, bytes: 1, crc: 1, note: Value::Null };
    type Case = (&'static [(usize, u64)], &'static [u64], &'static str);
    let check = |reports: &[(usize, u64)], counted: &[u64]| {
        let mut ledger = Ledger::new(2);
        let entered = reports.iter().try_for_each(|(at, rows)| ledger.report(*at, vec![part(*rows)]));
        entered.and_then(|()| ledger.close(counted).map(|parts| parts.len()))
    };
    assert_eq!(check(&[(0, 5), (1, 7)], &[5, 7]).unwrap(), 2);
    let cases: [Case; 5] = [
        (&[(0, 5)], &[5, 7], "partition 1 did not report"),
        (&[(0, 5), (0, 5)], &[5, 0], "partition 0 reported twice"),
        (&[(0, 5), (2, 5)], &[5, 0], "partition 2 reported, 2 were expected"),
        (&[(0, 5), (1, 6)], &[5, 7], "partition 1 wrote 6 of 7 rows"),
        (&[(0, 5), (1, 6)], &[5], "1 partitions were counted, 2 were expected"),
    ];
    for (reports, counted, said) in cases {
        let error = check(reports, counted).unwrap_err();
        assert_eq!((error.class, error.message.as_str()), (Class::Truncated, said));
    }
}

#[test]
fn schemas_are_kept_whole() {
    let schema = rows(0, 1).schema();
    let value = schema_to_json(&schema);
    assert_eq!(schema_from_json(&value).unwrap(), *schema);
    assert_eq!(value["columns"]["id"], "Int64");
    assert!(schema_from_json(&serde_json::json!({"arrow": "AAAA"})).is_err());
    let large =
        Schema::new((0..500).map(|i| Field::new(format!("c{i}"), DataType::Utf8, i % 2 > 0)).collect::<Vec<_>>());
    assert_eq!(schema_from_json(&schema_to_json(&large)).unwrap(), large);
}

#[tokio::test]
async fn what_nobody_refers_to_is_found_and_removed() {
    let dir = TempDir::new().unwrap();
    for storage in [folder_storage(&dir), bucket_storage()] {
        assert_eq!(folders(&storage).await.unwrap(), []);
        let referenced = write(&storage, 1, 2, 4).await.unwrap();
        write(&storage, 2, 1, 1).await.unwrap();
        // Left half written by a process that is gone.
        storage.replace("runs/r1/features/t3/_private/part-0-0.parquet", "rows").await.unwrap();
        storage.replace("runs/r1/features/notes", "not ours").await.unwrap();
        let found = folders(&storage).await.unwrap();
        let tokens: Vec<_> = found.iter().map(|folder| folder.token.0).collect();
        assert_eq!(tokens, [1, 2, 3]);
        let is_ours = |folder: &BoundaryFolder| (folder.run.as_str(), folder.segment.as_str()) == ("r1", "features");
        assert!(found.iter().all(|folder| is_ours(folder) && folder.age_ms < 3_600_000), "{found:?}");
        for _ in 0..2 {
            sweep(&storage, &found[1..]).await.unwrap();
            assert_eq!(folders(&storage).await.unwrap().len(), 1);
        }
        let rows = query(&storage, &referenced, "select * from t").await.unwrap();
        assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 4_000);
        assert!(storage.look("runs/r1/features/notes", crate::storage::Side::Read).await.unwrap().is_some());
    }
}
