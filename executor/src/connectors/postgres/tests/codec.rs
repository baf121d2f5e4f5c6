//! Numbers and rows through the codecs and back, without a server; and what must never panic.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, i256};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use crate::connectors::postgres::decode::{Decoder, Fault};
use crate::connectors::postgres::encode::{Encoder, Rows};
use crate::connectors::postgres::numeric;
use crate::connectors::postgres::types::Codec;

/// The bytes of a field without its length.
fn field(out: &[u8]) -> &[u8] {
    let (length, value) = out.split_at(4);
    assert_eq!(u32::from_be_bytes(length.try_into().unwrap()) as usize, value.len());
    value
}

fn text(value: i128, scale: i8) -> String {
    let array: ArrayRef = Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap());
    arrow::util::display::array_value_to_string(&array, 0).unwrap()
}

const LARGEST: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

proptest! {
    #[test]
    fn decimals_come_back(value in -LARGEST..=LARGEST, small in any::<i64>(), scale in 0_i8..=38) {
        for value in [value, i128::from(small), i128::from(small % 1000)] {
            let mut out = Vec::new();
            numeric::encode_i128(value, scale, &mut out);
            prop_assert_eq!(numeric::decode_i128(field(&out), scale), Ok(value));
            let mut shown = Vec::new();
            numeric::decode_text(field(&out), &mut shown).unwrap();
            prop_assert_eq!(String::from_utf8(shown).unwrap(), text(value, scale));
            let mut again = Vec::new();
            numeric::encode_text(&text(value, scale), &mut again).unwrap();
            prop_assert_eq!(numeric::decode_i128(field(&again), scale), Ok(value));
            let wide = i256::from_i128(value);
            let mut out = Vec::new();
            numeric::encode_i256(wide, scale, &mut out);
            prop_assert_eq!(numeric::decode_i256(field(&out), scale), Ok(wide));
        }
    }

    #[test]
    fn damaged_messages_are_errors(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
        let (decoder, message) = sample();
        let mut decoder = decoder;
        let mut damaged = message.clone();
        damaged.truncate(cut.min(message.len()));
        damaged.extend(&bytes);
        // Any answer but a panic; a row that was taken is whole.
        let _ = decoder.message(&damaged);
        prop_assert!(decoder.finish().is_ok() || std::str::from_utf8(&damaged).is_err());
        let _ = numeric::decode_i128(&bytes, 2);
        let _ = numeric::decode_i256(&bytes, 2);
        let _ = numeric::decode_text(&bytes, &mut Vec::new());
    }

    #[test]
    fn rows_come_back(
        ids in proptest::collection::vec(any::<Option<i32>>(), 1..50),
        names in proptest::collection::vec(any::<Option<String>>(), 50),
    ) {
        let count = ids.len();
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(ids)), Arc::new(StringArray::from_iter(names.into_iter().take(count)))];
        let batch = RecordBatch::try_new(schema(), columns).unwrap();
        let message = encoded(&batch);
        let mut decoder = Decoder::new(schema(), &CODECS, 8);
        decoder.message(&message).unwrap();
        prop_assert_eq!(decoder.finish().unwrap(), batch);
    }
}

const CODECS: [Codec; 2] = [Codec::Int4, Codec::Text];

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![Field::new("id", DataType::Int32, true), Field::new("name", DataType::Utf8, true)]))
}

/// The body of one COPY message.
fn encoded(batch: &RecordBatch) -> Vec<u8> {
    let mut encoder = Encoder::new(vec!["id".into(), "name".into()], CODECS.to_vec());
    let columns = encoder.columns(batch).unwrap();
    let mut rows = Rows::new(&columns, &encoder, batch.num_rows()).unwrap();
    assert!(!encoder.add(&mut rows, None).unwrap());
    encoder.end();
    encoder.message()[5..].to_vec()
}

fn sample() -> (Decoder, Vec<u8>) {
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![1, 2])), Arc::new(StringArray::from(vec!["one", "two"]))];
    let batch = RecordBatch::try_new(schema(), columns).unwrap();
    (Decoder::new(schema(), &CODECS, 8), encoded(&batch))
}

#[test]
fn a_row_that_does_not_fit_leaves_nothing_behind() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int32, true),
        Field::new("born", DataType::Date32, true),
    ]));
    let mut decoder = Decoder::new(schema, &[Codec::Int4, Codec::Date], 8);
    let mut message = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for (id, date) in [(1_i32, 0_i32), (2, i32::MAX), (3, 1)] {
        message.extend([0, 2, 0, 0, 0, 4]);
        message.extend(id.to_be_bytes());
        message.extend([0, 0, 0, 4]);
        message.extend(date.to_be_bytes());
    }
    let Err(Fault::Value { column: 1, row, .. }) = decoder.message(&message) else { panic!("an infinite date") };
    assert_eq!(row, 19 + 18..19 + 36);
    decoder.message(&message[row.end..]).unwrap();
    let batch = decoder.finish().unwrap();
    assert_eq!(super::texts(&[batch]), [["1", "2000-01-01"], ["3", "2000-01-02"]]);
}
