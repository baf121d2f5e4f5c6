//! A place where data lies: a table, a query's result, or files.

use serde::{Deserialize, Serialize};

/// A place, with its connection by name. As JSON: `{"table": {...}}`, `{"query": {...}}` or `{"path": {...}}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    Table {
        connection: String,
        /// The database's default schema where it is left out.
        schema: Option<String>,
        table: String,
    },
    Query {
        connection: String,
        query: String,
    },
    Path {
        connection: String,
        /// Below the connection's root; may hold `*`, `?`, `[...]` and `**`.
        path: String,
        /// `parquet`, `csv`, `json`, `ndjson`; the path's ending where it is left out.
        format: Option<String>,
    },
}

impl Reference {
    pub fn connection(&self) -> &str {
        match self {
            Self::Table { connection, .. } | Self::Query { connection, .. } | Self::Path { connection, .. } => {
                connection
            }
        }
    }
}

/// What a load does to what is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    Append,
    #[default]
    Replace,
    Merge,
}
