//! What a file is written in: format, compression, and the settings of text.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use flowetl_proto::pipeline::Reference;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    Parquet,
    Csv,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
}

/// What the bytes went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

/// The keys of `extract` and `load` that concern files; other keys of theirs are not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Options {
    pub format: Option<String>,
    pub types: IndexMap<String, String>,
    delimiter: Option<String>,
    header: Option<bool>,
    null: Option<String>,
    #[serde(deserialize_with = "crate::blocks::one_or_many")]
    pub partition_by: Vec<String>,
    pub file_size: Option<String>,
}

/// How text is cut into values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    pub delimiter: u8,
    pub header: bool,
    /// A text that stands for null, besides the empty text.
    pub null: Option<String>,
}

impl Options {
    pub fn from_json(options: &Value) -> Result<Self> {
        if options.is_null() {
            return Ok(Self::default());
        }
        Self::deserialize(options).map_err(|e| Error::user("wrong settings for files").because(e))
    }

    pub fn dialect(&self) -> Result<Dialect> {
        let delimiter = match self.delimiter.as_deref() {
            None => b',',
            Some("\\t" | "tab") => b'\t',
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() && !b"\"\r\n".contains(byte) => *byte,
                _ => return Err(Error::user(format!("`delimiter` is one ASCII character, not `{text}`"))),
            },
        };
        Ok(Dialect { delimiter, header: self.header.unwrap_or(true), null: self.null.clone() })
    }

    /// The types given by name, in Arrow's terms.
    pub fn data_types(&self) -> Result<IndexMap<String, DataType>> {
        let mut types = IndexMap::new();
        for (column, text) in &self.types {
            let data_type = parse_type(text).ok_or_else(|| {
                Error::user(format!(
                    "unknown type `{text}` of column `{column}`; known are int8 to int64, uint8 to uint64, float32, float64, \
                     decimal(38,10), boolean, utf8, binary, date32, time64, timestamp, timestamptz, and Arrow's own names"
                ))
            })?;
            types.insert(column.clone(), data_type);
        }
        Ok(types)
    }

    /// Bytes, where a size is asked for.
    pub fn file_bytes(&self) -> Result<Option<u64>> {
        let Some(text) = &self.file_size else { return Ok(None) };
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let factor = match unit.trim().to_ascii_uppercase().as_str() {
            "" | "B" => Some(1),
            "KB" | "KIB" => Some(1 << 10),
            "MB" | "MIB" => Some(1 << 20),
            "GB" | "GIB" => Some(1_u64 << 30),
            _ => None,
        };
        let bytes = digits.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
        match bytes {
            Some(bytes) if bytes > 0 => Ok(Some(bytes)),
            _ => Err(Error::user(format!("`file_size` is a size such as `256MB`, not `{text}`"))),
        }
    }
}

/// The format and compression of one file: as told, else by its ending.
pub fn of_file(name: &str, told: Option<&str>) -> Result<(Format, Compression)> {
    let lower = name.to_ascii_lowercase();
    let (stem, compression) = match lower.rsplit_once('.') {
        Some((stem, "gz")) => (stem, Compression::Gzip),
        Some((stem, "zst")) => (stem, Compression::Zstd),
        _ => (lower.as_str(), Compression::None),
    };
    let ending = told.unwrap_or_else(|| stem.rsplit_once('.').map_or("", |(_, ending)| ending));
    let format = match ending {
        "parquet" => Format::Parquet,
        "csv" | "tsv" => Format::Csv,
        "json" => Format::Json,
        "ndjson" | "jsonl" => Format::Ndjson,
        _ if told.is_some() => {
            return Err(Error::user(format!(
                "unknown format `{ending}`; known are `parquet`, `csv`, `json`, `ndjson`"
            )));
        }
        _ => {
            return Err(Error::user(format!(
                "the ending of `{name}` names no format; say `format:` `parquet`, `csv`, `json` or `ndjson`"
            )));
        }
    };
    if format == Format::Parquet && compression != Compression::None {
        return Err(Error::user(format!("`{name}`: Parquet is compressed inside, leave out the `.gz` or `.zst`")));
    }
    Ok((format, compression))
}

/// The path of a reference, and the format it tells.
pub fn path_of(reference: &Reference) -> Result<(&str, Option<&str>)> {
    match reference {
        Reference::Path { path, format, .. } => {
            let path = path.trim_start_matches("./").trim_start_matches('/');
            let plain = path.split('/').all(|part| part != ".." && part != ".");
            if plain { Ok((path, format.as_deref())) } else { Err(Error::user(format!("`{path}` leaves its folder"))) }
        }
        Reference::Table { connection, .. } | Reference::Query { connection, .. } => {
            Err(Error::user(format!("`{connection}` holds files; name one as `{connection}/path`")))
        }
    }
}

impl Format {
    pub fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }
}

impl Compression {
    pub fn ending(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    pub fn file_type(self) -> FileCompressionType {
        match self {
            Self::None => FileCompressionType::UNCOMPRESSED,
            Self::Gzip => FileCompressionType::GZIP,
            Self::Zstd => FileCompressionType::ZSTD,
        }
    }
}

/// The short name of a type, as `types:` takes it.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp".into(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamptz".into(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Time64(TimeUnit::Microsecond) => "time64".into(),
        DataType::Boolean | DataType::Utf8 | DataType::Binary | DataType::Date32 => {
            data_type.to_string().to_lowercase()
        }
        other if other.is_numeric() && !matches!(other, DataType::Decimal256(..)) => other.to_string().to_lowercase(),
        other => other.to_string(),
    }
}

fn parse_type(text: &str) -> Option<DataType> {
    let lower = text.trim().to_ascii_lowercase();
    let found = match lower.as_str() {
        "int8" => DataType::Int8,
        "int16" | "smallint" => DataType::Int16,
        "int32" | "int" | "integer" => DataType::Int32,
        "int64" | "bigint" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" | "real" => DataType::Float32,
        "float64" | "float" | "double" => DataType::Float64,
        "boolean" | "bool" => DataType::Boolean,
        "utf8" | "text" | "string" | "varchar" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date32" | "date" => DataType::Date32,
        "time64" | "time" => DataType::Time64(TimeUnit::Microsecond),
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => return parse_decimal(&lower).or_else(|| text.trim().parse().ok()),
    };
    Some(found)
}

fn parse_decimal(text: &str) -> Option<DataType> {
    let inside = text.strip_prefix("decimal").or_else(|| text.strip_prefix("numeric"))?.trim();
    let (precision, scale) = inside.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    let fits = (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale);
    fits.then_some(DataType::Decimal128(precision, scale))
}
