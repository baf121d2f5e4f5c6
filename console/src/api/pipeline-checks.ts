// What the service finds in a pipeline's text, kept or not: problems, graph, plan, first rows.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { z } from "@/lib/z";
import { answer, client } from "./client";
import type { PipelineWish } from "./pipeline-files";
import type { Schemas } from "./types";

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

export type Rows = Schemas["RowsView"];

/** The first rows that come out of a block; nothing is written for it. */
export function usePreview() {
  return useMutation({
    mutationFn: (body: Schemas["PreviewFile"]) => answer(client.POST("/pipelines/preview", { body })),
  });
}
