//! Tests of the SQLite connector: the suites, and what is SQLite's own.

mod reading;
mod writing;

use std::path::PathBuf;
use std::sync::Mutex;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use async_trait::async_trait;
use flowetl_proto::pipeline::{Connection as Place, Reference};
use indexmap::IndexMap;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use tempfile::TempDir;

use super::Sqlite;
use crate::connectors::Connector;
use crate::connectors::sql_text::identifier;
use crate::connectors::suite::{Fixture, Lacks, values};

struct SqliteFixture {
    folder: TempDir,
    /// The test's own connection.
    connection: Mutex<Connection>,
    has_wal: bool,
}

impl SqliteFixture {
    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    fn execute(&self, sql: &str) {
        self.connection.lock().expect("not poisoned").execute_batch(sql).expect("the statement runs");
    }

    fn insert(&self, name: &str, rows: &RecordBatch) -> String {
        values(rows)
            .chunks(500)
            .map(|some| format!("insert into {} values {};", identifier(name), some.join(", ")))
            .collect()
    }
}

fn fixture(journal: &str) -> SqliteFixture {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = Connection::open(folder.path().join("shop.db")).expect("a database");
    connection.pragma_update(None, "journal_mode", journal).expect("a journal");
    SqliteFixture { folder, connection: Mutex::new(connection), has_wal: journal == "wal" }
}

/// The suites, with readers beside writers.
mod write_ahead_log {
    async fn fixture() -> super::SqliteFixture {
        super::fixture("wal")
    }

    crate::connectors::suite::source_tests!(fixture);
    crate::connectors::suite::sink_tests!(fixture);
}

/// The suites on what SQLite makes by default: a writer waits for readers.
mod rollback_journal {
    async fn fixture() -> super::SqliteFixture {
        super::fixture("delete")
    }

    crate::connectors::suite::source_tests!(fixture);
    crate::connectors::suite::sink_tests!(fixture);
}

#[async_trait]
impl Fixture for SqliteFixture {
    fn connector(&self) -> &'static dyn Connector {
        &Sqlite
    }

    fn connection(&self) -> Place {
        Place {
            name: "shop".into(),
            scheme: "sqlite".into(),
            host: None,
            port: None,
            user: None,
            password: None,
            path: self.path().to_string_lossy().into_owned(),
            options: IndexMap::new(),
        }
    }

    fn place(&self, name: &str) -> Reference {
        Reference::Table { connection: "shop".into(), schema: None, table: name.into() }
    }

    fn lacks(&self) -> Lacks {
        // Nobody can write beside a reader, so there is no second moment to be seen.
        Lacks { snapshot: !self.has_wal, ..Lacks::default() }
    }

    async fn make(&self, name: &str, rows: &RecordBatch) {
        let columns: Vec<String> = rows
            .schema()
            .fields()
            .iter()
            .map(|field| {
                let declared = match field.data_type() {
                    DataType::Int64 => "integer",
                    DataType::Float64 => "real",
                    DataType::Boolean => "boolean",
                    _ => "text",
                };
                format!("{} {declared}", identifier(field.name()))
            })
            .collect();
        let table = identifier(name);
        let columns = columns.join(", ");
        let insert = self.insert(name, rows);
        self.execute(&format!(
            "begin; drop table if exists {table}; create table {table} ({columns}); {insert} commit"
        ));
    }

    async fn add(&self, name: &str, rows: &RecordBatch) {
        self.execute(&self.insert(name, rows));
    }

    async fn rows(&self, name: &str) -> Option<Vec<String>> {
        let connection = self.connection.lock().expect("not poisoned");
        let found = connection.prepare(&format!("select * from {}", identifier(name)));
        let mut statement = match found {
            Ok(statement) => statement,
            Err(e) if e.to_string().contains("no such table") => return None,
            Err(e) => panic!("{e}"),
        };
        let line = |row: &rusqlite::Row<'_>| {
            let cell = |index| match row.get(index).expect("a value") {
                Cell::Null => "null".to_owned(),
                Cell::Integer(integer) => integer.to_string(),
                Cell::Real(real) => format!("{real:?}"),
                Cell::Text(text) => text,
                Cell::Blob(blob) => format!("{blob:?}"),
            };
            // The table may have been made anew since the statement was prepared.
            let count = row.as_ref().column_count();
            Ok((0..count).map(cell).collect::<Vec<_>>().join("|"))
        };
        Some(statement.query_map([], line).expect("rows").collect::<rusqlite::Result<_>>().expect("rows"))
    }

    async fn leftovers(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).expect("the folder");
        let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("flowetl")).collect()
    }

    /// A reader holds a lock that an exclusive transaction waits for.
    async fn is_busy(&self) -> bool {
        let connection = self.connection.lock().expect("not poisoned");
        connection.busy_timeout(std::time::Duration::ZERO).expect("set");
        connection.execute_batch("begin exclusive; rollback").is_err()
    }
}
