//! Runs.

use flowetl_proto::code::Failure;
use flowetl_proto::control::Cost;
use flowetl_proto::id::RunId;
use flowetl_proto::run::{Phase, RunOptions, RunSummary};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Origin, Store, commit, doing, from_json, get, get_json, origin, to_json};
use crate::turn::Priority;
use crate::{Error, Result};

/// Runs that a list shows at most.
const LIST_MAX: i64 = 1_000;

/// One run as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub id: RunId,
    pub pipeline: String,
    /// SHA-256 of the pipeline's canonical JSON.
    pub hash: String,
    pub options: RunOptions,
    pub state: Phase,
    pub failure: Option<Failure>,
    /// Who owns the run; see the migration.
    pub term: i64,
    pub seq: i64,
    /// Milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// When it was started or resumed last.
    pub started_at: i64,
    pub finished_at: Option<i64>,
    /// Whether its boundaries may still lie in object storage.
    pub kept: bool,
    /// Whether it waits for its turn.
    pub queued: bool,
    pub totals: Totals,
}

/// What a run has moved and used, as far as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows that extracts have given.
    pub rows_extracted: u64,
    /// Rows that are visible in the targets of loads.
    pub rows_loaded: u64,
    /// Rows that were quarantined or left out because of what they hold.
    pub rows_failed: u64,
    /// Bytes that extracts have given, in memory.
    pub bytes: u64,
    pub cost: Cost,
}

/// A run of an organization, and whose pipeline it is of.
#[derive(Clone, Debug)]
pub(crate) struct OwnedRun {
    pub run: RunRow,
    /// What its pipeline is called; as its runs know it where it is not kept any more.
    pub pipeline: String,
    pub origin: Origin,
}

/// Runs with what their pipelines are called.
const OWNED: &str = "select run.*, coalesce(p.name, t.name, run.pipeline) as called from run \
                     left join stored_pipeline p on p.id = run.stored_pipeline \
                     left join transformation t on t.id = run.transformation";
/// Whose a run is.
const OWNER: &str = "coalesce(run.organization, (select default_organization from installation where id = 1))";

impl From<RunRow> for RunSummary {
    fn from(row: RunRow) -> Self {
        Self {
            id: row.id,
            pipeline: row.pipeline,
            hash: row.hash,
            options: row.options,
            state: row.state,
            failure: row.failure,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

impl Store {
    pub(crate) async fn run(&self, id: &RunId) -> Result<RunRow> {
        let row = sqlx::query("select * from run where id = $1")
            .bind(id.as_str().to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(doing("read a run"))?;
        row.as_ref().map(decode).transpose()?.ok_or_else(|| Error::NoRun(id.clone()))
    }

    /// A run, if it is the organization's.
    pub(crate) async fn run_of(&self, organization: &str, id: &RunId) -> Result<OwnedRun> {
        let select = sqlx::AssertSqlSafe(format!("{OWNED} where {OWNER} = $1 and run.id = $2"));
        let row = sqlx::query(select).bind(organization.to_owned()).bind(id.as_str().to_owned());
        let row = row.fetch_optional(&self.pool).await.map_err(doing("read a run"))?;
        row.as_ref().map(decode_owned).transpose()?.ok_or_else(|| Error::NoRun(id.clone()))
    }

    /// Newest first.
    pub(crate) async fn runs(&self) -> Result<Vec<RunRow>> {
        let rows =
            sqlx::query("select * from run order by id desc limit $1").bind(LIST_MAX).fetch_all(&self.pool).await;
        rows.map_err(doing("list the runs"))?.iter().map(decode).collect()
    }

    /// The newest run of a pipeline.
    pub(crate) async fn newest_run(&self, pipeline: &str) -> Result<Option<RunRow>> {
        let row = sqlx::query("select * from run where pipeline = $1 order by id desc limit 1")
            .bind(pipeline.to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(doing("read a run"))?;
        row.as_ref().map(decode).transpose()
    }

    /// Runs that have not ended: those under way first, then those that wait, each oldest first.
    pub(crate) async fn unfinished_runs(&self) -> Result<Vec<RunId>> {
        let query = "select id from run where state in ('running', 'failing', 'cancelling') order by queued, id";
        let rows = sqlx::query(query).fetch_all(&self.pool).await.map_err(doing("list the runs"))?;
        rows.iter().map(|row| Ok(RunId::new(get::<String>(row, "id")?))).collect()
    }

    /// Of whom a run is, by its id and as its row says, how many of theirs may be under way at once, and the run's priority
    /// where it is stored.
    pub(crate) async fn limit_of(
        &self,
        run: &RunId,
        organization: Option<&str>,
    ) -> Result<(String, Option<usize>, Option<Priority>)> {
        let query = "select o.id, o.runs_at_once, (select priority from run where id = $2) as priority \
                     from organization o where o.id = coalesce($1, (select organization from run where id = $2), \
                     (select default_organization from installation where id = 1))";
        let query = sqlx::query(query).bind(organization.map(str::to_owned)).bind(run.as_str().to_owned());
        let row = query.fetch_optional(&self.pool).await.map_err(doing("read an organization"))?;
        let Some(row) = row else { return Ok((String::new(), None, None)) };
        let limit = get::<Option<i64>>(&row, "runs_at_once")?.and_then(|limit| usize::try_from(limit).ok());
        let priority = get::<Option<i64>>(&row, "priority")?.map(Priority::of_number);
        Ok((get(&row, "id")?, limit, priority))
    }

    /// Ended runs of a pipeline that left something open, oldest first: a commit without an answer, or staging that is
    /// not known to be gone.
    pub(crate) async fn unsettled_runs(&self, pipeline: &str) -> Result<Vec<RunId>> {
        let query = "select id from run where pipeline = $1 and state in ('success', 'failed', 'cancelled') and (\
                     exists (select 1 from sink_commit c where c.run = run.id and c.state = 'intent') \
                     or exists (select 1 from attempt a where a.run = run.id and a.state <> 'won' and a.discarded = 0)) \
                     order by id";
        let rows = sqlx::query(query).bind(pipeline.to_owned()).fetch_all(&self.pool).await;
        let rows = rows.map_err(doing("list the runs"))?;
        rows.iter().map(|row| Ok(RunId::new(get::<String>(row, "id")?))).collect()
    }

    /// Runs whose boundaries nobody will read again: all but the newest, which may be resumed, and the newest that
    /// succeeded.
    pub(crate) async fn forgettable(&self, pipeline: &str) -> Result<Vec<RunId>> {
        let query = "select id from run where pipeline = $1 and kept = 1 \
                     and id <> (select max(id) from run where pipeline = $1) \
                     and id <> coalesce((select max(id) from run where pipeline = $1 and state = 'success'), '') order by id";
        let rows = sqlx::query(query).bind(pipeline.to_owned()).fetch_all(&self.pool).await;
        let rows = rows.map_err(doing("list the runs"))?;
        rows.iter().map(|row| Ok(RunId::new(get::<String>(row, "id")?))).collect()
    }

    pub(crate) async fn forgotten(&self, run: &RunId) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = sqlx::query("update run set kept = 0 where id = $1").bind(run.as_str().to_owned());
        update.execute(&mut *tx).await.map_err(doing("write a run"))?;
        commit(tx).await
    }
}

pub(super) async fn insert(tx: &mut Transaction<'static, Any>, run: &RunRow, origin: &Origin) -> Result<()> {
    let insert = "insert into run (id, pipeline, hash, options, state, failure, term, seq, created_at, started_at, \
                  finished_at, kept, organization, stored_pipeline, revision, schedule, tick, began_by, error_message, queued, \
                  priority, transformation) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
                  $20, $21, $22)";
    sqlx::query(insert)
        .bind(run.id.as_str().to_owned())
        .bind(run.pipeline.clone())
        .bind(run.hash.clone())
        .bind(to_json("a run's options", &run.options)?)
        .bind(run.state.as_str())
        .bind(run.failure.as_ref().map(|f| to_json("a failure", f)).transpose()?)
        .bind(run.term)
        .bind(run.seq)
        .bind(run.created_at)
        .bind(run.started_at)
        .bind(run.finished_at)
        .bind(i64::from(run.kept))
        .bind(origin.organization.clone())
        .bind(origin.pipeline.clone())
        .bind(origin.revision)
        .bind(origin.tick().map(|tick| tick.schedule.clone()))
        .bind(origin.tick().map(|tick| tick.at))
        .bind(origin.trigger.as_str())
        .bind(run.failure.as_ref().map(ToString::to_string))
        .bind(i64::from(run.queued))
        .bind(origin.priority.number())
        .bind(origin.transformation.clone())
        .execute(&mut **tx)
        .await
        .map_err(doing("write a run"))?;
    stands(tx, run).await
}

/// Writes how the newest run of a pipeline stands, if it is this one.
async fn stands(tx: &mut Transaction<'static, Any>, run: &RunRow) -> Result<()> {
    let update = "update pipeline set newest_run = $1, newest_state = $2 where name = $3 \
                  and (newest_run is null or newest_run < $1 or (newest_run = $1 and newest_state <> $2))";
    let update = sqlx::query(update).bind(run.id.as_str().to_owned()).bind(run.state.as_str());
    let done = update.bind(run.pipeline.clone()).execute(&mut **tx).await;
    done.map_err(doing("write a pipeline's newest run"))?;
    Ok(())
}

/// Writes the run's row, if the caller still owns the run and has seen its newest event. False if this very decision was
/// written before: a commit whose answer was lost.
pub(super) async fn update(tx: &mut Transaction<'static, Any>, run: &RunRow) -> Result<bool> {
    let update = "update run set state = $1, failure = $2, seq = $3, started_at = $4, finished_at = $5, \
                  error_message = $9, rows_extracted = $10, rows_loaded = $11, rows_failed = $12, bytes = $13, \
                  cpu_ms = $14, peak_bytes = $15, queued = $16 where id = $6 and term = $7 and seq = $8";
    let Totals { rows_extracted, rows_loaded, rows_failed, bytes, cost } = run.totals;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let done = sqlx::query(update)
        .bind(run.state.as_str())
        .bind(run.failure.as_ref().map(|f| to_json("a failure", f)).transpose()?)
        .bind(run.seq)
        .bind(run.started_at)
        .bind(run.finished_at)
        .bind(run.id.as_str().to_owned())
        .bind(run.term)
        .bind(run.seq - 1)
        .bind(run.failure.as_ref().map(ToString::to_string))
        .bind(count(rows_extracted))
        .bind(count(rows_loaded))
        .bind(count(rows_failed))
        .bind(count(bytes))
        .bind(count(cost.cpu_ms))
        .bind(count(cost.peak_bytes))
        .bind(i64::from(run.queued))
        .execute(&mut **tx)
        .await
        .map_err(doing("write a run"))?;
    if done.rows_affected() == 1 {
        stands(tx, run).await?;
        return Ok(true);
    }
    // Only the owner of the term can have moved the number to ours.
    let written = sqlx::query("select count(*) as written from run where id = $1 and term = $2 and seq = $3")
        .bind(run.id.as_str().to_owned())
        .bind(run.term)
        .bind(run.seq)
        .fetch_one(&mut **tx)
        .await
        .map_err(doing("read a run"))?;
    if get::<i64>(&written, "written")? == 1 { Ok(false) } else { Err(Error::Fenced(run.id.clone())) }
}

/// Makes the caller the run's owner: whoever owned it before can write nothing more.
pub(super) async fn claim(tx: &mut Transaction<'static, Any>, run: &RunId, term: i64) -> Result<()> {
    let update = sqlx::query("update run set term = $1 where id = $2").bind(term).bind(run.as_str().to_owned());
    update.execute(&mut **tx).await.map_err(doing("claim a run"))?;
    Ok(())
}

pub(super) fn decode_owned(row: &AnyRow) -> Result<OwnedRun> {
    Ok(OwnedRun { run: decode(row)?, pipeline: get(row, "called")?, origin: origin::decode(row)? })
}

fn decode(row: &AnyRow) -> Result<RunRow> {
    let count = |column| get::<i64>(row, column).map(|n| u64::try_from(n).unwrap_or_default());
    Ok(RunRow {
        id: RunId::new(get::<String>(row, "id")?),
        pipeline: get(row, "pipeline")?,
        hash: get(row, "hash")?,
        options: from_json("a run's options", &get::<String>(row, "options")?)?,
        state: from_json("a run's state", &format!("\"{}\"", get::<String>(row, "state")?))?,
        failure: get_json(row, "failure")?,
        term: get(row, "term")?,
        seq: get(row, "seq")?,
        created_at: get(row, "created_at")?,
        started_at: get(row, "started_at")?,
        finished_at: get(row, "finished_at")?,
        kept: get::<i64>(row, "kept")? != 0,
        queued: get::<i64>(row, "queued")? != 0,
        totals: Totals {
            rows_extracted: count("rows_extracted")?,
            rows_loaded: count("rows_loaded")?,
            rows_failed: count("rows_failed")?,
            bytes: count("bytes")?,
            cost: Cost { cpu_ms: count("cpu_ms")?, peak_bytes: count("peak_bytes")? },
        },
    })
}
