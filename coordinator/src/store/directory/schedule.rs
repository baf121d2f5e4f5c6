//! Schedules, as people make and change them.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use super::stored_pipeline::last_run;
use crate::Result;
use crate::schedule::{ListedSchedule, Schedule, Target};
use crate::store::{doing, get, get_json, get_word, to_json};

const LISTED: &str = "select s.*, coalesce(p.name, t.name) as target_name, r.id as run_id, r.state as run_state, \
                      r.started_at as run_started_at, r.finished_at as run_finished_at, \
                      (select count(*) from tick k where k.schedule = s.id) as waiting \
                      from schedule s left join stored_pipeline p on p.id = s.pipeline \
                      left join transformation t on t.id = s.transformation \
                      left join run r on r.id = (select n.id from run n where n.schedule = s.id order by n.tick desc limit 1)";

impl Directory {
    /// Oldest first, those behind the id `after`; of one pipeline or transformation, unless that is empty.
    pub(crate) async fn schedules(
        &mut self,
        organization: &str,
        target: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ListedSchedule>> {
        let select = format!(
            "{LISTED} where s.organization = $1 and ($2 = '' or coalesce(s.pipeline, s.transformation) = $2) \
             and s.id > $3 order by s.id limit $4"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).bind(target.to_owned());
        let rows = query.bind(after.to_owned()).bind(limit).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the schedules"))?.iter().map(decode_listed).collect()
    }

    pub(crate) async fn schedule(&mut self, organization: &str, id: &str) -> Result<Option<ListedSchedule>> {
        let select = sqlx::AssertSqlSafe(format!("{LISTED} where s.organization = $1 and s.id = $2"));
        let row = sqlx::query(select).bind(organization.to_owned()).bind(id.to_owned());
        let row = row.fetch_optional(&mut *self.line).await.map_err(doing("read a schedule"))?;
        row.as_ref().map(decode_listed).transpose()
    }

    /// That which stands in the pipeline's file.
    pub(crate) async fn schedule_of_file(&mut self, pipeline: &str) -> Result<Option<Schedule>> {
        let query = sqlx::query("select * from schedule where pipeline = $1 and of_file = 1").bind(pipeline.to_owned());
        let row = query.fetch_optional(&mut *self.line).await.map_err(doing("read a schedule"))?;
        row.as_ref().map(decode).transpose()
    }

    /// How many a pipeline or a transformation has.
    pub(crate) async fn count_schedules(&mut self, target: &Target) -> Result<i64> {
        let query = match target {
            Target::Pipeline(_) => "select count(*) as schedules from schedule where pipeline = $1",
            Target::Transformation { .. } => "select count(*) as schedules from schedule where transformation = $1",
        };
        let row = sqlx::query(query).bind(target.id().to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the schedules"))?, "schedules")
    }

    /// Writes a schedule: a new one, or one as it is from now on.
    pub(crate) async fn put_schedule(&mut self, schedule: &Schedule) -> Result<()> {
        let (pipeline, transformation) = match &schedule.target {
            Target::Pipeline(id) => (Some(id.clone()), None),
            Target::Transformation { id, .. } => (None, Some(id.clone())),
        };
        let upsert = "insert into schedule (id, organization, pipeline, transformation, with_upstream, cron, timezone, missed, \
                      until, is_active, of_file, next_at, created_at, updated_at, params) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict (id) do update set with_upstream = excluded.with_upstream, cron = excluded.cron, timezone = excluded.timezone, \
                      missed = excluded.missed, until = excluded.until, is_active = excluded.is_active, \
                      next_at = excluded.next_at, updated_at = excluded.updated_at, params = excluded.params";
        sqlx::query(upsert)
            .bind(schedule.id.clone())
            .bind(schedule.organization.clone())
            .bind(pipeline)
            .bind(transformation)
            .bind(i64::from(schedule.target.with_upstream()))
            .bind(schedule.cron.clone())
            .bind(schedule.timezone.clone())
            .bind(schedule.missed.as_str())
            .bind(schedule.until.clone())
            .bind(i64::from(schedule.is_active))
            .bind(i64::from(schedule.of_file))
            .bind(schedule.next_at.map(|at| at.0))
            .bind(schedule.created_at.0)
            .bind(schedule.updated_at.0)
            .bind(to_json("a schedule's parameters", &schedule.params)?)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a schedule"))?;
        Ok(())
    }

    /// Forgets the times that wait for their runs.
    pub(crate) async fn clear_ticks(&mut self, schedule: &str) -> Result<()> {
        let delete = sqlx::query("delete from tick where schedule = $1").bind(schedule.to_owned());
        delete.execute(&mut *self.line).await.map_err(doing("write a tick"))?;
        Ok(())
    }

    pub(crate) async fn remove_schedule(&mut self, schedule: &str) -> Result<()> {
        self.clear_ticks(schedule).await?;
        let delete = sqlx::query("delete from schedule where id = $1").bind(schedule.to_owned());
        delete.execute(&mut *self.line).await.map_err(doing("remove a schedule"))?;
        Ok(())
    }
}

fn decode_listed(row: &AnyRow) -> Result<ListedSchedule> {
    let (target, waiting) = (get(row, "target_name")?, get(row, "waiting")?);
    Ok(ListedSchedule { schedule: decode(row)?, target, waiting, last_run: last_run(row)? })
}

fn decode(row: &AnyRow) -> Result<Schedule> {
    let target = match get::<Option<String>>(row, "pipeline")? {
        Some(id) => Target::Pipeline(id),
        None => Target::Transformation {
            id: get(row, "transformation")?,
            with_upstream: get::<i64>(row, "with_upstream")? != 0,
        },
    };
    Ok(Schedule {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        target,
        cron: get(row, "cron")?,
        timezone: get(row, "timezone")?,
        missed: get_word(row, "missed")?,
        until: get(row, "until")?,
        params: get_json(row, "params")?.unwrap_or_default(),
        is_active: get::<i64>(row, "is_active")? != 0,
        of_file: get::<i64>(row, "of_file")? != 0,
        next_at: get::<Option<i64>>(row, "next_at")?.map(Timestamp),
        created_at: Timestamp(get(row, "created_at")?),
        updated_at: Timestamp(get(row, "updated_at")?),
    })
}
