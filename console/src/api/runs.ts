// Runs: found, looked at, begun, cancelled, and gone on with.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Run = Schemas["RunItem"];
/** A run with everything that is known of it. */
export type RunDetail = Schemas["RunDetail"] & {
  /** When this was heard, in milliseconds. */
  heardAt: number;
};

export interface RunFilter {
  status?: string | undefined;
  pipeline?: string | undefined;
  transformation?: string | undefined;
  trigger?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  search?: string | undefined;
}

const all = ["runs"] as const;
const PAGE = 50;
/** As many as one answer may hold: what the bars over the list are made of. */
const SURVEY = 500;

export function runsQuery(filter: RunFilter) {
  return infiniteQueryOptions({
    queryKey: [...all, "list", filter],
    queryFn: ({ signal, pageParam }) =>
      answer(
        client.GET("/runs", {
          params: { query: { ...given(filter), limit: PAGE, ...(pageParam && { before: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

/** The newest runs of some days whatever their states: what is counted and drawn above the list. */
export function surveyQuery(filter: RunFilter) {
  return queryOptions({
    queryKey: [...all, "survey", filter],
    queryFn: ({ signal }) =>
      answer(client.GET("/runs", { params: { query: { ...given(filter), limit: SURVEY } }, signal })),
  });
}

/** The run of the same pipeline or transformation that came before this one; null where it was the first. */
export function runBeforeQuery({ id, target_type: type, target_id: target, pipeline }: Run) {
  const same =
    type === "transformation" && target ? { transformation: target } : { pipeline: target ?? pipeline };
  const query = { ...same, before: id, limit: 1 };
  return queryOptions({
    // Not among "runs": what is past stays.
    queryKey: ["run before", id],
    queryFn: async ({ signal }) =>
      (await answer(client.GET("/runs", { params: { query }, signal }))).runs[0] ?? null,
    staleTime: Infinity,
  });
}

export function runQuery(run: string) {
  return queryOptions({
    queryKey: [...all, "one", run],
    queryFn: async ({ signal }): Promise<RunDetail> => {
      const found = await answer(client.GET("/runs/{run}", { params: { path: { run } }, signal }));
      return { ...found, heardAt: Date.now() };
    },
  });
}

function given(filter: RunFilter): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(filter))
    if (typeof value === "string" && value) found[name] = value;
  return found;
}

function refresh(): Promise<unknown> {
  void queryClient.invalidateQueries({ queryKey: ["dashboard"] });
  void queryClient.invalidateQueries({ queryKey: ["pipelines"] });
  return queryClient.invalidateQueries({ queryKey: all });
}

export function useCancelRun() {
  return useMutation({
    mutationFn: (run: string) => done(client.POST("/runs/{run}/cancel", { params: { path: { run } } })),
    onSettled: refresh,
  });
}

/** What it has committed stays; the block that failed and what comes behind it run again. */
export function useRetryRun() {
  return useMutation({
    mutationFn: (run: string) => answer(client.POST("/runs/{run}/retry", { params: { path: { run } } })),
    onSettled: refresh,
  });
}

export function useBeginRun() {
  return useMutation({
    mutationFn: ({ pipeline, ...body }: { pipeline: string } & Schemas["RunWish"]) =>
      answer(client.POST("/pipelines/{pipeline}/run", { params: { path: { pipeline } }, body })),
    onSettled: refresh,
  });
}
