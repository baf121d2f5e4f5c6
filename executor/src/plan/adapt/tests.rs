//! What fits which type, and rows that are left out whatever is asked of the others.

use arrow::array::{
    AsArray, Date32Array, Float64Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Int64Type, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use flowetl_proto::id::BlockId;
use serde_json::json;

use super::super::drift::drift;
use super::*;

fn array(values: impl Array + 'static) -> ArrayRef {
    Arc::new(values)
}

#[test]
fn only_what_comes_back_the_same_fits() {
    let day = 86_400_000_000;
    let cases = [
        (
            array(Float64Array::from(vec![1.0, 1.5, f64::NAN, 1e300])),
            array(Int64Array::from(vec![Some(1), None, None, None])),
        ),
        (array(Int64Array::from(vec![7, i64::MAX])), array(Int32Array::from(vec![Some(7), None]))),
        (array(Int64Array::from(vec![7, (1 << 53) + 1])), array(Float64Array::from(vec![Some(7.0), None]))),
        (
            array(StringArray::from(vec!["7", "07", "7.5", "x", ""])),
            array(Int64Array::from(vec![Some(7), Some(7), None, None, None])),
        ),
        (array(Int64Array::from(vec![Some(7), None])), array(StringArray::from(vec![Some("7"), None]))),
        (array(TimestampMicrosecondArray::from(vec![day, day + 1])), array(Date32Array::from(vec![Some(1), None]))),
        (array(arrow::array::NullArray::new(1)), array(Int64Array::from(vec![None]))),
        (array(Int64Array::from(vec![Some(1), None])), array(arrow::array::NullArray::new(2))),
        // No cast at all.
        (array(Date32Array::from(vec![Some(1)])), array(arrow::array::BooleanArray::from(vec![None]))),
    ];
    for (values, expected) in cases {
        let fitted = fitting(&values, expected.data_type()).unwrap();
        assert_eq!(&fitted, &expected, "{} as {}", values.data_type(), expected.data_type());
    }
}

/// `id`, the new column `extra`, and `n`, which was a number: rows 2 and 4 lose a value.
fn source() -> Arc<dyn TableProvider> {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("extra", DataType::Utf8, true),
        Field::new("n", DataType::Utf8, true),
    ]);
    let batch = |ids: Vec<i64>, extra: Vec<Option<&str>>, n: Vec<Option<&str>>| {
        let columns = vec![array(Int64Array::from(ids)), array(StringArray::from(extra)), array(StringArray::from(n))];
        vec![RecordBatch::try_new(Arc::new(schema.clone()), columns).unwrap()]
    };
    let partitions = vec![
        batch(vec![1, 2, 3], vec![None, Some("new"), None], vec![Some("10"), Some("20"), None]),
        batch(vec![4, 5], vec![None, None], vec![Some("many"), Some("50")]),
    ];
    Arc::new(MemTable::try_new(Arc::new(schema.clone()), partitions).unwrap())
}

async fn numbers(policy: &str, sql: &str) -> (Vec<Option<i64>>, u64) {
    let before = Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("n", DataType::Int64, true)]);
    let settings = json!({
        "extract": {"table": {"connection": "c", "schema": null, "table": "t"}},
        "schema": {"columns": policy, "types": policy},
    });
    let source = source();
    let settings = serde_json::from_value(settings).unwrap();
    let drift = drift(&BlockId::new("t"), &settings, Some(&before), &source.schema()).unwrap();
    let meter = Arc::new(BlockMeter::default());
    let context = SessionContext::new();
    context.register_table("t", adapt(source, &drift, Arc::clone(&meter))).unwrap();
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let mut numbers: Vec<Option<i64>> =
        batches.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().iter().collect::<Vec<_>>()).collect();
    numbers.sort();
    (numbers, meter.discarded())
}

#[tokio::test]
async fn values_are_discarded() {
    let all = [1, 2, 3, 4, 5].map(Some).to_vec();
    assert_eq!(numbers("discard_value", "select id from t").await, (all, 0));
    let fitting = vec![None, None, Some(10), Some(20), Some(50)];
    assert_eq!(numbers("discard_value", "select n from t").await, (fitting, 0));
    assert_eq!(numbers("discard_value", "select id from t where n > 10").await, ([2, 5].map(Some).to_vec(), 0));
    assert_eq!(numbers("discard_value", "select count(*) from t").await, (vec![Some(5)], 0));
}

#[tokio::test]
async fn rows_are_discarded_whatever_is_asked() {
    let kept = [1, 3, 5].map(Some).to_vec();
    assert_eq!(numbers("discard_row", "select id from t").await, (kept, 2));
    assert_eq!(numbers("discard_row", "select n from t").await, (vec![None, Some(10), Some(50)], 2));
    assert_eq!(numbers("discard_row", "select count(*) from t").await, (vec![Some(3)], 2));
    assert_eq!(numbers("discard_row", "select n from t where id > 4").await.0, [Some(50)]);
    assert_eq!(numbers("discard_row", "select id from t where n is null").await, (vec![Some(3)], 2));
}

#[tokio::test]
async fn a_change_that_is_taken_costs_nothing() {
    let source = source();
    let drift = Drift {
        schema: source.schema(),
        origins: (0..3).map(Origin::As).collect(),
        guards: Vec::new(),
        changes: Vec::new(),
    };
    assert!(Arc::ptr_eq(&adapt(Arc::clone(&source), &drift, Arc::default()), &source));
}
