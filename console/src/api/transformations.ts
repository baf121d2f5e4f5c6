// Transformations: SQL that is kept by name, compiled, run, and the loaded tables that it may read.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Transformation = Schemas["TransformationItem"];
export type TransformationWish = Schemas["TransformationWish"];
export type Materialization = Schemas["Materialization"];
export type Source = Schemas["SourceItem"];

const all = ["transformations"] as const;
const PAGE = 200;
/** Who wants to read more of them knows their names. */
const SOURCES = 500;

export const transformationsQuery = infiniteQueryOptions({
  queryKey: [...all, "list"],
  queryFn: ({ signal, pageParam }) => {
    const query = { limit: PAGE, ...(pageParam && { after: pageParam }) };
    return answer(client.GET("/transformations", { params: { query }, signal }));
  },
  initialPageParam: "",
  getNextPageParam: (page) => page.next ?? undefined,
});

export function transformationQuery(transformation: string) {
  return queryOptions({
    queryKey: [...all, "one", transformation],
    queryFn: ({ signal }) =>
      answer(
        client.GET("/transformations/{transformation}", { params: { path: { transformation } }, signal }),
      ),
  });
}

/** Tables that pipelines have loaded. */
export const sourcesQuery = queryOptions({
  queryKey: [...all, "sources"],
  queryFn: async ({ signal }) => {
    const query = { limit: SOURCES };
    return (await answer(client.GET("/transformations/sources", { params: { query }, signal }))).sources;
  },
});

/** SQL as the database gets it; fails where the database does not understand it. */
export function compiledQuery(transformation: string, sql_body: string) {
  return queryOptions({
    queryKey: ["compiled", transformation, sql_body],
    queryFn: ({ signal }) =>
      answer(
        client.POST("/transformations/{transformation}/compile", {
          params: { path: { transformation } },
          body: { sql_body },
          signal,
        }),
      ),
    retry: false,
    // What it refers to may be changed by others.
    gcTime: 0,
  });
}

interface RowsWish {
  id: string;
  /** As it is typed. */
  sql_body: string;
  params: Record<string, unknown>;
}

/** The first rows that its SQL gives; nothing is made. */
export function transformationRows({ id, ...body }: RowsWish) {
  return answer(
    client.POST("/transformations/{transformation}/preview", {
      params: { path: { transformation: id } },
      body,
    }),
  );
}

function refresh(): Promise<unknown> {
  void queryClient.invalidateQueries({ queryKey: ["lineage"] });
  return queryClient.invalidateQueries({ queryKey: all });
}

export function useCreateTransformation() {
  return useMutation({
    mutationFn: (body: TransformationWish) => answer(client.POST("/transformations", { body })),
    onSuccess: refresh,
  });
}

/** Fails where somebody else has changed it since that revision. */
export function useChangeTransformation() {
  return useMutation({
    mutationFn: ({ id, revision, wish }: { id: string; revision: number; wish: TransformationWish }) => {
      const params = { path: { transformation: id }, header: { "if-match": `"${revision}"` } };
      return answer(client.PUT("/transformations/{transformation}", { params, body: wish }));
    },
    onSuccess: (changed) => {
      queryClient.setQueryData(transformationQuery(changed.id).queryKey, changed);
      return refresh();
    },
  });
}

export function useDeleteTransformation() {
  return useMutation({
    mutationFn: (transformation: string) =>
      done(client.DELETE("/transformations/{transformation}", { params: { path: { transformation } } })),
    onSuccess: refresh,
  });
}

export interface TransformationRun {
  id: string;
  /** What it refers to is made first. */
  upstream: boolean;
  /** Incremental ones read everything again. */
  full?: boolean;
  params?: Record<string, unknown>;
}

export function useRunTransformation() {
  return useMutation({
    mutationFn: ({ id: transformation, upstream, full = false, params }: TransformationRun) =>
      answer(
        client.POST("/transformations/{transformation}/run", {
          params: { path: { transformation }, query: { upstream } },
          body: { full_refresh: full, ...(params && { params }) },
        }),
      ),
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      void queryClient.invalidateQueries({ queryKey: ["dashboard"] });
      return queryClient.invalidateQueries({ queryKey: ["lineage"] });
    },
  });
}
