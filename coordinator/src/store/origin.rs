//! What a run is of, and what began it.

use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{doing, get};
use crate::{Error, Result};

/// Of what and why a run is; nothing of all that for a run of a file that is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub organization: Option<String>,
    /// The id of the stored pipeline.
    pub pipeline: Option<String>,
    pub revision: Option<i64>,
    pub tick: Option<Tick>,
}

/// One time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick {
    pub schedule: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// Uses a tick up. It is there once, and goes in the transaction that lets its run begin.
pub(super) async fn take(tx: &mut Transaction<'static, Any>, tick: Option<&Tick>) -> Result<()> {
    let Some(tick) = tick else { return Ok(()) };
    let delete =
        sqlx::query("delete from tick where schedule = $1 and at = $2").bind(tick.schedule.clone()).bind(tick.at);
    let done = delete.execute(&mut **tx).await.map_err(doing("write a tick"))?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::Ticked { schedule: tick.schedule.clone() }) }
}

pub(super) fn decode(row: &AnyRow) -> Result<Origin> {
    let tick = (get::<Option<String>>(row, "schedule")?).zip(get::<Option<i64>>(row, "tick")?);
    Ok(Origin {
        organization: get(row, "organization")?,
        pipeline: get(row, "stored_pipeline")?,
        revision: get(row, "revision")?,
        tick: tick.map(|(schedule, at)| Tick { schedule, at }),
    })
}
