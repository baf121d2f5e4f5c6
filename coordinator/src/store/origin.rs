//! What a run is of, and what began it.

use std::str::FromStr;

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use utoipa::ToSchema;

use super::{doing, get, get_word};
use crate::{Error, Result};

/// Of what and why a run is; nothing of all that for a run of a file that is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub organization: Option<String>,
    /// The id of the stored pipeline.
    pub pipeline: Option<String>,
    pub revision: Option<i64>,
    pub tick: Option<Tick>,
    pub trigger: Trigger,
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
}

impl Trigger {
    pub(crate) const ALL: [Self; 4] = [Self::Client, Self::Manual, Self::Api, Self::Schedule];

    /// As it is stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Manual => "manual",
            Self::Api => "api",
            Self::Schedule => "schedule",
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

/// One time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick {
    pub schedule: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// Uses a tick up. It is there once, and goes in the transaction that lets its run begin.
pub(super) async fn take(tx: &mut Transaction<'static, Any>, tick: Option<&Tick>) -> Result<()> {
    let Some(tick) = tick else { return Ok(()) };
    let delete =
        sqlx::query("delete from tick where schedule = $1 and at = $2").bind(tick.schedule.clone()).bind(tick.at);
    let done = delete.execute(&mut **tx).await.map_err(doing("write a tick"))?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::Ticked { schedule: tick.schedule.clone() }) }
}

pub(super) fn decode(row: &AnyRow) -> Result<Origin> {
    let tick = (get::<Option<String>>(row, "schedule")?).zip(get::<Option<i64>>(row, "tick")?);
    Ok(Origin {
        organization: get(row, "organization")?,
        pipeline: get(row, "stored_pipeline")?,
        revision: get(row, "revision")?,
        tick: tick.map(|(schedule, at)| Tick { schedule, at }),
        trigger: get_word(row, "began_by")?,
    })
}
