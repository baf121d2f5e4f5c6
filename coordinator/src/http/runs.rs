//! `/runs`, also called `/executions` and `/jobs`: an organization's runs.

use actix_web::http::StatusCode;
use chrono::DateTime;
use flowetl_proto::id::RunId;
use flowetl_proto::run::{BlockPhase, Phase, RunView, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Accepted, Json, Named, Query};
use super::gate::Known;
use super::page::ITEMS;
use super::problem::Problem;
use super::run_detail::RunDetail;
use crate::accounts::{Accounts, Caller, Refusal, Tenant};
use crate::pipelines::RunStatus;
use crate::store::{OwnedRun, RunQuery, Totals, Trigger, Waiting};
use crate::turn::Priority;
use crate::{Handle, clock};

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunItem {
    id: String,
    /// The name of the pipeline, or of the transformation.
    pipeline: String,
    /// `pipeline` or `transformation`; null for a run of a file that is not kept.
    target_type: Option<&'static str>,
    /// The id of either.
    target_id: Option<String>,
    /// The id of the pipeline; null for a run of anything else.
    pipeline_id: Option<String>,
    /// The revision of it.
    revision: Option<i64>,
    /// The id of the schedule that began the run; null where something else did.
    schedule_id: Option<String>,
    trigger: Trigger,
    status: RunStatus,
    /// The same to the point: a run that is `failing` or `cancelling` waits for what is under way.
    state: &'static str,
    /// Which of the organization's runs that wait for their turn comes first.
    priority: Priority,
    /// What keeps it: `queued`, `waiting for unlock`, `retrying`, `stalled`; null where nothing does.
    detail: Option<String>,
    /// Why it is `queued`, in words.
    reason: Option<String>,
    created_at: Timestamp,
    /// When it was started or resumed last.
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    /// From its (last) start to its end, or until now.
    duration_seconds: f64,
    /// Rows that extracts have given.
    records_extracted: u64,
    /// Rows that are visible in the targets of loads.
    records_loaded: u64,
    /// The same.
    rows_loaded: u64,
    /// Rows that were quarantined or left out because of what they hold.
    records_failed: u64,
    /// Bytes that extracts have given, in memory.
    bytes: u64,
    /// Of all its attempts on all executors.
    cpu_seconds: f64,
    /// The most that any one process held while it worked for the run.
    peak_memory_bytes: u64,
    error_message: Option<String>,
}

/// Runs, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunPage {
    /// Newest first.
    runs: Vec<RunItem>,
    /// The `before` of the next page; null where there is none. A search may give a page that is not full and has a next one.
    next: Option<String>,
}

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only runs that stand so: `pending`, `running`, `success`, `failed` or `cancelled`, in either case; more of them after commas.
    status: Option<String>,
    /// Only runs of the pipeline of this name or id.
    pipeline: Option<String>,
    /// Only runs of the transformation of this name or id.
    transformation: Option<String>,
    /// Only runs that this began: `manual`, `api`, `schedule`, `webhook`, `upstream` or `client`; more of them after commas.
    trigger: Option<String>,
    /// Only runs made at this time or later, as `2026-11-22T04:00:00Z`.
    from: Option<String>,
    /// Only runs made before this time.
    to: Option<String>,
    /// Only runs with this text in their error, whatever the case.
    search: Option<String>,
    /// Runs that are older than the one of this id.
    before: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

impl From<OwnedRun> for RunItem {
    fn from(OwnedRun { run, pipeline, origin }: OwnedRun) -> Self {
        let until = run.finished_at.unwrap_or_else(clock::now);
        let item = Self {
            id: run.id.to_string(),
            pipeline,
            target_type: match (&origin.pipeline, &origin.transformation) {
                (Some(_), _) => Some("pipeline"),
                (None, Some(_)) => Some("transformation"),
                (None, None) => None,
            },
            target_id: origin.pipeline.clone().or(origin.transformation.clone()),
            schedule_id: origin.tick().map(|tick| tick.schedule.clone()),
            pipeline_id: origin.pipeline,
            revision: origin.revision,
            trigger: origin.trigger,
            status: run.state.into(),
            state: run.state.as_str(),
            priority: origin.priority,
            detail: None,
            reason: None,
            created_at: Timestamp(run.created_at),
            started_at: Timestamp(run.started_at),
            finished_at: run.finished_at.map(Timestamp),
            duration_seconds: (until - run.started_at).max(0) as f64 / 1000.0,
            records_extracted: 0,
            records_loaded: 0,
            rows_loaded: 0,
            records_failed: 0,
            bytes: 0,
            cpu_seconds: 0.0,
            peak_memory_bytes: 0,
            error_message: run.failure.map(|failure| failure.message),
        };
        item.with(run.totals)
    }
}

impl RunItem {
    fn with(self, totals: Totals) -> Self {
        Self {
            records_extracted: totals.rows_extracted,
            records_loaded: totals.rows_loaded,
            rows_loaded: totals.rows_loaded,
            records_failed: totals.rows_failed,
            bytes: totals.bytes,
            cpu_seconds: totals.cost.cpu_ms as f64 / 1000.0,
            peak_memory_bytes: totals.cost.peak_bytes,
            ..self
        }
    }

    /// With what only this process knows of it.
    pub(super) fn live(self, handle: &Handle) -> Self {
        if self.finished_at.is_some() {
            return self;
        }
        let Some(live) = handle.live(&RunId::new(&self.id)) else { return self };
        let status = if live.view.waiting.is_some() { RunStatus::Pending } else { self.status };
        let reason = handle.turns().reason(&live.view.run_id);
        Self { status, detail: kept_by(&live.view), reason, ..self }.with(live.totals)
    }
}

/// What keeps a run that goes on.
fn kept_by(view: &RunView) -> Option<String> {
    let is = |phase| view.segments.values().any(|segment| segment.state == phase);
    if view.waiting.is_some() {
        return view.waiting.clone();
    }
    if view.segments.values().any(|segment| segment.stalled.is_some()) {
        return Some("stalled".to_owned());
    }
    let is_retrying = is(BlockPhase::Retrying) && !is(BlockPhase::Running) && !is(BlockPhase::Committing);
    is_retrying.then(|| "retrying".to_owned())
}

impl Page {
    fn query(self, organization: String, handle: &Handle) -> Result<RunQuery, Refusal> {
        if self.pipeline.is_some() && self.transformation.is_some() {
            let message = "a run is of a pipeline or of a transformation: ask for one of them".to_owned();
            return Err(Refusal::Wrong { field: "transformation", message });
        }
        let (states, waiting) = match &self.status {
            None => (Vec::new(), Waiting::Like),
            Some(text) => states(text, handle)?,
        };
        let triggers = self.trigger.iter().flat_map(|text| text.split(',')).map(|word| {
            let trigger = word.trim().to_lowercase().parse();
            trigger.map_err(|message| Refusal::Wrong { field: "trigger", message })
        });
        Ok(RunQuery {
            organization,
            states,
            waiting,
            pipeline: self.pipeline,
            transformation: self.transformation,
            triggers: triggers.collect::<Result<_, _>>()?,
            from: self.from.as_deref().map(|text| time("from", text)).transpose()?,
            to: self.to.as_deref().map(|text| time("to", text)).transpose()?,
            search: self.search.filter(|text| !text.is_empty()),
            before: self.before,
            limit: ITEMS.of(self.limit),
        })
    }
}

/// The stored words of the statuses in `text`, and what that says of runs that wait.
fn states(text: &str, handle: &Handle) -> Result<(Vec<Phase>, Waiting), Refusal> {
    let (mut states, mut is_pending, mut is_running) = (Vec::new(), false, false);
    for word in text.split(',') {
        match word.trim().to_lowercase().as_str() {
            "pending" => is_pending = true,
            "running" => is_running = true,
            "success" => states.push(Phase::Success),
            "failed" => states.push(Phase::Failed),
            "cancelled" => states.push(Phase::Cancelled),
            other => {
                let all = "`pending`, `running`, `success`, `failed` and `cancelled`";
                return Err(Refusal::Wrong { field: "status", message: format!("`{other}` is none of {all}") });
            }
        }
    }
    states.dedup();
    if is_running {
        states.extend([Phase::Running, Phase::Failing, Phase::Cancelling]);
    }
    let waiting = match (is_pending, is_running) {
        (true, true) => Waiting::Like,
        (true, false) => Waiting::With(handle.waiting_runs()),
        (false, _) => Waiting::Without(handle.waiting_runs()),
    };
    Ok((states, waiting))
}

/// Milliseconds since 1970.
fn time(field: &'static str, text: &str) -> Result<i64, Refusal> {
    let wrong = || Refusal::Wrong { field, message: format!("`{text}` is no time such as `2026-11-22T04:00:00Z`") };
    DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis()).map_err(|_| wrong())
}

/// The organization's runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", params(Page), responses((status = 200, body = RunPage)))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<RunPage>, Problem> {
    let handle = site.handle()?;
    let query = page.query(tenant.organization.id, &handle)?;
    let found = handle.runs_of(&query).await?;
    let runs = found.runs.into_iter().map(|run| RunItem::from(run).live(&handle)).collect();
    Ok(Json(RunPage { runs, next: found.next }))
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
    Ok(Json(RunDetail::new(run, &handle, &id).await?))
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

/// Go on with a run that failed or was cancelled: what it has committed stays, the block that failed and what comes behind it
/// run again, as the pipeline was then. 409 where it succeeded, runs, or another run of the pipeline came after it: run the
/// pipeline instead.
#[utoipa::path(post, path = "/runs/{run}/retry", tag = "runs", params(("run" = String, Path)),
    responses((status = 202, body = RunItem)))]
pub(super) async fn retry(
    site: Site,
    Known(tenant): Known<Tenant>,
    Known(caller): Known<Caller>,
    Known(accounts): Known<Accounts>,
    Named(run): Named,
) -> Result<(Json<RunItem>, StatusCode), Problem> {
    let (handle, id) = (site.handle()?, RunId::new(run));
    handle.run_of(&tenant.organization.id, &id).await?;
    handle.resume(&id).await?;
    accounts.retried(&caller, &tenant, &id).await?;
    let run = RunItem::from(handle.run_of(&tenant.organization.id, &id).await?).live(&handle);
    Ok((Json(run), StatusCode::ACCEPTED))
}
