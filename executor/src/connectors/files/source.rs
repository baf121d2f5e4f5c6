//! From a path to a table: finds the files, learns their columns, and chooses the reader.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::parquet::transform_schema_to_view;
use datafusion::scalar::ScalarValue;
use futures::{StreamExt, TryStreamExt, stream};
use indexmap::IndexMap;

use super::find::{Found, find};
use super::format::{Compression, Format, Options, of_file, path_of, type_name};
use super::infer::{Conflict, Guess, Kind, guess, union};
use super::parquet::{ParquetFile, ParquetTable, Place, footer};
use super::split::sample;
use super::text::{TextFile, TextTable};
use crate::connectors::{OpenContext, SourceRequest};
use crate::storage::Storage;
use crate::{Error, Result};

/// Files looked at side by side before a read: hides round trips, bounds open connections.
const LOOKS_AT_ONCE: usize = 8;
/// Bytes looked at over all files to guess types, and at least and at most of each.
const SAMPLE_BYTES: usize = 8 << 20;
const SAMPLE_BYTES_MIN: usize = 64 << 10;
const SAMPLE_BYTES_MAX: usize = 1 << 20;
/// Compressed text is about this much longer inside; only for estimates.
const COMPRESSION_RATIO: u64 = 4;

/// Opens what a request names as a table.
pub async fn open(storage: &Storage, context: &OpenContext, request: SourceRequest) -> Result<Arc<dyn TableProvider>> {
    let found = find(storage, path_of(&request.from)?.0).await?;
    open_found(storage, context, found, request).await
}

/// Opens files, of which there is one at least, as a table.
pub async fn open_found(
    storage: &Storage,
    context: &OpenContext,
    found: Vec<Found>,
    request: SourceRequest,
) -> Result<Arc<dyn TableProvider>> {
    let options = Options::from_json(&request.options)?;
    let (_, told) = path_of(&request.from)?;
    let told = options.format.as_deref().or(told);
    let mut formats = Vec::with_capacity(found.len());
    for f in &found {
        formats.push(of_file(&f.file.name, told)?);
    }
    let format = formats[0].0;
    if let Some(at) = formats.iter().position(|(other, _)| *other != format) {
        let (a, b) = (storage.label(&found[0].file.name), storage.label(&found[at].file.name));
        return Err(Error::user(format!("`{a}` and `{b}` have different formats; narrow the path with a pattern")));
    }
    match format {
        Format::Parquet => {
            let place = Place::Connection(request.from.connection().to_owned());
            Ok(Arc::new(open_parquet(&place, storage, context, found, &options).await?))
        }
        _ => {
            let found: Vec<_> =
                found.into_iter().zip(formats.into_iter().map(|(_, compression)| compression)).collect();
            Ok(Arc::new(open_text(storage, context, found, format, &options, request).await?))
        }
    }
}

async fn open_parquet(
    place: &Place,
    storage: &Storage,
    context: &OpenContext,
    found: Vec<Found>,
    options: &Options,
) -> Result<ParquetTable> {
    if let Some(column) = options.types.keys().next() {
        return Err(Error::user(format!("`types` is for text; Parquet knows the type of `{column}`, cast it in SQL")));
    }
    let files: Vec<_> = found.iter().map(|f| f.file.clone()).collect();
    let looks = stream::iter(files).map(|file| footer(storage.clone(), file)).buffered(LOOKS_AT_ONCE);
    let footers: Vec<_> = looks.try_collect().await?;
    let schemas: Vec<Schema> = footers.iter().map(|(_, schema)| transform_schema_to_view(schema)).collect();
    let columns = schemas.iter().map(|s| s.fields().iter().map(|f| (f.name().as_str(), f.data_type())));
    let file_schema = union(columns, false).map_err(|c| conflict(storage, &found, c, false))?;
    let file_schema = match schemas.iter().all(|schema| schema == &schemas[0]) {
        // One file's own schema keeps its metadata and what can never be null.
        true => Arc::new(schemas[0].clone().with_metadata(Default::default())),
        false => Arc::new(file_schema),
    };
    let (folder_fields, folder_values) = folders(&found, options)?;
    let schema = with_fields(&file_schema, &folder_fields)?;
    let mut files = Vec::with_capacity(found.len());
    for ((found, (footer, _)), folders) in found.into_iter().zip(footers).zip(folder_values) {
        let statistics = DFParquetMetadata::statistics_from_parquet_metadata(&footer, &file_schema)?;
        files.push(ParquetFile { file: found.file, statistics: Arc::new(statistics), folders });
    }
    Ok(ParquetTable::new(place, storage.clone(), files, file_schema, context.parallelism)?.with_folders(schema))
}

async fn open_text(
    storage: &Storage,
    context: &OpenContext,
    found: Vec<(Found, Compression)>,
    format: Format,
    options: &Options,
    request: SourceRequest,
) -> Result<TextTable> {
    let dialect = options.dialect()?;
    let types = options.data_types()?;
    let share = (SAMPLE_BYTES / found.len()).clamp(SAMPLE_BYTES_MIN, SAMPLE_BYTES_MAX);
    let looks = stream::iter(found.clone()).map(|(f, compression)| {
        let (storage, dialect) = (storage.clone(), dialect.clone());
        async move {
            let (bytes, complete) = sample(&storage, &f.file, compression, share).await?;
            let guess = guess(format, &dialect, &bytes, complete);
            let guess = guess.map_err(|e| Error::user(format!("{} {e}", f.file.name)))?;
            Ok::<_, Error>((guess, bytes.len()))
        }
    });
    let guesses: Vec<(Guess, usize)> = looks.buffered(LOOKS_AT_ONCE).try_collect().await?;
    let stated = |guess: &Guess| -> Vec<(String, DataType)> {
        let columns = guess.columns.iter();
        columns.map(|(name, guessed)| (name.clone(), types.get(name).unwrap_or(guessed).clone())).collect()
    };
    let stated: Vec<_> = guesses.iter().map(|(guess, _)| stated(guess)).collect();
    let plain: Vec<Found> = found.iter().map(|(f, _)| f.clone()).collect();
    let columns = stated.iter().map(|file| file.iter().map(|(name, data_type)| (name.as_str(), data_type)));
    let mut file_schema = union(columns, true).map_err(|c| conflict(storage, &plain, c, true))?;
    let (folder_fields, folder_values) = folders(&plain, options)?;
    let unknown = types.iter().filter(|(name, _)| {
        file_schema.field_with_name(name).is_err() && !folder_fields.iter().any(|f| f.name() == *name)
    });
    let unknown: Vec<_> = unknown.map(|(name, data_type)| Field::new(name, data_type.clone(), true)).collect();
    match (format, unknown.first()) {
        (Format::Csv, Some(field)) => {
            return Err(Error::user(format!("`types` names column `{}`, which no file has", field.name())));
        }
        // Keys that the sample does not show may come later in a JSON file.
        _ => {
            file_schema = with_fields(&Arc::new(file_schema), &unknown.into_iter().map(Arc::new).collect::<Vec<_>>())?
                .as_ref()
                .clone()
        }
    }
    if file_schema.fields().is_empty() {
        return Err(Error::user(format!("`{}` has no columns: it is empty", storage.label(&plain[0].file.name))));
    }
    let file_schema = Arc::new(file_schema);
    let schema = with_fields(&file_schema, &folder_fields)?;
    let guessed_from = guesses.iter().map(|(guess, _)| guess.rows).sum();
    let mut rows = 0;
    let mut files = Vec::with_capacity(found.len());
    for (((found, compression), (guess, bytes)), values) in found.into_iter().zip(&guesses).zip(folder_values) {
        let ratio = if compression == Compression::None { 1 } else { COMPRESSION_RATIO };
        rows += found.file.meta.size * ratio * guess.rows.max(1) as u64 / (*bytes).max(1) as u64;
        let in_file = match format {
            Format::Csv => Arc::new(in_order_of(&file_schema, guess)?),
            _ => Arc::clone(&file_schema),
        };
        let folders = folder_fields.iter().map(|f| f.name().clone()).zip(values).collect();
        files.push(TextFile { file: found.file, compression, schema: in_file, folders });
    }
    Ok(TextTable {
        connection: request.from.connection().to_owned(),
        storage: storage.clone(),
        format,
        dialect,
        files,
        columns: described(&schema, &types, guessed_from),
        schema,
        quarantine: request.quarantine,
        guessed_from,
        rows: rows as usize,
        parallelism: context.parallelism,
        batch_rows: context.batch_rows,
    })
}

/// The columns that the folders name, and each file's values of them.
fn folders(found: &[Found], options: &Options) -> Result<(Vec<FieldRef>, Vec<Vec<ScalarValue>>)> {
    let mut kinds: IndexMap<&str, Kind> = IndexMap::new();
    for (name, value) in found.iter().flat_map(|f| &f.folders) {
        let kind = value.as_deref().map_or(Kind::Empty, |value| Kind::of(value, None));
        let known = kinds.entry(name).or_insert(Kind::Empty);
        *known = known.with(kind);
    }
    let types = options.data_types()?;
    let fields: Vec<FieldRef> = kinds
        .iter()
        .map(|(name, kind)| Arc::new(Field::new(*name, types.get(*name).cloned().unwrap_or(kind.data_type()), true)))
        .collect();
    let mut all = Vec::with_capacity(found.len());
    for f in found {
        let mut values = Vec::with_capacity(fields.len());
        for ((name, value), field) in f.folders.iter().zip(&fields) {
            let scalar = match value {
                None => ScalarValue::try_from(field.data_type()),
                Some(text) => ScalarValue::try_from_string(text.clone(), field.data_type()),
            };
            let wrong = |_| Error::user(format!("{}: `{name}` is not {}", f.file.name, type_name(field.data_type())));
            values.push(scalar.map_err(wrong)?);
        }
        all.push(values);
    }
    Ok((fields, all))
}

fn with_fields(schema: &SchemaRef, more: &[FieldRef]) -> Result<SchemaRef> {
    if let Some(twice) = more.iter().find(|f| schema.field_with_name(f.name()).is_ok()) {
        return Err(Error::user(format!(
            "column `{}` is in the files and in the names of their folders",
            twice.name()
        )));
    }
    let fields: Vec<FieldRef> = schema.fields().iter().chain(more).cloned().collect();
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// A CSV file's columns in its own order.
fn in_order_of(schema: &Schema, guess: &Guess) -> Result<Schema> {
    let mut fields = Vec::with_capacity(guess.columns.len());
    for (name, _) in &guess.columns {
        fields.push(schema.field_with_name(name).map_err(|e| Error::internal("a column was lost").because(e))?.clone());
    }
    Ok(Schema::new(fields))
}

/// `id int64, name utf8 (types from 1000 rows)`
fn described(schema: &Schema, types: &IndexMap<String, DataType>, rows: usize) -> String {
    let columns = schema.fields().iter().map(|f| {
        let how = if types.contains_key(f.name()) { " as stated" } else { "" };
        format!("{} {}{how}", f.name(), type_name(f.data_type()))
    });
    format!("{} (from {rows} rows)", columns.collect::<Vec<_>>().join(", "))
}

fn conflict(storage: &Storage, found: &[Found], conflict: Conflict, text: bool) -> Error {
    let Conflict { column, files: [a, b], types } = conflict;
    let [a, b] = [a, b].map(|at| storage.label(&found[at].file.name));
    let [first, second] = types.map(|t| type_name(&t));
    let remedy = if text {
        format!("; say `types: {{{column}: utf8}}`, or another type that holds both")
    } else {
        String::new()
    };
    Error::user(format!("column `{column}` is {first} in `{a}` and {second} in `{b}`{remedy}"))
}
