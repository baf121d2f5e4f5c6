// Triggers: what begins runs beside schedules and people.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Trigger = Schemas["TriggerItem"];

const all = ["triggers"] as const;
const PAGE = 200;

/** Those of one pipeline, or of all. */
export function triggersQuery(pipeline: string | undefined) {
  return infiniteQueryOptions({
    queryKey: [...all, "list", pipeline ?? ""],
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: PAGE, ...(pipeline && { pipeline }), ...(pageParam && { after: pageParam }) };
      return answer(client.GET("/triggers", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

/** One with its newest events. */
export function triggerQuery(trigger: string) {
  return queryOptions({
    queryKey: [...all, "one", trigger],
    queryFn: ({ signal }) =>
      answer(client.GET("/triggers/{trigger}", { params: { path: { trigger } }, signal })),
  });
}

function refresh(): Promise<unknown> {
  void queryClient.invalidateQueries({ queryKey: ["lineage"] });
  return queryClient.invalidateQueries({ queryKey: all });
}

/** Makes one; that of a webhook comes with its address, this once. */
export function useMakeTrigger() {
  return useMutation({
    mutationFn: async (body: Schemas["TriggerWish"]) => {
      const { url, ...made } = await answer(client.POST("/triggers", { body }));
      return { ...made, url: url ? new URL(url, location.origin).href : null };
    },
    onSuccess: refresh,
  });
}

export function useChangeTrigger() {
  return useMutation({
    mutationFn: ({ id: trigger, ...body }: Schemas["TriggerWish"] & { id: string }) =>
      answer(client.PUT("/triggers/{trigger}", { params: { path: { trigger } }, body })),
    onSuccess: refresh,
  });
}

export function useDeleteTrigger() {
  return useMutation({
    mutationFn: (trigger: string) =>
      done(client.DELETE("/triggers/{trigger}", { params: { path: { trigger } } })),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["lineage"] });
      // Not the one itself, which is gone.
      return queryClient.invalidateQueries({ queryKey: [...all, "list"] });
    },
  });
}
