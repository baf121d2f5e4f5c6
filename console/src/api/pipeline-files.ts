// A pipeline's file: read, kept, and brought back.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client } from "./client";
import { refreshPipelines } from "./pipeline-list";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type PipelineDetail = Schemas["PipelineDetail"];
export type Revision = Schemas["RevisionItem"];
export type PipelineWish = Schemas["PipelineWish"];

export function pipelineQuery(pipeline: string) {
  return queryOptions({
    queryKey: ["pipelines", "one", pipeline],
    queryFn: ({ signal }) =>
      answer(client.GET("/pipelines/{pipeline}", { params: { path: { pipeline } }, signal })),
  });
}

export function useCreatePipeline() {
  return useMutation({
    mutationFn: (body: PipelineWish) => answer(client.POST("/pipelines", { body })),
    onSuccess: refreshPipelines,
  });
}

/** Keeps a change, only while the pipeline is at `revision` where that is given. */
export function useSavePipeline(pipeline: string) {
  return useMutation({
    mutationFn: ({ revision, ...body }: PipelineWish & { revision: number | null }) => {
      const header = revision === null ? {} : { "if-match": `"${revision}"` };
      return answer(client.PUT("/pipelines/{pipeline}", { params: { path: { pipeline }, header }, body }));
    },
    onSuccess: (saved) => keepAnswer(pipeline, saved),
  });
}

/** What came of a change, as the pipeline is read. */
function keepAnswer(pipeline: string, saved: PipelineDetail) {
  queryClient.setQueryData(pipelineQuery(pipeline).queryKey, saved);
  void queryClient.invalidateQueries({ queryKey: ["pipelines", "list"] });
  void queryClient.invalidateQueries({ queryKey: ["pipelines", "revisions", pipeline] });
}

const REVISIONS_PAGE = 30;

export function revisionsQuery(pipeline: string) {
  return infiniteQueryOptions({
    queryKey: ["pipelines", "revisions", pipeline],
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: REVISIONS_PAGE, ...(pageParam > 0 && { before: pageParam }) };
      const params = { path: { pipeline }, query };
      return answer(client.GET("/pipelines/{pipeline}/revisions", { params, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: (page) => (page.length < REVISIONS_PAGE ? undefined : page.at(-1)?.number),
  });
}

export function differenceQuery(pipeline: string, from: number, to: number) {
  return queryOptions({
    queryKey: ["pipelines", "difference", pipeline, from, to],
    queryFn: ({ signal }) => {
      const params = { path: { pipeline }, query: { from, to } };
      return answer(client.GET("/pipelines/{pipeline}/diff", { params, signal }));
    },
    staleTime: Infinity,
  });
}

export function useRestore(pipeline: string) {
  return useMutation({
    mutationFn: ({ number, revision }: { number: number; revision: number }) => {
      const params = { path: { pipeline, number }, header: { "if-match": `"${revision}"` } };
      return answer(client.POST("/pipelines/{pipeline}/revisions/{number}/restore", { params }));
    },
    onSuccess: (saved) => keepAnswer(pipeline, saved),
  });
}
