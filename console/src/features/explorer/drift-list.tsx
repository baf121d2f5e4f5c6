// How what was found differs from the look before.
import { Link } from "@tanstack/react-router";
import { CircleCheck, Minus, PencilLine, Plus } from "lucide-react";
import type { Look, TableChange } from "@/api/discovery";
import { Badge } from "@/components/ui/badge";
import { Section } from "@/components/ui/card";
import { type Column, DataTable } from "@/components/ui/data-table";
import { Time } from "@/components/ui/values";
import { formatExact, plural } from "@/lib/format";

type Drift = NonNullable<Look["drift"]>;

const WORDS = {
  table_added: { word: "Table added", tone: "success", icon: Plus },
  table_removed: { word: "Table removed", tone: "danger", icon: Minus },
  column_added: { word: "Column added", tone: "success", icon: Plus },
  column_removed: { word: "Column removed", tone: "danger", icon: Minus },
  column_changed: { word: "Column changed", tone: "warning", icon: PencilLine },
  keys_changed: { word: "Keys changed", tone: "warning", icon: PencilLine },
} as const;

export function ChangeBadge({ change }: { change: TableChange["change"] }) {
  const { word, tone, icon: Icon } = WORDS[change];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden /> {word}
    </Badge>
  );
}

/** `amount numeric(10,2) → numeric(12,2)`. */
export function ChangeWords({ change: { column, before, after } }: { change: TableChange }) {
  return (
    <span className="font-mono text-xs break-words">
      {column && <span className="font-semibold">{column} </span>}
      {before && <del className="text-danger decoration-from-font">{before}</del>}
      {before && after && " → "}
      {after && <ins className="text-success no-underline">{after}</ins>}
    </span>
  );
}

export function DriftList({ connection, drift }: { connection: string; drift: Drift | null }) {
  if (!drift)
    return (
      <p className="text-muted-foreground">
        This was the first look: what changes is told from the next one on. Open a schema to see its tables.
      </p>
    );
  const since = (
    <span className="text-muted-foreground">
      since <Time at={drift.since} />
    </span>
  );
  if (drift.changes.length === 0)
    return (
      <p className="flex flex-wrap items-center gap-x-1.5">
        <CircleCheck aria-hidden className="size-4 text-success" /> Nothing has changed {since}.
      </p>
    );
  const columns: readonly Column<TableChange>[] = [
    { id: "change", header: "Change", cell: ({ change }) => <ChangeBadge change={change} /> },
    {
      id: "table",
      header: "Table",
      cell: ({ change, schema, table }) =>
        change === "table_removed" ? (
          `${schema}.${table}`
        ) : (
          <Link
            to="/explorer"
            search={{ connection, schema, table }}
            className="text-link underline-offset-4 hover:underline"
          >
            {schema}.{table}
          </Link>
        ),
    },
    { id: "what", header: "What", cell: (change) => <ChangeWords change={change} /> },
  ];
  const counts = [
    drift.tables_added > 0 && `${plural(drift.tables_added, "table")} added`,
    drift.tables_removed > 0 && `${plural(drift.tables_removed, "table")} removed`,
    drift.tables_changed > 0 && `${plural(drift.tables_changed, "table")} changed`,
  ].filter((text) => text !== false);
  return (
    <Section title="What has changed" aside={since}>
      <p>
        {counts.join(", ")}.{" "}
        {drift.changes.length >= 500 && `The first ${formatExact(drift.changes.length)} changes are listed.`}
      </p>
      <DataTable
        label="What has changed"
        rows={drift.changes}
        columns={columns}
        rowId={({ change, schema, table, column }) => [change, schema, table, column ?? ""].join("\n")}
      />
    </Section>
  );
}
