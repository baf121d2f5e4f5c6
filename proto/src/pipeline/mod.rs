//! The pipeline file and the graph it becomes.
//!
//! `file` reads YAML or JSON with positions, `validate` turns it into a [`Pipeline`] or into all its [`Problem`]s at
//! once, `schema` publishes the JSON Schema. The types here are what everything else works with.

mod connection;
mod model;
mod reference;

pub use connection::{Connection, ConnectionSpec, Secret};
pub use model::{Block, BoundaryPolicy, Input, Pipeline, PortType, Retries};
pub use reference::{Reference, WriteMode};
