// What a run looks like inside: blocks, segments, edges and tests, and what is told of it while it goes on.
import { z } from "@/lib/z";
import type { Schemas } from "./types";

export type RunView = Schemas["RunView"];
export type BlockFigures = Schemas["BlockView"];
export type EdgeFigures = Schemas["EdgeView"];
export type Bottleneck = Schemas["Bottleneck"];

const count = z.catch(z.number(), 0);

const progress = z.lazy(() =>
  z.object({
    blocks: z.record(
      z.string(),
      z.object({ rows_in: count, rows_out: count, bytes_out: count, rows_quarantined: count }),
    ),
    bottleneck: z.catch(
      z.nullish(z.object({ block: z.string(), share: z.number(), text: z.string() })),
      null,
    ),
  }),
);

/** The view with the counters of `run.progress` in it. */
export function withProgress(view: RunView, detail: unknown): RunView {
  const told = progress.safeParse(detail);
  if (!told.success) return view;
  const blocks = { ...view.blocks };
  for (const [id, counters] of Object.entries(told.data.blocks)) {
    const before = blocks[id];
    if (before) blocks[id] = { ...before, ...counters };
  }
  return { ...view, blocks, bottleneck: told.data.bottleneck ?? view.bottleneck ?? null };
}
