// A run as a graph that moves, and the same as a table.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { NodeChange } from "@xyflow/react";
import { useDeferredValue, useMemo } from "react";
import { pipelineGraphQuery } from "@/api/pipeline-graph";
import type { RunDetail } from "@/api/runs";
import { type BlockNodeType, isSameNode } from "@/components/graph/block-node";
import { GraphCanvas } from "@/components/graph/canvas";
import { type FlowEdgeType, isSameEdge } from "@/components/graph/flow-edge";
import { layoutGraph } from "@/components/graph/layout";
import { RingLegend } from "@/components/graph/ring";
import { GraphWays } from "@/components/graph/ways";
import { keeper } from "@/lib/keeper";
import { useSteady } from "@/lib/steady";
import { BlockDetail } from "./block-detail";
import { flowEdges, flowNodes, shapeOf } from "./graph-model";
import type { Heard } from "./rates";
import { RunOutline } from "./run-outline";

const route = getRouteApi("/app/runs/$run");

export function RunGraph({ run, heard }: { run: RunDetail; heard: readonly Heard[] }) {
  const { as, block = null } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: graph } = useQuery({
    ...pipelineGraphQuery(run.pipeline_id ?? ""),
    enabled: Boolean(run.pipeline_id),
    staleTime: Infinity,
  });
  // Another revision may have other blocks.
  const drawn = graph?.revision === run.revision ? graph : null;
  const shape = shapeOf(run.view, drawn ?? null);
  const key = JSON.stringify(shape);
  // Blocks stand still while figures change.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const places = useMemo(() => layoutGraph(shape.ids, shape.links), [key]);
  const select = (id: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, block: id }), replace: true });
  const onNodesChange = useSteady((changes: NodeChange<BlockNodeType>[]) => {
    const chosen = changes.find((change) => change.type === "select" && change.selected);
    if (chosen?.type === "select" && chosen.id !== block) select(chosen.id);
  });
  const onPaneClick = useSteady(() => select(undefined));
  const keepNodes = useMemo(() => keeper(isSameNode), []);
  const keepEdges = useMemo(() => keeper<FlowEdgeType>(isSameEdge), []);
  // Figures that change are drawn between whatever else there is to do.
  const nodes = useDeferredValue(keepNodes(flowNodes(shape, run.view, heard, places, block)));
  const edges = useDeferredValue(keepEdges(flowEdges(shape, run.view, heard)));
  const isOutline = as === "outline";
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        {isOutline ? <span /> : <RingLegend />}
        <GraphWays
          isOutline={isOutline}
          onChange={(toOutline) =>
            void navigate({
              search: (before) => ({ ...before, as: toOutline ? "outline" : undefined }),
              replace: true,
            })
          }
        />
      </div>
      {isOutline ? (
        <RunOutline shape={shape} view={run.view} heard={heard} selected={block} onSelect={select} />
      ) : (
        <div className="h-[clamp(22rem,calc(100vh-26rem),46rem)] overflow-hidden rounded-xl border border-border bg-card">
          <GraphCanvas
            label={`Blocks of ${run.pipeline}`}
            nodes={nodes}
            edges={edges}
            onNodesChange={onNodesChange}
            onPaneClick={onPaneClick}
            nodesDraggable={false}
            nodesConnectable={false}
            edgesFocusable
            deleteKeyCode={null}
          />
        </div>
      )}
      {block !== null && run.view.blocks[block] && (
        <BlockDetail run={run} id={block} heard={heard} onClose={() => select(undefined)} />
      )}
      {!isOutline && (
        <p className="text-xs text-muted-foreground">
          A bar on a line tells for which share of the time rows lay ready that the next block did not take:
          green up to 60 %, yellow ▲ up to 85 %, red ■ above.
        </p>
      )}
    </div>
  );
}
