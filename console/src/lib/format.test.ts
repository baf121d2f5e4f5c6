// Numbers and durations at the edges between units.
import { expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatRelative, formatUtc, plural } from "./format";

test("counts are exact while they are short", () => {
  expect([0, 9_999, 12_400, 999_960, 12_400_000, 1e9].map(formatCount)).toEqual([
    "0",
    "9,999",
    "12.4 k",
    "1 M",
    "12.4 M",
    "1 G",
  ]);
});

test("bytes go by 1024", () => {
  expect([0, 512, 1536, 1024 ** 3, 250 * 1024 ** 2].map(formatBytes)).toEqual([
    "0 B",
    "512 B",
    "1.5 KiB",
    "1 GiB",
    "250 MiB",
  ]);
});

test("durations have two units at most", () => {
  expect([0, 0.25, 3.14, 59.6, 60, 125, 3600, 7500, 90_000, 86_400].map(formatDuration)).toEqual([
    "0 ms",
    "250 ms",
    "3.1 s",
    "1 min",
    "1 min",
    "2 min 5 s",
    "1 h",
    "2 h 5 min",
    "1 d 1 h",
    "1 d",
  ]);
});

test("times are told from now", () => {
  const now = new Date("2026-03-01T12:00:00Z");
  const at = (seconds: number) => formatRelative(new Date(now.getTime() + seconds * 1000), now);
  expect([at(-1), at(-40), at(-180), at(7300), at(-86_400)]).toEqual([
    "just now",
    "40 seconds ago",
    "3 minutes ago",
    "in 2 hours",
    "yesterday",
  ]);
  expect(formatUtc(now)).toBe("2026-03-01 12:00:00 UTC");
});

test("one is not many", () => {
  expect([plural(1, "run"), plural(2, "run"), plural(0, "entry", "entries")]).toEqual([
    "1 run",
    "2 runs",
    "0 entries",
  ]);
});
