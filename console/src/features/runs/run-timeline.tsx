// Who worked on what and when: a bar for each try, a line for each segment and executor.
import { Fragment } from "react";
import { isUnderWay } from "@/api/run-live";
import type { RunDetail } from "@/api/runs";
import { Card, Section } from "@/components/ui/card";
import { StatusIcon, statusWord } from "@/components/ui/status-badge";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import { formatBytes, formatClock, formatDuration } from "@/lib/format";
import { Named } from "./bottleneck";
import { type Bar, ticks, timelineOf } from "./timeline-model";

const COLOURS: Record<string, string> = {
  won: "bg-green-700",
  running: "bg-blue-600",
  committing: "bg-blue-600",
  failed: "bg-red-700",
  cancelled: "bg-neutral-500",
  lost: "bg-amber-700",
};

export function RunTimeline({ run }: { run: RunDetail }) {
  const { lines, seconds } = timelineOf(run);
  const marks = ticks(seconds);
  return (
    <div className="flex flex-col gap-6">
      {lines.length === 0 ? (
        <Card className="px-4 py-10 text-center text-muted-foreground">
          {isUnderWay(run) ? "Nothing has begun yet." : "Nothing was tried."}
        </Card>
      ) : (
        <Card className="overflow-x-auto p-4">
          <table className="w-full min-w-[36rem] border-collapse text-sm" aria-label="Tries over time">
            <thead>
              <tr className="text-left text-xs text-muted-foreground">
                <th scope="col" className="h-8 w-44 font-medium lg:w-56">
                  Blocks
                </th>
                <th scope="col" className="w-28 font-medium lg:w-36">
                  Executor
                </th>
                <th scope="col" className="font-medium">
                  <span className="sr-only">Time, {formatDuration(seconds)} in all</span>
                  <span aria-hidden className="relative block h-4">
                    {marks.map((mark) => (
                      <span
                        key={mark}
                        className="absolute -translate-x-1/2 whitespace-nowrap tabular-nums first:translate-x-0"
                        style={{ left: `${(mark / seconds) * 100}%` }}
                      >
                        {mark === 0 ? "0" : formatDuration(mark)}
                      </span>
                    ))}
                  </span>
                </th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <tr key={`${line.segment} ${line.executor}`} className="border-t border-border">
                  <th
                    scope="row"
                    className="h-12 max-w-44 truncate lg:max-w-56 pr-3 text-left font-medium"
                    title={line.blocks}
                  >
                    {line.blocks}
                  </th>
                  <td
                    className="max-w-28 truncate lg:max-w-36 pr-3 text-xs text-muted-foreground"
                    title={line.executor ?? ""}
                  >
                    {line.executor ?? "coordinator"}
                  </td>
                  <td>
                    <div className="relative h-7 rounded bg-muted">
                      {marks.map((mark) => (
                        <span
                          key={mark}
                          aria-hidden
                          className="absolute inset-y-0 w-px bg-border"
                          style={{ left: `${(mark / seconds) * 100}%` }}
                        />
                      ))}
                      {line.bars.map((bar) => (
                        <Try key={bar.number} bar={bar} seconds={seconds} />
                      ))}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      )}
      <Section title="What happened">
        <Card className="p-4">
          <ol className="grid grid-cols-[auto_auto_1fr] gap-x-4 gap-y-1.5">
            {run.timeline.map((moment, index) => (
              <Fragment key={index}>
                <li className="contents">
                  <time dateTime={moment.at} className="font-mono text-xs leading-6 text-muted-foreground">
                    {formatClock(new Date(moment.at))}
                  </time>
                  <span className="truncate text-xs leading-6 font-medium">{moment.segment ?? "run"}</span>
                  <span
                    className={cn(
                      "min-w-0 break-words",
                      moment.level === "error" && "text-danger",
                      moment.level === "warn" && "text-warning",
                    )}
                  >
                    <Named text={moment.message} />
                  </span>
                </li>
              </Fragment>
            ))}
          </ol>
        </Card>
      </Section>
    </div>
  );
}

function Try({ bar, seconds }: { bar: Bar; seconds: number }) {
  const words = [
    `Try ${bar.number}: ${statusWord(bar.status).toLowerCase()}, after ${formatDuration(bar.from)} for ${formatDuration(bar.seconds)}`,
    `${formatDuration(bar.cpuSeconds)} of CPU, at most ${formatBytes(bar.peakBytes)}`,
    ...(bar.error ? [bar.error] : []),
  ].join("; ");
  return (
    <Tooltip text={words}>
      <button
        type="button"
        aria-label={words}
        className={cn(
          "@container absolute inset-y-0.5 flex min-w-1.5 items-center overflow-hidden rounded text-xs whitespace-nowrap text-white",
          COLOURS[bar.status] ?? "bg-neutral-500",
        )}
        style={{
          // However short and late it is, it stands on the line.
          left: `min(${(bar.from / seconds) * 100}%, 100% - 0.375rem)`,
          width: `${(bar.seconds / seconds) * 100}%`,
        }}
      >
        <span className="hidden truncate px-1.5 @min-[4.5rem]:inline [&_*]:text-white">
          <StatusIcon status={bar.status} />
        </span>
      </button>
    </Tooltip>
  );
}
