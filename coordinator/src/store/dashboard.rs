//! What a dashboard counts and shows of one organization, in a handful of statements.

use std::collections::BTreeMap;

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::history::id_at;
use super::{Store, doing, get};
use crate::Result;

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// Things of one sort that need attention, and next times: more than anyone takes in at a look.
const SHOWN_MAX: i64 = 20;

/// How many of each sort there are.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub pipelines: i64,
    pub transformations: i64,
    pub connections: i64,
    /// Those that are active.
    pub schedules: i64,
}

/// Runs that were made within one hour and stand in one state.
#[derive(Debug)]
pub(crate) struct Hourly {
    /// When the hour began.
    pub hour: i64,
    pub state: String,
    pub runs: i64,
}

/// Something that went wrong and was not put right.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// The id of the pipeline or connection.
    pub id: String,
    pub name: String,
    /// The run that failed, if it was one.
    pub run: Option<String>,
    pub message: Option<String>,
    pub at: Option<Timestamp>,
}

/// How an organization's pipelines stand.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// How many stand how: `active`, `paused`, `draft`, or `error` where the newest run of an active one failed.
    pub counted: BTreeMap<String, i64>,
    /// Those whose newest run has failed, the last one first.
    pub failing: Vec<Trouble>,
}

/// The next time of a schedule.
#[derive(Debug)]
pub(crate) struct NextTime {
    pub schedule: String,
    /// The id of the pipeline, or else of the transformation.
    pub pipeline: Option<String>,
    pub transformation: Option<String>,
    pub name: String,
    pub at: Timestamp,
}

impl Store {
    pub(crate) async fn counts(&self, organization: &str) -> Result<Counts> {
        let select = "select (select count(*) from stored_pipeline where organization = $1) as pipelines, \
                      (select count(*) from transformation where organization = $1) as transformations, \
                      (select count(*) from connection where organization = $1) as connections, \
                      (select count(*) from schedule where organization = $1 and is_active = 1) as schedules";
        let row = sqlx::query(select).bind(organization.to_owned()).fetch_one(&self.pool).await;
        let row = row.map_err(doing("count what an organization has"))?;
        Ok(Counts {
            pipelines: get(&row, "pipelines")?,
            transformations: get(&row, "transformations")?,
            connections: get(&row, "connections")?,
            schedules: get(&row, "schedules")?,
        })
    }

    /// Runs made at the time `from` or later, by hour and state.
    pub(crate) async fn hourly(&self, organization: &str, from: i64) -> Result<Vec<Hourly>> {
        let counted = |owner: &str| {
            format!(
                "select created_at / {HOUR_MS} as hour, state, count(*) as runs from run \
                 where {owner} and id >= $2 group by created_at / {HOUR_MS}, state"
            )
        };
        let mut select = counted("organization = $1");
        if self.is_default(organization).await? {
            // The text of the parameter is compared in both halves, so that both databases know its type.
            select = format!("{select} union all {}", counted("organization is null and $1 = $1"));
        }
        let query = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).bind(id_at(from));
        let rows = query.fetch_all(&self.pool).await.map_err(doing("count the runs"))?;
        let decode = |row: &AnyRow| {
            Ok(Hourly { hour: get::<i64>(row, "hour")? * HOUR_MS, state: get(row, "state")?, runs: get(row, "runs")? })
        };
        rows.iter().map(decode).collect()
    }

    /// How pipelines stand, by how the newest run of each does.
    pub(crate) async fn pipeline_health(&self, organization: &str) -> Result<Health> {
        let select = format!(
            "with newest as materialized (select p.id, p.name, p.status, n.newest_run as run, n.newest_state as state \
             from stored_pipeline p left join pipeline n on n.name = p.key where p.organization = $1), \
             failed as (select id, name, run from newest where status = 'active' and state = 'failed' \
             order by run desc limit {SHOWN_MAX}), \
             last as (select f.*, r.error_message, r.finished_at from failed f join run r on r.id = f.run) \
             select case when status = 'active' and state = 'failed' then 'error' else status end as shown, \
             count(*) as pipelines, cast(null as text) as id, cast(null as text) as name, cast(null as text) as run, \
             cast(null as text) as message, cast(null as bigint) as at from newest group by shown \
             union all select cast(null as text), 0, id, name, run, error_message, finished_at from last order by run desc"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).fetch_all(&self.pool).await;
        let mut health = Health::default();
        for row in &rows.map_err(doing("count the pipelines"))? {
            match get::<Option<String>>(row, "shown")? {
                Some(shown) => drop(health.counted.insert(shown, get(row, "pipelines")?)),
                None => health.failing.push(troubled(row)?),
            }
        }
        Ok(health)
    }

    /// Connections whose last test has failed, the last one first.
    pub(crate) async fn failing_connections(&self, organization: &str) -> Result<Vec<Trouble>> {
        let select = format!(
            "select id, name, cast(null as text) as run, last_test_message as message, last_tested_at as at \
             from connection where organization = $1 and last_test_status = 'failed' \
             order by last_tested_at desc limit {SHOWN_MAX}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).fetch_all(&self.pool).await;
        rows.map_err(doing("list the connections"))?.iter().map(troubled).collect()
    }

    /// What comes next by itself.
    pub(crate) async fn next_times(&self, organization: &str, limit: i64) -> Result<Vec<NextTime>> {
        let select = "select s.id, s.pipeline, s.transformation, coalesce(p.name, t.name) as name, s.next_at \
                      from schedule s left join stored_pipeline p on p.id = s.pipeline \
                      left join transformation t on t.id = s.transformation \
                      where s.organization = $1 and s.next_at is not null and coalesce(p.status, 'active') = 'active' \
                      order by s.next_at, s.id limit $2";
        let rows = sqlx::query(select).bind(organization.to_owned()).bind(limit).fetch_all(&self.pool).await;
        let decode = |row: &AnyRow| {
            Ok(NextTime {
                schedule: get(row, "id")?,
                pipeline: get(row, "pipeline")?,
                transformation: get(row, "transformation")?,
                name: get(row, "name")?,
                at: Timestamp(get(row, "next_at")?),
            })
        };
        rows.map_err(doing("list the schedules"))?.iter().map(decode).collect()
    }

    /// The runs of an organization that an executor works for now.
    pub(crate) async fn runs_on(&self, organization: &str, executor: &str) -> Result<Vec<String>> {
        let select = "select distinct run.id from run join attempt a on a.run = run.id \
                      where run.state in ('running', 'failing', 'cancelling') and a.executor = $2 \
                      and a.state in ('running', 'committing') and coalesce(run.organization, \
                      (select default_organization from installation where id = 1)) = $1 order by run.id";
        let query = sqlx::query(select).bind(organization.to_owned()).bind(executor.to_owned());
        let rows = query.fetch_all(&self.pool).await.map_err(doing("list the runs"))?;
        rows.iter().map(|row| get(row, "id")).collect()
    }
}

fn troubled(row: &AnyRow) -> Result<Trouble> {
    Ok(Trouble {
        id: get(row, "id")?,
        name: get(row, "name")?,
        run: get(row, "run")?,
        message: get(row, "message")?,
        at: get::<Option<i64>>(row, "at")?.map(Timestamp),
    })
}
