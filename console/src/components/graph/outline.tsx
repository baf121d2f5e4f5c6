// The same as a graph, as a table: for who reads rather than looks, and for narrow screens.
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

export interface OutlineRow {
  id: string;
  /** How many layers stand before it. */
  depth: number;
  name: ReactNode;
  /** One for each column. */
  cells: readonly ReactNode[];
}

interface GraphOutlineProps {
  label: string;
  /** Of the first column, the name. */
  head: string;
  columns: readonly { header: string; align?: "right" }[];
  rows: readonly OutlineRow[];
  selected?: string | null;
  onSelect?: (id: string) => void;
}

const INDENT_PX = 18;

export function GraphOutline({ label, head, columns, rows, selected, onSelect }: GraphOutlineProps) {
  const header = "h-10 px-3 else:text-left text-xs font-medium whitespace-nowrap text-muted-foreground";
  return (
    <div className="overflow-auto rounded-xl border border-border bg-card">
      <table className="w-full border-collapse text-sm" aria-label={label}>
        <thead>
          <tr className="border-b border-border">
            <th scope="col" className={header}>
              {head}
            </th>
            {columns.map((column) => (
              <th
                key={column.header}
                scope="col"
                className={cn(header, column.align === "right" && "text-right")}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.id}
              className={cn(
                "h-11 border-b border-border last:border-0",
                row.id === selected && "bg-accent/60",
              )}
            >
              <th scope="row" className="px-3 text-left font-medium">
                <span className="flex items-center" style={{ paddingLeft: row.depth * INDENT_PX }}>
                  {row.depth > 0 && (
                    <span aria-hidden className="mr-2 text-muted-foreground">
                      └
                    </span>
                  )}
                  {onSelect ? (
                    <button
                      type="button"
                      aria-pressed={row.id === selected}
                      onClick={() => onSelect(row.id)}
                      title={typeof row.name === "string" ? row.name : undefined}
                      className="min-h-6 max-w-72 truncate text-left hover:underline"
                    >
                      {row.name}
                    </button>
                  ) : (
                    row.name
                  )}
                </span>
              </th>
              {row.cells.map((cell, index) => (
                <td
                  key={columns[index]?.header ?? index}
                  className={cn(
                    "px-3 py-1.5",
                    columns[index]?.align === "right" && "text-right whitespace-nowrap",
                  )}
                >
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
