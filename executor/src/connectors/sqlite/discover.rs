//! All tables of a database file, as one moment sees them.

use std::collections::HashMap;
use std::path::Path;

use flowetl_proto::tables::{Column, ForeignKey, PAGE_TABLES, Table, TableKind};
use rusqlite::Connection;
use tokio::sync::mpsc::Sender;

use super::connect::{Side, failure, open_to_read};
use super::types::Kind;
use crate::Result;
use crate::connectors::sql_text::identifier;

/// The one schema of a database file.
const SCHEMA: &str = "main";

/// Tells all tables and views but SQLite's own and ours. Blocks.
pub(super) fn discover(path: &Path, pages: &Sender<Vec<Table>>) -> Result<()> {
    let connection = open_to_read(path)?;
    let failed = |e| failure(e, Side::Source, format!("cannot read what lies in `{}`", path.display()));
    connection.execute_batch("begin").map_err(failed)?;
    let named = tables(&connection).map_err(failed)?;
    let counted = counted(&connection).map_err(failed)?;
    for page in named.chunks(PAGE_TABLES) {
        let look = |(name, sort): &(String, String)| match table(&connection, name, sort, &counted) {
            Ok(table) => table,
            // A view of what is not there any more cannot be read, and is no reason to see nothing.
            Err(error) => Table { problem: Some(error.to_string()), ..blank(name, sort) },
        };
        if pages.blocking_send(page.iter().map(look).collect()).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Name and sort of each.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(
        "select name, type from pragma_table_list where schema = 'main' and type in ('table', 'view', 'virtual') \
         and name not like 'sqlite\\_%' escape '\\' and name not like '\\_flowetl\\_%' escape '\\' order by name",
    )?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The rows of each table when `analyze` ran last.
fn counted(connection: &Connection) -> rusqlite::Result<HashMap<String, u64>> {
    if !connection.table_exists(Some(SCHEMA), "sqlite_stat1")? {
        return Ok(HashMap::new());
    }
    // The text begins with the number of rows.
    let mut statement = connection.prepare("select tbl, max(cast(stat as integer)) from sqlite_stat1 group by tbl")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| row.map(|(table, rows)| (table, rows.unsigned_abs()))).collect()
}

fn blank(name: &str, sort: &str) -> Table {
    Table {
        schema: SCHEMA.to_owned(),
        name: name.to_owned(),
        kind: if sort == "view" { TableKind::View } else { TableKind::Table },
        rows: None,
        columns: Vec::new(),
        primary_key: Vec::new(),
        foreign_keys: Vec::new(),
        problem: None,
    }
}

fn table(connection: &Connection, name: &str, sort: &str, counted: &HashMap<String, u64>) -> rusqlite::Result<Table> {
    let mut table = blank(name, sort);
    let mut statement = connection.prepare_cached(
        "select name, type, \"notnull\", pk from pragma_table_xinfo(?1, 'main') where hidden <> 1 order by cid",
    )?;
    let mut rows = statement.query([name])?;
    let mut primary = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let place: i64 = row.get(3)?;
        if place > 0 {
            primary.push((place, name.clone()));
        }
        // By another name; it is never null.
        let is_rowid = place > 0 && declared.eq_ignore_ascii_case("integer");
        table.columns.push(Column {
            nullable: !(row.get::<_, bool>(2)? || is_rowid),
            arrow_type: Kind::declared(&declared).map(|kind| kind.arrow().to_string()),
            name,
            declared,
        });
    }
    primary.sort_unstable();
    table.primary_key = primary.into_iter().map(|(_, name)| name).collect();
    table.foreign_keys = foreign_keys(connection, name)?;
    table.rows = counted.get(name).copied().or_else(|| greatest_rowid(connection, name, sort));
    Ok(table)
}

/// The number of rows if none was ever deleted; found without reading them.
fn greatest_rowid(connection: &Connection, name: &str, sort: &str) -> Option<u64> {
    let query = format!("select coalesce(max(_rowid_), 0) from {}", identifier(name));
    let is_table = sort == "table";
    // A table without rowid has none.
    let found = is_table.then(|| connection.query_row(&query, [], |row| row.get::<_, i64>(0)).ok());
    found.flatten().and_then(|rows| u64::try_from(rows).ok())
}

fn foreign_keys(connection: &Connection, name: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let mut statement = connection.prepare_cached(
        "select id, \"table\", \"from\", \"to\" from pragma_foreign_key_list(?1, 'main') order by id, seq",
    )?;
    let mut rows = statement.query([name])?;
    let (mut keys, mut last): (Vec<ForeignKey>, _) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let table: String = row.get(1)?;
        if last != Some(id) {
            last = Some(id);
            keys.push(ForeignKey {
                name: String::new(),
                columns: Vec::new(),
                schema: SCHEMA.to_owned(),
                table,
                references: Vec::new(),
            });
        }
        if let Some(key) = keys.last_mut() {
            key.columns.push(row.get(2)?);
            key.references.extend(row.get::<_, Option<String>>(3)?);
        }
    }
    for key in keys.iter_mut().filter(|key| key.references.is_empty()) {
        let mut primary =
            connection.prepare_cached("select name from pragma_table_xinfo(?1, 'main') where pk > 0 order by pk")?;
        key.references = primary.query_map([&key.table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    }
    Ok(keys)
}
