// The vault of the organization's secrets: how it stands, unlocking and locking it.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export const vaultQuery = queryOptions({
  queryKey: ["vault"],
  queryFn: ({ signal }) => answer(client.GET("/vault/status", { signal })),
});

function onSuccess(status: Schemas["VaultStatus"]): void {
  queryClient.setQueryData(vaultQuery.queryKey, status);
}

export function useUnlock() {
  return useMutation({
    mutationFn: (password: string) => answer(client.POST("/vault/unlock", { body: { password } })),
    onSuccess,
  });
}

export function useLock() {
  return useMutation({ mutationFn: () => answer(client.POST("/vault/lock")), onSuccess });
}

export function useMasterPassword() {
  return useMutation({
    mutationFn: (body: Schemas["NewMasterPassword"]) => answer(client.PUT("/vault/password", { body })),
    onSuccess,
  });
}
