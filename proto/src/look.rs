//! Looking without touching: what a pipeline would do, and rows of a block.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use crate::code::Failure;
use crate::control::{Output, Segment};
use crate::drift::SchemaChange;
use crate::id::BlockId;
use crate::pipeline::{ConnectionSpec, Pipeline, Reference, Unsealed};
use crate::tables::{Sample, Table};

/// The largest preview: more rows than anybody looks at, and less than a message may have.
pub const PREVIEW_BYTES_MAX: usize = 16 << 20;
/// Files that a place may mean where they are told: some megabytes.
pub const FILES_MAX: usize = 10_000;
/// How long an executor lists a place.
pub const FILES_LIMIT: Duration = Duration::from_secs(30);

/// What one segment would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentPlan {
    pub segment: String,
    pub output: Output,
    /// The blocks it runs, in order.
    pub blocks: Vec<BlockId>,
    /// Boundaries it reads.
    pub inputs: Vec<BlockId>,
    /// Segments it waits for.
    pub after: Vec<String>,
    /// The operators by block; a source's line shows what is sent to it.
    pub operators: Vec<Operators>,
    /// The target, the way of writing, and what would change in its schema.
    pub target: Option<String>,
    /// The columns of the target with the rule of each, where the load has a `map`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<(String, String)>,
    /// Columns that come out: name and Arrow type.
    pub columns: Vec<(String, String)>,
    /// How its sources differ from what was read last.
    pub schema_changes: Vec<SchemaChange>,
}

/// The operators of one block, outermost first, each line indented by its depth inside the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Operators {
    /// `None` for what stands above all blocks: gathering for the target.
    pub block: Option<BlockId>,
    pub lines: Vec<String>,
    pub partitions: usize,
}

/// What a connection was found to lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// As the server says it itself.
    pub version: String,
}

/// Why a connection leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFound {
    /// In the words of the server, where it has said something.
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
}

/// A file as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Below what the connection leads to.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Another one where it was written again: what the system itself calls its state, and when it was written.
    pub version: String,
}

/// How rows to look at are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsForm {
    /// As one Arrow IPC stream of at most [`PREVIEW_BYTES_MAX`].
    Arrow,
    /// As a [`Sample`] in JSON, of at most [`crate::tables::SAMPLE_BYTES_MAX`].
    Text,
}

/// Who can look: an executor, which reaches sources and targets. Nothing here writes anywhere, and all of it may be asked
/// again.
#[async_trait]
pub trait Inspector: Send + Sync {
    /// Plans every segment in order, as a first run would read, and compares each source with what its extract is
    /// `remembered` to have read. `secrets` are those of the pipeline's connections that lie in a vault.
    async fn plan(
        &self,
        pipeline: &Pipeline,
        segments: &[Segment],
        remembered: &BTreeMap<BlockId, Value>,
        secrets: &Unsealed,
    ) -> Result<Vec<SegmentPlan>, Failure>;
    /// The first `count` rows of `block`, computed from the sources up to it; a `load` shows what it would write.
    async fn preview(
        &self,
        pipeline: &Pipeline,
        block: &BlockId,
        (count, form): (usize, RowsForm),
        secrets: &Unsealed,
    ) -> Result<Vec<u8>, Failure>;
    /// Really signs in, within 5 s. The failure is of looking itself: there is nobody who could.
    async fn test(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
    ) -> Result<Result<Found, NotFound>, Failure>;
    /// Tells all tables of a system that can be read, some at a time, into `pages`; ends early where nobody takes them.
    async fn discover(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
        pages: mpsc::Sender<Vec<Table>>,
    ) -> Result<(), Failure>;
    /// The first `count` rows of what `from` names, within [`crate::tables::SAMPLE_LIMIT`].
    async fn sample(
        &self,
        connection: &ConnectionSpec,
        from: &Reference,
        count: usize,
        secrets: &Unsealed,
    ) -> Result<Sample, Failure>;
    /// The files that `place` means now, sorted by path, at most [`FILES_MAX`]: none is no failure.
    async fn files(
        &self,
        connection: &ConnectionSpec,
        place: &Reference,
        secrets: &Unsealed,
    ) -> Result<Vec<FileState>, Failure>;
}
