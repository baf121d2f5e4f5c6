// The canvas: blocks are put, moved and joined by pointer or by keys.
import {
  Background, type Connection, Controls, type Edge, MarkerType, type NodeChange, ReactFlow, useReactFlow,
} from "@xyflow/react"; // prettier-ignore
import "@xyflow/react/dist/style.css";
import { type DragEvent, useMemo, useRef, useState } from "react";
import type { Layout } from "@/api/pipeline-files";
import { FitsAnew } from "@/components/graph/fits-anew";
import { portLook } from "@/components/graph/ports";
import { toast } from "@/components/ui/toast";
import { useMedia } from "@/lib/media";
import { useIsDark } from "@/lib/theme";
import { NODE } from "./arrange";
import { BlockCard, type BlockNode, summaryOf } from "./block-node";
import { refusal } from "./rules";
import type { Editing } from "./use-draft";
import { useCanvasKeys } from "./use-canvas-keys";

export const BLOCK_MIME = "application/x-flowetl-block";
const nodeTypes = { block: BlockCard };

const FIT = { maxZoom: 1, padding: 0.15 };
/** The drawer covers this much of it where there is no room beside. */
const BESIDE_DRAWER = { ...FIT, padding: { x: "24px", y: 0.15, right: "376px" } } as const;

interface CanvasProps {
  editing: Editing;
  selected: string | null;
  onSelect: (id: string | null) => void;
  /** Puts the focus into the form of the block. */
  onOpen: () => void;
  isReadOnly: boolean;
}

export function Canvas({ editing, selected, onSelect, onOpen, isReadOnly }: CanvasProps) {
  const { graph, spots, checked } = editing;
  const host = useRef<HTMLDivElement>(null);
  const flow = useReactFlow<BlockNode>();
  const isDark = useIsDark();
  const isBeside = useMedia("(min-width: 64rem)");
  const isCovered = selected !== null && !isBeside;
  const [sizes, setSizes] = useState<Record<string, { width: number; height: number }>>({});
  const [dragged, setDragged] = useState<Layout>({});
  const keys = useCanvasKeys({ editing, selected, onSelect, onOpen, host, isReadOnly });

  const nodes = useMemo(
    () =>
      graph.blocks.map((block): BlockNode => {
        const problems = checked?.problems.filter((problem) => problem.block === block.id).length ?? 0;
        const summary = summaryOf(block);
        const isCandidate = keys.joining?.target === block.id;
        return {
          id: block.id,
          type: "block",
          position: dragged[block.id] ?? spots[block.id] ?? { x: 0, y: 0 },
          ...NODE,
          ...(sizes[block.id] && { measured: sizes[block.id] }),
          selected: selected === block.id,
          ariaLabel: `${block.kind?.label ?? "Block"} ${block.id}, ${summary}${problems > 0 ? `, ${problems} problems` : ""}, gives ${portLook(block.kind?.output ?? null).words}`,
          data: {
            block,
            summary,
            problems,
            candidate: isCandidate ? (keys.joining?.refusal ? "refused" : "allowed") : null,
            isSource: keys.joining?.source === block.id,
          },
        };
      }),
    [graph.blocks, checked, spots, dragged, sizes, selected, keys.joining],
  );
  const edges = useMemo(
    () =>
      graph.joins.map(({ source, target, port }): Edge => {
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
      }),
    [graph.joins],
  );

  const onNodesChange = (changes: NodeChange<BlockNode>[]) => {
    const measured = changes.flatMap((change) =>
      change.type === "dimensions" && change.dimensions ? [[change.id, change.dimensions] as const] : [],
    );
    if (measured.length > 0) setSizes((before) => ({ ...before, ...Object.fromEntries(measured) }));
    const moved = changes.flatMap((change) =>
      change.type === "position" && change.position ? [[change.id, change.position] as const] : [],
    );
    if (moved.length > 0) setDragged((before) => ({ ...before, ...Object.fromEntries(moved) }));
  };
  const onDrop = (event: DragEvent) => {
    const kind = editing.kinds.find(({ kind }) => kind === event.dataTransfer.getData(BLOCK_MIME));
    if (!kind) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const spot = { x: Math.round(x - NODE.width / 2), y: Math.round(y - NODE.height / 2) };
    onSelect(editing.add(kind, spot, null));
  };
  const tell = (why: string | null) => {
    if (why !== null) toast("danger", why);
  };
  const fits = ({ source, target }: Connection | Edge) => refusal(graph, source, target) === null;

  return (
    <div className="relative h-full">
      <ReactFlow
        ref={host}
        aria-label="Canvas: arrows go from block to block, a and arrows join, Delete removes, Enter opens"
        onKeyDown={keys.onKeyDown}
        onDragOver={(event) => {
          if (event.dataTransfer.types.includes(BLOCK_MIME)) event.preventDefault();
        }}
        onDrop={onDrop}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        colorMode={isDark ? "dark" : "light"}
        onNodesChange={onNodesChange}
        onNodeDragStop={(_, __, moved) => {
          editing.move(
            Object.fromEntries(
              moved.map(({ id, position }) => [id, { x: Math.round(position.x), y: Math.round(position.y) }]),
            ),
          );
          setDragged({});
        }}
        onNodeClick={(_, node) => onSelect(node.id)}
        onPaneClick={() => onSelect(null)}
        onConnect={({ source, target }) => tell(editing.join(source, target))}
        onConnectEnd={(_, { isValid, fromNode, toNode, fromHandle }) => {
          if (isValid || !fromNode || !toNode) return;
          const [source, target] = fromHandle.type === "target" ? [toNode, fromNode] : [fromNode, toNode];
          tell(refusal(graph, source.id, target.id));
        }}
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
        proOptions={{ hideAttribution: true }}
        ariaLabelConfig={{
          "node.a11yDescription.default":
            "Enter opens the block, arrows go to others, a joins, Delete removes.",
          "edge.a11yDescription.default": "Delete takes the join out.",
        }}
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
