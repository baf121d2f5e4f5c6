//! What a run waits with.

use flowetl_proto::id::RunId;
use flowetl_proto::pipeline::Pipeline;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which of an organization's waiting runs comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

impl Priority {
    /// As it is stored; what is none is `normal`.
    pub(crate) fn of_number(number: i64) -> Self {
        match number {
            ..0 => Self::Low,
            0 => Self::Normal,
            1.. => Self::High,
        }
    }

    /// What the file of a pipeline says.
    pub(crate) fn of_file(pipeline: &Pipeline) -> Self {
        let said = pipeline.service.get("priority").cloned();
        said.and_then(|said| serde_json::from_value(said).ok()).unwrap_or_default()
    }

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Low => -1,
            Self::Normal => 0,
            Self::High => 1,
        }
    }
}

/// A run that wants its turn.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub run: RunId,
    /// The id of the organization; empty where there is none yet.
    pub organization: String,
    /// Runs of the organization that may be under way at once.
    pub limit: Option<usize>,
    pub priority: Priority,
}
