// How the newest run of the pipeline stands, as a link to it.
import { Link } from "@tanstack/react-router";
import type { PipelineDetail } from "@/api/pipeline-files";
import { StatusBadge } from "@/components/ui/status-badge";
import { Time } from "@/components/ui/values";

export function LastRun({ detail }: { detail: PipelineDetail }) {
  const run = detail.last_run;
  if (!run) return null;
  return (
    <Link
      to="/runs/$run"
      params={{ run: run.id }}
      className="flex items-center gap-2 rounded-md px-1 text-xs text-muted-foreground hover:underline"
    >
      Last run <StatusBadge status={run.status} /> <Time at={run.finished_at ?? run.started_at} />
    </Link>
  );
}
