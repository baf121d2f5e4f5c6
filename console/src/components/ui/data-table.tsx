// A table: headers that sort, rows that j, k and Enter walk and open, drawn as far as they are seen.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, ArrowUpDown } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { cn } from "@/lib/cn";
import { Kept } from "@/lib/kept";
import { useShortcuts } from "@/lib/keys";
import { useSteady } from "@/lib/steady";
import { nextSort, parseSort } from "@/lib/url";
import { openMenuIn } from "./menu";

export interface Column<T> {
  id: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** By what its header sorts; without it, it does not. */
  sortBy?: (row: T) => string | number;
  align?: "left" | "right";
  /** Such as a width, or being left out on narrow screens. */
  className?: string;
}

interface DataTableProps<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowId: (row: T) => string;
  /** From the address: `name` or `-name`. */
  sort?: string | undefined;
  onSort?: (sort: string | undefined) => void;
  onOpen?: (row: T) => void;
}

const ROW_PX = 48;
/** Below this all rows are drawn. */
const VIRTUAL_FROM = 80;

export function DataTable<T>(props: DataTableProps<T>) {
  const { label, columns, rowId, sort, onSort, onOpen } = props;
  const rows = sorted(props);
  const scroller = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState(-1);
  const openRow = useSteady((row: T) => onOpen?.(row));
  const isVirtual = rows.length > VIRTUAL_FROM;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 5,
    enabled: isVirtual,
  });
  const drawn = isVirtual
    ? virtual.getVirtualItems().map(({ index }) => index)
    : Array.from(rows, (_, index) => index);
  const above = (drawn[0] ?? 0) * ROW_PX;
  const below = isVirtual ? (rows.length - 1 - (drawn.at(-1) ?? -1)) * ROW_PX : 0;

  const walk = (by: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, chosen + by));
    setChosen(next);
    if (isVirtual) virtual.scrollToIndex(next);
    scroller.current?.querySelector(`[data-row="${next}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const open = () => {
    const row = rows[chosen];
    if (row && onOpen && !(document.activeElement instanceof HTMLButtonElement)) onOpen(row);
  };
  const act = () => openMenuIn(scroller.current?.querySelector(`[data-row="${chosen}"]`));
  useShortcuts([
    { keys: "j", label: "Next row", run: () => walk(1) },
    { keys: "k", label: "Row before", run: () => walk(-1) },
    ...(chosen >= 0 ? [{ keys: ".", label: "Actions of the row", run: act }] : []),
    ...(chosen >= 0 && onOpen ? [{ keys: "Enter", label: "Open the row", run: open }] : []),
  ]);

  return (
    <div
      ref={scroller}
      className={cn(
        "relative overflow-auto rounded-xl border border-border bg-card",
        isVirtual && "max-h-[70vh]",
      )}
      // What scrolls is to be reached by the keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={isVirtual ? 0 : undefined}
      role={isVirtual ? "region" : undefined}
      aria-label={isVirtual ? label : undefined}
    >
      <table className="w-full border-collapse text-sm" aria-label={label} aria-rowcount={rows.length + 1}>
        <thead className="sticky top-0 z-10 bg-card">
          <tr className="border-b border-border">
            {columns.map((column) => (
              <Header key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr aria-hidden style={{ height: above }} />}
          {drawn.map((index) => {
            const row = rows[index];
            return (
              row !== undefined && (
                <Kept
                  key={rowId(row)}
                  from={[row, columns, index, index === chosen, onOpen === undefined]}
                  draw={() => (
                    <tr
                      data-row={index}
                      aria-rowindex={index + 2}
                      onClick={({ target, currentTarget }) =>
                        !isControl(target, currentTarget) && openRow(row)
                      }
                      style={{ height: ROW_PX }}
                      className={cn(
                        "border-b border-border last:border-0 hover:bg-muted/60",
                        onOpen && "cursor-pointer",
                        index === chosen && "bg-accent/60 shadow-[inset_3px_0_0_var(--ring)]",
                      )}
                    >
                      {columns.map((column) => (
                        <td key={column.id} className={cellClass(column)}>
                          {column.cell(row)}
                        </td>
                      ))}
                    </tr>
                  )}
                />
              )
            );
          })}
          {below > 0 && <tr aria-hidden style={{ height: below }} />}
        </tbody>
      </table>
    </div>
  );
}

interface HeaderProps<T> {
  column: Column<T>;
  sort: string | undefined;
  onSort: ((sort: string | undefined) => void) | undefined;
}

function Header<T>({ column, sort, onSort }: HeaderProps<T>) {
  const order = parseSort(sort);
  const isSorted = order?.by === column.id;
  const direction = isSorted ? (order.descending ? "descending" : "ascending") : undefined;
  const Icon = isSorted ? (order.descending ? ArrowDown : ArrowUp) : ArrowUpDown;
  return (
    <th
      scope="col"
      aria-sort={direction}
      className={cn(
        "h-10 px-3 else:text-left text-xs font-medium whitespace-nowrap text-muted-foreground",
        column.align === "right" && "text-right",
        column.className,
      )}
    >
      {column.sortBy && onSort ? (
        <button
          type="button"
          onClick={() => onSort(nextSort(sort, column.id))}
          className="inline-flex h-6 items-center gap-1 hover:text-foreground"
        >
          {column.header}
          <Icon aria-hidden className={cn("size-3.5", !isSorted && "opacity-50")} />
        </button>
      ) : (
        column.header
      )}
    </th>
  );
}

function sorted<T>({ rows, columns, sort }: DataTableProps<T>): readonly T[] {
  const order = parseSort(sort);
  const by = columns.find((column) => column.id === order?.by)?.sortBy;
  if (!order || !by) return rows;
  const sign = order.descending ? -1 : 1;
  return [...rows].sort((one, other) => sign * compare(by(one), by(other)));
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}

function cellClass<T>({ align, className }: Column<T>): string {
  return cn("px-3 py-2", align === "right" && "text-right", className);
}

/** Buttons and links in a row do their own, and so does what they open before the page. */
function isControl(target: EventTarget, row: Element): boolean {
  return (
    target instanceof Element && (!row.contains(target) || target.closest("a,button,input,label") !== null)
  );
}
