// Schedules: what runs when.
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Schedule = Schemas["ScheduleItem"];
export type ScheduleWish = Schemas["ScheduleWish"];

const all = ["schedules"] as const;
const PAGE = 200;

export const schedulesQuery = infiniteQueryOptions({
  queryKey: [...all, "list"],
  queryFn: ({ signal, pageParam }) =>
    answer(
      client.GET("/schedules", {
        params: { query: { limit: PAGE, ...(pageParam && { after: pageParam }) } },
        signal,
      }),
    ),
  initialPageParam: "",
  getNextPageParam: (page) => page.next ?? undefined,
});

/** What a cron line means, and when it comes next; fails where it is none. */
export function cronQuery(cron: string, timezone: string) {
  return queryOptions({
    queryKey: ["cron", cron, timezone],
    queryFn: ({ signal }) =>
      answer(client.POST("/schedules/preview", { body: { cron_expression: cron, timezone }, signal })),
    retry: false,
    placeholderData: keepPreviousData,
  });
}

function refresh(): Promise<unknown> {
  void queryClient.invalidateQueries({ queryKey: ["dashboard"] });
  void queryClient.invalidateQueries({ queryKey: ["pipelines"] });
  return queryClient.invalidateQueries({ queryKey: all });
}

/** Makes one, or changes the one of this id. */
export function useSaveSchedule() {
  return useMutation({
    mutationFn: ({ id: schedule, ...body }: ScheduleWish & { id?: string | undefined }) =>
      answer(
        schedule === undefined
          ? client.POST("/schedules", { body })
          : client.PUT("/schedules/{schedule}", { params: { path: { schedule } }, body }),
      ),
    onSuccess: refresh,
  });
}

export function useDeleteSchedule() {
  return useMutation({
    mutationFn: (schedule: string) =>
      done(client.DELETE("/schedules/{schedule}", { params: { path: { schedule } } })),
    onSuccess: refresh,
  });
}
