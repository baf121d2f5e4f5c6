// Runs of the last 24 hours by how they ended, a bar for each hour.
import type { Schemas } from "@/api/types";
import { Card } from "@/components/ui/card";
import { Tooltip } from "@/components/ui/tooltip";
import { formatHour, plural } from "@/lib/format";

const STATES = [
  { state: "success", word: "succeeded", colour: "bg-green-600" },
  { state: "running", word: "running", colour: "bg-blue-500" },
  { state: "cancelled", word: "cancelled", colour: "bg-neutral-400" },
  { state: "failed", word: "failed", colour: "bg-red-600" },
] as const;

type Hour = Schemas["Hour"];

export function Hours({ hours }: { hours: Hour[] }) {
  const most = Math.max(1, ...hours.map(total));
  return (
    <Card className="flex h-64 flex-col gap-3 p-4">
      <div className="flex min-h-0 flex-1 items-end gap-1" role="list" aria-label="Runs by hour">
        {hours.map((hour) => (
          <Bar key={hour.hour} hour={hour} most={most} />
        ))}
      </div>
      <div className="flex flex-wrap gap-x-4 text-xs text-muted-foreground">
        {STATES.map(({ state, word, colour }) => (
          <span key={state} className="flex items-center gap-1.5">
            <span className={`size-2.5 rounded-sm ${colour}`} />
            {hours.reduce((sum, hour) => sum + hour[state], 0)} {word}
          </span>
        ))}
      </div>
    </Card>
  );
}

function Bar({ hour, most }: { hour: Hour; most: number }) {
  const clock = formatHour(new Date(hour.hour));
  const parts = STATES.filter(({ state }) => hour[state] > 0);
  const said = parts.map(({ state, word }) => `${hour[state]} ${word}`).join(", ");
  const words = `${clock}: ${said || plural(0, "run")}`;
  return (
    <Tooltip text={words}>
      <div role="listitem" aria-label={words} className="flex h-full flex-1 flex-col justify-end gap-px">
        {parts.map(({ state, colour }) => (
          <span
            key={state}
            className={`min-h-1 rounded-xs ${colour}`}
            style={{ height: `${(hour[state] / most) * 100}%` }}
          />
        ))}
        {parts.length === 0 && <span className="h-1 rounded-xs bg-border" />}
      </div>
    </Tooltip>
  );
}

function total(hour: Hour): number {
  return STATES.reduce((sum, { state }) => sum + hour[state], 0);
}
