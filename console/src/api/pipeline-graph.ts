// A pipeline's blocks as the newest revision draws them: their kinds, and what each takes from which.
import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";
import type { Schemas } from "./types";

export type PipelineGraph = Schemas["GraphDefinition"] & { revision: number };

/** Null where nobody is there to say what is a block. */
export function pipelineGraphQuery(pipeline: string) {
  return queryOptions({
    queryKey: ["pipelines", "graph", pipeline],
    queryFn: async ({ signal }): Promise<PipelineGraph | null> => {
      const { graph_definition: graph, revision } = await answer(
        client.GET("/pipelines/{pipeline}", { params: { path: { pipeline } }, signal }),
      );
      return graph ? { ...graph, revision } : null;
    },
  });
}
