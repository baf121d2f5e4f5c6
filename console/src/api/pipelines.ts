// Which pipelines there are: found by a search, or by the connection they name.
import { queryOptions } from "@tanstack/react-query";
import { namesConnection } from "@/lib/graph";
import { answer, client } from "./client";

const all = ["pipelines"] as const;
/** More are not looked through. */
const LOOKED_AT_MAX = 100;

export function pipelineSearchQuery(search: string) {
  return queryOptions({
    queryKey: [...all, "search", search],
    queryFn: async ({ signal }) =>
      (await answer(client.GET("/pipelines", { params: { query: { search, limit: 8 } }, signal }))).pipelines,
  });
}

export interface Dependents {
  /** Names of pipelines. */
  names: string[];
  /** Whether there are pipelines that were not looked at. */
  isCut: boolean;
}

/** Which pipelines name a connection; asked where it is about to be deleted. */
export function dependentsQuery(connection: string) {
  return queryOptions({
    queryKey: [...all, "of connection", connection],
    queryFn: async ({ signal }): Promise<Dependents> => {
      const query = { limit: LOOKED_AT_MAX };
      const page = await answer(client.GET("/pipelines", { params: { query }, signal }));
      const looked = page.pipelines.map(async ({ id, name }) => {
        const params = { path: { pipeline: id } };
        const { graph_definition } = await answer(client.GET("/pipelines/{pipeline}", { params, signal }));
        return namesConnection(graph_definition, connection) ? [name] : [];
      });
      return { names: (await Promise.all(looked)).flat(), isCut: Boolean(page.next) };
    },
  });
}
