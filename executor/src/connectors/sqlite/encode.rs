//! Arrow batches to values of SQLite: each column is brought to the one Arrow type of its kind, then bound row by row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DecimalType, Float64Type, Int64Type, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow::util::display::FormatOptions;
use rusqlite::Statement;
use rusqlite::types::Null;

use super::connect::{Side, failure};
use super::text::{decimal_to_real, format_date, format_time, format_timestamp};
use super::types::Kind;
use crate::{Error, Result};

/// How one column is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Writing {
    /// As the table spells it.
    pub name: String,
    pub kind: Kind,
    /// The declared type of the staged and the written column.
    pub declared: String,
    /// The column would turn text that looks like a number into one.
    pub numbers_only: bool,
    /// By the table's own rule, or as a part of a key: a null row number would silently become the next free one.
    pub never_null: bool,
}

/// Writes the batch's rows with an insert statement of as many parameters as columns.
pub(super) fn write(statement: &mut Statement<'_>, columns: &[Writing], batch: &RecordBatch) -> Result<()> {
    let mut cells = Vec::with_capacity(columns.len());
    for (column, array) in columns.iter().zip(batch.columns()) {
        let array = convert(array, column)?;
        if column.never_null && array.null_count() > 0 {
            return Err(Error::user(format!("column `{}` must not be null, but a row holds null there", column.name)));
        }
        cells.push(Cells::new(&array, column.kind));
    }
    for row in 0..batch.num_rows() {
        for (index, (cells, column)) in cells.iter().zip(columns).enumerate() {
            cells.bind(row, statement, index + 1, column)?;
        }
        statement.raw_execute().map_err(|e| failure(e, Side::Sink, "cannot stage a row"))?;
    }
    Ok(())
}

/// The values in the kind's Arrow type, or an error that names the column; nothing is rounded or nulled.
fn convert(array: &ArrayRef, column: &Writing) -> Result<ArrayRef> {
    let to = column.kind.arrow();
    if array.data_type() == &to {
        return Ok(Arc::clone(array));
    }
    let finer = match array.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().iter().flatten().any(|nanos| nanos % 1000 != 0)
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            array.as_primitive::<Time64NanosecondType>().iter().flatten().any(|nanos| nanos % 1000 != 0)
        }
        _ => false,
    };
    if finer {
        let name = &column.name;
        return Err(Error::user(format!(
            "column `{name}` holds nanoseconds, of which SQLite's text keeps microseconds"
        )));
    }
    let options = CastOptions { safe: false, format_options: FormatOptions::default() };
    cast_with_options(array, &to, &options).map_err(|e| {
        Error::user(format!("column `{}` holds a value that is not {}", column.name, column.kind.name())).because(e)
    })
}

/// One column's values, ready to be bound.
enum Cells {
    Boolean(BooleanArray),
    Integer(Int64Array),
    Real(Float64Array),
    Text(StringArray),
    Blob(BinaryArray),
    Date(Date32Array),
    Time(Time64MicrosecondArray),
    Timestamp(TimestampMicrosecondArray, bool),
    Decimal(Decimal128Array, i8),
}

impl Cells {
    /// `array` is of the kind's Arrow type.
    fn new(array: &ArrayRef, kind: Kind) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean(array.as_boolean().clone()),
            Kind::Integer => Self::Integer(array.as_primitive::<Int64Type>().clone()),
            Kind::Real => Self::Real(array.as_primitive::<Float64Type>().clone()),
            Kind::Text => Self::Text(array.as_string::<i32>().clone()),
            Kind::Blob => Self::Blob(array.as_binary::<i32>().clone()),
            Kind::Date => Self::Date(array.as_primitive::<Date32Type>().clone()),
            Kind::Time => Self::Time(array.as_primitive::<Time64MicrosecondType>().clone()),
            Kind::Timestamp { instant } => {
                Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>().clone(), instant)
            }
            Kind::Decimal { scale, .. } => Self::Decimal(array.as_primitive::<Decimal128Type>().clone(), scale),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Boolean(array) => array.is_null(row),
            Self::Integer(array) => array.is_null(row),
            Self::Real(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Blob(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
            Self::Timestamp(array, _) => array.is_null(row),
            Self::Decimal(array, _) => array.is_null(row),
        }
    }

    fn bind(&self, row: usize, statement: &mut Statement<'_>, index: usize, column: &Writing) -> Result<()> {
        let refused = |why: &str| Error::user(format!("column `{}` (`{}`): {why}", column.name, column.declared));
        let beyond = || refused("a moment outside the years 0 to 9999 has no ISO text");
        let bound = if self.is_null(row) {
            statement.raw_bind_parameter(index, Null)
        } else {
            match self {
                Self::Boolean(array) => statement.raw_bind_parameter(index, array.value(row)),
                Self::Integer(array) => statement.raw_bind_parameter(index, array.value(row)),
                Self::Real(array) if array.value(row).is_nan() => {
                    return Err(refused("SQLite keeps no NaN; it would become null"));
                }
                Self::Real(array) => statement.raw_bind_parameter(index, array.value(row)),
                Self::Text(array) => {
                    let text = array.value(row);
                    if column.numbers_only && looks_numeric(text) {
                        return Err(refused(&format!(
                            "the text `{text}` would become a number; declare the column `text`"
                        )));
                    }
                    statement.raw_bind_parameter(index, text)
                }
                Self::Blob(array) => statement.raw_bind_parameter(index, array.value(row)),
                Self::Date(array) => {
                    statement.raw_bind_parameter(index, format_date(array.value(row)).ok_or_else(beyond)?)
                }
                Self::Time(array) => {
                    let text = format_time(array.value(row));
                    statement.raw_bind_parameter(index, text.ok_or_else(|| refused("a time beyond 24 hours"))?)
                }
                Self::Timestamp(array, instant) => {
                    let text = format_timestamp(array.value(row), *instant);
                    statement.raw_bind_parameter(index, text.ok_or_else(beyond)?)
                }
                Self::Decimal(array, scale) => bind_decimal(statement, index, array.value(row), *scale),
            }
        };
        bound.map_err(|e| failure(e, Side::Sink, format!("cannot stage a value of column `{}`", column.name)))
    }
}

/// A number where it is exact; else text in a blob, which no column type turns into a rounded number.
fn bind_decimal(statement: &mut Statement<'_>, index: usize, value: i128, scale: i8) -> rusqlite::Result<()> {
    if let (0, Ok(integer)) = (scale, i64::try_from(value)) {
        statement.raw_bind_parameter(index, integer)
    } else if let Some(real) = decimal_to_real(value, scale) {
        statement.raw_bind_parameter(index, real)
    } else {
        statement.raw_bind_parameter(index, Decimal128Type::format_decimal(value, 38, scale).as_bytes())
    }
}

/// Whether SQLite might take a text for a number.
fn looks_numeric(text: &str) -> bool {
    let number = text.trim();
    number.starts_with(['+', '-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
        && number.parse::<f64>().is_ok()
}
