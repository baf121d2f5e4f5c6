//! Times of schedules: those that have come, and those that wait for their runs.

use std::collections::BTreeMap;

use flowetl_proto::cron::{Cron, Zone};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Pipeline;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::{Cause, Store, Tick, Trigger, commit, doing, from_json, get, get_json, get_word};
use crate::Result;
use crate::schedule::{Decision, State};

/// A schedule whose time has come.
pub(crate) struct Due {
    pub schedule: String,
    pub state: State,
}

/// A time of a schedule, or an event of a trigger, whose run may begin.
#[derive(Debug)]
pub(crate) struct Scheduled {
    pub cause: Cause,
    pub trigger: Trigger,
    pub organization: String,
    /// The id and the newest revision of the stored pipeline; `None` for a transformation.
    pub pipeline: Option<(String, i64)>,
    /// The id of the transformation, if it is one.
    pub transformation: Option<String>,
    /// What its runs know it by.
    pub key: String,
    pub definition: Pipeline,
    pub until: Option<BlockId>,
    /// What its run is told.
    pub params: BTreeMap<String, Value>,
}

/// A time of a transformation's schedule, whose run may begin.
#[derive(Debug)]
pub(crate) struct TransformationTick {
    pub tick: Tick,
    pub organization: String,
    pub transformation: String,
    pub with_upstream: bool,
    pub params: BTreeMap<String, Value>,
}

/// Runs of a pipeline that have not ended.
const BUSY: &str =
    "(select count(*) from run r where r.pipeline = p.key and r.state in ('running', 'failing', 'cancelling'))";

/// Those of a transformation.
const BUSY_TRANSFORMATION: &str = "(select count(*) from run r where r.transformation = s.transformation \
                                   and r.state in ('running', 'failing', 'cancelling'))";

impl Store {
    /// Schedules whose time has come by `now`, those that are latest first.
    pub(crate) async fn due(&self, now: i64, limit: i64) -> Result<Vec<Due>> {
        let select = format!(
            "select s.id, s.cron, s.timezone, s.missed, s.next_at, \
             case when s.pipeline is null then {BUSY_TRANSFORMATION} else {BUSY} end as busy, \
             (select count(*) from tick t where t.schedule = s.id) as waiting \
             from schedule s left join stored_pipeline p on p.id = s.pipeline \
             where s.next_at <= $1 order by s.next_at limit $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(now).bind(limit).fetch_all(&self.pool).await;
        rows.map_err(doing("read the schedules"))?.iter().map(decode_due).collect()
    }

    /// Writes what was decided about schedules, all or nothing. What another process has decided about stays so.
    pub(crate) async fn decide(&self, decided: &[(&Due, Decision)]) -> Result<()> {
        if decided.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for (due, decision) in decided {
            let update = sqlx::query("update schedule set next_at = $1 where id = $2 and next_at = $3");
            let update = update.bind(decision.next_at).bind(due.schedule.clone()).bind(due.state.next_at);
            let done = update.execute(&mut *tx).await.map_err(doing("write a schedule"))?;
            if done.rows_affected() != 1 {
                continue;
            }
            for at in &decision.ticks {
                let insert = "insert into tick (schedule, at, try_at) values ($1, $2, 0) on conflict do nothing";
                let insert = sqlx::query(insert).bind(due.schedule.clone()).bind(*at);
                insert.execute(&mut *tx).await.map_err(doing("write a tick"))?;
            }
        }
        commit(tx).await
    }

    /// Ticks that may be tried at the time `now`, of pipelines that are active and do not run, oldest first.
    pub(crate) async fn ready(&self, now: i64, limit: i64) -> Result<Vec<Scheduled>> {
        let select = format!(
            "select t.schedule, t.at, s.organization, s.until, s.params, p.id as pipeline, p.key, p.revision, v.definition \
             from tick t join schedule s on s.id = t.schedule join stored_pipeline p on p.id = s.pipeline \
             join revision v on v.pipeline = p.id and v.number = p.revision \
             where t.try_at <= $1 and p.status = 'active' and v.definition is not null and {BUSY} = 0 \
             order by t.at, t.schedule limit $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(now).bind(limit).fetch_all(&self.pool).await;
        rows.map_err(doing("read the ticks"))?.iter().map(decode_ready).collect()
    }

    /// Ticks of transformations that may be tried at the time `now` and that do not run, oldest first.
    pub(crate) async fn ready_transformations(&self, now: i64, limit: i64) -> Result<Vec<TransformationTick>> {
        let select = format!(
            "select t.schedule, t.at, s.organization, s.transformation, s.with_upstream, s.params \
             from tick t join schedule s on s.id = t.schedule \
             where t.try_at <= $1 and s.transformation is not null and {BUSY_TRANSFORMATION} = 0 \
             order by t.at, t.schedule limit $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(now).bind(limit).fetch_all(&self.pool).await;
        rows.map_err(doing("read the ticks"))?.iter().map(decode_transformation).collect()
    }

    /// When the next schedule comes.
    pub(crate) async fn next_time(&self) -> Result<Option<i64>> {
        let row = sqlx::query("select min(next_at) as next_at from schedule").fetch_one(&self.pool).await;
        get(&row.map_err(doing("read the schedules"))?, "next_at")
    }

    /// Lets a tick be tried again at the time `try_at`.
    pub(crate) async fn put_off(&self, tick: &Tick, try_at: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = sqlx::query("update tick set try_at = $1 where schedule = $2 and at = $3");
        let update = update.bind(try_at).bind(tick.schedule.clone()).bind(tick.at);
        update.execute(&mut *tx).await.map_err(doing("write a tick"))?;
        commit(tx).await
    }

    /// Takes a tick away whose run can never begin.
    pub(crate) async fn drop_tick(&self, tick: &Tick) -> Result<()> {
        let mut tx = self.begin().await?;
        let delete = sqlx::query("delete from tick where schedule = $1 and at = $2");
        let delete = delete.bind(tick.schedule.clone()).bind(tick.at);
        delete.execute(&mut *tx).await.map_err(doing("write a tick"))?;
        commit(tx).await
    }
}

fn decode_due(row: &AnyRow) -> Result<Due> {
    let state = State {
        cron: get_word::<Cron>(row, "cron")?,
        zone: get_word::<Zone>(row, "timezone")?,
        missed: get_word(row, "missed")?,
        next_at: get(row, "next_at")?,
        waiting: usize::try_from(get::<i64>(row, "waiting")?).unwrap_or_default(),
        is_busy: get::<i64>(row, "busy")? > 0,
    };
    Ok(Due { schedule: get(row, "id")?, state })
}

fn decode_transformation(row: &AnyRow) -> Result<TransformationTick> {
    Ok(TransformationTick {
        tick: Tick { schedule: get(row, "schedule")?, at: get(row, "at")? },
        organization: get(row, "organization")?,
        transformation: get(row, "transformation")?,
        with_upstream: get::<i64>(row, "with_upstream")? != 0,
        params: get_json(row, "params")?.unwrap_or_default(),
    })
}

fn decode_ready(row: &AnyRow) -> Result<Scheduled> {
    Ok(Scheduled {
        cause: Cause::Tick(Tick { schedule: get(row, "schedule")?, at: get(row, "at")? }),
        trigger: Trigger::Schedule,
        organization: get(row, "organization")?,
        pipeline: Some((get(row, "pipeline")?, get(row, "revision")?)),
        transformation: None,
        key: get(row, "key")?,
        definition: from_json("a pipeline", &get::<String>(row, "definition")?)?,
        until: get::<Option<String>>(row, "until")?.map(BlockId::new),
        params: get_json(row, "params")?.unwrap_or_default(),
    })
}
