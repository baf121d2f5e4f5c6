//! One column under construction: a field's bytes become a value at the end of a vector.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Decimal256Array,
    Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, ListArray,
    NullBufferBuilder, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano, i256};
use arrow::error::ArrowError;

use super::{EPOCH_DAYS, EPOCH_MICROSECONDS};
use crate::connectors::postgres::numeric;
use crate::connectors::postgres::types::Codec;

/// One column under construction: values, and where they are null.
#[derive(Debug)]
pub(super) struct Column {
    values: Values,
    nulls: NullBufferBuilder,
}

/// Values of a text or bytes column: all bytes in one vector, and where each ends.
#[derive(Debug)]
struct Strings {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Values {
    Bool(BooleanBufferBuilder),
    Int2(Vec<i16>),
    Int4(Vec<i32>),
    Int8(Vec<i64>),
    Oid(Vec<u32>),
    Float4(Vec<f32>),
    Float8(Vec<f64>),
    Decimal128(Vec<i128>, i8),
    Decimal256(Vec<i256>, i8),
    NumericText(Strings),
    Text(Strings),
    Padded(Strings),
    Jsonb(Strings),
    Uuid(Strings),
    Bytea(Strings),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    Time(Vec<i64>),
    Interval(Vec<IntervalMonthDayNano>),
    List { offsets: Vec<i32>, element: Box<Column>, oid: u32 },
}

const WRONG_LENGTH: &str = "a value of the wrong length";
const TOO_LONG: &str = "more than 2 GB of values in one batch";

#[inline]
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], &'static str> {
    bytes.try_into().map_err(|_| WRONG_LENGTH)
}

impl Strings {
    fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, bytes: Vec::new() }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        self.bytes.extend_from_slice(bytes);
        self.close()
    }

    #[inline]
    fn close(&mut self) -> Result<(), &'static str> {
        self.offsets.push(i32::try_from(self.bytes.len()).map_err(|_| TOO_LONG)?);
        Ok(())
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.bytes.truncate(self.offsets.last().map_or(0, |&end| end as usize));
    }

    /// What was gathered, leaving room for as much again.
    fn take(&mut self, rows: usize) -> (OffsetBuffer<i32>, Buffer) {
        let mut next = Self::new(rows);
        next.bytes.reserve(self.bytes.len());
        let Self { offsets, bytes } = std::mem::replace(self, next);
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(bytes))
    }
}

/// Hands out a vector and leaves an empty one with room for `rows`.
fn take<T>(values: &mut Vec<T>, rows: usize) -> Vec<T> {
    std::mem::replace(values, Vec::with_capacity(rows))
}

impl Column {
    pub(super) fn new(codec: &Codec, rows: usize) -> Self {
        let values = match codec {
            Codec::Bool => Values::Bool(BooleanBufferBuilder::new(rows)),
            Codec::Int2 => Values::Int2(Vec::with_capacity(rows)),
            Codec::Int4 => Values::Int4(Vec::with_capacity(rows)),
            Codec::Int8 => Values::Int8(Vec::with_capacity(rows)),
            Codec::Oid => Values::Oid(Vec::with_capacity(rows)),
            Codec::Float4 => Values::Float4(Vec::with_capacity(rows)),
            Codec::Float8 => Values::Float8(Vec::with_capacity(rows)),
            Codec::Numeric { scale, .. } => match codec.data_type() {
                DataType::Decimal128(..) => Values::Decimal128(Vec::with_capacity(rows), *scale),
                _ => Values::Decimal256(Vec::with_capacity(rows), *scale),
            },
            Codec::NumericText => Values::NumericText(Strings::new(rows)),
            Codec::Text => Values::Text(Strings::new(rows)),
            Codec::Padded => Values::Padded(Strings::new(rows)),
            Codec::Jsonb => Values::Jsonb(Strings::new(rows)),
            Codec::Uuid => Values::Uuid(Strings::new(rows)),
            Codec::Bytea => Values::Bytea(Strings::new(rows)),
            Codec::Date => Values::Date(Vec::with_capacity(rows)),
            Codec::Timestamp | Codec::Timestamptz => Values::Timestamp(Vec::with_capacity(rows)),
            Codec::Time => Values::Time(Vec::with_capacity(rows)),
            Codec::Interval => Values::Interval(Vec::with_capacity(rows)),
            Codec::List { element, oid } => {
                Values::List { offsets: vec![0], element: Box::new(Self::new(element, 0)), oid: *oid }
            }
        };
        Self { values, nulls: NullBufferBuilder::new(rows) }
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        match &mut self.values {
            Values::Bool(v) => v.append(fixed::<1>(bytes)? != [0]),
            Values::Int2(v) => v.push(i16::from_be_bytes(fixed(bytes)?)),
            Values::Int4(v) => v.push(i32::from_be_bytes(fixed(bytes)?)),
            Values::Int8(v) => v.push(i64::from_be_bytes(fixed(bytes)?)),
            Values::Oid(v) => v.push(u32::from_be_bytes(fixed(bytes)?)),
            // PostgreSQL knows one NaN, equal to itself; Arrow many. So all become the usual one.
            Values::Float4(v) => {
                let value = f32::from_be_bytes(fixed(bytes)?);
                v.push(if value.is_nan() { f32::NAN } else { value });
            }
            Values::Float8(v) => {
                let value = f64::from_be_bytes(fixed(bytes)?);
                v.push(if value.is_nan() { f64::NAN } else { value });
            }
            Values::Decimal128(v, scale) => v.push(numeric::decode_i128(bytes, *scale)?),
            Values::Decimal256(v, scale) => v.push(numeric::decode_i256(bytes, *scale)?),
            Values::NumericText(v) => {
                numeric::decode_text(bytes, &mut v.bytes)?;
                v.close()?;
            }
            Values::Text(v) | Values::Bytea(v) => v.push(bytes)?,
            Values::Padded(v) => {
                let end = bytes.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1);
                v.push(&bytes[..end])?;
            }
            Values::Jsonb(v) => match bytes {
                [1, text @ ..] => v.push(text)?,
                _ => return Err("jsonb of an unknown version"),
            },
            Values::Uuid(v) => v.push(&uuid_text(fixed(bytes)?))?,
            Values::Date(v) => v.push(match i32::from_be_bytes(fixed(bytes)?) {
                i32::MIN | i32::MAX => return Err("an infinite date, which Arrow has not"),
                days => days.checked_add(EPOCH_DAYS).ok_or("a date out of Arrow's range")?,
            }),
            Values::Timestamp(v) => v.push(match i64::from_be_bytes(fixed(bytes)?) {
                i64::MIN | i64::MAX => return Err("an infinite timestamp, which Arrow has not"),
                time => time.checked_add(EPOCH_MICROSECONDS).ok_or("a timestamp out of Arrow's range")?,
            }),
            Values::Time(v) => v.push(i64::from_be_bytes(fixed(bytes)?)),
            Values::Interval(v) => v.push(interval(fixed(bytes)?)?),
            Values::List { offsets, element, oid } => list(bytes, offsets, element, *oid)?,
        }
        self.nulls.append_non_null();
        Ok(())
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Bool(v) => v.append(false),
            Values::Int2(v) => v.push(0),
            Values::Int4(v) | Values::Date(v) => v.push(0),
            Values::Int8(v) | Values::Timestamp(v) | Values::Time(v) => v.push(0),
            Values::Oid(v) => v.push(0),
            Values::Float4(v) => v.push(0.0),
            Values::Float8(v) => v.push(0.0),
            Values::Decimal128(v, _) => v.push(0),
            Values::Decimal256(v, _) => v.push(i256::ZERO),
            Values::NumericText(v)
            | Values::Text(v)
            | Values::Padded(v)
            | Values::Jsonb(v)
            | Values::Uuid(v)
            | Values::Bytea(v) => {
                v.offsets.push(v.bytes.len() as i32);
            }
            Values::Interval(v) => v.push(IntervalMonthDayNano::ZERO),
            Values::List { offsets, element, .. } => offsets.push(element.nulls.len() as i32),
        }
        self.nulls.append_null();
    }

    /// Forgets all values but the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Bool(v) => v.truncate(rows),
            Values::Int2(v) => v.truncate(rows),
            Values::Int4(v) | Values::Date(v) => v.truncate(rows),
            Values::Int8(v) | Values::Timestamp(v) | Values::Time(v) => v.truncate(rows),
            Values::Oid(v) => v.truncate(rows),
            Values::Float4(v) => v.truncate(rows),
            Values::Float8(v) => v.truncate(rows),
            Values::Decimal128(v, _) => v.truncate(rows),
            Values::Decimal256(v, _) => v.truncate(rows),
            Values::NumericText(v)
            | Values::Text(v)
            | Values::Padded(v)
            | Values::Jsonb(v)
            | Values::Uuid(v)
            | Values::Bytea(v) => {
                v.truncate(rows);
            }
            Values::Interval(v) => v.truncate(rows),
            Values::List { offsets, element, .. } => {
                offsets.truncate(rows + 1);
                element.truncate(offsets.last().map_or(0, |&end| end as usize));
            }
        }
        self.nulls.truncate(rows);
    }

    pub(super) fn finish(&mut self, data_type: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
        let nulls = self.nulls.finish();
        Ok(match &mut self.values {
            Values::Bool(v) => Arc::new(BooleanArray::new(v.finish(), nulls)),
            Values::Int2(v) => Arc::new(Int16Array::try_new(take(v, rows).into(), nulls)?),
            Values::Int4(v) => Arc::new(Int32Array::try_new(take(v, rows).into(), nulls)?),
            Values::Int8(v) => Arc::new(Int64Array::try_new(take(v, rows).into(), nulls)?),
            Values::Oid(v) => Arc::new(UInt32Array::try_new(take(v, rows).into(), nulls)?),
            Values::Float4(v) => Arc::new(Float32Array::try_new(take(v, rows).into(), nulls)?),
            Values::Float8(v) => Arc::new(Float64Array::try_new(take(v, rows).into(), nulls)?),
            Values::Decimal128(v, _) => {
                Arc::new(Decimal128Array::try_new(take(v, rows).into(), nulls)?.with_data_type(data_type.clone()))
            }
            Values::Decimal256(v, _) => {
                Arc::new(Decimal256Array::try_new(take(v, rows).into(), nulls)?.with_data_type(data_type.clone()))
            }
            Values::NumericText(v) | Values::Text(v) | Values::Padded(v) | Values::Jsonb(v) | Values::Uuid(v) => {
                let (offsets, bytes) = v.take(rows);
                Arc::new(StringArray::try_new(offsets, bytes, nulls)?)
            }
            Values::Bytea(v) => {
                let (offsets, bytes) = v.take(rows);
                Arc::new(BinaryArray::try_new(offsets, bytes, nulls)?)
            }
            Values::Date(v) => Arc::new(Date32Array::try_new(take(v, rows).into(), nulls)?),
            Values::Timestamp(v) => Arc::new(
                TimestampMicrosecondArray::try_new(take(v, rows).into(), nulls)?.with_data_type(data_type.clone()),
            ),
            Values::Time(v) => Arc::new(Time64MicrosecondArray::try_new(take(v, rows).into(), nulls)?),
            Values::Interval(v) => Arc::new(IntervalMonthDayNanoArray::try_new(take(v, rows).into(), nulls)?),
            Values::List { offsets, element, .. } => {
                let offsets = OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into());
                let field = match data_type {
                    DataType::List(field) => Arc::clone(field),
                    other => Arc::new(Field::new_list_field(other.clone(), true)),
                };
                let values = element.finish(field.data_type(), 0)?;
                Arc::new(ListArray::try_new(field, offsets, values, nulls)?)
            }
        })
    }
}

/// Microseconds, days, months.
#[inline]
fn interval(bytes: [u8; 16]) -> Result<IntervalMonthDayNano, &'static str> {
    let [t7, t6, t5, t4, t3, t2, t1, t0, d3, d2, d1, d0, m3, m2, m1, m0] = bytes;
    let time = i64::from_be_bytes([t7, t6, t5, t4, t3, t2, t1, t0]);
    let days = i32::from_be_bytes([d3, d2, d1, d0]);
    let months = i32::from_be_bytes([m3, m2, m1, m0]);
    if matches!((time, days, months), (i64::MAX, i32::MAX, i32::MAX) | (i64::MIN, i32::MIN, i32::MIN)) {
        return Err("an infinite interval, which Arrow has not");
    }
    let nanoseconds =
        time.checked_mul(1000).ok_or("an interval of more than 292 years in hours, beyond Arrow's range")?;
    Ok(IntervalMonthDayNano::new(months, days, nanoseconds))
}

/// Dimensions, whether there are nulls, the elements' type, per dimension its length and lower bound; then elements.
fn list(mut bytes: &[u8], offsets: &mut Vec<i32>, element: &mut Column, oid: u32) -> Result<(), &'static str> {
    const MALFORMED: &str = "a malformed array";
    let mut word = || -> Result<i32, &'static str> {
        let (word, rest) = bytes.split_first_chunk::<4>().ok_or(MALFORMED)?;
        bytes = rest;
        Ok(i32::from_be_bytes(*word))
    };
    let dimensions = word()?;
    let _has_nulls = word()?;
    if word()?.cast_unsigned() != oid {
        return Err("an array of elements of another type");
    }
    let count = match dimensions {
        0 => 0,
        1 => {
            let (count, lower_bound) = (word()?, word()?);
            if lower_bound != 1 {
                return Err("an array that does not start at 1, which Arrow's lists do not know");
            }
            count
        }
        _ => return Err("an array of more than one dimension, which has no list type of its own"),
    };
    for _ in 0..count {
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or(MALFORMED)?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            element.push_null();
            bytes = rest;
            continue;
        }
        let (value, rest) = rest.split_at_checked(length as usize).ok_or(MALFORMED)?;
        element.push(value)?;
        bytes = rest;
    }
    if !bytes.is_empty() {
        return Err(MALFORMED);
    }
    offsets.push(i32::try_from(element.nulls.len()).map_err(|_| TOO_LONG)?);
    Ok(())
}

/// `a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11`.
#[inline]
fn uuid_text(bytes: [u8; 16]) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for byte in bytes {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}
