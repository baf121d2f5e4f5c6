//! A place where data lies: a table, a query's result, or files.

use std::fmt;

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

impl fmt::Display for Reference {
    /// As a person writes it: `shop.public.orders`, `lake/raw/*.parquet`; a query by its connection alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { connection, schema, table } => {
                write!(f, "{connection}.")?;
                if let Some(schema) = schema {
                    write!(f, "{}.", part(schema))?;
                }
                f.write_str(&part(table))
            }
            Self::Query { connection, .. } => write!(f, "a query of {connection}"),
            Self::Path { connection, path, .. } => write!(f, "{connection}/{path}"),
        }
    }
}

/// One part of a table's name, in double quotes where it must be.
fn part(name: &str) -> String {
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_$-".contains(c));
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
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
