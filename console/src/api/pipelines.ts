// Which pipelines there are: found by a search.
import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";

const all = ["pipelines"] as const;

export function pipelineSearchQuery(search: string) {
  return queryOptions({
    queryKey: [...all, "search", search],
    queryFn: async ({ signal }) =>
      (await answer(client.GET("/pipelines", { params: { query: { search, limit: 8 } }, signal }))).pipelines,
  });
}
