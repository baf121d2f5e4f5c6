//! Turns chunks of text into batches of the table's columns, and finds the row to blame where that fails.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::csv::ReaderBuilder as CsvBuilder;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder as JsonBuilder;
use datafusion::scalar::ScalarValue;
use regex::Regex;

use super::format::{Dialect, Format, type_name};
use super::infer::{Kind, fields};
use super::split::{Chunk, Cutter};
use crate::{Error, Result};

/// How the rows of one file become rows of the table, for the columns that a scan wants.
#[derive(Clone, Debug)]
pub struct Decoder {
    pub format: Format,
    pub dialect: Dialect,
    null: Option<Regex>,
    /// The file's columns in the file's order, with the table's types.
    file: SchemaRef,
    /// Of `file`, those that are parsed.
    wanted: Vec<usize>,
    /// The scan's columns and where each comes from.
    output: SchemaRef,
    sources: Vec<Source>,
    batch_rows: usize,
}

/// Where a column of the output comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The position among the file's columns; inside a [`Decoder`], among those that are parsed.
    File(usize),
    /// The same for the whole file: a folder's value, or null where the file lacks the column.
    Constant(ScalarValue),
}

/// A row that could not be read.
#[derive(Debug)]
pub struct BadRow {
    pub line: u64,
    pub text: String,
    pub reason: String,
    /// The column and a type that would have held its value.
    pub remedy: Option<(String, String)>,
}

impl Decoder {
    /// `whole` parses every column of the file, so that what is a bad row does not hang on what a scan wants.
    pub fn new(
        (format, dialect): (Format, Dialect),
        file: SchemaRef,
        output: SchemaRef,
        mut sources: Vec<Source>,
        batch_rows: usize,
        whole: bool,
    ) -> Result<Self> {
        let null = dialect.null.as_ref().map(|text| Regex::new(&format!("^({})?$", regex::escape(text)))).transpose();
        let null = null.map_err(|e| Error::internal("cannot match the text for null").because(e))?;
        let mut wanted: Vec<usize> = Vec::new();
        if whole || format != Format::Csv {
            wanted.extend(0..file.fields().len());
        } else {
            for source in &mut sources {
                if let Source::File(at) = source {
                    wanted.push(*at);
                    *at = wanted.len() - 1;
                }
            }
        }
        // Wide rows need smaller batches: the CSV parser reserves room for every value before it reads.
        let batch_rows = batch_rows.min((1 << 20) / file.fields().len().max(1)).max(64);
        Ok(Self { format, dialect, null, file, wanted, output, sources, batch_rows })
    }

    /// All rows of a chunk.
    pub fn decode(&self, chunk: &Chunk) -> Result<Vec<RecordBatch>, ArrowError> {
        self.decode_pieces(&[&chunk.pieces[0], &chunk.pieces[1]])
    }

    /// The rows of a chunk that can be read, and those that cannot. Halves are tried again and again, so that one bad
    /// row among thousands costs a dozen tries.
    pub fn recover(&self, chunk: &Chunk) -> (Vec<RecordBatch>, Vec<BadRow>) {
        let text = chunk.pieces.concat();
        let records = Cutter::new(self.format, self.dialect.delimiter).records(&text, chunk.line);
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let mut tries = vec![records.as_slice()];
        while let Some(part) = tries.pop() {
            let (Some((first, line)), Some((last, _))) = (part.first(), part.last()) else { continue };
            let bytes = &text[first.start..last.end];
            match self.decode_pieces(&[bytes]) {
                Ok(batches) => good.extend(batches),
                Err(e) if part.len() == 1 => bad.push(self.blame(bytes, *line, &e)),
                Err(_) => {
                    let (left, right) = part.split_at(part.len() / 2);
                    tries.push(right);
                    tries.push(left);
                }
            }
        }
        (good, bad)
    }

    fn decode_pieces(&self, pieces: &[&[u8]]) -> Result<Vec<RecordBatch>, ArrowError> {
        let batches = match self.format {
            Format::Csv => self.decode_csv(pieces, &self.file, &self.wanted)?,
            _ => decode_json(pieces, &self.file, self.batch_rows, true)?,
        };
        batches.into_iter().map(|batch| self.place(&batch)).collect()
    }

    fn decode_csv(
        &self,
        pieces: &[&[u8]],
        schema: &SchemaRef,
        wanted: &[usize],
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut builder = CsvBuilder::new(Arc::clone(schema))
            .with_header(false)
            .with_delimiter(self.dialect.delimiter)
            .with_batch_size(self.batch_rows)
            .with_projection(wanted.to_vec());
        if let Some(null) = &self.null {
            builder = builder.with_null_regex(null.clone());
        }
        let mut decoder = builder.build_decoder();
        let mut batches = Vec::new();
        for mut piece in pieces.iter().copied() {
            while !piece.is_empty() {
                let read = decoder.decode(piece)?;
                piece = &piece[read..];
                if decoder.capacity() == 0 {
                    batches.extend(decoder.flush()?);
                }
            }
        }
        // An empty piece is the end of the file: it closes a last line without an end.
        decoder.decode(&[])?;
        batches.extend(decoder.flush()?);
        Ok(batches)
    }

    /// Puts the file's columns where the table has them and adds what the file lacks.
    fn place(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.sources.len());
        for (source, field) in self.sources.iter().zip(self.output.fields()) {
            columns.push(match source {
                Source::File(at) => Arc::clone(batch.column(*at)),
                Source::Constant(value) if value.is_null() => new_null_array(field.data_type(), rows),
                Source::Constant(value) => value.to_array_of_size(rows)?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)
    }

    fn blame(&self, record: &[u8], line: u64, error: &ArrowError) -> BadRow {
        let (reason, remedy) = match self.format {
            Format::Csv => self.blame_csv(record),
            _ => self.blame_json(record),
        }
        .unwrap_or_else(|| (error.to_string(), None));
        let text = String::from_utf8_lossy(record).trim_end_matches(['\r', '\n']).to_owned();
        BadRow { line, text, reason, remedy }
    }

    fn blame_csv(&self, record: &[u8]) -> Option<(String, Option<(String, String)>)> {
        let Some(values) = fields(record, self.dialect.delimiter) else { return Some(("invalid UTF-8".into(), None)) };
        let columns = self.file.fields();
        if values.len() != columns.len() {
            return Some((format!("{} values where the file has {} columns", values.len(), columns.len()), None));
        }
        for &at in &self.wanted {
            if self.decode_csv(&[record], &self.file, &[at]).is_err() {
                return Some(misfit(&columns[at], &values[at], true));
            }
        }
        None
    }

    fn blame_json(&self, record: &[u8]) -> Option<(String, Option<(String, String)>)> {
        let object: serde_json::Map<String, serde_json::Value> = match serde_json::from_slice(record) {
            Ok(serde_json::Value::Object(object)) => object,
            Ok(_) => return Some(("not an object".into(), None)),
            Err(e) => {
                let text = e.to_string();
                let what = text.split(" at line ").next().unwrap_or_default();
                return Some((format!("broken JSON: {what}"), None));
            }
        };
        if let Some(name) = object.keys().find(|name| self.file.field_with_name(name).is_err()) {
            let value = &object[name];
            let found = if value.is_number() { "float64" } else { "utf8" };
            let reason = format!("key `{name}` is not among the columns");
            return Some((reason, Some((name.clone(), found.into()))));
        }
        for (at, field) in self.file.fields().iter().enumerate() {
            let one = Arc::new(self.file.project(&[at]).ok()?);
            if decode_json(&[record], &one, 1, false).is_err() {
                let value = object.get(field.name()).map(ToString::to_string).unwrap_or_default();
                return Some(misfit(field, &value, false));
            }
        }
        None
    }
}

/// The sentence for a value that is not of its column's type, and the type that would hold it.
fn misfit(field: &Field, value: &str, csv: bool) -> (String, Option<(String, String)>) {
    let (name, data_type) = (field.name(), field.data_type());
    let shown: String = value.chars().take(100).collect();
    let shown = if shown.len() < value.len() { format!("{shown}...") } else { shown };
    let reason = format!("column `{name}`: `{shown}` is not {}", type_name(data_type));
    let plain = value.trim_matches('"');
    let fits = match (Kind::of(plain, None), data_type) {
        (Kind::Float, DataType::Int64) => "float64",
        _ if csv || !value.starts_with(['{', '[']) => "utf8",
        _ => return (reason, None),
    };
    (reason, Some((name.clone(), fits.into())))
}

/// `strict` refuses keys that are no columns.
fn decode_json(
    pieces: &[&[u8]],
    schema: &SchemaRef,
    batch_rows: usize,
    strict: bool,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let wire = Arc::new(Schema::new(schema.fields().iter().map(|f| wire_field(f)).collect::<Fields>()));
    let builder =
        JsonBuilder::new(wire).with_batch_size(batch_rows).with_coerce_primitive(true).with_strict_mode(strict);
    let mut decoder = builder.build_decoder()?;
    let mut batches = Vec::new();
    for mut piece in pieces.iter().copied() {
        while !piece.is_empty() {
            let read = decoder.decode(piece)?;
            piece = &piece[read..];
            if decoder.len() == batch_rows {
                batches.extend(decoder.flush()?);
            } else if read == 0 {
                return Err(ArrowError::JsonError("not an object".into()));
            }
        }
    }
    if decoder.has_partial_record() {
        return Err(ArrowError::JsonError("the last object is not closed".into()));
    }
    batches.extend(decoder.flush()?);
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let typed = batches.iter().map(|batch| {
        let columns = schema.fields().iter().zip(batch.columns());
        let columns: Result<_, _> =
            columns.map(|(f, array)| cast_with_options(array, f.data_type(), &options)).collect();
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns?, &rows)
    });
    typed.collect()
}

/// Whole numbers and decimals are taken from JSON as text and cast: read as numbers, `3.7` would silently become `3`.
fn wire_field(field: &Field) -> Field {
    Field::new(field.name(), wire_type(field.data_type()), field.is_nullable())
}

fn wire_type(data_type: &DataType) -> DataType {
    match data_type {
        t if t.is_integer() || t.is_decimal() => DataType::Utf8,
        DataType::List(item) => DataType::List(Arc::new(wire_field(item))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|f| wire_field(f)).collect()),
        other => other.clone(),
    }
}
