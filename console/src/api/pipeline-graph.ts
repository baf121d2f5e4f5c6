// A pipeline's blocks as the newest revision draws them: their kinds, and what each takes from which.
import { queryOptions } from "@tanstack/react-query";
import { z } from "@/lib/z";
import { answer, client } from "./client";

const document = z.object({
  nodes: z.array(z.object({ id: z.string(), kind: z.nullish(z.string()) })),
  edges: z.array(z.object({ source: z.string(), target: z.string(), port: z.nullish(z.string()) })),
});

export interface PipelineGraph {
  revision: number;
  nodes: z.infer<typeof document>["nodes"];
  edges: z.infer<typeof document>["edges"];
}

/** Null where nobody is there to say what is a block. */
export function pipelineGraphQuery(pipeline: string) {
  return queryOptions({
    queryKey: ["pipelines", "graph", pipeline],
    queryFn: async ({ signal }): Promise<PipelineGraph | null> => {
      const found = await answer(
        client.GET("/pipelines/{pipeline}", { params: { path: { pipeline } }, signal }),
      );
      const graph = document.safeParse(found.graph_definition);
      return graph.success ? { revision: found.revision, ...graph.data } : null;
    },
  });
}
