// Very many lines of a log, in pieces: looked up by their place, lengthened at their end without a copy of all.
import { type LogLine, LogPiece } from "@/api/run-logs";

/** So many lines that come one by one are put into one piece. */
const PIECE = 500;

export interface LogLines {
  readonly count: number;
  /** The line at a place from 0 on. */
  at(place: number): LogLine | undefined;
}

export function inOrder(pieces: readonly LogPiece[]): LogLines {
  const ends: number[] = [];
  let count = 0;
  for (const piece of pieces) ends.push((count += piece.count));
  return {
    count,
    at(place) {
      let [low, high] = [0, pieces.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] ?? 0) <= place) low = middle + 1;
        else high = middle;
      }
      const piece = pieces[low];
      return piece?.lines[place - (ends[low] ?? 0) + piece.count];
    },
  };
}

export function lengthened(pieces: readonly LogPiece[], lines: readonly LogLine[]): readonly LogPiece[] {
  const last = pieces.at(-1);
  if (!last || last.count >= PIECE) return [...pieces, new LogPiece(lines)];
  return [...pieces.slice(0, -1), new LogPiece([...last.lines, ...lines])];
}
