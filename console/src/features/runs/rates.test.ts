// Rates from counters that grow, stand still, and begin anew.
import { expect, test } from "vitest";
import type { BlockFigures, RunView } from "@/api/run-view";
import { exampleBlock, exampleView } from "./examples";
import { edgeRate, type Heard, remember, rowRate, shares } from "./rates";

const IDLE = exampleBlock({ segment: "b", seconds: 10 });

function view(b: Partial<BlockFigures>, edge?: Partial<RunView["edges"][number]>): RunView {
  const edges = edge ? [{ from: "a", to: "b", rows: 0, bytes: 0, empty_ms: 0, full_ms: 0, ...edge }] : [];
  return exampleView({ blocks: { a: IDLE, b: { ...IDLE, ...b } }, edges });
}

function hear(...views: [number, RunView][]): readonly Heard[] {
  return views.reduce<readonly Heard[]>((past, [at, view]) => remember(past, { at, view }), []);
}

test("rates are of the last seconds while a block runs", () => {
  const heard = hear(
    [0, view({ rows_out: 0 })],
    [8000, view({ rows_out: 9000 })],
    [10_000, view({ rows_out: 9500 })],
  );
  expect(heard).toHaveLength(2);
  expect(rowRate(heard, "b")).toBe(250);
  expect(rowRate(hear([0, view({ rows_out: 500 })]), "b")).toBe(50);
});

test("rates are of all its time once it is over, and of the new attempt where it began anew", () => {
  const over = hear([0, view({ rows_out: 10 })], [1000, view({ rows_out: 5000, state: "success" })]);
  expect(rowRate(over, "b")).toBe(500);
  const anew = hear([0, view({ rows_out: 9000 })], [1000, view({ rows_out: 100, seconds: 1 })]);
  expect(rowRate(anew, "b")).toBe(100);
});

test("shares are of what was spent since", () => {
  const heard = hear(
    [0, view({ busy_ms: 1000, waiting_ms: 0 })],
    [1000, view({ busy_ms: 1250, waiting_ms: 750 })],
  );
  expect(shares(heard, "b")).toEqual({ busy: 0.25, waiting: 0.75, blocked: 0 });
  expect(shares(hear([0, view({})]), "b")).toBeUndefined();
});

test("an edge is full for the share of the taker's time in which rows lay ready", () => {
  const heard = hear(
    [0, view({ busy_ms: 0 }, { rows: 0, bytes: 0, full_ms: 0 })],
    [1000, view({ busy_ms: 1000 }, { rows: 100, bytes: 4096, full_ms: 900 })],
  );
  expect(edgeRate(heard, "a", "b")).toEqual({ rowsPerSecond: 100, bytesPerSecond: 4096, fill: 0.9 });
  expect(edgeRate(heard, "b", "a")).toBeNull();
});
