// Pipelines to begin with: whole files, about connections that there are.
import { FileOutput, type LucideIcon, RefreshCw, ShieldCheck } from "lucide-react";
import type { Connector } from "@/api/catalogue";
import type { Connection } from "@/api/connections";

export interface Blueprint {
  id: string;
  icon: LucideIcon;
  label: string;
  words: string;
  text: string;
}

/** What stands where there is no such connection yet. */
const DATABASES = ["shop", "warehouse"] as const;
const FILES = "files";

/** Blueprints that read from the first connection that fits and write to the last. */
export function blueprints(
  connections: readonly Connection[],
  connectors: readonly Connector[],
): readonly Blueprint[] {
  const of = (places: "tables" | "paths") =>
    connections.filter(({ type }) =>
      connectors.some((connector) => connector.places === places && connector.schemes.includes(type)),
    );
  const databases = of("tables");
  const source = databases.find(({ direction }) => direction !== "destination")?.name ?? DATABASES[0];
  const target = databases.findLast(({ direction }) => direction !== "source")?.name ?? DATABASES[1];
  const files = of("paths").at(-1)?.name ?? FILES;
  return [
    {
      id: "table-to-parquet",
      icon: FileOutput,
      label: "A table as Parquet",
      words: "Copies a table to a Parquet file, all of it each time.",
      text: `# Copies a table to a Parquet file, which is replaced at once when all of it is there.
from: ${source}.public.orders
to: ${files}/exports/orders.parquet
`,
    },
    {
      id: "incremental",
      icon: RefreshCw,
      label: "Table to table, what is new",
      words: "Reads what changed since the last run and merges it by its key, every hour.",
      text: `# Keeps a copy of a table: reads what changed since the last run, and merges it by its key.
schedule: {cron: "0 * * * *", timezone: UTC, missed: run_now}
freshness: 2h
blocks:
  orders:
    extract: ${source}.public.orders
    # A column that grows with every change, and the columns that name a row.
    sync: {cursor: updated_at, key: id}
  copy:
    load: orders
    to: ${target}.public.orders_copy
    write: merge
    key: id
`,
    },
    {
      id: "files-with-checks",
      icon: ShieldCheck,
      label: "Files to a table, checked",
      words: "Reads CSV files, shapes them in SQL, and loads them only if the checks pass.",
      text: `# Reads files, shapes them, and loads what came out only where the checks find nothing wrong.
blocks:
  raw:
    extract: ${files}/raw/*.csv
    # Lines that cannot be read are put aside; above this share the run fails.
    bad_rows: {quarantine: 1%}
  orders:
    sql: |
      select id, customer, cast(total as decimal(12, 2)) as total
      from raw
      where total is not null
  checks:
    test: orders
    unique: [id]
    not_null: [id, customer]
    rows: "> 0"
  publish:
    load: orders
    to: ${target}.public.orders
`,
    },
  ];
}
