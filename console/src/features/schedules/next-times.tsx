// The next times of a schedule in its own zone, with word of clocks that change between them.
import { formatUtc } from "@/lib/format";

interface NextTimesProps {
  times: readonly string[];
  timezone: string;
}

export function NextTimes({ times, timezone }: NextTimesProps) {
  const zoned = times.map((at) => ({ at, ...inZone(at, timezone) }));
  return (
    <ol className="space-y-0.5 text-xs tabular-nums">
      {zoned.map(({ at, text, offset }, index) => {
        const before = zoned[index - 1];
        return (
          <li key={at} title={formatUtc(new Date(at))}>
            {text} <span className="text-muted-foreground">{offset}</span>
            {before && before.offset !== offset && (
              <span className="ml-2 font-medium text-warning">clocks change before this</span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

/** Date and time there, and how far it is from UTC. */
export function inZone(at: string, timezone: string): { text: string; offset: string } {
  const date = new Date(at);
  try {
    const text = date.toLocaleString(undefined, {
      timeZone: timezone,
      weekday: "short",
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const parts = new Intl.DateTimeFormat("en", { timeZone: timezone, timeZoneName: "longOffset" });
    const offset = parts.formatToParts(date).find((part) => part.type === "timeZoneName")?.value ?? "";
    return { text, offset: offset.replace("GMT", "UTC") };
  } catch {
    // A zone that this browser does not know.
    return { text: formatUtc(date), offset: "" };
  }
}
