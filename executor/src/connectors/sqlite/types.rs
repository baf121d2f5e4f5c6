//! What a column holds: from declared types and `types:` names to Arrow, and back to declared types.

use arrow::datatypes::{DataType, TimeUnit};

/// What a column holds. SQLite itself lets any value stand in any column; these are what FlowETL reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 0 and 1.
    Boolean,
    Integer,
    Real,
    Text,
    Blob,
    /// Text, `2025-01-31`.
    Date,
    /// Text, `23:59:59.123456`.
    Time,
    /// Text, `2025-01-31 23:59:59.123456`; with `+00:00` where it is an instant. A zone in the text is applied and a text
    /// without one is taken as UTC, as SQLite's own date functions do.
    Timestamp {
        instant: bool,
    },
    /// A number, or, beyond 15 digits, its text in a blob: column types of numbers turn text into a rounded number.
    Decimal {
        precision: u8,
        scale: i8,
    },
}

/// The names that `types:` understands.
pub(super) const NAMES: &str =
    "boolean, int64, float64, utf8, binary, date32, time64, timestamp, timestamptz, decimal(p,s)";

impl Kind {
    /// What a declared type says, by the rules of SQLite's type affinity, refined for the names of booleans, dates and
    /// decimals. `None` where it says nothing: no type, a bare `numeric`, a name that SQLite does not know.
    pub(super) fn declared(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        let (name, arguments) = split_arguments(&upper);
        match name {
            "BOOL" | "BOOLEAN" => return Some(Self::Boolean),
            "DATE" => return Some(Self::Date),
            "TIME" => return Some(Self::Time),
            "DATETIME" | "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => {
                return Some(Self::Timestamp { instant: false });
            }
            "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => return Some(Self::Timestamp { instant: true }),
            "DECIMAL" | "NUMERIC" | "DEC" | "NUMBER" => return decimal(arguments),
            _ => {}
        }
        match affinity(&upper) {
            Affinity::Integer => Some(Self::Integer),
            Affinity::Text => Some(Self::Text),
            Affinity::Real => Some(Self::Real),
            Affinity::None if !upper.is_empty() => Some(Self::Blob),
            Affinity::None | Affinity::Numeric => None,
        }
    }

    /// The kind of a name in `types:`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        let (name, arguments) = split_arguments(&lower);
        Some(match name {
            "boolean" | "bool" => Self::Boolean,
            "int64" | "bigint" => Self::Integer,
            "float64" | "float" | "double" => Self::Real,
            "utf8" | "text" | "string" | "varchar" => Self::Text,
            "binary" => Self::Blob,
            "date32" | "date" => Self::Date,
            "time64" | "time" => Self::Time,
            "timestamp" => Self::Timestamp { instant: false },
            "timestamptz" => Self::Timestamp { instant: true },
            "decimal" | "numeric" => return decimal(arguments),
            _ => return None,
        })
    }

    /// The kind that a value of an Arrow type is written as; `None` where SQLite has no place for it.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::UInt64 => Self::Decimal { precision: 20, scale: 0 },
            other if other.is_integer() => Self::Integer,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Real,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Self::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Blob
            }
            DataType::Date32 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Date64 | DataType::Timestamp(_, None) => Self::Timestamp { instant: false },
            DataType::Timestamp(_, Some(_)) => Self::Timestamp { instant: true },
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
                if *scale >= 0 =>
            {
                Self::Decimal { precision: *precision, scale: *scale }
            }
            DataType::Dictionary(_, values) => return Self::of(values),
            _ => return None,
        })
    }

    pub(super) fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Blob => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { instant: false } => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamp { instant: true } => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
        }
    }

    /// The type of a column that is created for it; [`Kind::declared`] reads it back.
    pub(super) fn ddl(self) -> String {
        match self {
            Self::Boolean => "boolean".into(),
            Self::Integer => "integer".into(),
            Self::Real => "real".into(),
            Self::Text => "text".into(),
            Self::Blob => "blob".into(),
            Self::Date => "date".into(),
            Self::Time => "time".into(),
            Self::Timestamp { instant: false } => "timestamp".into(),
            Self::Timestamp { instant: true } => "timestamptz".into(),
            Self::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        }
    }

    /// The name in `types:`.
    pub(super) fn name(self) -> String {
        match self {
            Self::Boolean => "boolean".into(),
            Self::Integer => "int64".into(),
            Self::Real => "float64".into(),
            Self::Text => "utf8".into(),
            Self::Blob => "binary".into(),
            Self::Date => "date32".into(),
            Self::Time => "time64".into(),
            Self::Timestamp { .. } | Self::Decimal { .. } => self.ddl(),
        }
    }
}

/// What SQLite does to values that come into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Real,
    Text,
    /// Text that looks like a number becomes one.
    Numeric,
    /// Values stay as they are.
    None,
}

/// SQLite's own five rules, in their order.
pub(super) fn affinity(declared: &str) -> Affinity {
    let upper = declared.trim().to_ascii_uppercase();
    let has = |part| upper.contains(part);
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || upper.is_empty() {
        Affinity::None
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// `("DECIMAL", Some("10,2"))` of `DECIMAL(10,2)`.
fn split_arguments(text: &str) -> (&str, Option<&str>) {
    match text.split_once('(') {
        Some((name, rest)) => (name.trim(), Some(rest.trim_end().trim_end_matches(')'))),
        None => (text, None),
    }
}

fn decimal(arguments: Option<&str>) -> Option<Kind> {
    let mut numbers = arguments?.split(',').map(|number| number.trim().parse::<u8>());
    let precision = numbers.next()?.ok()?;
    let scale = match numbers.next() {
        Some(scale) => scale.ok()?,
        None => 0,
    };
    let fits = (1..=38).contains(&precision) && scale <= precision && numbers.next().is_none();
    fits.then_some(Kind::Decimal { precision, scale: scale as i8 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_follow_sqlites_own_rules() {
        for (text, kind) in [
            ("BIGINT UNSIGNED", Some(Kind::Integer)),
            ("varchar(20)", Some(Kind::Text)),
            ("double precision", Some(Kind::Real)),
            ("BLOB", Some(Kind::Blob)),
            ("Boolean", Some(Kind::Boolean)),
            ("DateTime", Some(Kind::Timestamp { instant: false })),
            ("timestamp with time zone", Some(Kind::Timestamp { instant: true })),
            ("decimal(12, 2)", Some(Kind::Decimal { precision: 12, scale: 2 })),
            ("NUMERIC(5)", Some(Kind::Decimal { precision: 5, scale: 0 })),
            ("decimal", None),
            ("decimal(50,2)", None),
            ("", None),
            ("json", None),
        ] {
            assert_eq!(Kind::declared(text), kind, "{text}");
        }
    }

    #[test]
    fn created_types_are_read_back_as_what_they_were() {
        for kind in [
            Kind::Boolean,
            Kind::Integer,
            Kind::Real,
            Kind::Text,
            Kind::Blob,
            Kind::Date,
            Kind::Time,
            Kind::Timestamp { instant: false },
            Kind::Timestamp { instant: true },
            Kind::Decimal { precision: 38, scale: 10 },
        ] {
            assert_eq!(Kind::declared(&kind.ddl()), Some(kind));
            assert_eq!(Kind::named(&kind.name()), Some(kind));
            assert_eq!(Kind::of(&kind.arrow()), Some(kind));
        }
    }
}
