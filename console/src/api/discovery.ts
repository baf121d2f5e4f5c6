// What lies behind connections: schemas and tables as they were found, looking anew, and rows of tables.
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Look = Schemas["LookView"];
export type TableItem = Schemas["TableItem"];
export type TableDetail = Schemas["TableDetail"];
export type TableChange = Schemas["TableChange"];

const all = ["discovery"] as const;
const LOOKING_MS = 1_000;
const PAGE = 500;
/** Who does not find it among these types more of its name. */
const FOUND_MAX = 100;

/** How it stands with looking at a connection; asked for again and again while it is looked at. */
export function lookQuery(connection: string) {
  return queryOptions({
    queryKey: [...all, "look", connection],
    queryFn: ({ signal }) =>
      answer(client.GET("/connections/{connection}/discover", { params: { path: { connection } }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? LOOKING_MS : false),
  });
}

/** Looks at a connection, in the background. */
export function useLookAt() {
  return useMutation({
    mutationFn: (connection: string) =>
      answer(client.POST("/connections/{connection}/discover", { params: { path: { connection } } })),
    onSuccess: (look, connection) => queryClient.setQueryData(lookQuery(connection).queryKey, look),
  });
}

/** `foundAt`: by which look; those after it find others. */
export function schemasQuery(connection: string, foundAt: string) {
  return queryOptions({
    queryKey: ["discovered", "schemas", connection, foundAt],
    queryFn: ({ signal }) =>
      answer(client.GET("/connections/{connection}/schemas", { params: { path: { connection } }, signal })),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
}

interface Which {
  connection: string;
  foundAt: string;
  schema: string;
  search: string;
}

export function tableListQuery({ connection, foundAt, schema, search }: Which) {
  return infiniteQueryOptions({
    queryKey: ["discovered", "tables", connection, foundAt, schema, search],
    queryFn: ({ signal, pageParam }) => {
      const query = {
        limit: PAGE,
        ...(schema !== "" && { schema }),
        ...(search !== "" && { search }),
        ...(pageParam !== "" && { cursor: pageParam }),
      };
      return answer(
        client.GET("/connections/{connection}/tables", { params: { path: { connection }, query }, signal }),
      );
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: Infinity,
  });
}

/** The first tables that have the text in their names. */
export function tableSearchQuery(connection: string, search: string) {
  return queryOptions({
    queryKey: [...all, "search", connection, search],
    queryFn: ({ signal }) => {
      const query = { limit: FOUND_MAX, ...(search !== "" && { search }) };
      const params = { path: { connection }, query };
      return answer(client.GET("/connections/{connection}/tables", { params, signal }));
    },
  });
}

export function tableDetailQuery(connection: string, schema: string, table: string) {
  return queryOptions({
    queryKey: [...all, "table", connection, schema, table],
    queryFn: ({ signal }) => {
      const params = { path: { connection, schema, table } };
      return answer(client.GET("/connections/{connection}/tables/{schema}/{table}", { params, signal }));
    },
  });
}

/** Its first rows, read now in a transaction that cannot write; anew once it was found anew. */
export function tableRowsQuery(connection: string, { schema, name: table, found_at }: TableDetail) {
  return queryOptions({
    queryKey: ["rows", connection, schema, table, found_at],
    queryFn: ({ signal }) => {
      const params = { path: { connection, schema, table } };
      return answer(
        client.GET("/connections/{connection}/tables/{schema}/{table}/preview", { params, signal }),
      );
    },
    // Each look at it is a query in somebody's database.
    staleTime: 60_000,
    retry: false,
  });
}
