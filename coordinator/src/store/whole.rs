//! The whole of the metadata database, out of one and into another: rows as both databases have them, in an order that both
//! take.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use serde_json::{Map, Value};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{Any, Column, Row, Transaction, ValueRef};
use tokio::sync::mpsc;

use super::{MIGRATIONS, Store, commit, doing, get};
use crate::{Error, Result};

/// What belongs to one installation's life alone: who leads, who has signed in, which calls were made, what is half uploaded.
const LEFT_OUT: [&str; 7] =
    ["_sqlx_migrations", "leadership", "refresh_token", "session", "idempotency", "upload", "upload_piece"];
/// Whoever has it could sign in as anybody; a new one is made where there is none.
const KEPT_BACK: (&str, &str) = ("installation", "signing_key");
/// What every new database has rows of.
const GIVEN: [&str; 2] = ["serial", "installation"];
/// Rows that wait to be written.
const WAITING_MAX: usize = 256;
/// How long PostgreSQL keeps the state that is read while nothing is asked of it: as long as writing elsewhere may take.
const READING_MS: i64 = 600_000;

/// A row, and the table that it is of.
pub(crate) type TableRow = (String, Map<String, Value>);

/// The newest migration that this program knows.
pub(crate) fn schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

impl Store {
    fn is_sqlite(&self) -> bool {
        self.begin == "begin immediate"
    }

    /// Another one of the same database, with connections of its own, that writes as nobody's.
    pub(crate) async fn apart(&self) -> Result<Self> {
        Self::connect(self.pool.connect_options().database_url.as_str(), self.is_sqlite()).await
    }

    /// All rows as one moment sees them, tables before those that name them. Must be asked of a store that nobody else uses:
    /// it is busy until all are taken.
    pub(crate) fn all_rows(&self) -> (mpsc::Receiver<TableRow>, impl Future<Output = Result<()>> + Send + use<>) {
        let (rows, taken) = mpsc::channel(WAITING_MAX);
        let store = self.clone();
        let reading = async move {
            let mut tx = store.pool.begin().await.map_err(doing("begin a transaction"))?;
            if !store.is_sqlite() {
                let moment = format!(
                    "set transaction isolation level repeatable read read only; \
                     set local idle_in_transaction_session_timeout = {READING_MS}"
                );
                let set = sqlx::raw_sql(sqlx::AssertSqlSafe(moment)).execute(&mut *tx).await;
                set.map_err(doing("read one moment"))?;
            }
            for table in store.tables(&mut tx).await? {
                let select = sqlx::query(sqlx::AssertSqlSafe(format!("select * from {table}")));
                let mut found = select.fetch(&mut *tx);
                while let Some(row) = found.try_next().await.map_err(doing("read all rows"))? {
                    let mut row = object(&row)?;
                    if table == KEPT_BACK.0 {
                        row.remove(KEPT_BACK.1);
                    }
                    if rows.send((table.clone(), row)).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        };
        (taken, reading)
    }

    /// The name of a table that has rows although the database is to be empty.
    pub(crate) async fn holds(&self) -> Result<Option<String>> {
        let mut tx = self.pool.begin().await.map_err(doing("begin a transaction"))?;
        for table in self.tables(&mut tx).await? {
            let select = sqlx::AssertSqlSafe(format!("select count(*) as number from {table}"));
            let row = sqlx::query(select).fetch_one(&mut *tx).await.map_err(doing("count rows"))?;
            if !GIVEN.contains(&table.as_str()) && get::<i64>(&row, "number")? > 0 {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    /// Takes in all rows of another database, or none of them.
    pub(crate) async fn take_in(&self, mut rows: mpsc::Receiver<Result<TableRow>>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let known: BTreeSet<String> = self.tables(&mut tx).await?.into_iter().collect();
        for table in GIVEN {
            let delete = sqlx::query(sqlx::AssertSqlSafe(format!("delete from {table}")));
            delete.execute(&mut *tx).await.map_err(doing("take in all rows"))?;
        }
        let mut count = 0;
        while let Some(row) = rows.recv().await {
            let (table, values) = row?;
            if !known.contains(&table) {
                return Err(Error::Backup(format!("it has rows of `{table}`, which is no table here")));
            }
            insert(&mut tx, &table, values).await?;
            count += 1;
        }
        commit(tx).await?;
        Ok(count)
    }

    /// The names of all tables but those that are left out, each behind those that it names.
    async fn tables(&self, tx: &mut Transaction<'static, Any>) -> Result<Vec<String>> {
        let (all, parents) = match self.is_sqlite() {
            true => (
                "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name",
                "select t.name as child, f.\"table\" as parent from sqlite_schema t \
                 join pragma_foreign_key_list(t.name) f where t.type = 'table'",
            ),
            false => (
                "select cast(tablename as text) as name from pg_catalog.pg_tables \
                 where schemaname = current_schema() order by 1",
                "select cast(t.relname as text) as child, cast(p.relname as text) as parent \
                 from pg_catalog.pg_constraint c join pg_catalog.pg_class t on t.oid = c.conrelid \
                 join pg_catalog.pg_class p on p.oid = c.confrelid \
                 join pg_catalog.pg_namespace n on n.oid = t.relnamespace \
                 where c.contype = 'f' and n.nspname = current_schema()",
            ),
        };
        let rows = sqlx::query(all).fetch_all(&mut **tx).await.map_err(doing("list the tables"))?;
        let mut waiting = rows.iter().map(|row| get(row, "name")).collect::<Result<Vec<String>>>()?;
        waiting.retain(|table| !LEFT_OUT.contains(&table.as_str()));
        let rows = sqlx::query(parents).fetch_all(&mut **tx).await.map_err(doing("list the tables"))?;
        let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in &rows {
            named.entry(get(row, "child")?).or_default().insert(get(row, "parent")?);
        }
        let mut ordered: Vec<String> = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let is_ready = |table: &String| {
                named.get(table).is_none_or(|parents| parents.iter().all(|p| p == table || ordered.contains(p)))
            };
            let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
            if ready.is_empty() {
                return Err(Error::Backup(format!("the tables {} name each other", rest.join(", "))));
            }
            ordered.extend(ready);
            waiting = rest;
        }
        Ok(ordered)
    }
}

/// A row as JSON.
fn object(row: &AnyRow) -> Result<Map<String, Value>> {
    let mut object = Map::new();
    for (at, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(at).map_err(doing("read all rows"))?;
        if raw.is_null() {
            object.insert(column.name().to_owned(), Value::Null);
            continue;
        }
        let value = match raw.type_info().kind() {
            AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
                row.try_get::<i64, _>(at).map(Value::from)
            }
            AnyTypeInfoKind::Real | AnyTypeInfoKind::Double => row.try_get::<f64, _>(at).map(Value::from),
            AnyTypeInfoKind::Bool => row.try_get::<bool, _>(at).map(Value::from),
            _ => row.try_get::<String, _>(at).map(Value::from),
        };
        object.insert(column.name().to_owned(), value.map_err(doing("read all rows"))?);
    }
    Ok(object)
}

/// Writes a row. Null stands in the statement: without a type of its own it would be text to PostgreSQL.
async fn insert(tx: &mut Transaction<'static, Any>, table: &str, values: Map<String, Value>) -> Result<()> {
    // They stand in the statement.
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if let Some(strange) = values.keys().find(|name| !is_name(name)) {
        return Err(Error::Backup(format!("`{strange}` is no column")));
    }
    let columns = values.keys().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mut bound = 0;
    let mut place = |value: &Value| {
        if value.is_null() {
            return "null".to_owned();
        }
        bound += 1;
        format!("${bound}")
    };
    let places = values.values().map(&mut place).collect::<Vec<_>>().join(", ");
    let insert = format!("insert into {table} ({columns}) values ({places})");
    let mut query = sqlx::query(sqlx::AssertSqlSafe(insert));
    for (name, value) in values {
        query = match value {
            Value::Null => query,
            Value::String(text) => query.bind(text),
            Value::Bool(flag) => query.bind(flag),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => query.bind(whole),
                None => query.bind(number.as_f64().unwrap_or_default()),
            },
            _ => return Err(Error::Backup(format!("`{name}` of `{table}` is no value of a column"))),
        };
    }
    query.execute(&mut **tx).await.map_err(doing("take in all rows"))?;
    Ok(())
}
