// All transformations: what becomes of them, where, what is tested of them, and how they ran last.
import { useQuery, useSuspenseInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { FileCode2, Plus } from "lucide-react";
import { useMemo, useRef } from "react";
import { lineageQuery } from "@/api/lineage";
import { useMay } from "@/api/me";
import type { Schemas } from "@/api/types";
import { type Transformation, transformationsQuery } from "@/api/transformations";
import { Page } from "@/components/page";
import { ShowMore } from "@/components/show-more";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { type Column, DataTable } from "@/components/ui/data-table";
import { SearchInput } from "@/components/ui/input";
import { EmptyState } from "@/components/ui/states";
import { StatusBadge } from "@/components/ui/status-badge";
import { Time } from "@/components/ui/values";
import { plural } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";
import { Acts } from "./acts";
import { countTests, materializationLabel } from "./model";
import { NewDialog } from "./new-dialog";

const route = getRouteApi("/app/transformations");

type LastRun = Schemas["LastRunItem"];

export function TransformationsPage() {
  const { q = "", sort, new: isNew } = route.useSearch();
  const navigate = route.useNavigate();
  const go = useNavigate();
  const may = useMay("edit");
  const box = useRef<HTMLInputElement>(null);
  const list = useSuspenseInfiniteQuery(transformationsQuery);
  const { data } = list;
  const { data: lineage } = useQuery(lineageQuery);
  const runs = useMemo(
    () => new Map((lineage?.nodes ?? []).map(({ object_id, last_run }) => [object_id, last_run])),
    [lineage],
  );
  const all = data.pages.flatMap(({ transformations }) => transformations);
  const shown = all.filter(({ name, description, schema_name }) =>
    [name, description ?? "", schema_name].some((text) => text.toLowerCase().includes(q.toLowerCase())),
  );
  const change = (part: Partial<ReturnType<typeof route.useSearch>>) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  useShortcuts([
    { keys: "/", label: "Filter", run: () => box.current?.focus() },
    ...(may.allowed ? [{ keys: "n", label: "New transformation", run: () => change({ new: true }) }] : []),
  ]);
  const columns = useMemo(() => columnsOf((id) => runs.get(id) ?? null), [runs]);
  const create = (
    <Button variant="primary" refusal={may.reason} onClick={() => change({ new: true })}>
      <Plus aria-hidden /> New transformation
    </Button>
  );
  return (
    <Page
      title="Transformations"
      lead="SQL that is kept by name, and becomes tables and views."
      actions={all.length > 0 && create}
    >
      {all.length === 0 ? (
        <EmptyState
          icon={FileCode2}
          title="A transformation makes a table or a view of what pipelines have loaded, and tests it."
          action={create}
          link={<Link to="/pipelines">First load what it is to read</Link>}
        />
      ) : (
        <SearchInput
          ref={box}
          label="Search transformations"
          value={q}
          onChange={(text) => change({ q: text || undefined })}
          className="w-full max-w-sm"
        />
      )}
      {all.length > 0 && shown.length === 0 && (
        <EmptyState
          icon={FileCode2}
          title="No transformation is like that."
          action={<Button onClick={() => change({ q: undefined })}>Show all</Button>}
        />
      )}
      {shown.length > 0 && (
        <DataTable
          label="Transformations"
          rows={shown}
          columns={columns}
          rowId={({ id }) => id}
          sort={sort}
          onSort={(sort) => change({ sort })}
          onOpen={({ id }) =>
            void go({ to: "/transformations/$transformation", params: { transformation: id } })
          }
        />
      )}
      <ShowMore pages={list} />
      {isNew && <NewDialog onClose={() => change({ new: undefined })} />}
    </Page>
  );
}

function columnsOf(lastRun: (id: string) => LastRun | null): readonly Column<Transformation>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: ({ name }) => name,
      cell: ({ id, name, description }) => (
        <div className="max-w-96 min-w-40">
          <Link
            to="/transformations/$transformation"
            params={{ transformation: id }}
            className="block truncate font-medium underline-offset-4 hover:underline"
          >
            {name}
          </Link>
          {description && <span className="block truncate text-xs text-muted-foreground">{description}</span>}
        </div>
      ),
    },
    {
      id: "materialization",
      header: "Becomes",
      sortBy: ({ materialization }) => materialization,
      cell: ({ materialization }) => <Badge>{materializationLabel(materialization)}</Badge>,
    },
    {
      id: "schema",
      header: "In",
      sortBy: ({ connection, schema_name }) => `${connection}.${schema_name}`,
      className: "max-lg:hidden",
      cell: ({ connection, schema_name }) => (
        <code className="font-mono text-xs">
          {connection}.{schema_name}
        </code>
      ),
    },
    {
      id: "reads",
      header: "Refers to",
      className: "max-lg:hidden max-w-64",
      cell: ({ depends_on }) => (
        <span className="block truncate" title={depends_on.join(", ")}>
          {depends_on.join(", ") || <span className="text-muted-foreground">none</span>}
        </span>
      ),
    },
    {
      id: "tests",
      header: "Tests",
      className: "max-lg:hidden",
      sortBy: ({ tests }) => countTests(tests),
      cell: ({ tests }) => {
        const count = countTests(tests);
        return count > 0 ? plural(count, "test") : <span className="text-muted-foreground">none</span>;
      },
    },
    {
      id: "last",
      header: "Last run",
      cell: ({ id }) => {
        const run = lastRun(id);
        if (!run) return <span className="text-muted-foreground">never</span>;
        return (
          <Link
            to="/runs/$run"
            params={{ run: run.id }}
            className="inline-flex items-center gap-2 whitespace-nowrap"
          >
            <StatusBadge status={run.status} />
            <span className="text-xs text-muted-foreground">
              <Time at={run.finished_at ?? run.started_at} />
            </span>
          </Link>
        );
      },
    },
    {
      id: "acts",
      header: "Actions",
      align: "right",
      cell: (transformation) => <Acts transformation={transformation} />,
    },
  ];
}
