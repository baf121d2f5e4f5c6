// shop writes a table that report reads; lake begins after shop, and audit after lake.
import { expect, test } from "vitest";
import type { Lineage, LineageNode } from "@/api/lineage";
import { healthOf, partOf, refusal } from "./model";

type Status = NonNullable<LineageNode["last_run"]>["status"];

const node = (id: string, status?: Status): LineageNode => ({
  id,
  kind: id.startsWith("pipeline:") ? "pipeline" : "table",
  name: id.replace(/^\w+:/, ""),
  last_run: status ? { id: "1", status, started_at: "2026-11-22T04:00:00Z" } : null,
});
const lineage: Lineage = {
  nodes: [
    node("pipeline:shop", "success"),
    node("pipeline:lake", "failed"),
    node("pipeline:audit", "running"),
    node("pipeline:report"),
    node("table:orders"),
    node("table:source"),
  ],
  edges: [
    { from: "table:source", to: "pipeline:shop", kind: "reads" },
    { from: "pipeline:shop", to: "table:orders", kind: "writes" },
    { from: "pipeline:lake", to: "table:orders", kind: "writes" },
    { from: "table:orders", to: "pipeline:report", kind: "reads" },
    { from: "pipeline:shop", to: "pipeline:lake", kind: "triggers", trigger_id: "1" },
    { from: "pipeline:lake", to: "pipeline:audit", kind: "triggers", trigger_id: "2" },
  ],
};

test("UI-10: a dependency that closes a circle is refused with the circle", () => {
  const refused = refusal(lineage, "pipeline:audit", "pipeline:shop");
  expect(refused?.words).toContain("“shop” → “lake” → “audit” → “shop”");
  expect(refused?.circle.map(({ trigger_id }) => trigger_id)).toEqual(["1", "2"]);
  expect(refusal(lineage, "pipeline:shop", "pipeline:audit")).toBeNull();
  // What is only read is no order.
  expect(refusal(lineage, "pipeline:report", "pipeline:shop")).toBeNull();
});

test("only pipelines wait for pipelines, once, and not for themselves", () => {
  expect(refusal(lineage, "pipeline:shop", "pipeline:lake")?.words).toContain("already");
  expect(refusal(lineage, "pipeline:shop", "pipeline:shop")?.words).toContain("itself");
  expect(refusal(lineage, "table:orders", "pipeline:shop")?.words).toContain("“orders” is a table");
  expect(refusal(lineage, "pipeline:gone", "pipeline:shop")?.words).toContain("no such pipeline");
});

test("a table is as healthy as the worst that writes it", () => {
  expect(Object.fromEntries(healthOf(lineage))).toEqual({
    "pipeline:shop": "success",
    "pipeline:lake": "failed",
    "pipeline:audit": "running",
    "pipeline:report": "never",
    "table:orders": "failed",
  });
});

test("a part has its own nodes and what is between them", () => {
  const part = partOf(lineage, new Set(["pipeline:shop", "pipeline:lake", "table:source"]));
  expect(part.nodes).toHaveLength(3);
  expect(part.edges.map(({ kind }) => kind)).toEqual(["reads", "triggers"]);
});
