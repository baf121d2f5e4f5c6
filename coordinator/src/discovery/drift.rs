//! How what a connection leads to has changed between two looks. Pure.

use std::collections::HashMap;

use chrono::DateTime;
use flowetl_proto::run::Timestamp;
use flowetl_proto::tables::{Column, Table};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// Changes that are kept; all are counted.
const CHANGES_MAX: usize = 500;

/// How a look differs from the one before it. What is only estimated does not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Drift {
    /// When the look before it was.
    #[serde(deserialize_with = "read_time")]
    pub since: Timestamp,
    pub tables_added: u64,
    pub tables_removed: u64,
    /// Tables with other columns or keys.
    pub tables_changed: u64,
    /// The first 500 of them.
    pub changes: Vec<TableChange>,
}

/// A time as it is written.
fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
    Ok(Timestamp(time.timestamp_millis()))
}

/// One thing that is otherwise than it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TableChange {
    pub change: ChangeKind,
    pub schema: String,
    pub table: String,
    /// Which, where it is a column.
    pub column: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeKind {
    TableAdded,
    TableRemoved,
    ColumnAdded,
    ColumnRemoved,
    /// Its type, or whether it may be null.
    ColumnChanged,
    KeysChanged,
}

/// Schema and name.
pub(super) type Name = (String, String);

/// Compares what is found with what is remembered, table by table.
pub(super) struct Comparison {
    /// What was there and is not found yet.
    before: HashMap<Name, String>,
    drift: Drift,
}

/// What columns and keys of a table are known by.
pub(super) fn shape(table: &Table) -> String {
    let what = (&table.kind, &table.columns, &table.primary_key, &table.foreign_keys);
    // A tree of texts is always JSON.
    let text = serde_json::to_vec(&what).unwrap_or_default();
    Sha256::digest(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Comparison {
    pub(super) fn new(before: HashMap<Name, String>, since: Timestamp) -> Self {
        let drift = Drift { since, tables_added: 0, tables_removed: 0, tables_changed: 0, changes: Vec::new() };
        Self { before, drift }
    }

    /// Whether a table is another than it was, so that it has to be [compared](Self::changed).
    pub(super) fn found(&mut self, table: &Table, shape: &str) -> bool {
        match self.before.remove(&(table.schema.clone(), table.name.clone())) {
            Some(before) => before != shape,
            None => {
                self.drift.tables_added += 1;
                self.push(ChangeKind::TableAdded, table, None, (None, None));
                false
            }
        }
    }

    pub(super) fn changed(&mut self, before: &Table, after: &Table) {
        self.drift.tables_changed += 1;
        let described =
            |column: &Column| format!("{}{}", column.declared, if column.nullable { "" } else { " not null" });
        for column in &after.columns {
            let (name, now) = (Some(column.name.clone()), described(column));
            match before.columns.iter().find(|other| other.name == column.name).map(described) {
                None => self.push(ChangeKind::ColumnAdded, after, name, (None, Some(now))),
                Some(was) if was != now => self.push(ChangeKind::ColumnChanged, after, name, (Some(was), Some(now))),
                Some(_) => {}
            }
        }
        for column in &before.columns {
            if after.columns.iter().all(|other| other.name != column.name) {
                let was = Some(described(column));
                self.push(ChangeKind::ColumnRemoved, after, Some(column.name.clone()), (was, None));
            }
        }
        if (&before.primary_key, &before.foreign_keys) != (&after.primary_key, &after.foreign_keys) {
            self.push(ChangeKind::KeysChanged, after, None, (None, None));
        }
    }

    /// Once all is found.
    pub(super) fn end(mut self) -> Drift {
        let mut gone: Vec<Name> = self.before.drain().map(|(name, _)| name).collect();
        gone.sort();
        self.drift.tables_removed = gone.len() as u64;
        for (schema, table) in gone {
            if self.drift.changes.len() < CHANGES_MAX {
                let change = ChangeKind::TableRemoved;
                self.drift.changes.push(TableChange { change, schema, table, column: None, before: None, after: None });
            }
        }
        self.drift
    }

    fn push(
        &mut self,
        change: ChangeKind,
        table: &Table,
        column: Option<String>,
        (before, after): (Option<String>, Option<String>),
    ) {
        if self.drift.changes.len() < CHANGES_MAX {
            let (schema, table) = (table.schema.clone(), table.name.clone());
            self.drift.changes.push(TableChange { change, schema, table, column, before, after });
        }
    }
}
