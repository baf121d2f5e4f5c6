//! Why something was not done for a person, in words for that person.

use flowetl_proto::pipeline::Problem;

use crate::Error;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// What was sent is wrong, and which field of it.
    #[error("{message}")]
    Wrong { field: &'static str, message: String },
    /// Nobody is known by what was shown.
    #[error("{0}")]
    Unknown(String),
    /// Whoever it is may not do this.
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    /// Something that is there stands against it.
    #[error("{0}")]
    Conflict(String),
    /// What was read before has changed since.
    #[error("{0}")]
    Changed(String),
    /// A pipeline file is wrong; every problem with its place.
    #[error("the pipeline is wrong: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Invalid(Vec<Problem>),
    /// The SQL of a transformation is wrong, with its place.
    #[error("the SQL is wrong: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    WrongSql(Vec<Problem>),
    /// What would be asked is not there just now.
    #[error("{0}")]
    Unavailable(String),
    /// Too many tries have failed.
    #[error("too many sign-ins have failed: try again in {} s", .wait_ms.div_euclid(1000) + 1)]
    TooOften { wait_ms: i64 },
    /// Too many sign in just now.
    #[error("too many sign in just now: try again")]
    Crowded,
    #[error("no executor is there yet to look at this")]
    NoExecutor,
    /// The fault is ours.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Refusal {
    pub(crate) fn wrong(field: &'static str, message: impl Into<String>) -> Self {
        Self::Wrong { field, message: message.into() }
    }
}
