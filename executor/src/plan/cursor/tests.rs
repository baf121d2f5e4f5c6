//! Windows and positions over tables of every type of cursor, in one partition and in several.

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::physical_plan::collect;
use datafusion::prelude::{SessionConfig, SessionContext};
use flowetl_proto::id::BlockId;
use serde_json::{Value, json};

use super::super::extract::{self, Start};
use super::*;
use crate::blocks::Extract;

/// One partition a group of values; `n` counts the rows.
fn table(partitions: &[ArrayRef]) -> Arc<dyn TableProvider> {
    let fields =
        vec![Field::new("n", DataType::Int64, false), Field::new("at", partitions[0].data_type().clone(), true)];
    let schema = Arc::new(Schema::new(fields));
    let mut next = 0;
    let batches = partitions.iter().map(|values| {
        let numbers = Int64Array::from_iter_values(next..next + values.len() as i64);
        next += values.len() as i64;
        vec![RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(numbers), Arc::clone(values)]).unwrap()]
    });
    Arc::new(MemTable::try_new(Arc::clone(&schema), batches.collect()).unwrap())
}

/// Reads with `sync`, through `sql` over the block `t`; gives the values of `n` and the new position.
async fn read_through(
    partitions: &[ArrayRef],
    sync: Value,
    position: Option<&Position>,
    sql: &str,
) -> crate::Result<(Vec<i64>, Option<Position>)> {
    read_from(partitions, sync, Start { position, rereads: false }, sql).await
}

async fn read_from(
    partitions: &[ArrayRef],
    sync: Value,
    start: Start<'_>,
    sql: &str,
) -> crate::Result<(Vec<i64>, Option<Position>)> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    let place = json!({"table": {"connection": "c", "schema": null, "table": "t"}});
    let settings: Extract = serde_json::from_value(json!({"extract": place, "sync": sync})).unwrap();
    let high_water = Arc::new(HighWater::default());
    let plan = extract::plan(&context, &BlockId::new("t"), &settings, table(partitions), start, &high_water)?;
    context.register_table("t", Arc::new(datafusion::catalog::view::ViewTable::new(plan, None)))?;
    let plan = context.state().create_logical_plan(sql).await?;
    let plan = context.state().create_physical_plan(&plan).await?;
    let batches = collect(plan, context.task_ctx()).await?;
    let mut numbers = Vec::new();
    for batch in batches {
        let column = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().clone();
        numbers.extend(column.values().iter().copied());
    }
    numbers.sort();
    Ok((numbers, high_water.position("at")?))
}

async fn read(partitions: &[ArrayRef], sync: Value, position: Option<&Position>) -> (Vec<i64>, Option<Position>) {
    read_through(partitions, sync, position, "select n from t").await.unwrap()
}

fn integers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Values in ascending order per type, with an overlap that reaches back from the last but exactly to the one before.
fn kinds() -> Vec<(ArrayRef, Value, &'static str)> {
    let micros = |values: [i64; 3]| TimestampMicrosecondArray::from(values.to_vec());
    // 2025-01-01T00:00:00.000001Z and on.
    let times = [1_735_689_600_000_001, 1_735_689_600_000_002, 1_735_689_601_500_002];
    vec![
        (integers(&[Some(-5), Some(0), Some(i64::MAX)]), json!(i64::MAX), "9223372036854775807"),
        (Arc::new(UInt64Array::from(vec![1, 2, u64::MAX])), json!("18446744073709551613"), "18446744073709551615"),
        (
            Arc::new(
                Decimal128Array::from(vec![1, 2, 99999999999999999999999999999999999998])
                    .with_precision_and_scale(38, 9)
                    .unwrap(),
            ),
            json!("99999999999999999999999999999.999999996"),
            "99999999999999999999999999999.999999998",
        ),
        (Arc::new(Date32Array::from(vec![0, 20_000, 20_002])), json!("25h"), "2024-10-06"),
        (Arc::new(micros(times)), json!("1500ms"), "2025-01-01T00:00:01.500002"),
        (Arc::new(micros(times).with_timezone("+00:00")), json!("1500ms"), "2025-01-01T00:00:01.500002Z"),
        (Arc::new(micros(times).with_timezone("Europe/Warsaw")), json!("1500ms"), "2025-01-01T01:00:01.500002+01:00"),
    ]
}

#[tokio::test]
async fn every_type_keeps_its_precision() {
    for (values, overlap, last) in kinds() {
        let kind = values.data_type().clone();
        let (rows, position) = read(&[values.slice(0, 2), values.slice(2, 1)], json!({"cursor": "at"}), None).await;
        let position = position.unwrap();
        assert_eq!(
            (rows, position.value.as_str(), position.data_type.clone()),
            (vec![0, 1, 2], last, kind.to_string())
        );
        // The value comes back exactly: nothing is after it, and it alone is at it.
        let (rows, next) = read(&[Arc::clone(&values)], json!({"cursor": "at"}), Some(&position)).await;
        assert_eq!((rows, next), (vec![], None), "{kind}");
        let none = if kind.is_temporal() { json!("0s") } else { json!(0) };
        let (rows, next) =
            read(&[Arc::clone(&values)], json!({"cursor": "at", "overlap": none}), Some(&position)).await;
        assert_eq!((rows, next.as_ref()), (vec![2], Some(&position)), "{kind}");
        let (rows, _) =
            read(&[Arc::clone(&values)], json!({"cursor": "at", "overlap": overlap}), Some(&position)).await;
        assert_eq!(rows, [1, 2], "{kind} less {overlap}");
        // The first run may start there too.
        let (rows, _) = read(&[values], json!({"cursor": "at", "start": position.value}), None).await;
        assert_eq!(rows, [2], "{kind}");
    }
}

#[tokio::test]
async fn texts_have_an_order_but_no_overlap() {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["a", "ż", "b"]));
    let (_, position) = read(&[Arc::clone(&values)], json!({"cursor": "at"}), None).await;
    let position = position.unwrap();
    assert_eq!(position.value, "ż");
    assert_eq!(read(&[Arc::clone(&values)], json!({"cursor": "at"}), Some(&position)).await, (vec![], None));
    let wrong = json!({"cursor": "at", "overlap": "10m"});
    let error = read_through(&[values], wrong, Some(&position), "select n from t").await.unwrap_err();
    assert!(error.message.starts_with("`sync.overlap` `10m` cannot be taken from `at`, a Utf8"), "{error}");
}

#[tokio::test]
async fn the_position_is_the_greatest_of_all_partitions() {
    let parts =
        [integers(&[Some(3), Some(9)]), integers(&[Some(12), Some(1)]), integers(&[]), integers(&[None, Some(7)])];
    let (rows, position) = read(&parts, json!({"cursor": "at"}), None).await;
    assert_eq!((rows.len(), position.unwrap().value.as_str()), (6, "12"));
}

#[tokio::test]
async fn rows_without_a_cursor_come_with_a_full_read_only() {
    let parts = [integers(&[Some(3), None]), integers(&[None, Some(7)])];
    let (rows, position) = read(&parts, json!({"cursor": "at"}), None).await;
    assert_eq!(rows, [0, 1, 2, 3]);
    assert_eq!(read(&parts, json!({"cursor": "at", "overlap": 1}), position.as_ref()).await.0, [3]);
    // Nothing but nulls moves no position.
    assert_eq!(read(&[integers(&[None, None])], json!({"cursor": "at"}), None).await, (vec![0, 1], None));
}

#[tokio::test]
async fn rows_at_the_position_are_read_again_where_no_load_appends() {
    for (values, _, _) in kinds() {
        let sync = || json!({"cursor": "at"});
        let position = read(&[values.slice(0, 2)], sync(), None).await.1;
        let start = Start { position: position.as_ref(), rereads: true };
        let (rows, _) = read_from(&[Arc::clone(&values)], sync(), start, "select n from t").await.unwrap();
        assert_eq!(rows, [1, 2], "{}", values.data_type());
    }
}

#[tokio::test]
async fn what_was_not_read_moves_no_position() {
    let parts = [integers(&[Some(3), Some(9)]), integers(&[Some(12)]), integers(&[Some(1)])];
    let sync = || json!({"cursor": "at"});
    for sql in ["select n from t limit 1", "select n from t limit 0", "select n from t where false"] {
        let (_, position) = read_through(&parts, sync(), None, sql).await.unwrap();
        assert_eq!(position, None, "{sql}");
    }
    // A condition of a later block does not hide what was read from a source that cannot judge it.
    let (rows, position) = read_through(&parts, sync(), None, "select n from t where n <> 2").await.unwrap();
    assert_eq!((rows, position.unwrap().value.as_str()), (vec![0, 1, 3], "12"));
    let (rows, position) = read_through(&parts, sync(), None, "select count(*) as n from t").await.unwrap();
    assert_eq!((rows, position.unwrap().value.as_str()), (vec![4], "12"));
    let twice = "select a.n from t a join t b on a.n = b.n";
    let (rows, position) = read_through(&parts, sync(), None, twice).await.unwrap();
    assert_eq!((rows.len(), position.unwrap().value.as_str()), (4, "12"));
}

#[tokio::test]
async fn one_partition_of_several_moves_no_position() {
    let context = SessionContext::new();
    let high_water = Arc::new(HighWater::default());
    let inner = table(&[integers(&[Some(3)]), integers(&[Some(12)])]);
    let table = CursorTable { inner, cursor: 1, window: None, high_water: Arc::clone(&high_water) };
    let plan = table.scan(&context.state(), Some(&vec![0]), &[], Some(1)).await.unwrap();
    for (partition, position) in [(0, None), (1, Some("12"))] {
        let mut rows = plan.execute(partition, context.task_ctx()).unwrap();
        let batch = rows.next().await.unwrap().unwrap();
        assert_eq!((batch.num_columns(), high_water.position("at").unwrap()), (1, None));
        assert!(rows.next().await.is_none());
        assert_eq!(high_water.position("at").unwrap().map(|p| p.value).as_deref(), position);
    }
}

#[tokio::test]
async fn a_small_unsigned_position_overlaps_from_zero() {
    let values: ArrayRef = Arc::new(UInt64Array::from(vec![0, 3]));
    let (_, position) = read(&[Arc::clone(&values)], json!({"cursor": "at"}), None).await;
    assert_eq!(read(&[values], json!({"cursor": "at", "overlap": 10}), position.as_ref()).await.0, [0, 1]);
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let parts = [integers(&[Some(3)])];
    let position = Position { column: "at".into(), data_type: "Utf8".into(), value: "x".into() };
    let cases = [
        (json!({"cursor": "an"}), None, "`sync.cursor`: there is no column `an`, did you mean `at`?"),
        (json!({"cursor": "at", "start": "x"}), None, "`sync.start` `x` is not a Int64, the type of `at`"),
        (json!({"cursor": "at"}), Some(&position), "the stored position `x` of `at` is not a Int64"),
    ];
    for (sync, position, said) in cases {
        let error = read_through(&parts, sync, position, "select n from t").await.unwrap_err();
        assert!(error.message.starts_with(said), "{error}");
    }
}
