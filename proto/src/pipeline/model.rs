//! A validated pipeline: an acyclic graph of blocks with typed ports.

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{ConnectionSpec, Param};
use crate::id::BlockId;

/// A pipeline that passed validation. Its serialised form is canonical: equal pipelines have equal JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    pub name: String,
    /// By name, with secrets as references only.
    pub connections: IndexMap<String, ConnectionSpec>,
    /// In the order of the file.
    pub blocks: IndexMap<BlockId, Block>,
    pub retries: Retries,
    /// Bytes; a ceiling for the whole process.
    pub memory: Option<u64>,
    /// What a run is told, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub params: IndexMap<String, Param>,
    /// Keys for the service (`schedule`, `alerts`, `freshness`), checked and kept as written.
    pub service: Value,
}

/// How often and how patiently a failed attempt is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    pub max: u32,
    /// The first wait; each further one doubles up to `backoff_max`.
    pub backoff_min: Duration,
    pub backoff_max: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { max: 3, backoff_min: Duration::from_secs(1), backoff_max: Duration::from_secs(60) }
    }
}

/// What a person draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    pub id: BlockId,
    /// The kind's name in the catalogue: `extract`, `sql`, `in_database`, `test`, `load`.
    pub kind: String,
    /// The block's own keys as its kind's JSON Schema describes them, places replaced by [`super::Reference`]s and
    /// `{{ ref('x') }}` in SQL by the quoted name.
    pub settings: Value,
    /// Data edges into this block.
    pub inputs: Vec<Input>,
    /// Order only: these blocks are done before this one starts.
    pub after: Vec<BlockId>,
    pub boundary: BoundaryPolicy,
    pub output: Option<PortType>,
}

/// A data edge: `block`'s output comes in as the table of that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub block: BlockId,
    pub port: PortType,
}

/// Whether a block's output is made durable before its consumers start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundaryPolicy {
    /// Rows flow straight on; refused where a block has more than one consumer.
    Stream,
    /// Always written and kept.
    Checkpoint,
    /// Written where more than one consumer, or a data test, needs it.
    #[default]
    Auto,
}

/// The type of a port. Only equal types may be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum PortType {
    /// A relation inside a database.
    #[serde(rename = "DB_TABLE")]
    DbTable,
    /// A dataset that flows as Arrow batches and, at a boundary, lies as files in object storage.
    #[serde(rename = "S3_FILE")]
    S3File,
    #[serde(rename = "ML_MODEL")]
    MlModel,
    #[serde(rename = "TRIGGER")]
    Trigger,
}

impl fmt::Display for PortType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DbTable => "DB_TABLE",
            Self::S3File => "S3_FILE",
            Self::MlModel => "ML_MODEL",
            Self::Trigger => "TRIGGER",
        })
    }
}
