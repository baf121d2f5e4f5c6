//! `/dashboard`: how an organization's runs stand, in one call.

use std::collections::BTreeMap;

use flowetl_proto::run::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Site;
use super::body::Json;
use super::gate::Known;
use super::problem::Problem;
use super::runs::RunItem;
use crate::accounts::Tenant;
use crate::store::{self, HOUR_MS, Hourly, RunQuery, Trouble};
use crate::{Error, Handle, clock};

/// Runs that are shown, and times that come.
const SHOWN: i64 = 10;
/// Hours that are shown.
const HOURS: i64 = 24;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How things stand.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Dashboard {
    totals: Totals,
    /// Runs made since midnight, UTC.
    runs_today: i64,
    /// Of the runs of the last 24 hours that succeeded or failed, how many succeeded: from 0 to 1; null where there are none.
    success_rate: Option<f64>,
    /// The last 24 hours, oldest first; the last one is the hour that goes on.
    last_24_hours: Vec<Hour>,
    /// The newest ten.
    recent_runs: Vec<RunItem>,
    /// The next ten times of schedules.
    next_scheduled: Vec<NextItem>,
    /// How many pipelines stand how.
    pipelines: Health,
    /// What somebody should look at, the worst first.
    needs_attention: Vec<Attention>,
    executors: Strip,
}

/// How many of each sort there are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Totals {
    pipelines: i64,
    transformations: i64,
    connections: i64,
    /// Those that are active.
    schedules: i64,
}

/// Runs that were made within one hour, by how they stand now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hour {
    hour: Timestamp,
    running: i64,
    success: i64,
    failed: i64,
    cancelled: i64,
}

/// A time that comes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NextItem {
    schedule_id: String,
    /// Null where a transformation comes.
    pipeline_id: Option<String>,
    /// Null where a pipeline comes.
    transformation_id: Option<String>,
    /// The name of the pipeline or transformation.
    pipeline: String,
    at: Timestamp,
}

/// How many pipelines stand how.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = PipelineHealth)]
pub(super) struct Health {
    active: i64,
    paused: i64,
    draft: i64,
    /// Active ones whose newest run has failed.
    error: i64,
}

/// What somebody should look at.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Attention {
    /// `failed`, `stalled`, `waiting` or `connection_failing`.
    kind: &'static str,
    /// The id of the pipeline, run or connection.
    id: String,
    name: String,
    run_id: Option<String>,
    message: Option<String>,
    at: Option<Timestamp>,
}

/// The executors in a few figures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Strip {
    alive: usize,
    draining: usize,
    /// Attempts that they take at once; 0 where the coordinator's own process is the executor, which has no limit.
    slots: u32,
    busy: u32,
    /// The most that any one of them held for a run that goes on.
    peak_memory_bytes: u64,
}

/// How an organization's runs, pipelines and connections stand, and what comes next.
#[utoipa::path(get, path = "/dashboard", tag = "dashboard", responses((status = 200, body = Dashboard)))]
pub(super) async fn get(site: Site, Known(tenant): Known<Tenant>) -> Result<Json<Dashboard>, Problem> {
    let (handle, organization, now) = (site.handle()?, tenant.organization.id, clock::now());
    let begin = (now / HOUR_MS - HOURS + 1) * HOUR_MS;
    let query = RunQuery { organization: organization.clone(), limit: SHOWN, ..RunQuery::default() };
    let store = handle.store();
    // Side by side, so that no figure waits for the one that takes longest.
    let (counts, hourly, recent, next, health, troubles) = tokio::try_join!(
        store.counts(&organization),
        store.hourly(&organization, begin),
        handle.runs_of(&query),
        store.next_times(&organization, SHOWN),
        store.pipeline_health(&organization),
        troubles(&handle, &organization),
    )?;
    let next = next.into_iter().map(|next| NextItem {
        schedule_id: next.schedule,
        pipeline_id: next.pipeline,
        transformation_id: next.transformation,
        pipeline: next.name,
        at: next.at,
    });
    let today = now / DAY_MS * DAY_MS;
    Ok(Json(Dashboard {
        totals: Totals {
            pipelines: counts.pipelines,
            transformations: counts.transformations,
            connections: counts.connections,
            schedules: counts.schedules,
        },
        runs_today: hourly.iter().filter(|hour| hour.hour >= today).map(|hour| hour.runs).sum(),
        success_rate: success_rate(&hourly),
        last_24_hours: hours(&hourly, begin),
        recent_runs: recent.runs.into_iter().map(|run| RunItem::from(run).live(&handle)).collect(),
        next_scheduled: next.collect(),
        pipelines: standing(&health),
        needs_attention: attention("failed", health.failing).chain(troubles).collect(),
        executors: strip(&site, &handle)?,
    }))
}

fn success_rate(hourly: &[Hourly]) -> Option<f64> {
    let count = |state: &str| hourly.iter().filter(|hour| hour.state == state).map(|hour| hour.runs).sum::<i64>();
    let (success, failed) = (count("success"), count("failed"));
    (success + failed > 0).then(|| success as f64 / (success + failed) as f64)
}

/// All hours from `begin` on, also those in which nothing ran.
fn hours(hourly: &[Hourly], begin: i64) -> Vec<Hour> {
    let mut found = BTreeMap::<(i64, &str), i64>::new();
    for hour in hourly {
        let status = match hour.state.as_str() {
            "failing" | "cancelling" => "running",
            state => state,
        };
        *found.entry((hour.hour, status)).or_default() += hour.runs;
    }
    let hour = |number: i64| {
        let hour = begin + number * HOUR_MS;
        let count = |status| found.get(&(hour, status)).copied().unwrap_or(0);
        Hour {
            hour: Timestamp(hour),
            running: count("running"),
            success: count("success"),
            failed: count("failed"),
            cancelled: count("cancelled"),
        }
    };
    (0..HOURS).map(hour).collect()
}

fn standing(health: &store::Health) -> Health {
    let count = |status: &str| health.counted.get(status).copied().unwrap_or(0);
    Health { active: count("active"), paused: count("paused"), draft: count("draft"), error: count("error") }
}

fn attention(kind: &'static str, troubles: Vec<Trouble>) -> impl Iterator<Item = Attention> {
    troubles.into_iter().map(move |trouble| Attention {
        kind,
        id: trouble.id,
        name: trouble.name,
        run_id: trouble.run,
        message: trouble.message,
        at: trouble.at,
    })
}

/// What keeps runs that go on, and connections that fail.
async fn troubles(handle: &Handle, organization: &str) -> crate::Result<Vec<Attention>> {
    let mut all = Vec::new();
    for view in handle.views() {
        let stalled = view.segments.values().find_map(|segment| segment.stalled.clone());
        let Some((kind, message)) =
            stalled.map(|text| ("stalled", text)).or_else(|| Some(("waiting", view.waiting.clone()?)))
        else {
            continue;
        };
        // Another organization's is none of theirs.
        let run = match handle.run_of(organization, &view.run_id).await {
            Ok(run) => run,
            Err(Error::NoRun(_)) => continue,
            Err(error) => return Err(error),
        };
        all.push(Attention {
            kind,
            id: view.run_id.to_string(),
            name: run.pipeline,
            run_id: Some(view.run_id.to_string()),
            message: Some(message),
            at: Some(view.started_at),
        });
    }
    let failing = handle.store().failing_connections(organization).await?;
    all.extend(attention("connection_failing", failing));
    Ok(all)
}

fn strip(site: &Site, handle: &Handle) -> Result<Strip, Problem> {
    let executors = site.roster()?.executors();
    Ok(Strip {
        alive: executors.len(),
        draining: executors.iter().filter(|executor| executor.draining).count(),
        slots: executors.iter().map(|executor| executor.slots).sum(),
        busy: executors.iter().map(|executor| executor.busy).sum(),
        peak_memory_bytes: handle.views().iter().map(|view| view.peak_memory_bytes).max().unwrap_or(0),
    })
}
