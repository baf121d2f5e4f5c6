// What a run looks like inside: blocks, segments, edges and tests. The API's description calls it an object only.
import { z } from "@/lib/z";

const count = z.catch(z.number(), 0);

const bottleneck = z.object({ block: z.string(), share: z.number(), text: z.string() });

// Built when a run is looked at first.
const document = z.lazy(() => {
  const block = z.object({
    state: z.string(),
    segment: z.string(),
    rows_in: count,
    rows_out: count,
    rows_quarantined: count,
    rows_discarded: count,
    bytes_out: count,
    bytes_spilled: count,
    seconds: count,
    attempts: count,
    /** Summed over streams, as the other two. */
    busy_ms: count,
    waiting_ms: count,
    blocked_ms: count,
  });

  const edge = z.object({
    from: z.string(),
    to: z.string(),
    rows: count,
    bytes: count,
    /** Nothing came over it for so long, and rows lay ready for so long. */
    empty_ms: count,
    full_ms: count,
  });

  const segment = z.object({
    state: z.string(),
    output: z.string(),
    blocks: z.array(z.string()),
    attempts: count,
    /** Where nothing moves, in one sentence. */
    stalled: z.nullish(z.string()),
  });

  const test = z.object({
    block: z.string(),
    test: z.string(),
    passed: z.boolean(),
    failures: count,
    severity: z.string(),
    samples: z.catch(z.array(z.string()), []),
  });

  const change = z.object({
    block: z.string(),
    column: z.string(),
    before: z.nullish(z.string()),
    after: z.nullish(z.string()),
    policy: z.unknown(),
  });

  return z.object({
    state: z.string(),
    blocks: z.catch(z.record(z.string(), block), {}),
    segments: z.catch(z.record(z.string(), segment), {}),
    edges: z.catch(z.array(edge), []),
    tests: z.catch(z.array(test), []),
    schema_changes: z.catch(z.array(change), []),
    published: z.catch(z.array(z.string()), []),
    bottleneck: z.catch(z.nullish(bottleneck), null),
    waiting: z.nullish(z.string()),
  });
});

export type BlockFigures = RunView["blocks"][string];
export type EdgeFigures = RunView["edges"][number];
export type RunView = z.infer<typeof document>;
export type Bottleneck = z.infer<typeof bottleneck>;

export function readView(view: unknown): RunView {
  const parsed = document.safeParse(view);
  if (parsed.success) return parsed.data;
  return {
    state: "pending",
    blocks: {},
    segments: {},
    edges: [],
    tests: [],
    schema_changes: [],
    published: [],
  };
}

const progress = z.lazy(() =>
  z.object({
    blocks: z.record(
      z.string(),
      z.object({ rows_in: count, rows_out: count, bytes_out: count, rows_quarantined: count }),
    ),
    bottleneck: z.catch(z.nullish(bottleneck), null),
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
  return { ...view, blocks, bottleneck: told.data.bottleneck ?? view.bottleneck };
}
