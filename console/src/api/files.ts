// Files that people brought, and what pipelines have written beside them.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type StoredFile = Schemas["File"];

const all = ["files"] as const;
const PAGE = 200;

/** Those of a folder; where something is searched, of all folders. */
export function filesQuery(folder: string, search: string) {
  return infiniteQueryOptions({
    queryKey: [...all, "list", search === "" ? folder : "", search],
    queryFn: ({ signal, pageParam }) => {
      const query = {
        limit: PAGE,
        ...(search === "" ? { folder } : { search }),
        ...(pageParam !== "" && { after: pageParam }),
      };
      return answer(client.GET("/files", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export function fileRowsQuery(file: string) {
  return queryOptions({
    queryKey: ["rows", "file", file],
    queryFn: ({ signal }) =>
      answer(client.GET("/files/{file}/preview", { params: { path: { file } }, signal })),
    staleTime: 60_000,
    retry: false,
  });
}

export function refreshFiles(): Promise<unknown> {
  return queryClient.invalidateQueries({ queryKey: all });
}

export function useDeleteFile() {
  return useMutation({
    mutationFn: (file: string) => done(client.DELETE("/files/{file}", { params: { path: { file } } })),
    onSuccess: refreshFiles,
  });
}

interface LinkWish {
  file: string;
  seconds: number;
}

/** An address by which whoever has it reads the file, for a while. */
export function useLinkFile() {
  return useMutation({
    mutationFn: async ({ file, seconds }: LinkWish) => {
      const wish = { params: { path: { file } }, body: { seconds } };
      const { url, expires_at } = await answer(client.POST("/files/{file}/link", wish));
      return { url: new URL(url, location.origin).href, expiresAt: expires_at };
    },
  });
}
