// A block on the canvas: what it is called and does, its ports, what is wrong with it.
import { Handle, type Node, type NodeHandle, type NodeProps, Position } from "@xyflow/react";
import { CircleAlert } from "lucide-react";
import { memo } from "react";
import { KindIcon } from "@/components/graph/kind-icon";
import { PortShape } from "@/components/graph/ports";
import { cn } from "@/lib/cn";
import { isShallowEqual } from "@/lib/equal";
import { NODE } from "./arrange";
import type { Block } from "./graph";

export type BlockNode = Node<
  {
    kind: Block["kind"];
    summary: string;
    problems: number;
    /** While somebody joins by keys: whether this is the one chosen, and whether it may be. */
    candidate: "allowed" | "refused" | null;
    isSource: boolean;
  },
  "block"
>;

const handle = "!grid !size-6 !place-items-center !border-0 !bg-transparent";
const PORT_PX = 24;
const port = { width: PORT_PX, height: PORT_PX, y: (NODE.height - PORT_PX) / 2 };
const IN: NodeHandle = { ...port, type: "target", position: Position.Left, x: -PORT_PX / 2 };
const OUT: NodeHandle = { ...port, type: "source", position: Position.Right, x: NODE.width - PORT_PX / 2 };
const HANDLES = { both: [IN, OUT], in: [IN], out: [OUT], none: [] };

/** Where a block's ports are, as they are drawn below. */
export function handlesOf(kind: Block["kind"]): NodeHandle[] {
  const [hasIn, hasOut] = [(kind?.input ?? null) !== null, (kind?.output ?? null) !== null];
  return hasIn ? HANDLES[hasOut ? "both" : "in"] : HANDLES[hasOut ? "out" : "none"];
}

/** Drawn anew only where something of it is seen to differ. */
export const BlockCard = memo(
  DrawnCard,
  (one, other) => one.selected === other.selected && isShallowEqual(one.data, other.data),
);

function edgeOf({ problems, candidate, isSource }: BlockNode["data"], isSelected: boolean): string {
  if (candidate === "allowed") return "border-success ring-3 ring-success/30";
  if (candidate === "refused") return "border-danger ring-3 ring-danger/30";
  if (isSelected || isSource) return "border-primary";
  return problems > 0 ? "border-danger/60" : "border-border";
}

function DrawnCard({ id, data, selected }: NodeProps<BlockNode>) {
  const { kind, summary, problems, isSource } = data;
  const [input, output] = [kind?.input ?? null, kind?.output ?? null];
  return (
    <div
      className={cn(
        "flex h-full items-stretch overflow-hidden rounded-xl border-2 bg-card text-left else:shadow-sm transition-shadow hover:shadow-md",
        edgeOf(data, selected),
        selected && "shadow-lg shadow-primary/20",
        isSource && "border-dashed",
      )}
    >
      <span className="grid w-9 shrink-0 place-items-center border-r border-border bg-muted">
        <KindIcon kind={kind?.kind} className="size-4.5 text-muted-foreground" />
      </span>
      <span className="flex min-w-0 flex-1 flex-col justify-center px-3">
        <span className="flex items-center gap-1.5">
          <span className="truncate text-sm font-semibold">{id}</span>
          {problems > 0 && <CircleAlert aria-hidden className="ml-auto size-4 shrink-0 text-danger" />}
        </span>
        <span className="truncate text-xs text-muted-foreground">{kind?.label ?? "Not said yet"}</span>
        <span className="truncate font-mono text-[11px] text-muted-foreground">{summary}</span>
      </span>
      {input !== null && (
        <Handle type="target" position={Position.Left} className={handle}>
          <PortShape port={input} className="pointer-events-none size-4" />
        </Handle>
      )}
      {output !== null && (
        <Handle type="source" position={Position.Right} className={handle}>
          <PortShape port={output} className="pointer-events-none size-4" />
        </Handle>
      )}
    </div>
  );
}

/** What a block is about, in a line. */
export function summaryOf({ kind, settings }: Block): string {
  const place = settings["to"] ?? settings[kind?.keyword ?? ""];
  if (typeof place === "string") return place.trim().replaceAll(/\s+/g, " ") || "not set yet";
  return place === undefined ? "" : "a query";
}
