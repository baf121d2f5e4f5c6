//! What lies in a system: its tables with their columns and keys, and rows of one to look at.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Tables that are told at once, at most: with a thousand columns each they still fit a message.
pub const PAGE_TABLES: usize = 500;
/// How long a sample may take: whoever looks at a table waits for it.
pub const SAMPLE_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of text in a sample, at most: more than anybody reads.
pub const SAMPLE_BYTES_MAX: usize = 1 << 20;
/// Characters of one value in a sample; a longer one is cut, and ends with [`CUT`].
pub const CELL_CHARS_MAX: usize = 1000;
/// What a value that was cut ends with.
pub const CUT: &str = "…";

/// A table, a view, or files that are read as one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// `main` for SQLite; for files their folder, and `/` for what lies in none.
    pub schema: String,
    /// For files what comes behind the folder, a pattern where there are several.
    pub name: String,
    pub kind: TableKind,
    /// The system's own estimate, or a guess from sizes; `None` where there is none.
    pub rows: Option<u64>,
    pub columns: Vec<Column>,
    pub primary_key: Vec<String>,
    pub foreign_keys: Vec<ForeignKey>,
    /// Why its columns are not known.
    pub problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    Table,
    View,
    /// Rows of another system.
    Foreign,
    Files,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// As the system writes it: `numeric(15,2)`.
    #[serde(rename = "type")]
    pub declared: String,
    /// What it is read as, as Arrow writes it; `None` where that is known at the first read only.
    pub arrow_type: Option<String>,
    pub nullable: bool,
}

/// Rows of this table name rows of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// As the system calls it; empty where it has no name.
    pub name: String,
    pub columns: Vec<String>,
    pub schema: String,
    pub table: String,
    /// The columns there, in the order of `columns`.
    pub references: Vec<String>,
}

/// Some rows of a table, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Name and Arrow type.
    pub columns: Vec<(String, String)>,
    /// A value for every column.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether there are fewer rows than were asked for only because of [`SAMPLE_LIMIT`] or [`SAMPLE_BYTES_MAX`].
    pub incomplete: bool,
}
