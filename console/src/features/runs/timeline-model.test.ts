// Tries of two executors, one after the other.
import { expect, test } from "vitest";
import { ticks, timelineOf } from "./timeline-model";

const tried = { cpu_seconds: 0, peak_memory_bytes: 0, duration_seconds: 2, error: null, finished_at: null };

test("each executor has a line of its own in each segment", () => {
  const { lines, seconds } = timelineOf({
    created_at: "2026-03-01T12:00:00Z",
    heardAt: 0,
    view: {
      segments: {
        load: { state: "success", output: "sink", blocks: ["a", "load"], attempts: 2, standing: [] },
      },
    },
    attempts: [
      {
        ...tried,
        segment: "load",
        number: 1,
        status: "lost",
        executor: "e1",
        started_at: "2026-03-01T12:00:01Z",
      },
      {
        ...tried,
        segment: "load",
        number: 2,
        status: "won",
        executor: "e2",
        started_at: "2026-03-01T12:00:05Z",
      },
    ],
  });
  expect(lines.map(({ blocks, executor, bars }) => [blocks, executor, bars[0]?.from])).toEqual([
    ["a, load", "e1", 1],
    ["a, load", "e2", 5],
  ]);
  expect(seconds).toBe(7);
});

test("marks are round and few", () => {
  expect(ticks(7)).toEqual([0, 2, 4, 6]);
  for (const seconds of [0.1, 1, 59, 3600, 100_000]) expect(ticks(seconds).length).toBeLessThanOrEqual(7);
});
