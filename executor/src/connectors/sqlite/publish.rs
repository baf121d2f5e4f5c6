//! The one transaction that makes staged rows visible.

use std::path::Path;

use flowetl_proto::code::Class;
use flowetl_proto::control::Position;
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::WriteMode;
use rusqlite::{Connection, OptionalExtension};
use serde_json::json;

use super::connect::{Side, failure, open_to_write};
use super::encode::Writing;
use super::stage::{ROWS, Stage, create_table};
use super::table::Table;
use super::target::{Change, Target};
use crate::connectors::Committed;
use crate::connectors::sql_text::{identifier, identifiers, literal};
use crate::{Error, Result};

/// Who has published what; a row a run.
const COMMITS: &str = "create table if not exists main._flowetl_commits (pipeline text not null, block text not null, \
     run text not null, token integer not null, rows integer not null, positions text not null, \
     committed_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')), primary key (pipeline, block, run))";
/// The stage, attached.
const STAGE: &str = "_flowetl_stage";

/// What is published and under which name it is remembered.
pub(super) struct Publication<'a> {
    pub database: &'a Path,
    /// The target's name for people.
    pub place: &'a str,
    pub pipeline: &'a str,
    pub block: &'a BlockId,
    pub run: &'a str,
    pub token: i64,
    pub write: WriteMode,
    /// Rows that were staged, as `prepare` counted them.
    pub rows: u64,
    pub positions: &'a [(BlockId, Position)],
}

impl Publication<'_> {
    /// Publishes once. `target` answers what is to be done with the table as it is inside the transaction.
    pub(super) fn commit(
        &self,
        stage: &Stage,
        table: &str,
        target: impl FnOnce(Option<&Table>) -> Result<Target>,
    ) -> Result<Committed> {
        if !self.database.exists() && !stage.exists() {
            return Ok(Committed::Lost);
        }
        let connection = open_to_write(self.database)?;
        let is_staged = stage.exists();
        if is_staged {
            let attach = format!("attach database ?1 as {STAGE}");
            let path = stage.path.to_string_lossy();
            connection.execute(&attach, [path.as_ref()]).map_err(|e| self.failed(e))?;
        }
        // Rows that are replaced must not take the rows that refer to them along; what remains astray is counted below.
        let guard = if self.write == WriteMode::Replace { "off" } else { "on" };
        self.run(&connection, &format!("pragma foreign_keys = {guard}; begin immediate; {COMMITS}"))?;
        // From here on, returning early drops the connection, which rolls back.
        if self.is_recorded(&connection)? {
            return Ok(Committed::Done);
        }
        if !is_staged {
            return Ok(Committed::Lost);
        }
        let found = Table::find(&connection, table).map_err(|e| self.failed(e))?;
        let target = target(found.as_ref())?;
        let strays_before = self.strays(&connection, &target)?;
        self.change_table(&connection, &target)?;
        self.move_rows(&connection, &target)?;
        if self.strays(&connection, &target)? > strays_before {
            let place = self.place;
            return Err(Error::user(format!("the rows for {place} break a foreign key of the database")));
        }
        self.record(&connection)?;
        self.run(&connection, "commit")?;
        Ok(Committed::Done)
    }

    fn run(&self, connection: &Connection, sql: &str) -> Result<()> {
        connection.execute_batch(sql).map_err(|e| self.failed(e))
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        failure(error, Side::Sink, format!("cannot publish {}", self.place))
    }

    fn is_recorded(&self, connection: &Connection) -> Result<bool> {
        let query = "select 1 from main._flowetl_commits where pipeline = ?1 and block = ?2 and run = ?3";
        let found = connection.query_row(query, (self.pipeline, self.block.as_str(), self.run), |_| Ok(())).optional();
        Ok(found.map_err(|e| self.failed(e))?.is_some())
    }

    fn record(&self, connection: &Connection) -> Result<()> {
        let positions: serde_json::Map<_, _> =
            self.positions.iter().map(|(block, position)| (block.to_string(), json!(position))).collect();
        let insert = "insert into main._flowetl_commits (pipeline, block, run, token, rows, positions) \
             values (?1, ?2, ?3, ?4, ?5, ?6)";
        let row = (
            self.pipeline,
            self.block.as_str(),
            self.run,
            self.token,
            self.rows as i64,
            serde_json::Value::Object(positions).to_string(),
        );
        connection.execute(insert, row).map_err(|e| self.failed(e))?;
        Ok(())
    }

    fn change_table(&self, connection: &Connection, target: &Target) -> Result<()> {
        let table = identifier(&target.table);
        match &target.change {
            Change::Create => {
                self.run(connection, &create_table(&format!("main.{table}"), &target.columns, &target.key))
            }
            Change::Keep { added } => {
                for column in added.iter().map(|index| &target.columns[*index]) {
                    let (name, declared) = (identifier(&column.name), &column.declared);
                    self.run(connection, &format!("alter table main.{table} add column {name} {declared}"))?;
                }
                if self.write == WriteMode::Replace {
                    self.run(connection, &format!("delete from main.{table}"))?;
                }
                Ok(())
            }
            Change::Rebuild { primary, .. } => {
                let attached = attached(connection, &target.table).map_err(|e| self.failed(e))?;
                self.run(connection, &format!("drop table main.{table}"))?;
                self.run(connection, &create_table(&format!("main.{table}"), &target.columns, primary))?;
                for (columns, sql) in attached {
                    let remains = |column: &String| target.columns.iter().any(|c| c.name.eq_ignore_ascii_case(column));
                    if columns.iter().all(remains) {
                        self.run(connection, &sql)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn move_rows(&self, connection: &Connection, target: &Target) -> Result<()> {
        let table = identifier(&target.table);
        let columns = names(&target.columns);
        let source = format!("{STAGE}.{ROWS}");
        let others: Vec<String> = target
            .columns
            .iter()
            .filter(|column| !target.key.contains(&column.name))
            .map(|column| identifier(&column.name))
            .collect();
        let insert = format!("insert into main.{table} ({columns}) select {columns} from {source}");
        let execute = |sql: &str| connection.execute(sql, []).map_err(|e| self.failed(e));
        if self.write != WriteMode::Merge {
            let moved = execute(&insert)? as u64;
            if moved != self.rows {
                let message = format!("{} rows were staged for {}, but {moved} were there", self.rows, self.place);
                return Err(Error::new(Class::Truncated, message));
            }
            return Ok(());
        }
        let key = identifiers(target.key.iter().map(String::as_str));
        if target.key_is_unique {
            let set: Vec<String> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
            let action = if set.is_empty() { "nothing".into() } else { format!("update set {}", set.join(", ")) };
            execute(&format!("{insert} where true on conflict ({key}) do {action}"))?;
            return Ok(());
        }
        let same: Vec<String> = target.key.iter().map(|k| identifier(k)).map(|k| format!("_t.{k} = _s.{k}")).collect();
        let same = same.join(" and ");
        if !others.is_empty() {
            let set: Vec<String> = others.iter().map(|name| format!("{name} = _s.{name}")).collect();
            execute(&format!("update main.{table} as _t set {} from {source} as _s where {same}", set.join(", ")))?;
        }
        let missing = format!("as _s where not exists (select 1 from main.{table} as _t where {same})");
        execute(&format!("{insert} {missing}"))?;
        Ok(())
    }

    /// Rows that refer to nothing, in the table and in those that refer to it. Nothing is counted where the database
    /// itself refuses such rows.
    fn strays(&self, connection: &Connection, target: &Target) -> Result<u64> {
        if self.write != WriteMode::Replace || target.change == Change::Create {
            return Ok(0);
        }
        let failed = |e| self.failed(e);
        let mut statement = connection
            .prepare(
                "select distinct t.name from pragma_table_list t, pragma_foreign_key_list(t.name, 'main') f \
                 where t.schema = 'main' and (f.\"table\" = ?1 collate nocase or t.name = ?1 collate nocase)",
            )
            .map_err(failed)?;
        let tables: rusqlite::Result<Vec<String>> =
            statement.query_map([&target.table], |row| row.get(0)).map_err(failed)?.collect();
        let mut strays = 0;
        for table in tables.map_err(failed)? {
            let count = format!("select count(*) from pragma_foreign_key_check({}, 'main')", literal(&table));
            strays += connection.query_row(&count, [], |row| row.get::<_, u64>(0)).map_err(failed)?;
        }
        Ok(strays)
    }
}

/// The indexes and triggers of a table: the columns each needs, and the statement that makes it.
fn attached(connection: &Connection, table: &str) -> rusqlite::Result<Vec<(Vec<String>, String)>> {
    let mut statement = connection.prepare(
        "select type, name, sql from main.sqlite_schema \
         where tbl_name = ?1 collate nocase and type in ('index', 'trigger') and sql is not null order by type",
    )?;
    let mut columns_of = connection.prepare("select name from pragma_index_info(?1, 'main') where name is not null")?;
    let mut attached = Vec::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let (sort, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut columns = Vec::new();
        if sort == "index" {
            columns = columns_of.query_map([&name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        }
        attached.push((columns, sql));
    }
    Ok(attached)
}

fn names(columns: &[Writing]) -> String {
    identifiers(columns.iter().map(|column| column.name.as_str()))
}
