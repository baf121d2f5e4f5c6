// The organization's runs, newest first.
import { useSuspenseInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { useDeferredValue, useEffect } from "react";
import { isUnderWay } from "@/api/run-live";
import { type Run, runsQuery } from "@/api/runs";
import { queryClient } from "@/api/query-client";
import { Page } from "@/components/page";
import { ShowMore } from "@/components/show-more";
import { Button } from "@/components/ui/button";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/states";
import { StatusBadge } from "@/components/ui/status-badge";
import { Count, Duration, Time } from "@/components/ui/values";
import { RunFilters } from "./run-filters";
import { TimeBrush } from "./time-brush";
import { TriggerWord } from "./trigger";

const route = getRouteApi("/app/runs");
const ASK_MS = 2_000;

const columns: readonly Column<Run>[] = [
  {
    id: "pipeline",
    header: "Pipeline",
    cell: (run) => (
      <Link to="/runs/$run" params={{ run: run.id }} className="font-medium hover:underline">
        {run.pipeline}
      </Link>
    ),
  },
  {
    id: "status",
    header: "Status",
    cell: (run) => (
      <span className="flex items-center gap-2">
        <StatusBadge status={run.state} />
        {run.detail && <span className="text-xs text-warning">{run.detail}</span>}
      </span>
    ),
  },
  {
    id: "error",
    header: "Error",
    className: "hidden max-w-80 xl:table-cell",
    cell: (run) =>
      run.error_message ? (
        <span className="block truncate text-danger" title={run.error_message}>
          {run.error_message}
        </span>
      ) : null,
  },
  { id: "started", header: "Started", cell: (run) => <Time at={run.started_at} /> },
  { id: "duration", header: "Took", cell: (run) => <Took run={run} /> },
  {
    id: "in",
    header: "Rows in",
    align: "right",
    cell: (run) => <Count value={run.records_extracted} />,
  },
  { id: "out", header: "Rows out", align: "right", cell: (run) => <Count value={run.records_loaded} /> },
  {
    id: "trigger",
    header: "Begun",
    className: "hidden lg:table-cell",
    cell: (run) => <TriggerWord trigger={run.trigger} />,
  },
];

function Took({ run }: { run: Run }) {
  const seconds = run.duration_seconds;
  return <Duration seconds={isUnderWay(run) && seconds >= 1 ? Math.floor(seconds) : seconds} />;
}

export function RunsPage() {
  // Until the answer comes, what was found before stays.
  const { q, ...filter } = useDeferredValue(route.useSearch());
  const navigate = route.useNavigate();
  const query = runsQuery({ ...filter, search: q });
  const list = useSuspenseInfiniteQuery(query);
  const { data } = list;
  const runs = data.pages.flatMap((page) => page.runs);
  const isFiltered = Object.values({ q, ...filter }).some((value) => value !== undefined);
  useFresh(runs.some(isUnderWay) && data.pages.length === 1);
  return (
    <Page title="Runs" lead="What has run, what runs now, and how it went.">
      {(runs.length > 0 || isFiltered) && (
        <>
          <TimeBrush />
          <RunFilters />
        </>
      )}
      {runs.length === 0 ? (
        <EmptyState
          icon={Activity}
          title={isFiltered ? "No run is like that." : "Nothing has run yet."}
          action={
            isFiltered ? (
              <Button variant="primary" onClick={() => void navigate({ search: {} })}>
                Show all runs
              </Button>
            ) : (
              <Button asChild variant="primary">
                <Link to="/pipelines">Run a pipeline</Link>
              </Button>
            )
          }
          link={isFiltered ? undefined : <Link to="/schedules">Let pipelines run by themselves</Link>}
        />
      ) : (
        <DataTable
          label="Runs"
          rows={runs}
          columns={columns}
          rowId={(run) => run.id}
          onOpen={(run) => void navigate({ to: "/runs/$run", params: { run: run.id } })}
        />
      )}
      <ShowMore pages={list}>Show older runs</ShowMore>
    </Page>
  );
}

/** Counters of runs under way change without being told to lists. */
function useFresh(asks: boolean): void {
  useEffect(() => {
    if (!asks) return;
    const timer = setInterval(() => {
      if (!document.hidden)
        void queryClient.invalidateQueries({ queryKey: ["runs", "list"] }, { cancelRefetch: false });
    }, ASK_MS);
    return () => clearInterval(timer);
  }, [asks]);
}
