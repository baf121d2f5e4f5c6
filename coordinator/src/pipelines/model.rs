//! Stored pipelines as the store keeps them and the API shows them. Nothing here is secret: files only refer to secrets.

use std::path::PathBuf;
use std::str::FromStr;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::pipeline::{GraphDefinition, Layout, Pipeline, Problem, Reference, Source, Spot};
use flowetl_proto::run::{Phase, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::clock;

/// How a pipeline is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Its file need not be right yet; no schedule runs it.
    Draft,
    Active,
    /// No schedule runs it; people may.
    Paused,
}

/// How a pipeline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Draft,
    Active,
    Paused,
    /// It is active, and its newest run has failed.
    Error,
}

/// Where a run stands, in few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    /// It waits for something before it can begin or go on, which `detail` says.
    Pending,
    Running,
    Success,
    Failed,
    Cancelled,
}

impl From<Phase> for RunStatus {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Running | Phase::Failing | Phase::Cancelling => Self::Running,
            Phase::Success => Self::Success,
            Phase::Failed => Self::Failed,
            Phase::Cancelled => Self::Cancelled,
        }
    }
}

impl Standing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
        }
    }
}

impl FromStr for Standing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Draft, Self::Active, Self::Paused];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| format!("`{text}` is no status of a pipeline"))
    }
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Error => "error",
        }
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Draft, Self::Active, Self::Paused, Self::Error];
        all.into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of `draft`, `active`, `paused` and `error`"))
    }
}

/// A pipeline that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredPipeline {
    pub id: String,
    /// The id of the organization.
    pub organization: String,
    pub name: String,
    /// What its runs and all that they remember know it by. It is the name that it had first, where no other organization's
    /// pipeline could have it: so that runs of the same file from a command line are its runs.
    pub key: String,
    pub standing: Standing,
    pub description: Option<String>,
    /// The number of the newest revision, 1 for the first.
    pub revision: i64,
    pub layout: Layout,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl StoredPipeline {
    /// As the audit log has it.
    pub(crate) fn document(&self) -> Option<Value> {
        Some(json!({ "name": self.name, "status": self.standing, "revision": self.revision }))
    }
}

/// A pipeline's file with all that it is read with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PipelineFile {
    /// What problems call the file; the pipeline is named after it where its text says no name.
    pub file: String,
    /// YAML or JSON, as it was applied.
    pub text: String,
    /// What relative paths in it start from, on the executors.
    pub folder: String,
    /// The `connections.yml` beside it.
    pub connections_text: Option<String>,
}

impl PipelineFile {
    pub(crate) fn source(&self) -> Source {
        Source {
            file: self.file.clone(),
            text: self.text.clone(),
            folder: PathBuf::from(&self.folder),
            overrides_folder: PathBuf::from(&self.folder),
            connections_text: self.connections_text.clone(),
            ..Source::default()
        }
    }
}

/// A state that a pipeline was in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Revision {
    pub number: i64,
    pub file: PipelineFile,
    /// What the file is; `None` where it was not right.
    pub definition: Option<Pipeline>,
    /// The id of the person who applied it; `None` where nobody has to sign in.
    pub author: Option<String>,
    pub message: String,
    /// The revision that this one brought back.
    pub restored: Option<i64>,
    pub created_at: Timestamp,
}

/// A pipeline that is to be made or changed. What is left out of a change stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PipelineWish {
    /// What the pipeline is called where its file says no `name`.
    pub name: Option<String>,
    /// The pipeline file, YAML or JSON. Either this or a `graph_definition`.
    pub text: Option<String>,
    /// Nodes, edges and the file's other keys, as a canvas has them.
    pub graph_definition: Option<GraphDefinition>,
    /// What relative paths start from, on the executors: an absolute path; `/` where it is left out.
    pub folder: Option<String>,
    /// The text of the `connections.yml` beside the file; empty where there is none any more.
    pub connections_text: Option<String>,
    /// Where blocks stand on a canvas, by their names.
    #[schema(value_type = Option<BTreeMap<String, Spot>>)]
    pub layout: Option<Layout>,
    /// What was changed and why, for the list of revisions.
    pub message: Option<String>,
    /// `active` where it is left out of a new one. A `draft` need not be right yet.
    pub status: Option<Standing>,
}

/// A run in few words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LastRun {
    pub id: String,
    pub state: Phase,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

impl From<LastRun> for LastRunItem {
    fn from(run: LastRun) -> Self {
        Self { id: run.id, status: run.state.into(), started_at: run.started_at, finished_at: run.finished_at }
    }
}

/// A pipeline with what a list shows beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed {
    pub pipeline: StoredPipeline,
    /// What its newest revision says; `None` where that is not right yet.
    pub definition: Option<Pipeline>,
    pub status: Status,
    pub last_run: Option<LastRun>,
    /// When the first of its schedules comes.
    pub next_at: Option<Timestamp>,
    /// Of the schedule in its file.
    pub cron: Option<String>,
    /// When its newest success ended.
    pub succeeded_at: Option<Timestamp>,
    /// How old that may be.
    pub fresh_ms: Option<i64>,
}

/// Whether the result of a pipeline is as new as its file says.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Freshness {
    /// Seconds within which a run is to succeed.
    pub within: i64,
    /// Until when it is fresh.
    pub until: Timestamp,
    pub is_stale: bool,
}

impl Listed {
    fn freshness(&self, now: i64) -> Option<Freshness> {
        let since = self.succeeded_at.unwrap_or(self.pipeline.created_at).0;
        self.fresh_ms.map(|within| Freshness {
            within: within / 1000,
            until: Timestamp(since + within),
            is_stale: since + within < now,
        })
    }
}

/// The newest run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct LastRunItem {
    pub id: String,
    pub status: RunStatus,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// A pipeline in a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PipelineItem {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub status: Status,
    /// Whether its schedules run it.
    pub is_active: bool,
    /// The number of its newest revision; the `ETag`, too.
    pub revision: i64,
    /// The cron line in its file.
    pub schedule_cron: Option<String>,
    pub next_run_at: Option<Timestamp>,
    pub last_run: Option<LastRunItem>,
    /// Its newest runs, newest first: 14 at most.
    pub recent_runs: Vec<LastRunItem>,
    /// What it reads from, each once; none while its file is not right.
    pub sources: Vec<SystemItem>,
    /// What it writes to.
    pub targets: Vec<SystemItem>,
    /// When its newest success ended.
    pub last_success_at: Option<Timestamp>,
    /// Null where its file says nothing of that.
    pub freshness: Option<Freshness>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A system that a pipeline reads from or writes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SystemItem {
    /// The name of the connection; null where the file names a path or a URL instead.
    pub connection: Option<String>,
    /// The name of the connector: `postgres`, `s3`, `file`.
    #[serde(rename = "type")]
    pub connector: String,
}

impl PipelineItem {
    /// `recent_runs`: newest first. Without a `catalogue` nobody knows where blocks read and write.
    pub(super) fn new(listed: Listed, recent_runs: Vec<LastRun>, catalogue: Option<&Catalogue>) -> Self {
        let freshness = listed.freshness(clock::now());
        let (sources, targets) = match listed.definition.as_ref().zip(catalogue) {
            Some((definition, catalogue)) => {
                let touches = definition.touches(catalogue);
                (systems(definition, &touches.reads), systems(definition, &touches.writes))
            }
            None => Default::default(),
        };
        let pipeline = listed.pipeline;
        Self {
            id: pipeline.id,
            name: pipeline.name,
            description: pipeline.description,
            status: listed.status,
            is_active: pipeline.standing == Standing::Active,
            revision: pipeline.revision,
            schedule_cron: listed.cron,
            next_run_at: listed.next_at,
            last_run: listed.last_run.map(LastRunItem::from),
            recent_runs: recent_runs.into_iter().map(LastRunItem::from).collect(),
            sources,
            targets,
            last_success_at: listed.succeeded_at,
            freshness,
            created_at: pipeline.created_at,
            updated_at: pipeline.updated_at,
        }
    }
}

/// The systems of these places, each once.
fn systems(definition: &Pipeline, places: &[Reference]) -> Vec<SystemItem> {
    let mut systems = Vec::new();
    for place in places {
        let name = place.connection();
        let Some(spec) = definition.connections.get(name) else { continue };
        // What stands in the file itself is called by its address.
        let connection = (!name.contains("://")).then(|| name.to_owned());
        let system = SystemItem { connection, connector: spec.scheme.clone() };
        if !systems.contains(&system) {
            systems.push(system);
        }
    }
    systems
}

/// A pipeline with its file.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PipelineDetail {
    #[serde(flatten)]
    pub item: PipelineItem,
    #[serde(flatten)]
    pub file: PipelineFile,
    /// The same as a canvas has it; null while no executor is there to say what is a block.
    pub graph_definition: Option<GraphDefinition>,
    #[schema(value_type = BTreeMap<String, Spot>)]
    pub layout: Layout,
    /// What is wrong with a draft.
    pub problems: Vec<Problem>,
}
