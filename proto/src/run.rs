//! A run as people and programs look at it, from wherever they look: what the service answers and `--json` prints.

use chrono::{DateTime, SecondsFormat};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;

use crate::code::Failure;
use crate::control::{Output, Standing, TestResult};
use crate::drift::SchemaChange;
use crate::id::{BlockId, RunId, SegmentId};

/// What is asked of a run beside its pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Incremental extracts read from the beginning, and sources are taken as they are now.
    pub full_refresh: bool,
    /// Runs only this block and what it needs.
    pub until: Option<BlockId>,
    /// Goes on with this run, which must be of the same pipeline version.
    pub resume: Option<RunId>,
}

/// Where a run stands.
///
/// ```text
/// running ──► success
///    ├──────► failing ────► failed
///    └──────► cancelling ─► cancelled
/// ```
///
/// A failing or cancelling run starts nothing more; it waits for what is under way. Only an explicit resume leads out of
/// an end state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Running,
    Failing,
    Cancelling,
    Success,
    Failed,
    Cancelled,
}

impl Phase {
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Cancelled)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failing => "failing",
            Self::Cancelling => "cancelling",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A point in time, in milliseconds since 1970; serialised as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(pub i64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = DateTime::from_timestamp_millis(self.0).map(|t| t.to_rfc3339_opts(SecondsFormat::Millis, true));
        text.serialize(serializer)
    }
}

/// A snapshot of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RunView {
    pub run_id: RunId,
    pub pipeline: String,
    pub state: Phase,
    /// When it was started or resumed last.
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// CPU time of all its attempts on all executors.
    pub cpu_seconds: f64,
    /// The greatest resident memory of any one executor while it worked for the run.
    pub peak_memory_bytes: u64,
    /// Whether an earlier process had begun it.
    pub continued: bool,
    /// In the order of the pipeline file.
    pub blocks: IndexMap<BlockId, BlockView>,
    /// In topological order.
    pub segments: IndexMap<SegmentId, SegmentView>,
    /// The newest result of every data test.
    pub tests: Vec<TestResult>,
    /// How sources differ from what was read of them before.
    pub schema_changes: Vec<SchemaChange>,
    /// Loads and in-database blocks that are visible in their targets; a run that did not succeed is partially applied
    /// where there are any.
    pub published: Vec<BlockId>,
    pub error: Option<Failure>,
    /// Where rows flow from block to block, in the order of the blocks that take them.
    pub edges: Vec<EdgeView>,
    /// What the run waits for most, or has waited for; `None` before that can be told, and for a run that is over at once.
    pub bottleneck: Option<Bottleneck>,
    /// What the run as a whole waits for, where it is that: `queued`, `waiting for unlock`.
    pub waiting: Option<String>,
}

/// One edge of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EdgeView {
    pub from: BlockId,
    pub to: BlockId,
    pub rows: u64,
    pub bytes: u64,
    /// Milliseconds for which nothing came over it, summed over streams.
    pub empty_ms: u64,
    /// Milliseconds for which rows lay ready that were not taken, summed over streams.
    pub full_ms: u64,
}

/// The block that all others of its segment wait for.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Bottleneck {
    pub block: BlockId,
    /// Of the segment's time, how much was spent by it: from 0 to 1.
    pub share: f64,
    /// All of it in one sentence.
    pub text: String,
}

/// How far a block or a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockPhase {
    Pending,
    Running,
    /// Its last attempt failed; the next one starts after a pause.
    Retrying,
    /// Everything is staged; the target is asked to publish.
    Committing,
    Success,
    Failed,
    Cancelled,
    Skipped,
}

/// One block of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BlockView {
    pub state: BlockPhase,
    pub segment: SegmentId,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_quarantined: u64,
    pub rows_discarded: u64,
    pub bytes_out: u64,
    /// What its sorts, joins and aggregates wrote to local disk because memory was not enough.
    pub bytes_spilled: u64,
    /// Wall time of the segment's newest attempt, from its start to its commit or to now.
    pub seconds: f64,
    pub attempts: u32,
    /// Milliseconds computing or writing, waiting for input, and waiting for the consumer: summed over streams.
    pub busy_ms: u64,
    pub waiting_ms: u64,
    pub blocked_ms: u64,
}

/// One segment of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SegmentView {
    pub state: BlockPhase,
    pub output: Output,
    pub blocks: Vec<BlockId>,
    pub attempts: u32,
    /// Where nothing moves, in one sentence.
    pub stalled: Option<String>,
    /// What each of its operators does then, on all executors.
    pub standing: Vec<Standing>,
    /// Why the newest attempt did not win, or was not published yet.
    pub failure: Option<Failure>,
}

/// What was asked of a run and is kept with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// Incremental extracts read from the beginning, and sources are taken as they are now.
    pub full_refresh: bool,
    /// Some blocks of the pipeline stay out, because it was to run until another.
    #[serde(default)]
    pub is_part: bool,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    pub id: RunId,
    pub pipeline: String,
    /// SHA-256 of the pipeline's canonical JSON.
    pub hash: String,
    pub options: RunOptions,
    pub state: Phase,
    pub failure: Option<Failure>,
    /// Milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// When it was started or resumed last.
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

/// One decision of a run, with what caused it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunEvent {
    /// 1 for a run's first.
    pub seq: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// What happened: `begun`, `prepared`, `failed`, ...
    pub kind: String,
    pub detail: Value,
}
