//! `/runs`, also called `/executions` and `/jobs`: an organization's runs.

use flowetl_proto::id::RunId;
use flowetl_proto::run::{Phase, RunView, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Accepted, Json, Named, Query};
use super::gate::Known;
use super::problem::Problem;
use crate::Handle;
use crate::accounts::{Accounts, Caller, Refusal, Tenant};
use crate::pipelines::RunStatus;
use crate::store::{OwnedRun, RunQuery};

/// Runs in one answer, where none are asked for and at most.
const LIMIT: i64 = 50;
const LIMIT_MAX: i64 = 500;

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunItem {
    id: String,
    /// The name of the pipeline.
    pipeline: String,
    /// The id of the pipeline; null for a run of a file that is not kept.
    pipeline_id: Option<String>,
    /// The revision of it.
    revision: Option<i64>,
    /// The id of the schedule that began the run; null where a person or a program did.
    schedule_id: Option<String>,
    status: RunStatus,
    /// The same to the point: a run that is `failing` or `cancelling` waits for what is under way.
    state: &'static str,
    /// What it waits for as a whole: `waiting for unlock`; null where it is not that.
    detail: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was started or resumed last.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    error_message: Option<String>,
}

/// Runs, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunPage {
    /// Newest first.
    runs: Vec<RunItem>,
    /// The `before` of the next page; null where there is none.
    next: Option<String>,
}

/// A run with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunDetail {
    #[serde(flatten)]
    run: RunItem,
    /// Blocks, segments, tests and edges with their figures, as `flowetl runs RUN --json` shows them.
    #[schema(value_type = Object)]
    view: RunView,
}

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only runs that stand so: `running` (and `pending`), `success`, `failed` or `cancelled`, in either case; more of them after commas.
    status: Option<String>,
    /// Only runs of the pipeline of this name or id.
    pipeline: Option<String>,
    /// Runs that are older than the one of this id.
    before: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

impl From<OwnedRun> for RunItem {
    fn from(OwnedRun { run, pipeline, origin }: OwnedRun) -> Self {
        Self {
            id: run.id.to_string(),
            pipeline,
            pipeline_id: origin.pipeline,
            revision: origin.revision,
            schedule_id: origin.tick.map(|tick| tick.schedule),
            status: run.state.into(),
            state: run.state.as_str(),
            detail: None,
            created_at: Timestamp(run.created_at),
            started_at: Timestamp(run.started_at),
            finished_at: run.finished_at.map(Timestamp),
            error_message: run.failure.map(|failure| failure.message),
        }
    }
}

impl RunItem {
    /// With what only this process knows of it.
    fn live(self, handle: &Handle) -> Self {
        match handle.waiting(&RunId::new(&self.id)) {
            None => self,
            detail => Self { status: RunStatus::Pending, detail, ..self },
        }
    }
}

/// The stored words of the statuses in `text`.
fn states(text: &str) -> Result<Vec<Phase>, Refusal> {
    let mut states = Vec::new();
    for word in text.split(',') {
        match word.trim().to_lowercase().as_str() {
            "running" => states.extend([Phase::Running, Phase::Failing, Phase::Cancelling]),
            "success" => states.push(Phase::Success),
            "failed" => states.push(Phase::Failed),
            "cancelled" => states.push(Phase::Cancelled),
            other => {
                let message = format!("`{other}` is none of `running`, `success`, `failed` and `cancelled`");
                return Err(Refusal::Wrong { field: "status", message });
            }
        }
    }
    Ok(states)
}

/// The organization's runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", params(Page), responses((status = 200, body = RunPage)))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<RunPage>, Problem> {
    let limit = page.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let query = RunQuery {
        organization: tenant.organization.id,
        states: page.status.as_deref().map(states).transpose()?.unwrap_or_default(),
        pipeline: page.pipeline,
        before: page.before,
        limit,
    };
    let handle = site.handle()?;
    let found = handle.runs_of(&query).await?;
    let runs: Vec<RunItem> = found.into_iter().map(|run| RunItem::from(run).live(&handle)).collect();
    let is_full = i64::try_from(runs.len()).is_ok_and(|found| found == limit);
    let next = runs.last().filter(|_| is_full).map(|run| run.id.clone());
    Ok(Json(RunPage { runs, next }))
}

/// One run, as it stands now.
#[utoipa::path(get, path = "/runs/{run}", tag = "runs", params(("run" = String, Path)),
    responses((status = 200, body = RunDetail)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(run): Named,
) -> Result<Json<RunDetail>, Problem> {
    let (handle, id) = (site.handle()?, RunId::new(run));
    let run = RunItem::from(handle.run_of(&tenant.organization.id, &id).await?).live(&handle);
    Ok(Json(RunDetail { run, view: handle.run(&id).await? }))
}

/// Ask a run to end. It is done once its status is `cancelled`; one that has ended is left as it is.
#[utoipa::path(post, path = "/runs/{run}/cancel", tag = "runs", params(("run" = String, Path)),
    responses((status = 202)))]
pub(super) async fn cancel(
    site: Site,
    Known(tenant): Known<Tenant>,
    Known(caller): Known<Caller>,
    Known(accounts): Known<Accounts>,
    Named(run): Named,
) -> Result<Accepted, Problem> {
    let (handle, id) = (site.handle()?, RunId::new(run));
    handle.run_of(&tenant.organization.id, &id).await?;
    handle.cancel(&id).await?;
    accounts.cancelled(&caller, &tenant, &id).await?;
    Ok(Accepted)
}
