// The lineage drawn: chosen by click, joined by drag, parted by Delete.
import type { NodeChange } from "@xyflow/react";
import { type KeyboardEvent, useMemo } from "react";
import type { Lineage, LineageEdge } from "@/api/lineage";
import type { BlockNodeType } from "@/components/graph/block-node";
import { GraphCanvas } from "@/components/graph/canvas";
import { layoutGraph } from "@/components/graph/layout";
import { useNow } from "@/lib/clock";
import { drawnEdges, drawnNodes } from "./drawn";
import { edgeId, refusal } from "./model";
import type { Refused } from "./use-order";

/** Lines have few words. */
const GAP_PX = 80;

interface LineageGraphProps {
  /** What is shown of it. */
  part: Lineage;
  health: ReadonlyMap<string, string>;
  isByHealth: boolean;
  chosen: string | null;
  onChoose: (id: string | undefined) => void;
  refused: Refused | null;
  onJoin: (from: string, to: string) => void;
  onPart: (edge: LineageEdge) => void;
  mayJoin: boolean;
  mayPart: boolean;
}

export function LineageGraph(props: LineageGraphProps) {
  const { part, health, isByHealth, chosen, onChoose, refused, onJoin, onPart, mayJoin, mayPart } = props;
  const now = useNow();
  const ids = part.nodes.map(({ id }) => id);
  const key = JSON.stringify([ids, part.edges.map(edgeId)]);
  // What is drawn stands still while it is coloured anew.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const places = useMemo(() => layoutGraph(ids, part.edges, GAP_PX), [key]);
  // Where not all has room, what is chosen and what it touches have.
  const near = part.edges.flatMap(({ from, to }) => (from === chosen || to === chosen ? [from, to] : []));
  const onNodesChange = (changes: NodeChange<BlockNodeType>[]) => {
    const change = changes.find((change) => change.type === "select" && change.selected);
    if (change?.type === "select" && change.id !== chosen) onChoose(change.id);
  };
  const partAt = (id: string | null | undefined) => {
    const edge = part.edges.find((edge) => edgeId(edge) === id);
    if (mayPart && edge?.kind === "triggers") onPart(edge);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!["Delete", "Backspace", "Enter"].includes(event.key) || !(event.target instanceof Element)) return;
    partAt(event.target.closest(".react-flow__edge")?.getAttribute("data-id"));
  };
  return (
    <GraphCanvas
      label="Lineage"
      fitZoom={0.55}
      fitted={chosen !== null && ids.includes(chosen) ? [chosen, ...near] : undefined}
      nodes={drawnNodes(part, { places, health, isByHealth, chosen, mayJoin, now })}
      edges={drawnEdges(part, refused ? [...refused.circle, refused.wished] : [], mayPart)}
      onNodesChange={onNodesChange}
      onPaneClick={() => onChoose(undefined)}
      onEdgeClick={(_, { id }) => partAt(id)}
      onKeyDown={onKeyDown}
      onConnect={({ source, target }) => onJoin(source, target)}
      onConnectEnd={(_, { isValid, fromNode, toNode, fromHandle }) => {
        if (isValid || !fromNode || !toNode) return;
        // What cannot be is asked for, too, so that it is said why.
        if (fromHandle.type === "target") onJoin(toNode.id, fromNode.id);
        else onJoin(fromNode.id, toNode.id);
      }}
      isValidConnection={({ source, target }) => refusal(part, source, target) === null}
      connectionRadius={32}
      nodesDraggable={false}
      nodesConnectable={mayJoin}
      edgesFocusable
      deleteKeyCode={null}
    />
  );
}
