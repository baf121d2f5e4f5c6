//! A pipeline drawn in code: what its file would say, key by key.

use flowetl_proto::pipeline::Source;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::text;

/// A pipeline. Everything is checked by the coordinator, with the words that a file would get.
///
/// Holds URLs, perhaps with passwords, so that it has no debug print.
#[derive(Clone, Serialize)]
pub struct Pipeline {
    name: String,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    connections: IndexMap<String, Value>,
    #[serde(flatten)]
    settings: Map<String, Value>,
    blocks: IndexMap<String, Block>,
}

impl Pipeline {
    /// A pipeline without blocks. Its state (where incremental reads start) belongs to its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), connections: IndexMap::new(), settings: Map::new(), blocks: IndexMap::new() }
    }

    /// A system by name, as a URL or a map of keys. Write secrets as `${env:NAME}` or `${file:/path}`: they are read on
    /// the executors.
    pub fn connection(mut self, name: impl Into<String>, connection: impl Into<Value>) -> Self {
        self.connections.insert(name.into(), connection.into());
        self
    }

    /// Any other key of the file: `retries`, `memory`, `schedule`.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    /// Adds a block, under the name by which others read it.
    pub fn block(mut self, name: impl Into<String>, block: Block) -> Self {
        self.blocks.insert(name.into(), block);
        self
    }

    /// The pipeline file, as JSON.
    pub fn to_json(&self) -> Value {
        // Texts, numbers and maps with text keys: there is nothing that JSON cannot hold.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl From<Pipeline> for Source {
    fn from(pipeline: Pipeline) -> Self {
        text(pipeline.name.clone(), pipeline.to_json().to_string())
    }
}

/// One block: its kind's keyword, and its settings.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Block(Map<String, Value>);

impl Block {
    /// Reads a table, a query (`{"connection": ..., "query": ...}`) or files.
    pub fn extract(from: impl Into<Value>) -> Self {
        Self(Map::new()).set("extract", from)
    }

    /// A query over other blocks, which are tables by their names.
    pub fn sql(query: impl Into<String>) -> Self {
        Self(Map::new()).set("sql", query.into())
    }

    /// A query that the database of `connection` runs itself, into the table `to` of its own.
    pub fn in_database(connection: impl Into<String>, query: impl Into<String>, to: impl Into<String>) -> Self {
        Self::sql(query).set("in", connection.into()).set("to", to.into())
    }

    /// Data tests of a block, to be named by [`Self::set`]: `unique`, `not_null`, `rows`, `sql`. They gate every load
    /// behind it.
    pub fn test(block: impl Into<String>) -> Self {
        Self(Map::new()).set("test", block.into())
    }

    /// Writes a block's rows to a table or to files.
    pub fn load(block: impl Into<String>, to: impl Into<Value>) -> Self {
        Self(Map::new()).set("load", block.into()).set("to", to)
    }

    /// Any other key of the block: `sync`, `where`, `write`, `key`, `after`.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }
}
