// What reads and writes what in the whole organization, and which pipelines begin after which.
import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";
import type { Schemas } from "./types";

export type Lineage = Schemas["Lineage"];
export type LineageNode = Schemas["LineageNode"];
export type LineageEdge = Schemas["LineageEdge"];

export const lineageQuery = queryOptions({
  queryKey: ["lineage"],
  queryFn: ({ signal }) => answer(client.GET("/lineage", { signal })),
});
