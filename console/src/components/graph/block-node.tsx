// A block as it stands on a canvas: its sign, its name, how far it is, and how it spends its time.
import { Handle, type Node, type NodeHandle, type NodeProps, Position } from "@xyflow/react";
import { CircleAlert, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { StatusIcon } from "@/components/ui/status-badge";
import { cn } from "@/lib/cn";
import { isShallowEqual } from "@/lib/equal";
import { KindIcon } from "./kind-icon";
import { NODE_HEIGHT, NODE_WIDTH } from "./layout";
import { PortShape } from "./ports";
import { Ring, sameShares, type Shares } from "./ring";

export interface BlockData extends Record<string, unknown> {
  label: string;
  kind: string | null;
  /** Below the name, such as `12.4 M rows · 31 k/s`. */
  caption?: string | undefined;
  /** How far it is in a run. */
  state?: string | undefined;
  /** How it spends its time; sums to at most 1. */
  ring?: Shares | undefined;
  /** What it takes and gives; null or left out where it has no such side. */
  input?: string | null | undefined;
  output?: string | null | undefined;
  mark?: "error" | "warning" | undefined;
  /** What is coloured by its sort rather than by its state. */
  tone?: keyof typeof TONES | undefined;
  /** Whether lines can be drawn from and to it. */
  isConnectable?: boolean | undefined;
}

export type BlockNodeType = Node<BlockData, "block">;

const PORT_PX = 20;
const port = { width: PORT_PX, height: PORT_PX, y: (NODE_HEIGHT - PORT_PX) / 2 };
/** Where the ports of each block are, as they are drawn below: who says so has nothing measured. */
export const HANDLES: NodeHandle[] = [
  { ...port, type: "target", position: Position.Left, x: -PORT_PX / 2 },
  { ...port, type: "source", position: Position.Right, x: NODE_WIDTH - PORT_PX / 2 },
];

const EDGES: Record<string, string> = {
  running: "border-info",
  failed: "border-danger",
  success: "border-success/60",
  retrying: "border-warning",
  committing: "border-info",
};

const MARKS = { error: "border-danger", warning: "border-warning" };

const TONES = {
  blue: { edge: "border-info", sign: "text-info" },
  green: { edge: "border-success", sign: "text-success" },
  neutral: { edge: "border-input", sign: "text-muted-foreground" },
};

/** Drawn anew only where something of it is seen to differ: counters come several times a second. */
export const BlockNode = memo(DrawnNode, (one, other) => {
  return one.selected === other.selected && isSame(one.data, other.data);
});

/** Whether a block stands where it stood, as it was. */
export function isSameNode(one: BlockNodeType, other: BlockNodeType): boolean {
  return (
    one.selected === other.selected &&
    one.ariaLabel === other.ariaLabel &&
    isShallowEqual(one.position, other.position) &&
    isSame(one.data, other.data)
  );
}

function edgeOf({ mark, tone, state }: BlockData): string {
  if (mark) return MARKS[mark];
  return tone ? TONES[tone].edge : (EDGES[state ?? ""] ?? "border-border");
}

function DrawnNode({ data, selected }: NodeProps<BlockNodeType>) {
  return (
    <div
      style={{ width: NODE_WIDTH, height: NODE_HEIGHT }}
      className={cn(
        "relative flex items-center gap-3 rounded-xl border-2 bg-card px-3 shadow-sm",
        edgeOf(data),
        selected && "ring-2 ring-ring ring-offset-2 ring-offset-background",
      )}
    >
      <Port side="target" port={data.input} isConnectable={data.isConnectable ?? false} />
      <Ring shares={data.ring}>
        <KindIcon kind={data.kind} className={cn("size-5", data.tone && TONES[data.tone].sign)} />
      </Ring>
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-semibold" title={data.label}>
          {data.label}
        </p>
        <p className="flex items-center gap-1.5 text-xs text-muted-foreground">
          {data.state ? <StatusIcon status={data.state} /> : data.kind?.replaceAll("_", " ")}
        </p>
        {data.caption && <p className="truncate text-xs tabular-nums">{data.caption}</p>}
      </div>
      {data.mark === "error" && (
        <CircleAlert aria-hidden className="absolute top-2 right-2.5 size-4 text-danger" />
      )}
      {data.mark === "warning" && (
        <TriangleAlert aria-hidden className="absolute top-2 right-2.5 size-4 text-warning" />
      )}
      <Port side="source" port={data.output} isConnectable={data.isConnectable ?? false} />
    </div>
  );
}

function isSame(one: BlockData, other: BlockData): boolean {
  const { ring: oneRing, ...oneRest } = one;
  const { ring: otherRing, ...otherRest } = other;
  return sameShares(oneRing, otherRing) && isShallowEqual(oneRest, otherRest);
}

interface PortProps {
  side: "source" | "target";
  port: string | null | undefined;
  isConnectable: boolean;
}

function Port({ side, port, isConnectable }: PortProps) {
  return (
    <Handle
      type={side}
      position={side === "source" ? Position.Right : Position.Left}
      isConnectable={isConnectable}
      className={cn(
        "!grid !size-5 !min-h-0 !min-w-0 !place-items-center !border-0 !bg-transparent",
        !port && "!opacity-0",
      )}
    >
      {port && <PortShape port={port} className="pointer-events-none" />}
    </Handle>
  );
}
