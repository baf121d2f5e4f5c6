//! The private place of one attempt: a file of its own beside the database, so that staging neither locks nor swells the
//! database, and removing it is removing a file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use flowetl_proto::code::Class;
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::BlockId;
use rusqlite::Connection;

use super::connect::{Side, failure, open_existing, open_to_write};
use super::encode::Writing;
use crate::connectors::sql_text::{identifier, identifiers};
use crate::{Error, Result};

/// The staged rows' table.
pub(super) const ROWS: &str = "rows";
/// Bytes of a block's or run's name that the file's name repeats; file systems allow 255 in all.
const NAME_MAX: usize = 64;
/// Pages in memory while staging, as kibibytes: enough for the table's growing edge and the key's index.
const CACHE_KIB: usize = 16 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub path: PathBuf,
}

impl Stage {
    pub(super) fn new(database: &Path, attempt: &AttemptId, block: &BlockId) -> Self {
        let mut name = database.file_name().unwrap_or_default().to_owned();
        name.push(format!("-flowetl-{}-{}-t{}", plain(attempt.run.as_str()), plain(block.as_str()), attempt.token));
        Self { path: database.with_file_name(name) }
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Creates the file, in place of one that an unfinished `begin` may have left, with an empty table.
    pub(super) fn create(&self, columns: &[Writing]) -> Result<()> {
        self.remove()?;
        drop(open_to_write(&self.path)?);
        let connection = self.open()?;
        self.run(&connection, &create_table(&format!("main.{ROWS}"), columns, &[]))
    }

    /// A crash loses what was staged, so nothing is journaled; [`Stage::finish`] makes it durable. The file must be there
    /// already: a thread that is late must not bring back what was discarded.
    pub(super) fn open(&self) -> Result<Connection> {
        let connection = open_existing(&self.path)?;
        let settings = format!("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -{CACHE_KIB}");
        self.run(&connection, &settings)?;
        Ok(connection)
    }

    pub(super) fn run(&self, connection: &Connection, sql: &str) -> Result<()> {
        connection.execute_batch(sql).map_err(|e| self.failed(e))
    }

    pub(super) fn failed(&self, error: rusqlite::Error) -> Error {
        failure(error, Side::Sink, format!("cannot stage rows in `{}`", self.path.display()))
    }

    /// Leaves one row a key, the last that came, and an index for finding it.
    pub(super) fn keep_last(&self, connection: &Connection, key: &[String]) -> Result<()> {
        let key = identifiers(key.iter().map(String::as_str));
        self.run(
            connection,
            &format!(
                "create index main.keys on {ROWS} ({key}); \
                 delete from {ROWS} where rowid not in (select max(rowid) from {ROWS} group by {key})"
            ),
        )
    }

    pub(super) fn count(&self, connection: &Connection) -> Result<u64> {
        connection.query_row(&format!("select count(*) from {ROWS}"), [], |row| row.get(0)).map_err(|e| self.failed(e))
    }

    /// Makes the closed file durable, its name included.
    pub(super) fn finish(&self) -> Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        for path in [self.path.as_path(), folder] {
            fs::File::open(path)
                .and_then(|file| file.sync_all())
                .map_err(|e| self.storage_failed("make durable", e))?;
        }
        Ok(())
    }

    /// Removes the file and what SQLite may have left beside it; a missing one is fine.
    pub(super) fn remove(&self) -> Result<()> {
        for ending in ["", "-journal", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(ending);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(self.storage_failed("remove", e)),
                _ => {}
            }
        }
        Ok(())
    }

    fn storage_failed(&self, doing: &str, error: std::io::Error) -> Error {
        Error::new(Class::SinkTransient, format!("cannot {doing} `{}`", self.path.display())).because(error)
    }
}

/// `create table` with a primary key where `key` is not empty. `table` is SQL.
pub(super) fn create_table(table: &str, columns: &[Writing], key: &[String]) -> String {
    let mut parts: Vec<String> =
        columns.iter().map(|column| format!("{} {}", identifier(&column.name), column.declared)).collect();
    if !key.is_empty() {
        parts.push(format!("primary key ({})", identifiers(key.iter().map(String::as_str))));
    }
    format!("create table {table} ({})", parts.join(", "))
}

fn plain(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    name.chars().map(fits).take(NAME_MAX).collect()
}
