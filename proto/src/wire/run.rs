//! Runs as they cross the wire.

use prost_types::Timestamp as WireTime;

use super::{Unknown, from_word, some, v1, word};
use crate::code::Failure;
use crate::control::{Standing, TestResult};
use crate::drift::SchemaChange;
use crate::id::{BlockId, RunId, SegmentId};
use crate::run::{BlockView, Bottleneck, EdgeView, RunEvent, RunOptions, RunSummary, RunView, SegmentView, Timestamp};

const MILLIS_PER_SECOND: i64 = 1_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

fn to_time(millis: i64) -> WireTime {
    let nanos = millis.rem_euclid(MILLIS_PER_SECOND) * NANOS_PER_MILLI;
    // Below a second's thousand million, which an i32 holds.
    WireTime { seconds: millis.div_euclid(MILLIS_PER_SECOND), nanos: i32::try_from(nanos).unwrap_or_default() }
}

fn to_millis(time: WireTime) -> i64 {
    time.seconds.saturating_mul(MILLIS_PER_SECOND).saturating_add(i64::from(time.nanos) / NANOS_PER_MILLI)
}

fn texts(ids: &[BlockId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn ids(texts: Vec<String>) -> Vec<BlockId> {
    texts.into_iter().map(BlockId::new).collect()
}

impl From<&RunView> for v1::Run {
    fn from(view: &RunView) -> Self {
        Self {
            run_id: view.run_id.to_string(),
            pipeline: view.pipeline.clone(),
            state: word(&view.state),
            started_at: Some(to_time(view.started_at.0)),
            finished_at: view.finished_at.map(|t| to_time(t.0)),
            cpu_seconds: view.cpu_seconds,
            peak_memory_bytes: view.peak_memory_bytes,
            continued: view.continued,
            blocks: view.blocks.iter().map(|(id, block)| from_block(id, block)).collect(),
            segments: view.segments.iter().map(|(id, segment)| from_segment(id, segment)).collect(),
            tests: view.tests.iter().map(Into::into).collect(),
            schema_changes: view.schema_changes.iter().map(Into::into).collect(),
            published: texts(&view.published),
            error: view.error.as_ref().map(Into::into),
            edges: view.edges.iter().map(Into::into).collect(),
            bottleneck: view.bottleneck.as_ref().map(Into::into),
            waiting: view.waiting.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::Run> for RunView {
    type Error = Unknown;

    fn try_from(run: v1::Run) -> Result<Self, Unknown> {
        let blocks = run.blocks.into_iter().map(to_block).collect::<Result<_, _>>()?;
        let segments = run.segments.into_iter().map(to_segment).collect::<Result<_, _>>()?;
        Ok(Self {
            run_id: RunId::new(run.run_id),
            pipeline: run.pipeline,
            state: from_word("state of a run", run.state)?,
            started_at: Timestamp(to_millis(run.started_at.unwrap_or_default())),
            finished_at: run.finished_at.map(|t| Timestamp(to_millis(t))),
            cpu_seconds: run.cpu_seconds,
            peak_memory_bytes: run.peak_memory_bytes,
            continued: run.continued,
            blocks,
            segments,
            tests: run.tests.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            schema_changes: run.schema_changes.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            published: ids(run.published),
            error: run.error.map(TryInto::try_into).transpose()?,
            edges: run.edges.into_iter().map(Into::into).collect(),
            bottleneck: run.bottleneck.map(Into::into),
            waiting: Some(run.waiting).filter(|waiting| !waiting.is_empty()),
        })
    }
}

fn from_block(id: &BlockId, block: &BlockView) -> v1::BlockRun {
    v1::BlockRun {
        block: id.to_string(),
        state: word(&block.state),
        segment: block.segment.to_string(),
        rows_in: block.rows_in,
        rows_out: block.rows_out,
        rows_quarantined: block.rows_quarantined,
        rows_discarded: block.rows_discarded,
        bytes_out: block.bytes_out,
        bytes_spilled: block.bytes_spilled,
        seconds: block.seconds,
        attempts: block.attempts,
        busy_ms: block.busy_ms,
        waiting_ms: block.waiting_ms,
        blocked_ms: block.blocked_ms,
    }
}

fn to_block(block: v1::BlockRun) -> Result<(BlockId, BlockView), Unknown> {
    let view = BlockView {
        state: from_word("state of a block", block.state)?,
        segment: SegmentId::new(block.segment),
        rows_in: block.rows_in,
        rows_out: block.rows_out,
        rows_quarantined: block.rows_quarantined,
        rows_discarded: block.rows_discarded,
        bytes_out: block.bytes_out,
        bytes_spilled: block.bytes_spilled,
        seconds: block.seconds,
        attempts: block.attempts,
        busy_ms: block.busy_ms,
        waiting_ms: block.waiting_ms,
        blocked_ms: block.blocked_ms,
    };
    Ok((BlockId::new(block.block), view))
}

fn from_segment(id: &SegmentId, segment: &SegmentView) -> v1::SegmentRun {
    v1::SegmentRun {
        segment: id.to_string(),
        state: word(&segment.state),
        output: word(&segment.output),
        blocks: texts(&segment.blocks),
        attempts: segment.attempts,
        stalled: segment.stalled.clone().unwrap_or_default(),
        standing: segment.standing.iter().map(Into::into).collect(),
        failure: segment.failure.as_ref().map(Into::into),
    }
}

fn to_segment(segment: v1::SegmentRun) -> Result<(SegmentId, SegmentView), Unknown> {
    let view = SegmentView {
        state: from_word("state of a segment", segment.state)?,
        output: from_word("output of a segment", segment.output)?,
        blocks: ids(segment.blocks),
        attempts: segment.attempts,
        stalled: some(segment.stalled),
        standing: segment.standing.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        failure: segment.failure.map(TryInto::try_into).transpose()?,
    };
    Ok((SegmentId::new(segment.segment), view))
}

impl From<&Standing> for v1::Standing {
    fn from(standing: &Standing) -> Self {
        Self {
            executor: standing.executor.clone(),
            block: standing.block.to_string(),
            stream: standing.stream as u64,
            activity: word(&standing.activity),
            ms: standing.ms,
        }
    }
}

impl TryFrom<v1::Standing> for Standing {
    type Error = Unknown;

    fn try_from(standing: v1::Standing) -> Result<Self, Unknown> {
        Ok(Self {
            executor: standing.executor,
            block: BlockId::new(standing.block),
            stream: usize::try_from(standing.stream).unwrap_or(usize::MAX),
            activity: from_word("activity of an operator", standing.activity)?,
            ms: standing.ms,
        })
    }
}

impl From<&EdgeView> for v1::Edge {
    fn from(edge: &EdgeView) -> Self {
        Self {
            from: edge.from.to_string(),
            to: edge.to.to_string(),
            rows: edge.rows,
            bytes: edge.bytes,
            empty_ms: edge.empty_ms,
            full_ms: edge.full_ms,
        }
    }
}

impl From<v1::Edge> for EdgeView {
    fn from(edge: v1::Edge) -> Self {
        Self {
            from: BlockId::new(edge.from),
            to: BlockId::new(edge.to),
            rows: edge.rows,
            bytes: edge.bytes,
            empty_ms: edge.empty_ms,
            full_ms: edge.full_ms,
        }
    }
}

impl From<&Bottleneck> for v1::Bottleneck {
    fn from(bottleneck: &Bottleneck) -> Self {
        Self { block: bottleneck.block.to_string(), share: bottleneck.share, text: bottleneck.text.clone() }
    }
}

impl From<v1::Bottleneck> for Bottleneck {
    fn from(bottleneck: v1::Bottleneck) -> Self {
        Self { block: BlockId::new(bottleneck.block), share: bottleneck.share, text: bottleneck.text }
    }
}

impl From<&TestResult> for v1::TestResult {
    fn from(test: &TestResult) -> Self {
        Self {
            block: test.block.to_string(),
            test: test.test.clone(),
            passed: test.passed,
            failures: test.failures,
            severity: word(&test.severity),
            samples: test.samples.clone(),
        }
    }
}

impl TryFrom<v1::TestResult> for TestResult {
    type Error = Unknown;

    fn try_from(test: v1::TestResult) -> Result<Self, Unknown> {
        Ok(Self {
            block: BlockId::new(test.block),
            test: test.test,
            passed: test.passed,
            failures: test.failures,
            severity: from_word("severity of a test", test.severity)?,
            samples: test.samples,
        })
    }
}

impl From<&SchemaChange> for v1::SchemaChange {
    fn from(change: &SchemaChange) -> Self {
        Self {
            block: change.block.to_string(),
            column: change.column.clone(),
            before: change.before.clone().unwrap_or_default(),
            after: change.after.clone().unwrap_or_default(),
            policy: word(&change.policy),
        }
    }
}

impl TryFrom<v1::SchemaChange> for SchemaChange {
    type Error = Unknown;

    fn try_from(change: v1::SchemaChange) -> Result<Self, Unknown> {
        Ok(Self {
            block: BlockId::new(change.block),
            column: change.column,
            before: some(change.before),
            after: some(change.after),
            policy: from_word("schema policy", change.policy)?,
        })
    }
}

impl From<&Failure> for v1::Failure {
    fn from(failure: &Failure) -> Self {
        let block = failure.block.as_ref().map(ToString::to_string).unwrap_or_default();
        Self { class: word(&failure.class), block, message: failure.message.clone() }
    }
}

impl TryFrom<v1::Failure> for Failure {
    type Error = Unknown;

    fn try_from(failure: v1::Failure) -> Result<Self, Unknown> {
        let class = from_word("class of a failure", failure.class)?;
        let block = some(failure.block).map(BlockId::new);
        Ok(Self { block, ..Self::new(class, failure.message) })
    }
}

impl From<&RunSummary> for v1::RunSummary {
    fn from(run: &RunSummary) -> Self {
        Self {
            run_id: run.id.to_string(),
            pipeline: run.pipeline.clone(),
            hash: run.hash.clone(),
            full_refresh: run.options.full_refresh,
            is_part: run.options.is_part,
            state: word(&run.state),
            failure: run.failure.as_ref().map(Into::into),
            created_at: Some(to_time(run.created_at)),
            started_at: Some(to_time(run.started_at)),
            finished_at: run.finished_at.map(to_time),
        }
    }
}

impl TryFrom<v1::RunSummary> for RunSummary {
    type Error = Unknown;

    fn try_from(run: v1::RunSummary) -> Result<Self, Unknown> {
        Ok(Self {
            id: RunId::new(run.run_id),
            pipeline: run.pipeline,
            hash: run.hash,
            options: RunOptions { full_refresh: run.full_refresh, is_part: run.is_part },
            state: from_word("state of a run", run.state)?,
            failure: run.failure.map(TryInto::try_into).transpose()?,
            created_at: to_millis(run.created_at.unwrap_or_default()),
            started_at: to_millis(run.started_at.unwrap_or_default()),
            finished_at: run.finished_at.map(to_millis),
        })
    }
}

impl From<&RunEvent> for v1::RunEvent {
    fn from(event: &RunEvent) -> Self {
        Self {
            seq: event.seq,
            at: Some(to_time(event.at)),
            kind: event.kind.clone(),
            detail_json: event.detail.to_string(),
        }
    }
}

impl TryFrom<v1::RunEvent> for RunEvent {
    type Error = Unknown;

    fn try_from(event: v1::RunEvent) -> Result<Self, Unknown> {
        let detail = serde_json::from_str(&event.detail_json)
            .map_err(|_| Unknown { what: "detail of an event", text: event.detail_json })?;
        Ok(Self { seq: event.seq, at: to_millis(event.at.unwrap_or_default()), kind: event.kind, detail })
    }
}
