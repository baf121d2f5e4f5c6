//! PostgreSQL's types and Arrow's: how each is read, and what each may be written to.
//!
//! | PostgreSQL | Arrow |
//! |---|---|
//! | `bool`, `int2/4/8`, `oid`, `float4/8` | `Boolean`, `Int16/32/64`, `UInt32`, `Float32/64` |
//! | `numeric(p,s)` up to 38, 76 digits | `Decimal128`, `Decimal256`; `NaN` in it is an error at run time |
//! | `numeric` without or with more digits | `Utf8`, as PostgreSQL prints it |
//! | `text`, `varchar`, `char(n)` (padded), `name`, `citext`, enums, `json`, `jsonb` | `Utf8` |
//! | `uuid` | `Utf8`: the form in which people write it in SQL and see it in files |
//! | `bytea` | `Binary` |
//! | `date`, `timestamp`, `timestamptz`, `time` | `Date32`, `Timestamp(us)`, `Timestamp(us, UTC)`, `Time64(us)`; infinity is an error at run time |
//! | `interval` | `Interval(MonthDayNano)` |
//! | arrays of these | `List`; more than one dimension is an error at run time |
//! | domains | as their base type |
//! | all others | `Utf8`, by `::text` |
//!
//! A field remembers its PostgreSQL type in its metadata, so that a copy to PostgreSQL makes the same column again.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use serde::{Deserialize, Serialize};

use super::quote::identifier;

/// Key of the field metadata that holds the PostgreSQL type as SQL writes it.
pub(super) const TYPE_KEY: &str = "flowetl.postgres.type";

const TEXT_OID: u32 = 25;
/// Digits that Arrow's two decimal types hold.
const DECIMAL128_DIGITS: u8 = 38;
const DECIMAL256_DIGITS: u8 = 76;

/// A type as the server's catalogue describes it; of a domain, its base type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub oid: u32,
    /// `int4`, `mood`; of an array its own name (`_int4`).
    pub name: String,
    /// Whether the name is the server's own, so that it says what the type is.
    pub is_builtin: bool,
    pub is_enum: bool,
    /// As SQL writes it, with modifier, and qualified where it is not the server's own: `numeric(15,2)`.
    pub sql: String,
    pub modifier: i32,
    /// Of an array.
    pub element: Option<Box<Type>>,
}

/// How a value stands in a binary COPY field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Codec {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric {
        precision: u8,
        scale: i8,
    },
    /// As many digits as a value has.
    NumericText,
    Text,
    /// `char(n)` as read: without its padding, which PostgreSQL itself ignores in comparisons and drops in a cast to text.
    Padded,
    /// A version byte before the text.
    Jsonb,
    Uuid,
    Bytea,
    Date,
    Timestamp,
    Timestamptz,
    Time,
    Interval,
    List {
        element: Box<Codec>,
        oid: u32,
    },
}

impl Type {
    /// The codec of the type's own binary form; `None` where it travels as text.
    pub(super) fn codec(&self) -> Option<Codec> {
        if let Some(element) = &self.element {
            return Some(Codec::List { element: Box::new(element.codec()?), oid: element.oid });
        }
        if self.is_enum || self.name == "citext" {
            return Some(Codec::Text);
        }
        if !self.is_builtin {
            return None;
        }
        Some(match self.name.as_str() {
            "bool" => Codec::Bool,
            "int2" => Codec::Int2,
            "int4" => Codec::Int4,
            "int8" => Codec::Int8,
            "oid" => Codec::Oid,
            "float4" => Codec::Float4,
            "float8" => Codec::Float8,
            "numeric" => numeric(self.modifier),
            "text" | "varchar" | "bpchar" | "name" | "json" => Codec::Text,
            "jsonb" => Codec::Jsonb,
            "uuid" => Codec::Uuid,
            "bytea" => Codec::Bytea,
            "date" => Codec::Date,
            "timestamp" => Codec::Timestamp,
            "timestamptz" => Codec::Timestamptz,
            "time" => Codec::Time,
            "interval" => Codec::Interval,
            _ => return None,
        })
    }

    /// The codec in which the type is read, with the cast that the select list needs for it.
    pub(super) fn reading(&self) -> (Codec, Option<&'static str>) {
        match (self.codec(), &self.element) {
            (Some(Codec::Text), None) if self.is_padded() => (Codec::Padded, None),
            (Some(codec), _) => (codec, None),
            (None, Some(_)) => (Codec::text_list(), Some("::text[]")),
            (None, None) => (Codec::Text, Some("::text")),
        }
    }

    /// The Arrow field of a column of this type.
    pub(super) fn field(&self, name: &str, is_nullable: bool) -> Field {
        let metadata = [(TYPE_KEY.to_owned(), self.sql.clone())].into();
        Field::new(name, self.reading().0.data_type(), is_nullable).with_metadata(metadata)
    }

    /// Whether values have no type of their own in SQL (`select foo()` of a function that returns nothing).
    pub(super) fn is_readable(&self) -> bool {
        !matches!(self.name.as_str(), "void" | "trigger" | "internal")
    }

    /// Whether trailing blanks do not count in comparisons.
    pub(super) fn is_padded(&self) -> bool {
        self.is_builtin && self.name == "bpchar"
    }
}

/// The modifier holds the precision in its upper half and the scale, signed, in its lowest eleven bits.
fn numeric(modifier: i32) -> Codec {
    if modifier < 4 {
        return Codec::NumericText;
    }
    let packed = modifier - 4;
    let digits = (packed >> 16) & 0xffff;
    let scale = ((packed & 0x7ff) ^ 0x400) - 0x400;
    // Digits are counted from the first place that can be other than zero, wherever the point is.
    let (precision, scale) = if scale < 0 { (digits - scale, 0) } else { (digits.max(scale), scale) };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision), Ok(scale)) if precision <= DECIMAL256_DIGITS => Codec::Numeric { precision, scale },
        _ => Codec::NumericText,
    }
}

impl Codec {
    fn text_list() -> Self {
        Self::List { element: Box::new(Self::Text), oid: TEXT_OID }
    }

    /// The Arrow type that values are read as.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Oid => DataType::UInt32,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric { precision, scale } if *precision <= DECIMAL128_DIGITS => {
                DataType::Decimal128(*precision, *scale)
            }
            Self::Numeric { precision, scale } => DataType::Decimal256(*precision, *scale),
            Self::NumericText | Self::Text | Self::Padded | Self::Jsonb | Self::Uuid => DataType::Utf8,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::List { element, .. } => DataType::List(Arc::new(Field::new_list_field(element.data_type(), true))),
        }
    }

    /// Whether every value of an Arrow type can be written in this form without loss, or is refused by name at run time
    /// (a nanosecond that is not a whole microsecond, a text that is no number).
    pub(super) fn takes(&self, data_type: &DataType) -> bool {
        use DataType as D;
        match (self, data_type) {
            (codec, D::Dictionary(_, values)) => codec.takes(values),
            (_, D::Null) => true,
            (Self::Bool, D::Boolean)
            | (Self::Int2, D::Int8 | D::UInt8 | D::Int16)
            | (Self::Int4, D::Int8 | D::UInt8 | D::Int16 | D::UInt16 | D::Int32)
            | (Self::Int8, D::Int8 | D::UInt8 | D::Int16 | D::UInt16 | D::Int32 | D::UInt32 | D::Int64)
            | (Self::Oid, D::UInt8 | D::UInt16 | D::UInt32)
            | (Self::Float4, D::Float16 | D::Float32)
            | (Self::Float8, D::Float16 | D::Float32 | D::Float64)
            | (Self::Text | Self::Padded | Self::Jsonb | Self::NumericText, D::Utf8 | D::LargeUtf8 | D::Utf8View)
            | (Self::Uuid, D::Utf8 | D::LargeUtf8 | D::Utf8View | D::FixedSizeBinary(16))
            | (Self::Bytea, D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_))
            | (Self::Date, D::Date32 | D::Date64)
            | (Self::Timestamp, D::Timestamp(_, None))
            | (Self::Timestamptz, D::Timestamp(_, Some(_)))
            | (Self::Time, D::Time32(_) | D::Time64(_))
            | (Self::Interval, D::Interval(_) | D::Duration(_)) => true,
            (Self::Numeric { .. } | Self::NumericText, other) => match digits(other) {
                Some((precision, scale)) => self.holds(precision, scale),
                None => false,
            },
            (Self::List { element, .. }, D::List(f) | D::LargeList(f) | D::FixedSizeList(f, _)) => {
                element.takes(f.data_type())
            }
            _ => false,
        }
    }

    fn holds(&self, from_precision: u8, from_scale: i8) -> bool {
        match self {
            Self::Numeric { precision, scale } => {
                from_scale <= *scale
                    && i16::from(from_precision) - i16::from(from_scale) <= i16::from(*precision) - i16::from(*scale)
            }
            _ => true,
        }
    }
}

/// Decimal digits and scale of the exact numeric types.
fn digits(data_type: &DataType) -> Option<(u8, i8)> {
    Some(match data_type {
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => (*p, *s),
        _ => return None,
    })
}

/// How rows of an Arrow type reach a column: its own form, or text that the server casts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Writing {
    pub codec: Codec,
    /// The type of the landing table's column, where the server must cast.
    pub lands_as: Option<&'static str>,
}

/// How a column of type `to` takes values of an Arrow type; `None` where it cannot without loss.
pub(super) fn writing(from: &DataType, to: &Type) -> Option<Writing> {
    let (codec, cast) = to.reading();
    let lands_as = match cast {
        Some("::text[]") => Some("text[]"),
        Some(_) => Some("text"),
        None => None,
    };
    codec.takes(from).then_some(Writing { codec, lands_as })
}

/// The SQL type of a new column for an Arrow type that does not remember one; `None` where PostgreSQL has none.
pub(super) fn default_sql(data_type: &DataType) -> Option<String> {
    use DataType as D;
    let name = match data_type {
        D::Boolean => "boolean",
        D::Int8 | D::UInt8 | D::Int16 => "smallint",
        D::UInt16 | D::Int32 => "integer",
        D::UInt32 | D::Int64 => "bigint",
        D::UInt64 => "numeric(20,0)",
        D::Float16 | D::Float32 => "real",
        D::Float64 => "double precision",
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Null => "text",
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => "bytea",
        D::Date32 | D::Date64 => "date",
        D::Timestamp(_, None) => "timestamp",
        D::Timestamp(_, Some(_)) => "timestamptz",
        D::Time32(_) | D::Time64(_) => "time",
        D::Interval(_) | D::Duration(_) => "interval",
        D::Dictionary(_, values) => return default_sql(values),
        D::List(f) | D::LargeList(f) | D::FixedSizeList(f, _) => {
            // PostgreSQL's arrays have one element type, whatever their dimensions; a list of lists would be read back
            // as an array of two dimensions.
            return match f.data_type() {
                D::List(_) | D::LargeList(_) | D::FixedSizeList(..) => None,
                element => Some(default_sql(element)? + "[]"),
            };
        }
        other => {
            let (precision, scale) = digits(other)?;
            return Some(match scale {
                0.. => format!("numeric({},{scale})", i16::from(precision).max(i16::from(scale))),
                _ => format!("numeric({},0)", i16::from(precision) - i16::from(scale)),
            });
        }
    };
    Some(name.to_owned())
}

/// A column to read: how it is selected and decoded.
#[derive(Clone, Debug)]
pub(super) struct SourceColumn {
    pub field: Field,
    pub of: Type,
    pub codec: Codec,
    /// What the select list says: `"born"`, `"place"::text`.
    pub select: String,
    /// Whether equal texts of this column are equal bytes.
    pub compares_bytes: bool,
}

impl SourceColumn {
    pub(super) fn new(name: &str, of: Type, is_nullable: bool, compares_bytes: bool) -> Self {
        let (codec, cast) = of.reading();
        Self {
            field: of.field(name, is_nullable),
            select: format!("{}{}", identifier(name), cast.unwrap_or_default()),
            codec,
            of,
            compares_bytes,
        }
    }
}
