//! Binary COPY to Arrow: fields are parsed where they lie in the receive buffer, straight into the columns' vectors.

mod column;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;

use self::column::Column;
use super::types::Codec;

/// What every binary COPY begins with.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01.
pub(super) const EPOCH_DAYS: i32 = 10_957;
pub(super) const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400 * 1_000_000;

/// Why a message cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes are not what the protocol says.
    Malformed(&'static str),
    /// The value of this column is none that its Arrow type can hold. `row` is where the row lies in the message; what
    /// follows it was not looked at.
    Value { column: usize, why: &'static str, row: Range<usize> },
}

/// Why a row cannot be taken.
enum RowFault {
    Malformed(&'static str),
    Value { column: usize, why: &'static str },
}

/// Gathers rows of one COPY after the other into batches of one schema.
#[derive(Debug)]
pub(super) struct Decoder {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    has_header: bool,
    rows_hint: usize,
}

impl Decoder {
    /// `rows_hint` is the number of rows that a batch will usually have.
    pub(super) fn new(schema: SchemaRef, codecs: &[Codec], rows_hint: usize) -> Self {
        let columns = codecs.iter().map(|c| Column::new(c, rows_hint)).collect();
        Self { schema, columns, rows: 0, bytes: 0, has_header: false, rows_hint }
    }

    /// The next message is the first of a new COPY.
    pub(super) fn begin_copy(&mut self) {
        self.has_header = false;
    }

    /// Complete rows gathered since the last batch.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes received for them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes one data message: the header, whole rows, the trailer, or several of these. After a fault the columns are as
    /// they were before the faulty row.
    #[inline]
    pub(super) fn message(&mut self, message: &[u8]) -> Result<(), Fault> {
        let mut body = message;
        if !self.has_header {
            body = header(body)?;
            self.has_header = true;
        }
        self.bytes += body.len();
        while let Some((count, rest)) = body.split_first_chunk::<2>() {
            let count = i16::from_be_bytes(*count);
            if count == -1 {
                return if rest.is_empty() { Ok(()) } else { Err(Fault::Malformed("bytes after the trailer")) };
            }
            match self.row(count, rest) {
                Ok(rest) => body = rest,
                Err(fault) => {
                    for column in &mut self.columns {
                        column.truncate(self.rows);
                    }
                    return Err(match fault {
                        RowFault::Malformed(why) => Fault::Malformed(why),
                        RowFault::Value { column, why } => {
                            let from = message.len() - body.len();
                            let length = 2 + row_length(count, rest).ok_or(Fault::Malformed(CUT_OFF))?;
                            Fault::Value { column, why, row: from..from + length }
                        }
                    });
                }
            }
        }
        if body.is_empty() { Ok(()) } else { Err(Fault::Malformed(CUT_OFF)) }
    }

    #[inline]
    fn row<'a>(&mut self, count: i16, mut body: &'a [u8]) -> Result<&'a [u8], RowFault> {
        if count as usize != self.columns.len() {
            return Err(RowFault::Malformed("a row has another number of columns than its table"));
        }
        for (i, column) in self.columns.iter_mut().enumerate() {
            let (length, rest) = body.split_first_chunk::<4>().ok_or(RowFault::Malformed(CUT_OFF))?;
            let length = i32::from_be_bytes(*length);
            if length == -1 {
                column.push_null();
                body = rest;
                continue;
            }
            let (value, rest) = rest.split_at_checked(length as usize).ok_or(RowFault::Malformed(CUT_OFF))?;
            column.push(value).map_err(|why| RowFault::Value { column: i, why })?;
            body = rest;
        }
        self.rows += 1;
        Ok(body)
    }

    /// The rows gathered so far; the next batch begins.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let arrays = self
            .columns
            .iter_mut()
            .zip(self.schema.fields())
            .map(|(column, field)| column.finish(field.data_type(), self.rows_hint))
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.rows = 0;
        self.bytes = 0;
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}

const CUT_OFF: &str = "a row is cut off";

/// Bytes of a row of `count` fields.
fn row_length(count: i16, row: &[u8]) -> Option<usize> {
    let mut rest = row;
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        rest = if length == -1 { after } else { after.get(length as usize..)? };
    }
    Some(row.len() - rest.len())
}

/// A row as `name=value, ...`, with `?` where a value cannot be read; `row` starts with its number of fields.
pub(super) fn row_text(schema: &SchemaRef, codecs: &[Codec], row: &[u8]) -> String {
    let mut rest = row.get(2..).unwrap_or_default();
    let mut values = Vec::with_capacity(codecs.len());
    for (field, codec) in schema.fields().iter().zip(codecs) {
        let Some((length, after)) = rest.split_first_chunk::<4>() else { break };
        let length = i32::from_be_bytes(*length);
        let bytes = if length == -1 { None } else { after.get(..length as usize) };
        rest = if length == -1 { after } else { after.get(length as usize..).unwrap_or_default() };
        let mut column = Column::new(codec, 1);
        let value = match bytes.map(|b| column.push(b)) {
            None => Some("null".to_owned()),
            Some(Err(_)) => None,
            Some(Ok(())) => column.finish(field.data_type(), 0).ok().and_then(|a| array_value_to_string(&a, 0).ok()),
        };
        values.push(format!("{}={}", field.name(), value.as_deref().unwrap_or("?")));
    }
    values.join(", ")
}

fn header(body: &[u8]) -> Result<&[u8], Fault> {
    let rest = body.strip_prefix(SIGNATURE.as_slice()).ok_or(Fault::Malformed("no COPY signature"))?;
    let (words, rest) = rest.split_first_chunk::<8>().ok_or(Fault::Malformed("the COPY header is cut off"))?;
    let [f3, f2, f1, f0, extension @ ..] = *words;
    if u32::from_be_bytes([f3, f2, f1, f0]) & 0xffff_0000 != 0 {
        return Err(Fault::Malformed("the COPY header has unknown flags"));
    }
    rest.get(u32::from_be_bytes(extension) as usize..).ok_or(Fault::Malformed("the COPY header is cut off"))
}
