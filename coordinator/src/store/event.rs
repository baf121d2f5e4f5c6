//! The append-only log of a run.

use flowetl_proto::id::RunId;
use flowetl_proto::run::RunEvent;
use sqlx::{Any, Transaction};

use super::{Store, doing, from_json, get, to_json};
use crate::Result;

impl Store {
    /// In the order they happened.
    pub(crate) async fn events(&self, run: &RunId) -> Result<Vec<RunEvent>> {
        let rows = sqlx::query("select seq, at, kind, detail from event where run = $1 order by seq")
            .bind(run.as_str().to_owned())
            .fetch_all(&self.pool)
            .await
            .map_err(doing("read the events"))?;
        let decode = |row| {
            Ok(RunEvent {
                seq: get(row, "seq")?,
                at: get(row, "at")?,
                kind: get(row, "kind")?,
                detail: from_json("an event", &get::<String>(row, "detail")?)?,
            })
        };
        rows.iter().map(decode).collect()
    }
}

pub(super) async fn insert(tx: &mut Transaction<'static, Any>, run: &RunId, event: &RunEvent) -> Result<()> {
    sqlx::query("insert into event (run, seq, at, kind, detail) values ($1, $2, $3, $4, $5)")
        .bind(run.as_str().to_owned())
        .bind(event.seq)
        .bind(event.at)
        .bind(event.kind.clone())
        .bind(to_json("an event", &event.detail)?)
        .execute(&mut **tx)
        .await
        .map_err(doing("write an event"))?;
    Ok(())
}
