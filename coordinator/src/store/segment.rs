//! Segments of runs.

use flowetl_proto::control::Segment;
use flowetl_proto::id::{RunId, Token};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Store, doing, from_json, get, to_json};
use crate::Result;

/// One segment of a run as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SegmentRow {
    pub place: i64,
    pub spec: Segment,
    pub state: String,
    pub failures: i64,
    pub next_try_at: Option<i64>,
    pub winner: Option<Token>,
}

impl Store {
    /// In topological order.
    pub(super) async fn segments(&self, run: &RunId) -> Result<Vec<SegmentRow>> {
        let rows = sqlx::query("select * from segment where run = $1 order by place").bind(run.as_str().to_owned());
        rows.fetch_all(&self.pool).await.map_err(doing("read the segments"))?.iter().map(decode).collect()
    }
}

pub(super) async fn put(tx: &mut Transaction<'static, Any>, run: &RunId, segment: &SegmentRow) -> Result<()> {
    let upsert = "insert into segment (run, id, place, spec, state, failures, next_try_at, winner) \
                  values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (run, id) do update set \
                  state = excluded.state, failures = excluded.failures, next_try_at = excluded.next_try_at, \
                  winner = excluded.winner";
    sqlx::query(upsert)
        .bind(run.as_str().to_owned())
        .bind(segment.spec.id.as_str().to_owned())
        .bind(segment.place)
        .bind(to_json("a segment", &segment.spec)?)
        .bind(segment.state.clone())
        .bind(segment.failures)
        .bind(segment.next_try_at)
        .bind(segment.winner.map(|t| t.0))
        .execute(&mut **tx)
        .await
        .map_err(doing("write a segment"))?;
    Ok(())
}

fn decode(row: &AnyRow) -> Result<SegmentRow> {
    Ok(SegmentRow {
        place: get(row, "place")?,
        spec: from_json("a segment", &get::<String>(row, "spec")?)?,
        state: get(row, "state")?,
        failures: get(row, "failures")?,
        next_try_at: get(row, "next_try_at")?,
        winner: get::<Option<i64>>(row, "winner")?.map(Token),
    })
}
