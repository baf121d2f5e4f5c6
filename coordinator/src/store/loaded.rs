//! Tables that runs have made visible: the last load of each is remembered.

use flowetl_proto::id::RunId;
use sqlx::{Any, Transaction};

use super::doing;
use crate::{Result, clock};

/// A table, as a load or SQL in a database has made it visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// By the name that the pipeline has for it.
    pub connection: String,
    pub schema: Option<String>,
    pub table: String,
    /// How many were written; `None` where the database has made the table by itself.
    pub rows: Option<u64>,
}

/// Remembers a table that a run has made visible; of a run that nobody's organization owns nothing is remembered.
pub(super) async fn put(tx: &mut Transaction<'static, Any>, run: &RunId, loaded: &Loaded, now: i64) -> Result<()> {
    let insert = "insert into loaded_table (id, organization, connection, schema_name, table_name, pipeline, \
                  stored_pipeline, run, row_count, loaded_at) \
                  select $1, o.id, $2, $3, $4, r.pipeline, r.stored_pipeline, r.id, $5, $6 \
                  from run r join organization o on o.id = coalesce(r.organization, \
                  (select default_organization from installation where id = 1)) where r.id = $7 \
                  on conflict (organization, connection, schema_name, table_name) do update set \
                  pipeline = excluded.pipeline, stored_pipeline = excluded.stored_pipeline, run = excluded.run, \
                  row_count = excluded.row_count, loaded_at = excluded.loaded_at";
    sqlx::query(insert)
        .bind(clock::new_id())
        .bind(loaded.connection.clone())
        .bind(loaded.schema.clone().unwrap_or_default())
        .bind(loaded.table.clone())
        .bind(loaded.rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)))
        .bind(now)
        .bind(run.as_str().to_owned())
        .execute(&mut **tx)
        .await
        .map_err(doing("remember a loaded table"))?;
    Ok(())
}
