// Connections: read, tried, kept, changed and deleted.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Connection = Schemas["ConnectionView"];
/** Settings beside the connection's own fields; its `id` where a change of it is tried. */
export type ConnectionDraft = Schemas["ConnectionWish"] & { id?: string };

const all = ["connections"] as const;

export const connectionsQuery = queryOptions({
  queryKey: [...all, "list"],
  queryFn: ({ signal }) => answer(client.GET("/connections", { signal })),
});

export function connectionSearchQuery(search: string) {
  return queryOptions({
    queryKey: [...all, "search", search],
    queryFn: ({ signal }) =>
      answer(client.GET("/connections", { params: { query: { search, limit: 8 } }, signal })),
  });
}

export function connectionQuery(connection: string) {
  return queryOptions({
    queryKey: [...all, "one", connection],
    queryFn: ({ signal }) =>
      answer(client.GET("/connections/{connection}", { params: { path: { connection } }, signal })),
  });
}

function refresh(): Promise<unknown> {
  void queryClient.invalidateQueries({ queryKey: ["dashboard"] });
  void queryClient.invalidateQueries({ queryKey: ["vault"] });
  return queryClient.invalidateQueries({ queryKey: all });
}

/** Tries settings before they are kept. */
export function useTestDraft() {
  return useMutation({
    mutationFn: (body: ConnectionDraft) => answer(client.POST("/connections/test", { body })),
  });
}

export function useTestConnection() {
  return useMutation({
    mutationFn: (connection: string) =>
      answer(client.POST("/connections/{connection}/test", { params: { path: { connection } } })),
    onSettled: refresh,
  });
}

/** Makes a connection, or changes the one that has the draft's `id`. */
export function useSaveConnection() {
  return useMutation({
    mutationFn: ({ id: connection, ...body }: ConnectionDraft) =>
      answer(
        connection === undefined
          ? client.POST("/connections", { body })
          : client.PUT("/connections/{connection}", { params: { path: { connection } }, body }),
      ),
    onSuccess: refresh,
  });
}

export function useDeleteConnection() {
  return useMutation({
    mutationFn: (connection: string) =>
      // Who uses it was shown, and is not asked for a second time.
      done(
        client.DELETE("/connections/{connection}", {
          params: { path: { connection }, query: { force: true } },
        }),
      ),
    onSuccess: refresh,
  });
}

/** All as one document; with their secrets where a passphrase is given. */
export function useExportConnections() {
  return useMutation({
    mutationFn: (passphrase: string) =>
      answer(
        passphrase === ""
          ? client.GET("/connections/export")
          : client.POST("/connections/export", { body: { passphrase } }),
      ),
  });
}

export function useImportConnections() {
  return useMutation({
    mutationFn: (body: Schemas["Import"]) => answer(client.POST("/connections/import", { body })),
    onSuccess: refresh,
  });
}
