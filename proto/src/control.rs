//! The conversation about one attempt of one segment: the coordinator asks, the executor does and reports.
//!
//! In one process these structs go through a channel; between machines the same structs cross the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::code::{Class, Failure};
use crate::drift::SchemaChange;
use crate::id::{BlockId, ExecutorId, RunId, SegmentId, Token};
use crate::log::{Page, Query};
use crate::pipeline::{Block, ConnectionSpec, Unsealed};
use crate::quarantine;

/// A set of blocks joined by stream edges: the unit of scheduling and retry. A tree with one root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The root block's id.
    pub id: SegmentId,
    /// In topological order; the root is last.
    pub blocks: Vec<Block>,
    /// Blocks of earlier segments whose boundaries this one reads.
    pub inputs: Vec<BlockId>,
    /// Segments that must be committed before this one starts: those of `inputs`, of `after:`, and the data tests that
    /// gate a load.
    pub upstream: Vec<SegmentId>,
    /// Its extracts whose rows reach no load that appends: rows at the last position may be read again.
    #[serde(default)]
    pub rereads: BTreeSet<BlockId>,
    /// Whether the load's target must be there already: an extract behind it lets no table be made.
    #[serde(default)]
    pub frozen: bool,
    pub output: Output,
}

/// What becomes of the root's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Parquet parts in object storage, read by later segments.
    Boundary,
    /// The root is a `load`: staged, then published by one commit.
    Sink,
    /// The root is an `in_database` block: a statement inside the database, staged and published like a sink.
    Relation,
    /// The root is a `test`: no rows, only results.
    Verdict,
}

impl Output {
    /// Whether a commit makes something visible in a target.
    pub fn publishes(self) -> bool {
        matches!(self, Self::Sink | Self::Relation)
    }
}

/// Who an attempt is: written into every staging name and every commit row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    pub pipeline: String,
    pub run: RunId,
    pub segment: SegmentId,
    pub token: Token,
}

/// All that an executor needs for any step of an attempt, also after a restart of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptSpec {
    pub id: AttemptId,
    pub segment: Segment,
    /// By name, with secrets as references only.
    pub connections: IndexMap<String, ConnectionSpec>,
    /// What those references name in a service's vault. Whoever keeps an attempt keeps it [`AttemptSpec::without_secrets`].
    #[serde(default, skip_serializing_if = "Unsealed::is_empty")]
    pub secrets: Unsealed,
    /// The committed boundaries of `segment.inputs`.
    pub inputs: BTreeMap<BlockId, Manifest>,
    /// Where each incremental extract of this segment starts; missing means from the beginning.
    pub positions: BTreeMap<BlockId, Position>,
    /// What each extract of this segment read last, as [`Prepared::schemas`] had it; missing means that nothing is
    /// remembered.
    pub schemas: BTreeMap<BlockId, Value>,
    /// What sinks write beside their commit: the positions of every extract that fed them.
    pub carried: BTreeMap<BlockId, Position>,
    /// Bytes that the whole process may use; `None` takes the executor's default.
    pub memory: Option<u64>,
    /// Other executors that the one which works on the attempt may have tasks of it done by: named once it has asked.
    #[serde(default)]
    pub helpers: Vec<Helper>,
    /// Where executors were reached that earlier attempts lost on the way: they do not help with this one.
    #[serde(default)]
    pub avoided: BTreeSet<String>,
    /// Whether an attempt before this one had too little memory, so that this one is to use less from its beginning.
    #[serde(default)]
    pub thrifty: bool,
}

impl AttemptSpec {
    /// All but what was opened of a vault for it.
    pub fn without_secrets(&self) -> Self {
        Self { secrets: Unsealed::default(), ..self.clone() }
    }
}

/// An executor that may take part in an attempt that another one leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    pub id: ExecutorId,
    /// Where it is reached: `http://host:port`.
    pub url: String,
}

/// Immutable, durable output of one attempt: which parts, and how many rows they must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Arrow schema as JSON, so that a reader can plan without opening a part.
    pub schema: Value,
    pub parts: Vec<Part>,
}

impl Manifest {
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|p| p.rows).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.bytes).sum()
    }
}

/// One written piece: a Parquet file of a boundary, a staged table's share, a file of a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Path below the object storage's root, or the sink's own name for the piece.
    pub uri: String,
    pub rows: u64,
    pub bytes: u64,
    /// CRC-32 of the written bytes; 0 where the target keeps no bytes of ours.
    pub crc: u32,
    /// What its writer tells the sink's `prepare`, perhaps in another process; null after that.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub note: Value,
}

/// The greatest cursor value that a finished read has seen, with nothing of its precision lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub column: String,
    /// Arrow data type, as Arrow prints it.
    pub data_type: String,
    /// The value as Arrow's cast to text prints it; casts back to the same value.
    pub value: String,
}

/// What an attempt has to show once all its private effects are complete and durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Rows and bytes per part; a boundary's manifest, or what a sink staged.
    pub manifest: Option<Manifest>,
    /// A sink's own notes, needed to publish after a restart: staging names, upload ids. Never a secret.
    pub staged: Option<Value>,
    pub tests: Vec<TestResult>,
    /// Where the next run of each incremental extract in this segment starts.
    pub positions: BTreeMap<BlockId, Position>,
    /// The columns that each extract in this segment read: Arrow schemas as JSON, like [`Manifest::schema`].
    #[serde(default)]
    pub schemas: BTreeMap<BlockId, Value>,
    /// How they differ from what was remembered.
    #[serde(default)]
    pub schema_changes: Vec<SchemaChange>,
    pub blocks: BTreeMap<BlockId, Meter>,
}

/// One data test's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestResult {
    pub block: BlockId,
    /// As a person would name it: `unique(customer_id)`.
    pub test: String,
    pub passed: bool,
    /// Rows that break the test.
    pub failures: u64,
    /// `error` stops every load behind the tested block; `warn` only reports.
    pub severity: Severity,
    /// Up to five offending rows or values, as text.
    pub samples: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    #[default]
    Error,
    Warn,
}

/// Counters of one block in one attempt. They count what the optimised plan moved: rows that were filtered at the
/// source never reached a block and are not in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_quarantined: u64,
    /// Rows that an extract left out because a column's change cost them a value (`schema: discard_row`).
    #[serde(default)]
    pub rows_discarded: u64,
    pub bytes_out: u64,
    /// What its sorts, joins and aggregates wrote to local disk because memory was not enough.
    #[serde(default)]
    pub bytes_spilled: u64,
    /// How many streams of its rows there were, or of those that it writes: what the times below are sums over.
    #[serde(default)]
    pub streams: u64,
    /// Milliseconds spent computing, or giving rows to a target, summed over partitions.
    pub busy_ms: u64,
    /// Milliseconds spent waiting for input, summed over partitions.
    pub waiting_ms: u64,
    /// Milliseconds spent waiting for the consumer, summed over partitions.
    pub blocked_ms: u64,
    /// The edges that its rows come over, by the blocks at their other ends.
    #[serde(default)]
    pub inputs: BTreeMap<BlockId, EdgeMeter>,
}

/// Counters of one edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeMeter {
    pub rows: u64,
    pub bytes: u64,
    /// Milliseconds for which nothing came over it, summed over partitions.
    pub empty_ms: u64,
    /// Milliseconds for which rows lay ready that were not taken, summed over partitions.
    pub full_ms: u64,
}

/// What an operator is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    Computing,
    /// Its input has nothing for it.
    Waiting,
    /// Its consumer does not ask for more.
    Blocked,
    /// Its target, or a boundary's storage, takes rows.
    Writing,
    /// What was written is being made durable.
    Finishing,
}

/// One operator of an attempt in which nothing moves: a stream of a block's rows, or of rows that are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OperatorStanding)]
pub struct Standing {
    /// The address of its executor; empty where that has none, for it is alone.
    pub executor: String,
    pub block: BlockId,
    /// Its place among the block's operators there, from 0.
    pub stream: usize,
    pub activity: Activity,
    /// Milliseconds for which it has done nothing else.
    pub ms: u64,
}

/// What an attempt has used of the machines so far, helpers included; publishing is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Milliseconds of CPU, user and system, of all executors that take part. What a process uses is shared out among the
    /// attempts that are under way in it, by the time that their blocks compute.
    pub cpu_ms: u64,
    /// The greatest resident memory in bytes of any one process that takes part, while it does: what `memory:` limits.
    /// Looked at once a second, and exact where the process was never as large before.
    pub peak_bytes: u64,
}

impl Activity {
    /// What an operator of whom it is said does, as a person would say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Computing => "computes",
            Self::Waiting => "waits for its input",
            Self::Blocked => "waits for its rows to be taken",
            Self::Writing => "waits for its target to take rows",
            Self::Finishing => "waits for its target to finish",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.ms as f64 / 1000.0;
        write!(f, "`{}` ({}) {} for {seconds:.1} s", self.block, self.stream, self.activity.as_str())?;
        match self.executor.is_empty() {
            true => Ok(()),
            false => write!(f, " at {}", self.executor),
        }
    }
}

impl Cost {
    /// Both together: times add up, of peaks the greater one counts.
    pub fn and(self, other: Self) -> Self {
        Self { cpu_ms: self.cpu_ms + other.cpu_ms, peak_bytes: self.peak_bytes.max(other.peak_bytes) }
    }

    /// The later of two reports about the same, whichever that is: both figures only grow.
    pub fn latest(self, other: Self) -> Self {
        Self { cpu_ms: self.cpu_ms.max(other.cpu_ms), peak_bytes: self.peak_bytes.max(other.peak_bytes) }
    }
}

/// What an executor tells of an attempt. Events of one attempt arrive in order; those of an old token are dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptEvent {
    pub run: RunId,
    pub segment: SegmentId,
    pub token: Token,
    /// What it has used so far, as far as whoever tells knows.
    #[serde(default)]
    pub cost: Cost,
    /// What its blocks have counted so far; empty where whoever tells knows nothing of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blocks: BTreeMap<BlockId, Meter>,
    /// The id of the executor that tells it, as its coordinator knows it; `None` where that is the coordinator's own process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    pub kind: AttemptEventKind,
}

impl AttemptEvent {
    /// From this process, which knows nothing of what the attempt has used and counted.
    pub fn new(run: RunId, segment: SegmentId, token: Token, kind: AttemptEventKind) -> Self {
        Self { run, segment, token, cost: Cost::default(), blocks: BTreeMap::new(), executor: None, kind }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEventKind {
    /// Once a second while it runs.
    Progress {
        /// Set when nothing moved for 30 s: where, in one sentence.
        stalled: Option<String>,
        /// What every operator does, on all executors; while nothing moves only.
        #[serde(default)]
        standing: Vec<Standing>,
    },
    /// So many other executors would be worth having tasks done by; 0 gives back those that were named. Heard by whoever
    /// shares out executors: a run hears nothing of it.
    NeedsHelp {
        most: usize,
    },
    Prepared(Box<Prepared>),
    /// Published; idempotent, so it may come twice.
    Committed,
    /// What was prepared is gone (a transaction that died with its process), or the attempt itself is; nothing of it is
    /// visible.
    Lost,
    /// Every staged effect of the attempt is gone.
    Discarded,
    Failed(Failure),
}

/// The boundary of one attempt as it lies in object storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundaryFolder {
    pub run: RunId,
    pub segment: SegmentId,
    pub token: Token,
    /// Milliseconds since its newest file was written.
    pub age_ms: u64,
}

/// The executor's end, as the coordinator sees it. Every call returns once the work is accepted; results come as
/// [`AttemptEvent`]s. Each call may be repeated: the effect of the second is that of the first.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Runs the attempt up to `Prepared`. Nothing it does is visible to anyone else.
    async fn start(&self, attempt: AttemptSpec) -> Result<(), Failure>;
    /// Tells from now on of an attempt that an earlier coordinator started; answers `Lost` where nobody has it. Starts
    /// nothing. What runs in the process of its coordinator ends with it, so that there is nothing to be found.
    async fn reattach(&self, attempt: AttemptSpec) -> Result<(), Failure> {
        Err(Failure::new(Class::LostExecutor, format!("attempt {} ended with its process", attempt.id.token)))
    }
    /// Publishes what `prepared` says was staged; answers `Committed` or `Lost`. `Failed` of class `user` means that the
    /// target refused and nothing is visible; after `Failed` of any other class the outcome is unknown, and the same
    /// commit is asked for again.
    async fn commit(&self, attempt: AttemptSpec, prepared: Prepared) -> Result<(), Failure>;
    /// Removes whatever the attempt staged, finished or not; answers `Discarded`. Never touches what was published.
    async fn discard(&self, attempt: AttemptSpec) -> Result<(), Failure>;
    /// Removes every boundary of a run that nobody will read again; returns when it is done. A run of which nothing is
    /// left is no error.
    async fn forget(&self, run: RunId) -> Result<(), Failure>;
    /// Every attempt's boundary that lies in object storage, whole or not.
    async fn boundaries(&self) -> Result<Vec<BoundaryFolder>, Failure>;
    /// Removes these boundaries; returns when it is done. One of which nothing is left is no error.
    async fn sweep(&self, folders: Vec<BoundaryFolder>) -> Result<(), Failure>;
    /// Says that of all attempts up to the token `until` only those of `runs` may still begin: the others need not be
    /// remembered any more, and are refused.
    async fn retain(&self, runs: BTreeSet<RunId>, until: Token) -> Result<(), Failure>;
    /// Lines that executors have written of a run.
    async fn log(&self, query: Query) -> Result<Page, Failure>;
    /// Rows that executors have put aside in a run.
    async fn quarantined(&self, query: quarantine::Query) -> Result<quarantine::Page, Failure>;
    /// Removes the logs of runs that were made before this one, and the rows that they put aside; gives how many runs
    /// with a log that were.
    async fn sweep_logs(&self, before: RunId) -> Result<usize, Failure>;
    /// Makes durable what is still to be said of runs, where that is done in this process: it is about to end.
    async fn close(&self) {}
    /// Ends a running attempt; answers `Failed(cancelled)` within `limit`.
    async fn cancel(&self, run: RunId, token: Token, limit: Duration) -> Result<(), Failure>;
}
