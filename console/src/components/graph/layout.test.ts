// Blocks stand behind what they take from, and never one upon another.
import { expect, test } from "vitest";
import { layersOf, layoutGraph, NODE_HEIGHT, topological } from "./layout";

const DIAMOND = [
  { from: "a", to: "b" },
  { from: "a", to: "c" },
  { from: "b", to: "d" },
  { from: "c", to: "e" },
  { from: "e", to: "d" },
];

test("a block stands behind the longest way that leads to it", () => {
  expect([...layersOf(["d", "e", "c", "b", "a"], DIAMOND)].sort()).toEqual([
    ["a", 0],
    ["b", 1],
    ["c", 1],
    ["d", 3],
    ["e", 2],
  ]);
  expect(topological(["d", "e", "c", "b", "a"], DIAMOND)).toEqual(["a", "c", "b", "e", "d"]);
});

test("a circle and links to nowhere do no harm", () => {
  const links = [
    { from: "a", to: "b" },
    { from: "b", to: "a" },
    { from: "gone", to: "b" },
  ];
  expect(layersOf(["a", "b"], links).size).toBe(2);
  expect(layoutGraph([], []).size).toBe(0);
});

test("two hundred blocks have two hundred places", () => {
  const ids = Array.from({ length: 200 }, (_, index) => `b${index}`);
  const links = ids.flatMap((to, index) =>
    [2, 3, 7].flatMap((divisor) =>
      index > 0 && index % divisor === 0 ? [{ from: `b${index / divisor}`, to }] : [],
    ),
  );
  const places = layoutGraph(ids, links);
  expect(new Set([...places.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(200);
  for (const { from, to } of links) expect(places.get(from)?.x).toBeLessThan(places.get(to)?.x ?? 0);
});

test("lines that need not cross do not", () => {
  const links = [
    { from: "a", to: "z" },
    { from: "b", to: "y" },
    { from: "c", to: "x" },
  ];
  const places = layoutGraph(["a", "b", "c", "x", "y", "z"], links);
  const rows = ["z", "y", "x"].map((id) => places.get(id)?.y ?? 0);
  expect(rows).toEqual(rows.toSorted((one, other) => one - other));
});

test("no block stands on a line that passes its layer", () => {
  const links = [
    { from: "a", to: "b" },
    { from: "b", to: "c" },
    { from: "a", to: "c" },
  ];
  const places = layoutGraph(["a", "b", "c"], links);
  const [a, b, c] = ["a", "b", "c"].map((id) => places.get(id)?.y ?? 0);
  expect(a).toBe(c);
  expect(Math.abs((b ?? 0) - (a ?? 0))).toBeGreaterThan(NODE_HEIGHT / 2);
});

test("a tree has no crossing lines", () => {
  const ids = Array.from({ length: 40 }, (_, index) => `b${index}`);
  const links = ids.slice(1).map((to, index) => ({ from: `b${Math.floor(index / 2)}`, to }));
  const places = layoutGraph(ids, links);
  const y = (id: string) => places.get(id)?.y ?? 0;
  for (const one of links)
    for (const other of links) {
      if (places.get(one.to)?.layer !== places.get(other.to)?.layer) continue;
      expect((y(one.from) - y(other.from)) * (y(one.to) - y(other.to))).toBeGreaterThanOrEqual(0);
    }
});
