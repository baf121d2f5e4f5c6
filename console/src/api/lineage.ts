// What reads and writes what in the whole organization, and which pipelines begin after which.
import { queryOptions } from "@tanstack/react-query";
import { z } from "@/lib/z";
import { open } from "./client";

const document = z.object({
  nodes: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(["pipeline", "transformation", "table", "file"]),
      name: z.string(),
      object_id: z.string().nullish(),
      connection: z.string().nullish(),
      last_status: z.string().nullish(),
      last_run_at: z.string().nullish(),
      last_run_id: z.string().nullish(),
    }),
  ),
  edges: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      kind: z.enum(["reads", "writes", "triggers"]),
      trigger_id: z.string().nullish(),
    }),
  ),
});

export type Lineage = z.infer<typeof document>;
export type LineageNode = Lineage["nodes"][number];
export type LineageEdge = Lineage["edges"][number];

export const lineageQuery = queryOptions({
  queryKey: ["lineage"],
  queryFn: async ({ signal }): Promise<Lineage> => {
    const response = await open("/lineage", { accept: "application/json", signal });
    return document.parse(await response.json());
  },
});
