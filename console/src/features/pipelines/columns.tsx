// What the list of pipelines says about each.
import { Link } from "@tanstack/react-router";
import { CircleCheck, TriangleAlert } from "lucide-react";
import type { PipelineItem } from "@/api/pipeline-list";
import type { Column } from "@/components/ui/data-table";
import { StatusBadge } from "@/components/ui/status-badge";
import { Tooltip } from "@/components/ui/tooltip";
import { Time } from "@/components/ui/values";
import { formatDuration } from "@/lib/format";
import { Acts } from "./acts";
import { FromTo } from "./from-to";
import { Sparkline } from "./sparkline";

export const columns: readonly Column<PipelineItem>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: ({ name }) => name,
    cell: ({ id, name, description }) => (
      <div className="max-w-96 min-w-40">
        <Link
          to="/pipelines/$pipeline"
          params={{ pipeline: id }}
          className="block truncate font-medium underline-offset-4 hover:underline"
        >
          {name}
        </Link>
        {description && <span className="block truncate text-xs text-muted-foreground">{description}</span>}
      </div>
    ),
  },
  {
    id: "status",
    header: "Status",
    sortBy: ({ status }) => status,
    cell: ({ status }) => <StatusBadge status={status} />,
  },
  { id: "ends", header: "From, to", className: "max-md:hidden", cell: (item) => <FromTo item={item} /> },
  {
    id: "last",
    header: "Last run",
    sortBy: ({ last_run }) => last_run?.started_at ?? "",
    cell: ({ last_run }) =>
      last_run ? (
        <span className="flex items-center gap-2 whitespace-nowrap">
          <StatusBadge status={last_run.status} />
          <span className="text-xs text-muted-foreground">
            <Time at={last_run.finished_at ?? last_run.started_at} />
          </span>
        </span>
      ) : (
        <span className="text-muted-foreground">never</span>
      ),
  },
  {
    id: "runs",
    header: "Runs",
    className: "max-xl:hidden",
    cell: ({ name, recent_runs }) => <Sparkline name={name} runs={recent_runs} />,
  },
  {
    id: "next",
    header: "Next run",
    className: "max-lg:hidden",
    sortBy: ({ next_run_at }) => next_run_at ?? "~",
    cell: ({ next_run_at, schedule_cron }) => (
      <span className="whitespace-nowrap">
        <Time at={next_run_at} none="not scheduled" />
        {schedule_cron && (
          <span className="ml-2 font-mono text-xs text-muted-foreground">{schedule_cron}</span>
        )}
      </span>
    ),
  },
  { id: "fresh", header: "Freshness", className: "max-lg:hidden", cell: (item) => <Fresh item={item} /> },
  { id: "acts", header: "Actions", align: "right", cell: (item) => <Acts item={item} /> },
];

function Fresh({ item: { freshness, last_success_at } }: { item: PipelineItem }) {
  if (!freshness) return <span className="text-muted-foreground">not watched</span>;
  const Icon = freshness.is_stale ? TriangleAlert : CircleCheck;
  return (
    <Tooltip text={`At most ${formatDuration(freshness.within)} may lie between successes.`}>
      <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
        <Icon aria-hidden className={freshness.is_stale ? "size-4 text-warning" : "size-4 text-success"} />
        {freshness.is_stale ? "Stale" : "Fresh"}
        <span className="text-xs text-muted-foreground">
          <Time at={last_success_at} none="never succeeded" />
        </span>
      </span>
    </Tooltip>
  );
}
