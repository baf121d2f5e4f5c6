// One table: its columns and keys, where its rows lead to, its first rows, and the way to a pipeline from it.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { KeyRound, Link2, TriangleAlert, Workflow } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Connection } from "@/api/connections";
import { lookQuery, type TableDetail, tableDetailQuery, tableRowsQuery } from "@/api/discovery";
import { useMay } from "@/api/me";
import { ProblemState } from "@/components/problem-state";
import { RowsTable } from "@/components/rows-table";
import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { type Column, DataTable } from "@/components/ui/data-table";
import { Skeleton, SkeletonPage } from "@/components/ui/states";
import { Tabs } from "@/components/ui/tabs";
import { Count } from "@/components/ui/values";
import { Words } from "@/components/words";
import { plural } from "@/lib/format";
import { ChangeBadge, ChangeWords } from "./drift-list";
import { PipelineDialog } from "./pipeline-dialog";
import { Relationships } from "./relationships";

const route = getRouteApi("/app/explorer");
const KINDS = { table: "Table", view: "View", foreign: "Foreign table", files: "Files" };

interface TablePanelProps {
  connection: Connection;
  schema: string;
  table: string;
}

export function TablePanel({ connection, schema, table }: TablePanelProps) {
  const { data: detail, error, refetch } = useQuery(tableDetailQuery(connection.id, schema, table));
  const { tab = "columns" } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("edit");
  const [isMaking, setMaking] = useState(false);
  if (error)
    return (
      <ProblemState
        title={`${schema}.${table} could not be loaded.`}
        error={error}
        onRetry={() => void refetch()}
      />
    );
  if (!detail) return <Waiting />;
  const shown = (value: typeof tab, label: ReactNode, content: ReactNode) => ({
    value,
    label,
    content: value === tab && content,
  });
  return (
    <section className="flex min-w-0 flex-col gap-4">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 className="truncate text-lg font-semibold">{detail.name}</h2>
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-muted-foreground">
            <Badge>{KINDS[detail.kind]}</Badge>
            <span>{plural(detail.columns.length, "column")}</span>
            {detail.rows != null && (
              <span>
                about <Count value={detail.rows} /> rows
              </span>
            )}
            <span className="flex min-w-0 items-center gap-1">
              <code className="truncate font-mono text-xs">{detail.reference}</code>
              <CopyButton text={detail.reference} label="Copy how pipelines name it" />
            </span>
          </p>
        </div>
        <Button variant="primary" refusal={may.reason} onClick={() => setMaking(true)}>
          <Workflow aria-hidden /> Create pipeline
        </Button>
      </div>
      {detail.problem && (
        <Alert kind="warning" title="Its columns are not known.">
          <Words text={detail.problem} />
        </Alert>
      )}
      <Changed connection={connection.id} schema={schema} table={table} />
      <Tabs
        label={detail.name}
        value={tab}
        onChange={(tab) => void navigate({ search: (before) => ({ ...before, tab }), replace: true })}
        tabs={[
          shown("columns", "Columns", <Columns detail={detail} />),
          shown(
            "relationships",
            <>
              Relationships <Badge>{detail.foreign_keys.length}</Badge>
            </>,
            <Relationships detail={detail} />,
          ),
          shown("preview", "Preview", <Preview connection={connection.id} detail={detail} />),
        ]}
      />
      {isMaking && <PipelineDialog connection={connection} table={detail} onClose={() => setMaking(false)} />}
    </section>
  );
}

/** What of this table differs from the look before. */
function Changed({ connection, schema, table }: { connection: string; schema: string; table: string }) {
  const { data: look } = useQuery(lookQuery(connection));
  const changes = look?.drift?.changes.filter((one) => one.schema === schema && one.table === table) ?? [];
  if (changes.length === 0) return null;
  return (
    <Alert kind="warning" title="It has changed since the look before.">
      <ul className="mt-1.5 flex flex-col gap-1.5">
        {changes.map((change) => (
          <li key={`${change.change} ${change.column ?? ""}`} className="flex flex-wrap items-center gap-2">
            <ChangeBadge change={change.change} />
            <ChangeWords change={change} />
          </li>
        ))}
      </ul>
    </Alert>
  );
}

function Columns({ detail }: { detail: TableDetail }) {
  type Row = TableDetail["columns"][number];
  const leads = new Map(
    detail.foreign_keys.flatMap((key) =>
      key.columns.map((column, at) => [column, `${key.table}.${key.references[at] ?? ""}`] as const),
    ),
  );
  const columns: readonly Column<Row>[] = [
    { id: "name", header: "Column", cell: ({ name }) => <span className="font-medium">{name}</span> },
    { id: "type", header: "Type", cell: ({ type }) => <code className="font-mono text-xs">{type}</code> },
    {
      id: "arrow",
      header: "Read as",
      className: "max-sm:hidden",
      cell: ({ arrow_type }) => (
        <code className="font-mono text-xs text-muted-foreground">
          {arrow_type ?? "the first read tells"}
        </code>
      ),
    },
    {
      id: "nullable",
      header: "May be null",
      cell: ({ nullable }) => (
        <span className={nullable ? "" : "text-muted-foreground"}>{nullable ? "yes" : "no"}</span>
      ),
    },
    {
      id: "keys",
      header: "Keys",
      cell: ({ name, key }) => (
        <span className="flex flex-wrap gap-1.5">
          {key && (
            <Badge tone="accent">
              <KeyRound aria-hidden /> Primary key
            </Badge>
          )}
          {leads.has(name) && (
            <Badge>
              <Link2 aria-hidden /> {leads.get(name)}
            </Badge>
          )}
        </span>
      ),
    },
  ];
  if (detail.columns.length === 0)
    return (
      <p className="flex items-center gap-2 text-muted-foreground">
        <TriangleAlert aria-hidden className="size-4" /> No column is known.
      </p>
    );
  return (
    <DataTable
      label={`Columns of ${detail.name}`}
      rows={detail.columns}
      columns={columns}
      rowId={({ name }) => name}
    />
  );
}

function Preview({ connection, detail }: { connection: string; detail: TableDetail }) {
  const { data, error, refetch } = useQuery(tableRowsQuery(connection, detail));
  if (error)
    return <ProblemState title="The rows could not be read." error={error} onRetry={() => void refetch()} />;
  return data ? <RowsTable rows={data} label={`Rows of ${detail.name}`} /> : <Waiting />;
}

function Waiting() {
  return (
    <SkeletonPage label="Loading">
      <Skeleton className="h-9 w-64" />
      <Skeleton className="h-64 rounded-xl" />
    </SkeletonPage>
  );
}
