import { expect, test } from "vitest";
import { type LogLine, LogPiece } from "@/api/run-logs";
import { inOrder, lengthened } from "./log-lines";

function line(number: number): LogLine {
  const nobody = { segment: null, block: null, attempt: null, executor: null };
  return { at: "2026-01-01T00:00:00Z", level: "info", message: `line ${number}`, fields: {}, ...nobody };
}

function lines(from: number, count: number): LogLine[] {
  return Array.from({ length: count }, (_, at) => line(from + at));
}

test("a line is found by its place, whatever pieces are empty", () => {
  const found = inOrder([[], lines(0, 3), [], lines(3, 1), lines(4, 2), []].map((all) => new LogPiece(all)));
  expect(found.count).toBe(6);
  expect([-1, 0, 1, 2, 3, 4, 5, 6].map((place) => found.at(place)?.message)).toEqual([
    undefined,
    ...lines(0, 6).map((line) => line.message),
    undefined,
  ]);
  expect(inOrder([]).at(0)).toBeUndefined();
});

test("lines that come one by one lie in few pieces, in their order", () => {
  let pieces: readonly LogPiece[] = [];
  for (let at = 0; at < 1_200; at += 1) pieces = lengthened(pieces, lines(at, 1));
  expect(pieces).toHaveLength(3);
  const found = inOrder(pieces);
  for (let at = 0; at < 1_200; at += 1) expect(found.at(at)?.message).toBe(`line ${at}`);
});
