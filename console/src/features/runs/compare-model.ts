// The figures of two runs side by side.
import type { RunView } from "@/api/run-view";
import type { Run } from "@/api/runs";

export type Unit = "rows" | "bytes" | "seconds";

export interface Figure {
  name: string;
  unit: Unit;
  /** Null where one of them has none. */
  one: number | null;
  other: number | null;
}

const FIGURES = [
  ["Time", "seconds", "duration_seconds"],
  ["Rows in", "rows", "records_extracted"],
  ["Rows out", "rows", "records_loaded"],
  ["Quarantined", "rows", "records_failed"],
  ["Bytes read", "bytes", "bytes"],
  ["CPU time", "seconds", "cpu_seconds"],
  ["Peak memory", "bytes", "peak_memory_bytes"],
] as const;

type Figures = Pick<Run, (typeof FIGURES)[number][2]>;

export function compareRuns(one: Figures, other: Figures): Figure[] {
  return FIGURES.map(([name, unit, key]) => ({ name, unit, one: one[key], other: other[key] }));
}

/** Rows and time of each block, in the order of the second run; those that are gone stand last. */
export function compareBlocks(one: Pick<RunView, "blocks">, other: Pick<RunView, "blocks">): Figure[] {
  const ids = new Set([...Object.keys(other.blocks), ...Object.keys(one.blocks)]);
  return [...ids].flatMap((id) => {
    const [before, after] = [one.blocks[id], other.blocks[id]];
    return [
      {
        name: `${id}: rows out`,
        unit: "rows" as const,
        one: before?.rows_out ?? null,
        other: after?.rows_out ?? null,
      },
      {
        name: `${id}: time`,
        unit: "seconds" as const,
        one: before?.seconds ?? null,
        other: after?.seconds ?? null,
      },
    ];
  });
}

/** In percent of the first; null where that says nothing. */
export function change({ one, other }: Figure): number | null {
  if (one === null || other === null || (one === 0 && other !== 0)) return null;
  return one === 0 ? 0 : Math.round(((other - one) / one) * 100);
}
