// Tries as bars over the time of a run.
import type { RunDetail } from "@/api/runs";

export interface Bar {
  number: number;
  status: string;
  /** Seconds since the run's first moment. */
  from: number;
  seconds: number;
  cpuSeconds: number;
  peakBytes: number;
  error: string | null;
}

export interface Line {
  segment: string;
  /** The blocks that run in it. */
  blocks: string;
  /** Null where that is the coordinator's own process. */
  executor: string | null;
  bars: Bar[];
}

type Told = Pick<RunDetail, "attempts" | "created_at" | "heardAt"> & {
  view: Pick<RunDetail["view"], "segments">;
};

/** Bars by segment and executor, in the order they were begun, and how long all of it is. */
export function timelineOf(run: Told): { lines: Line[]; seconds: number } {
  const start = Math.min(
    Date.parse(run.created_at),
    ...run.attempts.map((attempt) => Date.parse(attempt.started_at)),
  );
  const lines = new Map<string, Line>();
  let seconds = 0.1;
  for (const attempt of run.attempts) {
    const from = (Date.parse(attempt.started_at) - start) / 1000;
    const executor = attempt.executor ?? null;
    const key = `${attempt.segment} ${executor ?? ""}`;
    const blocks = run.view.segments[attempt.segment]?.blocks.join(", ") ?? attempt.segment;
    const line = lines.get(key) ?? { segment: attempt.segment, blocks, executor, bars: [] };
    lines.set(key, line);
    line.bars.push({
      number: attempt.number,
      status: attempt.status,
      from,
      seconds: attempt.duration_seconds,
      cpuSeconds: attempt.cpu_seconds,
      peakBytes: attempt.peak_memory_bytes,
      error: attempt.error?.message ?? null,
    });
    seconds = Math.max(seconds, from + attempt.duration_seconds);
  }
  return { lines: [...lines.values()], seconds };
}

const STEPS = [
  0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400,
];

/** Round moments, six of them at most. */
export function ticks(seconds: number): number[] {
  const step = STEPS.find((step) => seconds / step <= 6) ?? seconds;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}
