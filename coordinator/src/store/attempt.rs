//! Attempts at segments.

use std::collections::BTreeMap;

use flowetl_proto::code::Failure;
use flowetl_proto::control::{Cost, Meter, Prepared};
use flowetl_proto::id::{BlockId, RunId, SegmentId, Token};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Store, doing, get, get_json, to_json};
use crate::Result;

/// One attempt as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AttemptRow {
    pub token: Token,
    pub segment: SegmentId,
    /// 1 for a segment's first.
    pub number: i64,
    pub state: String,
    /// The id of the executor that works on it; `None` where that is the coordinator's own process.
    pub executor: Option<String>,
    pub failure: Option<Failure>,
    pub prepared: Option<Prepared>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub cost: Cost,
    /// What its blocks had counted when this was written; empty where `prepared` says it.
    pub counted: BTreeMap<BlockId, Meter>,
    pub discarded: bool,
}

impl Store {
    /// In the order they were started.
    pub(crate) async fn attempts(&self, run: &RunId) -> Result<Vec<AttemptRow>> {
        let rows = sqlx::query("select * from attempt where run = $1 order by token").bind(run.as_str().to_owned());
        rows.fetch_all(&self.pool).await.map_err(doing("read the attempts"))?.iter().map(decode).collect()
    }
}

pub(super) async fn put(tx: &mut Transaction<'static, Any>, run: &RunId, attempt: &AttemptRow) -> Result<()> {
    let upsert = "insert into attempt (token, run, segment, number, state, failure, prepared, started_at, ended_at, \
                  discarded, cpu_ms, peak_bytes, executor, counted) \
                  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (token) do update set \
                  state = excluded.state, failure = excluded.failure, prepared = excluded.prepared, \
                  ended_at = excluded.ended_at, discarded = excluded.discarded, cpu_ms = excluded.cpu_ms, \
                  peak_bytes = excluded.peak_bytes, executor = excluded.executor, counted = excluded.counted";
    let counted = Some(&attempt.counted).filter(|counted| !counted.is_empty());
    sqlx::query(upsert)
        .bind(attempt.token.0)
        .bind(run.as_str().to_owned())
        .bind(attempt.segment.as_str().to_owned())
        .bind(attempt.number)
        .bind(attempt.state.clone())
        .bind(attempt.failure.as_ref().map(|f| to_json("a failure", f)).transpose()?)
        .bind(attempt.prepared.as_ref().map(|p| to_json("what an attempt prepared", p)).transpose()?)
        .bind(attempt.started_at)
        .bind(attempt.ended_at)
        .bind(i64::from(attempt.discarded))
        .bind(i64::try_from(attempt.cost.cpu_ms).unwrap_or(i64::MAX))
        .bind(i64::try_from(attempt.cost.peak_bytes).unwrap_or(i64::MAX))
        .bind(attempt.executor.clone())
        .bind(counted.map(|counted| to_json("what an attempt counted", counted)).transpose()?)
        .execute(&mut **tx)
        .await
        .map_err(doing("write an attempt"))?;
    Ok(())
}

fn decode(row: &AnyRow) -> Result<AttemptRow> {
    let count = |column| get::<i64>(row, column).map(|n| u64::try_from(n).unwrap_or_default());
    Ok(AttemptRow {
        token: Token(get(row, "token")?),
        segment: SegmentId::new(get::<String>(row, "segment")?),
        number: get(row, "number")?,
        state: get(row, "state")?,
        executor: get(row, "executor")?,
        failure: get_json(row, "failure")?,
        prepared: get_json(row, "prepared")?,
        started_at: get(row, "started_at")?,
        ended_at: get(row, "ended_at")?,
        cost: Cost { cpu_ms: count("cpu_ms")?, peak_bytes: count("peak_bytes")? },
        counted: get_json(row, "counted")?.unwrap_or_default(),
        discarded: get::<i64>(row, "discarded")? != 0,
    })
}
