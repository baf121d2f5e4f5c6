// Tests by column are read and written without losing what is not about single columns.
import { expect, test } from "vitest";
import { columnTests, countTests, withColumn, withTest } from "./model";

const TESTS = {
  unique: ["id", ["day", "shop"]],
  not_null: ["id", "total"],
  accepted_values: { plan: ["free", 1, "1", null] },
  relationships: { customer: "customers.id" },
  rows: "> 0",
  sql: ["select 1 where false", "select 2 where false"],
};

test("each column that is tested or known has a line", () => {
  const found = columnTests(TESTS, ["day", "id"]);
  expect(found.map(({ column }) => column)).toEqual(["day", "id", "total", "plan", "customer"]);
  expect(found[0]).toEqual({ column: "day", isUnique: false, isNotNull: false, accepted: "", reference: "" });
  expect(found[1]).toMatchObject({ isUnique: true, isNotNull: true });
  expect(found[3]).toMatchObject({ accepted: 'free, 1, "1", null' });
  expect(found[4]).toMatchObject({ reference: "customers.id" });
});

test("what is read is written again, and only what was changed is other", () => {
  for (const line of columnTests(TESTS, [])) expect(withColumn(TESTS, line)).toEqual(TESTS);
  const total = { column: "total", isUnique: true, isNotNull: false, accepted: "1, 2.5", reference: "" };
  expect(withColumn(TESTS, total)).toEqual({
    ...TESTS,
    unique: ["id", ["day", "shop"], "total"],
    not_null: ["id"],
    accepted_values: { ...TESTS.accepted_values, total: [1, 2.5] },
  });
});

test("what is empty is left out, and checks are counted one by one", () => {
  const none = { column: "id", isUnique: false, isNotNull: false, accepted: "", reference: "" };
  expect(withColumn({ not_null: ["id"] }, none)).toEqual({});
  expect(withTest(TESTS, "rows", null)).not.toHaveProperty("rows");
  expect(countTests(TESTS)).toBe(9);
  expect(countTests({})).toBe(0);
});
