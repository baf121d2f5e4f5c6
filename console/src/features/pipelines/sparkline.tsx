// The newest runs of a pipeline as bars: as high as they took long, coloured by how they ended.
import type { PipelineItem } from "@/api/pipeline-list";
import { statusWord } from "@/components/ui/status-badge";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import { formatDuration, plural } from "@/lib/format";

type Run = PipelineItem["recent_runs"][number];

const COLOURS: Record<string, string> = {
  success: "bg-green-600",
  failed: "bg-red-600",
  running: "bg-blue-500",
};
const SHOWN = 14;

/** `runs` are the newest first, as they are told; drawn with the newest at the right. */
export function Sparkline({ name, runs }: { name: string; runs: readonly Run[] }) {
  if (runs.length === 0) return <span className="text-muted-foreground">–</span>;
  const shown = runs.slice(0, SHOWN);
  const most = Math.max(0.001, ...shown.map((run) => took(run) ?? 0));
  const failed = shown.filter(({ status }) => status === "failed").length;
  const newest = shown
    .slice(0, 3)
    .map((run) => words(run))
    .join(", ");
  const said = `The last ${plural(shown.length, "run")}, ${failed} failed; newest first: ${newest}`;
  return (
    <Tooltip text={said}>
      <span role="img" aria-label={`${name}: ${said}`} className="flex h-6 w-fit items-end gap-px">
        {shown.toReversed().map((run) => (
          <span
            key={run.id}
            className={cn("min-h-1 w-1.5 rounded-t-xs", COLOURS[run.status] ?? "bg-neutral-400")}
            style={{ height: `${((took(run) ?? 0) / most) * 100}%` }}
          />
        ))}
      </span>
    </Tooltip>
  );
}

function words(run: Run): string {
  const seconds = took(run);
  return `${statusWord(run.status).toLowerCase()}${seconds === null ? "" : ` in ${formatDuration(seconds)}`}`;
}

/** In seconds; null while it goes on. */
function took({ started_at, finished_at }: Run): number | null {
  return finished_at ? (Date.parse(finished_at) - Date.parse(started_at)) / 1000 : null;
}
