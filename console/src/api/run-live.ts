// A run that is looked at while it goes on: asked for once a second, its counters as they are told between.
import { useSuspenseQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useHappenings } from "./live";
import { queryClient } from "./query-client";
import { withProgress } from "./run-view";
import { type RunDetail, runQuery } from "./runs";

const ASK_MS = 1_000;

export function isUnderWay(run: { status: string }): boolean {
  return run.status === "running" || run.status === "pending";
}

/** As it stands now, or as it stood when it was paused. */
export function useLiveRun(id: string, isPaused: boolean): RunDetail {
  const query = runQuery(id);
  const { data } = useSuspenseQuery(query);
  const [held, setHeld] = useState<RunDetail | null>(null);
  if (isPaused && held?.id !== data.id) setHeld(data);
  if (!isPaused && held !== null) setHeld(null);

  const asks = isUnderWay(data) && !isPaused;
  useEffect(() => {
    if (!asks) return;
    const timer = setInterval(() => {
      if (document.hidden) return;
      void queryClient.invalidateQueries({ queryKey: runQuery(id).queryKey }, { cancelRefetch: false });
    }, ASK_MS);
    return () => clearInterval(timer);
  }, [asks, id]);

  // However many come, what is drawn changes once a frame.
  const told = useRef<unknown>(null);
  useHappenings(({ kind, subject, detail }) => {
    if (kind !== "run.progress" || subject !== id || isPaused) return;
    if (told.current === null) {
      requestAnimationFrame(() => {
        const counters = told.current;
        told.current = null;
        queryClient.setQueryData(
          query.queryKey,
          (run) => run && { ...run, view: withProgress(run.view, counters) },
        );
      });
    }
    told.current = detail ?? {};
  });
  return isPaused && held?.id === data.id ? held : data;
}
