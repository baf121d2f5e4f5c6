// A pipeline's file: read, checked, planned, previewed, kept, and brought back.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { z } from "@/lib/z";
import { answer, client } from "./client";
import { refreshPipelines } from "./pipeline-list";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type PipelineDetail = Schemas["PipelineDetail"];
export type Revision = Schemas["RevisionItem"];
export type PipelineWish = Schemas["PipelineWish"];

const spot = z.object({ x: z.number(), y: z.number() });
const layout = z.record(z.string(), spot);
export type Layout = z.infer<typeof layout>;

const problem = z.object({
  line: z.number(),
  column: z.number(),
  block: z.nullable(z.string()),
  code: z.string(),
  message: z.string(),
  hint: z.nullable(z.string()),
});
/** What is wrong with a file, and where. */
export type FileProblem = z.infer<typeof problem>;

const graph = z.object({
  nodes: z.array(
    z.object({
      id: z.string(),
      kind: z.nullable(z.string()),
      settings: z.catch(z.record(z.string(), z.unknown()), {}),
    }),
  ),
  edges: z.array(z.object({ source: z.string(), target: z.string(), port: z.nullable(z.string()) })),
});
export type ServedGraph = z.infer<typeof graph>;

const segment = z.object({
  segment: z.string(),
  blocks: z.array(z.string()),
  inputs: z.array(z.string()),
  after: z.array(z.string()),
  operators: z.array(
    z.object({ block: z.nullable(z.string()), lines: z.array(z.string()), partitions: z.number() }),
  ),
  target: z.nullable(z.string()),
  mapping: z._default(z.array(z.tuple([z.string(), z.string()])), []),
  columns: z.array(z.tuple([z.string(), z.string()])),
  schema_changes: z.array(z.unknown()),
});
export type PlannedSegment = z.infer<typeof segment>;

export function readLayout(value: unknown): Layout {
  return z.catch(layout, {}).parse(value);
}

export function readProblems(value: unknown): FileProblem[] {
  return z.catch(z.array(problem), []).parse(value);
}

export function pipelineQuery(pipeline: string) {
  return queryOptions({
    queryKey: ["pipelines", "one", pipeline],
    queryFn: ({ signal }) =>
      answer(client.GET("/pipelines/{pipeline}", { params: { path: { pipeline } }, signal })),
  });
}

export interface Checked {
  text: string;
  problems: FileProblem[];
  graph: ServedGraph | null;
}

/** What the service finds in a text that is not kept. */
export function checkQuery(name: string, text: string) {
  return queryOptions({
    queryKey: ["check", name, text],
    queryFn: async ({ signal }): Promise<Checked> => {
      const body = { name, text };
      const found = await answer(client.POST("/pipelines/validate", { body, signal }));
      const read = z.catch(z.nullable(graph), null).parse(found.graph_definition ?? null);
      return { text, problems: readProblems(found.problems), graph: read };
    },
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
  });
}

export function usePlan() {
  return useMutation({
    mutationFn: async (body: PipelineWish) => {
      const { segments } = await answer(client.POST("/pipelines/plan", { body }));
      return z.array(segment).parse(segments);
    },
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

export type Rows = Schemas["RowsView"];

/** The first rows that come out of a block; nothing is written for it. */
export function usePreview() {
  return useMutation({
    mutationFn: (body: Schemas["PreviewFile"]) => answer(client.POST("/pipelines/preview", { body })),
  });
}
