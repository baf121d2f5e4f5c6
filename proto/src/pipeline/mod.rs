//! The pipeline file and the graph it becomes.
//!
//! `file` reads YAML or JSON with positions, `validate` turns it into a [`Pipeline`] or into all its [`Problem`]s at
//! once, `schema` publishes the JSON Schema; `drawing` and `yaml` are the same as a canvas has it. The types here are what everything else works with.

mod address;
mod connection;
mod drawing;
mod file;
mod graph;
mod literal;
mod model;
mod params;
mod problem;
pub mod quantity;
mod reference;
mod schema;
mod secrets;
mod source;
mod sql;
#[cfg(test)]
mod tests;
mod touches;
mod validate;
mod yaml;

pub use connection::{Connection, ConnectionSpec, Secret};
pub use drawing::{Edge, GraphDefinition, Layout, Node, Spot};
pub use model::{Block, BoundaryPolicy, Input, Pipeline, PortType, Retries};
pub use params::{Param, ParamType};
pub use problem::{At, Problem, ProblemCode, nearest_word};
pub use reference::{Reference, WriteMode};
pub use schema::schema;
pub use secrets::{Secrets, Unsealed, is_reference};
pub use source::{CONNECTIONS_FILE, Source};
pub use touches::Touches;
pub use validate::{Copy, Parsed, Parser, Positions, is_pipeline_name, usual_key};
pub use yaml::write as write_yaml;
