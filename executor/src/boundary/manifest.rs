//! What the parts of a boundary hold.

use arrow::datatypes::Schema;
use flowetl_proto::control::{Manifest, Part};

use crate::schema::schema_to_json;

/// A manifest of parts, sorted by name.
pub fn manifest(schema: &Schema, mut parts: Vec<Part>) -> Manifest {
    parts.sort_by(|a, b| a.uri.cmp(&b.uri));
    Manifest { schema: schema_to_json(schema), parts }
}
