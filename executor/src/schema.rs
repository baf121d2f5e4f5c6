//! A schema as JSON, with nothing lost.

use arrow::datatypes::Schema;
use arrow::ipc::convert::{IpcSchemaEncoder, fb_to_schema};
use arrow::ipc::root_as_schema;
use arrow::ipc::writer::DictionaryTracker;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{Error, Result};

/// `columns` is for people, `arrow` (the schema's flatbuffer in base64) for [`schema_from_json`].
pub fn schema_to_json(schema: &Schema) -> Value {
    let columns: serde_json::Map<_, _> =
        schema.fields().iter().map(|f| (f.name().clone(), Value::String(f.data_type().to_string()))).collect();
    // Without it a dictionary has no number to be written by.
    let mut tracker = DictionaryTracker::new(true);
    let bytes = IpcSchemaEncoder::new().with_dictionary_tracker(&mut tracker).schema_to_fb(schema);
    json!({"columns": columns, "arrow": STANDARD.encode(bytes.finished_data())})
}

/// The inverse of [`schema_to_json`], names, types, nullability and metadata included.
pub fn schema_from_json(value: &Value) -> Result<Schema> {
    let damaged = |why: &str| Error::internal(format!("a stored schema is damaged: {why}"));
    let text = value.get("arrow").and_then(Value::as_str).ok_or_else(|| damaged("no `arrow`"))?;
    let bytes = STANDARD.decode(text).map_err(|e| damaged(&e.to_string()))?;
    root_as_schema(&bytes).map(fb_to_schema).map_err(|e| damaged(&e.to_string()))
}
