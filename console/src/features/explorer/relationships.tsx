// Where a table's rows lead to: drawn from its columns to the tables they are looked up in.
import { getRouteApi, Link } from "@tanstack/react-router";
import { KeyRound, Table2 } from "lucide-react";
import type { TableDetail } from "@/api/discovery";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/states";

const route = getRouteApi("/app/explorer");

export function Relationships({ detail }: { detail: TableDetail }) {
  const search = route.useSearch();
  if (detail.foreign_keys.length === 0)
    return (
      <EmptyState
        icon={Table2}
        title={`No foreign key of ${detail.name} leads to another table.`}
        link={
          <Link to="/explorer" search={{ ...search, tab: "columns" }}>
            Its columns
          </Link>
        }
      />
    );
  return (
    <ul className="flex flex-col gap-4" aria-label={`Foreign keys of ${detail.name}`}>
      {detail.foreign_keys.map((key) => (
        <li
          key={key.name}
          className="grid items-center gap-y-2 md:grid-cols-[minmax(0,1fr)_9rem_minmax(0,1fr)] 2xl:grid-cols-[minmax(0,24rem)_16rem_minmax(0,24rem)]"
        >
          <Side title={detail.name} columns={key.columns} keys={detail.primary_key} />
          <div className="flex flex-col items-center gap-1 text-center text-xs text-muted-foreground">
            <span className="max-w-full truncate px-2" title={key.name}>
              {key.name}
            </span>
            <svg aria-hidden viewBox="0 0 144 16" className="hidden w-full md:block">
              <path
                d={isUnique(key.columns, detail.primary_key) ? ONE : MANY}
                fill="none"
                stroke="var(--ring)"
                strokeWidth="1.75"
              />
            </svg>
            <span>{isUnique(key.columns, detail.primary_key) ? "one to one" : "many to one"}</span>
          </div>
          <Link
            to="/explorer"
            search={{ ...search, schema: key.schema, table: key.table, tab: "columns" }}
            className="rounded-xl"
          >
            <Side
              title={key.schema === detail.schema ? key.table : `${key.schema}.${key.table}`}
              columns={key.references}
              keys={key.references}
              lifts
            />
          </Link>
        </li>
      ))}
    </ul>
  );
}

// Lines with a foot for many rows here, with a bar for one.
const MANY = "M0 2 L14 8 L0 14 M0 8 H140 M132 2 V14";
const ONE = "M8 2 V14 M0 8 H140 M132 2 V14";

function isUnique(columns: readonly string[], primaryKey: readonly string[]): boolean {
  return primaryKey.length > 0 && primaryKey.every((column) => columns.includes(column));
}

interface SideProps {
  title: string;
  columns: readonly string[];
  keys: readonly string[];
  lifts?: boolean;
}

function Side({ title, columns, keys, lifts = false }: SideProps) {
  return (
    <Card lifts={lifts} className="overflow-hidden">
      <p className="flex items-center gap-2 border-b border-border bg-accent px-3 py-2 font-medium text-accent-foreground">
        <Table2 aria-hidden className="size-4 shrink-0" />
        <span className="truncate">{title}</span>
      </p>
      <ul className="px-3 py-2 font-mono text-xs leading-6">
        {columns.map((column) => (
          <li key={column} className="flex items-center gap-2">
            {keys.includes(column) ? (
              <KeyRound aria-hidden className="size-3.5 text-link" />
            ) : (
              <span className="w-3.5" />
            )}
            {column}
          </li>
        ))}
      </ul>
    </Card>
  );
}
