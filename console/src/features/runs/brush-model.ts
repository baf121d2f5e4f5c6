// The last days in equal pieces, and what of a drag over them is chosen.
import type { Run } from "@/api/runs";

export const DAYS = 7;
const PIECES_A_DAY = 8;
const PIECE_MS = (24 / PIECES_A_DAY) * 3_600_000;

export interface Piece {
  from: number;
  to: number;
  success: number;
  failed: number;
  cancelled: number;
  /** Those that wait for their turn, too. */
  running: number;
}

/** Pieces end with the one that `now` is in. */
export function piecesOf(runs: readonly Pick<Run, "created_at" | "status">[], now: number): Piece[] {
  const end = Math.ceil(now / PIECE_MS) * PIECE_MS;
  const count = DAYS * PIECES_A_DAY;
  const pieces = Array.from({ length: count }, (_, index): Piece => {
    const from = end - (count - index) * PIECE_MS;
    return { from, to: from + PIECE_MS, success: 0, failed: 0, cancelled: 0, running: 0 };
  });
  for (const run of runs) {
    const piece = pieces[Math.floor((Date.parse(run.created_at) - (end - count * PIECE_MS)) / PIECE_MS)];
    if (!piece) continue;
    piece[run.status === "pending" ? "running" : run.status] += 1;
  }
  return pieces;
}

/** From one piece to another, in either direction. */
export function range(
  pieces: readonly Piece[],
  one: number,
  other: number,
): { from: string; to: string } | null {
  const [first, last] = [pieces[Math.min(one, other)], pieces[Math.max(one, other)]];
  if (!first || !last) return null;
  return { from: new Date(first.from).toISOString(), to: new Date(last.to).toISOString() };
}
