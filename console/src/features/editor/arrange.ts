// Where blocks stand that nobody has put anywhere: in columns, from left to right as rows flow.
import type { Layout } from "@/api/pipeline-checks";
import type { Graph } from "./graph";

export const NODE = { width: 216, height: 76 };
const STEP = { x: NODE.width + 64, y: NODE.height + 36 };

/** How many joins lie before each block, at most. */
export function depths({ blocks, joins }: Graph): Map<string, number> {
  const found = new Map(blocks.map(({ id }) => [id, 0]));
  // As often as there are blocks, so that a circle ends as well.
  for (let round = 0; round < blocks.length; round += 1) {
    let isSettled = true;
    for (const { source, target } of joins) {
      const next = (found.get(source) ?? 0) + 1;
      if (next <= (found.get(target) ?? 0) || next >= blocks.length) continue;
      found.set(target, next);
      isSettled = false;
    }
    if (isSettled) break;
  }
  return found;
}

/** A place for every block: that of the layout, else a free one in its column. */
export function arrange(graph: Graph, layout: Layout): Layout {
  const depth = depths(graph);
  const placed: Layout = {};
  for (const { id } of graph.blocks) {
    const spot = layout[id];
    if (spot) placed[id] = spot;
  }
  for (const { id } of graph.blocks) {
    if (placed[id]) continue;
    const x = (depth.get(id) ?? 0) * STEP.x;
    const above = graph.joins.flatMap(({ source, target }) =>
      target === id ? [placed[source]?.y ?? 0] : [],
    );
    let y = above.length > 0 ? Math.min(...above) : 0;
    while (Object.values(placed).some((spot) => isNear(spot, { x, y }))) y += STEP.y;
    placed[id] = { x, y };
  }
  return placed;
}

function isNear(one: { x: number; y: number }, other: { x: number; y: number }): boolean {
  return Math.abs(one.x - other.x) < NODE.width + 16 && Math.abs(one.y - other.y) < NODE.height + 16;
}
