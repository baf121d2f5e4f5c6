// The next times of schedules.
import { Link } from "@tanstack/react-router";
import { CalendarClock } from "lucide-react";
import type { Schemas } from "@/api/types";
import { Card } from "@/components/ui/card";
import { Time } from "@/components/ui/values";

export function NextScheduled({ items }: { items: Schemas["NextItem"][] }) {
  if (items.length === 0) {
    return (
      <Card className="flex h-28 flex-col items-center justify-center gap-2 px-4 text-muted-foreground xl:h-64">
        Nothing is scheduled.
        <Link to="/schedules" className="text-link underline-offset-4 hover:underline">
          Let a pipeline run by itself
        </Link>
      </Card>
    );
  }
  return (
    <Card className="max-h-64 overflow-y-auto xl:h-64">
      <ul>
        {items.map(({ schedule_id, pipeline, at }) => (
          <li
            key={`${schedule_id} ${at}`}
            className="flex h-11 items-center gap-3 border-b border-border px-4 last:border-0"
          >
            <CalendarClock aria-hidden className="size-4 shrink-0 text-link" />
            <Link to="/schedules" className="min-w-0 flex-1 truncate font-medium hover:underline">
              {pipeline}
            </Link>
            <span className="text-muted-foreground">
              <Time at={at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
