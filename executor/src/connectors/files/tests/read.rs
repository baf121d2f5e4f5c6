//! Reading.

use std::fs;
use std::io::Write;
use std::sync::Mutex;

use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::prelude::CsvReadOptions;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::connectors::files::format::Format;
use crate::connectors::files::split::Cutter;

#[derive(Debug, Default)]
struct Aside {
    rows: Mutex<Vec<(String, String, String)>>,
    read: std::sync::atomic::AtomicU64,
}

impl Quarantine for Aside {
    fn put(&self, location: String, row: String, reason: String) -> Result<()> {
        self.rows.lock().unwrap().push((location, row, reason));
        Ok(())
    }

    fn read(&self, rows: u64) {
        self.read.fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
    }
}

async fn folder(files: &[(&str, &str)]) -> (TempDir, Arc<dyn System>) {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let system = open(folder_connection(dir.path()), 4).await;
    (dir, system)
}

/// What opening or reading says is wrong.
async fn refusal(files: &[(&str, &str)], from: &str, options: Value) -> String {
    let (dir, system) = folder(files).await;
    let error = match table(&system, from, options, None).await {
        Ok(table) => query(table, "select * from t").await.expect_err("is refused"),
        Err(error) => error,
    };
    assert_eq!(error.class, flowetl_proto::code::Class::User, "{error:?}");
    message(&error).replace(&dir.path().display().to_string(), "DIR")
}

#[tokio::test]
async fn guesses_types_and_keeps_what_a_number_would_lose() {
    let text = "id,zip,total,day,at,zone,ok,long,note\n\
                1,007,1.5,2025-01-31,2025-01-31 10:00:00,2025-01-31T10:00:00Z,true,12345678901234567890,\n\
                2,010,2,2025-02-01,2025-02-01T11:00:00.123456,2025-02-01T11:00:00+01:00,FALSE,1,\"a \"\"b\"\"\n,c\"\n";
    let (_dir, system) = folder(&[("a.csv", text)]).await;
    let table = table(&system, "a.csv", Value::Null, None).await.unwrap();
    let types: Vec<_> = table.schema().fields().iter().map(|f| f.data_type().clone()).collect();
    let micro = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let expected = [
        DataType::Int64,
        DataType::Utf8,
        DataType::Float64,
        DataType::Date32,
        micro(None),
        micro(Some("UTC")),
        DataType::Boolean,
        DataType::Utf8,
        DataType::Utf8,
    ];
    assert_eq!(types, expected);
    let rows = query(table, "select zip, zone, note from t order by id").await.unwrap();
    insta::assert_snapshot!(shown(&rows));
}

#[tokio::test]
async fn says_which_line_breaks_a_guess() {
    let mut text = String::from("id,total\n");
    for id in 0..200_000 {
        text.push_str(&format!("{id},{}\n", if id == 150_000 { "3.5" } else { "3" }));
    }
    let said = refusal(&[("o.csv", &text)], "o.csv", Value::Null).await;
    assert!(
        said.starts_with("o.csv line 150002: column `total`: `3.5` is not int64; types come from the first "),
        "{said}"
    );
    assert!(said.ends_with("say `types: {total: float64}` to fix this"), "{said}");
}

#[tokio::test]
async fn refuses_by_name() {
    let cases = [
        refusal(&[("a.csv", "x,y\n1,2\n3\n")], "a.csv", Value::Null).await,
        refusal(&[("a.csv", "x,y\n1,2\n")], "b.csv", Value::Null).await,
        refusal(&[("a.csv", "x,y\n1,2\n")], "*.parquet", Value::Null).await,
        refusal(&[("a.csv", "x,x\n1,2\n")], "a.csv", Value::Null).await,
        refusal(&[("a.csv", "")], "a.csv", Value::Null).await,
        refusal(&[("a.csv", "x\n1\n"), ("b.csv", "x\nhi\n")], "*.csv", Value::Null).await,
        refusal(&[("a.csv", "x\n1\n"), ("b.json", "[]")], "*", Value::Null).await,
        refusal(&[("a.txt", "x\n1\n")], "a.txt", Value::Null).await,
        refusal(&[("a.csv", "x\n1\n")], "../a.csv", Value::Null).await,
        refusal(&[("a.csv", "x\n1\n")], "a.csv", json!({"types": {"y": "int64"}})).await,
        refusal(&[("a.csv", "x\n1\n")], "a.csv", json!({"types": {"x": "integr"}})).await,
        refusal(&[("a.csv", "x\n1\n")], "a.csv", json!({"delimiter": "ab"})).await,
        refusal(&[("a.ndjson", "{\"x\": 1}\n{\"x\": 3.7}\n")], "a.ndjson", json!({"types": {"x": "int64"}})).await,
        refusal(&[("a.ndjson", "{\"x\": 1}\n{\"x\": 1\n")], "a.ndjson", Value::Null).await,
        refusal(&[("a.json", "[{\"x\": 1},")], "a.json", Value::Null).await,
        refusal(&[("a.csv.gz", "not gzip")], "a.csv.gz", Value::Null).await,
        refusal(&[("a.parquet", "not parquet")], "a.parquet", Value::Null).await,
        refusal(&[("d/k=1/a.csv", "x\n1\n"), ("d/b.csv", "x\n1\n")], "d/", Value::Null).await,
    ];
    insta::assert_snapshot!(cases.join("\n"));
}

#[tokio::test]
async fn keys_after_the_sample_are_not_dropped() {
    let mut text = String::new();
    for id in 0..200_000 {
        text.push_str(&format!("{{\"id\": {id}}}\n"));
    }
    text.push_str("{\"id\": 1, \"late\": \"x\"}\n");
    let said = refusal(&[("a.ndjson", &text)], "a.ndjson", Value::Null).await;
    assert!(said.contains("a.ndjson line 200001: key `late` is not among the columns"), "{said}");
    let (_dir, system) = folder(&[("a.ndjson", &text)]).await;
    let table = table(&system, "a.ndjson", json!({"types": {"late": "utf8"}}), None).await.unwrap();
    let rows = query(table, "select count(*) as n, count(late) as late from t").await.unwrap();
    assert_eq!(rows[0].column(0).as_ref(), &Int64Array::from(vec![200_001]));
    assert_eq!(rows[0].column(1).as_ref(), &Int64Array::from(vec![1]));
}

#[tokio::test]
async fn puts_broken_rows_aside() {
    let mut text = b"id,name,total\n".to_vec();
    for id in 0..50_000 {
        match id {
            10 => text.extend(b"10,short\n"),
            20_000 => text.extend(b"20000,\"two\nlines\",x\n"),
            30_000 => text.extend(b"30000,\xFF\xFE,1\n"),
            _ => text.extend(format!("{id},n{id},{id}\n").bytes()),
        }
    }
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("a.csv"), text).unwrap();
    let system = open(folder_connection(dir.path()), 4).await;
    let aside = Arc::new(Aside::default());
    let types = json!({"types": {"total": "int64"}});
    let table = table(&system, "a.csv", types, Some(Arc::clone(&aside) as _)).await.unwrap();
    let rows = query(table, "select count(*) as n, sum(id) as s from t").await.unwrap();
    assert_eq!(rows[0].column(0).as_ref(), &Int64Array::from(vec![49_997]));
    let all: i64 = (0..50_000).sum();
    assert_eq!(rows[0].column(1).as_ref(), &Int64Array::from(vec![all - 10 - 20_000 - 30_000]));
    let mut put = aside.rows.lock().unwrap().clone();
    put.sort();
    let expected = [
        ("a.csv line 12", "10,short", "2 values where the file has 3 columns"),
        ("a.csv line 20002", "20000,\"two\nlines\",x", "column `total`: `x` is not int64"),
        ("a.csv line 30003", "30000,\u{FFFD}\u{FFFD},1", "invalid UTF-8"),
    ];
    assert_eq!(put, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    assert_eq!(aside.read.load(std::sync::atomic::Ordering::Relaxed), 49_997);
}

#[tokio::test]
async fn puts_broken_objects_aside() {
    let lines = "{\"x\": 1}\n{\"x\": \n[1]\n{\"x\": \"a\"}\n{\"x\": 2}\n";
    let (_dir, system) = folder(&[("a.ndjson", lines)]).await;
    let aside = Arc::new(Aside::default());
    let types = json!({"types": {"x": "int32"}});
    let table = table(&system, "a.ndjson", types, Some(Arc::clone(&aside) as _)).await.unwrap();
    let rows = query(table, "select sum(x) as s, count(*) as n from t").await.unwrap();
    assert_eq!(rows[0].column(0).as_ref(), &Int64Array::from(vec![3]));
    insta::assert_debug_snapshot!(aside.rows.lock().unwrap());
}

/// Plain DataFusion reads the same file; quoted line ends keep it to one partition.
#[tokio::test]
async fn equals_plain_datafusion() {
    let mut text = String::from("id,name,total,day\r\n");
    for id in 0..120_000 {
        let name = match id % 5 {
            0 => "\"a, b\"".to_owned(),
            1 => "\"say \"\"hi\"\"\"".to_owned(),
            2 => "\"two\r\nlines\"".to_owned(),
            3 => String::new(),
            _ => format!("it's {id}\" wide"),
        };
        text.push_str(&format!("{id},{name},{}.25,2024-0{}-1{}\r\n", id % 977, id % 9 + 1, id % 10));
    }
    let (dir, system) = folder(&[("a.csv", &text)]).await;
    let ours = table(&system, "a.csv", Value::Null, None).await.unwrap();
    let session = SessionContext::new();
    let file = dir.path().join("a.csv").display().to_string();
    let schema = ours.schema();
    let options = CsvReadOptions::new().newlines_in_values(true).schema(&schema);
    session.register_csv("t", &file, options).await.unwrap();
    let sql = "select count(*), sum(id), count(name), sum(length(name)), md5(string_agg(name, '|' order by id)), \
               sum(total), min(day), max(day) from t";
    let theirs = session.sql(sql).await.unwrap().collect().await.unwrap();
    assert_eq!(shown(&query(ours, sql).await.unwrap()), shown(&theirs));
}

#[tokio::test]
async fn reads_compressed_members_and_arrays() {
    let dir = TempDir::new().unwrap();
    let gz = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let zst = |text: &[u8]| zstd::bulk::compress(text, 1).unwrap();
    let rows = |from: usize| (from..from + 60_000).map(|i| format!("{i},x{i}\n")).collect::<String>();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("a.csv.gz", &[gz(b"id,t\n"), gz(rows(0).as_bytes()), gz(rows(60_000).as_bytes())].concat());
    write("a.csv.zst", &[zst(b"id,t\n"), zst(rows(0).as_bytes()), zst(rows(60_000).as_bytes())].concat());
    let objects: Vec<_> = (0..120_000).map(|i| format!("{{\"id\": {i}, \"t\": \"x{i},]}}\"}}")).collect();
    write("a.json", format!("[\n{}\n]\n", objects.join(",\n")).as_bytes());
    write("b.json.gz", &gz(format!("[{}]", objects.join(",")).as_bytes()));
    write("c.ndjson", format!("\u{FEFF}{}", objects.join("\n")).as_bytes());
    let system = open(folder_connection(dir.path()), 3).await;
    for name in ["a.csv.gz", "a.csv.zst", "a.json", "b.json.gz", "c.ndjson"] {
        let table = table(&system, name, Value::Null, None).await.unwrap();
        let rows = query(table, "select count(*) as n, sum(id) as s, count(distinct t) as d from t").await.unwrap();
        assert_eq!(rows[0].column(0).as_ref(), &Int64Array::from(vec![120_000]), "{name}");
        assert_eq!(rows[0].column(1).as_ref(), &Int64Array::from(vec![7_199_940_000]), "{name}");
        assert_eq!(rows[0].column(2).as_ref(), &Int64Array::from(vec![120_000]), "{name}");
    }
    // Cut short, a file must not look complete.
    for name in ["a.csv.gz", "a.csv.zst"] {
        let whole = fs::read(dir.path().join(name)).unwrap();
        write(name, &whole[..whole.len() - 7]);
        let table = table(&system, name, Value::Null, None).await;
        let error = match table {
            Ok(table) => query(table, "select count(*) from t").await.expect_err("is cut short"),
            Err(error) => error,
        };
        assert!(message(&error).contains("cannot be decompressed"), "{}", message(&error));
    }
}

#[tokio::test]
async fn joins_files_by_name_and_folders_by_value() {
    let files = [
        ("d/country=PL/day=2025-01-02/a.csv", "id,a\n1,x\n2,y\n"),
        ("d/country=D%2FE/day=2025-01-03/b.csv", "b,id\n0.5,3\n"),
        ("d/country=__HIVE_DEFAULT_PARTITION__/day=2025-01-03/c.csv", "id\n4\n"),
        ("d/_skip/x.csv", "q\n1\n"),
        ("d/.hidden.csv", "q\n1\n"),
    ];
    let (_dir, system) = folder(&files).await;
    let table = table(&system, "d/", Value::Null, None).await.unwrap();
    let rows = query(table, "select id, a, b, country, day from t order by id").await.unwrap();
    insta::assert_snapshot!(shown(&rows));
}

#[tokio::test]
async fn dialects_and_limits() {
    let (_dir, system) = folder(&[("a.tsv", "1\tNULL\tx\n2\t5\t\n"), ("b.csv", "id\n1\n2\n3\n")]).await;
    let options = json!({"header": false, "delimiter": "\t", "null": "NULL", "types": {"column_2": "decimal(10,2)"}});
    let table_a = table(&system, "a.tsv", options, None).await.unwrap();
    let rows = query(table_a, "select * from t").await.unwrap();
    insta::assert_snapshot!(shown(&rows));
    let table_b = table(&system, "b.csv", Value::Null, None).await.unwrap();
    let rows = query(Arc::clone(&table_b), "select id from t limit 2").await.unwrap();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    let plan = query(Arc::clone(&table_b), "explain select id from t limit 2").await.unwrap();
    assert!(shown(&plan).contains("columns=[id int64 (from 3 rows)], limit=2"), "{}", shown(&plan));
    // The same plan twice, and a count that needs no column.
    let rows = query(table_b, "select count(*) as n from t a join t b on a.id = b.id").await.unwrap();
    assert_eq!(rows[0].column(0).as_ref(), &Int64Array::from(vec![3]));
}

#[tokio::test]
async fn parquet_prunes_and_joins_by_name() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, batch: &RecordBatch| {
        let file = fs::File::create(dir.path().join(name)).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    };
    let ids = |from: i64| Arc::new(Int64Array::from_iter_values(from..from + 1000)) as arrow::array::ArrayRef;
    let names = Arc::new(StringArray::from_iter_values((0..1000).map(|i| format!("n{i}")))) as arrow::array::ArrayRef;
    write("a.parquet", &RecordBatch::try_from_iter([("id", ids(0))]).unwrap());
    write("b.parquet", &RecordBatch::try_from_iter([("name", Arc::clone(&names)), ("id", ids(1000))]).unwrap());
    let system = open(folder_connection(dir.path()), 4).await;
    let both = table(&system, "*.parquet", Value::Null, None).await.unwrap();
    let rows = query(Arc::clone(&both), "select count(*) as n, count(name) as c, max(id) as m from t").await.unwrap();
    insta::assert_snapshot!(shown(&rows));
    let plan = shown(&query(Arc::clone(&both), "explain select name from t where id > 1990 limit 3").await.unwrap());
    assert!(plan.contains("predicate=id@"), "{plan}");
    let analysed = shown(&query(both, "explain analyze select name from t where id > 1990").await.unwrap());
    assert!(analysed.contains("1 matched"), "{analysed}");
    write("c.parquet", &RecordBatch::try_from_iter([("id", names)]).unwrap());
    let error = table(&system, "*.parquet", Value::Null, None).await.expect_err("types differ");
    assert!(message(&error).contains("a.parquet` and Utf8View in `"), "{}", message(&error));
}

#[test]
fn cuts_only_between_records() {
    let text = b"a,b\n1,\"x\ny\"\n2,\"q\"\"\n\"\n3,it\"s\n4,z";
    for size in 1..text.len() {
        let mut cutter = Cutter::new(Format::Csv, b',');
        let mut ends = Vec::new();
        for (at, block) in text.chunks(size).enumerate() {
            let mut block = bytes::Bytes::copy_from_slice(block);
            ends.extend(cutter.last_end(&mut block).map(|end| at * size + end));
        }
        let whole = [4, 12, 21, 28];
        assert!(ends.iter().all(|end| whole.contains(end)), "{size}: {ends:?}");
        assert!(size < text.len() / 2 || ends.len() <= 2);
        assert_eq!(ends.last(), Some(&28), "{size}");
    }
    let records = Cutter::new(Format::Csv, b',').records(text, 1);
    assert_eq!(records.iter().map(|(_, line)| *line).collect::<Vec<_>>(), [1, 2, 4, 6, 7]);
}

#[tokio::test]
async fn one_record_of_many_megabytes() {
    let value = "v".repeat(10 << 20);
    let (_dir, system) = folder(&[("a.csv", &format!("id,v\n1,\"{value}\"\n2,x\n"))]).await;
    let table_a = table(&system, "a.csv", Value::Null, None).await.unwrap();
    let rows = query(table_a, "select sum(length(v)) as n, count(*) as c from t").await.unwrap();
    insta::assert_snapshot!(shown(&rows));
}

#[tokio::test]
async fn five_hundred_columns() {
    let names: Vec<_> = (0..500).map(|i| format!("c{i}")).collect();
    let row: Vec<_> = (0..500).map(|i| i.to_string()).collect();
    let mut text = format!("{}\n", names.join(","));
    for _ in 0..2_000 {
        text.push_str(&row.join(","));
        text.push('\n');
    }
    let (_dir, system) = folder(&[("a.csv", &text)]).await;
    let wide = table(&system, "a.csv", Value::Null, None).await.unwrap();
    assert_eq!(wide.schema().fields().len(), 500);
    assert_eq!(
        *wide.schema(),
        Schema::new(names.iter().map(|n| Field::new(n, DataType::Int64, true)).collect::<Vec<_>>())
    );
    let rows = query(wide, "select count(*) as n, sum(c499) as s from t").await.unwrap();
    assert_eq!(rows[0].column(1).as_ref(), &Int64Array::from(vec![499 * 2_000]));
}
