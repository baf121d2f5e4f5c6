// What the rows of a preview tell of their columns: of these rows alone, not of all.
import { useMemo } from "react";
import type { Rows } from "@/api/pipeline-checks";
import { plural } from "@/lib/format";
import { type Bar, profileOf } from "@/lib/profile";
import { SampleTable } from "./sample-table";

export function ProfileTable({ rows, label }: { rows: Rows; label: string }) {
  const profile = useMemo(() => profileOf(rows), [rows]);
  const head = "px-3 py-1.5 text-left font-medium whitespace-nowrap";
  return (
    <SampleTable label={label}>
      <thead className="sticky top-0 bg-card">
        <tr className="border-b border-border">
          {["Column", "How often", "Missing", "Distinct", "Least", "Greatest", "Type"].map((name) => (
            <th key={name} scope="col" className={head}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {profile.map((column) => (
          <tr key={column.name} className="border-b border-border last:border-0 hover:bg-muted/60">
            <th scope="row" className={head}>
              {column.name}
            </th>
            <td className="px-3 py-1">
              <Bars bars={column.bars} name={column.name} />
            </td>
            <td className="px-3 py-1 whitespace-nowrap tabular-nums">
              {Math.round(column.nullShare * 100)} %
              {column.nulls > 0 && <span className="text-muted-foreground"> · {column.nulls}</span>}
            </td>
            <td className="px-3 py-1 tabular-nums">{column.distinct}</td>
            <End value={column.least} />
            <End value={column.greatest} />
            <td className="px-3 py-1 whitespace-nowrap text-muted-foreground">{column.type}</td>
          </tr>
        ))}
      </tbody>
    </SampleTable>
  );
}

function End({ value }: { value: string | null }) {
  return (
    <td className="max-w-48 truncate px-3 py-1 font-mono" title={value ?? undefined}>
      {value ?? <span className="text-muted-foreground">–</span>}
    </td>
  );
}

function Bars({ bars, name }: { bars: readonly Bar[]; name: string }) {
  if (bars.length === 0) return <span className="text-muted-foreground">–</span>;
  const most = Math.max(...bars.map(({ count }) => count));
  const words = bars.map(({ label, count }) => `${label}: ${plural(count, "row")}`);
  return (
    <div role="img" aria-label={`${name}: ${words.join(", ")}`} className="flex h-6 w-24 items-end gap-px">
      {bars.map(({ count }, index) => (
        <span
          key={index}
          title={words[index]}
          className="min-h-px flex-1 rounded-t-xs bg-primary"
          style={{ height: `${(count / most) * 100}%` }}
        />
      ))}
    </div>
  );
}
