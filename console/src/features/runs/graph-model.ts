// What of a run is drawn on the canvas: blocks and lines with their words.
import type { PipelineGraph } from "@/api/pipeline-graph";
import type { RunView } from "@/api/run-view";
import { type BlockNodeType, HANDLES } from "@/components/graph/block-node";
import type { FlowEdgeType } from "@/components/graph/flow-edge";
import { NODE_HEIGHT, NODE_WIDTH, type Place } from "@/components/graph/layout";
import { pressure } from "@/components/graph/pressure";
import { sharesText } from "@/components/graph/ring";
import { statusWord } from "@/components/ui/status-badge";
import { formatBytes, formatCount } from "@/lib/format";
import { edgeRate, type Heard, rowRate, shares } from "./rates";

export interface ShapeLink {
  from: string;
  to: string;
  port: string | null;
  /** It says only which comes first. */
  isOrder: boolean;
}

/** Blocks and lines without their figures. */
export interface Shape {
  ids: string[];
  kinds: Record<string, string | null>;
  links: ShapeLink[];
}

/** As its revision draws it; where that is not at hand, as far as rows have been seen to flow. */
export function shapeOf(view: RunView, graph: PipelineGraph | null): Shape {
  const ids = Object.keys(view.blocks);
  const known = new Set(ids);
  const links = new Map<string, ShapeLink>();
  for (const { source: from, target: to, port } of graph?.edges ?? []) {
    if (known.has(from) && known.has(to))
      links.set(`${from}→${to}`, { from, to, port: port ?? null, isOrder: !port || port === "TRIGGER" });
  }
  for (const { from, to } of view.edges) {
    const key = `${from}→${to}`;
    if (known.has(from) && known.has(to) && links.get(key)?.isOrder !== false)
      links.set(key, { from, to, port: links.get(key)?.port ?? "S3_FILE", isOrder: false });
  }
  const kinds = Object.fromEntries(
    ids.map((id) => [id, graph?.nodes.find((node) => node.id === id)?.kind ?? null]),
  );
  return { ids, kinds, links: [...links.values()] };
}

export function rowsOf(view: RunView, id: string): number {
  const block = view.blocks[id];
  return block ? Math.max(block.rows_out, block.rows_in) : 0;
}

export function flowNodes(
  shape: Shape,
  view: RunView,
  heard: readonly Heard[],
  places: Map<string, Place>,
  selected: string | null,
): BlockNodeType[] {
  return shape.ids.map((id) => {
    const block = view.blocks[id];
    const place = places.get(id);
    const spent = shares(heard, id);
    const rate = rowRate(heard, id);
    const rows = rowsOf(view, id);
    const into = shape.links.filter((link) => link.to === id);
    const out = shape.links.filter((link) => link.from === id);
    const caption = rows > 0 ? `${formatCount(rows)} rows · ${formatCount(Math.round(rate))}/s` : undefined;
    const fill = Math.max(0, ...out.map((link) => edgeRate(heard, id, link.to)?.fill ?? 0));
    return {
      id,
      type: "block",
      position: { x: place?.x ?? 0, y: place?.y ?? 0 },
      width: NODE_WIDTH,
      height: NODE_HEIGHT,
      measured: { width: NODE_WIDTH, height: NODE_HEIGHT },
      handles: HANDLES,
      selected: id === selected,
      ariaLabel: [
        [shape.kinds[id]?.replaceAll("_", " "), id].filter(Boolean).join(" "),
        statusWord(block?.state ?? "pending").toLowerCase(),
        ...(rows > 0 ? [`${formatCount(Math.round(rate))} rows per second`] : []),
        ...(fill > 0 ? [`output ${pressure(fill).text}`] : []),
        ...(spent ? [sharesText(spent)] : []),
      ].join(", "),
      data: {
        label: id,
        kind: shape.kinds[id] ?? null,
        state: block?.state,
        caption,
        ring: spent,
        input: into.length > 0 ? (into.find((link) => !link.isOrder)?.port ?? "TRIGGER") : null,
        output: out.length > 0 ? (out.find((link) => !link.isOrder)?.port ?? "TRIGGER") : null,
        mark: view.bottleneck?.block === id && view.state === "running" ? "warning" : undefined,
      },
    };
  });
}

export function flowEdges(shape: Shape, view: RunView, heard: readonly Heard[]): FlowEdgeType[] {
  return shape.links.map(({ from, to, port, isOrder }) => {
    const rate = isOrder ? null : edgeRate(heard, from, to);
    const isRunning = view.blocks[to]?.state === "running";
    const text = rate && edgeText(rate.rowsPerSecond, rate.bytesPerSecond);
    return {
      id: `${from}→${to}`,
      type: "flow",
      source: from,
      target: to,
      ariaLabel: [
        isOrder ? `${to} waits for ${from}` : `from ${from} to ${to}`,
        ...(text ? [text.replaceAll("/s", " per second")] : []),
        ...(rate?.fill !== null && rate?.fill !== undefined ? [pressure(rate.fill).text] : []),
      ].join(", "),
      data: {
        text: text ?? undefined,
        fill: isRunning ? (rate?.fill ?? undefined) : undefined,
        port,
        isOrder,
        isMoving: isRunning,
      },
    };
  });
}

export function edgeText(rows: number, bytes: number): string {
  return `${formatCount(Math.round(rows))} rows/s · ${formatBytes(Math.round(bytes))}/s`;
}
