// The canvas: blocks are put, moved and joined by pointer or by keys.
import {
  Background, type Connection, Controls, type Edge, MarkerType, type NodeChange, type OnConnectEnd, ReactFlow, useReactFlow,
} from "@xyflow/react"; // prettier-ignore
import "@xyflow/react/dist/style.css";
import { type DragEvent, useCallback, useDeferredValue, useMemo, useRef, useState } from "react";
import type { Layout } from "@/api/pipeline-checks";
import { useComing } from "@/components/graph/coming";
import { FitsAnew } from "@/components/graph/fits-anew";
import { portLook } from "@/components/graph/ports";
import { toast } from "@/components/ui/toast";
import { isShallowEqual } from "@/lib/equal";
import { keeper } from "@/lib/keeper";
import { useMedia } from "@/lib/media";
import { useSteady } from "@/lib/steady";
import { useIsDark } from "@/lib/theme";
import { NODE } from "./arrange";
import { BlockCard, type BlockNode, handlesOf, summaryOf } from "./block-node";
import { refusal } from "./rules";
import type { Editing } from "./use-draft";
import { useCanvasKeys } from "./use-canvas-keys";

export const BLOCK_MIME = "application/x-flowetl-block";
const nodeTypes = { block: BlockCard };
const ariaLabelConfig = {
  "node.a11yDescription.default": "Enter opens the block, arrows go to others, a joins, Delete removes.",
  "edge.a11yDescription.default": "Delete takes the join out.",
};
const proOptions = { hideAttribution: true };

const FIT = { maxZoom: 1, padding: 0.15, includeHiddenNodes: true };
/** The drawer covers this much of it where there is no room beside. */
const BESIDE_DRAWER = { ...FIT, padding: { x: "24px", y: 0.15, right: "376px" } } as const;

const isSameNode = (one: BlockNode, other: BlockNode) =>
  isShallowEqual(one.data, other.data) &&
  isShallowEqual(one.position, other.position) &&
  isShallowEqual({ ...one, data: null, position: null }, { ...other, data: null, position: null });
const isSameEdge = (one: Edge, other: Edge) => JSON.stringify(one) === JSON.stringify(other);

interface CanvasProps {
  editing: Editing;
  selected: string | null;
  onSelect: (id: string | null) => void;
  /** Puts the focus into the form of the block. */
  onOpen: () => void;
  isReadOnly: boolean;
}

function allowBlocks(event: DragEvent): void {
  if (event.dataTransfer.types.includes(BLOCK_MIME)) event.preventDefault();
}

export function Canvas({ editing, selected, onSelect, onOpen, isReadOnly }: CanvasProps) {
  const { graph, checked } = editing;
  // What is typed at the side is drawn here a moment later, so that it does not wait for this.
  const [drawn, spots] = [useDeferredValue(graph), useDeferredValue(editing.spots)];
  const host = useRef<HTMLDivElement>(null);
  const flow = useReactFlow<BlockNode>();
  const isDark = useIsDark();
  const isBeside = useMedia("(min-width: 64rem)");
  const isCovered = selected !== null && !isBeside;
  const [dragged, setDragged] = useState<Layout>({});
  const keys = useCanvasKeys({ editing, selected, onSelect, onOpen, host, isReadOnly });

  // The text is read anew for each key that is pressed: what came out as it was is not drawn again.
  const keepNodes = useMemo(() => keeper(isSameNode), []);
  const keepEdges = useMemo(() => keeper(isSameEdge), []);
  const nodes = useMemo(() => {
    const made = drawn.blocks.map((block): BlockNode => {
      const problems = checked?.problems.filter((problem) => problem.block === block.id).length ?? 0;
      const summary = summaryOf(block);
      const isCandidate = keys.joining?.target === block.id;
      return {
        id: block.id,
        type: "block",
        position: dragged[block.id] ?? spots[block.id] ?? { x: 0, y: 0 },
        // All are as large, and have their ports at the same places: nothing has to be measured.
        ...NODE,
        measured: NODE,
        handles: handlesOf(block.kind),
        selected: selected === block.id,
        ariaLabel: `${block.kind?.label ?? "Block"} ${block.id}, ${summary}${problems > 0 ? `, ${problems} problems` : ""}, gives ${portLook(block.kind?.output ?? null).words}`,
        data: {
          kind: block.kind,
          summary,
          problems,
          candidate: isCandidate ? (keys.joining?.refusal ? "refused" : "allowed") : null,
          isSource: keys.joining?.source === block.id,
        },
      };
    });
    return keepNodes(made);
  }, [drawn.blocks, checked, spots, dragged, selected, keys.joining, keepNodes]);
  const edges = useMemo(() => {
    const made = drawn.joins.map(({ source, target, port }): Edge => {
      const { colour, words } = portLook(port);
      return {
        id: `${source} ${target} ${port ?? ""}`,
        source,
        target,
        style: { stroke: colour, strokeWidth: 2, ...(port === null && { strokeDasharray: "5 4" }) },
        markerEnd: { type: MarkerType.ArrowClosed, color: colour, width: 16, height: 16 },
        ariaLabel: port === null ? `${target} waits for ${source}` : `${target} reads ${source}, ${words}`,
        interactionWidth: 24,
      };
    });
    return keepEdges(made);
  }, [drawn.joins, keepEdges]);

  const drawing = useComing(nodes, edges);

  const onNodesChange = useCallback((changes: NodeChange<BlockNode>[]) => {
    const moved = changes.flatMap((change) =>
      change.type === "position" && change.position ? [[change.id, change.position] as const] : [],
    );
    if (moved.length > 0) setDragged((before) => ({ ...before, ...Object.fromEntries(moved) }));
  }, []);
  const onDrop = useSteady((event: DragEvent) => {
    const kind = editing.kinds.find(({ kind }) => kind === event.dataTransfer.getData(BLOCK_MIME));
    if (!kind) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const spot = { x: Math.round(x - NODE.width / 2), y: Math.round(y - NODE.height / 2) };
    onSelect(editing.add(kind, spot, null));
  });
  const tell = (why: string | null) => {
    if (why !== null) toast("danger", why);
  };
  const fits = useSteady(({ source, target }: Connection | Edge) => refusal(graph, source, target) === null);
  const onKeyDown = useSteady(keys.onKeyDown);
  const onMoved = useSteady((_: unknown, __: unknown, moved: BlockNode[]) => {
    editing.move(
      Object.fromEntries(
        moved.map(({ id, position }) => [id, { x: Math.round(position.x), y: Math.round(position.y) }]),
      ),
    );
    setDragged({});
  });
  const onNodeClick = useSteady((_: unknown, { id }: BlockNode) => onSelect(id));
  const onPaneClick = useSteady(() => onSelect(null));
  const onConnect = useSteady(({ source, target }: Connection) => tell(editing.join(source, target)));
  const onConnectEnd = useSteady((...[, end]: Parameters<OnConnectEnd>) => {
    const { isValid, fromNode, toNode, fromHandle } = end;
    if (isValid || !fromNode || !toNode) return;
    const [source, target] = fromHandle.type === "target" ? [toNode, fromNode] : [fromNode, toNode];
    tell(refusal(graph, source.id, target.id));
  });

  return (
    <div className="relative h-full">
      <ReactFlow
        ref={host}
        aria-label="Canvas: arrows go from block to block, a and arrows join, Delete removes, Enter opens"
        onKeyDown={onKeyDown}
        onDragOver={allowBlocks}
        onDrop={onDrop}
        {...drawing}
        nodeTypes={nodeTypes}
        colorMode={isDark ? "dark" : "light"}
        onNodesChange={onNodesChange}
        onNodeDragStop={onMoved}
        onNodeClick={onNodeClick}
        onPaneClick={onPaneClick}
        onConnect={onConnect}
        onConnectEnd={onConnectEnd}
        isValidConnection={fits}
        nodesDraggable={!isReadOnly}
        nodesConnectable={!isReadOnly}
        connectionRadius={32}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        fitView
        fitViewOptions={FIT}
        minZoom={0.2}
        proOptions={proOptions}
        ariaLabelConfig={ariaLabelConfig}
      >
        <Background gap={20} size={1.2} />
        <Controls showInteractive={false} position="bottom-right" />
        <FitsAnew fitKey={`${graph.blocks.length} ${isCovered}`} options={isCovered ? BESIDE_DRAWER : FIT} />
      </ReactFlow>
      <p
        role="status"
        className={
          keys.joining
            ? "animate-in absolute bottom-3 left-1/2 max-w-[80%] -translate-x-1/2 rounded-lg border border-border bg-raised px-4 py-2 text-sm shadow-lg"
            : "sr-only"
        }
      >
        {keys.said}
      </p>
    </div>
  );
}
