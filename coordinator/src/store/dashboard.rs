//! What a dashboard counts and shows of one organization, in a handful of statements.

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
    /// Blocks of pipelines that compute, in the engine or inside a database.
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

/// A pipeline with its newest run.
const NEWEST: &str = "from stored_pipeline p left join run r on r.id = (select max(n.id) from run n where n.pipeline = p.key) \
                      where p.organization = $1";

impl Store {
    pub(crate) async fn counts(&self, organization: &str) -> Result<Counts> {
        // Each kind is found as often as its text goes missing when it is taken away.
        let found = |kind: &str| {
            let text = format!("\"kind\":\"{kind}\"");
            format!("(length(v.definition) - length(replace(v.definition, '{text}', ''))) / {}", text.len())
        };
        let select = format!(
            "select (select count(*) from stored_pipeline where organization = $1) as pipelines, \
             (select count(*) from connection where organization = $1) as connections, \
             (select count(*) from schedule where organization = $1 and is_active = 1) as schedules, \
             cast((select coalesce(sum({} + {}), 0) from stored_pipeline p join revision v \
             on v.pipeline = p.id and v.number = p.revision where p.organization = $1) as bigint) as transformations",
            found("sql"),
            found("in_database")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).fetch_one(&self.pool).await;
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

    /// How many pipelines stand how: `active`, `paused`, `draft`, or `error` where the newest run of an active one failed.
    pub(crate) async fn pipeline_health(&self, organization: &str) -> Result<Vec<(String, i64)>> {
        let select = format!(
            "select shown, count(*) as pipelines from (select case when p.status = 'active' and r.state = 'failed' \
             then 'error' else p.status end as shown {NEWEST}) s group by shown order by shown"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).fetch_all(&self.pool).await;
        let rows = rows.map_err(doing("count the pipelines"))?;
        rows.iter().map(|row| Ok((get(row, "shown")?, get(row, "pipelines")?))).collect()
    }

    /// Pipelines whose newest run has failed, the last one first.
    pub(crate) async fn failing_pipelines(&self, organization: &str) -> Result<Vec<Trouble>> {
        let select = format!(
            "select p.id, p.name, r.id as run, r.error_message as message, r.finished_at as at {NEWEST} \
             and p.status = 'active' and r.state = 'failed' order by r.id desc limit {SHOWN_MAX}"
        );
        self.troubled(select, organization, "list the pipelines").await
    }

    /// Connections whose last test has failed, the last one first.
    pub(crate) async fn failing_connections(&self, organization: &str) -> Result<Vec<Trouble>> {
        let select = format!(
            "select id, name, cast(null as text) as run, last_test_message as message, last_tested_at as at \
             from connection where organization = $1 and last_test_status = 'failed' \
             order by last_tested_at desc limit {SHOWN_MAX}"
        );
        self.troubled(select, organization, "list the connections").await
    }

    async fn troubled(&self, select: String, organization: &str, what: &'static str) -> Result<Vec<Trouble>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).fetch_all(&self.pool).await;
        let decode = |row: &AnyRow| {
            Ok(Trouble {
                id: get(row, "id")?,
                name: get(row, "name")?,
                run: get(row, "run")?,
                message: get(row, "message")?,
                at: get::<Option<i64>>(row, "at")?.map(Timestamp),
            })
        };
        rows.map_err(doing(what))?.iter().map(decode).collect()
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
