// The time now, for what is told relative to it: one timer for the whole page.
import { useSyncExternalStore } from "react";

const TICK_MS = 10_000;
const listeners = new Set<() => void>();
let now = new Date();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  now = new Date();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    timer = setInterval(tick, TICK_MS);
    tick();
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** From when `at` is told: what has just happened is never in the future. */
export function momentFor(at: Date, now: Date): Date {
  return at > now && at <= new Date() ? at : now;
}

export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now);
}

/** What follows from the time now; drawn anew only where it changes. */
export function useClock(of: (now: Date) => number): number {
  return useSyncExternalStore(subscribe, () => of(now));
}
