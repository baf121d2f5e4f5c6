// A file drawn, changed and read again is the same, and keeps its comments.
import { expect, test } from "vitest";
import { addBlock, connect, disconnect, renameBlock, setSetting, writtenOut } from "./edits";
import { type Block, readText } from "./graph";
import { KINDS } from "./sample-kinds";

const FILE = `# what it is for
name: churn
blocks:
  # the source
  orders:
    extract: shop.public.orders # by day
    sync: {cursor: updated_at, key: id}
  features:
    sql: |
      select o.id
      from orders o
  out:
    load: features
    to: lake/x.parquet
  checks:
    test: features
    relationships: {id: orders.id}
`;

const read = (text: string) => readText(text, KINDS);
function block(text: string, id: string): Block {
  const found = read(text).graph.blocks.find((block) => block.id === id);
  if (!found) throw new Error(`no ${id}`);
  return found;
}

test("a file's blocks, kinds, joins and places are read", () => {
  const { graph, ranges } = read(FILE);
  expect(graph.blocks.map(({ id, kind }) => [id, kind?.kind])).toEqual([
    ["orders", "extract"],
    ["features", "sql"],
    ["out", "load"],
    ["checks", "test"],
  ]);
  expect(graph.joins.map(({ source, target, port }) => `${source} ${target} ${port ?? "-"}`)).toEqual([
    "orders features S3_FILE",
    "features out S3_FILE",
    "features checks S3_FILE",
    "orders checks S3_FILE",
  ]);
  const features = ranges.find(({ id }) => id === "features");
  expect(FILE.slice(features?.start, features?.end)).toMatch(/^features:[\s\S]*from orders o\n/);
  expect(read("blocks: [").error?.line).toBe(1);
});

test("a setting changes and everything else stays as it was written", () => {
  const next = setSetting(FILE, "orders", ["extract"], "shop.public.items");
  expect(next).toBe(FILE.replace("shop.public.orders", "shop.public.items"));
  expect(setSetting(next, "orders", ["extract"], "shop.public.orders")).toBe(FILE);
  const typed = setSetting(FILE, "out", ["to"], "lake ");
  expect(setSetting(typed, "out", ["to"], "lake/x.parquet")).toBe(FILE);
  const nested = setSetting(FILE, "out", ["sync", "cursor"], "x");
  expect(block(nested, "out").settings["sync"]).toEqual({ cursor: "x" });
  expect(setSetting(nested, "out", ["sync", "cursor"], undefined)).toBe(FILE);
});

test("a block called otherwise is called so everywhere", () => {
  const next = renameBlock(FILE, read(FILE).graph.blocks, "orders", "purchases");
  expect(next).toContain("# by day");
  expect(next).toContain("from purchases o");
  expect(next).toContain("{id: purchases.id}");
  expect(next).toContain("extract: shop.public.orders");
  expect(read(next).graph.joins).toHaveLength(4);
  expect(renameBlock(next, read(next).graph.blocks, "purchases", "orders")).toBe(FILE);
});

test("joins are drawn into the settings and taken out again", () => {
  const drawn = addBlock(FILE, "wide", { sql: "" });
  const once = connect(drawn, "orders", block(drawn, "wide"));
  expect(block(once, "wide").settings["sql"]).toBe("select * from orders");
  const twice = connect(once, "features", block(once, "wide"));
  expect(read(twice).graph.joins.filter(({ target }) => target === "wide")).toHaveLength(2);
  expect(disconnect(twice, "orders", block(twice, "wide"))).toHaveProperty("refusal");
  expect(disconnect(once, "orders", block(once, "wide"))).toEqual({ text: drawn });
  expect(disconnect(FILE, "features", block(FILE, "out"))).toHaveProperty("text");
});

test("the three-line form is written out", () => {
  const short = "# daily\nname: copy\nfrom: a.b.c\nto: d.e.f\n";
  const next = writtenOut(short, [
    { id: "extract", kind: null, settings: { extract: "a.b.c" } },
    { id: "load", kind: null, settings: { load: "extract", to: "d.e.f" } },
  ]);
  expect(next).toContain("# daily\nname: copy");
  expect(next).not.toContain("from:");
  expect(read(next).graph.joins).toHaveLength(1);
});
