// How fast rows flow and what blocks do, from what was heard of a run one moment after the other.
import type { BlockFigures, EdgeFigures, RunView } from "@/api/run-view";
import type { Shares } from "@/components/graph/ring";

export interface Heard {
  /** In milliseconds. */
  at: number;
  view: RunView;
}

export interface EdgeRate {
  rowsPerSecond: number;
  bytesPerSecond: number;
  /** For which share of the time rows lay ready that nobody took; null where that cannot be told. */
  fill: number | null;
}

/** Figures are of the last seconds: long enough that batches do not make them jump. */
const WINDOW_MS = 4_000;

export function remember(past: readonly Heard[], now: Heard): readonly Heard[] {
  return [...past.filter(({ at }) => at < now.at && at >= now.at - WINDOW_MS), now];
}

/** Rows a second that a block has given: of late, or over all its time once it is over. */
export function rowRate(heard: readonly Heard[], id: string): number {
  const [first, last] = ends(heard);
  const block = last?.view.blocks[id];
  if (!first || !last || !block) return 0;
  const rows = (figures: BlockFigures) => Math.max(figures.rows_out, figures.rows_in);
  if (block.state !== "running") return block.seconds > 0 ? rows(block) / block.seconds : 0;
  const before = first.view.blocks[id];
  return perSecond(rows(block), before && rows(before), last.at - first.at, block.seconds);
}

/** How a block has spent its time. */
export function shares(heard: readonly Heard[], id: string): Shares | undefined {
  const [first, last] = ends(heard);
  const block = last?.view.blocks[id];
  if (!block) return undefined;
  const before = block.state === "running" ? first?.view.blocks[id] : undefined;
  const since = before && span(before) < span(block) && first !== last ? before : undefined;
  const spent = (key: "busy_ms" | "waiting_ms" | "blocked_ms") =>
    Math.max(0, block[key] - (since?.[key] ?? 0));
  const all = spent("busy_ms") + spent("waiting_ms") + spent("blocked_ms");
  if (all <= 0) return undefined;
  return {
    busy: spent("busy_ms") / all,
    waiting: spent("waiting_ms") / all,
    blocked: spent("blocked_ms") / all,
  };
}

export function edgeRate(heard: readonly Heard[], from: string, to: string): EdgeRate | null {
  const [first, last] = ends(heard);
  const now = last && edge(last.view, from, to);
  const taker = last?.view.blocks[to];
  if (!first || !last || !now || !taker) return null;
  const isRunning = taker.state === "running";
  const found = isRunning && first !== last ? edge(first.view, from, to) : undefined;
  // Another attempt counts anew.
  const before = found && found.rows <= now.rows && found.full_ms <= now.full_ms ? found : undefined;
  const passed = last.at - first.at;
  const rate = (value: number, earlier: number | undefined) =>
    isRunning ? perSecond(value, earlier, passed, taker.seconds) : value / Math.max(taker.seconds, 0.001);
  const earlierTaker = before && first.view.blocks[to];
  const whole = Math.max(
    span(taker) - (earlierTaker ? span(earlierTaker) : 0),
    now.full_ms + now.empty_ms - (before ? before.full_ms + before.empty_ms : 0),
  );
  return {
    rowsPerSecond: rate(now.rows, before?.rows),
    bytesPerSecond: rate(now.bytes, before?.bytes),
    fill: whole > 0 ? Math.min(1, (now.full_ms - (before?.full_ms ?? 0)) / whole) : null,
  };
}

function edge(view: RunView, from: string, to: string): EdgeFigures | undefined {
  return view.edges.find((edge) => edge.from === from && edge.to === to);
}

function span(block: BlockFigures): number {
  return block.busy_ms + block.waiting_ms + block.blocked_ms;
}

function perSecond(now: number, before: number | undefined, ms: number, seconds: number): number {
  if (before === undefined || before > now || ms <= 0) return seconds > 0 ? now / seconds : 0;
  return ((now - before) / ms) * 1000;
}

function ends(heard: readonly Heard[]): [Heard | undefined, Heard | undefined] {
  return [heard[0], heard.at(-1)];
}
