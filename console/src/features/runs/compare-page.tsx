// Two runs side by side: what became slower, greater or fewer.
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type RunDetail, runQuery } from "@/api/runs";
import { Page } from "@/components/page";
import { Section } from "@/components/ui/card";
import { type Column, DataTable } from "@/components/ui/data-table";
import { StatusBadge } from "@/components/ui/status-badge";
import { Time } from "@/components/ui/values";
import { formatBytes, formatCount, formatDuration } from "@/lib/format";
import { change, compareBlocks, compareRuns, type Figure, type Unit } from "./compare-model";

const route = getRouteApi("/app/runs/compare");

const FORMATS: Record<Unit, (value: number) => string> = {
  rows: formatCount,
  bytes: formatBytes,
  seconds: formatDuration,
};

const columns: readonly Column<Figure>[] = [
  { id: "name", header: "Figure", cell: (figure) => <span className="font-medium">{figure.name}</span> },
  { id: "one", header: "First", align: "right", cell: (figure) => <Value figure={figure} of={figure.one} /> },
  {
    id: "other",
    header: "Second",
    align: "right",
    cell: (figure) => <Value figure={figure} of={figure.other} />,
  },
  { id: "change", header: "Change", align: "right", cell: (figure) => <Change figure={figure} /> },
];

export function ComparePage() {
  const { one, other } = route.useSearch();
  const { data: first } = useSuspenseQuery(runQuery(one));
  const { data: second } = useSuspenseQuery(runQuery(other));
  return (
    <Page title="Compare runs" lead={first.pipeline}>
      <dl className="grid gap-4 sm:grid-cols-2">
        <Side term="First" run={first} />
        <Side term="Second" run={second} />
      </dl>
      {first.pipeline !== second.pipeline && (
        <p className="text-warning">
          These are runs of two pipelines: only blocks of the same names stand side by side.
        </p>
      )}
      <DataTable
        label="Figures of both runs"
        rows={compareRuns(first, second)}
        columns={columns}
        rowId={(figure) => figure.name}
      />
      <Section title="Blocks">
        <DataTable
          label="Blocks of both runs"
          rows={compareBlocks(first.view, second.view)}
          columns={columns}
          rowId={(figure) => figure.name}
        />
      </Section>
    </Page>
  );
}

function Side({ term, run }: { term: string; run: RunDetail }) {
  return (
    <div className="rounded-xl border border-border bg-card px-4 py-3">
      <dt className="text-xs text-muted-foreground">{term}</dt>
      <dd className="mt-1 flex flex-wrap items-center gap-3">
        <Link to="/runs/$run" params={{ run: run.id }} className="font-medium text-link hover:underline">
          {run.pipeline}
        </Link>
        <StatusBadge status={run.state} />
        <Time at={run.started_at} />
        {run.revision !== null && run.revision !== undefined && <span>revision {run.revision}</span>}
      </dd>
    </div>
  );
}

function Value({ figure, of }: { figure: Figure; of: number | null }) {
  if (of === null) return <span className="text-muted-foreground">–</span>;
  return <span className="tabular-nums">{FORMATS[figure.unit](of)}</span>;
}

function Change({ figure }: { figure: Figure }) {
  const percent = change(figure);
  if (percent === null) return <span className="text-muted-foreground">–</span>;
  if (percent === 0) return <span className="text-muted-foreground">the same</span>;
  const Icon = percent > 0 ? ArrowUp : ArrowDown;
  return (
    <span className="inline-flex items-center gap-1 tabular-nums">
      <Icon aria-hidden className="size-3.5" />
      {Math.abs(percent)} % {percent > 0 ? "more" : "less"}
    </span>
  );
}
