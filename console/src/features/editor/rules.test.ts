// Illegal joins are refused, each in its own words; blocks find their places.
import { expect, test } from "vitest";
import { arrange } from "./arrange";
import { readText } from "./graph";
import { refusal } from "./rules";
import { KINDS } from "./sample-kinds";
import { renameTable, tablesOf, withTable } from "./sql-names";

const { graph } = readText(
  `blocks:
  orders: {extract: shop.orders}
  wide: {sql: select * from orders}
  wider: {sql: select * from wide}
  in_db: {sql: select 1, in: shop, to: t}
  out: {load: wide, to: x.parquet}
  what: {}
`,
  KINDS,
);

test("a join that cannot be says why", () => {
  expect(refusal(graph, "orders", "wider")).toBeNull();
  expect(refusal(graph, "orders", "wide")).toContain("already");
  expect(refusal(graph, "orders", "orders")).toContain("cannot read itself");
  expect(refusal(graph, "out", "wide")).toContain("gives nothing");
  expect(refusal(graph, "wide", "orders")).toContain("takes no input");
  expect(refusal(graph, "in_db", "wide")).toContain("gives a table in a database (DB_TABLE)");
  expect(refusal(graph, "wider", "wide")).toBe("That would be a circle: “wide” → “wider” → “wide”.");
  expect(refusal(graph, "what", "wide")).toContain("not said yet");
});

test("blocks stand in columns and not upon each other", () => {
  const placed = arrange(graph, { orders: { x: 10, y: 20 } });
  expect(placed["orders"]).toEqual({ x: 10, y: 20 });
  const spots = Object.values(placed).map(({ x, y }) => `${x} ${y}`);
  expect(new Set(spots).size).toBe(6);
  expect((placed["wider"]?.x ?? 0) > (placed["wide"]?.x ?? 0)).toBe(true);
});

test("tables are found in a query, and its text is no table", () => {
  const found = (sql: string) => tablesOf(sql).map(({ name }) => name);
  expect(
    found(
      `select a, b from orders o, "Items" join {{ ref('x') }} on o.id = y.id where z in (select 1 from w)`,
    ),
  ).toEqual(["orders", "Items", "x", "w"]);
  expect(found("select 'from a' -- from b\nfrom s.t")).toEqual([]);
  expect(renameTable("select a.x from a where a.y > 1", "a", "b")).toBe("select b.x from b where b.y > 1");
  expect(renameTable("select a.x from t a", "a", "b")).toBe("select a.x from t a");
  expect(withTable("select * from a where x > 1", "b", false)).toMatch(
    /from a\njoin b on true -- .*\nwhere x > 1$/,
  );
});
