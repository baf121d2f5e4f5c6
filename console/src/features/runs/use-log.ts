// The lines of a log: page by page what is there, then what comes while the run goes on.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { isUnderWay } from "@/api/run-live";
import type { LogPiece } from "@/api/run-logs";
import { followLog, type LogFilter, logQuery } from "@/api/run-logs";
import type { RunDetail } from "@/api/runs";
import { inOrder, lengthened } from "./log-lines";

const AGAIN_MS = 2_000;

export function useLog(run: RunDetail, filter: LogFilter) {
  const pages = useInfiniteQuery(logQuery(run.id, filter));
  const [told, setTold] = useState<readonly LogPiece[]>([]);
  const isRunning = isUnderWay(run);
  // What is said at the end comes after the run has ended: the service says when there is no more.
  const [streams, setStreams] = useState(isRunning);
  const [wasRunning, setWasRunning] = useState(isRunning);
  if (wasRunning !== isRunning) {
    setWasRunning(isRunning);
    if (isRunning) setStreams(true);
  }
  const { block, level, search } = filter;
  const last = pages.data?.pages.at(-1);
  const after = last && !last.has_more ? last.next : null;

  useEffect(() => {
    if (!streams || after === null) return;
    const ends = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = async () => {
      try {
        let all: readonly LogPiece[] = [];
        setTold(all);
        for await (const lines of followLog(run.id, { block, level, search }, after, ends.signal)) {
          all = lengthened(all, lines);
          setTold(all);
        }
        if (!ends.signal.aborted) setStreams(false);
      } catch {
        // The way there was cut: from where the pages end on, again.
        if (!ends.signal.aborted) timer = setTimeout(() => void follow(), AGAIN_MS);
      }
    };
    void follow();
    return () => {
      clearTimeout(timer);
      ends.abort();
    };
  }, [streams, after, run.id, block, level, search]);

  const lines = useMemo(
    () => inOrder([...(pages.data?.pages ?? []).map((page) => page.piece), ...told]),
    [pages.data, told],
  );
  return { lines, pages, isStreaming: streams };
}
