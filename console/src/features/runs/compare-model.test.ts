// Changes between two runs, also of blocks that only one of them has.
import { expect, test } from "vitest";
import { change, compareBlocks } from "./compare-model";
import { exampleBlock, exampleView } from "./examples";

const block = exampleBlock({ state: "success", rows_out: 10 });

test("blocks that only one run has are told, without a change", () => {
  const one = exampleView({ state: "success", blocks: { gone: block, kept: block } });
  const other = exampleView({ state: "success", blocks: { kept: { ...block, rows_out: 15 } } });
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
