// What is drawn of a run: its revision's lines, and those that rows were seen on.
import { expect, test } from "vitest";
import type { PipelineGraph } from "@/api/pipeline-graph";
import { layoutGraph } from "@/components/graph/layout";
import { exampleBlock, exampleView } from "./examples";
import { flowEdges, flowNodes, shapeOf } from "./graph-model";

const block = exampleBlock({ rows_out: 12_400, busy_ms: 900, waiting_ms: 100 });
const view = exampleView({
  blocks: { orders: block, checks: { ...block, state: "pending", rows_out: 0, busy_ms: 0, waiting_ms: 0 } },
  edges: [{ from: "orders", to: "checks", rows: 10, bytes: 10, empty_ms: 0, full_ms: 0 }],
});

test("without its revision, lines are those that rows were seen on", () => {
  expect(shapeOf(view, null).links).toEqual([
    { from: "orders", to: "checks", port: "S3_FILE", isOrder: false },
  ]);
});

test("blocks that are not part of the run are not drawn", () => {
  const graph: PipelineGraph = {
    revision: 1,
    nodes: [{ id: "orders", kind: "extract", settings: { extract: "shop.public.orders" } }],
    edges: [
      { source: "orders", target: "gone", port: "S3_FILE" },
      { source: "checks", target: "orders", port: null },
    ],
  };
  const shape = shapeOf(view, graph);
  expect(shape.links.map(({ from, to, isOrder }) => [from, to, isOrder])).toEqual([
    ["checks", "orders", true],
    ["orders", "checks", false],
  ]);
  expect(shape.kinds).toEqual({ orders: "extract", checks: null });
});

test("a block says in words what its picture shows", () => {
  const shape = shapeOf(view, null);
  const heard = [{ at: 1, view }];
  const [orders] = flowNodes(shape, view, heard, layoutGraph(shape.ids, shape.links), "orders");
  expect(orders?.ariaLabel).toBe("orders, running, 12.4 k rows per second, busy 90 %, waiting for rows 10 %");
  expect(orders?.selected).toBe(true);
  expect(flowEdges(shape, view, heard)[0]?.ariaLabel).toContain("from orders to checks");
});
