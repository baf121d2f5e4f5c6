// Blocks and lines of a large graph come over several frames, so that none of them takes long.
import type { Edge, Node } from "@xyflow/react";
import { useMemo } from "react";
import { useMoreAndMore } from "@/lib/later";

/** So many blocks, and as many lines, come in a frame. */
const STEP = 6;

interface Drawn<Block, Line> {
  nodes: Block[];
  edges: Line[];
}

/** Blocks that are still to come are hidden: a graph is fitted in as a whole where `includeHiddenNodes` says so. */
export function useComing<Block extends Node, Line extends Edge>(
  nodes: Block[],
  edges: Line[],
): Drawn<Block, Line> {
  const all = Math.max(nodes.length, edges.length);
  const count = useMoreAndMore(all, STEP);
  return useMemo(
    () =>
      count >= all
        ? { nodes, edges }
        : {
            nodes: nodes.map((node, at) => (at < count ? node : { ...node, hidden: true })),
            edges: edges.slice(0, count),
          },
    [nodes, edges, count, all],
  );
}
