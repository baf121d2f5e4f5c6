// Times, durations, counts and sizes as they are shown, exact where the pointer or the focus is.
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatLocal,
  formatRelative,
  formatUtc,
} from "@/lib/format";
import { momentFor, useNow } from "@/lib/clock";
import { Tooltip } from "./tooltip";

interface TimeProps {
  at: string | null | undefined;
  /** Shown where there is none. */
  none?: string;
  /** `12 Mar 2026, 14:05:09` instead of `3 minutes ago`. */
  absolute?: boolean;
}

export function Time({ at, none = "never", absolute }: TimeProps) {
  const now = useNow();
  if (!at) return <span className="text-muted-foreground">{none}</span>;
  const date = new Date(at);
  return (
    <Tooltip text={absolute ? formatUtc(date) : <LocalAndUtc date={date} />}>
      <time dateTime={at} className="tabular-nums">
        {absolute ? formatLocal(date) : formatRelative(date, momentFor(date, now))}
      </time>
    </Tooltip>
  );
}

/** Written once it is looked at. */
function LocalAndUtc({ date }: { date: Date }) {
  return `${formatLocal(date)} · ${formatUtc(date)}`;
}

export function Duration({ seconds }: { seconds: number }) {
  return <span className="tabular-nums">{formatDuration(seconds)}</span>;
}

/** Counts up from a time until now. */
export function Elapsed({ since }: { since: string }) {
  const now = useNow();
  return <Duration seconds={Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000))} />;
}

function Exact({ short, exact }: { short: string; exact: string }) {
  if (short === exact) return <span className="tabular-nums">{short}</span>;
  return (
    <Tooltip text={exact}>
      <span className="tabular-nums">{short}</span>
    </Tooltip>
  );
}

export function Count({ value }: { value: number }) {
  return <Exact short={formatCount(value)} exact={formatExact(value)} />;
}

export function Bytes({ value }: { value: number }) {
  const short = formatBytes(value);
  return <Exact short={short} exact={value < 1024 ? short : `${formatExact(value)} bytes`} />;
}
