//! How a source's columns change between two runs, and what a pipeline says is to become of that.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::BlockId;

/// What becomes of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemaPolicy {
    /// It is taken.
    #[default]
    Evolve,
    /// It ends the run.
    Freeze,
    /// The rows come as before: without a new column, with nulls where a column or a value of the old type is missing.
    DiscardValue,
    /// As `DiscardValue`, but rows that would lose a value are left out.
    DiscardRow,
    /// It ends the run, which waits for a person.
    Pause,
}

impl SchemaPolicy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evolve => "evolve",
            Self::Freeze => "freeze",
            Self::DiscardValue => "discard_value",
            Self::DiscardRow => "discard_row",
            Self::Pause => "pause",
        }
    }
}

/// One column that differs from what its extract read last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaChange {
    pub block: BlockId,
    pub column: String,
    /// Arrow data type before, as Arrow prints it; `None` for a new column.
    pub before: Option<String>,
    /// The same now; `None` for a column that is gone.
    pub after: Option<String>,
    /// What became of it.
    pub policy: SchemaPolicy,
}

impl SchemaChange {
    /// The key of `schema:` that decides about it.
    pub fn key(&self) -> &'static str {
        if self.before.is_some() && self.after.is_some() { "types" } else { "columns" }
    }

    /// What is different, as a clause: ``column `x` (Utf8) is new``.
    pub fn difference(&self) -> String {
        let column = &self.column;
        match (&self.before, &self.after) {
            (None, Some(after)) => format!("column `{column}` ({after}) is new"),
            (Some(before), None) => format!("column `{column}` ({before}) is gone"),
            (before, after) => {
                let name = |t: &Option<String>| t.clone().unwrap_or_default();
                format!("column `{column}` was {} and is {}", name(before), name(after))
            }
        }
    }
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_new = self.before.is_none();
        let outcome = match (self.policy, &self.before, &self.after) {
            (SchemaPolicy::Freeze | SchemaPolicy::Pause, ..) => "the run ends",
            (SchemaPolicy::Evolve, _, None) => "rows come without it",
            (SchemaPolicy::Evolve, ..) => "it is taken",
            (_, Some(_), None) => "it is null",
            (SchemaPolicy::DiscardValue, ..) if is_new => "it is not read",
            (SchemaPolicy::DiscardValue, ..) => "values that do not fit the old type are null",
            (SchemaPolicy::DiscardRow, ..) if is_new => "rows with a value in it are left out",
            (SchemaPolicy::DiscardRow, ..) => "rows whose value does not fit the old type are left out",
        };
        write!(f, "{}: {outcome} ({}: {})", self.difference(), self.key(), self.policy.as_str())
    }
}
