//! A run's state as people and programs look at it.

use flowetl_proto::control::{Cost, Meter};
use flowetl_proto::id::{BlockId, SegmentId};
use flowetl_proto::run::{BlockPhase, BlockView, EdgeView, RunView, SegmentView, Timestamp};
use indexmap::IndexMap;

use super::bottleneck;
use super::state::{AttemptPhase, AttemptState, RunState, SegmentPhase};

/// The run at the time `now`.
pub(crate) fn view(state: &RunState, now: i64) -> RunView {
    let mut blocks = IndexMap::new();
    for id in state.pipeline.blocks.keys() {
        let segment = state.segments.values().find(|s| s.spec.blocks.iter().any(|b| b.id == *id));
        if let Some(segment) = segment {
            blocks.insert(id.clone(), block(state, id, &segment.spec.id, now));
        }
    }
    let published = state.segments.values().filter(|s| s.spec.output.publishes() && state.is_committed(&s.spec.id));
    let cost = state.attempts.values().fold(Cost::default(), |all, attempt| all.and(attempt.cost));
    let newest = state.segments.keys().filter_map(|id| newest(state, id)?.prepared.as_ref());
    RunView {
        run_id: state.id.clone(),
        pipeline: state.pipeline.name.clone(),
        state: state.phase,
        started_at: Timestamp(state.started_at),
        finished_at: state.finished_at.map(Timestamp),
        cpu_seconds: cost.cpu_ms as f64 / 1000.0,
        peak_memory_bytes: cost.peak_bytes,
        continued: state.continued,
        blocks,
        segments: state.segments.keys().map(|id| (id.clone(), segment(state, id))).collect(),
        tests: newest.clone().flat_map(|prepared| prepared.tests.clone()).collect(),
        schema_changes: newest.flat_map(|prepared| prepared.schema_changes.clone()).collect(),
        published: published.map(|s| BlockId::new(s.spec.id.as_str())).collect(),
        error: state.failure.clone(),
        edges: edges(state),
        bottleneck: bottleneck::bottleneck(state, now),
        waiting: state.waiting().map(str::to_owned),
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
        standing: newest.map(|a| a.standing.clone()).unwrap_or_default(),
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
        bytes_spilled: meter.bytes_spilled,
        seconds: newest.map_or(0.0, |a| (a.ended_at.unwrap_or(now) - a.started_at) as f64 / 1000.0),
        attempts: newest.map_or(0, |a| a.number),
        busy_ms: meter.busy_ms,
        waiting_ms: meter.waiting_ms,
        blocked_ms: meter.blocked_ms,
    }
}

/// In the order of the pipeline file; an edge of which nothing is known yet is left out.
fn edges(state: &RunState) -> Vec<EdgeView> {
    let mut edges = Vec::new();
    for to in state.pipeline.blocks.keys() {
        let segment = state.segments.values().find(|s| s.spec.blocks.iter().any(|b| b.id == *to));
        let Some(attempt) = segment.and_then(|s| newest(state, &s.spec.id)) else { continue };
        edges.extend(meter(attempt, to).inputs.into_iter().map(|(from, edge)| EdgeView {
            from,
            to: to.clone(),
            rows: edge.rows,
            bytes: edge.bytes,
            empty_ms: edge.empty_ms,
            full_ms: edge.full_ms,
        }));
    }
    edges
}

pub(super) fn meter(attempt: &AttemptState, block: &BlockId) -> Meter {
    let last = attempt.prepared.as_ref().and_then(|p| p.blocks.get(block)).or_else(|| attempt.counted.get(block));
    last.cloned().unwrap_or_default()
}

/// The winner, else the attempt begun last.
pub(super) fn newest<'a>(state: &'a RunState, segment: &SegmentId) -> Option<&'a AttemptState> {
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
