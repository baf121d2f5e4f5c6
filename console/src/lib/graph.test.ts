// Places and the connections they begin with.
import { expect, test } from "vitest";
import { namesConnection } from "./graph";

const graph = {
  nodes: [{ settings: { extract: "shop.public.orders" } }, { settings: { load: "a", to: "lake/x.parquet" } }],
};

test("a place names the connection that it begins with", () => {
  expect(["shop", "lake", "sho", "a", "orders"].map((name) => namesConnection(graph, name))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(namesConnection(null, "shop")).toBe(false);
});
