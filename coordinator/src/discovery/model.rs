//! What was found behind a connection, as it is kept and shown.

use std::str::FromStr;

use flowetl_proto::run::Timestamp;
use flowetl_proto::tables::{Column, ForeignKey, Sample, Table, TableKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::drift::Drift;
use crate::clock;

/// What is kept of looking at a connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    /// By the last look that went well.
    pub found: Option<Found>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Why the newest look failed.
    pub message: Option<String>,
}

/// What a look has found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// Under which its tables are kept.
    pub look: String,
    pub at: Timestamp,
    pub tables: i64,
    /// `None` for the first.
    pub drift: Option<Drift>,
}

/// Which tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableQuery {
    pub schema: Option<String>,
    /// With this in `schema.name`, in whichever letters.
    pub search: Option<String>,
    /// Those behind the one of this schema and name.
    pub after: Option<(String, String)>,
    pub limit: i64,
}

/// How it stands with looking at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LookState {
    /// Nobody ever asked for it.
    Never,
    Running,
    Success,
    Failed,
    /// The coordinator ended before the look did.
    Interrupted,
}

/// How it stands with looking at a connection, and what is known by the last look that went well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookView {
    /// The id of the connection.
    pub connection: String,
    pub state: LookState,
    /// Tables found so far, while it runs.
    pub progress: Option<u64>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Why it failed, in the words of the system.
    pub message: Option<String>,
    /// When it was looked last with success; null where it never was.
    pub found_at: Option<Timestamp>,
    /// How old that is.
    pub age_seconds: Option<i64>,
    pub tables: Option<i64>,
    /// How it differs from the look before it; null for the first.
    pub drift: Option<Drift>,
}

impl LookView {
    /// `progress` where it runs now.
    pub(super) fn new(connection: &str, look: Option<Look>, progress: Option<u64>) -> Self {
        let state = match (&look, progress) {
            (_, Some(_)) => LookState::Running,
            (None, None) => LookState::Never,
            (Some(look), None) if look.finished_at.is_none() => LookState::Interrupted,
            (Some(look), None) if look.message.is_some() => LookState::Failed,
            (Some(_), None) => LookState::Success,
        };
        let connection = connection.to_owned();
        let (started_at, finished_at) =
            (look.as_ref().map(|l| l.started_at), look.as_ref().and_then(|l| l.finished_at));
        let message = look.as_ref().and_then(|look| look.message.clone());
        let found = look.and_then(|look| look.found);
        let found_at = found.as_ref().map(|found| found.at);
        Self {
            connection,
            state,
            progress,
            started_at,
            finished_at,
            message,
            found_at,
            age_seconds: found_at.map(|at| (clock::now() - at.0).max(0) / 1000),
            tables: found.as_ref().map(|found| found.tables),
            drift: found.and_then(|found| found.drift),
        }
    }
}

/// What sort of table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TableKind)]
pub(crate) enum Kind {
    Table,
    View,
    /// Rows of another system.
    Foreign,
    /// Files that are read as one table.
    Files,
}

impl From<TableKind> for Kind {
    fn from(kind: TableKind) -> Self {
        match kind {
            TableKind::Table => Self::Table,
            TableKind::View => Self::View,
            TableKind::Foreign => Self::Foreign,
            TableKind::Files => Self::Files,
        }
    }
}

/// How a kind is written down.
pub(crate) fn kind_word(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Table => "table",
        TableKind::View => "view",
        TableKind::Foreign => "foreign",
        TableKind::Files => "files",
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [TableKind::Table, TableKind::View, TableKind::Foreign, TableKind::Files];
        let found = all.into_iter().find(|kind| kind_word(*kind) == text);
        found.map(Self::from).ok_or_else(|| format!("`{text}` is no kind of table"))
    }
}

/// What a table is searched by.
pub(crate) fn words_of(table: &Table) -> String {
    format!("{}.{}", table.schema, table.name).to_lowercase()
}

/// A schema of a connection.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SchemaItem {
    /// For files a folder, and `/` for what lies in none.
    pub name: String,
    pub tables: i64,
}

/// A table in a list.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TableItem {
    pub schema: String,
    pub name: String,
    pub kind: Kind,
    /// An estimate; null where there is none.
    pub rows: Option<i64>,
    /// How many it has.
    pub columns: i64,
}

/// A table with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TableDetail {
    pub schema: String,
    pub name: String,
    pub kind: Kind,
    /// How a pipeline file names it: `shop.public.orders`.
    pub reference: String,
    /// An estimate; null where there is none.
    pub rows: Option<u64>,
    pub columns: Vec<ColumnView>,
    pub primary_key: Vec<String>,
    /// Where its rows lead to.
    pub foreign_keys: Vec<ForeignKeyView>,
    /// Why its columns are not known; null where they are.
    pub problem: Option<String>,
    /// When it was looked at.
    pub found_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ColumnView {
    pub name: String,
    /// As the system writes it.
    #[serde(rename = "type")]
    pub declared: String,
    /// What it is read as, as Arrow writes it; null where the first read tells.
    pub arrow_type: Option<String>,
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub key: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ForeignKeyView {
    pub name: String,
    pub columns: Vec<String>,
    pub schema: String,
    pub table: String,
    /// The columns there, in the order of `columns`.
    pub references: Vec<String>,
}

impl TableDetail {
    pub(super) fn new(table: Table, reference: String, found_at: Timestamp) -> Self {
        let Table { schema, name, kind, rows, columns, primary_key, foreign_keys, problem } = table;
        let column = |column: Column| ColumnView {
            key: primary_key.contains(&column.name),
            name: column.name,
            declared: column.declared,
            arrow_type: column.arrow_type,
            nullable: column.nullable,
        };
        let columns = columns.into_iter().map(column).collect();
        let key = |ForeignKey { name, columns, schema, table, references }| ForeignKeyView {
            name,
            columns,
            schema,
            table,
            references,
        };
        let foreign_keys = foreign_keys.into_iter().map(key).collect();
        Self { schema, name, kind: kind.into(), reference, rows, columns, primary_key, foreign_keys, problem, found_at }
    }
}

/// Some rows of a table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowsView {
    pub columns: Vec<RowsColumn>,
    /// A value for every column, as text; what is too long ends with `…`.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether the limits of time and size, and not the number, have ended it.
    pub incomplete: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowsColumn {
    pub name: String,
    /// As Arrow writes it.
    #[serde(rename = "type")]
    pub arrow_type: String,
}

impl From<Sample> for RowsView {
    fn from(Sample { columns, rows, incomplete }: Sample) -> Self {
        let columns = columns.into_iter().map(|(name, arrow_type)| RowsColumn { name, arrow_type }).collect();
        Self { columns, rows, incomplete }
    }
}
