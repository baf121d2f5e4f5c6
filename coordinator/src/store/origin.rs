//! What a run is of, and what began it.

use std::str::FromStr;

use flowetl_proto::id::RunId;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use utoipa::ToSchema;

use super::{doing, get, get_word};
use crate::turn::Priority;
use crate::{Error, Result};

/// Of what and why a run is; nothing of all that for a run of a file that is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub organization: Option<String>,
    /// The id of the stored pipeline.
    pub pipeline: Option<String>,
    pub revision: Option<i64>,
    /// The id of the transformation that it makes.
    pub transformation: Option<String>,
    /// What is used up by it.
    pub cause: Option<Cause>,
    pub trigger: Trigger,
    /// Which of those that wait for their turn comes first.
    pub priority: Priority,
}

/// What began a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    /// A command line or a program, with a pipeline file of its own.
    #[default]
    Client,
    /// A person, of a pipeline that is kept.
    Manual,
    /// A program with an API key, of a pipeline that is kept.
    Api,
    Schedule,
    /// A call from outside.
    Webhook,
    /// The success of other pipelines.
    Upstream,
    /// Files that have arrived.
    Files,
}

impl Trigger {
    pub(crate) const ALL: [Self; 7] =
        [Self::Client, Self::Manual, Self::Api, Self::Schedule, Self::Webhook, Self::Upstream, Self::Files];

    /// As it is stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Manual => "manual",
            Self::Api => "api",
            Self::Schedule => "schedule",
            Self::Webhook => "webhook",
            Self::Upstream => "upstream",
            Self::Files => "files",
        }
    }
}

impl FromStr for Trigger {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let all = Self::ALL.map(|one| format!("`{}`", one.as_str())).join(", ");
        let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of {all}"))
    }
}

/// What begins one run, and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Tick(Tick),
    /// The id of an event of a trigger.
    Firing(String),
}

impl Origin {
    /// The time of a schedule that it is for.
    pub(crate) fn tick(&self) -> Option<&Tick> {
        match &self.cause {
            Some(Cause::Tick(tick)) => Some(tick),
            _ => None,
        }
    }
}

/// One time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick {
    pub schedule: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// Uses up what a run begins for. It is there once, and goes in the transaction that lets the run begin.
pub(super) async fn take(tx: &mut Transaction<'static, Any>, cause: Option<&Cause>, run: &RunId) -> Result<()> {
    let (used, by) = match cause {
        None => return Ok(()),
        Some(Cause::Tick(tick)) => {
            let delete = sqlx::query("delete from tick where schedule = $1 and at = $2");
            (delete.bind(tick.schedule.clone()).bind(tick.at), format!("schedule `{}`", tick.schedule))
        }
        Some(Cause::Firing(id)) => {
            let update = sqlx::query("update firing set run = $1 where id = $2 and run is null");
            (update.bind(run.as_str().to_owned()).bind(id.clone()), format!("event `{id}`"))
        }
    };
    let done = used.execute(&mut **tx).await.map_err(doing("use up what a run begins for"))?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::Ticked { by }) }
}

pub(super) fn decode(row: &AnyRow) -> Result<Origin> {
    let tick = (get::<Option<String>>(row, "schedule")?).zip(get::<Option<i64>>(row, "tick")?);
    Ok(Origin {
        organization: get(row, "organization")?,
        pipeline: get(row, "stored_pipeline")?,
        revision: get(row, "revision")?,
        transformation: get(row, "transformation")?,
        cause: tick.map(|(schedule, at)| Cause::Tick(Tick { schedule, at })),
        trigger: get_word(row, "began_by")?,
        priority: Priority::of_number(get(row, "priority")?),
    })
}
