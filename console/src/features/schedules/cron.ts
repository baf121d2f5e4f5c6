// Cron lines as a person builds them: how often, at which time, on which days.

export const WAYS = ["minutes", "hourly", "daily", "weekly", "monthly"] as const;
export type Way = (typeof WAYS)[number];

/** What a cron line says, as far as the builder can say it. */
export interface Rule {
  way: Way;
  /** Every so many minutes. */
  every: number;
  minute: number;
  hour: number;
  /** 0 is Sunday. */
  weekdays: readonly number[];
  day: number;
}

export const USUAL: Rule = { way: "daily", every: 15, minute: 0, hour: 3, weekdays: [1], day: 1 };
/** Those that come at even distances. */
export const EVERY = [1, 2, 5, 10, 15, 20, 30] as const;
export const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

const ALIASES: Record<string, string> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
};

export function writeCron(rule: Rule): string {
  const { minute, hour } = rule;
  switch (rule.way) {
    case "minutes":
      return rule.every === 1 ? "* * * * *" : `*/${rule.every} * * * *`;
    case "hourly":
      return `${minute} * * * *`;
    case "daily":
      return `${minute} ${hour} * * *`;
    case "weekly":
      return `${minute} ${hour} * * ${days(rule.weekdays)}`;
    case "monthly":
      return `${minute} ${hour} ${rule.day} * *`;
  }
}

function days(weekdays: readonly number[]): string {
  const sorted = [...new Set(weekdays)].sort((one, other) => one - other);
  if (sorted.join() === "1,2,3,4,5") return "1-5";
  return sorted.length === 0 ? "1" : sorted.join(",");
}

/** Null where the line says more than the builder can. */
export function readCron(text: string): Rule | null {
  const parts = (ALIASES[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = parts;
  if (parts.length !== 5 || month !== "*") return null;
  const every = minute === "*" ? 1 : number(/^\*\/(\d+)$/.exec(minute)?.[1], 1, 59);
  const anyDay = day === "*" && weekday === "*";
  if (every !== null) {
    const isKnown = EVERY.some((choice) => choice === every);
    return isKnown && hour === "*" && anyDay ? { ...USUAL, way: "minutes", every } : null;
  }
  const [m, h] = [number(minute, 0, 59), number(hour, 0, 23)];
  if (m === null) return null;
  if (hour === "*" && anyDay) return { ...USUAL, way: "hourly", minute: m };
  if (h === null) return null;
  const at = { ...USUAL, minute: m, hour: h };
  if (anyDay) return { ...at, way: "daily" };
  if (day === "*") {
    const weekdays = readDays(weekday);
    return weekdays && { ...at, way: "weekly", weekdays };
  }
  const d = number(day, 1, 31);
  return weekday === "*" && d !== null ? { ...at, way: "monthly", day: d } : null;
}

function readDays(text: string): number[] | null {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const [first = "", last = first] = part.split("-");
    const [from, to] = [weekday(first), weekday(last)];
    if (from === null || to === null || from > to) return null;
    for (let day = from; day <= to; day += 1) found.add(day % 7);
  }
  return [...found].sort((one, other) => one - other);
}

function weekday(text: string): number | null {
  const named = WEEKDAYS.findIndex((name) => name.toLowerCase() === text.toLowerCase());
  return named >= 0 ? named : number(text, 0, 7);
}

function number(text: string | undefined, least: number, most: number): number | null {
  if (text === undefined || !/^\d+$/.test(text)) return null;
  const value = Number(text);
  return value >= least && value <= most ? value : null;
}
