// A ring of how a block spends its time: computing, waiting for rows, kept waiting by who takes them.
import type { ReactNode } from "react";

export interface Shares {
  busy: number;
  waiting: number;
  blocked: number;
}

/** Whether they are drawn alike. */
export function sameShares(one: Shares | undefined, other: Shares | undefined): boolean {
  if (!one || !other) return one === other;
  const near = (key: keyof Shares) => Math.abs(one[key] - other[key]) < 0.01;
  return near("busy") && near("waiting") && near("blocked");
}

const RADIUS = 20;
const ROUND = 2 * Math.PI * RADIUS;
const PARTS = [
  { key: "busy", colour: "var(--success)" },
  { key: "waiting", colour: "var(--input)" },
  { key: "blocked", colour: "var(--danger)" },
] as const;

export function Ring({ shares, children }: { shares: Shares | undefined; children: ReactNode }) {
  let from = 0;
  return (
    <span className="relative grid size-12 shrink-0 place-items-center">
      <svg viewBox="0 0 48 48" aria-hidden className="absolute inset-0 -rotate-90">
        <circle cx="24" cy="24" r={RADIUS} fill="none" stroke="var(--border)" strokeWidth="3.5" />
        {shares &&
          PARTS.map(({ key, colour }) => {
            const length = shares[key] * ROUND;
            const offset = -from;
            from += length;
            return (
              <circle
                key={key}
                cx="24"
                cy="24"
                r={RADIUS}
                fill="none"
                stroke={colour}
                strokeWidth={key === "busy" ? 5 : 3.5}
                strokeDasharray={`${length} ${ROUND - length}`}
                strokeDashoffset={offset}
              />
            );
          })}
      </svg>
      {children}
    </span>
  );
}

/** `busy 92 %, waiting 8 %`. */
export function sharesText(shares: Shares): string {
  const words = [
    ["busy", shares.busy],
    ["waiting for rows", shares.waiting],
    ["kept waiting", shares.blocked],
  ] as const;
  const said = words
    .filter(([, share]) => share >= 0.005)
    .map(([word, share]) => `${word} ${Math.round(share * 100)} %`);
  return said.join(", ");
}

/** What the colours of rings mean. */
export function RingLegend() {
  const items = [
    ["busy", "var(--success)"],
    ["waiting for rows", "var(--input)"],
    ["kept waiting by who takes them", "var(--danger)"],
  ] as const;
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted-foreground" aria-label="What rings mean">
      {items.map(([word, colour]) => (
        <li key={word} className="flex items-center gap-1.5">
          <span className="size-2.5 rounded-full border-[3px]" style={{ borderColor: colour }} />
          {word}
        </li>
      ))}
    </ul>
  );
}
