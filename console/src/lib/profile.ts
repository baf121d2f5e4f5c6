// What some rows tell of their columns: how much is missing, how much differs, from where to where it goes.

export interface Bar {
  /** `10 to 20`, or the value itself. */
  label: string;
  count: number;
}

export interface ColumnProfile {
  name: string;
  type: string;
  nulls: number;
  /** From 0 to 1; 0 where there are no rows. */
  nullShare: number;
  distinct: number;
  /** Null where every value is missing. */
  least: string | null;
  greatest: string | null;
  /** Of numbers and times ranges of equal width; of others the values that come most often, where any comes twice. */
  bars: readonly Bar[];
}

interface Rows {
  columns: readonly { name: string; type: string }[];
  rows: readonly (readonly (string | null)[])[];
}

const RANGES = 10;
const COMMON = 8;

export function profileOf({ columns, rows }: Rows): ColumnProfile[] {
  return columns.map(({ name, type }, index) => {
    const values = rows.flatMap((row) => row[index] ?? []);
    const nulls = rows.length - values.length;
    const counts = new Map<string, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const scale = scaleOf(type, values);
    const sorted = [...counts.keys()].sort((one, other) =>
      scale ? scale(one) - scale(other) : one < other ? -1 : 1,
    );
    return {
      name,
      type,
      nulls,
      nullShare: rows.length > 0 ? nulls / rows.length : 0,
      distinct: counts.size,
      least: sorted[0] ?? null,
      greatest: sorted.at(-1) ?? null,
      bars: scale && counts.size > COMMON ? ranges(sorted, counts, scale) : common(sorted, counts, scale),
    };
  });
}

type Scale = (value: string) => number;

/** By which values are put in order and into ranges; null for what is neither number nor time. */
function scaleOf(type: string, values: readonly string[]): Scale | null {
  const scales: readonly [RegExp, Scale][] = [
    [/int|float|double|decimal|numeric|real|serial|money|number/i, Number],
    [/date|timestamp/i, Date.parse],
  ];
  const scale = scales.find(([pattern]) => pattern.test(type))?.[1] ?? null;
  return scale && values.every((value) => Number.isFinite(scale(value))) ? scale : null;
}

function ranges(sorted: readonly string[], counts: ReadonlyMap<string, number>, scale: Scale): Bar[] {
  const [least, greatest] = [scale(sorted[0] ?? ""), scale(sorted.at(-1) ?? "")];
  const width = (greatest - least) / RANGES;
  const within = Array.from({ length: RANGES }, (): string[] => []);
  for (const value of sorted)
    within[Math.min(RANGES - 1, Math.floor((scale(value) - least) / width))]?.push(value);
  // Named by the values that lie in them: those of a time have words of their own.
  return within.map((own) => ({
    label: own.length > 1 ? `${own[0] ?? ""} to ${own.at(-1) ?? ""}` : (own[0] ?? "none"),
    count: own.reduce((sum, value) => sum + (counts.get(value) ?? 0), 0),
  }));
}

function common(sorted: readonly string[], counts: ReadonlyMap<string, number>, scale: Scale | null): Bar[] {
  const bars = sorted.map((label) => ({ label, count: counts.get(label) ?? 0 }));
  if (scale) return bars;
  if (bars.every(({ count }) => count === 1)) return [];
  return bars.toSorted((one, other) => other.count - one.count).slice(0, COMMON);
}
