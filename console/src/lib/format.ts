// Numbers, bytes, durations and times as people read them.

const COUNT_UNITS = ["", "k", "M", "G", "T"];
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 12.4 M; exact below ten thousand. */
export function formatCount(count: number): string {
  if (Math.abs(count) < 10_000) return formatExact(count);
  return scaled(count, 1000, COUNT_UNITS);
}

/** Made when it is used first, and once: making one takes longer than a hundred uses of it, and a list has hundreds. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const whole = once(() => new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 }));
const tenths = once(() => new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }));
const exact = once(() => new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 }));
const relative = once(() => new Intl.RelativeTimeFormat("en", { numeric: "auto" }));
const local = once(() => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }));

/** All digits, grouped as is usual here. */
export function formatExact(count: number): string {
  // Nothing to group: a page of small numbers comes without the format, the first of which takes long to make.
  if (Number.isInteger(count) && Math.abs(count) < 1000) return String(count);
  return exact().format(count);
}

export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, BYTE_UNITS);
}

function scaled(value: number, step: number, units: string[]): string {
  let [rest, unit] = [value, 0];
  // What would be shown as a whole step belongs to the next unit.
  while (Math.abs(rest) >= step * 0.9995 && unit < units.length - 1) [rest, unit] = [rest / step, unit + 1];
  const format = unit === 0 || Math.abs(rest) >= 100 ? whole() : tenths();
  return `${format.format(rest)} ${units[unit] ?? ""}`.trimEnd();
}

/** A duration in words, two units at most: `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0) return formatDuration(0);
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  const [days, hours] = [Math.floor(rounded / 86_400), Math.floor((rounded % 86_400) / 3600)];
  const [minutes, rest] = [Math.floor((rounded % 3600) / 60), rounded % 60];
  const parts = [
    [days, "d"],
    [hours, "h"],
    [minutes, "min"],
    [rest, "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

const STEPS = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 7],
  ["week", 4.35],
  ["month", 12],
  ["year", Infinity],
] as const;

/** `3 minutes ago`, `in 2 hours`, `just now`. */
export function formatRelative(at: Date, now: Date): string {
  let amount = (at.getTime() - now.getTime()) / 1000;
  if (Math.abs(amount) < 5) return "just now";
  for (const [unit, next] of STEPS) {
    if (Math.abs(amount) < next) return relative().format(Math.trunc(amount), unit);
    amount /= next;
  }
  return formatLocal(at);
}

/** Date and time as is usual here. */
export function formatLocal(at: Date): string {
  return local().format(at);
}

/** `14:05`. */
export function formatHour(at: Date): string {
  return `${digits(at.getHours(), 2)}:${digits(at.getMinutes(), 2)}`;
}

/** `14:05:09.042`: what comes close together is told to the millisecond. */
export function formatClock(at: Date): string {
  return `${formatHour(at)}:${digits(at.getSeconds(), 2)}.${digits(at.getMilliseconds(), 3)}`;
}

function digits(number: number, count: number): string {
  return String(number).padStart(count, "0");
}

/** `2026-03-01 14:05:09 UTC`. */
export function formatUtc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `1 run`, `2 runs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatExact(count)} ${count === 1 ? one : many}`;
}
