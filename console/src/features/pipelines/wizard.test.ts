// The wizard's file says what was asked for, and it asks for what would lose or double rows.
import { expect, test } from "vitest";
import { parse } from "yaml";
import { fileOf, fittingWrite, missing, NOTHING, type Wishes } from "./wizard";

const orders = {
  schema: "public",
  name: "orders",
  columns: ["id", "at"],
  key: ["id"],
  cursor: "at",
  left: ["card"],
};
const wishes: Wishes = {
  ...NOTHING,
  source: "shop",
  tables: [orders, { ...orders, schema: "old", key: ["id", "day"], cursor: "", left: [] }],
  destination: "lake",
  into: "/raw/",
  destinationHasFiles: true,
  write: "merge",
  name: "copy",
};

test("a file with a block for every table and every load", () => {
  expect(parse(fileOf(wishes))).toEqual({
    name: "copy",
    blocks: {
      orders: {
        extract: "shop.public.orders",
        sync: { cursor: "at", key: "id" },
        columns: { exclude: ["card"] },
      },
      load_orders: { load: "orders", to: "lake/raw/orders.parquet", write: "merge", key: "id" },
      orders_2: { extract: "shop.old.orders" },
      load_orders_2: { load: "orders_2", to: "lake/raw/orders.parquet", write: "merge", key: ["id", "day"] },
    },
  });
});

test("a mode that would lose rows is not taken", () => {
  expect(fittingWrite(wishes)).toBe("merge");
  expect(fittingWrite({ ...wishes, tables: [{ ...orders, key: [] }] })).toBe("append");
  expect(missing({ ...wishes, write: "replace" }, 3)).toContain("only what is new of orders");
  expect(missing({ ...wishes, tables: [{ ...orders, key: [] }] }, 3)).toContain("needs a key");
  expect(missing(wishes, 3)).toBeNull();
});
