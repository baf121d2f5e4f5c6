// Views of runs for tests: what is not said stands still.
import type { BlockFigures, RunView } from "@/api/run-view";

export function exampleBlock(part: Partial<BlockFigures> = {}): BlockFigures {
  return {
    state: "running",
    segment: "s",
    rows_in: 0,
    rows_out: 0,
    rows_quarantined: 0,
    rows_discarded: 0,
    bytes_out: 0,
    bytes_spilled: 0,
    seconds: 1,
    attempts: 1,
    busy_ms: 0,
    waiting_ms: 0,
    blocked_ms: 0,
    ...part,
  };
}

export function exampleView(part: Partial<RunView>): RunView {
  return {
    run_id: "r",
    pipeline: "p",
    state: "running",
    started_at: "2026-11-22T04:00:00Z",
    cpu_seconds: 0,
    peak_memory_bytes: 0,
    continued: false,
    blocks: {},
    segments: {},
    tests: [],
    schema_changes: [],
    published: [],
    edges: [],
    ...part,
  };
}
