// Executors: who works.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Executor = Schemas["ExecutorItem"];

const all = ["executors"] as const;
/** What they are busy with changes without a word. */
const LOOK_MS = 3_000;

export const executorsQuery = queryOptions({
  queryKey: [...all, "list"],
  queryFn: ({ signal }) => answer(client.GET("/executors", { signal })),
  refetchInterval: LOOK_MS,
});

export function executorQuery(executor: string) {
  return queryOptions({
    queryKey: [...all, "one", executor],
    queryFn: ({ signal }) =>
      answer(client.GET("/executors/{executor}", { params: { path: { executor } }, signal })),
    refetchInterval: LOOK_MS,
  });
}

export function useDrainExecutor() {
  return useMutation({
    mutationFn: (executor: string) =>
      done(client.POST("/executors/{executor}/drain", { params: { path: { executor } } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: all }),
  });
}
