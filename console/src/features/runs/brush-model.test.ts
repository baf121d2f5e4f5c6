// Runs fall into the piece of their time; a drag goes either way.
import { expect, test } from "vitest";
import { piecesOf, range } from "./brush-model";

const now = Date.parse("2026-03-08T10:30:00Z");

test("runs are counted where they were made", () => {
  const pieces = piecesOf(
    [
      { created_at: "2026-03-08T10:29:00Z", status: "failed" },
      { created_at: "2026-03-08T10:28:00Z", status: "cancelled" },
      { created_at: "2026-03-08T10:27:00Z", status: "pending" },
      { created_at: "2026-03-08T08:59:00Z", status: "success" },
      { created_at: "2026-02-01T00:00:00Z", status: "success" },
    ],
    now,
  );
  expect(pieces).toHaveLength(56);
  expect(pieces.at(-1)).toMatchObject({ failed: 1, success: 0, cancelled: 1, running: 1 });
  expect(pieces.at(-2)).toMatchObject({ failed: 0, success: 1 });
});

test("a drag to the left is one to the right", () => {
  const pieces = piecesOf([], now);
  expect(range(pieces, 55, 53)).toEqual(range(pieces, 53, 55));
  expect(range(pieces, 54, 55)).toEqual({ from: "2026-03-08T06:00:00.000Z", to: "2026-03-08T12:00:00.000Z" });
});
