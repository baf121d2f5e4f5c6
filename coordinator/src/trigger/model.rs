//! Triggers as the store keeps them and the API shows them.

use std::collections::BTreeMap;
use std::str::FromStr;

use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Arrived;

/// What a trigger waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TriggerKind)]
pub(crate) enum Kind {
    /// A call of its address.
    Webhook,
    /// The success of other pipelines.
    Upstream,
    /// New or changed files at a place.
    Files,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Upstream => "upstream",
            Self::Files => "files",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Webhook, Self::Upstream, Self::Files];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| format!("`{text}` is no kind of trigger"))
    }
}

/// What a trigger waits for and runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TriggerTarget {
    #[default]
    Pipeline,
}

/// What begins runs of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start {
    pub id: String,
    /// The ids of the organization and of the stored pipeline.
    pub organization: String,
    pub pipeline: String,
    pub kind: Kind,
    /// Of a webhook.
    pub secret_hash: Option<String>,
    /// Of one that waits for files: `connection/path`, and how often it looks.
    pub place: Option<String>,
    pub every_s: Option<i64>,
    pub until: Option<String>,
    pub params: BTreeMap<String, Value>,
    pub is_active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Start {
    /// As the audit log has it.
    pub(super) fn document(&self, upstream: &[String]) -> Option<Value> {
        Some(json!({
            "pipeline": self.pipeline,
            "kind": self.kind,
            "upstream": upstream,
            "place": self.place,
            "every_seconds": self.every_s,
            "until": self.until,
            "params": self.params,
            "is_active": self.is_active,
        }))
    }
}

/// A pipeline that a trigger waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Upstream {
    /// Always `pipeline`.
    pub upstream_type: TriggerTarget,
    /// The id of the pipeline.
    pub upstream_id: String,
    pub upstream_name: String,
    /// Its newest success since the trigger fired last; null while that is waited for.
    pub run_id: Option<String>,
}

/// A trigger with what a list shows beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListedTrigger {
    pub start: Start,
    /// The name of the pipeline.
    pub pipeline: String,
    pub upstream: Vec<Upstream>,
    /// Events that wait for their runs.
    pub waiting: i64,
    pub fired_at: Option<Timestamp>,
    /// Why its newest look for files has failed.
    pub problem: Option<String>,
}

/// An event as it is written down.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Firing {
    pub id: String,
    /// The id of the trigger.
    pub start: String,
    pub key: String,
    pub params: BTreeMap<String, Value>,
    pub at: i64,
    /// The files that it is about.
    pub arrived: Option<Arrived>,
    pub run: Option<String>,
    pub error: Option<String>,
}

/// A trigger that is to be made or changed. What is left out of a change stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerWish {
    /// It cannot be changed.
    pub kind: Option<Kind>,
    /// Always `pipeline`.
    #[serde(rename = "target_type")]
    pub _target_type: Option<TriggerTarget>,
    /// The id of the pipeline that it runs; it cannot be changed.
    pub target_id: Option<String>,
    /// The ids of the pipelines that have to succeed, each once, before it fires.
    pub upstream: Option<Vec<String>>,
    /// Where files have to arrive, as pipelines read them: `connection/path`, in which `*` and `?` stand for any part of a
    /// name and `**` for any folders; a path that ends in `/` means all below it. It fires once for all files that are new or
    /// changed since it last looked, each once it is the same at two looks. What is there at its first look is no arrival.
    pub place: Option<String>,
    /// How often it looks: 30 where it is left out, at least 5.
    pub every_seconds: Option<i64>,
    /// Run only this block and what it needs; empty for all of them.
    pub until: Option<String>,
    /// What its runs are told, by the names of the pipeline's parameters. What a call tells counts before it.
    #[schema(value_type = Option<Object>)]
    pub params: Option<BTreeMap<String, Value>>,
    pub is_active: Option<bool>,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TriggerItem {
    pub id: String,
    pub kind: Kind,
    pub target_type: TriggerTarget,
    /// The id of the pipeline that it runs.
    pub target_id: String,
    pub target_name: String,
    /// Pipelines that have to succeed; none but for kind `upstream`.
    pub upstream: Vec<Upstream>,
    /// Of kind `files`: where they have to arrive.
    pub place: Option<String>,
    /// Of kind `files`: how often it looks.
    pub every_seconds: Option<i64>,
    /// Of kind `files`: why nothing could be seen at the newest look.
    pub problem: Option<String>,
    pub until: Option<String>,
    #[schema(value_type = Object)]
    pub params: BTreeMap<String, Value>,
    pub is_active: bool,
    /// Events that wait for their runs.
    pub waiting: i64,
    /// When its newest event came.
    pub last_fired_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A trigger that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MadeTrigger {
    #[serde(flatten)]
    pub trigger: TriggerItem,
    /// Of a webhook: what to call by POST, below the service's address. It holds the secret, and is shown this once.
    pub url: Option<String>,
}

/// A trigger with its newest events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TriggerDetail {
    #[serde(flatten)]
    pub trigger: TriggerItem,
    /// Newest first, up to 50.
    pub firings: Vec<FiringItem>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct FiringItem {
    pub id: String,
    pub at: Timestamp,
    /// Of files: those that have arrived.
    pub arrived: Option<Arrived>,
    /// Null while it waits for its run.
    pub run_id: Option<String>,
    /// Why it can never begin one.
    pub error: Option<String>,
}

impl From<Firing> for FiringItem {
    fn from(firing: Firing) -> Self {
        let Firing { id, at, arrived, run, error, .. } = firing;
        Self { id, at: Timestamp(at), arrived, run_id: run, error }
    }
}

impl From<ListedTrigger> for TriggerItem {
    fn from(listed: ListedTrigger) -> Self {
        let start = listed.start;
        Self {
            id: start.id,
            kind: start.kind,
            target_type: TriggerTarget::Pipeline,
            target_id: start.pipeline,
            target_name: listed.pipeline,
            upstream: listed.upstream,
            place: start.place,
            every_seconds: start.every_s,
            problem: listed.problem,
            until: start.until,
            params: start.params,
            is_active: start.is_active,
            waiting: listed.waiting,
            last_fired_at: listed.fired_at,
            created_at: start.created_at,
            updated_at: start.updated_at,
        }
    }
}
