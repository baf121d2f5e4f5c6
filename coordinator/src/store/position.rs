//! Where the next incremental read of each block starts.

use std::collections::BTreeMap;

use flowetl_proto::control::Position;
use flowetl_proto::id::{BlockId, RunId};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Store, commit, doing, from_json, get, to_json};
use crate::Result;

/// One stored position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRow {
    pub pipeline: String,
    pub block: BlockId,
    #[serde(flatten)]
    pub position: Position,
    /// The run that moved it; `None` where a person did.
    pub run: Option<RunId>,
    /// Milliseconds since 1970.
    pub moved_at: i64,
}

impl Store {
    /// The positions of one pipeline, or of all.
    pub(crate) async fn positions(&self, pipeline: Option<&str>) -> Result<Vec<PositionRow>> {
        let rows = match pipeline {
            Some(name) => {
                let query = "select * from source_position where pipeline = $1 order by block";
                sqlx::query(query).bind(name.to_owned()).fetch_all(&self.pool).await
            }
            None => sqlx::query("select * from source_position order by pipeline, block").fetch_all(&self.pool).await,
        };
        rows.map_err(doing("read the positions"))?.iter().map(decode).collect()
    }

    pub(crate) async fn starts(&self, pipeline: &str) -> Result<BTreeMap<BlockId, Position>> {
        Ok(self.positions(Some(pipeline)).await?.into_iter().map(|row| (row.block, row.position)).collect())
    }

    /// Sets a position by hand; `None` makes the next run read from the beginning.
    pub(crate) async fn set_position(
        &self,
        pipeline: &str,
        block: &BlockId,
        position: Option<&Position>,
        now: i64,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        match position {
            Some(position) => put(&mut tx, pipeline, block, position, None, now).await?,
            None => {
                sqlx::query("delete from source_position where pipeline = $1 and block = $2")
                    .bind(pipeline.to_owned())
                    .bind(block.as_str().to_owned())
                    .execute(&mut *tx)
                    .await
                    .map_err(doing("remove a position"))?;
            }
        }
        commit(tx).await
    }
}

pub(super) async fn put(
    tx: &mut Transaction<'static, Any>,
    pipeline: &str,
    block: &BlockId,
    position: &Position,
    run: Option<&RunId>,
    now: i64,
) -> Result<()> {
    let upsert = "insert into source_position (pipeline, block, position, run, moved_at) values ($1, $2, $3, $4, $5) \
                  on conflict (pipeline, block) do update set \
                  position = excluded.position, run = excluded.run, moved_at = excluded.moved_at";
    sqlx::query(upsert)
        .bind(pipeline.to_owned())
        .bind(block.as_str().to_owned())
        .bind(to_json("a position", position)?)
        .bind(run.map(|r| r.as_str().to_owned()))
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(doing("write a position"))?;
    Ok(())
}

fn decode(row: &AnyRow) -> Result<PositionRow> {
    Ok(PositionRow {
        pipeline: get(row, "pipeline")?,
        block: BlockId::new(get::<String>(row, "block")?),
        position: from_json("a position", &get::<String>(row, "position")?)?,
        run: get::<Option<String>>(row, "run")?.map(RunId::new),
        moved_at: get(row, "moved_at")?,
    })
}
