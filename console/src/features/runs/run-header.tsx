// How a run stands: where it comes from, and its figures.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { isUnderWay } from "@/api/run-live";
import { type Run, runBeforeQuery, type RunDetail } from "@/api/runs";
import { CopyButton } from "@/components/ui/copy-button";
import { StatusBadge } from "@/components/ui/status-badge";
import { Bytes, Count, Duration, Time } from "@/components/ui/values";
import { TriggerWord } from "./trigger";

export function RunLead({ run }: { run: Run }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <StatusBadge status={run.state} />
      {run.detail && run.detail !== run.state && <span className="text-warning">{run.detail}</span>}
      <span>
        <TriggerWord trigger={run.trigger} /> <Time at={run.started_at} />
        {run.finished_at && (
          <>
            , ended <Time at={run.finished_at} />
          </>
        )}
      </span>
      {run.revision !== null && run.revision !== undefined && <span>revision {run.revision}</span>}
      {run.target_type === "transformation" && run.target_id && (
        <Link
          to="/transformations/$transformation"
          params={{ transformation: run.target_id }}
          className="text-link underline-offset-4 hover:underline"
        >
          The transformation
        </Link>
      )}
      <Link
        to="/runs"
        search={{ [run.target_type ?? "pipeline"]: run.pipeline }}
        className="text-link underline-offset-4 hover:underline"
      >
        Other runs of it
      </Link>
      <CompareLink run={run} />
      <span className="flex items-center font-mono text-xs">
        {run.id.slice(0, 13)}…<CopyButton text={run.id} label="Copy the run's id" />
      </span>
    </div>
  );
}

/** With the run of the pipeline that came before it, where there is one. */
function CompareLink({ run }: { run: Run }) {
  const { data: before } = useQuery(runBeforeQuery(run));
  if (!before) return null;
  return (
    <Link
      to="/runs/compare"
      search={{ one: before.id, other: run.id }}
      className="text-link underline-offset-4 hover:underline"
    >
      Compare with the one before
    </Link>
  );
}

export function RunHeader({ run }: { run: RunDetail }) {
  const rest = run.duration_seconds;
  const spilled = Object.values(run.view.blocks).reduce((sum, block) => sum + block.bytes_spilled, 0);
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-border bg-border sm:grid-cols-4 xl:grid-cols-8">
      <Figure term={isUnderWay(run) ? "Running for" : "Took"}>
        <Duration seconds={rest >= 1 ? Math.floor(rest) : rest} />
      </Figure>
      <Figure term="Rows in">
        <Count value={run.records_extracted} />
      </Figure>
      <Figure term="Rows out">
        <Count value={run.records_loaded} />
      </Figure>
      <Figure term="Quarantined" isBad={run.records_failed > 0}>
        <Count value={run.records_failed} />
      </Figure>
      <Figure term="Bytes read">
        <Bytes value={run.bytes} />
      </Figure>
      <Figure term="CPU time">
        <Duration seconds={run.cpu_seconds} />
      </Figure>
      <Figure term="Peak memory">
        <Bytes value={run.peak_memory_bytes} />
      </Figure>
      <Figure term="Spilled to disk">
        <Bytes value={spilled} />
      </Figure>
    </dl>
  );
}

function Figure({ term, isBad, children }: { term: string; isBad?: boolean; children: ReactNode }) {
  return (
    <div className="min-w-0 bg-card px-4 py-3">
      <dt className="text-xs text-muted-foreground">{term}</dt>
      <dd className={`mt-0.5 truncate text-lg font-semibold tracking-tight ${isBad ? "text-warning" : ""}`}>
        {children}
      </dd>
    </div>
  );
}
