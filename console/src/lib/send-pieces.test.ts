// Tests of sending in pieces over ways that break.
import { expect, test } from "vitest";
import { PIECE_BYTES, sendPieces } from "./send-pieces";

const size = 2 * PIECE_BYTES + 5;

/** A service that keeps what comes, and breaks off at the calls of these numbers after some bytes. */
function service(breaksAt: readonly number[], keptOfBroken = 0) {
  const seen: string[] = [];
  let [kept, calls] = [0, 0];
  return {
    seen,
    sending: {
      size,
      offset: 0,
      send: (start: number, end: number) => {
        expect(start).toBe(kept);
        calls += 1;
        seen.push(`${start}-${end}`);
        if (!breaksAt.includes(calls)) return Promise.resolve((kept = end));
        kept += keptOfBroken;
        return Promise.reject(new Error("broken"));
      },
      ask: () => Promise.resolve(kept),
      isPassing: () => true,
      wait: () => Promise.resolve(),
      onProgress: () => undefined,
    },
  };
}

test("FI-1: all pieces are sent, the last one smaller", async () => {
  const { sending, seen } = service([]);
  await sendPieces(sending);
  expect(seen).toEqual([
    `0-${PIECE_BYTES}`,
    `${PIECE_BYTES}-${2 * PIECE_BYTES}`,
    `${2 * PIECE_BYTES}-${size}`,
  ]);
});

test("FI-1: after a call that broke off it goes on behind what has come", async () => {
  const { sending, seen } = service([2], 7);
  await sendPieces(sending);
  expect(seen[2]).toBe(`${PIECE_BYTES + 7}-${2 * PIECE_BYTES + 5}`);
});

test("FI-1: what is whole although the answer was lost is not sent again", async () => {
  const { sending, seen } = service([3]);
  await sendPieces({ ...sending, ask: () => Promise.resolve(null) });
  expect(seen).toHaveLength(3);
});

test("FI-1: it gives up where nothing comes through, and at once where it is refused", async () => {
  const { sending, seen } = service([1, 2, 3, 4, 5, 6]);
  await expect(sendPieces(sending)).rejects.toThrow("broken");
  expect(seen).toHaveLength(6);
  const refused = service([1]);
  await expect(sendPieces({ ...refused.sending, isPassing: () => false })).rejects.toThrow("broken");
  expect(refused.seen).toHaveLength(1);
});
