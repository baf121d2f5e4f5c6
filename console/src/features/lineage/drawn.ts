// The lineage as the canvas takes it: nodes by sort or by health, lines by what they are.
import type { Lineage, LineageEdge, LineageNode } from "@/api/lineage";
import type { BlockData, BlockNodeType } from "@/components/graph/block-node";
import type { FlowEdgeType } from "@/components/graph/flow-edge";
import { NODE_HEIGHT, NODE_WIDTH, type Place } from "@/components/graph/layout";
import { statusWord } from "@/components/ui/status-badge";
import { formatRelative } from "@/lib/format";
import { edgeId } from "./model";

const TONES: Record<LineageNode["kind"], BlockData["tone"]> = {
  pipeline: "blue",
  transformation: "green",
  table: "neutral",
  file: "neutral",
};
const PORTS = { pipeline: "TRIGGER", transformation: null, table: "DB_TABLE", file: "S3_FILE" };

interface Look {
  places: ReadonlyMap<string, Place>;
  health: ReadonlyMap<string, string>;
  isByHealth: boolean;
  chosen: string | null;
  mayJoin: boolean;
  now: Date;
}

export function drawnNodes({ nodes }: Lineage, look: Look): BlockNodeType[] {
  return nodes.map((node) => {
    const { id, kind, name, connection, last_run } = node;
    const { x = 0, y = 0 } = look.places.get(id) ?? {};
    const status = look.health.get(id);
    const isRun = kind === "pipeline" || kind === "transformation";
    const state = isRun || look.isByHealth ? status : undefined;
    const at = last_run && new Date(last_run.finished_at ?? last_run.started_at);
    const when = at ? formatRelative(at, look.now) : undefined;
    return {
      id,
      type: "block",
      position: { x, y },
      width: NODE_WIDTH,
      height: NODE_HEIGHT,
      measured: { width: NODE_WIDTH, height: NODE_HEIGHT },
      selected: id === look.chosen,
      ariaLabel: [
        `${kind} ${name}`,
        ...(connection ? [`in ${connection}`] : []),
        ...(state ? [statusWord(state).toLowerCase()] : []),
        ...(when ? [when] : []),
      ].join(", "),
      data: {
        label: within(name, connection),
        kind,
        state,
        caption: when ?? connection ?? undefined,
        tone: look.isByHealth ? undefined : TONES[kind],
        input: PORTS[kind],
        output: PORTS[kind],
        isConnectable: look.mayJoin && kind === "pipeline",
      },
    };
  });
}

/** A name without the connection that it begins with, which stands below it. */
function within(name: string, connection: string | null | undefined): string {
  const isWithin = connection && [`${connection}.`, `${connection}/`].some((start) => name.startsWith(start));
  return isWithin ? name.slice(connection.length + 1) : name;
}

/** `wrong` are the lines of a circle that was refused, the one that would close it among them. */
export function drawnEdges(
  { nodes, edges }: Lineage,
  wrong: readonly LineageEdge[],
  mayPart: boolean,
): FlowEdgeType[] {
  const named = new Map(nodes.map((node) => [node.id, node]));
  const isWrong = new Set(wrong.map(edgeId));
  const all = [...edges, ...wrong.filter((edge) => !edges.some((one) => edgeId(one) === edgeId(edge)))];
  return all.flatMap((edge) => {
    const [from, to] = [named.get(edge.from), named.get(edge.to)];
    if (!from || !to) return [];
    const isOrder = edge.kind === "triggers";
    const data = edge.kind === "reads" ? from : to;
    return {
      id: edgeId(edge),
      type: "flow",
      source: edge.from,
      target: edge.to,
      focusable: true,
      ariaLabel: isOrder
        ? `${to.name} begins after ${from.name}${mayPart ? ", Delete takes that away" : ""}`
        : edge.kind === "reads"
          ? `${to.name} reads ${from.name}`
          : `${from.name} writes ${to.name}`,
      data: {
        port: isOrder ? "TRIGGER" : PORTS[data.kind],
        isOrder,
        isWrong: isWrong.has(edgeId(edge)),
        text: isOrder ? "then" : undefined,
      },
    };
  });
}
