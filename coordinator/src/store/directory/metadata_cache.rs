//! What connections were found to lead to.

use std::collections::HashMap;

use flowetl_proto::run::Timestamp;
use flowetl_proto::tables::Table;
use sqlx::any::AnyRow;

use super::{Directory, News};
use crate::Result;
use crate::discovery::{Found, Look, SchemaItem, TableItem, TableQuery, words_of};
use crate::store::{containing, doing, from_json, get, get_json, get_word, to_json};

/// Tables in one statement: PostgreSQL and SQLite both take so many values at once.
const ROWS: usize = 100;

impl Directory {
    /// What is known of a connection; `None` where nobody ever looked.
    pub(crate) async fn look(&mut self, connection: &str) -> Result<Option<Look>> {
        let query = sqlx::query("select * from discovery where connection = $1").bind(connection.to_owned());
        let row = query.fetch_optional(&mut *self.line).await.map_err(doing("read a discovery"))?;
        let Some(row) = row else { return Ok(None) };
        let look: Option<String> = get(&row, "look")?;
        let at: Option<i64> = get(&row, "found_at")?;
        let found = match (look, at) {
            (Some(look), Some(at)) => {
                Some(Found { look, at: Timestamp(at), tables: get(&row, "tables")?, drift: get_json(&row, "drift")? })
            }
            _ => None,
        };
        Ok(Some(Look {
            found,
            started_at: Timestamp(get(&row, "started_at")?),
            finished_at: get::<Option<i64>>(&row, "finished_at")?.map(Timestamp),
            message: get(&row, "message")?,
        }))
    }

    /// A look begins; what was found before counts until its end.
    pub(crate) async fn look_started(&mut self, connection: &str, at: i64) -> Result<()> {
        let insert = "insert into discovery (connection, tables, started_at) values ($1, 0, $2) \
                      on conflict (connection) do update set started_at = $2, finished_at = null, message = null";
        let done = sqlx::query(insert).bind(connection.to_owned()).bind(at).execute(&mut *self.line).await;
        done.map_err(doing("begin a discovery"))?;
        Ok(())
    }

    /// A look has found nothing new.
    pub(crate) async fn look_failed(&mut self, connection: &str, at: i64, message: &str) -> Result<()> {
        let update = "update discovery set finished_at = $1, message = $2 where connection = $3";
        let query = sqlx::query(update).bind(at).bind(message.to_owned()).bind(connection.to_owned());
        query.execute(&mut *self.line).await.map_err(doing("end a discovery"))?;
        Ok(())
    }

    /// What a look has found counts from now on.
    pub(crate) async fn look_done(&mut self, connection: &str, found: &Found) -> Result<()> {
        let update = "update discovery set look = $1, found_at = $2, tables = $3, drift = $4, finished_at = $2, \
                      message = null where connection = $5";
        let drift = found.drift.as_ref().map(|drift| to_json("a drift", drift)).transpose()?;
        sqlx::query(update)
            .bind(found.look.clone())
            .bind(found.at.0)
            .bind(found.tables)
            .bind(drift)
            .bind(connection.to_owned())
            .execute(&mut *self.line)
            .await
            .map_err(doing("end a discovery"))?;
        Ok(())
    }

    /// Forgets the tables of all looks at a connection but one.
    pub(crate) async fn keep_look(&mut self, connection: &str, look: &str) -> Result<()> {
        let delete = "delete from metadata_cache where connection = $1 and look <> $2";
        let query = sqlx::query(delete).bind(connection.to_owned()).bind(look.to_owned());
        query.execute(&mut *self.line).await.map_err(doing("forget tables"))?;
        Ok(())
    }

    /// Keeps tables that a look has found, each with what its shape is known by.
    pub(crate) async fn add_tables(&mut self, connection: &str, look: &str, tables: &[(Table, String)]) -> Result<()> {
        for some in tables.chunks(ROWS) {
            let mut insert = String::from(
                "insert into metadata_cache (connection, look, schema_name, table_name, words, kind, row_estimate, \
                 column_count, shape, detail) values ",
            );
            for row in 0..some.len() {
                let first = row * 8 + 3;
                let own = (first..first + 8).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
                insert.push_str(&format!("{}($1, $2, {own})", if row == 0 { "" } else { ", " }));
            }
            let mut query = sqlx::query(sqlx::AssertSqlSafe(insert));
            query = query.bind(connection.to_owned()).bind(look.to_owned());
            for (table, shape) in some {
                query = query
                    .bind(table.schema.clone())
                    .bind(table.name.clone())
                    .bind(words_of(table))
                    .bind(crate::discovery::kind_word(table.kind))
                    .bind(table.rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)))
                    .bind(i64::try_from(table.columns.len()).unwrap_or(i64::MAX))
                    .bind(shape.clone())
                    .bind(to_json("a table", table)?);
            }
            query.execute(&mut *self.line).await.map_err(doing("keep tables"))?;
        }
        Ok(())
    }

    /// What the shape of each table is known by, by schema and name.
    pub(crate) async fn shapes(&mut self, connection: &str, look: &str) -> Result<HashMap<(String, String), String>> {
        let select = "select schema_name, table_name, shape from metadata_cache where connection = $1 and look = $2";
        let query = sqlx::query(select).bind(connection.to_owned()).bind(look.to_owned());
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("read tables"))?;
        rows.iter().map(|row| Ok(((get(row, "schema_name")?, get(row, "table_name")?), get(row, "shape")?))).collect()
    }

    /// A table that a look has found.
    pub(crate) async fn found_table(
        &mut self,
        connection: &str,
        look: &str,
        (schema, name): (&str, &str),
    ) -> Result<Option<Table>> {
        let select = "select detail from metadata_cache \
                      where connection = $1 and look = $2 and schema_name = $3 and table_name = $4";
        let query = sqlx::query(select).bind(connection.to_owned()).bind(look.to_owned());
        let query = query.bind(schema.to_owned()).bind(name.to_owned());
        let row = query.fetch_optional(&mut *self.line).await.map_err(doing("read a table"))?;
        row.map(|row| from_json("a table", &get::<String>(&row, "detail")?)).transpose()
    }

    /// The schemas that a look has found, with how many tables each has.
    pub(crate) async fn found_schemas(&mut self, connection: &str, look: &str) -> Result<Vec<SchemaItem>> {
        let select = "select schema_name, count(*) as tables from metadata_cache \
                      where connection = $1 and look = $2 group by schema_name order by schema_name";
        let query = sqlx::query(select).bind(connection.to_owned()).bind(look.to_owned());
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("list the schemas"))?;
        rows.iter().map(|row| Ok(SchemaItem { name: get(row, "schema_name")?, tables: get(row, "tables")? })).collect()
    }

    /// The tables of a look that the query asks for, by schema and name.
    pub(crate) async fn found_tables(
        &mut self,
        connection: &str,
        look: &str,
        of: &TableQuery,
    ) -> Result<Vec<TableItem>> {
        let select = "select schema_name, table_name, kind, row_estimate, column_count from metadata_cache \
                      where connection = $1 and look = $2 and ($3 = '' or schema_name = $3) \
                      and ($4 = '' or words like $4 escape '\\') \
                      and ($5 = 0 or (schema_name, table_name) > ($6, $7)) \
                      order by schema_name, table_name limit $8";
        let after = of.after.clone();
        let query = sqlx::query(select)
            .bind(connection.to_owned())
            .bind(look.to_owned())
            .bind(of.schema.clone().unwrap_or_default())
            .bind(of.search.as_deref().map(containing).unwrap_or_default())
            .bind(i64::from(after.is_some()));
        let (schema, name) = after.unwrap_or_default();
        let query = query.bind(schema).bind(name).bind(of.limit);
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("list the tables"))?;
        rows.iter().map(item).collect()
    }

    /// Tells whoever watches an organization, once this is committed.
    pub(crate) fn tell(&mut self, organization: &str, news: News) {
        self.news.push((organization.to_owned(), news));
    }
}

fn item(row: &AnyRow) -> Result<TableItem> {
    Ok(TableItem {
        schema: get(row, "schema_name")?,
        name: get(row, "table_name")?,
        kind: get_word(row, "kind")?,
        rows: get(row, "row_estimate")?,
        columns: get(row, "column_count")?,
    })
}
