//! What went wrong, in words that the engine, the command line and scripts share.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::BlockId;

/// The sort of a failure. It alone decides whether an attempt is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The pipeline, its settings or its data are wrong; trying again cannot help.
    User,
    /// A data test of severity `error` did not pass.
    DataTest,
    /// The source did not answer or broke off.
    SourceTransient,
    /// The target or the object storage did not answer or broke off.
    SinkTransient,
    /// Memory or disk within the run's limits was not enough.
    Resource,
    /// A panic inside an operator.
    Panic,
    /// The ledger of a segment misses rows that its operators counted.
    Truncated,
    /// Another attempt with a greater token has taken over.
    Fenced,
    /// A person or a signal asked for the end.
    Cancelled,
    /// No progress, and no declared long operation, for the stall limit.
    Stalled,
    /// The executor that worked on it is gone or out of reach, or there is none.
    LostExecutor,
    /// A fault of FlowETL itself.
    Internal,
}

/// How often an attempt that failed with a class may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Never,
    Once,
    /// As often as the pipeline's `retries:` allow.
    AsConfigured,
}

impl Class {
    pub fn retry(self) -> Retry {
        match self {
            Self::SourceTransient | Self::SinkTransient | Self::LostExecutor => Retry::AsConfigured,
            Self::Truncated | Self::Stalled => Retry::Once,
            // One process has no other executor with more memory, and would meet the same panic again.
            Self::Resource | Self::Panic => Retry::Never,
            Self::User | Self::DataTest | Self::Fenced | Self::Cancelled | Self::Internal => Retry::Never,
        }
    }

    /// Whether an attempt that was told to end fails like this.
    pub fn is_early_end(self) -> bool {
        matches!(self, Self::Cancelled | Self::LostExecutor)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::DataTest => "data_test",
            Self::SourceTransient => "source_transient",
            Self::SinkTransient => "sink_transient",
            Self::Resource => "resource",
            Self::Panic => "panic",
            Self::Truncated => "truncated",
            Self::Fenced => "fenced",
            Self::Cancelled => "cancelled",
            Self::Stalled => "stalled",
            Self::LostExecutor => "lost_executor",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure as it travels and as people read it: the sort, the block, what happened, and why, outermost first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, ToSchema)]
#[error("{message}")]
pub struct Failure {
    pub class: Class,
    pub block: Option<BlockId>,
    /// One sentence, lowercase, no full stop, without any secret.
    pub message: String,
    /// Where the executor was reached that another one has lost on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Whether memory that was not enough may be enough for another attempt, one that uses less of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thriftily: bool,
}

impl Failure {
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, block: None, message: message.into(), lost: None, thriftily: false }
    }

    /// Names the block, unless one nearer to the cause was named before.
    pub fn in_block(mut self, block: &BlockId) -> Self {
        self.block.get_or_insert_with(|| block.clone());
        self
    }
}
