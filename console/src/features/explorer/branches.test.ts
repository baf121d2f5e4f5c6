// Tests of the tree's lines.
import { expect, test } from "vitest";
import type { TableItem } from "@/api/discovery";
import { branchesOf } from "./branches";

const connection = (id: string) => ({ id, name: id, type: "postgres" });
const table = (schema: string, name: string): TableItem => ({ schema, name, kind: "table", columns: 1 });
const known = {
  connections: [connection("a"), connection("b")],
  connection: "a",
  schema: undefined,
  search: "",
  schemas: [
    { name: "public", tables: 2 },
    { name: "raw", tables: 1 },
  ],
  tables: null,
  isFound: true,
};
const labels = (lines: ReturnType<typeof branchesOf>) =>
  lines.map(({ level, label }) => `${" ".repeat(level - 1)}${label}`);

test("SD-4: only what is open shows what is below it", () => {
  expect(labels(branchesOf({ ...known, connection: undefined }))).toEqual(["a", "b"]);
  expect(labels(branchesOf(known))).toEqual(["a", " public", " raw", "b"]);
  const open = { ...known, schema: "public", tables: [table("public", "orders"), table("public", "users")] };
  expect(labels(branchesOf(open))).toEqual(["a", " public", "  orders", "  users", " raw", "b"]);
});

test("SD-4: what is found by its name stands below its schema", () => {
  const tables = [table("public", "orders"), table("raw", "orders"), table("raw", "orders_old")];
  expect(labels(branchesOf({ ...known, search: "orders", tables }))).toEqual([
    "a",
    " public",
    "  orders",
    " raw",
    "  orders",
    "  orders_old",
    "b",
  ]);
});

test("SD-4: what is not there is said", () => {
  expect(labels(branchesOf({ ...known, isFound: false }))).toEqual(["a", " Not looked at yet", "b"]);
  expect(labels(branchesOf({ ...known, search: "x", tables: [] }))).toEqual([
    "a",
    " No table has this in its name",
    "b",
  ]);
});
