//! Rows of SQLite to Arrow batches. A value that does not fit its column is an error that names it, or goes to the
//! quarantine; it is never nulled or rounded.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
    Int64Builder, RecordBatch, RecordBatchOptions, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::text::{fits, parse_date, parse_decimal, parse_time, parse_timestamp, real_to_decimal};
use super::types::Kind;
use crate::connectors::Quarantine;
use crate::{Error, Result};

/// Integers up to here are floating numbers too.
const EXACT_INTEGER: u64 = 1 << 53;
/// Bytes of a value that an error shows.
const SHOWN_MAX: usize = 80;

/// How one column is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub name: String,
    pub kind: Kind,
    /// The kind was asked for, or found by looking, rather than declared: numbers may then be read as their text, and
    /// text as its bytes.
    pub lenient: bool,
}

/// What a decoder is told once.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// `shop.orders`, or `the query on shop`.
    pub place: String,
    pub columns: Vec<Reading>,
    pub schema: SchemaRef,
    /// Whether the row's `rowid` stands behind the columns.
    pub has_rowid: bool,
    pub quarantine: Option<Arc<dyn Quarantine>>,
    pub batch_rows: usize,
    pub batch_bytes: usize,
}

/// Gathers rows until a batch is full.
pub(super) struct Decoder {
    layout: Arc<Layout>,
    builders: Vec<Builder>,
    rows: usize,
    bytes: usize,
    /// Of the whole read, for errors of rows without a `rowid`.
    rows_before: u64,
    /// Rows of this batch that went to the quarantine and must leave it again.
    refused: Vec<usize>,
}

impl Decoder {
    pub(super) fn new(layout: Arc<Layout>) -> Self {
        let builders = layout.columns.iter().map(|column| Builder::new(column.kind)).collect();
        Self { layout, builders, rows: 0, bytes: 0, rows_before: 0, refused: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= self.layout.batch_rows || self.bytes >= self.layout.batch_bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        let mut misfit = None;
        for (index, builder) in self.builders.iter_mut().enumerate() {
            // The statement has as many columns as the layout, so asking for one cannot fail.
            let value = row.get_ref(index).unwrap_or(ValueRef::Null);
            if misfit.is_none() && builder.push(value, self.layout.columns[index].lenient) {
                self.bytes += size(value);
            } else {
                misfit.get_or_insert(index);
                builder.push_null();
            }
        }
        if let Some(index) = misfit {
            self.refuse(row, index)?;
        }
        self.rows += 1;
        Ok(())
    }

    fn refuse(&mut self, row: &Row<'_>, index: usize) -> Result<()> {
        let columns = &self.layout.columns;
        let column = &columns[index];
        let value = row.get_ref(index).unwrap_or(ValueRef::Null);
        let fitting = if matches!(value, ValueRef::Blob(_)) || !is_utf8(value) { Kind::Blob } else { Kind::Text };
        let reason = format!(
            "column `{}` holds {}, which is not {}; `types: {{{}: {}}}` reads it",
            column.name,
            shown(value),
            column.kind.name(),
            column.name,
            fitting.name(),
        );
        let number = self.rows_before + self.rows as u64 + 1;
        let location = match self.layout.has_rowid.then(|| row.get::<_, i64>(columns.len())) {
            Some(Ok(rowid)) => format!("{} rowid {rowid}", self.layout.place),
            _ => format!("{} row {number}", self.layout.place),
        };
        let Some(quarantine) = &self.layout.quarantine else {
            return Err(Error::user(format!("{location}: {reason}")));
        };
        let values: Vec<_> = (0..columns.len()).map(|i| shown(row.get_ref(i).unwrap_or(ValueRef::Null))).collect();
        quarantine.put(location, values.join(", "), reason)?;
        self.refused.push(self.rows);
        Ok(())
    }

    /// The rows gathered, without the refused ones; the decoder begins anew.
    pub(super) fn finish(&mut self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let built = RecordBatch::try_new_with_options(Arc::clone(&self.layout.schema), arrays, &options);
        let mut batch = built.map_err(|e| Error::internal("rows do not fit their own schema").because(e))?;
        if !self.refused.is_empty() {
            let mut keep = vec![true; self.rows];
            self.refused.drain(..).for_each(|row| keep[row] = false);
            batch = filter_record_batch(&batch, &BooleanArray::from(keep))
                .map_err(|e| Error::internal("cannot take refused rows out of a batch").because(e))?;
        }
        if let Some(quarantine) = &self.layout.quarantine {
            quarantine.read(batch.num_rows() as u64);
        }
        self.rows_before += self.rows as u64;
        (self.rows, self.bytes) = (0, 0);
        Ok(batch)
    }
}

enum Builder {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Real(Float64Builder),
    Text(StringBuilder),
    Blob(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Decimal(Decimal128Builder, u8, i8),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Real => Self::Real(Float64Builder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Blob => Self::Blob(BinaryBuilder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Time => Self::Time(Time64MicrosecondBuilder::new()),
            Kind::Timestamp { .. } => Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(kind.arrow())),
            Kind::Decimal { precision, scale } => {
                Self::Decimal(Decimal128Builder::new().with_data_type(kind.arrow()), precision, scale)
            }
        }
    }

    /// Appends the value, or answers false where it does not fit.
    fn push(&mut self, value: ValueRef<'_>, lenient: bool) -> bool {
        if value == ValueRef::Null {
            self.push_null();
            return true;
        }
        match self {
            Self::Boolean(builder) => append(boolean(value), |v| builder.append_value(v)),
            Self::Integer(builder) => append(integer(value), |v| builder.append_value(v)),
            Self::Real(builder) => append(real(value), |v| builder.append_value(v)),
            Self::Date(builder) => append(text(value).and_then(parse_date), |v| builder.append_value(v)),
            Self::Time(builder) => append(text(value).and_then(parse_time), |v| builder.append_value(v)),
            Self::Timestamp(builder) => append(text(value).and_then(parse_timestamp), |v| builder.append_value(v)),
            Self::Decimal(builder, precision, scale) => {
                append(decimal(value, *precision, *scale), |v| builder.append_value(v))
            }
            Self::Text(builder) => match value {
                ValueRef::Integer(v) if lenient => append(Some(v.to_string()), |v| builder.append_value(v)),
                ValueRef::Real(v) if lenient => append(Some(format!("{v:?}")), |v| builder.append_value(v)),
                other => append(text(other), |v| builder.append_value(v)),
            },
            Self::Blob(builder) => match value {
                ValueRef::Blob(v) => append(Some(v), |v| builder.append_value(v)),
                ValueRef::Text(v) if lenient => append(Some(v), |v| builder.append_value(v)),
                ValueRef::Integer(v) if lenient => append(Some(v.to_string()), |v| builder.append_value(v)),
                ValueRef::Real(v) if lenient => append(Some(format!("{v:?}")), |v| builder.append_value(v)),
                _ => false,
            },
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Real(builder) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Blob(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
            Self::Decimal(builder, ..) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Real(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Blob(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder, ..) => Arc::new(builder.finish()),
        }
    }
}

fn append<V>(value: Option<V>, append: impl FnOnce(V)) -> bool {
    value.map(append).is_some()
}

fn boolean(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Integer(0) => Some(false),
        ValueRef::Integer(1) => Some(true),
        _ => None,
    }
}

fn integer(value: ValueRef<'_>) -> Option<i64> {
    if let ValueRef::Integer(v) = value { Some(v) } else { None }
}

fn real(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Real(v) => Some(v),
        ValueRef::Integer(v) if v.unsigned_abs() <= EXACT_INTEGER => Some(v as f64),
        _ => None,
    }
}

fn text(value: ValueRef<'_>) -> Option<&str> {
    if let ValueRef::Text(v) = value { std::str::from_utf8(v).ok() } else { None }
}

fn decimal(value: ValueRef<'_>, precision: u8, scale: i8) -> Option<i128> {
    match value {
        ValueRef::Integer(v) => {
            let unscaled = i128::from(v).checked_mul(10i128.checked_pow(scale as u32)?)?;
            fits(unscaled, precision).then_some(unscaled)
        }
        ValueRef::Real(v) => real_to_decimal(v, precision, scale),
        ValueRef::Text(v) | ValueRef::Blob(v) => parse_decimal(std::str::from_utf8(v).ok()?, precision, scale),
        ValueRef::Null => None,
    }
}

fn size(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(v) | ValueRef::Blob(v) => v.len() + 4,
        _ => 8,
    }
}

fn is_utf8(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Text(v) => std::str::from_utf8(v).is_ok(),
        _ => true,
    }
}

/// A value as an error shows it, with its storage class where its look does not tell.
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".into(),
        ValueRef::Integer(v) => format!("the integer `{v}`"),
        ValueRef::Real(v) => format!("the real `{v:?}`"),
        ValueRef::Text(v) => match std::str::from_utf8(v) {
            Ok(text) => format!("the text `{}`", shortened(text)),
            Err(_) => format!("a text of {} bytes that is not UTF-8", v.len()),
        },
        ValueRef::Blob(v) => format!("a blob of {} bytes", v.len()),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
