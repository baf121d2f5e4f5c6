//! A run as people and programs look at it.

use chrono::{DateTime, SecondsFormat};
use flowetl_proto::code::Failure;
use flowetl_proto::control::{Meter, Output, TestResult};
use flowetl_proto::drift::SchemaChange;
use flowetl_proto::id::{BlockId, RunId, SegmentId};
use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::state::{AttemptPhase, AttemptState, Phase, RunState, SegmentPhase};

/// A point in time, in milliseconds since 1970; serialised as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = DateTime::from_timestamp_millis(self.0).map(|t| t.to_rfc3339_opts(SecondsFormat::Millis, true));
        text.serialize(serializer)
    }
}

/// A snapshot of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunView {
    pub run_id: RunId,
    pub pipeline: String,
    pub state: Phase,
    /// When it was started or resumed last.
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
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
}

/// How far a block or a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockView {
    pub state: BlockPhase,
    pub segment: SegmentId,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_quarantined: u64,
    pub rows_discarded: u64,
    pub bytes_out: u64,
    /// Wall time of the segment's newest attempt, from its start to its commit or to now.
    pub seconds: f64,
    pub attempts: u32,
    pub busy_ms: u64,
    pub waiting_ms: u64,
    pub blocked_ms: u64,
}

/// One segment of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentView {
    pub state: BlockPhase,
    pub output: Output,
    pub blocks: Vec<BlockId>,
    pub attempts: u32,
    /// Where nothing moves, in one sentence.
    pub stalled: Option<String>,
    /// Why the newest attempt did not win, or was not published yet.
    pub failure: Option<Failure>,
}

impl RunView {
    /// The run at the time `now`.
    pub(crate) fn of(state: &RunState, now: i64) -> Self {
        let mut blocks = IndexMap::new();
        for id in state.pipeline.blocks.keys() {
            let segment = state.segments.values().find(|s| s.spec.blocks.iter().any(|b| b.id == *id));
            if let Some(segment) = segment {
                blocks.insert(id.clone(), block(state, id, &segment.spec.id, now));
            }
        }
        let publishes = |o| matches!(o, Output::Sink | Output::Relation);
        let published = state.segments.values().filter(|s| publishes(s.spec.output) && state.is_committed(&s.spec.id));
        let newest = state.segments.keys().filter_map(|id| newest(state, id)?.prepared.as_ref());
        Self {
            run_id: state.id.clone(),
            pipeline: state.pipeline.name.clone(),
            state: state.phase,
            started_at: Timestamp(state.started_at),
            finished_at: state.finished_at.map(Timestamp),
            continued: state.continued,
            blocks,
            segments: state.segments.keys().map(|id| (id.clone(), segment(state, id))).collect(),
            tests: newest.clone().flat_map(|prepared| prepared.tests.clone()).collect(),
            schema_changes: newest.flat_map(|prepared| prepared.schema_changes.clone()).collect(),
            published: published.map(|s| BlockId::new(s.spec.id.as_str())).collect(),
            error: state.failure.clone(),
        }
    }
}

fn segment(state: &RunState, id: &SegmentId) -> SegmentView {
    let segment = &state.segments[id];
    let newest = newest(state, id);
    SegmentView {
        state: phase(segment.phase),
        output: segment.spec.output,
        blocks: segment.spec.blocks.iter().map(|b| b.id.clone()).collect(),
        attempts: newest.map_or(0, |a| a.number),
        stalled: newest.and_then(|a| a.stalled.clone()),
        failure: newest.and_then(|a| a.failure.clone()),
    }
}

fn block(state: &RunState, id: &BlockId, segment: &SegmentId, now: i64) -> BlockView {
    let newest = newest(state, segment);
    let meter = newest.map(|attempt| meter(attempt, id)).unwrap_or_default();
    let mut block_phase = phase(state.segments[segment].phase);
    let blamed = newest.and_then(|a| a.failure.as_ref()).and_then(|f| f.block.as_ref());
    let is_of_segment = |b: &BlockId| state.segments[segment].spec.blocks.iter().any(|of| of.id == *b);
    if block_phase == BlockPhase::Failed && blamed.is_some_and(|b| b != id && is_of_segment(b)) {
        block_phase = BlockPhase::Cancelled;
    }
    BlockView {
        state: block_phase,
        segment: segment.clone(),
        rows_in: meter.rows_in,
        rows_out: meter.rows_out,
        rows_quarantined: meter.rows_quarantined,
        rows_discarded: meter.rows_discarded,
        bytes_out: meter.bytes_out,
        seconds: newest.map_or(0.0, |a| (a.ended_at.unwrap_or(now) - a.started_at) as f64 / 1000.0),
        attempts: newest.map_or(0, |a| a.number),
        busy_ms: meter.busy_ms,
        waiting_ms: meter.waiting_ms,
        blocked_ms: meter.blocked_ms,
    }
}

fn meter(attempt: &AttemptState, block: &BlockId) -> Meter {
    let last = attempt.prepared.as_ref().and_then(|p| p.blocks.get(block)).or_else(|| attempt.live.get(block));
    last.cloned().unwrap_or_default()
}

/// The winner, else the attempt begun last.
fn newest<'a>(state: &'a RunState, segment: &SegmentId) -> Option<&'a AttemptState> {
    let mut of_segment = state.attempts.values().rev().filter(|a| a.segment == *segment);
    let won = of_segment.clone().find(|a| a.phase == AttemptPhase::Won);
    won.or_else(|| of_segment.next())
}

fn phase(phase: SegmentPhase) -> BlockPhase {
    match phase {
        SegmentPhase::Pending => BlockPhase::Pending,
        SegmentPhase::Running => BlockPhase::Running,
        SegmentPhase::RetryWait => BlockPhase::Retrying,
        SegmentPhase::Committing => BlockPhase::Committing,
        SegmentPhase::Committed => BlockPhase::Success,
        SegmentPhase::Failed => BlockPhase::Failed,
        SegmentPhase::Cancelled => BlockPhase::Cancelled,
        SegmentPhase::Skipped => BlockPhase::Skipped,
    }
}
