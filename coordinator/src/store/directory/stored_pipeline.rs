//! Pipelines that are kept for organizations.

use std::collections::BTreeMap;

use flowetl_proto::run::{Phase, Timestamp};
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::pipelines::{LastRun, Listed, Status, StoredPipeline};
use crate::store::{containing, doing, from_json, get, get_json, get_word, to_json};

/// Which pipelines of an organization, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct PipelineQuery {
    pub organization: String,
    /// Only the one of this id, if it is not empty.
    pub id: String,
    /// In the name or the description, whatever the case.
    pub search: String,
    /// In any of these; in any at all where there are none.
    pub statuses: Vec<Status>,
    /// Behind this name.
    pub after: String,
    pub limit: i64,
}

/// Keys that are asked for at once, below what SQLite binds.
const KEYS_MAX: usize = 500;
/// How a pipeline stands, with its newest run in sight.
const STATUS: &str = "case when p.status = 'active' and n.newest_state = 'failed' then 'error' else p.status end";

impl Directory {
    /// By name.
    pub(crate) async fn stored_pipelines(&mut self, query: &PipelineQuery) -> Result<Vec<Listed>> {
        let words: Vec<_> = query.statuses.iter().map(|status| format!("'{}'", status.as_str())).collect();
        let is_wanted = match words.is_empty() {
            true => String::new(),
            false => format!("and {STATUS} in ({})", words.join(", ")),
        };
        // The page is found first, so that what stands beside each is looked up for no other.
        let select = format!(
            "with page as materialized (select p.*, {STATUS} as shown, n.newest_run \
             from stored_pipeline p left join pipeline n on n.name = p.key \
             where p.organization = $1 and p.name > $2 and ($3 = '' or p.id = $3) \
             and (lower(p.name) like $4 escape '\\' or lower(coalesce(p.description, '')) like $4 escape '\\') \
             {is_wanted} order by p.name limit $5) \
             select p.*, v.definition, r.id as run_id, r.state as run_state, r.started_at as run_started_at, \
             r.finished_at as run_finished_at, \
             (select min(s.next_at) from schedule s where s.pipeline = p.id) as next_at, \
             (select min(s.cron) from schedule s where s.pipeline = p.id and s.of_file = 1) as cron \
             from page p left join run r on r.id = p.newest_run \
             left join revision v on v.pipeline = p.id and v.number = p.revision order by p.name"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select))
            .bind(query.organization.clone())
            .bind(query.after.clone())
            .bind(query.id.clone())
            .bind(containing(&query.search))
            .bind(query.limit)
            .fetch_all(&mut *self.line)
            .await;
        rows.map_err(doing("list the pipelines"))?.iter().map(decode_listed).collect()
    }

    /// The newest runs of each of these keys, newest first, `limit` of each at most.
    pub(crate) async fn recent_runs(&mut self, keys: &[String], limit: i64) -> Result<BTreeMap<String, Vec<LastRun>>> {
        let mut found = BTreeMap::<String, Vec<LastRun>>::new();
        for keys in keys.chunks(KEYS_MAX) {
            // The first run of each is found first, so that no index is read further than it must be; and all of one come in one
            // text, since hundreds of rows take longer to hand over than to find.
            let values: Vec<_> = (2..keys.len() + 2).map(|number| format!("(${number})")).collect();
            let select = format!(
                "with asked (name) as (values {}), since as materialized (select a.name, coalesce((select n.id from run n \
                 where n.pipeline = a.name order by n.id desc limit 1 offset $1), '') as first from asked a) \
                 select s.name, (select string_agg(r.id || ' ' || r.state || ' ' || r.started_at || ' ' || \
                 coalesce(cast(r.finished_at as text), ''), ',' order by r.id desc) \
                 from run r where r.pipeline = s.name and r.id >= s.first) as runs from since s",
                values.join(", ")
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(select)).bind(limit - 1);
            let query = keys.iter().fold(query, |query, key| query.bind(key.clone()));
            let rows = query.fetch_all(&mut *self.line).await.map_err(doing("list the newest runs"))?;
            for row in &rows {
                let runs: Option<String> = get(row, "runs")?;
                let runs = runs.iter().flat_map(|runs| runs.split(',')).map(told_run).collect::<Result<_>>()?;
                found.insert(get(row, "name")?, runs);
            }
        }
        Ok(found)
    }

    /// That of an id, if it is the organization's.
    pub(crate) async fn stored_pipeline(&mut self, organization: &str, id: &str) -> Result<Option<StoredPipeline>> {
        let query = sqlx::query("select * from stored_pipeline where organization = $1 and id = $2");
        let row = query.bind(organization.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a pipeline"))?.as_ref().map(decode).transpose()
    }

    pub(crate) async fn pipeline_of_name(&mut self, organization: &str, name: &str) -> Result<Option<StoredPipeline>> {
        let query = sqlx::query("select * from stored_pipeline where organization = $1 and name = $2");
        let row = query.bind(organization.to_owned()).bind(name.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a pipeline"))?.as_ref().map(decode).transpose()
    }

    /// False where its name is another's in the organization, or its key anyone's.
    pub(crate) async fn add_stored_pipeline(&mut self, pipeline: &StoredPipeline) -> Result<bool> {
        let insert = "insert into stored_pipeline (id, organization, name, key, status, description, revision, layout, \
                      created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing";
        let done = sqlx::query(insert)
            .bind(pipeline.id.clone())
            .bind(pipeline.organization.clone())
            .bind(pipeline.name.clone())
            .bind(pipeline.key.clone())
            .bind(pipeline.standing.as_str())
            .bind(pipeline.description.clone())
            .bind(pipeline.revision)
            .bind(to_json("a layout", &pipeline.layout)?)
            .bind(pipeline.created_at.0)
            .bind(pipeline.updated_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a pipeline"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes what may change of a pipeline, if its newest revision is still `from`. False where it is not, or where the
    /// name is another's by now.
    pub(crate) async fn change_stored_pipeline(&mut self, pipeline: &StoredPipeline, from: i64) -> Result<bool> {
        let update = "update stored_pipeline set name = $1, status = $2, description = $3, revision = $4, layout = $5, \
                      updated_at = $6 where id = $7 and revision = $8 and not exists (select 1 from stored_pipeline o \
                      where o.organization = stored_pipeline.organization and o.name = $1 and o.id <> $7)";
        let done = sqlx::query(update)
            .bind(pipeline.name.clone())
            .bind(pipeline.standing.as_str())
            .bind(pipeline.description.clone())
            .bind(pipeline.revision)
            .bind(to_json("a layout", &pipeline.layout)?)
            .bind(pipeline.updated_at.0)
            .bind(pipeline.id.clone())
            .bind(from)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a pipeline"))?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn count_pipelines(&mut self, organization: &str) -> Result<i64> {
        let query = sqlx::query("select count(*) as pipelines from stored_pipeline where organization = $1");
        let row = query.bind(organization.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the pipelines"))?, "pipelines")
    }

    /// Says how old the newest success may be. Where that is another age than before, it is judged anew whether it is too old.
    pub(crate) async fn set_freshness(&mut self, pipeline: &StoredPipeline, fresh_ms: Option<i64>) -> Result<()> {
        let update =
            "update stored_pipeline set fresh_ms = $1 where id = $2 and coalesce(fresh_ms, -1) <> coalesce($1, -1)";
        let update = sqlx::query(update).bind(fresh_ms).bind(pipeline.id.clone()).execute(&mut *self.line).await;
        if update.map_err(doing("write a pipeline"))?.rows_affected() == 1 {
            let delete = sqlx::query("delete from trouble where pipeline = $1 and event = 'stale'");
            let done = delete.bind(pipeline.key.clone()).execute(&mut *self.line).await;
            done.map_err(doing("write a pipeline"))?;
        }
        Ok(())
    }

    /// Whether a run of the pipeline has not ended.
    pub(crate) async fn is_pipeline_running(&mut self, key: &str) -> Result<bool> {
        let query =
            "select count(*) as runs from run where pipeline = $1 and state in ('running', 'failing', 'cancelling')";
        let row = sqlx::query(query).bind(key.to_owned()).fetch_one(&mut *self.line).await;
        Ok(get::<i64>(&row.map_err(doing("read a run"))?, "runs")? > 0)
    }

    /// Removes a pipeline with its revisions, its schedules, and what it remembers of its sources. Its runs stay, as history.
    pub(crate) async fn remove_stored_pipeline(&mut self, pipeline: &StoredPipeline) -> Result<()> {
        let by_id = [
            "delete from tick where schedule in (select id from schedule where pipeline = $1)",
            "delete from schedule where pipeline = $1",
            "delete from firing where start_trigger in (select id from start_trigger where pipeline = $1)",
            "delete from dependency where start_trigger in (select id from start_trigger where pipeline = $1)",
            "delete from file_watch where start_trigger in (select id from start_trigger where pipeline = $1)",
            "delete from start_trigger where pipeline = $1",
            // What had waited for it too would fire with less than was asked for.
            "update start_trigger set is_active = 0 where id in (select start_trigger from dependency where upstream_id = $1)",
            "delete from dependency where upstream_id = $1",
            "delete from revision where pipeline = $1",
            "delete from stored_pipeline where id = $1",
        ];
        let by_key = [
            "delete from source_position where pipeline = $1",
            "delete from source_schema where pipeline = $1",
            "delete from trouble where pipeline = $1",
        ];
        let deletes = by_id.map(|delete| (delete, &pipeline.id)).into_iter();
        for (delete, name) in deletes.chain(by_key.map(|delete| (delete, &pipeline.key))) {
            let done = sqlx::query(delete).bind(name.clone()).execute(&mut *self.line).await;
            done.map_err(doing("remove a pipeline"))?;
        }
        Ok(())
    }
}

/// The run that a row tells of beside its own, in columns that begin with `run_`.
pub(super) fn last_run(row: &AnyRow) -> Result<Option<LastRun>> {
    let Some(id) = get::<Option<String>>(row, "run_id")? else { return Ok(None) };
    Ok(Some(LastRun {
        id,
        state: phase(&get::<String>(row, "run_state")?)?,
        started_at: Timestamp(get(row, "run_started_at")?),
        finished_at: get::<Option<i64>>(row, "run_finished_at")?.map(Timestamp),
    }))
}

/// A run as its id, its state, its start and its end, if it has ended, with blanks between.
fn told_run(text: &str) -> Result<LastRun> {
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap_or_default();
    Ok(LastRun {
        id: word().to_owned(),
        state: phase(word())?,
        started_at: moment(word())?,
        finished_at: Some(word()).filter(|end| !end.is_empty()).map(moment).transpose()?,
    })
}

fn moment(word: &str) -> Result<Timestamp> {
    from_json("a run's time", word).map(Timestamp)
}

fn phase(word: &str) -> Result<Phase> {
    from_json("a run's state", &format!("\"{word}\""))
}

fn decode_listed(row: &AnyRow) -> Result<Listed> {
    Ok(Listed {
        pipeline: decode(row)?,
        definition: get_json(row, "definition")?,
        status: get_word(row, "shown")?,
        last_run: last_run(row)?,
        next_at: get::<Option<i64>>(row, "next_at")?.map(Timestamp),
        cron: get(row, "cron")?,
        succeeded_at: get::<Option<i64>>(row, "succeeded_at")?.map(Timestamp),
        fresh_ms: get(row, "fresh_ms")?,
    })
}

fn decode(row: &AnyRow) -> Result<StoredPipeline> {
    Ok(StoredPipeline {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        name: get(row, "name")?,
        key: get(row, "key")?,
        standing: get_word(row, "status")?,
        description: get(row, "description")?,
        revision: get(row, "revision")?,
        layout: from_json("a layout", &get::<String>(row, "layout")?)?,
        created_at: Timestamp(get(row, "created_at")?),
        updated_at: Timestamp(get(row, "updated_at")?),
    })
}
