// Changes between two runs, also of blocks that only one of them has.
import { expect, test } from "vitest";
import { readView } from "@/api/run-view";
import { change, compareBlocks } from "./compare-model";

const block = { state: "success", segment: "s", rows_out: 10, seconds: 1 };

test("blocks that only one run has are told, without a change", () => {
  const one = readView({ state: "success", blocks: { gone: block, kept: block } });
  const other = readView({ state: "success", blocks: { kept: { ...block, rows_out: 15 } } });
  const rows = compareBlocks(one, other).filter(({ unit }) => unit === "rows");
  expect(rows.map((figure) => [figure.name, change(figure)])).toEqual([
    ["kept: rows out", 50],
    ["gone: rows out", null],
  ]);
});

test("from nothing there is no share", () => {
  const figure = { name: "", unit: "rows" as const };
  expect([change({ ...figure, one: 0, other: 5 }), change({ ...figure, one: 0, other: 0 })]).toEqual([
    null,
    0,
  ]);
});
