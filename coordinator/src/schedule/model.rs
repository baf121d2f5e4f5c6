//! Schedules as the store keeps them and the API shows them.

use std::collections::BTreeMap;
use std::str::FromStr;

use flowetl_proto::cron::{Cron, Zone};
use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::clock;
use crate::pipelines::{LastRun, LastRunItem};

/// Times that are shown in advance.
const SHOWN: usize = 5;

/// What becomes of times that passed while nothing ran, and of those that come while a run is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Missed {
    /// Nothing.
    #[default]
    Skip,
    /// One run for all of them, as soon as it can be.
    RunNow,
    /// A run for each, one after the other; 96 wait at most.
    Queue,
}

impl Missed {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::RunNow => "run_now",
            Self::Queue => "queue",
        }
    }
}

impl FromStr for Missed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Skip, Self::RunNow, Self::Queue];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| format!("`{text}` says nothing of missed times"))
    }
}

/// What a schedule runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The stored pipeline of this id.
    Pipeline(String),
    /// The transformation of this id; what it needs before it, where that is wanted.
    Transformation { id: String, with_upstream: bool },
}

impl Target {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Pipeline(id) | Self::Transformation { id, .. } => id,
        }
    }

    pub(crate) fn kind(&self) -> TargetType {
        match self {
            Self::Pipeline(_) => TargetType::Pipeline,
            Self::Transformation { .. } => TargetType::Transformation,
        }
    }

    pub(crate) fn with_upstream(&self) -> bool {
        matches!(self, Self::Transformation { with_upstream: true, .. })
    }
}

/// When a pipeline or a transformation runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schedule {
    pub id: String,
    /// The id of the organization.
    pub organization: String,
    pub target: Target,
    pub cron: String,
    pub timezone: String,
    pub missed: Missed,
    pub until: Option<String>,
    /// What its runs are told, by the names of parameters.
    pub params: BTreeMap<String, Value>,
    pub is_active: bool,
    /// Whether it stands in the pipeline's file.
    pub of_file: bool,
    /// `None` while it does not come: it is not active, or its pipeline is not.
    pub next_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Schedule {
    /// Its cron line and time zone, which were checked when they were written.
    pub(crate) fn times(&self) -> Option<(Cron, Zone)> {
        Some((self.cron.parse().ok()?, self.timezone.parse().ok()?))
    }

    /// As the audit log has it.
    pub(crate) fn document(&self) -> Option<Value> {
        Some(json!({
            "target_type": self.target.kind(),
            "target_id": self.target.id(),
            "with_upstream": self.target.with_upstream(),
            "cron": self.cron,
            "timezone": self.timezone,
            "missed": self.missed,
            "until": self.until,
            "params": self.params,
            "is_active": self.is_active,
        }))
    }
}

/// A schedule with what a list shows beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListedSchedule {
    pub schedule: Schedule,
    /// The name of the pipeline or transformation.
    pub target: String,
    /// Times that wait for their runs.
    pub waiting: i64,
    pub last_run: Option<LastRun>,
}

/// What a schedule runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TargetType {
    #[default]
    Pipeline,
    Transformation,
}

/// A schedule that is to be made or changed. What is left out of a change stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleWish {
    /// `pipeline` where it is left out of a new one; it cannot be changed.
    pub target_type: Option<TargetType>,
    /// The id of the pipeline or transformation; it cannot be changed.
    pub target_id: Option<String>,
    /// Of a transformation: make what it needs first.
    pub with_upstream: Option<bool>,
    /// Minute, hour, day, month, weekday; or six fields, with seconds first.
    pub cron_expression: Option<String>,
    /// Such as `Europe/Warsaw`; UTC where it is left out of a new one.
    pub timezone: Option<String>,
    pub missed: Option<Missed>,
    /// Of a pipeline: run only this block and what it needs; empty for all of them.
    pub until: Option<String>,
    /// What its runs are told, by the names of parameters.
    #[schema(value_type = Option<Object>)]
    pub params: Option<BTreeMap<String, Value>>,
    pub is_active: Option<bool>,
}

/// A cron line that is looked at.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewWish {
    pub cron_expression: String,
    /// UTC where it is left out.
    pub timezone: Option<String>,
}

/// What a cron line means.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// `Every day at 3:00 AM UTC`.
    pub text: String,
    /// The next five times.
    #[schema(value_type = Vec<String>)]
    pub next_runs: Vec<Timestamp>,
}

impl Preview {
    pub(super) fn of(cron: &Cron, zone: Zone) -> Self {
        let next = cron.following(clock::now(), zone, SHOWN);
        Self { text: cron.words(zone), next_runs: next.into_iter().map(Timestamp).collect() }
    }
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ScheduleItem {
    pub id: String,
    pub target_type: TargetType,
    /// The id of the pipeline or transformation.
    pub target_id: String,
    pub target_name: String,
    /// Of a transformation: whether its runs make what it needs first.
    pub with_upstream: bool,
    pub until: Option<String>,
    /// What its runs are told, by the names of parameters.
    #[schema(value_type = Object)]
    pub params: BTreeMap<String, Value>,
    pub cron_expression: String,
    pub timezone: String,
    pub missed: Missed,
    pub is_active: bool,
    /// Whether it stands in the pipeline's file: it is changed there then.
    pub in_file: bool,
    /// What the cron line means.
    pub text: String,
    /// Null while it does not come: it is not active, or its pipeline is not.
    pub next_run_at: Option<Timestamp>,
    /// The next five times of the cron line.
    #[schema(value_type = Vec<String>)]
    pub next_runs: Vec<Timestamp>,
    /// Times that wait for their runs.
    pub waiting: i64,
    pub last_run: Option<LastRunItem>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<ListedSchedule> for ScheduleItem {
    fn from(listed: ListedSchedule) -> Self {
        let schedule = listed.schedule;
        let preview = schedule.times().map(|(cron, zone)| Preview::of(&cron, zone));
        let (text, next_runs) = preview.map(|preview| (preview.text, preview.next_runs)).unwrap_or_default();
        Self {
            id: schedule.id,
            target_type: schedule.target.kind(),
            target_id: schedule.target.id().to_owned(),
            target_name: listed.target,
            with_upstream: schedule.target.with_upstream(),
            until: schedule.until,
            params: schedule.params,
            cron_expression: schedule.cron,
            timezone: schedule.timezone,
            missed: schedule.missed,
            is_active: schedule.is_active,
            in_file: schedule.of_file,
            text,
            next_run_at: schedule.next_at,
            next_runs,
            waiting: listed.waiting,
            last_run: listed.last_run.map(LastRunItem::from),
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
        }
    }
}
