//! Arrow to binary COPY: rows are built in the buffer that is sent, in messages of a quarter of a megabyte.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, LargeBinaryArray,
    LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType, UInt32Type, i256,
};

use super::decode::{EPOCH_DAYS, EPOCH_MICROSECONDS, SIGNATURE};
use super::numeric;
use super::types::Codec;
use crate::{Error, Result};

/// A message is sent when it has grown to this: enough to make system calls rare, little enough to stay in the cache.
const MESSAGE_BYTES: usize = 256 * 1024;
/// Tag and length.
const MESSAGE_HEADER: usize = 5;

/// Builds the messages of one COPY.
#[derive(Debug)]
pub(super) struct Encoder {
    names: Vec<String>,
    codecs: Vec<Codec>,
    /// The message under construction; its header's room comes first.
    message: Vec<u8>,
}

/// A batch whose columns have the types that the encoder writes.
pub(super) struct Rows<'a> {
    columns: Vec<Column<'a>>,
    count: usize,
    next: usize,
}

impl Encoder {
    pub(super) fn new(names: Vec<String>, codecs: Vec<Codec>) -> Self {
        let mut message = Vec::with_capacity(MESSAGE_BYTES * 5 / 4);
        message.extend_from_slice(&[0; MESSAGE_HEADER]);
        message.extend_from_slice(SIGNATURE);
        message.extend_from_slice(&[0; 8]);
        Self { names, codecs, message }
    }

    /// The batch's columns in the types that are written; casts only what is narrower, coded or of another unit.
    pub(super) fn columns(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        if batch.num_columns() != self.codecs.len() {
            return Err(Error::internal(format!(
                "{} columns came where {} were announced",
                batch.num_columns(),
                self.codecs.len()
            )));
        }
        let columns = self.names.iter().zip(batch.columns()).zip(&self.codecs);
        columns
            .map(|((name, array), codec)| {
                normal(array, codec).map_err(|why| Error::user(format!("column `{name}` cannot be written: {why}")))
            })
            .collect()
    }

    /// Adds rows until the message is large enough to send or the rows are out. `order`, if given, is the number of the
    /// first row and makes a last column of its own.
    pub(super) fn add(&mut self, rows: &mut Rows<'_>, order: Option<i64>) -> Result<bool> {
        let columns = (rows.columns.len() + usize::from(order.is_some())) as u16;
        while rows.next < rows.count {
            self.message.extend_from_slice(&columns.to_be_bytes());
            for (column, name) in rows.columns.iter().zip(&self.names) {
                if let Err(why) = column.put(rows.next, &mut self.message) {
                    return Err(Error::user(format!("column `{name}` cannot be written: it holds {why}")));
                }
            }
            if let Some(first) = order {
                put8(&(first + rows.next as i64).to_be_bytes(), &mut self.message);
            }
            rows.next += 1;
            if self.message.len() >= MESSAGE_BYTES {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Marks the end of all rows.
    pub(super) fn end(&mut self) {
        self.message.extend_from_slice(&(-1_i16).to_be_bytes());
    }

    /// The message as it is sent; [`Self::clear`] starts the next.
    pub(super) fn message(&mut self) -> &[u8] {
        let length = (self.message.len() - 1) as u32;
        self.message[0] = b'd';
        self.message[1..MESSAGE_HEADER].copy_from_slice(&length.to_be_bytes());
        &self.message
    }

    pub(super) fn clear(&mut self) {
        self.message.truncate(MESSAGE_HEADER);
    }
}

impl<'a> Rows<'a> {
    /// `columns` as [`Encoder::columns`] gave them.
    pub(super) fn new(columns: &'a [ArrayRef], encoder: &Encoder, count: usize) -> Result<Self> {
        let columns = columns
            .iter()
            .zip(&encoder.codecs)
            .map(|(array, codec)| Column::new(array, codec))
            .collect::<Result<_>>()?;
        Ok(Self { columns, count, next: 0 })
    }
}

/// Brings an array to the type that its codec writes, without loss.
fn normal(array: &ArrayRef, codec: &Codec) -> Result<ArrayRef, String> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |to: &DataType| cast_with_options(array, to, &strict).map_err(|e| e.to_string());
    Ok(match (codec, array.data_type()) {
        (_, DataType::Null) => Arc::clone(array),
        (_, DataType::Dictionary(_, values)) => normal(&cast(values)?, codec)?,
        (
            Codec::Text | Codec::Jsonb | Codec::NumericText | Codec::Uuid,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View,
        )
        | (Codec::Bytea, _)
        | (Codec::Uuid, DataType::FixedSizeBinary(16))
        | (Codec::Numeric { .. } | Codec::NumericText, DataType::Decimal128(..) | DataType::Decimal256(..)) => {
            Arc::clone(array)
        }
        (Codec::Numeric { .. } | Codec::NumericText, DataType::Decimal32(p, s) | DataType::Decimal64(p, s)) => {
            cast(&DataType::Decimal128(*p, *s))?
        }
        (Codec::Numeric { .. } | Codec::NumericText, _) => cast(&DataType::Decimal128(20, 0))?,
        (Codec::Date, DataType::Date64) => {
            whole(array.as_primitive::<Date64Type>().values(), 86_400_000, "a time of day in a date")?;
            cast(&DataType::Date32)?
        }
        (Codec::Timestamp | Codec::Timestamptz, DataType::Timestamp(unit, zone)) => {
            if *unit == TimeUnit::Nanosecond {
                whole(array.as_primitive::<TimestampNanosecondType>().values(), 1000, NANOSECONDS)?;
            }
            cast(&DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?
        }
        (Codec::Time, other) => {
            if *other == DataType::Time64(TimeUnit::Nanosecond) {
                whole(array.as_primitive::<Time64NanosecondType>().values(), 1000, NANOSECONDS)?;
            }
            cast(&DataType::Time64(TimeUnit::Microsecond))?
        }
        (Codec::Interval, _) => cast(&DataType::Interval(IntervalUnit::MonthDayNano))?,
        (Codec::List { .. }, DataType::LargeList(field) | DataType::FixedSizeList(field, _)) => {
            cast(&DataType::List(Arc::clone(field)))?
        }
        (Codec::List { .. }, DataType::List(_)) => Arc::clone(array),
        (codec, _) => cast(&codec.data_type())?,
    })
}

const NANOSECONDS: &str = "nanoseconds, and PostgreSQL keeps microseconds; cast it to a timestamp of microseconds";

fn whole(values: &[i64], unit: i64, what: &str) -> Result<(), String> {
    match values.iter().all(|v| v % unit == 0) {
        true => Ok(()),
        false => Err(format!("it holds {what}")),
    }
}

/// Values of a column, by the way they are written.
enum Cells<'a> {
    Null,
    Bool(&'a BooleanArray),
    Int2(&'a [i16]),
    Int4(&'a [i32]),
    Int8(&'a [i64]),
    Oid(&'a [u32]),
    Float4(&'a [f32]),
    Float8(&'a [f64]),
    Decimal128(&'a [i128], i8),
    Decimal256(&'a [i256], i8),
    NumericText(Texts<'a>),
    Text(Texts<'a>),
    Jsonb(Texts<'a>),
    Uuid(Texts<'a>),
    Bytes(Bytes<'a>),
    Date(&'a [i32]),
    Timestamp(&'a [i64]),
    Interval(&'a [IntervalMonthDayNano]),
    List { lists: &'a ListArray, element: Box<Column<'a>>, oid: u32 },
}

/// The three layouts of text.
enum Texts<'a> {
    Small(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl Texts<'_> {
    #[inline]
    fn value(&self, row: usize) -> &str {
        match self {
            Self::Small(a) => a.value(row),
            Self::Large(a) => a.value(row),
            Self::View(a) => a.value(row),
        }
    }
}

/// The four layouts of bytes.
enum Bytes<'a> {
    Small(&'a BinaryArray),
    Large(&'a LargeBinaryArray),
    View(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl Bytes<'_> {
    #[inline]
    fn value(&self, row: usize) -> &[u8] {
        match self {
            Self::Small(a) => a.value(row),
            Self::Large(a) => a.value(row),
            Self::View(a) => a.value(row),
            Self::Fixed(a) => a.value(row),
        }
    }
}

struct Column<'a> {
    cells: Cells<'a>,
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef, codec: &Codec) -> Result<Self> {
        let mismatch = || Error::internal(format!("{} cannot be written as {codec:?}", array.data_type()));
        let cells = match (codec, array.data_type()) {
            (_, DataType::Null) => Cells::Null,
            (Codec::Bool, _) => Cells::Bool(array.as_boolean_opt().ok_or_else(mismatch)?),
            (Codec::Int2, _) => Cells::Int2(array.as_primitive_opt::<Int16Type>().ok_or_else(mismatch)?.values()),
            (Codec::Int4, _) => Cells::Int4(array.as_primitive_opt::<Int32Type>().ok_or_else(mismatch)?.values()),
            (Codec::Int8, _) => Cells::Int8(array.as_primitive_opt::<Int64Type>().ok_or_else(mismatch)?.values()),
            (Codec::Oid, _) => Cells::Oid(array.as_primitive_opt::<UInt32Type>().ok_or_else(mismatch)?.values()),
            (Codec::Float4, _) => Cells::Float4(array.as_primitive_opt::<Float32Type>().ok_or_else(mismatch)?.values()),
            (Codec::Float8, _) => Cells::Float8(array.as_primitive_opt::<Float64Type>().ok_or_else(mismatch)?.values()),
            (Codec::Numeric { .. } | Codec::NumericText, DataType::Decimal128(_, scale)) => {
                Cells::Decimal128(array.as_primitive::<Decimal128Type>().values(), *scale)
            }
            (Codec::Numeric { .. } | Codec::NumericText, DataType::Decimal256(_, scale)) => {
                Cells::Decimal256(array.as_primitive::<Decimal256Type>().values(), *scale)
            }
            (Codec::NumericText, _) => Cells::NumericText(texts(array).ok_or_else(mismatch)?),
            (Codec::Text | Codec::Padded, _) => Cells::Text(texts(array).ok_or_else(mismatch)?),
            (Codec::Jsonb, _) => Cells::Jsonb(texts(array).ok_or_else(mismatch)?),
            (Codec::Uuid, DataType::FixedSizeBinary(_)) => Cells::Bytes(Bytes::Fixed(array.as_fixed_size_binary())),
            (Codec::Uuid, _) => Cells::Uuid(texts(array).ok_or_else(mismatch)?),
            (Codec::Bytea, _) => Cells::Bytes(bytes(array).ok_or_else(mismatch)?),
            (Codec::Date, _) => Cells::Date(array.as_primitive_opt::<Date32Type>().ok_or_else(mismatch)?.values()),
            (Codec::Timestamp | Codec::Timestamptz, _) => {
                Cells::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(mismatch)?.values())
            }
            (Codec::Time, _) => {
                Cells::Int8(array.as_primitive_opt::<Time64MicrosecondType>().ok_or_else(mismatch)?.values())
            }
            (Codec::Interval, _) => {
                Cells::Interval(array.as_primitive_opt::<IntervalMonthDayNanoType>().ok_or_else(mismatch)?.values())
            }
            (Codec::List { element, oid }, _) => {
                let lists = array.as_list_opt::<i32>().ok_or_else(mismatch)?;
                let element = Box::new(Self::new(lists.values(), element)?);
                Cells::List { lists, element, oid: *oid }
            }
            (Codec::Numeric { .. }, _) => return Err(mismatch()),
        };
        Ok(Self { cells, nulls: array.nulls() })
    }

    /// Appends the field of one row: its length, then its value.
    #[inline]
    fn put(&self, row: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if self.nulls.is_some_and(|n| n.is_null(row)) {
            out.extend_from_slice(&(-1_i32).to_be_bytes());
            return Ok(());
        }
        match &self.cells {
            Cells::Null => out.extend_from_slice(&(-1_i32).to_be_bytes()),
            Cells::Bool(a) => out.extend_from_slice(&[0, 0, 0, 1, u8::from(a.value(row))]),
            Cells::Int2(v) => {
                let [b1, b0] = v[row].to_be_bytes();
                out.extend_from_slice(&[0, 0, 0, 2, b1, b0]);
            }
            Cells::Int4(v) => put4(&v[row].to_be_bytes(), out),
            Cells::Int8(v) => put8(&v[row].to_be_bytes(), out),
            Cells::Oid(v) => put4(&v[row].to_be_bytes(), out),
            Cells::Float4(v) => put4(&v[row].to_be_bytes(), out),
            Cells::Float8(v) => put8(&v[row].to_be_bytes(), out),
            Cells::Decimal128(v, scale) => numeric::encode_i128(v[row], *scale, out),
            Cells::Decimal256(v, scale) => numeric::encode_i256(v[row], *scale, out),
            Cells::NumericText(t) => numeric::encode_text(t.value(row), out)?,
            Cells::Text(t) => put_bytes(t.value(row).as_bytes(), out)?,
            Cells::Jsonb(t) => {
                let text = t.value(row).as_bytes();
                let length = i32::try_from(text.len() + 1).map_err(|_| TOO_LONG)?;
                out.extend_from_slice(&length.to_be_bytes());
                out.push(1);
                out.extend_from_slice(text);
            }
            Cells::Uuid(t) => {
                let uuid = uuid::Uuid::try_parse(t.value(row)).map_err(|_| "a text that is no uuid")?;
                out.extend_from_slice(&[0, 0, 0, 16]);
                out.extend_from_slice(uuid.as_bytes());
            }
            Cells::Bytes(b) => put_bytes(b.value(row), out)?,
            Cells::Date(v) => {
                let days = v[row].checked_sub(EPOCH_DAYS).filter(|&d| d != i32::MIN).ok_or(OUT_OF_RANGE)?;
                put4(&days.to_be_bytes(), out);
            }
            Cells::Timestamp(v) => {
                let time = v[row].checked_sub(EPOCH_MICROSECONDS).filter(|&t| t != i64::MIN).ok_or(OUT_OF_RANGE)?;
                put8(&time.to_be_bytes(), out);
            }
            Cells::Interval(v) => {
                let IntervalMonthDayNano { months, days, nanoseconds } = v[row];
                if nanoseconds % 1000 != 0 {
                    return Err(NANOSECONDS);
                }
                out.extend_from_slice(&[0, 0, 0, 16]);
                out.extend_from_slice(&(nanoseconds / 1000).to_be_bytes());
                out.extend_from_slice(&days.to_be_bytes());
                out.extend_from_slice(&months.to_be_bytes());
            }
            Cells::List { lists, element, oid } => put_list(lists, element, *oid, row, out)?,
        }
        Ok(())
    }
}

const TOO_LONG: &str = "a value of more than 2 GB";
const OUT_OF_RANGE: &str = "a time beyond PostgreSQL's range";

#[inline]
fn put4(value: &[u8; 4], out: &mut Vec<u8>) {
    let [b3, b2, b1, b0] = *value;
    out.extend_from_slice(&[0, 0, 0, 4, b3, b2, b1, b0]);
}

#[inline]
fn put8(value: &[u8; 8], out: &mut Vec<u8>) {
    let mut field = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    field[4..].copy_from_slice(value);
    out.extend_from_slice(&field);
}

#[inline]
fn put_bytes(value: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let length = i32::try_from(value.len()).map_err(|_| TOO_LONG)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
    Ok(())
}

/// One dimension that starts at 1; an empty list has none.
fn put_list(
    lists: &ListArray,
    element: &Column<'_>,
    oid: u32,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    let offsets = lists.value_offsets();
    let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&i32::from(to > from).to_be_bytes());
    out.extend_from_slice(&i32::from(element.nulls.is_some()).to_be_bytes());
    out.extend_from_slice(&oid.to_be_bytes());
    if to > from {
        out.extend_from_slice(&((to - from) as i32).to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
    for i in from..to {
        element.put(i, out)?;
    }
    let length = i32::try_from(out.len() - start - 4).map_err(|_| TOO_LONG)?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn texts(array: &ArrayRef) -> Option<Texts<'_>> {
    Some(match array.data_type() {
        DataType::Utf8 => Texts::Small(array.as_string()),
        DataType::LargeUtf8 => Texts::Large(array.as_string()),
        DataType::Utf8View => Texts::View(array.as_string_view()),
        _ => return None,
    })
}

fn bytes(array: &ArrayRef) -> Option<Bytes<'_>> {
    Some(match array.data_type() {
        DataType::Binary => Bytes::Small(array.as_binary()),
        DataType::LargeBinary => Bytes::Large(array.as_binary()),
        DataType::BinaryView => Bytes::View(array.as_binary_view()),
        DataType::FixedSizeBinary(_) => Bytes::Fixed(array.as_fixed_size_binary()),
        _ => return None,
    })
}
