// What a few rows tell of their columns.
import { expect, test } from "vitest";
import { profileOf } from "./profile";

const columns = [
  { name: "id", type: "int64" },
  { name: "region", type: "text" },
  { name: "day", type: "date" },
  { name: "note", type: "text" },
];
const rows = Array.from({ length: 20 }, (_, index) => [
  String(index + 1),
  index < 12 ? "eu" : index < 18 ? "us" : null,
  `2026-11-${String((index % 4) + 1).padStart(2, "0")}`,
  null,
]);

test("numbers are counted by ranges, from the least to the greatest by their value", () => {
  const [id] = profileOf({ columns, rows });
  expect(id).toMatchObject({ nulls: 0, nullShare: 0, distinct: 20, least: "1", greatest: "20" });
  expect(id?.bars).toHaveLength(10);
  expect(id?.bars.map(({ count }) => count)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
  expect(id?.bars[0]?.label).toBe("1 to 2");
});

test("texts are counted by their values, the most common first, and what is missing is told", () => {
  const [, region, day, note] = profileOf({ columns, rows });
  expect(region).toMatchObject({ nulls: 2, nullShare: 0.1, distinct: 2, least: "eu", greatest: "us" });
  expect(region?.bars).toEqual([
    { label: "eu", count: 12 },
    { label: "us", count: 6 },
  ]);
  expect(day?.bars.map(({ label }) => label)).toEqual([
    "2026-11-01",
    "2026-11-02",
    "2026-11-03",
    "2026-11-04",
  ]);
  expect(note).toMatchObject({ nulls: 20, nullShare: 1, distinct: 0, least: null, greatest: null, bars: [] });
});

test("what is no number although its type says so, and texts that all differ, have no ranges", () => {
  const odd = profileOf({ columns: [{ name: "n", type: "numeric" }], rows: [["1"], ["NaN"], ["3"]] });
  expect(odd[0]).toMatchObject({ distinct: 3, bars: [] });
  const names = profileOf({ columns: [{ name: "n", type: "text" }], rows: [["a"], ["b"]] });
  expect(names[0]).toMatchObject({ least: "a", greatest: "b", bars: [] });
  expect(profileOf({ columns, rows: [] })[0]).toMatchObject({ nullShare: 0, distinct: 0 });
});
