// What lies behind a connection: tables as they were found, their columns, and looking anew.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client } from "./client";
import { queryClient } from "./query-client";

export function tablesQuery(connection: string, search: string) {
  return queryOptions({
    queryKey: ["discovery", "tables", connection, search],
    queryFn: ({ signal }) => {
      const query = { limit: 100, ...(search && { search }) };
      const params = { path: { connection }, query };
      return answer(client.GET("/connections/{connection}/tables", { params, signal }));
    },
    staleTime: 60_000,
    retry: false,
  });
}

export function tableQuery(connection: string, schema: string, table: string) {
  return queryOptions({
    queryKey: ["discovery", "table", connection, schema, table],
    queryFn: ({ signal }) => {
      const params = { path: { connection, schema, table } };
      return answer(client.GET("/connections/{connection}/tables/{schema}/{table}", { params, signal }));
    },
    staleTime: 60_000,
    retry: false,
  });
}

const LOOKING_MS = 700;

export function lookQuery(connection: string) {
  return queryOptions({
    queryKey: ["discovery", "look", connection],
    queryFn: ({ signal }) =>
      answer(client.GET("/connections/{connection}/discover", { params: { path: { connection } }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? LOOKING_MS : false),
    retry: false,
  });
}

export function useLook(connection: string) {
  return useMutation({
    mutationFn: () =>
      answer(client.POST("/connections/{connection}/discover", { params: { path: { connection } } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["discovery"] }),
  });
}
