// Copies of the installation's database.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done, open } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type Backup = Schemas["Backup"];

export const backupsQuery = queryOptions({
  queryKey: ["backups"],
  queryFn: ({ signal }) => answer(client.GET("/backups", { signal })),
});

const refreshBackups = () => queryClient.invalidateQueries(backupsQuery);

export function useMakeBackup() {
  return useMutation({
    mutationFn: () => answer(client.POST("/backups")),
    onSettled: refreshBackups,
  });
}

export function useDeleteBackup() {
  return useMutation({
    mutationFn: (backup: string) =>
      done(client.DELETE("/backups/{backup}", { params: { path: { backup } } })),
    onSuccess: refreshBackups,
  });
}

const DOWNLOAD_MS = 3_600_000;

/** All of it at once: a backup has no address that a browser may open by itself. */
export function useReadBackup() {
  return useMutation({
    mutationFn: async (backup: string) => {
      const init = { accept: "application/octet-stream", signal: AbortSignal.timeout(DOWNLOAD_MS) };
      return (await open(`/backups/${encodeURIComponent(backup)}/content`, init)).blob();
    },
  });
}
