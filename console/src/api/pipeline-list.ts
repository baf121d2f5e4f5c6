// The pipelines of the organization: listed, run, paused, removed.
import { infiniteQueryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type PipelineItem = Schemas["PipelineItem"];
export type Standing = Schemas["Standing"];

const PAGE = 50;

export function pipelineListQuery(filter: { search: string | undefined; status: string | undefined }) {
  return infiniteQueryOptions({
    queryKey: ["pipelines", "list", filter],
    queryFn: ({ signal, pageParam }) => {
      const { search, status } = filter;
      const query = {
        limit: PAGE,
        ...(search && { search }),
        ...(status && { status }),
        ...(pageParam && { after: pageParam }),
      };
      return answer(client.GET("/pipelines", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export function refreshPipelines(): Promise<unknown> {
  void queryClient.invalidateQueries({ queryKey: ["dashboard"] });
  void queryClient.invalidateQueries({ queryKey: ["schedules"] });
  return queryClient.invalidateQueries({ queryKey: ["pipelines"] });
}

export function useStanding() {
  return useMutation({
    mutationFn: ({ pipeline, status }: { pipeline: string; status: Standing }) =>
      answer(client.PUT("/pipelines/{pipeline}", { params: { path: { pipeline } }, body: { status } })),
    onSuccess: refreshPipelines,
  });
}

export function useDeletePipeline() {
  return useMutation({
    mutationFn: (pipeline: string) =>
      done(client.DELETE("/pipelines/{pipeline}", { params: { path: { pipeline } } })),
    onSuccess: refreshPipelines,
  });
}
