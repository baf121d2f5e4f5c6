// What the builder writes it reads again; what it cannot say it leaves alone.
import { expect, test } from "vitest";
import { EVERY, readCron, type Rule, USUAL, writeCron } from "./cron";

test("every rule comes back from its line", () => {
  const rules: Rule[] = [
    ...EVERY.map((every): Rule => ({ ...USUAL, way: "minutes", every })),
    { ...USUAL, way: "hourly", minute: 59 },
    { ...USUAL, hour: 23, minute: 5 },
    { ...USUAL, way: "weekly", weekdays: [1, 2, 3, 4, 5] },
    { ...USUAL, way: "weekly", weekdays: [0, 6] },
    { ...USUAL, way: "monthly", day: 31 },
  ];
  for (const rule of rules) {
    const read = readCron(writeCron(rule));
    expect(read?.way).toBe(rule.way);
    expect(read && writeCron(read)).toBe(writeCron(rule));
  }
});

test("names and aliases are understood", () => {
  expect(readCron("@daily")).toEqual({ ...USUAL, way: "daily", hour: 0 });
  expect(readCron("0 3 * * MON-FRI")?.weekdays).toEqual([1, 2, 3, 4, 5]);
  expect(readCron("0 3 * * 7")?.weekdays).toEqual([0]);
});

test("what it cannot say it does not claim to", () => {
  for (const line of [
    "",
    "nonsense",
    "0 0 3 * * *",
    "0 3 L * *",
    "0 3 1 * 1",
    "*/7 * * * *",
    "0 3 * 2 *",
    "61 3 * * *",
  ])
    expect(readCron(line)).toBeNull();
});
