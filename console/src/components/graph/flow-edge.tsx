// A line between two blocks: what flows over it, and how full it is.
import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import { cn } from "@/lib/cn";
import { isShallowEqual } from "@/lib/equal";
import { portLook } from "./ports";
import { pressure } from "./pressure";

export interface FlowData extends Record<string, unknown> {
  /** `12.4 k/s · 1.2 MiB/s`. */
  text?: string | undefined;
  /** How full it is, from 0 to 1; left out where that is not known. */
  fill?: number | undefined;
  port?: string | null | undefined;
  /** Order alone: nothing flows. */
  isOrder?: boolean | undefined;
  /** It cannot be. */
  isWrong?: boolean | undefined;
  /** Rows move now. */
  isMoving?: boolean | undefined;
}

export type FlowEdgeType = Edge<FlowData, "flow">;

const BARS = {
  calm: { fill: "bg-green-600", line: undefined },
  filling: { fill: "bg-amber-500", line: undefined },
  full: { fill: "bg-red-600", line: "#dc2626" },
};

/** Whether a line leads where it led, as it was. */
export function isSameEdge<Line extends { data?: FlowData | undefined }>(
  { data: one, ...oneRest }: Line,
  { data: other, ...otherRest }: Line,
): boolean {
  return isShallowEqual(one ?? {}, other ?? {}) && isShallowEqual(oneRest, otherRest);
}

/** Drawn anew only where something of it is seen to differ. */
export const FlowEdge = memo(DrawnEdge, isSameEdge<EdgeProps<FlowEdgeType>>);

function DrawnEdge(props: EdgeProps<FlowEdgeType>) {
  const { data, selected } = props;
  const [path, x, y] = props.sourceX > props.targetX ? pathBack(props) : getBezierPath(props);
  const full = data?.fill === undefined ? null : pressure(data.fill);
  const colour = data?.isWrong
    ? "var(--danger)"
    : ((full && BARS[full.level].line) ?? portLook(data?.port ?? null).colour);
  return (
    <>
      <BaseEdge
        path={path}
        interactionWidth={24}
        style={{
          stroke: colour,
          strokeWidth: selected || data?.isWrong || full?.level === "full" ? 3 : 1.75,
          ...(data?.isOrder && { strokeDasharray: "5 5" }),
        }}
        {...(props.markerEnd !== undefined && { markerEnd: props.markerEnd })}
      />
      {(data?.text || full) && (
        <EdgeLabelRenderer>
          <div
            className={cn(
              "pointer-events-none absolute flex flex-col items-center gap-1 rounded-md border else:border-border bg-raised px-1.5 py-1 text-[11px] leading-none whitespace-nowrap tabular-nums shadow-xs",
              full?.level === "full" && "border-danger",
            )}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {data?.text && <span>{data.text}</span>}
            {full && <QueueBar percent={full.percent} level={full.level} />}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** How far from the middle of blocks the room between rows is. */
const ASIDE_PX = 62;
const TURN_PX = 56;

/** Below the blocks that it leads back over. */
function pathBack({ sourceX, sourceY, targetX, targetY }: EdgeProps<FlowEdgeType>) {
  const [middle, low] = [(sourceX + targetX) / 2, Math.max(sourceY, targetY) + ASIDE_PX];
  const [right, left] = [sourceX + TURN_PX, targetX - TURN_PX];
  const path =
    `M${sourceX} ${sourceY} C${right} ${sourceY} ${right} ${low} ${sourceX} ${low} L${targetX} ${low} ` +
    `C${left} ${low} ${left} ${targetY} ${targetX} ${targetY}`;
  return [path, middle, low] as const;
}

/** A bar with marks at both turns, and its share in figures: told without colour, too. */
function QueueBar({ percent, level }: { percent: number; level: keyof typeof BARS }) {
  return (
    <span className="flex items-center gap-1">
      <span className="relative h-1.5 w-16 overflow-hidden rounded-full bg-border">
        <span
          className={cn("absolute inset-y-0 left-0", BARS[level].fill)}
          style={{ width: `${percent}%` }}
        />
        <span className="absolute inset-y-0 left-[60%] w-px bg-foreground/50" />
        <span className="absolute inset-y-0 left-[85%] w-px bg-foreground/50" />
      </span>
      {percent} %{level === "filling" && " ▲"}
      {level === "full" && " ■"}
    </span>
  );
}
