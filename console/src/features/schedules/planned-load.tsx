// How much is planned for each hour of the next day, as far as the next times of schedules tell.
import type { Schedule } from "@/api/schedules";
import { Card } from "@/components/ui/card";
import { useClock } from "@/lib/clock";
import { plural } from "@/lib/format";

const HOURS = 24;
const HOUR_MS = 3_600_000;
const DEPTHS = ["bg-muted", "bg-purple-300", "bg-purple-400", "bg-purple-600", "bg-purple-800"];

export function PlannedLoad({ schedules }: { schedules: readonly Schedule[] }) {
  const first = useClock((now) => Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);
  const active = schedules.filter((schedule) => schedule.next_run_at);
  const hours = Array.from({ length: HOURS }, (_, index) => ({
    at: first + index * HOUR_MS,
    count: 0,
    more: false,
  }));
  for (const schedule of active) {
    const times = schedule.next_runs.map((at) => Date.parse(at));
    for (const at of times) {
      const hour = hours[Math.floor((at - first) / HOUR_MS)];
      if (hour) hour.count += 1;
    }
    // Only five times are told: behind the last of them there are more.
    const last = times.at(-1);
    if (times.length === 5 && last !== undefined)
      for (const hour of hours) if (hour.at + HOUR_MS > last) hour.more = true;
  }
  return (
    <Card className="px-4 py-3">
      <p className="text-xs text-muted-foreground">
        <span className="font-medium text-foreground">Planned for the next 24 hours</span>, by the next five
        times of each schedule
      </p>
      <ul className="mt-2 flex gap-0.5" aria-label="Planned runs by hour">
        {hours.map(({ at, count, more }) => {
          const clock = new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
          const words = `${clock}: ${plural(count, "run")}${more ? " or more" : ""}`;
          return (
            <li key={at} title={words} className="min-w-0 flex-1">
              <span className="sr-only">{words}</span>
              <span aria-hidden className={`block h-6 rounded-xs ${DEPTHS[Math.min(count, 4)] ?? ""}`} />
              <span
                aria-hidden
                className="mt-1 hidden text-center text-[10px] text-muted-foreground md:block"
              >
                {new Date(at).getHours()}
              </span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
