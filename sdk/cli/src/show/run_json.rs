//! The one JSON object that `--json` prints for a run. Scripts rely on it: keys are only ever added.

use flowetl_proto::code::Failure;
use flowetl_proto::control::TestResult;
use flowetl_proto::drift::SchemaChange;
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::run::{BlockPhase, Bottleneck, EdgeView, Phase, RunView, Timestamp};
use indexmap::IndexMap;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct RunJson<'a> {
    run_id: &'a RunId,
    pipeline: &'a str,
    state: Phase,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    cpu_seconds: f64,
    peak_memory_bytes: u64,
    blocks: IndexMap<&'a BlockId, BlockJson>,
    tests: &'a [TestResult],
    schema_changes: &'a [SchemaChange],
    edges: &'a [EdgeView],
    bottleneck: Option<&'a Bottleneck>,
    error: Option<&'a Failure>,
}

#[derive(Debug, Serialize)]
struct BlockJson {
    state: BlockPhase,
    rows_in: u64,
    rows_out: u64,
    rows_quarantined: u64,
    rows_discarded: u64,
    bytes_out: u64,
    bytes_spilled: u64,
    seconds: f64,
    attempts: u32,
    busy_ms: u64,
    waiting_ms: u64,
    blocked_ms: u64,
}

impl<'a> RunJson<'a> {
    pub fn new(view: &'a RunView) -> Self {
        let blocks = view.blocks.iter().map(|(id, block)| {
            let block = BlockJson {
                state: block.state,
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
            (id, block)
        });
        Self {
            run_id: &view.run_id,
            pipeline: &view.pipeline,
            state: view.state,
            started_at: view.started_at,
            finished_at: view.finished_at,
            cpu_seconds: view.cpu_seconds,
            peak_memory_bytes: view.peak_memory_bytes,
            blocks: blocks.collect(),
            tests: &view.tests,
            schema_changes: &view.schema_changes,
            edges: &view.edges,
            bottleneck: view.bottleneck.as_ref(),
            error: view.error.as_ref(),
        }
    }
}
