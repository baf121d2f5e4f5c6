// A file drawn, changed and read again is the same, and keeps its comments.
import { expect, test } from "vitest";
import {
  addBlock,
  connect,
  disconnect,
  freeName,
  removeBlock,
  renameBlock,
  setSetting,
  writtenOut,
} from "./edits";
import { type Block, readText } from "./graph";
import { KINDS } from "./sample-kinds";
import { beginnings } from "./schema";

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

/** Numbers that look random and are the same every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * sides);
  };
}

const VALUES: unknown[] = [
  "plain", "", "null", "3", "yes", "a: b", "# no", "two\nlines", " ends \n", "it's", "- x", "{{ ref('a') }}", "żółć", "'", "\t",
  3, -0.5, true, null, [], ["a", "b, c"], {}, { a: "b", "c d": ["x\ny"] }, { deep: { deeper: { deepest: [1, { two: "2" }] } } },
]; // prettier-ignore

test("whatever is drawn is read back without loss, and comments outlive every change", () => {
  for (let seed = 1; seed <= 15; seed += 1) {
    const roll = dice(seed);
    const pick = <T>(items: readonly T[]): T | undefined => items[roll(items.length)];
    let text = "# head\nname: x # beside\nblocks: {}\n# foot\n";
    let model: { id: string; settings: Record<string, unknown> }[] = [];
    for (let step = 0; step < 12; step += 1) {
      const chosen = pick(model);
      const act = roll(5);
      const key = pick(["a", "b", "where", "c-d"]) ?? "a";
      if (act <= 1 || !chosen) {
        const kind = pick(KINDS);
        const { blocks } = read(text).graph;
        const id = freeName(blocks, kind?.keyword ?? "x");
        const settings = { ...(kind && beginnings(kind)), [key]: pick(VALUES) };
        text = addBlock(text, id, settings);
        model.push({ id, settings });
      } else if (act === 2) {
        const value = pick(VALUES);
        text = setSetting(text, chosen.id, [key], value);
        chosen.settings[key] = value;
      } else if (act === 3) {
        text = setSetting(text, chosen.id, [key], undefined);
        chosen.settings = Object.fromEntries(
          Object.entries(chosen.settings).filter(([name]) => name !== key),
        );
      } else {
        text = removeBlock(text, chosen.id);
        model = model.filter((block) => block !== chosen);
      }
      const found = read(text);
      expect(found.error, text).toBeNull();
      expect(
        found.graph.blocks.map(({ id, settings }) => ({ id, settings })),
        text,
      ).toEqual(model);
      for (const comment of ["# head", "# beside", "# foot"]) expect(text).toContain(comment);
    }
  }
});
