// The canvas that graphs are drawn on; loaded only where one is shown.
import {
  type AriaLabelConfig,
  Background,
  Controls,
  MarkerType,
  MiniMap,
  ReactFlow,
  type ReactFlowProps,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useMemo } from "react";
import { useIsDark } from "@/lib/theme";
import { BlockNode, type BlockNodeType } from "./block-node";
import { useComing } from "./coming";
import { FitsAnew } from "./fits-anew";
import { FlowEdge, type FlowEdgeType } from "./flow-edge";
import "./graph.css";

const nodeTypes = { block: BlockNode };
const edgeTypes = { flow: FlowEdge };
const defaultEdgeOptions = {
  type: "flow",
  markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: "var(--input)" },
};
const fitViewOptions = { padding: 0.12, maxZoom: 1, includeHiddenNodes: true };
const MIN_ZOOM = 0.15;
const MAP_SIZE = { width: 144, height: 84 };
/** From so many blocks on a small map helps. */
const MAP_FROM = 20;

const ariaLabelConfig: Partial<AriaLabelConfig> = {
  "node.a11yDescription.default": "Enter chooses it.",
  "edge.a11yDescription.default": "Enter chooses it.",
  "controls.ariaLabel": "View of the graph",
  "controls.zoomIn.ariaLabel": "Zoom in",
  "controls.zoomOut.ariaLabel": "Zoom out",
  "controls.fitView.ariaLabel": "Show all of it",
  "minimap.ariaLabel": "Small map of the graph",
};

type GraphCanvasProps = ReactFlowProps<BlockNodeType, FlowEdgeType> & {
  label: string;
  nodes: BlockNodeType[];
  edges: FlowEdgeType[];
  /** How small blocks may become by that; what has no room then is moved to. */
  fitZoom?: number;
  /** What is fitted in; all where it is left out. */
  fitted?: readonly string[] | undefined;
};

/** Everything that React Flow takes may be given, too; it fills what surrounds it. Fitted in again where blocks move. */
export function GraphCanvas(props: GraphCanvasProps) {
  const { label, fitZoom = MIN_ZOOM, fitted, nodes, edges, children, ...rest } = props;
  const isDark = useIsDark();
  const drawing = useComing(nodes, edges);
  // Of the blocks that are drawn: where they are to stand may be known a moment before they do.
  const places = nodes.map(({ id, position: { x, y } }) => `${id} ${x} ${y}`).join();
  const fitOptions = useMemo(
    () => ({
      ...fitViewOptions,
      minZoom: fitZoom,
      ...(fitted && { nodes: fitted.map((id) => ({ id })) }),
    }),
    [fitZoom, fitted],
  );
  return (
    <ReactFlow
      aria-label={label}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      defaultEdgeOptions={defaultEdgeOptions}
      colorMode={isDark ? "dark" : "light"}
      fitView
      fitViewOptions={fitOptions}
      minZoom={MIN_ZOOM}
      maxZoom={1.75}
      ariaLabelConfig={ariaLabelConfig}
      onlyRenderVisibleElements={nodes.length > 100}
      {...rest}
      {...drawing}
    >
      <Background gap={24} size={1.5} />
      <Controls showInteractive={false} />
      {(nodes.length >= MAP_FROM || fitZoom > MIN_ZOOM) && (
        <MiniMap pannable zoomable style={MAP_SIZE} className="!hidden sm:!block" />
      )}
      <FitsAnew fitKey={places} options={fitOptions} />
      {children}
    </ReactFlow>
  );
}
