//! Texts of another executor: read as bytes, and found to be UTF-8 many at a time, since most are plain ASCII.

use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, BinaryViewArray, RecordBatch, RecordBatchOptions, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::{FlightData, SchemaAsIpc};

/// What a view holds in its lowest four bytes: how long its text is.
const LENGTH_BITS: u32 = 32;
/// Texts of so many bytes lie in the view itself, behind their length, by Arrow's format.
const INLINE_BYTES_MAX: u32 = 12;
/// The first bit of each byte of such a text: set in no ASCII.
const NOT_ASCII: u128 = (u128::MAX / 0xff * 0x80) >> LENGTH_BITS << LENGTH_BITS;

/// The columns of one stream whose texts are read as bytes.
#[derive(Default)]
pub(super) struct Texts {
    /// What the first message told, if there are such columns in it.
    told: OnceLock<Option<SchemaRef>>,
}

impl Texts {
    /// The stream's next message. The first tells the schema: there, texts become bytes. Views of both are written alike.
    pub(super) fn as_bytes(&self, message: FlightData) -> Result<FlightData, ArrowError> {
        if self.told.get().is_some() {
            return Ok(message);
        }
        let told = Schema::try_from(&message)?;
        let fields = told.fields().iter().map(|field| match field.data_type() {
            DataType::Utf8View => Arc::new(Field::clone(field).with_data_type(DataType::BinaryView)),
            _ => Arc::clone(field),
        });
        let read = Schema::new_with_metadata(fields.collect::<Vec<_>>(), told.metadata().clone());
        if read == told {
            self.told.get_or_init(|| None);
            return Ok(message);
        }
        self.told.get_or_init(|| Some(Arc::new(told)));
        let header = FlightData::from(SchemaAsIpc::new(&read, &IpcWriteOptions::default())).data_header;
        Ok(FlightData { data_header: header, ..message })
    }

    /// The batch that was sent. Fails for bytes that are no UTF-8.
    pub(super) fn as_texts(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let Some(Some(schema)) = self.told.get() else { return Ok(batch) };
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| match field.data_type() {
            DataType::Utf8View => Ok(Arc::new(text(column.as_binary_view().clone())?) as ArrayRef),
            _ => Ok(Arc::clone(column)),
        });
        let columns = columns.collect::<Result<_, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
    }
}

/// Bytes as texts, if they are.
#[expect(
    unsafe_code,
    reason = "bytes that were all found to be ASCII are UTF-8; one by one takes a quarter of a reader's time"
)]
fn text(bytes: BinaryViewArray) -> Result<StringViewArray, ArrowError> {
    if !is_ascii(&bytes) {
        return bytes.to_string_view();
    }
    // SAFETY: every view of the array shows bytes in itself or in the array's buffers (as its construction has checked),
    // and all of these are ASCII.
    Ok(unsafe { bytes.to_string_view_unchecked() })
}

/// Whether all that views show, and all that lies in the buffers, is ASCII.
fn is_ascii(bytes: &BinaryViewArray) -> bool {
    let inline = bytes.views().iter().fold(0, |seen, view| {
        // A longer one's bytes lie in the buffers, and its view holds numbers instead.
        seen | if *view as u32 <= INLINE_BYTES_MAX { view & NOT_ASCII } else { 0 }
    });
    inline == 0 && bytes.data_buffers().iter().all(|buffer| buffer.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `std` sees it, one by one.
    fn oracle(rows: &[Option<&[u8]>]) -> Option<Vec<Option<String>>> {
        rows.iter()
            .map(|row| row.map(|bytes| String::from_utf8(bytes.to_vec()).ok()).map_or(Some(None), |t| t.map(Some)))
            .collect()
    }

    #[test]
    fn bytes_are_texts_where_they_are_utf_8() {
        let long = "a".repeat(40);
        let pieces: [&[u8]; 12] = [
            b"",
            b"a",
            b"twelve bytes",
            b"thirteen byte",
            long.as_bytes(),
            "\u{e9}".as_bytes(),
            "\u{20ac} at twelve".as_bytes(),
            "a long text that ends in \u{1f980}".as_bytes(),
            b"\x80",
            b"eleven byte\xff",
            b"a long text that is cut: \xe2\x82",
            b"\x7f",
        ];
        // Each pair, so that plain ones stand beside each of the others; and a gap.
        for first in pieces {
            for second in pieces {
                let rows = [Some(first), None, Some(second)];
                let made = text(BinaryViewArray::from(rows.to_vec())).ok();
                let made = made.map(|texts| texts.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>());
                assert_eq!(made, oracle(&rows), "{first:?} and {second:?}");
            }
        }
    }

    #[test]
    fn lengths_and_places_are_no_text() {
        // Longer than what fits seven bits, and further in the buffer than that.
        let rows: Vec<_> = (100..400).map(|length| "z".repeat(length)).collect();
        let bytes = BinaryViewArray::from_iter_values(&rows);
        assert!(is_ascii(&bytes));
        assert_eq!(text(bytes).unwrap(), StringViewArray::from_iter_values(&rows));
    }
}
