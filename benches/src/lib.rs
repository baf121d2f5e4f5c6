//! Measurements of FlowETL and checks of the whole system, see `README.md`; what measurements share.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray};

/// The `n`th batch, of so many rows, of a table with the sixteen columns of TPC-H's `lineitem`, about as wide as the real one.
pub fn lineitem(n: i64, batch_rows: i64) -> anyhow::Result<RecordBatch> {
    const MODES: [&str; 7] = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"];
    const INSTRUCTIONS: [&str; 4] = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"];
    const COMMENT: &str = "carefully final deposits wake slyly across the furiously even requests";
    let rows = n * batch_rows..(n + 1) * batch_rows;
    // Numbers without a pattern that an encoding could use, and the same in every run.
    let mixed = |row: i64, salt: i64| (row.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) >> 20 ^ salt).unsigned_abs();
    let key = |salt, keys: u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| (mixed(row, salt) % keys) as i64)))
    };
    let decimal = |salt, largest: u64| -> anyhow::Result<ArrayRef> {
        let values = rows.clone().map(|row| i128::from(mixed(row, salt) % largest));
        Ok(Arc::new(Decimal128Array::from_iter_values(values).with_precision_and_scale(15, 2)?))
    };
    let date = |salt| -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(rows.clone().map(|row| 8036 + (mixed(row, salt) % 2526) as i32)))
    };
    let word = |salt, words: &[&'static str]| -> ArrayRef {
        let of = |row| words[mixed(row, salt) as usize % words.len()];
        Arc::new(StringArray::from_iter_values(rows.clone().map(of)))
    };
    let comment = |row| {
        let mixed = mixed(row, 15) as usize;
        &COMMENT[mixed % 24..][..10 + mixed % 34]
    };
    Ok(RecordBatch::try_from_iter([
        ("l_orderkey", Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row / 4))) as ArrayRef),
        ("l_partkey", key(1, 200_000)),
        ("l_suppkey", key(2, 10_000)),
        ("l_linenumber", Arc::new(Int32Array::from_iter_values(rows.clone().map(|row| (row % 4) as i32 + 1)))),
        ("l_quantity", decimal(3, 5_000)?),
        ("l_extendedprice", decimal(4, 10_500_000)?),
        ("l_discount", decimal(5, 11)?),
        ("l_tax", decimal(6, 9)?),
        ("l_returnflag", word(7, &["A", "N", "R"])),
        ("l_linestatus", word(8, &["O", "F"])),
        ("l_shipdate", date(9)),
        ("l_commitdate", date(10)),
        ("l_receiptdate", date(11)),
        ("l_shipinstruct", word(12, &INSTRUCTIONS)),
        ("l_shipmode", word(13, &MODES)),
        ("l_comment", Arc::new(StringArray::from_iter_values(rows.clone().map(comment)))),
    ])?)
}
