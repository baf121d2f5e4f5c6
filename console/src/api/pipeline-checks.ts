// What the service finds in a pipeline's text, kept or not: problems, graph, plan, first rows.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client } from "./client";
import type { PipelineWish } from "./pipeline-files";
import type { Schemas } from "./types";

/** Where blocks stand on a canvas, by their names. */
export type Layout = Record<string, Schemas["CanvasSpot"]>;
/** What is wrong with a file, and where. */
export type FileProblem = Schemas["PipelineProblem"];
/** A text as the service draws it. */
export type ServedGraph = Schemas["GraphDefinition"];

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
      return { text, problems: found.problems, graph: found.graph_definition ?? null };
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
      return segments;
    },
  });
}

export type PlannedSegment = NonNullable<ReturnType<typeof usePlan>["data"]>[number];

export type Rows = Schemas["RowsView"];

/** The first rows that come out of a block; nothing is written for it. */
export function usePreview() {
  return useMutation({
    mutationFn: (body: Schemas["PreviewFile"]) => answer(client.POST("/pipelines/preview", { body })),
  });
}
