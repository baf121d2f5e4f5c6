// The sample shop: whole, the same each time, and of the year before its day.
import { expect, test } from "vitest";
import { sampleShop } from "./sample-shop";

test("each order is of a customer who is there, and of the year before", () => {
  const { files } = sampleShop(new Date("2026-11-23T10:00:00Z"));
  const [customers, orders] = files.map(({ text }) => text.trimEnd().split("\n").slice(1));
  const ids = new Set(customers?.map((line) => line.split(",")[0]));
  expect([ids.size, orders?.length]).toEqual([500, 10_000]);
  for (const line of orders ?? []) {
    const [, customer, day = "", amount, status] = line.split(",");
    expect(ids.has(customer)).toBe(true);
    expect(day >= "2025-11-23" && day < "2026-11-23").toBe(true);
    expect(amount).toMatch(/^\d{1,3}\.\d\d$/);
    expect(["paid", "shipped", "cancelled"]).toContain(status);
  }
  expect(sampleShop(new Date("2026-11-23T23:59:59Z")).files).toEqual(files);
});
