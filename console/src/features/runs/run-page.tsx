// One run: how it stands, what holds it up, and its parts by tabs.
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { isUnderWay, useLiveRun } from "@/api/run-live";
import type { RunDetail } from "@/api/runs";
import { Page } from "@/components/page";
import { Skeleton } from "@/components/ui/states";
import { statusWord } from "@/components/ui/status-badge";
import { Tabs } from "@/components/ui/tabs";
import { useLater } from "@/lib/later";
import { Bottleneck } from "./bottleneck";
import { RunActions } from "./run-actions";
import { RunData } from "./run-data";
import { RunErrorPart } from "./run-error";
import { RunHeader, RunLead } from "./run-header";
import { RunLogs } from "./run-logs";
import { putAside, RunQuarantine } from "./run-quarantine";
import { RunState } from "./run-state";
import { RunTimeline } from "./run-timeline";
import { type Heard, remember } from "./rates";

const RunGraph = lazy(() => import("./run-graph").then(({ RunGraph }) => ({ default: RunGraph })));
const route = getRouteApi("/app/runs/$run");
/** Who listens is told of another state no sooner than this after the last. */
const SAY_MS = 5_000;

export function RunPage() {
  const { run: id } = route.useParams();
  const { tab = "graph" } = route.useSearch();
  const navigate = route.useNavigate();
  const [isPaused, setPaused] = useState(false);
  const run = useLiveRun(id, isPaused);
  const heard = useHeard(run);
  const hasParts = useLater();
  const tabs = [
    { value: "graph", label: "Graph", content: <Graph run={run} heard={heard} /> },
    { value: "timeline", label: "Timeline", content: <RunTimeline run={run} /> },
    { value: "logs", label: "Logs", content: <RunLogs run={run} /> },
    { value: "data", label: "Data", content: <RunData run={run} /> },
    { value: "state", label: "State", content: <RunState run={run} /> },
    ...(putAside(run).size > 0
      ? [{ value: "quarantine" as const, label: "Quarantine", content: <RunQuarantine run={run} /> }]
      : []),
    ...(run.error
      ? [{ value: "error" as const, label: "Error", content: <RunErrorPart run={run} error={run.error} /> }]
      : []),
  ] as const;
  return (
    <Page
      title={run.pipeline}
      lead={<RunLead run={run} />}
      actions={<RunActions run={run} isPaused={isPaused} onPause={isUnderWay(run) ? setPaused : undefined} />}
    >
      <SaysState run={run} />
      <Bottleneck run={run} />
      <RunHeader run={run} />
      {hasParts ? (
        <Tabs
          label="Parts of the run"
          value={tabs.some(({ value }) => value === tab) ? tab : "graph"}
          onChange={(tab) => void navigate({ search: (before) => ({ ...before, tab }), replace: true })}
          tabs={tabs}
        />
      ) : (
        <Skeleton className="h-[35rem] rounded-xl" />
      )}
    </Page>
  );
}

function Graph({ run, heard }: { run: RunDetail; heard: readonly Heard[] }) {
  return (
    <Suspense fallback={<Skeleton className="h-[32rem] rounded-xl" />}>
      <RunGraph run={run} heard={heard} />
    </Suspense>
  );
}

/** What was heard of late, for rates. */
function useHeard(run: RunDetail): readonly Heard[] {
  const [past, setPast] = useState<{ id: string; heard: readonly Heard[] }>({ id: run.id, heard: [] });
  const last = past.heard.at(-1);
  if (past.id === run.id && last?.at === run.heardAt) return past.heard;
  const heard = remember(past.id === run.id ? past.heard : [], { at: run.heardAt, view: run.view });
  setPast({ id: run.id, heard });
  return heard;
}

/** Tells those who cannot see it how the run stands, not more than every few seconds. */
function SaysState({ run }: { run: RunDetail }) {
  const words = `${run.pipeline}: ${statusWord(run.state)}`;
  const [said, setSaid] = useState(words);
  useEffect(() => {
    if (said === words) return;
    const timer = setTimeout(() => setSaid(words), isUnderWay(run) ? SAY_MS : 0);
    return () => clearTimeout(timer);
  }, [said, words, run]);
  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  );
}
