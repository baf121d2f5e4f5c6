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
import { useIsDark } from "@/lib/theme";
import { BlockNode, type BlockNodeType } from "./block-node";
import { FitsAnew } from "./fits-anew";
import { FlowEdge, type FlowEdgeType } from "./flow-edge";
import "./graph.css";

const nodeTypes = { block: BlockNode };
const edgeTypes = { flow: FlowEdge };
const defaultEdgeOptions = {
  type: "flow",
  markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: "var(--input)" },
};
const fitViewOptions = { padding: 0.12, maxZoom: 1 };
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
  /** All of it is shown again where this changes. */
  fitKey?: string;
};

/** Everything that React Flow takes may be given, too; it fills what surrounds it. */
export function GraphCanvas({ label, fitKey = "", children, ...rest }: GraphCanvasProps) {
  const isDark = useIsDark();
  return (
    <ReactFlow
      aria-label={label}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      defaultEdgeOptions={defaultEdgeOptions}
      colorMode={isDark ? "dark" : "light"}
      fitView
      fitViewOptions={fitViewOptions}
      minZoom={0.15}
      maxZoom={1.75}
      ariaLabelConfig={ariaLabelConfig}
      onlyRenderVisibleElements={(rest.nodes?.length ?? 0) > 100}
      {...rest}
    >
      <Background gap={24} size={1.5} />
      <Controls showInteractive={false} />
      {(rest.nodes?.length ?? 0) >= MAP_FROM && <MiniMap pannable zoomable className="!hidden sm:!block" />}
      <FitsAnew fitKey={fitKey} options={fitViewOptions} />
      {children}
    </ReactFlow>
  );
}
