// What a selector picks of a small graph: raw -> clean -> orders -> report, clean -> audit, and a circle beside.
import { expect, test } from "vitest";
import { pick } from "./selector";

const things = ["raw", "clean", "orders", "orders_eu", "report", "audit", "one", "other"].map((name) => ({
  id: `pipeline:${name}`,
  name,
}));
const lines = [
  ["raw", "clean"],
  ["clean", "orders"],
  ["orders", "report"],
  ["clean", "audit"],
  ["one", "other"],
  ["other", "one"],
].map(([from = "", to = ""]) => ({ from: `pipeline:${from}`, to: `pipeline:${to}` }));

const picked = (text: string) =>
  [...(pick(text, things, lines) ?? ["everything"])].map((id) => id.replace("pipeline:", "")).sort();

test("UI-10: a selector picks a thing, and as many steps before and behind it as it says", () => {
  expect(picked("orders")).toEqual(["orders"]);
  expect(picked("+orders")).toEqual(["clean", "orders", "raw"]);
  expect(picked("1+orders")).toEqual(["clean", "orders"]);
  expect(picked("clean+")).toEqual(["audit", "clean", "orders", "report"]);
  expect(picked("+clean+1")).toEqual(["audit", "clean", "orders", "raw"]);
  expect(picked("0+orders+0")).toEqual(["orders"]);
  expect(picked("+audit+")).toEqual(["audit", "clean", "raw"]);
});

test("a name that nothing has picks those that contain it, `*` any letters, nothing nothing", () => {
  expect(picked(" ORDERS ")).toEqual(["orders"]);
  expect(picked("order")).toEqual(["orders", "orders_eu"]);
  expect(picked("o*r")).toEqual(["other"]);
  expect(picked("orders*+")).toEqual(["orders", "orders_eu", "report"]);
  expect(picked("(")).toEqual([]);
  expect(picked(" ")).toEqual(["everything"]);
  expect(picked("+")).toEqual(["everything"]);
});

test("circles end", () => {
  expect(picked("+one+")).toEqual(["one", "other"]);
});
