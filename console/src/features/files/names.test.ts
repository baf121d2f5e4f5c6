// Tests of what names tell.
import { expect, test } from "vitest";
import { isReadable, referenceOf } from "./names";

test("FI-1: rows of tables are shown, of other files not", () => {
  expect(["a.csv", "b.PARQUET", "c.jsonl.gz"].map(isReadable)).toEqual([true, true, true]);
  expect(["a.pdf", "csv", "b.csv.zip"].map(isReadable)).toEqual([false, false, false]);
});

test("FI-1: pipelines name a file by its folder and name", () => {
  expect(referenceOf({ folder: "raw/2026", name: "a.csv" })).toBe("files/raw/2026/a.csv");
  expect(referenceOf({ folder: "", name: "a.csv" })).toBe("files/a.csv");
});
