// Sends something in pieces, and goes on where it was broken off.

export interface Sending {
  size: number;
  /** From where on more is wanted. */
  offset: number;
  /** Sends the bytes from `start` to before `end`; gives how far it has come. */
  send: (start: number, end: number) => Promise<number>;
  /** How far it has come after a call that broke off; null where it was whole after all. */
  ask: () => Promise<number | null>;
  /** Whether it may go well a moment later. */
  isPassing: (error: unknown) => boolean;
  wait: (ms: number) => Promise<void>;
  onProgress: (offset: number) => void;
}

export const PIECE_BYTES = 4 * 1024 * 1024;
/** Without getting any further, a longer while between each. */
const TRIES = 6;

/** Ends once all of it is there; fails where it is refused, or nothing comes through any more. */
export async function sendPieces(sending: Sending): Promise<void> {
  const { size, send, ask, isPassing, wait, onProgress } = sending;
  let { offset } = sending;
  for (let failures = 0; ;) {
    try {
      if (failures > 0) {
        const reached = await ask();
        if (reached === null) return;
        if (reached > offset) failures = 1;
        offset = reached;
        onProgress(offset);
      }
      // The last piece makes it whole: an empty one, where all the others have come.
      offset = await send(offset, Math.min(size, offset + PIECE_BYTES));
      failures = 0;
      onProgress(offset);
      if (offset >= size) return;
    } catch (error) {
      failures += 1;
      if (failures >= TRIES || !isPassing(error)) throw error;
      await wait(Math.min(500 * 2 ** failures, 10_000));
    }
  }
}
