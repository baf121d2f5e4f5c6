//! What each extract read last: the columns of its source, as Arrow schemas in JSON.

use std::collections::BTreeMap;

use flowetl_proto::id::{BlockId, RunId};
use serde_json::Value;
use sqlx::{Any, Transaction};

use super::{Store, doing, from_json, get, to_json};
use crate::Result;

impl Store {
    pub(crate) async fn schemas(&self, pipeline: &str) -> Result<BTreeMap<BlockId, Value>> {
        let query =
            sqlx::query("select block, columns from source_schema where pipeline = $1").bind(pipeline.to_owned());
        let rows = query.fetch_all(&self.pool).await.map_err(doing("read the sources' schemas"))?;
        let decode = |row| {
            let block = BlockId::new(get::<String>(row, "block")?);
            Ok((block, from_json("a source's schema", &get::<String>(row, "columns")?)?))
        };
        rows.iter().map(decode).collect()
    }
}

pub(super) async fn put(
    tx: &mut Transaction<'static, Any>,
    pipeline: &str,
    block: &BlockId,
    schema: &Value,
    run: &RunId,
    now: i64,
) -> Result<()> {
    let upsert = "insert into source_schema (pipeline, block, columns, run, read_at) values ($1, $2, $3, $4, $5) \
                  on conflict (pipeline, block) do update set \
                  columns = excluded.columns, run = excluded.run, read_at = excluded.read_at";
    sqlx::query(upsert)
        .bind(pipeline.to_owned())
        .bind(block.as_str().to_owned())
        .bind(to_json("a source's schema", schema)?)
        .bind(run.as_str().to_owned())
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(doing("write a source's schema"))?;
    Ok(())
}
