// Rows as they were read, with what is missing and what was cut told apart.
import { Lock } from "lucide-react";
import type { Schemas } from "@/api/types";
import { plural } from "@/lib/format";
import { Badge } from "./ui/badge";

type Rows = Schemas["RowsView"];

/** How many are read at most. */
const ROWS_MAX = 100;

export function RowsTable({ rows, label }: { rows: Rows; label: string }) {
  const isCut = rows.rows.some((row) => row.some(isCutValue));
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-muted-foreground">
        <Badge tone="info">
          <Lock aria-hidden /> Read-only
        </Badge>
        <span>
          {rows.rows.length < ROWS_MAX && !rows.incomplete
            ? `All ${plural(rows.rows.length, "row")}`
            : `The first ${plural(rows.rows.length, "row")}`}
          , {plural(rows.columns.length, "column")}
        </span>
        {rows.incomplete && <span>Ended by the limits of time and size.</span>}
        {isCut && (
          <span>
            Values that end with <mark className={CUT}>…</mark> are longer than shown.
          </span>
        )}
      </div>
      <div
        // What scrolls is to be reached by the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="region"
        aria-label={label}
        className="max-h-[65vh] overflow-auto rounded-xl border border-border bg-card"
      >
        <table className="w-full border-collapse text-sm" aria-label={label}>
          <thead className="sticky top-0 z-10 bg-muted">
            <tr>
              <th scope="col" className="w-12 px-3 py-2 text-right text-xs font-medium text-muted-foreground">
                #
              </th>
              {rows.columns.map((column) => (
                <th key={column.name} scope="col" className="px-3 py-2 text-left whitespace-nowrap">
                  <span className="block font-medium">{column.name}</span>
                  <span className="block font-mono text-[11px] font-normal text-muted-foreground">
                    {column.type}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.rows.map((row, index) => (
              <tr key={index} className="border-t border-border hover:bg-muted/60">
                <td className="px-3 py-1.5 text-right text-xs text-muted-foreground tabular-nums">
                  {index + 1}
                </td>
                {row.map((value, at) => (
                  <td
                    key={at}
                    className="max-w-96 truncate px-3 py-1.5 font-mono text-xs"
                    title={value ?? ""}
                  >
                    <Value value={value} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {rows.rows.length === 0 && <p className="px-3 py-6 text-center text-muted-foreground">No rows.</p>}
      </div>
    </div>
  );
}

const CUT = "rounded bg-warning-soft px-0.5 font-semibold text-warning";

function isCutValue(value: string | null): boolean {
  return value?.endsWith("…") ?? false;
}

function Value({ value }: { value: string | null }) {
  if (value === null) return <span className="text-muted-foreground italic">null</span>;
  if (!isCutValue(value)) return value;
  // The mark stays in sight where the column is narrower than what is shown.
  return (
    <span className="flex max-w-full">
      <span className="truncate">{value.slice(0, -1)}</span>
      <mark className={CUT}>…</mark>
    </span>
  );
}
