// Tests of the file that begins at a table.
import { expect, test } from "vitest";
import { blockName, pipelineText } from "./pipeline-text";

test("SD-4: a pipeline begins at a table, also while it leads nowhere", () => {
  const wish = { name: "orders", from: "shop.public.orders", to: "" };
  expect(pipelineText(wish)).toBe("name: orders\nblocks:\n  orders:\n    extract: shop.public.orders\n");
  expect(pipelineText({ ...wish, to: "lake.raw.orders" })).toBe(
    "name: orders\nfrom: shop.public.orders\nto: lake.raw.orders\n",
  );
});

test("SD-4: blocks have plain names", () => {
  expect(blockName("2024 ørders.csv")).toBe("_2024_rders_csv");
  expect(blockName("")).toBe("rows");
});
