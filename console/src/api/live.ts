// Keeps what is shown current: each happening lets the answers it concerns be asked for again.
import { useEffect, useRef } from "react";
import { createStore, useStore } from "@/lib/store";
import { type Happening, listen, type LiveState } from "./events";
import { useOrganizationId } from "./organization";
import { ApiProblem } from "./problem";
import { queryClient } from "./query-client";
import { useWhoIsHere } from "./session";

/** The first words of the query keys that a sort of happening makes old. */
const CONCERNS: Record<string, string[]> = {
  run: ["runs", "dashboard", "pipelines", "lineage"],
  pipeline: ["pipelines", "schedules", "dashboard", "lineage"],
  schedule: ["schedules", "pipelines", "dashboard"],
  connection: ["connections", "dashboard"],
  discovery: ["discovery", "connections"],
  file: ["files"],
  vault: ["vault", "dashboard"],
  executor: ["executors", "dashboard"],
  member: ["members", "me"],
  organization: ["me", "organization"],
  invitation: ["members"],
  alert: ["alerts"],
  trigger: ["triggers", "lineage"],
  transformation: ["transformations", "lineage"],
};
/** What comes together is asked for once. */
const GATHER_MS = 250;

const state = createStore<LiveState>("connecting");
const listeners = new Set<(happening: Happening) => void>();
let waiting: Set<string> | null = null;

export function useLiveState(): LiveState {
  return useStore(state);
}

/** Hears everything that happens, counters of runs under way (`run.progress`) among it. */
export function useHappenings(onHappening: (happening: Happening) => void): void {
  const held = useRef(onHappening);
  useEffect(() => {
    held.current = onHappening;
  });
  useEffect(() => {
    const hear = (happening: Happening) => held.current(happening);
    listeners.add(hear);
    return () => {
      listeners.delete(hear);
    };
  }, []);
}

/** Listens while somebody is signed in; used once, by the shell. */
export function useLive(): void {
  const organization = useOrganizationId();
  const who = useWhoIsHere();
  useEffect(() => {
    if (who === "nobody" || organization === null) return;
    const ends = new AbortController();
    const onHappening = (happening: Happening) => {
      for (const listener of listeners) listener(happening);
      if (happening.kind !== "run.progress") refresh(CONCERNS[happening.kind.split(".")[0] ?? ""] ?? []);
    };
    const onGap = () => void queryClient.invalidateQueries();
    void listen({ organization, onHappening, onGap, onState }, ends.signal);
    return () => ends.abort();
  }, [who, organization]);
}

function onState(next: LiveState): void {
  const isBack = state.get() === "paused" && next !== "paused";
  state.set(next);
  // What was asked for in vain meanwhile.
  const isPassed = (error: unknown) => error instanceof ApiProblem && error.isPassing;
  if (isBack) void queryClient.invalidateQueries({ predicate: (query) => isPassed(query.state.error) });
}

function refresh(keys: string[]): void {
  if (waiting === null) {
    waiting = new Set();
    setTimeout(() => {
      for (const key of waiting ?? []) void queryClient.invalidateQueries({ queryKey: [key] });
      waiting = null;
    }, GATHER_MS);
  }
  for (const key of keys) waiting.add(key);
}
